"""One service process from start to stop.

Start: logs, the servers (waiting for them as long as it takes), the service's own parts, the
gRPC server as NOT_SERVING, the tasks, and SERVING once the service says that it is ready.
While the log is away the process stays and says NOT_SERVING. Stop (SIGTERM, SIGINT): the same
in reverse. A task that fails is a bug: the process ends with code 1, and is started again.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

import grpc.aio
from redis.asyncio import Redis

from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import LianmengError, Transient
from lianmeng.runtime.auth import KeyBook, Seen
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.keys import Signer, ensure_key
from lianmeng.runtime.logs import configure_logs
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.memory import connect_memory
from lianmeng.runtime.metrics import LOG_CONNECTED, start_metrics
from lianmeng.runtime.rpc import Door, RpcServer, Tls, port_taken
from lianmeng.runtime.settings import Endpoints, Settings, find_endpoints
from lianmeng.runtime.storytime import StoryClock
from lianmeng.runtime.streams import ensure_streams

T = TypeVar("T")

_RETRY_S = 0.5


@dataclass(frozen=True, slots=True)
class Process:
    """What a service is made from. The streams of the zone exist."""

    name: str
    settings: Settings
    endpoints: Endpoints
    clock: Clock
    log: Log
    memory: Redis

    @property
    def zone(self) -> str:
        """The zone that this process works for."""
        return self.settings.zone

    def signer(self) -> Signer:
        """The service's own key, made at the first use; its principal has the service's name."""
        return ensure_key(self.settings.key_path(self.name), self.name)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a service consists of.

    `services`: full names of its proto services; `bind` adds them to the server. `tasks` run
    until the process stops, each under its name. `ready` returns when calls can be answered.
    """

    services: tuple[str, ...]
    bind: Callable[[grpc.aio.Server], None]
    book: KeyBook
    tasks: Mapping[str, Callable[[], Awaitable[None]]]
    ready: Callable[[], Awaitable[None]]


Wire = Callable[[Process], Awaitable[Parts]]


def run_service(name: str, settings: Settings, wire: Wire) -> int:
    """Run a service until it is told to stop; the exit code of the process."""
    clock = StoryClock(settings.anchors)
    configure_logs(
        name,
        file=settings.logs / f"{name}.jsonl",
        clock=clock,
        level=settings.log_level,
        form=settings.log_format,
    )
    return asyncio.run(_until_told(name, settings, clock, wire))


async def _until_told(name: str, settings: Settings, clock: Clock, wire: Wire) -> int:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    service = asyncio.create_task(serve(name, settings, clock, wire))
    waiting = asyncio.create_task(told.wait())
    await asyncio.wait({service, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    service.cancel()
    (failure,) = await asyncio.gather(service, return_exceptions=True)
    if failure is None or isinstance(failure, asyncio.CancelledError):
        line.info("service.stopped")
        return 0
    failure = _root(failure)
    known = isinstance(failure, LianmengError)
    line.error("service.failed", error=str(failure), exc_info=None if known else failure)
    return 1


def _root(failure: BaseException) -> BaseException:
    """The one failure inside of groups of one."""
    while isinstance(failure, BaseExceptionGroup) and len(failure.exceptions) == 1:
        failure = failure.exceptions[0]
    return failure


async def serve(name: str, settings: Settings, clock: Clock, wire: Wire) -> None:
    """Run a service until cancelled. Raises what a part of it raised."""
    async with AsyncExitStack() as stack:
        process = await _connect(name, settings, clock, stack)
        parts = await wire(process)
        door = Door(name, parts.book, Seen(process.memory, process.zone), clock)
        server = RpcServer(door, parts.services)
        parts.bind(server.server)
        tls = None
        if settings.tls_cert and settings.tls_key:
            tls = Tls(settings.tls_cert, settings.tls_key)
        port = await server.start(settings.host, settings.port(name), tls)
        _start_metrics(settings, name)
        async with asyncio.TaskGroup() as tasks:
            for title, task in parts.tasks.items():
                tasks.create_task(_endless(title, task), name=title)
            try:
                await parts.ready()
                line.info("service.started", address=f"{settings.host}:{port}")
                await _keep_health(server, process.log)
            finally:
                await server.stop(settings.stop_grace_s)


def _start_metrics(settings: Settings, name: str) -> None:
    port = settings.metrics_port(name)
    try:
        start_metrics(port, settings.host)
    except OSError as error:
        raise port_taken(f"{settings.host}:{port}") from error


async def _connect(name: str, settings: Settings, clock: Clock, stack: AsyncExitStack) -> Process:
    endpoints = find_endpoints(settings)
    log = await _patiently(lambda: Log.connect(endpoints.nats_url, name))
    stack.push_async_callback(log.close)
    memory = connect_memory(endpoints.redis_url)
    stack.push_async_callback(memory.aclose)
    await _patiently(lambda: ensure_streams(log, settings.zone, settings.replicas))
    return Process(name, settings, endpoints, clock, log, memory)


async def _patiently(action: Callable[[], Awaitable[T]]) -> T:
    """Wait for the log: whether it or this process starts first must not matter."""
    told = False
    while True:
        try:
            return await action()
        except Transient as error:
            if not told:
                line.warning("log.unavailable", reason=error.reason, detail=error.message)
            told = True
            await asyncio.sleep(_RETRY_S)


async def _endless(title: str, task: Callable[[], Awaitable[None]]) -> None:
    await task()
    raise LianmengError(f"the task {title} ended")


async def _keep_health(server: RpcServer, log: Log) -> None:
    """SERVING as long as the log can be reached."""
    changed = asyncio.Event()
    before = log.connected
    forget = log.on_change(changed.set)
    try:
        while True:
            changed.clear()
            LOG_CONNECTED.set(log.connected)
            await server.set_serving(log.connected)
            if log.connected and not before:
                line.info("service.healed")
            before = log.connected
            await changed.wait()
    finally:
        forget()
