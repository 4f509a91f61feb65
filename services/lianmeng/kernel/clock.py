"""Story time and wall time.

Domain times are *story time*: real time by default, faster in an accelerated run. An
accelerated run keeps an append-only list of anchors; between two anchors story time runs
at a constant factor. Only the log adapter converts story time to wall time (for timers).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where a process asks for the time. Both are aware and in UTC."""

    def now(self) -> datetime:
        """Story time."""
        ...

    def wall(self) -> datetime:
        """Wall time: for tokens and transport time-outs only."""
        ...

    def wall_at(self, story: datetime) -> datetime:
        """The wall time at which story time will be `story`."""
        ...


@dataclass(frozen=True, slots=True)
class Anchor:
    """From `wall` on, story time is `story` + `factor` × (time since `wall`). `factor` > 0."""

    story: datetime
    wall: datetime
    factor: float


def story_at(anchors: Sequence[Anchor], wall: datetime) -> datetime:
    """Story time at a wall time. `anchors` ascend by wall time; none = real time."""
    if not anchors:
        return wall
    index = bisect_right(anchors, wall, key=lambda a: a.wall) - 1
    anchor = anchors[max(index, 0)]
    return anchor.story + (wall - anchor.wall) * anchor.factor


def wall_at(anchors: Sequence[Anchor], story: datetime) -> datetime:
    """Wall time at a story time, judged by the last anchor (the one in force)."""
    if not anchors:
        return story
    anchor = anchors[-1]
    return anchor.wall + (story - anchor.story) / anchor.factor
