"""Dead letters: stored messages that could not be processed, kept as they are, with the reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.messages import Message
from lianmeng.runtime.subjects import deadletter_subject, last_token
from lianmeng.runtime.writes import Write

_SUBJECT = "Lianmeng-Subject"
_SEQUENCE = "Lianmeng-Sequence"
_REASON = "Lianmeng-Reason"
_DETAIL = "Lianmeng-Detail"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that `service` gave up, and where it lies in the log. `put_at` is wall time."""

    service: str
    subject: str
    sequence: int
    reason: str
    detail: str
    data: bytes
    put_at: datetime


async def bury(
    log: Log, zone: str, service: str, message: Message, reason: str, detail: str = ""
) -> None:
    """Put a message aside. Done twice within two minutes, it is stored once.

    Raises as `Log.publish` does: until it returns, the message is not put aside.
    """
    headers = {
        _SUBJECT: message.subject,
        _SEQUENCE: str(message.sequence),
        _REASON: reason,
        _DETAIL: detail[:500],
        "Nats-Msg-Id": f"{service}:{message.subject}:{message.sequence}",
    }
    await log.publish(Write(deadletter_subject(zone, service), message.data, headers))
    line.error(
        "deadletter.put",
        subject=message.subject,
        sequence=message.sequence,
        reason=reason,
        detail=detail[:500],
    )


async def dead_letters(log: Log, zone: str, service: str = "*") -> AsyncIterator[DeadLetter]:
    """All dead letters of a zone, or of one service, the oldest first. Raises `Transient`."""
    async for message in log.history(deadletter_subject(zone, service)):
        yield DeadLetter(
            service=last_token(message.subject),
            subject=message.headers.get(_SUBJECT, ""),
            sequence=int(message.headers.get(_SEQUENCE, "0")),
            reason=message.headers.get(_REASON, ""),
            detail=message.headers.get(_DETAIL, ""),
            data=message.data,
            put_at=message.stored_at,
        )
