"""The sweep: what a consumer missed is done all the same, and timers follow the pace of time.

On start every living alliance is advanced and its timer set. Every two minutes those past
their deadline are advanced: a consumer can be silent for a while after a partition. Whenever
story time changes its pace, all timers are set anew, since they wait in wall time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Transient
from lianmeng.lifecycle.automation import Automation
from lianmeng.lifecycle.living import Living
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.storytime import StoryClock, changes

SWEEP_EVERY_S = 120.0
"""Wall seconds between two sweeps."""

_TOGETHER = 16


class Sweep:
    """Looks after all living alliances. Start `run` as a task."""

    def __init__(self, automation: Automation, living: Living, clock: Clock) -> None:
        self._automation = automation
        self._living = living
        self._clock = clock

    async def run(self) -> None:
        """Sweep for ever; cancel it to stop."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_the_pace())
            tasks.create_task(self._sweep_regularly())

    async def _follow_the_pace(self) -> None:
        if isinstance(self._clock, StoryClock):  # real time never changes its pace
            async for _ in changes(self._clock):
                await self.everything()

    async def _sweep_regularly(self) -> None:
        await self.everything()
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            now = self._clock.now()
            late = [
                state.alliance_id
                for state in self._living.states()
                if state.deadline_time is not None and state.deadline_time <= now
            ]
            await self._each(late)

    async def everything(self) -> None:
        """Advance all living alliances and set their timers."""
        while True:
            try:
                await self._living.caught_up()
                return await self._each(self._living.ids())
            except Transient as error:
                await asyncio.sleep(error.retry_after.total_seconds())

    async def _each(self, alliance_ids: Iterable[str]) -> None:
        gate = asyncio.Semaphore(_TOGETHER)
        ids = tuple(alliance_ids)

        async def one(alliance_id: str) -> None:
            async with gate:
                await self._care_for(alliance_id)

        async with asyncio.TaskGroup() as tasks:
            for alliance_id in ids:
                tasks.create_task(one(alliance_id))
        if ids:
            line.info("sweep.done", count=len(ids))

    async def _care_for(self, alliance_id: str) -> None:
        while True:
            try:
                await self._automation.arm(await self._automation.advance(alliance_id))
            except Transient as error:
                await asyncio.sleep(error.retry_after.total_seconds())
            except Exception as error:  # noqa: BLE001 - one alliance must not stop the others
                line.error("message.failed", subject=alliance_id, error=repr(error), exc_info=error)
                return
            else:
                return
