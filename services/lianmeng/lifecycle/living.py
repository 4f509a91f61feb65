"""The alliances that live now, as this process reads them from the log, and who listens.

One follower serves all: the sweep, the search for waiting alliances, and every watcher. A record
is decoded when somebody needs it, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.state import AllianceState
from lianmeng.alliance.states import TERMINAL
from lianmeng.alliance.wire import STATE, read_record
from lianmeng.kernel.errors import Poison, Transient
from lianmeng.lifecycle.visibility import firms_of
from lianmeng.runtime.followers import follow
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.messages import Message
from lianmeng.runtime.subjects import alliance_subject, last_token

MOST_UNHEARD = 10_000
"""Records that wait for a slow listener before it is sent away."""

EVERYTHING = "*"
"""Instead of a firm: an ear that hears of all alliances."""

_ENDED = frozenset(str(state) for state in TERMINAL)


@dataclass(frozen=True, slots=True)
class Moved:
    """An alliance took a step. `before` None: its first fact, or what was before is not known."""

    sequence: int
    before: AllianceState | None
    record: AllianceRecord


class Ear:
    """One listener's queue; iterate it."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Moved] = asyncio.Queue(MOST_UNHEARD)
        self._deaf = False

    def tell(self, moved: Moved) -> None:
        """Called for each record, in order."""
        try:
            self._queue.put_nowait(moved)
        except asyncio.QueueFull:
            self._deaf = True

    async def steps(self) -> AsyncIterator[Moved]:
        """All steps, endless. Raises `Transient(VIEW_LAGS)` when the listener is too slow."""
        while not self._deaf:
            yield await self._queue.get()
        raise Transient(
            "VIEW_LAGS",
            "this watcher reads too slowly; go on from the last revision that it has seen",
            timedelta(seconds=1),
            "读取过慢，请从最后收到的 revision 继续",
        )


class Living:
    """Follows all alliances of a zone. Start `run` as a task."""

    def __init__(self, log: Log, zone: str) -> None:
        self._log = log
        self._subject = alliance_subject(zone, "*")
        self._newest: dict[str, bytes | AllianceState] = {}
        self._position = 0
        self._news = asyncio.Condition()
        self._ears: dict[str, set[Ear]] = {}

    @property
    def position(self) -> int:
        """Sequence of the last record that was read."""
        return self._position

    async def run(self) -> None:
        """Follow for ever; cancel it to stop."""
        async with aclosing(follow(self._log, self._subject)) as messages:
            async for message in messages:
                self._take_in(message)
                async with self._news:
                    self._news.notify_all()

    async def caught_up(self) -> None:
        """Return when everything that is on the log now has been read. Raises `Transient`."""
        newest = await self._log.last(self._subject)
        goal = newest.sequence if newest else 0
        async with self._news:
            await self._news.wait_for(lambda: self._position >= goal)

    @contextmanager
    def listening(self, firm: str) -> Iterator[Ear]:
        """An ear for the records after `position` that a firm may see; `EVERYTHING`: for all."""
        ear = Ear()
        self._ears.setdefault(firm, set()).add(ear)
        try:
            yield ear
        finally:
            ears = self._ears[firm]
            ears.discard(ear)
            if not ears:
                del self._ears[firm]

    def ids(self) -> tuple[str, ...]:
        """All living alliances."""
        return tuple(self._newest)

    def states(self) -> list[AllianceState]:
        """Their states, as of `position`. One that cannot be read is left out, and told."""
        found = (self._state(alliance_id) for alliance_id in self.ids())
        return [state for state in found if state is not None]

    def _state(self, alliance_id: str) -> AllianceState | None:
        known = self._newest.get(alliance_id)
        if not isinstance(known, bytes):
            return known
        record = self._read(alliance_id, known)
        if record is None or record.state is None:
            return None
        self._newest[alliance_id] = record.state
        return record.state

    def _take_in(self, message: Message) -> None:
        alliance_id = last_token(message.subject)
        if self._ears:
            self._tell(alliance_id, message)
        elif message.headers.get(STATE) in _ENDED:
            self._newest.pop(alliance_id, None)
        else:
            self._newest[alliance_id] = message.data
        self._position = message.sequence

    def _tell(self, alliance_id: str, message: Message) -> None:
        before = self._state(alliance_id)
        record = self._read(alliance_id, message.data)
        if record is None or record.state is None:
            return
        if record.state.state in TERMINAL:
            self._newest.pop(alliance_id, None)
        else:
            self._newest[alliance_id] = record.state
        moved = Moved(message.sequence, before, record)
        for firm in (EVERYTHING, *firms_of(record.state)):
            for ear in self._ears.get(firm, ()):
                ear.tell(moved)

    @staticmethod
    def _read(alliance_id: str, data: bytes) -> AllianceRecord | None:
        try:
            return read_record(data)
        except Poison as error:  # the consumer of facts puts it aside; here it is left out
            line.error("message.failed", subject=alliance_id, error=str(error))
            return None
