"""The pool in memory: follows the registry, the books and the alliances of the zone.

Two followers, one per stream, each in the order of the log; `ready` is set when both have read
what was there at the start. The books may be a moment old: the commit judges again.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

from lianmeng.alliance import facts as f
from lianmeng.alliance.books import Book
from lianmeng.alliance.experience import Experience
from lianmeng.alliance.membership import active_members
from lianmeng.alliance.state import AllianceState
from lianmeng.alliance.states import TERMINAL
from lianmeng.alliance.wire import read_book, read_record
from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Poison
from lianmeng.kernel.thresholds import ReliabilityThresholds
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.firms import Firm
from lianmeng.pool.follow import follow_records
from lianmeng.pool.nodes import Node
from lianmeng.pool.products import Product
from lianmeng.pool.records import Registered
from lianmeng.runtime import subjects
from lianmeng.runtime.followers import follow
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.logs import log as line


@dataclass(slots=True)
class Picture:
    """All that is current, by id; changed by one record, book or fact at a time."""

    experience: Experience
    firms: dict[str, Firm] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    books: dict[str, Book] = field(default_factory=dict)
    living: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def register(self, record: Registered) -> None:
        """Take in a version of something registered."""
        match record:
            case Firm():
                self.firms[record.firm_id] = record
            case Node():
                self.nodes[record.node_id] = record
            case Product():
                self.products[record.product_id] = record

    def happen(self, fact: f.Fact, state: AllianceState | None) -> None:
        """Take in a fact: who is engaged, and what was learned."""
        if state is None:
            return
        if state.state in TERMINAL:
            self.living.pop(state.alliance_id, None)
        else:
            self.living[state.alliance_id] = active_members(state)
        if isinstance(fact, f.Dissolved):
            self.experience.learn(fact.outcomes)

    def engagements(self) -> dict[str, int]:
        """How many living alliances each firm is in."""
        counts: dict[str, int] = {}
        for firms in self.living.values():
            for firm in firms:
                counts[firm] = counts.get(firm, 0) + 1
        return counts


class PoolView:
    """The pool of a zone. Start `run` as a task; wait for `ready` before the first snapshot."""

    def __init__(
        self, log: Log, zone: str, clock: Clock, reliability: ReliabilityThresholds
    ) -> None:
        self._log = log
        self._zone = zone
        self._clock = clock
        self._picture = Picture(Experience(reliability))
        self._registry_read = asyncio.Event()
        self._alliances_read = asyncio.Event()

    async def ready(self) -> None:
        """Returns when everything that was on the log has been read once."""
        await self._registry_read.wait()
        await self._alliances_read.wait()

    def snapshot(self) -> Snapshot:
        """What is known now, copied: a solver reads it in another thread."""
        picture = self._picture
        return Snapshot(
            now=self._clock.now(),
            firms=dict(picture.firms),
            nodes=dict(picture.nodes),
            products=dict(picture.products),
            books=dict(picture.books),
            engagements=picture.engagements(),
            experience=picture.experience,
        )

    def product(self, product_id: str) -> Product | None:
        """A product of the catalogue."""
        return self._picture.products.get(product_id)

    def keep(self, book: Book) -> None:
        """Take in a book that was read through the leader."""
        self._picture.books[book.resource_id] = book

    async def run(self) -> None:
        """Follow for ever; cancel it to stop."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_registry())
            tasks.create_task(self._follow_alliances())

    async def _follow_registry(self) -> None:
        names = (subjects.firm_subject, subjects.node_subject, subjects.product_subject)
        wanted = [name(self._zone, "*") for name in names]
        stream = subjects.stream_name(subjects.Stream.REGISTRY, self._zone)
        end = (await self._log.state(stream)).last
        if not end:
            self._registry_read.set()
        async with aclosing(follow_records(self._log, *wanted)) as records:
            async for found in records:
                self._picture.register(found.record.record)
                if found.pending == 0 or found.sequence >= end:
                    self._registry_read.set()

    async def _follow_alliances(self) -> None:
        wanted = [
            subjects.alliance_subject(self._zone, "*"),
            subjects.capacity_subject(self._zone, "*"),
        ]
        stream = subjects.stream_name(subjects.Stream.ALLIANCES, self._zone)
        end = (await self._log.state(stream)).last
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

    def _take(self, subject: str, data: bytes) -> None:
        if subject.startswith("capacity."):
            self.keep(read_book(data))
            return
        record = read_record(data)
        self._picture.happen(record.fact, record.state)
