"""The trend service on real NATS, Valkey and gRPC: from signals to facts, over restarts."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import pytest
import redis.asyncio

from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.signals import SignalBatch, SignalKey
from lianmeng.kernel.trends import Trend, TrendEvent, TrendMapping
from lianmeng.runtime.codec import check, decode, encode
from lianmeng.runtime.deadletters import dead_letters
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.streams import ensure_streams
from lianmeng.runtime.subjects import signal_subject, trend_subject
from lianmeng.runtime.writes import Write
from lianmeng.trend.wire import CAUSE, CORRELATION, EVENT
from lianmeng.v1 import trend_pb2 as pb
from lianmeng.world.counts import HOUR_S
from lianmeng.world.products import SCARF, catalogue
from tests.integration.trend_world import SetClock, TrendWorld, running_trend, serving
from tests.signals_builder import START_S, at, hours, one, tenfold

pytestmark = pytest.mark.integration

DAYS = 6
BURST_S = START_S + DAYS * 24 * HOUR_S + 12 * HOUR_S
KEY = SignalKey(SCARF, "TH")
PRODUCT = next(product for product in catalogue() if product.product_id == SCARF)


def burst() -> list[SignalBatch]:
    """Six ordinary days of three keys, half a day more, then eight hours of a tenfold burst."""
    of = (KEY, SignalKey("other-thing", "TH"), SignalKey("third-thing", "VN"))
    return list(hours(of, DAYS * 24 + 20, seed=5, boost=tenfold(KEY, BURST_S)))


def clock_after(batches: list[SignalBatch]) -> SetClock:
    return SetClock(at(seconds=max(batches[-1].time_s) - START_S))


async def test_the_dataclasses_have_the_fields_of_the_contract() -> None:
    assert check(SignalBatch, pb.SignalBatch) == []
    assert check(Trend, pb.Trend) == []


async def test_a_burst_becomes_a_trend(log: Log, memory: redis.asyncio.Redis, zone: str) -> None:
    batches = burst()
    async with running_trend(log, memory, zone, clock_after(batches), [PRODUCT]) as world:
        answer = await world.ingest(batches)
        assert answer.kept_batch_count == len(batches)
        assert answer.kept_signal_count == sum(len(batch.time_s) for batch in batches)
        assert not answer.errors
        (trend,) = await world.trends(min_revision=answer.revision)
        assert (trend.product_id, trend.mapping) == (SCARF, TrendMapping.MAPPED)
        assert trend.start_time.timestamp() < BURST_S + 2 * HOUR_S
        assert await world.get(trend.trend_id) == trend
        assert await world.trends(market="VN") == []
        facts = await world.facts()
        assert facts[0].event is TrendEvent.DETECTED
        assert [fact.forecast_version for fact in facts] == list(range(1, len(facts) + 1))
        history = [m.headers async for m in log.history(trend_subject(zone, "*"))]
        headers = history[0]
        assert headers[EVENT] == "trend.detected"
        assert headers[CORRELATION] == trend.trend_id
        assert headers[CAUSE].startswith(f"SIGNALS_{zone.upper()}:")


async def test_a_restart_decides_nothing_twice(
    log: Log, memory: redis.asyncio.Redis, zone: str
) -> None:
    batches = burst()
    clock = clock_after(batches)
    early = batches[:-4]
    async with running_trend(log, memory, zone, clock, [PRODUCT]) as world:
        answer = await world.ingest(early)
        await world.trends(min_revision=answer.revision)
        before = await world.facts()
        assert before
    async with running_trend(log, memory, zone, clock) as world:
        answer = await world.ingest(batches)  # the earlier ones come again
        assert answer.kept_batch_count == len(batches)
        await world.trends(min_revision=answer.revision)
        assert (await world.facts())[: len(before)] == before
        resumed = await world.facts()
    other = f"{zone}b"
    await _undisturbed(log, memory, other, clock, batches, resumed)


async def _undisturbed(
    log: Log,
    memory: redis.asyncio.Redis,
    zone: str,
    clock: SetClock,
    batches: list[SignalBatch],
    resumed: list[Trend],
) -> None:
    """A run without a restart has the same facts, but for the zone in their ids."""
    await ensure_streams(log, zone)
    async with running_trend(log, memory, zone, clock, [PRODUCT]) as world:
        answer = await world.ingest(batches)
        await world.trends(min_revision=answer.revision)
        facts = [replace(fact, trend_id="") for fact in await world.facts()]
        assert facts == [replace(fact, trend_id="") for fact in resumed]


async def test_facts_that_were_lost_in_a_crash_are_written_after_it(
    log: Log, memory: redis.asyncio.Redis, zone: str
) -> None:
    batches = burst()
    clock = clock_after(batches)
    for batch in batches:  # on the log, and nobody there to detect
        data = encode(batch, pb.SignalBatch).SerializeToString()
        await log.publish(Write(signal_subject(zone, "0"), data))
    async with running_trend(log, memory, zone, clock, [PRODUCT]) as world:
        await _until(world, 1)
        assert (await world.facts())[0].event is TrendEvent.DETECTED


async def test_two_workers_write_each_fact_once(
    log: Log, memory: redis.asyncio.Redis, zone: str
) -> None:
    batches = burst()
    clock = clock_after(batches)
    async with (
        running_trend(log, memory, zone, clock, [PRODUCT]) as world,
        serving(log, memory, zone, clock),
    ):
        answer = await world.ingest(batches)
        await world.trends(min_revision=answer.revision)
        facts = await world.facts()
        assert facts[0].event is TrendEvent.DETECTED
        versions = [fact.forecast_version for fact in facts]
        assert versions == sorted(set(versions))


async def test_silence_ends_a_trend(log: Log, memory: redis.asyncio.Redis, zone: str) -> None:
    batches = burst()
    clock = clock_after(batches)
    async with running_trend(log, memory, zone, clock, [PRODUCT]) as world:
        answer = await world.ingest(batches)
        (trend,) = await world.trends(min_revision=answer.revision)
        count = len(await world.facts())
        clock.story += timedelta(days=3)
        await asyncio.sleep(1.5)
        assert len(await world.facts()) == count  # nothing was heard of anything
        other = one("other-thing", source="late", time_s=int(clock.story.timestamp()))
        await world.ingest([other])
        await _until(world, count + 1)
        last = (await world.facts())[-1]
        assert (last.event, last.as_of_time) == (TrendEvent.OVER, clock.story)
    async with running_trend(log, memory, zone, clock) as world:
        assert await world.trends() == [last]
        assert last.trend_id == trend.trend_id
        clock.story += timedelta(days=30)
        await asyncio.sleep(1.5)
        assert len(await world.facts()) == count + 1


async def test_a_term_becomes_a_product_while_its_trend_lives(
    log: Log, memory: redis.asyncio.Redis, zone: str
) -> None:
    batches = burst()
    async with running_trend(log, memory, zone, clock_after(batches)) as world:
        answer = await world.ingest(batches)
        (trend,) = await world.trends(min_revision=answer.revision)
        assert trend.mapping is TrendMapping.UNMAPPED
        assert trend.missing == ("product in the catalogue",)
        count = len(await world.facts())
        await world.put_product(PRODUCT)
        await _until(world, count + 1)
        last = (await world.facts())[-1]
        assert (last.trend_id, last.event) == (trend.trend_id, TrendEvent.UPDATED)
        assert (last.mapping, last.product_id) == (TrendMapping.MAPPED, SCARF)


async def test_what_cannot_be_counted_is_put_aside_with_its_reason(
    log: Log, memory: redis.asyncio.Redis, zone: str
) -> None:
    clock = SetClock(at(hours=1))
    bad = [
        b"\xff\xff not a message",
        encode(one(time_s=START_S + 10**6), pb.SignalBatch).SerializeToString(),
        encode(one(market="XX"), pb.SignalBatch).SerializeToString(),
    ]
    async with running_trend(log, memory, zone, clock) as world:
        for data in bad:
            await log.publish(Write(signal_subject(zone, "0"), data))
        answer = await world.ingest([one(number=9)])
        assert answer.kept_batch_count == 1
        assert await world.trends(min_revision=answer.revision) == []
    reasons = [letter.reason async for letter in dead_letters(log, zone, "trend")]
    assert reasons == ["CORRUPT_PAYLOAD", "SIGNAL_IN_FUTURE", "UNKNOWN_MARKET"]
    clock.story += timedelta(days=20)
    async with running_trend(log, memory, zone, clock) as world:
        answer = await world.ingest([one(number=10, time_s=START_S + 100)])
        await world.trends(min_revision=answer.revision)
    again = [letter.reason async for letter in dead_letters(log, zone, "trend")]
    assert again == reasons


async def test_bad_batches_are_refused_and_the_others_kept(
    log: Log, memory: redis.asyncio.Redis, zone: str
) -> None:
    def message(**fields: object) -> pb.SignalBatch:
        batch = encode(one(number=3), pb.SignalBatch)
        batch.MergeFrom(pb.SignalBatch(**fields))  # type: ignore[arg-type]
        return batch

    unset = encode(one(number=4), pb.SignalBatch)
    unset.metric[0] = pb.METRIC_UNSPECIFIED
    sent = [
        encode(one(number=1), pb.SignalBatch),
        message(count=[5]),
        encode(one(number=2), pb.SignalBatch),
        unset,
        encode(one("call 13812345678", number=5), pb.SignalBatch),
    ]
    async with running_trend(log, memory, zone, SetClock(at(hours=1))) as world:
        answer = await world.ingest_raw(sent)
        assert (answer.kept_batch_count, answer.refused_batch_count) == (2, 3)
        found = [(error.reason, error.field) for error in answer.errors]
        assert found == [
            ("COLUMN_LENGTHS", "batch.count"),
            ("MISSING_FIELD", "batch.metric[0]"),
            ("PERSONAL_DATA", "batch.keys[0].term"),
        ]
        assert all(error.message and error.message_zh for error in answer.errors)
        with pytest.raises(Rejected, match="NOT_FOUND"):
            await world.get("t-nothing")


async def test_a_watcher_sees_current_trends_and_then_facts(
    log: Log, memory: redis.asyncio.Redis, zone: str
) -> None:
    batches = burst()
    async with running_trend(log, memory, zone, clock_after(batches), [PRODUCT]) as world:
        answer = await world.ingest(batches[:-2])
        (trend,) = await world.trends(min_revision=answer.revision)
        watch = world.client.watch(world.stub.WatchTrends, pb.WatchTrendsRequest())
        async with aclosing(watch) as answers, asyncio.timeout(10):
            first = await anext(answers)
            assert decode(first.trend, Trend) == trend
            world.clock.story += timedelta(days=22)
            second = await anext(answers)
            assert second.trend.event == pb.TREND_EVENT_OVER
        after = pb.WatchTrendsRequest(after_revision=first.revision)
        async with aclosing(world.client.watch(world.stub.WatchTrends, after)) as answers:
            assert (await anext(answers)).revision == second.revision


async def _until(world: TrendWorld, count: int) -> None:
    """Wait until there are `count` facts on the log."""
    async with asyncio.timeout(15):
        while len(await world.facts()) < count:  # noqa: ASYNC110 - the log is another process
            await asyncio.sleep(0.05)
