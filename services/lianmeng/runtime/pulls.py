"""Pulling messages from one consumer of the server, until something breaks.

The two kinds of readers, `followers` and `consumers`, are built on it: each makes its consumer,
pulls, and when a pull breaks makes it again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

import nats.errors
from nats.aio.msg import Msg

from lianmeng.kernel.errors import Transient
from lianmeng.runtime.jetstream import Log, unsubscribe
from lianmeng.runtime.messages import Delivery, delivery_of, status_of

NANOS = 1_000_000_000
"""Nanoseconds in a second: the server's durations."""

RETRY_S = 0.2
"""Seconds between two tries to make a consumer."""

_EXPIRES_S = 30.0
_HEARTBEAT_S = 1.0
_SILENT_S = 2.5
"""A pull without message or heartbeat for this long (seconds) is dead."""

_HEARTBEAT = "100"
_SERVED = ("404", "408")
"""The pull has ended as it should; the next one may follow."""

Gate = Callable[[], Awaitable[None]]


class Broken(Exception):
    """This pull brings nothing more: the connection, the server or the consumer went away."""


async def create_consumer(log: Log, stream: str, config: Mapping[str, Any]) -> None:
    """Create a consumer, or bring it to this definition. Raises `Transient`."""
    request = {"stream_name": stream, "config": config}
    await log.api(f"CONSUMER.CREATE.{stream}.{config['name']}", request)


async def pull(
    log: Log, stream: str, consumer: str, batch: int, gate: Gate | None = None
) -> AsyncGenerator[Delivery, None]:
    """What a consumer has and will have. `Broken` or `Transient`: it has to be made again.

    `gate` is awaited before each request for `batch` more: a busy reader holds it back.
    """
    arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
    inbox = log.client.new_inbox()
    forget = log.on_change(lambda: arrived.put_nowait(None))
    try:
        sub = await log.subscribe(inbox, arrived.put)
    except Transient:
        forget()
        raise
    try:
        while True:
            if gate is not None:
                await gate()
            await _ask(log, f"{stream}.{consumer}", inbox, batch)
            async for delivery in _served(arrived, batch):
                yield delivery
    finally:
        forget()
        await unsubscribe(sub)


async def _ask(log: Log, consumer: str, inbox: str, batch: int) -> None:
    request = {
        "batch": batch,
        "expires": int(_EXPIRES_S * NANOS),
        "idle_heartbeat": int(_HEARTBEAT_S * NANOS),
    }
    try:
        await log.client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{consumer}", json.dumps(request).encode(), reply=inbox
        )
    except (OSError, nats.errors.Error) as error:
        raise Broken from error


async def _served(arrived: asyncio.Queue[Msg | None], batch: int) -> AsyncGenerator[Delivery, None]:
    while batch:
        msg = await _next(arrived)
        status = status_of(msg)
        if status == "":
            batch -= 1
            yield delivery_of(msg)
        elif status in _SERVED:
            return
        elif status != _HEARTBEAT:
            raise Broken


async def _patient_get(arrived: asyncio.Queue[Msg | None]) -> Msg | None:
    """The next message. Raises `TimeoutError` after a long silence.

    Not by `asyncio.wait_for`: in Python 3.11 it forgets that its task was cancelled when a
    message comes at that very moment, and the reader would never end.
    """
    async with asyncio.timeout(_SILENT_S):
        return await arrived.get()


async def _next(arrived: asyncio.Queue[Msg | None]) -> Msg:
    try:
        msg = arrived.get_nowait() if not arrived.empty() else await _patient_get(arrived)
    except TimeoutError as error:
        raise Broken from error
    if msg is None:  # the connection changed: what was asked for is lost
        raise Broken
    return msg
