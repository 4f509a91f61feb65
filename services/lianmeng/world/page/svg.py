"""Markup as text: elements, escaping, and the few shapes that the drawings use."""

from __future__ import annotations

from html import escape

Number = int | float


def el(tag: str, *children: str, **attributes: str | Number | None) -> str:
    """An element. `class_` is `class`, underscores are hyphens, None is left out.

    Children are markup already: text goes through `text`.
    """
    said = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_value(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{said}>{''.join(children)}</{tag}>"


def text(value: object) -> str:
    """Anything as escaped text."""
    return escape(str(value), quote=False)


def drawing(width: Number, height: Number, *children: str, label: str) -> str:
    """A drawing that scales with the page; `label` says what it shows."""
    return el(
        "svg", *children, viewBox=f"0 0 {_value(width)} {_value(height)}", role="img",
        aria_label=label,
    )  # fmt: skip


def rect(x: Number, y: Number, width: Number, height: Number, css: str, title: str = "") -> str:
    """A rectangle; `title` shows when it is pointed at."""
    return el(
        "rect", _title(title), x=x, y=y, width=max(width, 0.5), height=max(height, 0.5),
        class_=css, rx=2,
    )  # fmt: skip


def line(x1: Number, y1: Number, x2: Number, y2: Number, css: str) -> str:
    """A straight line."""
    return el("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=css)


def words(x: Number, y: Number, value: object, css: str = "", anchor: str = "start") -> str:
    """A line of text with its baseline at `y`."""
    return el("text", text(value), x=x, y=y, class_=css or None, text_anchor=anchor)


def path(d: str, css: str, title: str = "", width: Number | None = None) -> str:
    """A path; `width` is that of its stroke."""
    return el("path", _title(title), d=d, class_=css, stroke_width=width)


def dot(x: Number, y: Number, radius: Number, css: str, title: str = "") -> str:
    """A filled circle."""
    return el("circle", _title(title), cx=x, cy=y, r=radius, class_=css)


def _title(value: str) -> str:
    return el("title", text(value)) if value else ""


def _value(value: str | Number) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
