"""The axis of story days that several drawings share."""

from __future__ import annotations

from dataclasses import dataclass

from lianmeng.world.page.svg import line, words


@dataclass(frozen=True, slots=True)
class Days:
    """Story days `first` to `last` on `left` to `right` of a drawing."""

    first: float
    last: float
    left: float
    right: float

    def x(self, day: float) -> float:
        """Where a day lies; days outside are put on the edge."""
        inside = min(max(day, self.first), self.last)
        return self.left + (inside - self.first) / (self.last - self.first) * (
            self.right - self.left
        )

    def grid(self, top: float, bottom: float) -> str:
        """Lines and labels: by days, or by hours where there are few days."""
        span = self.last - self.first
        step = 1 / 4 if span <= 2.5 else 1.0 if span <= 12 else 2.0
        marks: list[str] = []
        day = -(-self.first // step) * step
        while day <= self.last + 1e-9:
            x, whole = self.x(day), abs(day - round(day)) < 1e-9
            marks.append(line(x, top, x, bottom, "grid" if whole else "grid faint"))
            label = f"day {round(day)}" if whole else f"{round(day % 1 * 24):02}:00"
            marks.append(words(x, bottom + 14, label, "tick", "middle"))
            day += step
        return "".join(marks)
