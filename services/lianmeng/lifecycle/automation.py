"""What alliances do by themselves: load, ask the policy, commit, again until it has no answer.

It is driven by levels, not by edges: a fact seen twice, a timer that fires late or early, a
second process at work on the same alliance, all end in the same state.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from weakref import WeakValueDictionary

from lianmeng.alliance import facts as f
from lianmeng.alliance import policy
from lianmeng.alliance.books import CapacityTaken
from lianmeng.alliance.log import AllianceLog, Conflict, Loaded, Step
from lianmeng.alliance.members import DissolutionReason
from lianmeng.alliance.state import AllianceState
from lianmeng.alliance.states import TERMINAL
from lianmeng.alliance.tasks import frozen_tasks
from lianmeng.kernel.clock import Clock
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.messages import Message
from lianmeng.runtime.metrics import TIMER_LATENESS_SECONDS
from lianmeng.runtime.subjects import last_token

BY = "lifecycle"
"""Author of what alliances do by themselves."""

MOST_FACTS = 100
"""Facts of one alliance at one instant after which the policy is taken to be at fault."""

_REMEMBERED = 20_000


class Automation:
    """Advances alliances. One alliance is advanced by one task of this process at a time."""

    def __init__(self, alliances: AllianceLog, log: Log, clock: Clock) -> None:
        self._alliances = alliances
        self._log = log
        self._clock = clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._at_rest: OrderedDict[str, int] = OrderedDict()

    async def on_facts(self, messages: Sequence[Message]) -> None:
        """Facts were written, by whomever: each alliance takes its next steps."""
        newest = {last_token(message.subject): message.sequence for message in messages}
        for alliance_id, sequence in newest.items():
            if self._at_rest.get(alliance_id, 0) < sequence:
                await self.advance(alliance_id, sequence)

    async def on_due(self, message: Message) -> None:
        """A timer has fired. If it was early (the pace of story time changed), it is set anew."""
        due = await self._alliances.load(last_token(message.subject))
        line.debug("timer.fired", alliance=due.alliance_id)
        if due.state is not None and due.state.deadline_time is not None:
            late = self._clock.wall() - self._clock.wall_at(due.state.deadline_time)
            TIMER_LATENESS_SECONDS.observe(max(late.total_seconds(), 0.0))
        after = await self.advance(due.alliance_id, due.sequence)
        if after.sequence == due.sequence:
            await self.arm(after)

    async def advance(self, alliance_id: str, known: int = 0) -> Loaded:
        """Commit every fact that is due, and return the alliance as it then stands.

        `known`: what this process remembers is good enough if it has heard of this sequence;
        0: the alliance is read through the leader.
        """
        async with self._locks.setdefault(alliance_id, asyncio.Lock()):
            loaded = (
                await self._alliances.recall(alliance_id, known)
                if known
                else await self._alliances.load(alliance_id)
            )
            for _ in range(MOST_FACTS):
                after = await self._step(loaded)
                if after is None:
                    self._remember(loaded)
                    return loaded
                loaded = after
        raise RuntimeError(f"{alliance_id}: the policy does not come to rest")

    async def arm(self, loaded: Loaded) -> None:
        """Set the alliance's timer to its deadline.

        The timer has no expected sequence: a commit meanwhile may have set it to another
        deadline, so the alliance is read again until it did not move.
        """
        while loaded.state is not None and loaded.state.deadline_time is not None:
            timer = self._alliances.timer(loaded.alliance_id, loaded.state.deadline_time)
            await self._log.publish(timer)
            again = await self._alliances.load(loaded.alliance_id)
            if again.sequence == loaded.sequence:
                return
            loaded = again

    async def _step(self, loaded: Loaded) -> Loaded | None:
        """The alliance after its next fact, or as another has left it; None = nothing is due."""
        now = self._clock.now()
        state = loaded.state
        if state is None or state.state in TERMINAL:
            return None
        fact = policy.next_fact(state, now)
        if fact is None:
            return None
        try:
            return await self._commit(loaded, Step(loaded, fact, now, BY, _attempt()))
        except CapacityTaken as taken:
            line.warning("books.conflict", alliance=state.alliance_id, resource=taken.resource_id)
            gone = without_room(state, frozen_tasks(state, now))
            return await self._commit(loaded, Step(loaded, gone, now, BY, _attempt()))

    async def _commit(self, loaded: Loaded, step: Step) -> Loaded:
        try:
            return (await self._alliances.commit([step]))[0]
        except Conflict:
            await asyncio.sleep(random.uniform(0.0, 0.02))  # noqa: S311 - jitter
            return await self._alliances.load(loaded.alliance_id)

    def _remember(self, loaded: Loaded) -> None:
        self._at_rest[loaded.alliance_id] = loaded.sequence
        self._at_rest.move_to_end(loaded.alliance_id)
        if len(self._at_rest) > _REMEMBERED:
            self._at_rest.popitem(last=False)


def without_room(state: AllianceState, frozen: tuple[str, ...]) -> f.Fact:
    """What follows when holds had lapsed and somebody else has taken the place."""
    if state.activated_time is None:
        return f.FormationFailed(reason="CAPACITY_RESERVED_ELSEWHERE")
    return f.WindingDown(reason=DissolutionReason.MEMBER_FAILURE, cancelled_task_ids=frozen)


def _attempt() -> str:
    return secrets.token_hex(8)
