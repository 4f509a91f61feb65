"""The five streams of a zone, defined literally, and how they come to be on the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.subjects import ROOTS, Stream, stream_name

DESCRIPTIONS = {
    Stream.REGISTRY: "firms, nodes, products, principals: each version; the last is current",
    Stream.SIGNALS: "signal batches",
    Stream.TRENDS: "trend episodes: detected, updated, over",
    Stream.ALLIANCES: "the alliance log, the books of capacity, the timers",
    Stream.DEADLETTERS: "what could not be processed, and why",
}

OPTIONS: Mapping[str, Any] = {
    "retention": "limits",
    "storage": "file",
    "discard": "old",
    "max_msgs": -1,
    "max_bytes": -1,
    "max_age": 0,
    "max_msgs_per_subject": -1,
    "allow_atomic": True,
    "allow_direct": True,
    "allow_rollup_hdrs": True,
    "allow_msg_ttl": True,
    "allow_msg_schedules": True,
    "deny_delete": True,  # a fact is never taken back, not even by a mistaken command
}
"""Options of all streams: nothing is ever dropped for its age or number."""

_EXISTS = 10058


def stream_config(stream: Stream, zone: str, replicas: int = 1) -> dict[str, Any]:
    """The configuration of one stream, as the server's API takes it."""
    return {
        "name": stream_name(stream, zone),
        "description": DESCRIPTIONS[stream],
        "subjects": [f"{root}.{zone}.*" for root, home in ROOTS.items() if home is stream],
        "num_replicas": replicas,
        **OPTIONS,
    }


async def ensure_streams(log: Log, zone: str, replicas: int = 1) -> None:
    """Create the five streams, or bring them to the present definition. Raises `Transient`."""
    for stream in Stream:
        config = stream_config(stream, zone, replicas)
        name = config["name"]
        if await log.api(f"STREAM.CREATE.{name}", config, absent=_EXISTS) is None:
            await log.api(f"STREAM.UPDATE.{name}", config)
