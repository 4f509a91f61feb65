"""One service process: start, health, stop, failure, and a NATS that comes late."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from lianmeng.kernel.errors import Rejected, Transient
from lianmeng.kernel.roles import PrincipalRole
from lianmeng.runtime.auth import KeyRecord
from lianmeng.runtime.client import Client, channel, is_serving
from lianmeng.runtime.embedded import free_port, nats_program
from lianmeng.runtime.keys import ensure_key
from lianmeng.runtime.process import Parts, Process, serve
from lianmeng.runtime.settings import Settings, load_settings
from lianmeng.runtime.storytime import RealClock
from lianmeng.runtime.supervision import Supervisor
from lianmeng.v1 import trend_pb2, trend_pb2_grpc
from tests.conftest import Server

pytestmark = pytest.mark.integration

SERVICE = trend_pb2.DESCRIPTOR.services_by_name["TrendService"].full_name


class Trends(trend_pb2_grpc.TrendServiceServicer):
    """Watching never ends."""

    async def WatchTrends(
        self, request: object, context: object
    ) -> AsyncIterator[trend_pb2.WatchTrendsResponse]:
        yield trend_pb2.WatchTrendsResponse()
        await asyncio.sleep(600)


class Book:
    """Knows everybody."""

    async def find(self, key_id: str) -> KeyRecord | None:
        signer = ensure_key(Path(os.environ["TEST_KEY"]), "p-1")
        roles = frozenset({PrincipalRole.OPERATOR})
        return KeyRecord(key_id, signer.public_key, signer.principal_id, roles)


async def wire(process: Process) -> Parts:
    """A service with one task, which fails when the home directory has a file `fail`."""

    async def work() -> None:
        while not process.settings.home.joinpath("fail").exists():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        raise RuntimeError("told to fail")

    async def ready() -> None:
        assert process.log.connected
        await process.memory.ping()

    servicer = Trends()  # type: ignore[abstract]
    return Parts(
        services=(SERVICE,),
        bind=lambda server: trend_pb2_grpc.add_TrendServiceServicer_to_server(servicer, server),
        book=Book(),
        tasks={"work": work},
        ready=ready,
    )


def _settings(home: Path, nats_url: str, redis_url: str, zone: str) -> Settings:
    return load_settings(
        home=home,
        nats_url=nats_url,
        redis_url=redis_url,
        zone=zone,
        trend_port=free_port(),
        stop_grace_s=3.0,
    )


async def _until_serving(address: str, wanted: bool = True) -> None:
    async with asyncio.timeout(20):
        while await is_serving(address) is not wanted:  # noqa: ASYNC110 - it is far away
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _process(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    code = (
        "import sys; from lianmeng.runtime.settings import load_settings;"
        "from lianmeng.runtime.process import run_service;"
        "from tests.integration.test_runtime_process import wire;"
        "sys.exit(run_service('trend', load_settings(), wire))"
    )
    names = ("home", "nats_url", "redis_url", "zone", "trend_port", "stop_grace_s")
    env = {f"LIANMENG_{name.upper()}": str(getattr(settings, name)) for name in names}
    path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env={**os.environ, **env, "PYTHONPATH": path}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_process_serves_and_stops_in_order(
    nats: Server, valkey: Server, tmp_path: Path, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = ensure_key(tmp_path / "key.pem", "p-1")
    monkeypatch.setenv("TEST_KEY", str(tmp_path / "key.pem"))
    settings = _settings(tmp_path, nats.url, valkey.url, zone)
    address = f"127.0.0.1:{settings.trend_port}"
    async with _process(settings) as process:
        await _until_serving(address)
        async with channel(address) as way:
            stub: trend_pb2_grpc.TrendServiceAsyncStub = trend_pb2_grpc.TrendServiceStub(way)
            client = Client(signer, "trend", RealClock())
            request = trend_pb2.WatchTrendsRequest()
            async with aclosing(client.watch(stub.WatchTrends, request)) as answers:
                await anext(answers)
                process.send_signal(signal.SIGTERM)
                with pytest.raises(Transient, match="stopping"):
                    await anext(answers)
        async with asyncio.timeout(2):
            assert await process.wait() == 0, "an open watch does not hold up the end"
    written = (tmp_path / "logs" / "trend.jsonl").read_text("utf-8")
    lines = [json.loads(text) for text in written.splitlines()]
    events = [line["event"] for line in lines]
    assert events[0] == "service.started"
    assert events[-1] == "service.stopped"
    assert lines[0]["address"] == address


async def test_a_failed_task_ends_the_process(
    nats: Server, valkey: Server, tmp_path: Path, zone: str
) -> None:
    settings = _settings(tmp_path, nats.url, valkey.url, zone)
    async with _process(settings) as process:
        await _until_serving(f"127.0.0.1:{settings.trend_port}")
        tmp_path.joinpath("fail").touch()
        assert await process.wait() == 1
    assert "told to fail" in (tmp_path / "logs" / "trend.jsonl").read_text("utf-8")


async def test_without_servers_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="lianmeng up"):
        await serve("trend", load_settings(home=tmp_path), RealClock(), wire)


async def test_a_taken_port_is_said(
    nats: Server, valkey: Server, tmp_path: Path, zone: str
) -> None:
    settings = _settings(tmp_path, nats.url, valkey.url, zone)
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", settings.trend_port)
    async with taken:
        with pytest.raises(Rejected, match="is taken"):
            await serve("trend", settings, RealClock(), wire)


@pytest.mark.fault
async def test_health_follows_the_log(valkey: Server, tmp_path: Path) -> None:
    port = free_port()
    url = f"nats://127.0.0.1:{port}"
    settings = _settings(tmp_path, url, valkey.url, "zj")
    address = f"127.0.0.1:{settings.trend_port}"
    service = asyncio.create_task(serve("trend", settings, RealClock(), wire))
    await asyncio.sleep(0.5)
    assert not service.done(), "it waits for NATS"
    for _ in range(2):
        supervisor = Supervisor()
        await supervisor.start(nats_program(tmp_path, port))
        await _until_serving(address)
        await supervisor.stop()
        await _until_serving(address, False)
        assert not service.done()
    service.cancel()
    await asyncio.gather(service, return_exceptions=True)
