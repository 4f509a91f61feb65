"""Story time of a process: a clock that follows the anchors file of an accelerated run.

The file `anchors.jsonl` is append-only, one anchor per line. Every process of a run reads it,
so all agree on the time; whoever changes the pace appends a line.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lianmeng.kernel.clock import Anchor, Clock, story_at, wall_at

LOOK_EVERY_S = 0.02
"""A clock looks whether its file has grown at most this often (wall seconds)."""

LONGEST_NAP_S = 0.1
"""A sleeper looks at least this often (wall seconds) whether the pace has changed."""


def wall_now() -> datetime:
    """Wall time, aware and in UTC."""
    return datetime.now(UTC)


class RealClock:
    """Story time is wall time."""

    def now(self) -> datetime:
        """Story time."""
        return wall_now()

    def wall(self) -> datetime:
        """Wall time."""
        return wall_now()

    def wall_at(self, story: datetime) -> datetime:
        """The wall time of a story time: the same."""
        return story


class StoryClock:
    """Story time by the anchors in `path`. A file that is absent or empty means real time."""

    def __init__(self, path: Path, wall: Callable[[], datetime] = wall_now) -> None:
        self._path = path
        self._wall = wall
        self._anchors: tuple[Anchor, ...] = ()
        self._read_bytes = 0
        self._looked = float("-inf")

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        """The anchors so far, in ascending order of wall time."""
        self._look()
        return self._anchors

    def now(self) -> datetime:
        """Story time."""
        return story_at(self.anchors, self._wall())

    def wall(self) -> datetime:
        """Wall time."""
        return self._wall()

    def wall_at(self, story: datetime) -> datetime:
        """The wall time at which story time will be `story`, should the pace stay as it is."""
        return wall_at(self.anchors, story)

    def _look(self) -> None:
        moment = time.monotonic()
        if moment - self._looked < LOOK_EVERY_S:
            return
        self._looked = moment
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return
        if size > self._read_bytes:
            self._read_more()

    def _read_more(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._read_bytes)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read_bytes += len(whole) + len(newline)
        self._anchors += tuple(_parse(line) for line in whole.splitlines())


def read_anchors(path: Path) -> tuple[Anchor, ...]:
    """All anchors of a file, ascending; none when it is absent."""
    return StoryClock(path).anchors


def append_anchor(path: Path, anchor: Anchor) -> None:
    """From `anchor.wall` on, story time runs as it says. The file survives a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(_line(anchor))
        file.flush()
        os.fsync(file.fileno())


def change_pace(path: Path, factor: float, wall: datetime) -> Anchor:
    """Let story time run at `factor` from `wall` on, without a jump. Returns the new anchor."""
    anchor = Anchor(story_at(read_anchors(path), wall), wall, factor)
    append_anchor(path, anchor)
    return anchor


def reopen(path: Path, last_wall: datetime, wall: datetime, factor: float = 1.0) -> Anchor | None:
    """Continue data at `factor` from `wall` on; returns the new anchor, None if none is needed.

    `last_wall` is when the data was last alive: story time goes on from there, so the hours in
    which nothing ran do not count at the old factor. Data that always ran in real time goes on
    so: for it those hours have passed.
    """
    anchors = read_anchors(path)
    if (anchors[-1].factor if anchors else 1.0) == factor == 1.0:
        return None
    anchor = Anchor(story_at(anchors, last_wall) if anchors else wall, wall, factor)
    append_anchor(path, anchor)
    return anchor


async def sleep_until(clock: Clock, story: datetime) -> None:
    """Return when story time has reached `story`, however often the pace changes meanwhile."""
    while clock.now() < story:
        left = (clock.wall_at(story) - clock.wall()) / timedelta(seconds=1)
        await asyncio.sleep(min(max(left, 0.001), LONGEST_NAP_S))


async def changes(clock: StoryClock) -> AsyncIterator[Anchor]:
    """The anchors that are appended from now on, each within a tenth of a second."""
    seen = len(clock.anchors)
    while True:
        for anchor in clock.anchors[seen:]:
            seen += 1
            yield anchor
        await asyncio.sleep(LONGEST_NAP_S)


def _line(anchor: Anchor) -> bytes:
    fields = {
        "story": anchor.story.isoformat(),
        "wall": anchor.wall.isoformat(),
        "factor": anchor.factor,
    }
    return json.dumps(fields).encode() + b"\n"


def _parse(line: bytes) -> Anchor:
    fields = json.loads(line)
    return Anchor(
        datetime.fromisoformat(fields["story"]),
        datetime.fromisoformat(fields["wall"]),
        float(fields["factor"]),
    )
