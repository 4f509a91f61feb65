"""Supervised children: restarted when they crash, ended in order, never orphaned."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
import textwrap
from pathlib import Path

import pytest
import redis.asyncio

from lianmeng.runtime.embedded import start_nats, start_valkey
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.supervision import Program, StartFailed, Supervisor

pytestmark = pytest.mark.integration


async def _yes() -> bool:
    return True


def _python(name: str, code: str, **more: float) -> Program:
    argv = (sys.executable, "-c", textwrap.dedent(code))
    return Program(name, argv, _yes, **more)  # type: ignore[arg-type]


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


async def _until_dead(pid: int) -> None:
    async with asyncio.timeout(10):
        while _alive(pid):  # noqa: ASYNC110 - another process has no event of ours
            await asyncio.sleep(0.02)


async def test_both_servers_start_and_end(tmp_path: Path) -> None:
    supervisor = Supervisor()
    log = await Log.connect(await start_nats(supervisor, tmp_path), "test")
    assert log.connected
    await log.close()
    redis_url = await start_valkey(supervisor, tmp_path)
    client = redis.asyncio.Redis.from_url(redis_url)
    assert await client.set("a", "b")
    assert (await client.config_get("port"))["port"] == "0"
    await client.aclose()
    socket = Path(redis_url.removeprefix("unix://"))
    assert _mode(socket) == 0o700
    pids = [supervisor.pid(name) for name in ("nats", "valkey")]
    await supervisor.stop()
    assert not any(_alive(pid) for pid in pids)


async def test_a_deep_home_gets_a_short_socket(tmp_path: Path) -> None:
    home = tmp_path / ("deep" * 20) / ("deep" * 20)
    supervisor = Supervisor()
    client = redis.asyncio.Redis.from_url(await start_valkey(supervisor, home))
    assert await client.ping()
    await client.aclose()
    await supervisor.stop()


async def test_a_crashed_child_is_restarted() -> None:
    supervisor = Supervisor()
    await supervisor.start(_python("sleeper", "import time; time.sleep(60)"))
    for _ in range(2):
        pid = supervisor.pid("sleeper")
        os.kill(pid, signal.SIGKILL)
        await _until_dead(pid)
        await asyncio.sleep(0.1)
        async with asyncio.timeout(10):
            await supervisor.wait_ready("sleeper")
        assert supervisor.pid("sleeper") != pid
    await supervisor.stop()


async def test_a_stubborn_child_is_killed() -> None:
    supervisor = Supervisor()
    code = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    await supervisor.start(_python("stubborn", code, grace_s=0.3))
    pid = supervisor.pid("stubborn")
    await asyncio.sleep(0.3)
    await supervisor.stop()
    assert not _alive(pid)


async def test_a_child_that_cannot_start_is_an_error(tmp_path: Path) -> None:
    async def no() -> bool:
        return False

    supervisor = Supervisor()
    code = "print('the disk is full'); exit(3)"
    program = Program("x", (sys.executable, "-c", code), no, output=tmp_path / "x.log")
    with pytest.raises(StartFailed, match=r"ended with 3; .*: the disk is full"):
        await supervisor.start(program)
    argv = (sys.executable, "-c", "import time; time.sleep(60)")
    with pytest.raises(StartFailed, match="not ready"):
        await supervisor.start(Program("x", argv, no, ready_within_s=0.3))
    await supervisor.stop()


async def test_no_child_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    code = """
    import asyncio, sys
    from pathlib import Path
    from lianmeng.runtime.embedded import start_nats, start_valkey
    from lianmeng.runtime.supervision import Supervisor

    async def main():
        supervisor = Supervisor()
        await start_nats(supervisor, Path(sys.argv[1]))
        await start_valkey(supervisor, Path(sys.argv[1]))
        print(supervisor.pid("nats"), supervisor.pid("valkey"), flush=True)
        await asyncio.sleep(60)

    asyncio.run(main())
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        textwrap.dedent(code),
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    pids = [int(pid) for pid in (await process.stdout.readline()).split()]
    assert all(_alive(pid) for pid in pids)
    process.kill()
    await process.wait()
    for pid in pids:
        await _until_dead(pid)
