"""A matcher on real servers for tests: a registered pool, a clock that stands, trends by hand."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import redis.asyncio

from lianmeng.alliance import facts as f
from lianmeng.alliance.books import Book
from lianmeng.alliance.checker import Violation, check
from lianmeng.alliance.log import AllianceLog
from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.state import AllianceState
from lianmeng.alliance.wire import read_book, read_record
from lianmeng.kernel import thresholds
from lianmeng.kernel.quantities import Band
from lianmeng.kernel.roles import PrincipalRole
from lianmeng.kernel.trends import Trend, TrendEvent, TrendKind, TrendMapping, TrendPhase
from lianmeng.matcher.wiring import assemble
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Node
from lianmeng.pool.principals import Key, Principal
from lianmeng.pool.products import Product
from lianmeng.pool.records import RegistryRecord
from lianmeng.runtime.auth import Seen
from lianmeng.runtime.client import Client, channel
from lianmeng.runtime.codec import encode
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.keys import Signer, new_signer
from lianmeng.runtime.rpc import Door, RpcServer
from lianmeng.runtime.storytime import RealClock
from lianmeng.runtime.subjects import (
    alliance_subject,
    capacity_subject,
    firm_subject,
    node_subject,
    principal_subject,
    product_subject,
    trend_subject,
)
from lianmeng.runtime.writes import Write
from lianmeng.v1 import registry_pb2, trend_pb2
from lianmeng.v1.matcher_pb2_grpc import MatcherServiceStub

_numbers = itertools.count(1)
_SUBJECTS: dict[type, tuple[Callable[[str, str], str], str]] = {
    Firm: (firm_subject, "firm_id"),
    Node: (node_subject, "node_id"),
    Product: (product_subject, "product_id"),
    Principal: (principal_subject, "principal_id"),
}


class SetClock(RealClock):
    """A story clock that stands at `story` until it is set; walls go on."""

    def __init__(self, story: datetime) -> None:
        self.story = story

    def now(self) -> datetime:
        """Story time."""
        return self.story

    def wall_at(self, story: datetime) -> datetime:
        """As if story time ran like wall time from now on."""
        return self.wall() + (story - self.story)


@dataclass(slots=True)
class MatcherWorld:
    """A running matcher, and the log beside it."""

    log: Log
    zone: str
    clock: SetClock
    alliances: AllianceLog
    memory: redis.asyncio.Redis
    link: Any = None
    operator: Signer | None = None

    async def register(self, *records: Firm | Node | Product | Principal) -> None:
        """Records of the registry."""
        for record in records:
            subject, key = _SUBJECTS[type(record)]
            message = RegistryRecord(record=record, written_time=self.clock.now())
            data = encode(message, registry_pb2.RegistryRecord).SerializeToString()
            await self.log.publish(Write(subject(self.zone, getattr(record, key)), data))

    async def tell(self, trend: Trend) -> None:
        """A fact of a trend."""
        data = encode(trend, trend_pb2.Trend).SerializeToString()
        await self.log.publish(Write(trend_subject(self.zone, trend.trend_id), data))

    async def write(self, alliance_id: str, fact: f.Fact) -> None:
        """A fact that lifecycle or a firm writes."""
        await self.alliances.transact(
            alliance_id, lambda _: fact, "test", lambda: f"test-{next(_numbers)}"
        )

    async def state(
        self, alliance_id: str, until: Callable[[AllianceState], bool]
    ) -> AllianceState:
        """The alliance, as soon as it is so."""
        last: AllianceState | None = None
        try:
            async with asyncio.timeout(20):
                while True:
                    last = (await self.alliances.load(alliance_id)).state
                    if last is not None and until(last):
                        return last
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"it stays {last and (last.state, last.reason)}") from None

    async def records(self) -> list[tuple[int, AllianceRecord]]:
        """The whole log."""
        history = self.log.history(alliance_subject(self.zone, "*"))
        return [(message.sequence, read_record(message.data)) async for message in history]

    async def books(self) -> dict[str, Book]:
        """All books."""
        history = self.log.history(capacity_subject(self.zone, "*"))
        return {b.resource_id: b async for b in (read_book(m.data) async for m in history)}

    async def violations(self) -> list[Violation]:
        """What the history checker finds in the whole log."""
        return check(await self.records(), await self.books(), self.clock.now())

    async def call(self, method: str, request: Any) -> Any:
        """An operator's call of the matcher."""
        assert self.operator is not None
        client = Client(self.operator, "matcher", self.clock)
        return await client.call(getattr(MatcherServiceStub(self.link), method), request)


def trend(now: datetime, product: str, band: tuple[int, int, int], **changes: Any) -> Trend:
    """A FLASH trend on a product in Thailand for three weeks from now."""
    p10, p50, p90 = band
    wanted = Band(p10_units=p10, p50_units=p50, p90_units=p90)
    usual = Trend(
        trend_id="t-one",
        event=TrendEvent.DETECTED,
        kind=TrendKind.FLASH,
        phase=TrendPhase.EMERGING,
        term=product,
        product_id=product,
        market="TH",
        mapping=TrendMapping.MAPPED,
        start_time=now,
        as_of_time=now,
        window_end_time=now + timedelta(days=21),
        demand_14d=wanted,
        demand_window=wanted,
        forecast_version=1,
        thresholds_version="test",
    )
    return replace(usual, **changes)


@asynccontextmanager
async def running_matcher(
    log: Log,
    memory: redis.asyncio.Redis,
    zone: str,
    now: datetime,
    records: Iterable[Firm | Node | Product],
) -> AsyncIterator[MatcherWorld]:
    """A matcher that has read these records, and an operator who may call it."""
    clock = SetClock(now)
    world = MatcherWorld(
        log, zone, clock, AllianceLog(log, zone, clock, timedelta(seconds=30)), memory
    )
    operator = world.operator = new_signer("operator")
    key = Key(key_id=operator.key_id, public_key=operator.public_key, opened_time=now)
    await world.register(
        *records,
        Principal(
            principal_id="operator", roles=(PrincipalRole.OPERATOR,), firm_id="", keys=(key,)
        ),
    )
    async with serving(world):
        yield world


@asynccontextmanager
async def serving(world: MatcherWorld) -> AsyncIterator[None]:
    """One process of the service."""
    parts = assemble(world.log, world.zone, world.clock, thresholds.load())
    door = Door("matcher", parts.book, Seen(world.memory, world.zone), world.clock)
    server = RpcServer(door, parts.services)
    parts.bind(server.server)
    port = await server.start("127.0.0.1", 0)
    running = [asyncio.ensure_future(task()) for task in parts.tasks.values()]
    world.link = channel(f"127.0.0.1:{port}")
    try:
        await parts.ready()
        yield
        failed = [task.exception() for task in running if task.done() and not task.cancelled()]
        assert not failed, failed
    finally:
        await world.link.close()
        await server.stop(0.1)
        await _end(running)


async def _end(running: Sequence[asyncio.Future[None]]) -> None:
    while running:
        for task in running:
            task.cancel()
        _, pending = await asyncio.wait(running, timeout=0.5)
        running = list(pending)
