"""The pace of an accelerated run: slow while people decide, fast while goods are made and moved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lianmeng.runtime.storytime import StoryClock, change_pace, sleep_until, wall_now

REAL = 1.0
"""While the pool registers: nothing of the story has begun."""

SLOW = 3_600.0
"""An hour of the story takes a second: people get to answer."""

WAITING = 9_000.0
"""Something is about to happen that must not be overrun: a trend, an answer."""

FAST = 32_000.0
"""A day of the story takes less than three seconds: goods are made and moved."""

CRUISE = 60_000.0
"""Nothing is due for a while."""


class Pace:
    """Story time for agents, and the director's hand on it."""

    def __init__(self, anchors: Path, tell: Callable[[float], None]) -> None:
        """`tell` is called with the factor whenever it changes."""
        self._anchors = anchors
        self._tell = tell
        self.clock = StoryClock(anchors)
        self.factor = REAL

    def set(self, factor: float) -> None:
        """Let story time run at `factor` from now on."""
        if factor == self.factor:
            return
        self.factor = factor
        change_pace(self._anchors, factor, wall_now())
        self._tell(factor)

    async def wait(self, span: timedelta) -> None:
        """Returns after some story time."""
        await sleep_until(self.clock, self.clock.now() + span)

    async def until(self, story: datetime) -> None:
        """Returns when story time has reached a time."""
        await sleep_until(self.clock, story)


def moment(seconds: float) -> datetime:
    """A time given as seconds since 1970, aware and in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


async def within(seconds: float, done: asyncio.Event) -> bool:
    """Whether `done` is set within some wall seconds."""
    try:
        async with asyncio.timeout(seconds):
            await done.wait()
    except TimeoutError:
        return False
    return True
