"""The pool in memory: follows the registry, the books and the alliances of the zone.

Two followers, one per stream, each in the order of the log; `ready` is set when both have read
what was there at the start. The books may be a moment old: the commit judges again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

from lianmeng.alliance.books import Book
from lianmeng.alliance.demand import Demand
from lianmeng.alliance.wire import read_book, read_record
from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Poison
from lianmeng.kernel.thresholds import ReliabilityThresholds
from lianmeng.matcher.index import Index
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.follow import follow_records
from lianmeng.pool.products import Product
from lianmeng.runtime import subjects
from lianmeng.runtime.followers import follow
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.logs import log as line


class PoolView:
    """The pool of a zone. Start `run` as a task; wait for `ready` before the first snapshot.

    `grace` is wall time after a hold's end during which it still counts.
    """

    def __init__(
        self, log: Log, zone: str, clock: Clock, grace: timedelta, prior: ReliabilityThresholds
    ) -> None:
        self._log = log
        self._zone = zone
        self._clock = clock
        self._grace = grace
        self._index = Index(prior)
        self._registry_read = asyncio.Event()
        self._alliances_read = asyncio.Event()

    async def ready(self) -> None:
        """Returns when everything that was on the log has been read once."""
        await self._registry_read.wait()
        await self._alliances_read.wait()

    def snapshot(self, demand: Demand, members: Iterable[str] = ()) -> Snapshot:
        """What is known now of whoever might serve a demand, and of `members`, firm ids.

        It does not change any more.
        """
        return self._index.snapshot(demand, self._clock.now(), self._lapsed, members)

    def _lapsed(self, expires: datetime) -> bool:
        return self._clock.wall_at(expires) + self._grace <= self._clock.wall()

    def product(self, product_id: str) -> Product | None:
        """A product of the catalogue."""
        return self._index.product(product_id)

    def keep(self, book: Book) -> None:
        """Take in a book that was read through the leader."""
        self._index.keep(book)

    async def run(self) -> None:
        """Follow for ever; cancel it to stop."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_registry())
            tasks.create_task(self._follow_alliances())

    async def _follow_registry(self) -> None:
        names = (subjects.firm_subject, subjects.node_subject, subjects.product_subject)
        wanted = [name(self._zone, "*") for name in names]
        end = await self._end(wanted)
        if not end:
            self._registry_read.set()
        async with aclosing(follow_records(self._log, *wanted)) as records:
            async for found in records:
                self._index.register(found.record.record)
                if found.pending == 0 or found.sequence >= end:
                    self._registry_read.set()

    async def _follow_alliances(self) -> None:
        wanted = [
            subjects.alliance_subject(self._zone, "*"),
            subjects.capacity_subject(self._zone, "*"),
        ]
        end = await self._end(wanted)
        if not end:
            self._alliances_read.set()
        async with aclosing(follow(self._log, *wanted)) as messages:
            async for message in messages:
                try:
                    self._take(message.subject, message.data)
                except Poison as error:
                    line.error("message.failed", subject=message.subject, error=str(error))
                if message.pending == 0 or message.sequence >= end:
                    self._alliances_read.set()

    async def _end(self, wanted: Sequence[str]) -> int:
        """Sequence of the newest message on some subjects; 0 = there is none."""
        found = await asyncio.gather(*(self._log.last(subject) for subject in wanted))
        return max((message.sequence for message in found if message), default=0)

    def _take(self, subject: str, data: bytes) -> None:
        if subject.startswith("capacity."):
            self.keep(read_book(data))
            return
        record = read_record(data)
        self._index.happen(record.fact, record.state)
