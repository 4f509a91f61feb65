"""The log adapter against the real server: batches, timers, readers, restarts."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lianmeng.kernel.errors import Poison, Transient
from lianmeng.runtime.consumers import Durable, consume, consume_groups
from lianmeng.runtime.deadletters import dead_letters
from lianmeng.runtime.embedded import start_nats
from lianmeng.runtime.followers import follow
from lianmeng.runtime.jetstream import Conflict, Log, Unknown
from lianmeng.runtime.messages import Message
from lianmeng.runtime.streams import ensure_streams
from lianmeng.runtime.subjects import (
    Stream,
    alliance_subject,
    capacity_subject,
    deadletter_subject,
    due_subject,
    stream_name,
    timer_subject,
    trend_subject,
)
from lianmeng.runtime.supervision import Supervisor
from lianmeng.runtime.writes import Write, cancelling, schedule

pytestmark = pytest.mark.integration


def _in(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def _all(log: Log, subject: str) -> list[Message]:
    return [message async for message in log.history(subject)]


async def test_a_batch_stands_whole_with_consecutive_sequences(log: Log, zone: str) -> None:
    fact, book = alliance_subject(zone, "a-1"), capacity_subject(zone, "mill--line")
    first = await log.commit([Write(fact, b"1", {"Kind": "x"}, 0), Write(book, b"b1", {}, 0, True)])
    last = await log.commit([Write(fact, b"2", {}, 1), Write(book, b"b2", {}, 2, True)])
    assert (first, last) == (2, 4)
    stored = await log.last(fact)
    assert stored is not None
    assert (stored.sequence, stored.data) == (3, b"2")
    assert [m.data for m in await _all(log, fact)] == [b"1", b"2"]
    assert [m.data for m in await _all(log, book)] == [b"b2"], "a roll-up keeps only the last"
    assert (await _all(log, fact))[0].headers["Kind"] == "x"
    assert abs(stored.stored_at - _in(0)) < timedelta(seconds=10)


async def test_a_stale_batch_leaves_everything_untouched(log: Log, zone: str) -> None:
    fact, book = alliance_subject(zone, "a-1"), capacity_subject(zone, "mill--line")
    await log.commit([Write(fact, b"1", {}, 0), Write(book, b"b1", {}, 0, True)])
    stale = [Write(fact, b"2", {}, 1), Write(book, b"b2", {}, 0, True)]
    with pytest.raises(Conflict):
        await log.commit(stale)
    with pytest.raises(Conflict):
        await log.publish(stale[1])
    assert (await log.state(stream_name(Stream.ALLIANCES, zone))).last == 2
    book_now = await log.last(book, leader=False)
    assert book_now is not None
    assert (book_now.sequence, book_now.data) == (2, b"b1")


async def test_what_is_absent_is_none(log: Log, zone: str) -> None:
    assert await log.last(alliance_subject(zone, "nobody")) is None
    assert await log.last(alliance_subject(zone, "nobody"), leader=False) is None
    assert await _all(log, alliance_subject(zone, "nobody")) == []


async def test_direct_and_leader_reads_agree(log: Log, zone: str) -> None:
    subject = alliance_subject(zone, "a-1")
    await log.publish(Write(subject, b"\x00\xff" * 10, {"Event": "proposed", "Text": "a: b"}))
    assert await log.last(subject) == await log.last(subject, leader=False)


async def test_a_batch_that_the_server_could_not_take_is_a_bug(log: Log, zone: str) -> None:
    same = Write(alliance_subject(zone, "a-1"), b"")
    other = Write(trend_subject(zone, "t-1"), b"")
    with pytest.raises(ValueError, match="each subject once"):
        await log.commit([same, same])
    with pytest.raises(ValueError, match="one stream"):
        await log.commit([same, other])
    with pytest.raises(ValueError, match="not 1001"):
        await log.commit([Write(alliance_subject(zone, f"a-{i}"), b"") for i in range(1001)])


async def test_the_largest_batch_fits(log: Log, zone: str) -> None:
    writes = [Write(capacity_subject(zone, f"r-{i}"), b"x" * 500, {}, 0) for i in range(1000)]
    assert await log.commit(writes) == 1000


async def test_a_subject_of_no_stream_is_unknown(log: Log) -> None:
    with pytest.raises(Unknown):
        await log.publish(Write("alliances.nowhere.a-1", b""))


async def test_a_timer_of_a_batch_is_delivered_when_it_is_due(log: Log, zone: str) -> None:
    fact, due = alliance_subject(zone, "a-1"), due_subject(zone, "a-1")
    timer = schedule(timer_subject(zone, "a-1"), due, _in(0.4), timedelta(hours=1))
    await log.commit([Write(fact, b"1", {}, 0), timer])
    assert await log.last(due) is None
    async with aclosing(follow(log, due)) as messages, asyncio.timeout(5):
        message = await anext(messages)
    assert message.subject == due
    assert await log.last(timer_subject(zone, "a-1")) is None, "a fired timer is gone"


async def test_a_timer_of_the_past_fires_at_once(log: Log, zone: str) -> None:
    due = due_subject(zone, "a-1")
    await log.publish(schedule(timer_subject(zone, "a-1"), due, _in(-60), timedelta(hours=1)))
    async with aclosing(follow(log, due)) as messages, asyncio.timeout(5):
        await anext(messages)


async def test_a_second_timer_replaces_the_first(log: Log, zone: str) -> None:
    fact, due, timer = (f(zone, "a-1") for f in (alliance_subject, due_subject, timer_subject))
    await log.commit([Write(fact, b"1"), schedule(timer, due, _in(0.3), timedelta(hours=1))])
    await log.commit([Write(fact, b"2"), schedule(timer, due, _in(1.0), timedelta(hours=1))])
    await asyncio.sleep(0.7)
    assert await _all(log, due) == []
    await asyncio.sleep(0.8)
    assert len(await _all(log, due)) == 1


@pytest.mark.parametrize("alone", [True, False])
async def test_a_fact_cancels_the_timer(log: Log, zone: str, alone: bool) -> None:
    fact, due, timer = (f(zone, "a-1") for f in (alliance_subject, due_subject, timer_subject))
    await log.commit([Write(fact, b"1", {}, 0), schedule(timer, due, _in(0.5), timedelta(hours=1))])
    others = [] if alone else [Write(capacity_subject(zone, "mill--line"), b"")]
    await log.commit([cancelling(Write(fact, b"2", {}, 1), timer), *others])
    assert await log.last(timer) is None
    await asyncio.sleep(0.9)
    assert await _all(log, due) == []
    # A later timer on the same subject is not touched by the old cancellation.
    await log.commit([Write(fact, b"3"), schedule(timer, due, _in(0.2), timedelta(hours=1))])
    await asyncio.sleep(0.7)
    assert len(await _all(log, due)) == 1


async def test_a_refused_batch_cancels_nothing(log: Log, zone: str) -> None:
    fact, due, timer = (f(zone, "a-1") for f in (alliance_subject, due_subject, timer_subject))
    await log.commit([Write(fact, b"1", {}, 0), schedule(timer, due, _in(0.5), timedelta(hours=1))])
    stale = cancelling(Write(fact, b"2", {}, 0), timer)
    with pytest.raises(Conflict):
        await log.commit([stale, Write(capacity_subject(zone, "mill--line"), b"")])
    with pytest.raises(Conflict):
        await log.commit([stale])
    await asyncio.sleep(0.9)
    assert len(await _all(log, due)) == 1


async def test_history_spans_many_pages(log: Log, zone: str) -> None:
    for start in range(0, 1200, 400):
        await log.commit(
            [Write(alliance_subject(zone, f"a-{start + i}"), b"x") for i in range(400)]
        )
    await log.publish(Write(capacity_subject(zone, "mill--line"), b""))
    everything = await _all(log, alliance_subject(zone, "*"))
    assert [m.sequence for m in everything] == list(range(1, 1201))
    later = [m async for m in log.history(alliance_subject(zone, "*"), start=1190)]
    assert [m.sequence for m in later] == list(range(1190, 1201))


async def test_a_follower_gets_what_is_there_and_what_comes(log: Log, zone: str) -> None:
    writes = [Write(alliance_subject(zone, f"a-{i}"), b"x") for i in range(600)]
    await log.commit(writes)
    async with aclosing(follow(log, alliance_subject(zone, "*"), start=101)) as messages:
        seen = [await anext(messages) for _ in range(500)]
        assert [m.sequence for m in seen] == list(range(101, 601))
        assert seen[-1].pending == 0
        assert seen[0].pending > 0
        await log.publish(writes[0])
        async with asyncio.timeout(1):
            assert (await anext(messages)).sequence == 601


async def test_a_consumer_shares_retries_and_puts_aside(log: Log, zone: str) -> None:
    done: list[str] = []
    tries = {"transient": 0, "bug": 0}

    async def handle(message: Message) -> None:
        kind = message.data.decode()
        if kind == "poison":
            raise Poison("CORRUPT_PAYLOAD", "not a trend")
        if kind in tries:
            tries[kind] += 1
            if kind == "bug":
                raise RuntimeError("broken")
            if tries[kind] < 3:
                raise Transient("VIEW_UNAVAILABLE", "later", timedelta(milliseconds=10))
        done.append(kind)

    for kind in ("good", "poison", "transient", "bug", "good"):
        await log.publish(Write(trend_subject(zone, f"t-{kind}"), kind.encode()))
    durable = Durable("matchers", (trend_subject(zone, "*"),), "matcher", parallel=2, group=2)
    workers = [asyncio.create_task(consume(log, durable, handle)) for _ in range(2)]
    async with aclosing(follow(log, deadletter_subject(zone, "*"))) as put, asyncio.timeout(30):
        await anext(put)
        await anext(put)
    found = [letter async for letter in dead_letters(log, zone)]
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    assert {letter.reason for letter in found} == {"CORRUPT_PAYLOAD", "INTERNAL"}
    assert {letter.data for letter in found} == {b"poison", b"bug"}
    assert all(letter.service == "matcher" and letter.sequence for letter in found)
    assert set(done) == {"good", "transient"}
    assert tries["bug"] >= 5
    assert tries["transient"] == 3


async def test_a_long_handler_keeps_its_message(log: Log, zone: str) -> None:
    calls: list[int] = []

    async def handle(messages: object) -> None:
        calls.append(1)
        await asyncio.sleep(2.5)

    await log.publish(Write(trend_subject(zone, "t-1"), b""))
    durable = Durable("slow", (trend_subject(zone, "*"),), "matcher", ack_wait_s=1.0)
    workers = [asyncio.create_task(consume_groups(log, durable, handle)) for _ in range(2)]
    await asyncio.sleep(3.5)
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    assert len(calls) == 1


@pytest.mark.parametrize("kind", ["consumer", "follower"])
async def test_readers_stop_whenever_they_are_told(log: Log, zone: str, kind: str) -> None:
    subject = trend_subject(zone, "*")
    durable = Durable("d", (subject,), "matcher", parallel=2)

    async def handle(message: Message) -> None:
        await asyncio.sleep(0)

    async def read() -> None:
        if kind == "consumer":
            await consume(log, durable, handle)
        async for message in follow(log, subject):
            await handle(message)

    rng = random.Random(1)
    for number in range(60):
        task = asyncio.create_task(read())
        await log.publish(Write(trend_subject(zone, f"t-{number}"), b""))
        await asyncio.sleep(rng.random() * 0.02)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5)
        assert done, f"round {number}"


class Platform:
    """A NATS of this test's own, which may be killed."""

    def __init__(self, supervisor: Supervisor, url: str) -> None:
        self._supervisor = supervisor
        self.url = url

    def pause(self) -> None:
        self._supervisor.kill("nats", signal.SIGSTOP)

    def go_on(self) -> None:
        self._supervisor.kill("nats", signal.SIGCONT)

    async def kill(self) -> None:
        self._supervisor.kill("nats")
        await self._supervisor.wait_ready("nats")


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    supervisor = Supervisor()
    yield Platform(supervisor, await start_nats(supervisor, tmp_path))
    await supervisor.stop()


async def _patiently(log: Log, write: Write) -> int:
    async with asyncio.timeout(20):
        while True:
            try:
                return await log.publish(write)
            except Transient:
                await asyncio.sleep(0.05)


@pytest.mark.fault
async def test_everything_heals_after_nats_was_killed(platform: Platform) -> None:
    log = await Log.connect(platform.url, "test")
    await ensure_streams(log, "zj")
    handled: list[bytes] = []
    followed: list[int] = []
    done = asyncio.Event()

    async def handle(message: Message) -> None:
        handled.append(message.data)
        if message.data == b"last":
            done.set()

    async def reader() -> None:
        async for message in follow(log, alliance_subject("zj", "*")):
            followed.append(message.sequence)
            if message.data == b"last":
                return

    durable = Durable("d", (alliance_subject("zj", "*"),), "lifecycle", ack_wait_s=2.0)
    tasks = [asyncio.create_task(consume(log, durable, handle)), asyncio.create_task(reader())]
    sent = 0
    for _ in range(3):
        for _ in range(20):
            await _patiently(log, Write(alliance_subject("zj", f"a-{sent}"), b"%d" % sent, {}))
            sent += 1
        await platform.kill()
    await _patiently(log, Write(alliance_subject("zj", "a-last"), b"last"))
    stored = [m.sequence async for m in log.history(alliance_subject("zj", "*"))]
    async with asyncio.timeout(20):
        await done.wait()
        await tasks[1]
    assert followed == stored, "in order, without gap or repetition"
    assert {b"%d" % i for i in range(sent)} <= set(handled)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await log.close()


@pytest.mark.fault
async def test_everything_heals_after_nats_stood_still(platform: Platform) -> None:
    log = await Log.connect(platform.url, "test")
    await ensure_streams(log, "zj")
    write = Write(alliance_subject("zj", "a-1"), b"1")
    messages = follow(log, write.subject)
    first = asyncio.ensure_future(anext(messages))
    await log.publish(write)
    assert (await first).sequence == 1
    platform.pause()
    started = asyncio.get_running_loop().time()
    with pytest.raises(Unknown):
        await log.publish(write, within_s=1.0)
    with pytest.raises(Transient):
        await log.ask("$JS.API.INFO", b"", within_s=0.5)
    assert asyncio.get_running_loop().time() - started < 2
    await asyncio.sleep(6)
    platform.go_on()
    sequence = await _patiently(log, write)
    assert sequence == 3, "what was unknown had been written"
    async with aclosing(messages), asyncio.timeout(10):
        assert [(await anext(messages)).sequence for _ in range(2)] == [2, 3]
    await log.close()


@pytest.mark.fault
async def test_timers_survive_a_kill_as_they_were_left(platform: Platform) -> None:
    log = await Log.connect(platform.url, "test")
    await ensure_streams(log, "zj")
    for name in ("kept", "cancelled", "renewed"):
        fact, due, timer = (f("zj", name) for f in (alliance_subject, due_subject, timer_subject))
        await log.commit([Write(fact, b"1"), schedule(timer, due, _in(2), timedelta(hours=1))])
        if name != "kept":
            await log.commit([cancelling(Write(fact, b"2"), timer)])
        if name == "renewed":
            await log.commit([Write(fact, b"3"), schedule(timer, due, _in(2), timedelta(hours=1))])
    await platform.kill()
    await asyncio.sleep(3)
    fired = {message.subject async for message in log.history(due_subject("zj", "*"))}
    assert fired == {due_subject("zj", "kept"), due_subject("zj", "renewed")}
    await log.close()


@pytest.mark.fault
async def test_without_nats_calls_are_transient(platform: Platform) -> None:
    log = await Log.connect(platform.url, "test")
    await ensure_streams(log, "zj")
    await platform._supervisor.stop()
    await asyncio.sleep(0.2)
    write = Write(alliance_subject("zj", "a-1"), b"")
    with pytest.raises(Transient) as caught:
        await log.publish(write)
    assert caught.value.reason == "LOG_UNAVAILABLE"
    assert not isinstance(caught.value, Unknown), "nothing was sent"
    with pytest.raises(Transient):
        await log.last(write.subject)
    with pytest.raises(Transient):
        await _all(log, write.subject)
    assert not log.connected
    await log.close()
    with pytest.raises(Transient):
        await Log.connect(platform.url, "test", within_s=1)
