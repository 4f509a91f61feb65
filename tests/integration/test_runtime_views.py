"""Views on a real Valkey and a real log: building, finding, losing everything, waiting."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis.asyncio

from lianmeng.kernel.errors import Poison, Rejected, Transient
from lianmeng.runtime import views
from lianmeng.runtime.embedded import start_nats, start_valkey
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.memory import connect_memory
from lianmeng.runtime.messages import Message
from lianmeng.runtime.revisions import revision, sequence_of
from lianmeng.runtime.streams import ensure_streams
from lianmeng.runtime.subjects import alliance_subject, capacity_subject, last_token, stream_of
from lianmeng.runtime.supervision import Supervisor
from lianmeng.runtime.views import Drop, Put, View
from lianmeng.runtime.writes import Write

pytestmark = pytest.mark.integration


def project(message: Message) -> Iterable[Put | Drop]:
    """The data is `<state> <market>`; `-` drops the alliance, `?` is poison."""
    if message.data == b"?":
        raise Poison("CORRUPT_PAYLOAD", "not an alliance")
    identity = last_token(message.subject)
    if message.data == b"-":
        return [Drop(identity)]
    state, market = message.data.decode().split()
    return [Put(identity, message.data, (f"state:{state}", f"market:{market}"))]


class Desk:
    """A view and a way to write what it shows."""

    def __init__(self, memory: redis.asyncio.Redis, log: Log, zone: str) -> None:
        self.log = log
        self.zone = zone
        self.stream = stream_of(alliance_subject(zone, "a"))
        self.view = View(memory, log, "alliances", [alliance_subject(zone, "*")], project)

    async def write(self, identity: str, data: bytes) -> str:
        write = Write(alliance_subject(self.zone, identity), data)
        return revision(self.stream, await self.log.publish(write))

    async def ids(self, *wanted: str | tuple[str, ...], min_revision: str = "") -> list[bytes]:
        return list((await self.view.find(*wanted, min_revision=min_revision)).documents)


@asynccontextmanager
async def running(*desks: Desk) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(desk.view.run()) for desk in desks]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def desk(memory: redis.asyncio.Redis, log: Log, zone: str) -> Desk:
    return Desk(memory, log, zone)


async def test_a_view_answers_what_was_written(desk: Desk) -> None:
    await desk.write("a-1", b"MATCHING TH")
    await desk.write("a-2", b"ACTIVE TH")
    async with running(desk):
        written = await desk.write("a-1", b"ACTIVE TH")
        assert await desk.view.get("a-1", written) == (b"ACTIVE TH", written)
        assert (await desk.view.get("nobody"))[0] is None
        written = await desk.write("a-3", b"MATCHING VN")
        assert await desk.ids("state:ACTIVE", min_revision=written) == [b"ACTIVE TH"] * 2
        assert await desk.ids("state:ACTIVE", "market:VN") == []
        assert await desk.ids(("state:ACTIVE", "state:MATCHING"), "market:VN") == [b"MATCHING VN"]
        assert len(await desk.ids()) == 3
        written = await desk.write("a-3", b"-")
        assert len(await desk.ids(min_revision=written)) == 2
        assert await desk.ids("market:VN") == []


async def test_pages_follow_each_other(desk: Desk) -> None:
    for number in range(25):
        written = await desk.write(f"a-{number:02}", f"S {number}".encode())
    seen: list[bytes] = []
    after = ""
    async with running(desk):
        while True:
            page = await desk.view.find("state:S", after=after, limit=10, min_revision=written)
            seen += page.documents
            after = page.next
            if not after:
                break
    assert seen == [f"S {number}".encode() for number in range(25)]


async def test_everything_may_be_flushed_at_any_moment(
    desk: Desk, memory: redis.asyncio.Redis
) -> None:
    async with running(desk):
        for number in range(300):
            written = await desk.write(f"a-{number}", b"ACTIVE TH")
            if number % 60 == 59:
                await memory.flushall()
                if number % 120 == 59:
                    assert len(await desk.ids("state:ACTIVE")) >= number, "no half-built answer"
        await memory.flushall()
        assert len(await desk.ids("state:ACTIVE", min_revision=written)) == 300


async def test_two_processes_build_one_view(
    desk: Desk, memory: redis.asyncio.Redis, log: Log, zone: str
) -> None:
    other = Desk(memory, log, zone)
    async with running(desk, other):
        for number in range(200):
            written = await desk.write(f"a-{number % 40}", f"S{number % 3} TH".encode())
            if number == 100:
                await memory.flushall()
        found = [await each.ids("market:TH", min_revision=written) for each in (desk, other)]
        assert found[0] == found[1]
        assert len(found[0]) == 40
        by_state = [await desk.ids(f"state:S{number}") for number in range(3)]
        assert sum(len(ids) for ids in by_state) == 40


async def test_a_revision_of_another_subject_is_not_waited_for(desk: Desk) -> None:
    await desk.write("a-1", b"ACTIVE TH")
    async with running(desk):
        book = Write(capacity_subject(desk.zone, "mill--line"), b"")
        later = revision(desk.stream, await desk.log.publish(book))
        async with asyncio.timeout(1):
            assert (await desk.view.get("a-1", later))[0] == b"ACTIVE TH"


async def test_a_view_that_is_not_built_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "WAIT_S", 0.2)
    written = await desk.write("a-1", b"ACTIVE TH")
    with pytest.raises(Transient, match="VIEW_LAGS"):
        await desk.view.get("a-1")
    async with running(desk):
        await desk.view.wait_for(written)
    written = await desk.write("a-1", b"ACTIVE VN")
    with pytest.raises(Transient, match="1 messages behind"):
        await desk.view.wait_for(written)
    assert (await desk.view.get("a-1"))[0] == b"ACTIVE TH", "what is old may be read"


async def test_poison_is_left_out(desk: Desk) -> None:
    await desk.write("a-1", b"?")
    await desk.write("a-2", b"ACTIVE TH")
    async with running(desk):
        assert await desk.ids() == [b"ACTIVE TH"]


async def test_an_empty_log_has_an_empty_view(desk: Desk) -> None:
    async with running(desk):
        assert await desk.ids() == []


@pytest.mark.fault
async def test_a_redis_that_stands_still_is_not_waited_for(
    log: Log, zone: str, tmp_path: Path
) -> None:
    supervisor = Supervisor()
    memory = connect_memory(await start_valkey(supervisor, tmp_path))
    desk = Desk(memory, log, zone)
    written = await desk.write("a-1", b"ACTIVE TH")
    async with running(desk):
        await desk.view.wait_for(written)
        supervisor.kill("valkey", signal.SIGSTOP)
        started = asyncio.get_running_loop().time()
        with pytest.raises(Transient, match="VIEW_UNAVAILABLE"):
            await desk.view.get("a-1")
        assert asyncio.get_running_loop().time() - started < 4
        supervisor.kill("valkey", signal.SIGCONT)
        assert (await desk.view.get("a-1"))[0] == b"ACTIVE TH"
    await memory.aclose()
    await supervisor.stop()


async def test_a_view_stops_whenever_it_is_told(desk: Desk) -> None:
    """The clients' own time-outs swallow a cancellation now and then; ours must not."""
    rng = random.Random(1)
    for number in range(60):
        task = asyncio.create_task(desk.view.run())
        await desk.write(f"a-{number}", b"ACTIVE TH")
        await asyncio.sleep(rng.random() * 0.02)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5)
        assert done, f"round {number}"


@pytest.mark.fault
async def test_a_view_heals_after_both_servers_were_killed(tmp_path: Path) -> None:
    supervisor = Supervisor()
    log = await Log.connect(await start_nats(supervisor, tmp_path), "test")
    await ensure_streams(log, "zj")
    memory = connect_memory(await start_valkey(supervisor, tmp_path))
    desk = Desk(memory, log, "zj")
    await desk.write("a-1", b"ACTIVE TH")
    async with running(desk):
        assert await desk.ids() == [b"ACTIVE TH"]
        for name in ("valkey", "nats"):
            os.kill(supervisor.pid(name), signal.SIGKILL)
        await asyncio.sleep(0.1)
        with pytest.raises(Transient):
            await desk.view.get("a-1", revision(desk.stream, 99))
        async with asyncio.timeout(20):
            while True:
                try:
                    written = await desk.write("a-2", b"ACTIVE VN")
                    assert len(await desk.ids(min_revision=written)) == 2
                    break
                except Transient:
                    await asyncio.sleep(0.1)
    await memory.aclose()
    await log.close()
    await supervisor.stop()


def test_a_revision_names_its_stream() -> None:
    assert sequence_of(revision("ALLIANCES_ZJ", 7), "ALLIANCES_ZJ") == 7
    assert sequence_of("", "ALLIANCES_ZJ") == 0
    for bad in ("7", "TRENDS_ZJ:7", "ALLIANCES_ZJ:", "ALLIANCES_ZJ:-1", "ALLIANCES_ZJ:٣"):
        with pytest.raises(Rejected, match="min_revision"):
            sequence_of(bad, "ALLIANCES_ZJ")
