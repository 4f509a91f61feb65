"""Errors on the wire: the platform's errors ↔ gRPC statuses, both ways, in one place.

A `Rejected` travels as its status code with a google.rpc.ErrorInfo (reason, domain `lianmeng`,
metadata `field`, `hint`, `message_zh`, `hint_zh`); a `Transient` as UNAVAILABLE with an ErrorInfo
and a RetryInfo; anything else as INTERNAL without details.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status as WireStatus

from lianmeng.kernel.errors import LianmengError, Rejected, Status, Transient

DOMAIN = "lianmeng"
DETAILS_KEY = "grpc-status-details-bin"

_PASSING = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
)
"""Codes without our details after which the same command may be sent again."""


class Abort(NamedTuple):
    """How a call ends that did not succeed."""

    code: grpc.StatusCode
    message: str
    trailers: tuple[tuple[str, bytes], ...]


def abort_of(error: Exception) -> Abort:
    """The end of a call that raised `error`."""
    if isinstance(error, Rejected):
        code = grpc.StatusCode[error.status]
        info = ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=_metadata(error))
        return _abort(code, error.message, info)
    if isinstance(error, Transient):
        info = ErrorInfo(
            reason=error.reason, domain=DOMAIN, metadata={"message_zh": error.message_zh}
        )
        retry = RetryInfo()
        retry.retry_delay.FromTimedelta(error.retry_after)
        return _abort(grpc.StatusCode.UNAVAILABLE, error.message, info, retry)
    info = ErrorInfo(
        reason="INTERNAL", domain=DOMAIN, metadata={"message_zh": "内部错误，请稍后重试"}
    )
    return _abort(grpc.StatusCode.INTERNAL, "an internal error; the operators see it", info)


def error_of(error: grpc.aio.AioRpcError) -> LianmengError:
    """The error that the server raised, as the caller's own code would have raised it."""
    code = error.code()
    message = error.details() or code.name
    info, retry_after = _details(error)
    if info is None and code not in _PASSING:
        return Rejected(code.name, message, status=_status(code))
    if info is None:
        return Transient("UNAVAILABLE", message, retry_after, "服务暂时不可用，请稍后重试")
    if code in _PASSING:
        return Transient(info.reason, message, retry_after, info.metadata["message_zh"])
    return Rejected(
        reason=info.reason,
        message=message,
        field=info.metadata["field"],
        hint=info.metadata["hint"],
        message_zh=info.metadata["message_zh"],
        hint_zh=info.metadata["hint_zh"],
        status=_status(code),
    )


def _metadata(error: Rejected) -> dict[str, str]:
    values = {
        "field": error.field,
        "hint": error.hint,
        "message_zh": error.message_zh,
        "hint_zh": error.hint_zh,
    }
    return {name: value for name, value in values.items() if value}


def _abort(code: grpc.StatusCode, message: str, *details: ErrorInfo | RetryInfo) -> Abort:
    status = WireStatus(code=code.value[0], message=message)
    for detail in details:
        status.details.add().Pack(detail)
    return Abort(code, message, ((DETAILS_KEY, status.SerializeToString()),))


def _details(error: grpc.aio.AioRpcError) -> tuple[ErrorInfo | None, timedelta]:
    info, retry_after = None, timedelta(seconds=1)
    for detail in _packed(error):
        if detail.Is(ErrorInfo.DESCRIPTOR):
            found = ErrorInfo()
            detail.Unpack(found)
            info = found if found.domain == DOMAIN else info
        elif detail.Is(RetryInfo.DESCRIPTOR):
            retry = RetryInfo()
            detail.Unpack(retry)
            retry_after = retry.retry_delay.ToTimedelta()
    return info, retry_after


def _packed(error: grpc.aio.AioRpcError) -> list[AnyMessage]:
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return list(WireStatus.FromString(value).details)
            except DecodeError:  # a proxy's own details
                return []
    return []


def _status(code: grpc.StatusCode) -> Status:
    known = Status.__members__.get(code.name)
    return Status.FAILED_PRECONDITION if known is None else known
