"""Supervised child processes: started, restarted when they crash, stopped in reverse order.

A child never outlives its supervisor: a few lines of Python run first in the child, ask the
kernel to kill it when its parent dies (`PR_SET_PDEATHSIG`), and then become the program. This
is safe where threads run, which a `preexec_fn` is not. The kernel watches the *thread* that
started the child: start a supervisor in the main thread.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lianmeng.kernel.errors import LianmengError
from lianmeng.runtime.logs import log

_TETHER = (
    "import ctypes,os,sys;"
    "ctypes.CDLL(None).prctl(1,9);"  # PR_SET_PDEATHSIG, SIGKILL
    "os.getppid()==int(sys.argv[1]) or os._exit(1);"
    "os.execv(sys.argv[2],sys.argv[2:])"
)


def tethered(argv: tuple[str, ...]) -> tuple[str, ...]:
    """A command line that runs `argv` and dies with the thread that starts it."""
    return (sys.executable, "-ISc", _TETHER, str(os.getpid()), *argv)


Ready = Callable[[], Awaitable[bool]]

FIRST_BACKOFF_S = 0.1
LONGEST_BACKOFF_S = 5.0
STEADY_AFTER_S = 10.0
"""A child that ran this long (seconds) is restarted after the shortest back-off again."""


class StartFailed(LianmengError):
    """A child ended, or was not ready in time, when it was first started."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `argv[0]` is an absolute path.

    `ready` is asked until it says yes, for at most `ready_within_s` seconds. `output` receives
    stdout and stderr; None inherits them. SIGTERM gets `grace_s` seconds before SIGKILL.
    """

    name: str
    argv: tuple[str, ...]
    ready: Ready
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    output: Path | None = None
    ready_within_s: float = 20.0
    grace_s: float = 5.0


class Supervisor:
    """Runs programs; `stop` ends them in the reverse of the order in which they started."""

    def __init__(self) -> None:
        self._children: dict[str, _Child] = {}

    async def start(self, program: Program) -> None:
        """Run a program until `stop`. Returns when it is ready; raises `StartFailed`."""
        child = self._children[program.name] = _Child(program)
        try:
            await child.start()
        except BaseException:
            del self._children[program.name]
            raise

    def pid(self, name: str) -> int:
        """The current process id of a program."""
        return self._children[name].pid

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a program, as a fault would. After SIGKILL, `wait_ready` waits."""
        child = self._children[name]
        if number is signal.SIGKILL:
            child.serving.clear()
        os.kill(child.pid, number)

    async def wait_ready(self, name: str) -> None:
        """Return when a program is ready again after a crash."""
        await self._children[name].serving.wait()

    async def stop(self) -> None:
        """End all programs, the last first. No process is left when it returns."""
        while self._children:
            _, child = self._children.popitem()
            await child.stop()


class _Child:
    def __init__(self, program: Program) -> None:
        self._program = program
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self.serving = asyncio.Event()

    @property
    def pid(self) -> int:
        return self._running().pid

    async def start(self) -> None:
        try:
            await self._spawn()
        except BaseException:
            await self._end()
            raise
        self._watch = asyncio.create_task(self._keep_running(), name=f"watch {self._program.name}")

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await self._end()

    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "started before it is used"
        return self._process

    async def _spawn(self) -> None:
        program = self._program
        output = program.output.open("ab") if program.output else None
        try:
            self._process = await asyncio.create_subprocess_exec(
                *tethered(program.argv),
                env={**os.environ, **program.env},
                cwd=program.cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends in order
            )
        finally:
            if output is not None:
                output.close()
        await self._until_ready()
        self.serving.set()
        log.info("process.started", process=program.name, pid=self.pid)

    async def _until_ready(self) -> None:
        program, process = self._program, self._running()
        try:
            async with asyncio.timeout(program.ready_within_s):
                while not await program.ready():
                    if process.returncode is not None:
                        raise _failed(program, f"ended with {process.returncode}")
                    await asyncio.sleep(0.01)
        except TimeoutError as error:
            raise _failed(program, f"was not ready after {program.ready_within_s:g} s") from error

    async def _keep_running(self) -> None:
        loop = asyncio.get_running_loop()
        delay = FIRST_BACKOFF_S
        while True:
            started = loop.time()
            code = await self._running().wait()
            self.serving.clear()
            if loop.time() - started > STEADY_AFTER_S:
                delay = FIRST_BACKOFF_S
            log.warning("process.crashed", process=self._program.name, code=code, delay_s=delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_BACKOFF_S)
            try:
                await self._spawn()
            except StartFailed as error:
                log.error("process.crashed", process=self._program.name, reason=str(error))
                await self._end()

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self._program.grace_s):
                await process.wait()
            log.info("process.stopped", process=self._program.name)
        except TimeoutError:
            process.kill()
            await process.wait()
            log.warning("process.killed", process=self._program.name)


def _failed(program: Program, how: str) -> StartFailed:
    """With the last line that the program wrote: it mostly says why."""
    if program.output is None or not program.output.exists():
        return StartFailed(f"{program.name} {how}")
    lines = program.output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = lines[-1][:500] if lines else "nothing"
    return StartFailed(f"{program.name} {how}; the last line of {program.output}: {last}")
