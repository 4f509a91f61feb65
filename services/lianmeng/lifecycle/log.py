"""The log of alliances, which tells the operators of every fact that lifecycle commits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from lianmeng.alliance.facts import Invited, name_of
from lianmeng.alliance.log import AllianceLog, Loaded, Step
from lianmeng.alliance.state import State
from lianmeng.lifecycle.facts_told import line_of
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.metrics import FACTS, FORMATION_SECONDS


class ToldLog(AllianceLog):
    """An `AllianceLog` that writes one line per committed fact."""

    async def commit(self, steps: Sequence[Step]) -> list[Loaded]:
        """See `AllianceLog.commit`."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        stand = await super().commit(steps)
        ms = round((loop.time() - started) * 1000, 1)
        for step, after in zip(steps, stand, strict=True):
            name = name_of(step.fact)
            FACTS.labels(name).inc()
            fields = line_of(step.loaded.state, step.fact, after.state)
            line.info(f"alliance.{name}", **fields, ms=ms)
            self._measure(step)
        return stand

    def _measure(self, step: Step) -> None:
        """From the demand to the first invitations, where no manager had to be waited for."""
        before = step.loaded.state
        if isinstance(step.fact, Invited) and before and before.state is State.PROPOSED:
            took = self._clock.wall_at(step.time) - self._clock.wall_at(before.created_time)
            FORMATION_SECONDS.observe(took.total_seconds())
