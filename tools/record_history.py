"""Records what a run left on its log, for later releases to read: `tests/golden/v<X.Y>.jsonl.xz`.

    python -m tools.record_history lianmeng-data/run-1 tests/golden/v0.1.jsonl.xz

One line per stored message: subject, sequence, headers of ours, data in base64. Signals are left
out: they are many, and their format is held by the contract's baseline.
"""

from __future__ import annotations

import asyncio
import base64
import json
import lzma
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from lianmeng.runtime.embedded import start_nats
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.settings import load_settings
from lianmeng.runtime.supervision import Supervisor

ROOTS = ("alliances", "capacity", "trends", "firms", "nodes", "products", "principals")


async def messages(home: Path) -> AsyncIterator[dict[str, Any]]:
    """All messages of a home's log but signals and timers, root by root, in order."""
    supervisor = Supervisor()
    log = await Log.connect(await start_nats(supervisor, home), "recorder")
    try:
        for root in ROOTS:
            async for message in log.history(f"{root}.{load_settings(home=home).zone}.*"):
                yield {
                    "subject": message.subject,
                    "sequence": message.sequence,
                    "headers": {k: v for k, v in message.headers.items() if k.startswith("Lm-")},
                    "data": base64.b64encode(message.data).decode(),
                }
    finally:
        await log.close()
        await supervisor.stop()


async def lines(home: Path) -> list[str]:
    """The lines of the file."""
    return [json.dumps(message) async for message in messages(home)]


def main(home: Path, target: Path) -> None:
    """Write the file."""
    found = asyncio.run(lines(home))
    target.write_bytes(lzma.compress(("\n".join(found) + "\n").encode(), preset=9))
    sys.stderr.write(f"{len(found)} messages in {target}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
