"""A trend service on real servers for tests, with a clock that the test sets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis.asyncio

from lianmeng.kernel.roles import PrincipalRole
from lianmeng.kernel.signals import SignalBatch
from lianmeng.kernel.trends import Trend
from lianmeng.pool.products import Product
from lianmeng.pool.records import RegistryRecord
from lianmeng.registry.bootstrap import First, ensure_principals
from lianmeng.registry.log import StreamRecords
from lianmeng.runtime.auth import Seen
from lianmeng.runtime.client import Client, channel
from lianmeng.runtime.codec import decode, encode
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.keys import new_signer
from lianmeng.runtime.rpc import Door, RpcServer
from lianmeng.runtime.storytime import RealClock
from lianmeng.runtime.subjects import product_subject, trend_subject
from lianmeng.runtime.writes import Write
from lianmeng.trend.wiring import assemble
from lianmeng.v1 import registry_pb2
from lianmeng.v1 import trend_pb2 as pb
from lianmeng.v1.trend_pb2_grpc import TrendServiceStub

EPOCH = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass(slots=True)
class SetClock:
    """Story time stands where the test puts it; wall time is real."""

    story: datetime = EPOCH

    def now(self) -> datetime:
        return self.story

    def wall(self) -> datetime:
        return RealClock().wall()

    def wall_at(self, story: datetime) -> datetime:
        return self.wall() + (story - self.story)


@dataclass(slots=True)
class TrendWorld:
    """A running trend service and a client of it."""

    log: Log
    zone: str
    clock: SetClock
    stub: Any
    client: Client

    async def ingest(self, batches: Iterable[SignalBatch]) -> pb.IngestSignalsResponse:
        """Send batches over one stream."""
        return await self.ingest_raw(encode(batch, pb.SignalBatch) for batch in batches)

    async def ingest_raw(self, batches: Iterable[pb.SignalBatch]) -> pb.IngestSignalsResponse:
        """Send messages as they are."""

        async def requests() -> AsyncIterator[pb.IngestSignalsRequest]:
            for batch in batches:
                yield pb.IngestSignalsRequest(batch=batch)

        answer: pb.IngestSignalsResponse = await self.client.send(
            self.stub.IngestSignals, requests()
        )
        return answer

    async def get(self, trend_id: str, min_revision: str = "") -> Trend:
        """GetTrend."""
        request = pb.GetTrendRequest(trend_id=trend_id, min_revision=min_revision)
        return decode((await self.client.call(self.stub.GetTrend, request)).trend, Trend)

    async def trends(self, **request: Any) -> list[Trend]:
        """ListTrends."""
        answer = await self.client.call(self.stub.ListTrends, pb.ListTrendsRequest(**request))
        return [decode(trend, Trend) for trend in answer.trends]

    async def put_product(self, product: Product) -> None:
        """Write a product to the catalogue as the registry does."""
        record = encode(
            RegistryRecord(record=product, written_time=self.clock.now()),
            registry_pb2.RegistryRecord,
        )
        subject = product_subject(self.zone, product.product_id)
        await self.log.publish(Write(subject, record.SerializeToString()))

    async def facts(self) -> list[Trend]:
        """All facts on the log, in their order."""
        messages = self.log.history(trend_subject(self.zone, "*"))
        return [decode(pb.Trend.FromString(m.data), Trend) async for m in messages]


@asynccontextmanager
async def running_trend(
    log: Log,
    memory: redis.asyncio.Redis,
    zone: str,
    clock: SetClock,
    products: Sequence[Product] = (),
) -> AsyncIterator[TrendWorld]:
    """A trend service that is ready to be called by an operator; `products` are registered."""
    signer = new_signer("operator")
    first = [First("operator", (PrincipalRole.OPERATOR,), signer.public_key)]
    await ensure_principals(StreamRecords(log, zone), RealClock(), first)
    client = Client(signer, "trend", clock)
    world = TrendWorld(log, zone, clock, None, client)
    for product in products:
        await world.put_product(product)
    async with serving(log, memory, zone, clock) as port, channel(f"127.0.0.1:{port}") as link:
        world.stub = TrendServiceStub(link)
        yield world


@asynccontextmanager
async def serving(
    log: Log, memory: redis.asyncio.Redis, zone: str, clock: SetClock
) -> AsyncIterator[int]:
    """The service alone, on a port."""
    parts = await assemble(log, memory, zone, clock)
    server = RpcServer(Door("trend", parts.book, Seen(memory, zone), clock), parts.services)
    parts.bind(server.server)
    port = await server.start("127.0.0.1", 0)
    running = [asyncio.ensure_future(task()) for task in parts.tasks.values()]
    try:
        await parts.ready()
        yield port
        for task in running:
            assert not task.done(), task.exception()
    finally:
        await server.stop(0.1)
        await _end(running)


async def _end(running: Sequence[asyncio.Future[None]]) -> None:
    while running:
        for task in running:
            task.cancel()
        _, pending = await asyncio.wait(running, timeout=0.5)
        running = list(pending)
