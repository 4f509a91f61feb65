"""From a trend fact on the log to the invitations on the log, over all services.

Every service runs in its own process, as it would; about 300 firms are registered, with room for
all alliances. Trends come one at a time: the time of each is from its acknowledged publish to the
`invited` fact as a follower of the stream sees it. The alliances are minor: nobody decides.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from bench.figures import Figure, percentile
from lianmeng.alliance import facts as f
from lianmeng.alliance.wire import read_record
from lianmeng.kernel.ids import alliance_id_of_trend, derive
from lianmeng.kernel.quantities import Band
from lianmeng.kernel.trends import Trend, TrendEvent, TrendKind, TrendMapping, TrendPhase
from lianmeng.runtime.codec import encode
from lianmeng.runtime.followers import follow
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.keys import ensure_key, new_signer
from lianmeng.runtime.platform import OPERATOR, Platform
from lianmeng.runtime.settings import load_settings
from lianmeng.runtime.storytime import StoryClock
from lianmeng.runtime.subjects import alliance_subject, trend_subject
from lianmeng.runtime.writes import Write
from lianmeng.v1 import trend_pb2
from lianmeng.world.callers import Services
from lianmeng.world.firms import build_pool
from lianmeng.world.products import SCARF
from tests.e2e.short_story import MANAGER, register, roomy

COUNT = 100
WARM_UP = 5
SEED = 33


async def measure() -> list[Figure]:
    """p50 and p99 in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(home=Path(folder) / "home")
        async with Platform(settings, any_ports=True) as platform:
            clock = StoryClock(settings.anchors)
            await _register(platform, clock)
            log = await Log.connect(platform.endpoints.nats_url, "bench")
            times = await _latencies(log, settings.zone, clock.now())
            await log.close()
    measured = times[WARM_UP:]
    name = "trend fact → invitations"
    note = f"{len(measured)} trends, one at a time, 300 firms"
    return [
        Figure(f"{name}, p50", percentile(measured, 0.5), "ms", at_most=True, note=note),
        Figure(f"{name}, p99", percentile(measured, 0.99), "ms", 500, 250, True, note),
    ]


async def _register(platform: Platform, clock: StoryClock) -> None:
    now = clock.now()
    pool = build_pool(SEED, now.date(), now)
    pool = replace(pool, nodes=tuple(roomy(node) for node in pool.nodes))
    async with Services(platform.endpoints.services, clock) as services:
        key = platform.settings.home / "keys" / f"{OPERATOR}.pem"
        operator = services.caller(ensure_key(key, OPERATOR))
        signers = {firm.firm_id: new_signer(firm.firm_id) for firm in pool.firms}
        await register(services, operator, new_signer(MANAGER), pool, signers)


async def _latencies(log: Log, zone: str, now: datetime) -> list[float]:
    invited: dict[str, asyncio.Event] = {}

    async def listen() -> None:
        async with aclosing(follow(log, alliance_subject(zone, "*"))) as messages:
            async for message in messages:
                record = read_record(message.data)
                if isinstance(record.fact, f.Invited):
                    invited.setdefault(record.alliance_id, asyncio.Event()).set()

    listening = asyncio.create_task(listen())
    times = []
    for number in range(COUNT + WARM_UP):
        trend = _trend(derive("t-", "bench", str(number)), now)
        event = invited.setdefault(alliance_id_of_trend(trend.trend_id), asyncio.Event())
        data = encode(trend, trend_pb2.Trend).SerializeToString()
        await log.publish(Write(trend_subject(zone, trend.trend_id), data))
        started = time.perf_counter()
        async with asyncio.timeout(30):
            await event.wait()
        times.append((time.perf_counter() - started) * 1000)
    listening.cancel()
    return times


def _trend(trend_id: str, now: datetime) -> Trend:
    return Trend(
        trend_id=trend_id,
        event=TrendEvent.DETECTED,
        kind=TrendKind.FLASH,
        phase=TrendPhase.EMERGING,
        term=SCARF,
        product_id=SCARF,
        market="TH",
        mapping=TrendMapping.MAPPED,
        start_time=now,
        as_of_time=now,
        window_end_time=now + timedelta(days=21),
        demand_14d=Band(p10_units=1_500, p50_units=2_500, p90_units=4_000),
        demand_window=Band(p10_units=1_800, p50_units=3_000, p90_units=5_000),
        forecast_version=1,
        thresholds_version="bench",
    )
