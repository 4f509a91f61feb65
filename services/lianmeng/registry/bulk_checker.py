"""Checks rows of bulk streams: a few at once right here, many in the worker process."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path

import lianmeng
from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Transient
from lianmeng.registry import bulk_worker
from lianmeng.registry.bulk_checks import Checked, check_rows
from lianmeng.runtime.logs import log as line
from lianmeng.v1 import registry_pb2 as pb

FEW_ROWS = 50
"""Up to so many rows of one message are checked here: it is not worth the way to the worker."""

TRIES = 3
"""How often rows are sent to a fresh worker when one has died over them."""


class Checker:
    """Owns the worker process, which is started when it is first needed. Start `run` as a task."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._worker: Process | None = None
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Do nothing until cancelled; then stop the worker."""
        try:
            await asyncio.Event().wait()
        finally:
            await self._drop()

    async def check(self, request: pb.PutManyRequest) -> Checked:
        """The rows as they are to be stored, and the refusals of the others by their index."""
        if len(request.rows) <= FEW_ROWS:
            return check_rows(request, self._clock.now())
        frames = bulk_worker.request_frames(request, self._clock.now())
        async with self._turn:
            for _ in range(TRIES):
                try:
                    return await self._asked(frames)
                except (OSError, asyncio.IncompleteReadError) as error:
                    line.error("process.crashed", process="registry-bulk", error=repr(error))
        raise Transient(
            "INTERNAL", "the rows could not be checked", message_zh="批量数据检查失败，请重试"
        )

    async def _asked(self, frames: bytes) -> Checked:
        """One question and its answer. After any failure the worker is a fresh one."""
        worker = self._worker
        if worker is None:
            worker = self._worker = await asyncio.create_subprocess_exec(
                sys.executable, "-m", bulk_worker.__name__,
                stdin=PIPE, stdout=PIPE, start_new_session=True, env=worker_environment(),
            )  # fmt: skip
        assert worker.stdin is not None
        assert worker.stdout is not None
        done = False
        try:
            worker.stdin.write(frames)
            await worker.stdin.drain()
            rows = await _frame(worker.stdout)
            errors = await _frame(worker.stdout)
            done = True
        finally:
            if not done:
                await self._drop()
        return bulk_worker.answer_of(rows, errors)

    async def _drop(self) -> None:
        """End the worker; whoever needs one starts it anew."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        with suppress(ProcessLookupError):
            worker.kill()
        assert worker.stdin is not None
        worker.stdin.close()
        await worker.wait()


def worker_environment() -> dict[str, str]:
    """This process's environment, in which the worker finds the same code."""
    code = str(Path(lianmeng.__file__).parent.parent)
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([code, before] if before else [code])}


async def _frame(stream: asyncio.StreamReader) -> bytes:
    head = await stream.readexactly(bulk_worker.LENGTH_BYTES)
    return await stream.readexactly(int.from_bytes(head, "big"))
