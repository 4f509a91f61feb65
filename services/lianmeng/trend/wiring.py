"""The one place where the trend service's parts are connected."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial

from redis.asyncio import Redis

from lianmeng.kernel import thresholds
from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Transient
from lianmeng.pool.follow import FollowedKeys, follow_records
from lianmeng.pool.products import Product
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.process import Parts, Process
from lianmeng.runtime.subjects import product_subject
from lianmeng.trend.door import Door
from lianmeng.trend.engine import Engine
from lianmeng.trend.log import SignalStream, TrendStream
from lianmeng.trend.rpc import TrendRpc
from lianmeng.trend.service import Detection
from lianmeng.trend.views import trend_view
from lianmeng.v1.trend_pb2_grpc import add_TrendServiceServicer_to_server

NAME = "lianmeng.v1.TrendService"
"""Full name of the service in the contract."""

SWEEP_S = 1.0
"""Wall seconds between two looks for episodes that have fallen silent."""


async def wire(process: Process) -> Parts:
    """The trend service of a process. Raises `Transient` if the log fails."""
    return await assemble(process.log, process.memory, process.zone, process.clock)


async def assemble(log: Log, memory: Redis, zone: str, clock: Clock) -> Parts:
    """The connected parts on a log whose streams exist; what was decided before is read."""
    limits = thresholds.load()
    signals, trends = SignalStream(log, zone), TrendStream(log, zone)
    engine = Engine(zone, limits)
    detection = Detection(engine, trends, signals, clock, limits.trend)
    detection.remember(await trends.history(), await signals.buried())
    view = trend_view(memory, log, zone)
    book = FollowedKeys(log, zone)
    door = Door(signals, detection, clock, limits.trend)
    rpc = TrendRpc(door, detection, view, trends, zone)
    catalogue = _Catalogue(log, zone, detection)
    return Parts(
        services=(NAME,),
        bind=partial(add_TrendServiceServicer_to_server, rpc),
        book=book,
        tasks={
            "keys": book.run,
            "view": view.run,
            "catalogue": catalogue.run,
            "signals": _listening(signals, detection, catalogue.known),
            "sweep": _sweeping(detection),
        },
        ready=book.catch_up,
    )


class _Catalogue:
    """Follows the products of a zone."""

    def __init__(self, log: Log, zone: str, detection: Detection) -> None:
        self._log = log
        self._subject = product_subject(zone, "*")
        self._detection = detection
        self._heard = 0
        self._news = asyncio.Condition()

    async def run(self) -> None:
        """Hand each version to detection; never returns."""
        async with aclosing(follow_records(self._log, self._subject)) as found:
            async for version in found:
                if isinstance(version.record.record, Product):
                    await self._detection.put_product(version.record.record)
                async with self._news:
                    self._heard = version.sequence
                    self._news.notify_all()

    async def known(self) -> None:
        """Wait until all that is in the catalogue now has been heard of."""
        newest = await self._log.last(self._subject)
        if newest is not None:
            async with self._news:
                await self._news.wait_for(lambda: self._heard >= newest.sequence)


def _listening(
    signals: SignalStream, detection: Detection, known: Callable[[], Awaitable[None]]
) -> Callable[[], Awaitable[None]]:
    async def begin() -> None:
        """A term that is in the catalogue must not begin as an unmapped one."""
        while True:
            try:
                await known()
                if not await signals.newest():
                    await detection.start_live()
                return
            except Transient as error:
                await asyncio.sleep(error.retry_after.total_seconds())

    async def run() -> None:
        await begin()
        async with aclosing(signals.arriving()) as batches:
            async for batch in batches:
                await detection.take(batch)

    return run


def _sweeping(detection: Detection) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            await detection.sweep()

    return run
