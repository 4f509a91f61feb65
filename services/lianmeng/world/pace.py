"""The pace of an accelerated run: slow while alliances form or repair, fast while they run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lianmeng.runtime.storytime import StoryClock, change_pace, sleep_until, wall_now

SLOW = 3_600.0
"""An hour of the story takes a second: people get to answer."""

FAST = 30_000.0
"""A day of the story takes about three seconds: goods are made and moved."""


class Pace:
    """Story time for agents, and the director's hand on it."""

    def __init__(self, anchors: Path, tell: Callable[[float], None]) -> None:
        """`tell` is called with the factor whenever it changes."""
        self._anchors = anchors
        self._tell = tell
        self.clock = StoryClock(anchors)
        self.factor = 1.0

    def set(self, factor: float) -> None:
        """Let story time run at `factor` from now on."""
        if factor == self.factor:
            return
        self.factor = factor
        change_pace(self._anchors, factor, wall_now())
        self._tell(factor)

    async def wait(self, seconds: float) -> None:
        """Returns after some story seconds."""
        await sleep_until(self.clock, self.clock.now() + timedelta(seconds=seconds))

    async def until(self, story_s: float) -> None:
        """Returns when story time has reached a time (seconds since 1970)."""
        await sleep_until(self.clock, datetime.fromtimestamp(story_s, UTC))


async def within(seconds: float, done: asyncio.Event) -> bool:
    """Whether `done` is set within some wall seconds."""
    try:
        async with asyncio.timeout(seconds):
            await done.wait()
    except TimeoutError:
        return False
    return True
