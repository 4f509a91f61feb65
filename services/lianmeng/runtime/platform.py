"""A whole platform on one machine: the servers and all services, as supervised children.

Everything is under one home directory, which one platform at a time may have: the servers'
files, keys, logs, anchors, endpoints. Outside servers are used where the settings name them.
Used by `lianmeng up`, by the story and by end-to-end tests.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Self, TypeVar

from lianmeng.kernel.errors import Rejected, Status
from lianmeng.runtime.client import is_serving
from lianmeng.runtime.embedded import free_port, start_nats, start_valkey
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.keys import Signer, ensure_key
from lianmeng.runtime.settings import (
    METRICS_OFFSET,
    SERVICES,
    Endpoints,
    Settings,
    forget_endpoints,
    write_endpoints,
)
from lianmeng.runtime.storytime import reopen, wall_now
from lianmeng.runtime.streams import ensure_streams
from lianmeng.runtime.subjects import Stream, stream_name
from lianmeng.runtime.supervision import Program, Supervisor

T = TypeVar("T")

OPERATOR = "operator"
"""The principal whose key the first start makes."""

SERVE = (sys.executable, "-m", "lianmeng.cli", "serve")
"""The command that runs one service; its name follows."""

_READY_WITHIN_S = 60.0


class Platform:
    """`async with Platform(settings) as platform`: started inside, all ended after it.

    `any_ports`: services bind free ports instead of the configured ones, so that several
    platforms run side by side. `factor` is the pace of story time: 1 is real time; old data
    goes on from where it ended. `services` are those to start, by `command` and their name.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        any_ports: bool = False,
        factor: float = 1.0,
        services: Sequence[str] = tuple(SERVICES),
        command: Sequence[str] = SERVE,
    ) -> None:
        self.settings = settings
        self._any_ports = any_ports
        self._factor = factor
        self._services = tuple(services)
        self._command = tuple(command)
        self._supervisor = Supervisor()
        self._endpoints: Endpoints | None = None
        self._lock: int | None = None

    @property
    def endpoints(self) -> Endpoints:
        """Where everything is, once it is started."""
        assert self._endpoints is not None, "started before it is used"
        return self._endpoints

    async def __aenter__(self) -> Self:
        try:
            await self.start_servers()
            await self.start_services()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start_servers(self) -> None:
        """NATS with its streams, and Valkey; `start_services` has to follow.

        Raises `Rejected` when another platform has this home directory or a server is not
        installed, `StartFailed` when a server does not come up: its log file says why.
        """
        settings = self.settings
        settings.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _lock(settings.home)
        nats_url, redis_url = await _together(self._nats(), self._valkey())
        await self._prepare(nats_url)
        services = {name: f"{settings.host}:{self._port(name)}" for name in SERVICES}
        self._endpoints = Endpoints(nats_url, redis_url, services)
        write_endpoints(settings.home, self._endpoints)

    async def start_services(self) -> None:
        """All services, the registry first: it writes the first principals.

        Raises `StartFailed` when one does not come up.
        """
        first_principals(self.settings.home)
        start = self._supervisor.start
        first = [name for name in self._services if name == "registry"]
        rest = [name for name in self._services if name != "registry"]
        for names in (first, rest):
            await _together(*(start(self._program(name)) for name in names))

    async def stop(self) -> None:
        """End all, in reverse; no process is left. The data stays."""
        if self._endpoints is not None:
            forget_endpoints(self.settings.home)
        await self._supervisor.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def pid(self, name: str) -> int:
        """Process id of a service, of `nats` or of `valkey`."""
        return self._supervisor.pid(name)

    async def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a child; a dead one is started again by itself."""
        self._supervisor.kill(name, number)

    async def wait_ready(self, name: str) -> None:
        """Returns when a child that was killed serves again."""
        await self._supervisor.wait_ready(name)

    async def _nats(self) -> str:
        outside = self.settings.nats_url
        return outside or await start_nats(self._supervisor, self.settings.home)

    async def _valkey(self) -> str:
        outside = self.settings.redis_url
        return outside or await start_valkey(self._supervisor, self.settings.home)

    async def _prepare(self, nats_url: str) -> None:
        """The streams, and the pace at which story time goes on from the last message."""
        settings = self.settings
        log = await Log.connect(nats_url, "platform")
        try:
            await ensure_streams(log, settings.zone, settings.replicas)
            names = [stream_name(stream, settings.zone) for stream in Stream]
            states = [await log.state(name) for name in names]
        finally:
            await log.close()
        now = wall_now()
        last_wall = max((s.last_stored_at for s in states if s.last), default=now)
        reopen(settings.anchors, last_wall, now, self._factor)

    def _port(self, name: str) -> int:
        port = 0 if self._any_ports else self.settings.port(name)
        return port or free_port()

    def _program(self, name: str) -> Program:
        settings, endpoints = self.settings, self.endpoints
        address = endpoints.services[name]
        port = int(address.rpartition(":")[2])
        metrics_port = _if_free(settings.host, port + METRICS_OFFSET)
        return Program(
            name=name,
            argv=(*self._command, name),
            ready=lambda: is_serving(address, settings.tls_ca),
            env={
                "LIANMENG_HOME": str(settings.home.resolve()),
                "LIANMENG_ZONE": settings.zone,
                "LIANMENG_HOST": settings.host,
                "LIANMENG_NATS_URL": endpoints.nats_url,
                "LIANMENG_REDIS_URL": endpoints.redis_url,
                f"LIANMENG_{name.upper()}_PORT": str(port),
                "LIANMENG_PROMETHEUS_PORT": str(metrics_port),
                "LIANMENG_LOG_FORMAT": "file",
                "LIANMENG_LOG_LEVEL": settings.log_level,
            },
            output=settings.home / "logs" / f"{name}.out",
            ready_within_s=_READY_WITHIN_S,
            grace_s=settings.stop_grace_s + 3,
        )


def first_principals(home: Path) -> Signer:
    """The operator, and the list of principals that the registry writes at its first start."""
    keys = home / "keys"
    operator = ensure_key(keys / f"{OPERATOR}.pem", OPERATOR)
    services = [ensure_key(keys / f"{name}.pem", name) for name in SERVICES]
    listed = [_listed(operator, "OPERATOR"), *(_listed(one, "SERVICE") for one in services)]
    (keys / "bootstrap.json").write_text(json.dumps(listed, indent=1), encoding="utf-8")
    return operator


def _listed(signer: Signer, role: str) -> dict[str, object]:
    return {
        "principal_id": signer.principal_id,
        "roles": [role],
        "public_key_b64": base64.b64encode(signer.public_key).decode(),
    }


async def _together(*starting: Awaitable[T]) -> list[T]:
    """Await all; when some fail, raise the first failure once none is under way."""
    results = await asyncio.gather(*starting, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


def _if_free(host: str, port: int) -> int:
    """`port`, or another one when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return free_port()
        return port


def _lock(home: Path) -> int:
    """Hold the home directory as long as the descriptor is open."""
    descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise Rejected(
            reason="ALREADY_EXISTS",
            field="LIANMENG_HOME",
            message=f"a platform already runs in {home}",
            hint="use it, stop it, or set LIANMENG_HOME to another directory",
            message_zh=f"{home} 中已有平台在运行",
            hint_zh="请直接使用、先停止它，或将 LIANMENG_HOME 设为其他目录",
            status=Status.ALREADY_EXISTS,
        ) from error
    return descriptor
