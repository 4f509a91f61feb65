"""A real nats-server of the product's own configuration, for one benchmark."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lianmeng.runtime.embedded import free_port, nats_program
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.streams import ensure_streams
from lianmeng.runtime.supervision import tethered

ZONE = "bench"


@asynccontextmanager
async def running_log() -> AsyncIterator[Log]:
    """A connected log with the streams of zone `bench`, on a server that ends with it."""
    with tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder), free_port()
        for name in ("nats", "logs"):
            (home / name).mkdir()
        program = nats_program(home, port)
        assert program.output is not None
        with program.output.open("ab") as output:
            command = tethered(program.argv)
            process = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: ASYNC220, S603
        try:
            async with asyncio.timeout(20):
                while not await program.ready():  # noqa: ASYNC110 - a server has no event to set
                    await asyncio.sleep(0.02)
            log = await Log.connect(f"nats://127.0.0.1:{port}", "bench")
            await ensure_streams(log, ZONE)
            yield log
            await log.close()
        finally:
            process.terminate()
            process.wait(10)
