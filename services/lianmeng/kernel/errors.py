"""The errors of the platform, told apart by what the caller can do about them.

- `Rejected`: the caller's fault; nothing was written; mend the request.
- `Transient`: nobody's fault; try the same command again after `retry_after`.
- `Poison`: stored input that can never be processed; it goes to the dead letters.

Anything else that is raised is a bug: the process crashes, is restarted and resumes.
`lianmeng.runtime.rpc` maps these to gRPC statuses, in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Status(StrEnum):
    """The gRPC status that a rejection is answered with (the name of the status code)."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    ABORTED = "ABORTED"


class LianmengError(Exception):
    """Base of all errors that the platform raises on purpose."""


@dataclass(eq=False)
class Rejected(LianmengError):
    """A request that cannot be carried out as it is.

    `reason` is the name of a value of the proto enum `ErrorReason`, without its prefix.
    `field` is the path of the field at fault (`node.lanes[2].origin`), empty when none is.
    `message` says what is wrong and `hint` what to do; both also in Chinese.
    """

    reason: str
    message: str
    field: str = ""
    hint: str = ""
    message_zh: str = ""
    hint_zh: str = ""
    status: Status = Status.INVALID_ARGUMENT

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.message} [{self.reason}]{hint}"


@dataclass(eq=False)
class Transient(LianmengError):
    """A condition that passes: the log is away, a view lags, a place is taken for a moment."""

    reason: str
    message: str
    retry_after: timedelta = timedelta(seconds=1)
    message_zh: str = ""

    def __str__(self) -> str:
        return (
            f"{self.message} [{self.reason}], try again in {self.retry_after.total_seconds():g} s"
        )


@dataclass(eq=False)
class Poison(LianmengError):
    """A stored message that can never be processed, and why."""

    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} [{self.reason}]"
