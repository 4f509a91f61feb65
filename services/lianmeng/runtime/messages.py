"""Stored messages, and how they are read from the server's three kinds of answers."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from nats.aio.msg import Msg


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message. `stored_at` is wall time.

    `pending`: how many more its reader had before it when it was sent; 0 = it was the last one.
    """

    subject: str
    sequence: int
    data: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    stored_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    pending: int = 0


@dataclass(frozen=True, slots=True)
class StreamState:
    """Where a stream begins and ends. `last` 0 = it never held a message.

    `last_stored_at` is wall time, and means nothing for an empty stream. `created` tells a
    stream from a later one of the same name.
    """

    first: int
    last: int
    last_stored_at: datetime
    created: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as a consumer got it. `attempt` counts from 1; `reply` is where it is answered.

    `serial` counts the deliveries of this consumer from 1 without gaps.
    """

    message: Message
    attempt: int
    serial: int
    reply: str


def status_of(msg: Msg) -> str:
    """The status code that a server puts in place of a message; empty for a message."""
    return (msg.headers or {}).get("Status", "")


_ADDED = ("Nats-Stream", "Nats-Last-Sequence", "Nats-UpTo-Sequence")


def direct_message(msg: Msg) -> Message:
    """The stored message in the answer to a direct get."""
    headers = dict(msg.headers or {})
    return Message(
        subject=headers.pop("Nats-Subject"),
        sequence=int(headers.pop("Nats-Sequence")),
        data=msg.data,
        stored_at=_time(headers.pop("Nats-Time-Stamp")),
        pending=int(headers.pop("Nats-Num-Pending", "0")),
        headers={k: v for k, v in headers.items() if k not in _ADDED},
    )


def raw_message(raw: Mapping[str, Any]) -> Message:
    """The stored message in the answer of `STREAM.MSG.GET`."""
    return Message(
        subject=raw["subject"],
        sequence=int(raw["seq"]),
        data=base64.b64decode(raw.get("data", "")),
        headers=_raw_headers(base64.b64decode(raw.get("hdrs", ""))),
        stored_at=_time(raw["time"]),
    )


def _raw_headers(block: bytes) -> dict[str, str]:
    pairs = (text.partition(":") for text in block.decode().split("\r\n")[1:] if text)
    return {name: value.strip() for name, _, value in pairs}


def stream_state(info: Mapping[str, Any]) -> StreamState:
    """The state in the answer of `STREAM.INFO`."""
    state = info["state"]
    return StreamState(
        state["first_seq"], state["last_seq"], _time(state["last_ts"]), info["created"]
    )


def _time(text: str) -> datetime:
    """RFC 3339 with nanoseconds, which Python cannot read."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}+00:00")


def delivery_of(msg: Msg) -> Delivery:
    """A message from a consumer: where it lies is in the subject that takes the answer."""
    parts = msg.reply.split(".")
    if len(parts) > 9:  # newer servers put a domain and an account before the stream's name
        parts = parts[:2] + parts[4:]
    attempt, sequence, serial, nanos, pending = (int(part) for part in parts[4:9])
    stored_at = datetime.fromtimestamp(nanos // 1_000_000_000, UTC)
    message = Message(
        subject=msg.subject,
        sequence=sequence,
        data=msg.data,
        headers=dict(msg.headers or {}),
        stored_at=stored_at + timedelta(microseconds=nanos % 1_000_000_000 // 1_000),
        pending=pending,
    )
    return Delivery(message, attempt, serial, msg.reply)
