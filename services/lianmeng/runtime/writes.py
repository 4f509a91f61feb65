"""What is written to the log: one message, with what the server shall check and do.

Pure: a `Write` is only a description; `jetstream.Log` sends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Write:
    """One message. `expected` is the sequence of the last message on its subject.

    `expected` 0 = the subject must be empty; None = no check. `rollup` removes all earlier
    messages of the subject.
    """

    subject: str
    data: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    expected: int | None = None
    rollup: bool = False

    def wire_headers(self) -> dict[str, str]:
        """The headers as the server reads them."""
        headers = dict(self.headers)
        if self.expected is not None:
            headers["Nats-Expected-Last-Subject-Sequence"] = str(self.expected)
        if self.rollup:
            headers["Nats-Rollup"] = "sub"
        return headers


def schedule(timer_subject: str, target_subject: str, at_wall: datetime, ttl: timedelta) -> Write:
    """A timer: at `at_wall` the server stores an empty message on `target_subject`.

    It waits on `timer_subject` and replaces a timer that waits there; a time that has passed
    fires at once. The stored message disappears after `ttl` (whole seconds, at least one).
    """
    at = at_wall.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    headers = {
        "Nats-Schedule": f"@at {at}",
        "Nats-Schedule-Target": target_subject,
        "Nats-Schedule-TTL": f"{max(1, int(ttl.total_seconds()))}s",
    }
    return Write(timer_subject, b"", headers)


def cancelling(write: Write, timer_subject: str) -> Write:
    """`write`, which also cancels the timer that waits on `timer_subject`, if there is one.

    The cancellation rides on the message that makes the timer needless, so it needs no message
    of its own and stands or falls with it. The server refuses it on the timer's own subject.
    """
    if write.subject == timer_subject:
        raise ValueError("a message on the timer's own subject cannot cancel the timer")
    headers = {
        **write.headers,
        "Nats-Scheduler": timer_subject,
        "Nats-Schedule-Next": "purge",
    }
    return replace(write, headers=headers)
