"""New capacity, or a new forecast, for alliances that found no plan: the matcher is asked again.

What brings capacity is heard here: new versions of nodes, and facts that release what was held.
An alliance that may not be matched again yet waits in this process; a restart looks at all.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from lianmeng.alliance import facts as f
from lianmeng.alliance.demand import Demand
from lianmeng.alliance.log import AllianceLog
from lianmeng.alliance.state import AllianceState
from lianmeng.alliance.wire import EVENT, read_record
from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Poison, Transient
from lianmeng.lifecycle.automation import BY
from lianmeng.lifecycle.capacity_effects import (
    RELEASES,
    concerns,
    earliest_rematch,
    shares_pool,
    waits_for_capacity,
)
from lianmeng.lifecycle.living import Living
from lianmeng.pool.follow import follow_records
from lianmeng.pool.nodes import Node
from lianmeng.runtime.followers import follow
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.storytime import sleep_until
from lianmeng.runtime.subjects import Stream, alliance_subject, node_subject, stream_name

NEW_CAPACITY = "NEW_CAPACITY"
TREND_UPDATE = "TREND_UPDATE"

GATHER_S = 1.0
"""News that come within this time (wall seconds) are one reason to match again, not many."""

Concerned = Callable[[AllianceState], bool]


class Rematching:
    """Asks for rematches within the limits of each alliance. Start `run` as a task."""

    def __init__(
        self, alliances: AllianceLog, log: Log, zone: str, living: Living, clock: Clock
    ) -> None:
        self._alliances = alliances
        self._log = log
        self._zone = zone
        self._living = living
        self._clock = clock
        self._asked: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._pending: set[str] = set()

    async def run(self) -> None:
        """Listen for ever; cancel it to stop."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear(Stream.REGISTRY, self._hear_of_nodes))
            tasks.create_task(self._hear(Stream.ALLIANCES, self._hear_of_releases))
            while True:
                alliance_id, reason = await self._asked.get()
                tasks.create_task(self._rematch(alliance_id, reason))

    def ask(self, alliance_id: str, reason: str) -> None:
        """Have the alliance matched again, now or as soon as its limits allow."""
        if alliance_id not in self._pending:
            self._pending.add(alliance_id)
            self._asked.put_nowait((alliance_id, reason))

    async def _hear(self, stream: Stream, listen: Callable[[int], Awaitable[None]]) -> None:
        """Listen from now on. What was there before counts once, as one piece of news."""
        while True:
            try:
                state = await self._log.state(stream_name(stream, self._zone))
                await self._living.caught_up()
                break
            except Transient as error:
                await asyncio.sleep(error.retry_after.total_seconds())
        self._tell(lambda _: True)
        await listen(state.last + 1)

    async def _hear_of_nodes(self, start: int) -> None:
        subject = node_subject(self._zone, "*")
        async with aclosing(follow_records(self._log, subject, start=start)) as records:
            async for found in records:
                node = found.record.record
                if isinstance(node, Node):
                    self._tell(_by_node(node))

    async def _hear_of_releases(self, start: int) -> None:
        subject = alliance_subject(self._zone, "*")
        async with aclosing(follow(self._log, subject, start=start)) as messages:
            async for message in messages:
                if message.headers.get(EVENT) not in RELEASES:
                    continue
                try:
                    state = read_record(message.data).state
                except Poison as error:
                    line.error("message.failed", subject=message.subject, error=str(error))
                    continue
                if state is not None:
                    self._tell(_by_release(state.demand))

    def _tell(self, concerned: Concerned) -> None:
        for state in self._living.states():
            if waits_for_capacity(state) and concerned(state):
                self.ask(state.alliance_id, NEW_CAPACITY)

    async def _rematch(self, alliance_id: str, reason: str) -> None:
        await asyncio.sleep(GATHER_S)
        try:
            while not await self._tried(alliance_id, reason):
                pass
        finally:
            self._pending.discard(alliance_id)

    async def _tried(self, alliance_id: str, reason: str) -> bool:
        """Whether nothing is left to do: the matcher was asked, or must not be."""
        try:
            history = await self._alliances.history(alliance_id)
            state = history[-1][1].state if history else None
            earliest = earliest_rematch(state, history) if state else None
            if state is None or earliest is None:
                return True
            await sleep_until(self._clock, earliest)
            after = await self._alliances.transact(
                alliance_id, _unless_moved(state.fact_count, reason), BY, _attempt
            )
        except Transient as error:
            await asyncio.sleep(error.retry_after.total_seconds())
            return False
        return after.state is None or not waits_for_capacity(after.state)


def _unless_moved(count: int, reason: str) -> Callable[[AllianceState | None], f.Fact | None]:
    """Asks for a rematch if the alliance is still at its `count`-th fact."""

    def decide(state: AllianceState | None) -> f.Fact | None:
        moved = state is None or state.fact_count != count
        return None if moved else f.RematchDue(reason=reason)

    return decide


def _by_node(node: Node) -> Concerned:
    return lambda state: concerns(node, state.demand)


def _by_release(released: Demand) -> Concerned:
    return lambda state: shares_pool(released, state.demand)


def _attempt() -> str:
    return secrets.token_hex(8)
