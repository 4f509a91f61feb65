"""How a command fails: a message, the field, what to do, in English and Chinese; exit code 1.

Wrong usage of the command line itself ends with 2, Ctrl-C with 130.
"""

from __future__ import annotations

import json
from typing import Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from lianmeng.kernel.errors import LianmengError, Rejected, Transient

FAILED = 1
"""Exit code of a command that was refused or could not be carried out."""

MISUSED = 2
"""Exit code of wrong usage, the parser's own included."""

AS_JSON = "lianmeng.json"
"""Where the command remembers that its reader is a machine."""


class Group(TyperGroup):
    """The root command: every error that the platform raises on purpose ends here."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command; an error of the platform becomes a message and an exit code."""
        try:
            return super().invoke(ctx)
        except LianmengError as error:
            tell(error, as_json=bool(ctx.meta.get(AS_JSON)))
            raise typer.Exit(MISUSED if isinstance(error, Misused) else FAILED) from error


def tell(error: LianmengError, *, as_json: bool) -> None:
    """Say what went wrong: to machines as one JSON object on stdout, to people on stderr."""
    if as_json:
        print(json.dumps({"error": facts_of(error)}, ensure_ascii=False))
        return
    console = Console(stderr=True, highlight=False)
    for style, text in _lines(error):
        console.print(Text(text, style=style), soft_wrap=True)


def facts_of(error: LianmengError) -> dict[str, object]:
    """An error in fields that machines can act on."""
    match error:
        case Rejected():
            names = ("reason", "field", "message", "hint", "message_zh", "hint_zh")
            return {"kind": "rejected", **{name: getattr(error, name) for name in names}}
        case Transient():
            return {
                "kind": "transient",
                "reason": error.reason,
                "message": error.message,
                "message_zh": error.message_zh,
                "retry_after_s": error.retry_after.total_seconds(),
            }
        case _:
            return {"kind": "failed", "message": str(error)}


def _lines(error: LianmengError) -> list[tuple[str, str]]:
    match error:
        case Rejected():
            field = f"{error.field}: " if error.field else ""
            lines = [("bold red", f"{field}{error.message} [{error.reason}]")]
            lines += [("", f"  → {error.hint}")] if error.hint else []
            lines += [("red", f"{error.message_zh}")] if error.message_zh else []
            lines += [("", f"  → {error.hint_zh}")] if error.hint_zh else []
            return lines
        case Transient():
            wait = f"{error.retry_after.total_seconds():g}"
            return [
                ("bold yellow", f"{error.message} [{error.reason}]"),
                ("", f"  → nothing is lost; give the same command again in {wait} s"),
                ("yellow", error.message_zh or "暂时无法处理"),
                ("", f"  → 数据未丢失，请在 {wait} 秒后重试同一命令"),
            ]
        case _:
            return [("bold red", str(error))]


class Misused(Rejected):
    """A command line that cannot be carried out as it is."""


def usage(field: str, message: str, hint: str, message_zh: str, hint_zh: str) -> Misused:
    """Wrong words on the command line; `field` is the option or argument."""
    return Misused(
        reason="MALFORMED_VALUE",
        field=field,
        message=message,
        hint=hint,
        message_zh=message_zh,
        hint_zh=hint_zh,
    )
