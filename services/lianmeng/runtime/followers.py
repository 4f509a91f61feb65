"""Followers: one process reads a part of the log in order and without gaps, for ever."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import nats.errors

from lianmeng.kernel.errors import Transient
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.messages import Message
from lianmeng.runtime.pulls import NANOS, RETRY_S, Broken, create_consumer, pull
from lianmeng.runtime.subjects import stream_of

_BATCH = 256
_FORGET_S = 60
"""The server drops a follower's consumer after this long (seconds) without a request."""


async def follow(log: Log, *subjects: str, start: int = 1) -> AsyncGenerator[Message, None]:
    """All messages on `subjects` (one stream; wildcards allowed) from sequence `start`, endless.

    In order and without gaps, over any number of server restarts. A message whose `pending` is
    0 was the last one when it was sent. Close it with `contextlib.aclosing`.
    """
    stream = stream_of(subjects[0])
    while True:
        name = f"f-{secrets.token_hex(8)}"
        try:
            await create_consumer(log, stream, _config(name, subjects, start))
            async with aclosing(pull(log, stream, name, _BATCH)) as deliveries:
                expected = 0
                async for delivery in deliveries:
                    expected += 1
                    if delivery.serial != expected:  # something was lost on the way
                        break
                    start = delivery.message.sequence + 1
                    yield delivery.message
        except (Broken, Transient):
            await asyncio.sleep(RETRY_S)
        finally:
            await _forget(log, stream, name)
        line.debug("log.resumed", subject=subjects[0], sequence=start)


def _config(name: str, subjects: tuple[str, ...], start: int) -> dict[str, object]:
    return {
        "name": name,
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": max(start, 1),
        "ack_policy": "none",
        "filter_subjects": list(subjects),
        "mem_storage": True,
        "num_replicas": 1,
        "inactive_threshold": _FORGET_S * NANOS,
    }


async def _forget(log: Log, stream: str, name: str) -> None:
    """Free the server's side now; without a connection it does so itself after a minute."""
    with suppress(OSError, nats.errors.Error):
        await log.client.publish(f"$JS.API.CONSUMER.DELETE.{stream}.{name}", b"")
