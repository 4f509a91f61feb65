"""A whole platform on one machine: the servers and all services, as supervised children.

Everything is under one home directory: the servers' files, keys, logs, anchors, endpoints.
Outside servers are used where the settings name them.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
from pathlib import Path
from typing import Self

from lianmeng.runtime.client import is_serving
from lianmeng.runtime.embedded import free_port, start_nats, start_valkey
from lianmeng.runtime.keys import Signer, ensure_key
from lianmeng.runtime.settings import SERVICES, Endpoints, Settings
from lianmeng.runtime.supervision import Program, Supervisor

OPERATOR = "operator"
"""The principal whose key the first start makes."""

_READY_WITHIN_S = 60.0


class Platform:
    """`async with Platform(settings) as platform`: started inside, all ended after it.

    `any_ports`: services bind free ports instead of the configured ones, so that several
    platforms run side by side.
    """

    def __init__(self, settings: Settings, *, any_ports: bool = False) -> None:
        self.settings = settings
        self._any_ports = any_ports
        self._supervisor = Supervisor()
        self._endpoints: Endpoints | None = None

    @property
    def endpoints(self) -> Endpoints:
        """Where everything is, once it is started."""
        assert self._endpoints is not None, "started before it is used"
        return self._endpoints

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._supervisor.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._supervisor.stop()

    async def start_servers(self) -> None:
        """NATS and Valkey only; `start_services` has to follow."""
        settings, home = self.settings, self.settings.home
        nats_url = settings.nats_url or await start_nats(self._supervisor, home)
        redis_url = settings.redis_url or await start_valkey(self._supervisor, home)
        services = {name: f"{settings.host}:{self._port(name)}" for name in SERVICES}
        self._endpoints = Endpoints(nats_url, redis_url, services)
        write_endpoints(home, self._endpoints)

    async def start_services(self) -> None:
        """All services, the registry first: it writes the first principals."""
        first_principals(self.settings.home)
        for name in SERVICES:
            await self._supervisor.start(self._program(name))

    async def _start(self) -> None:
        await self.start_servers()
        await self.start_services()

    def pid(self, name: str) -> int:
        """Process id of a service, of `nats` or of `valkey`."""
        return self._supervisor.pid(name)

    async def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a child; a dead one is started again by itself."""
        os.kill(self.pid(name), number)

    async def wait_ready(self, name: str) -> None:
        """Returns when a child that was killed serves again."""
        await self._supervisor.wait_ready(name)

    def _port(self, name: str) -> int:
        return free_port() if self._any_ports else self.settings.port(name)

    def _program(self, name: str) -> Program:
        settings, address = self.settings, self.endpoints.services[name]
        port = address.rpartition(":")[2]
        return Program(
            name=name,
            argv=(sys.executable, "-m", "lianmeng.cli", "serve", name),
            ready=lambda: is_serving(address),
            env={
                "LIANMENG_HOME": str(settings.home.resolve()),
                "LIANMENG_ZONE": settings.zone,
                f"LIANMENG_{name.upper()}_PORT": port,
                "LIANMENG_LOG_FORMAT": "json",
            },
            output=settings.home / "logs" / f"{name}.out",
            ready_within_s=_READY_WITHIN_S,
        )


def write_endpoints(home: Path, endpoints: Endpoints) -> None:
    """Tell clients of this home where everything is; replaced as a whole."""
    content = {
        "nats_url": endpoints.nats_url,
        "redis_url": endpoints.redis_url,
        "services": dict(endpoints.services),
    }
    partial = home / "endpoints.json.new"
    partial.write_text(json.dumps(content, indent=1), encoding="utf-8")
    partial.replace(home / "endpoints.json")


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
