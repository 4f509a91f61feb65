"""Real servers for tests: one NATS and one Valkey per session, a fresh zone per test."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis.asyncio

from lianmeng.runtime.embedded import free_port, nats_program, valkey_program, valkey_socket
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.logs import configure_logs
from lianmeng.runtime.memory import connect_memory
from lianmeng.runtime.streams import ensure_streams
from lianmeng.runtime.subjects import Stream, stream_name
from lianmeng.runtime.supervision import Program, tethered

_zones = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its URL and its home directory."""

    url: str
    home: Path


@pytest.fixture(autouse=True)
def _strict_logs() -> Iterator[None]:
    """Each test starts with strict logs: an unregistered event fails it."""
    configure_logs("test", strict=True, form="json")
    yield
    configure_logs("test", strict=True, form="json")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The real data; tests that need it are skipped where `LIANMENG_DATA` is unset."""
    value = os.environ.get("LIANMENG_DATA")
    if not value:
        pytest.skip("LIANMENG_DATA is unset: it names the directory of the real data")
    return Path(value)


@pytest.fixture(scope="session")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real nats-server with the product's own configuration. It outlives single tests."""
    home, port = tmp_path_factory.mktemp("nats"), free_port()
    with _running(nats_program(home, port)):
        yield Server(f"nats://127.0.0.1:{port}", home)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real Valkey on a unix socket. Tests share it: keep to the keys of your zone."""
    home = tmp_path_factory.mktemp("valkey")
    with _running(valkey_program(home)):
        yield Server(f"unix://{valkey_socket(home)}", home)


@pytest.fixture
def zone() -> str:
    """A zone that no other test uses."""
    return f"z{os.getpid()}x{next(_zones)}"


@pytest.fixture
async def log(nats: Server, zone: str) -> AsyncIterator[Log]:
    """A connected log; the five streams of `zone` exist and are empty."""
    log = await Log.connect(nats.url, "test")
    await ensure_streams(log, zone)
    yield log
    for stream in Stream:
        await log.api(f"STREAM.DELETE.{stream_name(stream, zone)}", {})
    await log.close()


@pytest.fixture
async def memory(valkey: Server) -> AsyncIterator[redis.asyncio.Redis]:
    """A client of the Valkey."""
    client = connect_memory(valkey.url)
    yield client
    await client.aclose()


class _running:  # noqa: N801 - a context manager, used as a function
    def __init__(self, program: Program) -> None:
        self._program = program

    def __enter__(self) -> None:
        assert self._program.output is not None
        with self._program.output.open("ab") as output:
            self._process = subprocess.Popen(
                tethered(self._program.argv), stdout=output, stderr=output, start_new_session=True
            )
        asyncio.run(self._until_ready())

    async def _until_ready(self) -> None:
        async with asyncio.timeout(20):
            while not await self._program.ready():
                assert self._process.poll() is None, self._program.output
                await asyncio.sleep(0.02)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
