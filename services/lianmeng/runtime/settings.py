"""Settings of a process, from the environment: `LIANMENG_<FIELD IN UPPER CASE>`.

Where a process finds the servers: an explicit setting wins; else the file `endpoints.json` in
the home directory, which `lianmeng up` writes; else the default ports on loopback.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from lianmeng.kernel.errors import Rejected

SERVICES = {"registry": 7401, "trend": 7402, "matcher": 7403, "lifecycle": 7404}
"""The services and their default gRPC ports; metrics are served 100 above."""

METRICS_OFFSET = 100


class Settings(BaseSettings):
    """All settings of all processes. Each has a default that suits one machine."""

    model_config = SettingsConfigDict(env_prefix="LIANMENG_", frozen=True, extra="ignore")

    home: Path = Field(
        default=Path("lianmeng-data"),
        description="Data directory: the servers' files, keys, logs, anchors, endpoints.json.",
    )
    zone: str = Field(
        default="zj",
        pattern=r"^[a-z0-9]+$",
        description="The partition of the platform; zj = Zhejiang.",
    )
    nats_url: str | None = Field(
        default=None, description="NATS server, nats://host:port. Unset = the embedded one."
    )
    redis_url: str | None = Field(
        default=None,
        description="Redis or Valkey, redis://, rediss:// or unix://. Unset = the embedded one.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the gRPC servers bind.")
    registry_port: int = Field(
        default=SERVICES["registry"], ge=0, description="gRPC port; 0 = any."
    )
    trend_port: int = Field(default=SERVICES["trend"], ge=0, description="gRPC port; 0 = any.")
    matcher_port: int = Field(default=SERVICES["matcher"], ge=0, description="gRPC port; 0 = any.")
    lifecycle_port: int = Field(
        default=SERVICES["lifecycle"], ge=0, description="gRPC port; 0 = any."
    )
    registry_endpoint: str | None = Field(
        default=None, description="host:port of registry for clients."
    )
    trend_endpoint: str | None = Field(default=None, description="host:port of trend for clients.")
    matcher_endpoint: str | None = Field(
        default=None, description="host:port of matcher for clients."
    )
    lifecycle_endpoint: str | None = Field(
        default=None, description="host:port of lifecycle for clients."
    )
    prometheus_port: int | None = Field(
        default=None,
        ge=0,
        description="Port of this process's metrics; 0 = any. Unset = 100 above its gRPC port.",
    )
    replicas: int = Field(
        default=1,
        ge=1,
        le=5,
        description="Copies of each stream; 3 on a cluster of three NATS servers.",
    )
    key_file: Path | None = Field(
        default=None, description="The service's Ed25519 key. Unset = <home>/keys/<service>.pem."
    )
    tls_cert: Path | None = Field(
        default=None, description="Server certificate (PEM). Unset = no TLS."
    )
    tls_key: Path | None = Field(default=None, description="Key of the server certificate (PEM).")
    tls_ca: Path | None = Field(default=None, description="Authority (PEM) that clients trust.")
    log_format: Literal["auto", "json", "console", "file"] = Field(
        default="auto",
        description="auto = console on a terminal, JSON otherwise; file = only <home>/logs.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is written."
    )
    stop_grace_s: float = Field(
        default=5.0, gt=0, description="Seconds that running calls get to end when a process stops."
    )

    def port(self, service: str) -> int:
        """GRPC port that `service` binds; 0 = any free one."""
        port: int = getattr(self, f"{service}_port")
        return port

    def metrics_port(self, service: str) -> int:
        """Port of the service's Prometheus endpoint; 0 = any free one."""
        if self.prometheus_port is not None:
            return self.prometheus_port
        port = self.port(service)
        return port + METRICS_OFFSET if port else 0

    def key_path(self, name: str) -> Path:
        """Where the private key of a service or principal lies."""
        return self.key_file or self.home / "keys" / f"{name}.pem"

    @property
    def anchors(self) -> Path:
        """The list of anchors of an accelerated run; absent = real time."""
        return self.home / "anchors.jsonl"

    @property
    def logs(self) -> Path:
        """The directory of the log files, one per service."""
        return self.home / "logs"


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment; `overrides` that are not None win.

    Raises `Rejected(MALFORMED_VALUE)` that names the variable at fault.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings.model_validate({**Settings().model_dump(), **given})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise Rejected(
            reason="MALFORMED_VALUE",
            field=f"LIANMENG_{name.upper()}",
            message=first["msg"],
            hint=Settings.model_fields[name].description or "",
            message_zh="环境变量或选项的值不正确",
            hint_zh="请检查该环境变量",
        ) from error


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the servers of one platform are: URLs, and host:port per service."""

    nats_url: str
    redis_url: str
    services: Mapping[str, str]


def find_endpoints(settings: Settings) -> Endpoints:
    """Where to connect to, by the rule in this module's first paragraph.

    Raises `Rejected(NOT_FOUND)` when no NATS or Redis server is known.
    """
    written = _read(settings.home / "endpoints.json")
    services = {
        name: getattr(settings, f"{name}_endpoint")
        or written.get("services", {}).get(name)
        or f"{settings.host}:{settings.port(name)}"
        for name in SERVICES
    }
    nats_url = settings.nats_url or written.get("nats_url")
    redis_url = settings.redis_url or written.get("redis_url")
    if not nats_url or not redis_url:
        raise _no_servers(settings.home)
    return Endpoints(nats_url, redis_url, services)


def find_service(settings: Settings, name: str) -> str:
    """host:port of one service, for a client that needs neither NATS nor Redis."""
    explicit: str | None = getattr(settings, f"{name}_endpoint")
    written: str | None = _read(settings.home / "endpoints.json").get("services", {}).get(name)
    return explicit or written or f"{settings.host}:{settings.port(name)}"


def write_endpoints(home: Path, endpoints: Endpoints) -> None:
    """Say where the servers are, for clients and services that share this home directory."""
    content = {
        "nats_url": endpoints.nats_url,
        "redis_url": endpoints.redis_url,
        "services": dict(endpoints.services),
    }
    partial = home / "endpoints.json.new"
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    partial.replace(home / "endpoints.json")


def forget_endpoints(home: Path) -> None:
    """Say that no platform runs here any more."""
    (home / "endpoints.json").unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _no_servers(home: Path) -> Rejected:
    return Rejected(
        reason="NOT_FOUND",
        field="LIANMENG_HOME",
        message=f"no platform runs in {home}",
        hint="start one with `lianmeng up`, or set LIANMENG_NATS_URL and LIANMENG_REDIS_URL",
        message_zh=f"{home} 中没有正在运行的平台",
        hint_zh="请先运行 lianmeng up，或设置 LIANMENG_NATS_URL 和 LIANMENG_REDIS_URL",
    )
