"""A process beside the registry that checks rows of bulk streams.

Reading and validating a record costs more than writing it, so the two run on two cores. It is
started as `python -m lianmeng.registry.bulk_worker`, reads requests from its standard input and
answers on its standard output. When its parent ends, by whatever cause, its input ends, and so
does it.

A frame is its length in four bytes, then the bytes. A request is two frames, the present time
(microseconds since 1970) and a `PutManyRequest`; an answer is two frames, the same rows as they
are to be stored and a `PutManyResponse` whose errors name the refused rows by their index.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from lianmeng.registry.bulk_checks import Checked, check_rows
from lianmeng.v1 import registry_pb2 as pb

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LENGTH_BYTES = 4

Read = Callable[[int], bytes]


def frame(data: bytes) -> bytes:
    """A frame of these bytes."""
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def request_frames(request: pb.PutManyRequest, now: datetime) -> bytes:
    """What the registry sends."""
    micros = (now - EPOCH) // MICROSECOND
    return frame(str(micros).encode()) + frame(request.SerializeToString())


def answer_of(rows: bytes, errors: bytes) -> Checked:
    """What the two frames of an answer say."""
    told = pb.PutManyResponse.FromString(errors)
    return pb.PutManyRequest.FromString(rows), {int(error.row): error for error in told.errors}


def main() -> int:
    """Answer until the input ends."""
    while True:
        micros = _frame(sys.stdin.buffer.read)
        if micros is None:
            return 0
        data = _frame(sys.stdin.buffer.read)
        if data is None:
            return 1
        now = EPOCH + int(micros) * MICROSECOND
        request, refused = check_rows(pb.PutManyRequest.FromString(data), now)
        errors = pb.PutManyResponse(errors=refused.values())
        sys.stdout.buffer.write(frame(request.SerializeToString()))
        sys.stdout.buffer.write(frame(errors.SerializeToString()))
        sys.stdout.buffer.flush()


def _frame(read: Read) -> bytes | None:
    head = read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    return read(int.from_bytes(head, "big"))


if __name__ == "__main__":
    sys.exit(main())
