"""Records and books as bytes on the log, and the headers that go with them."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from lianmeng.alliance.books import Book
from lianmeng.alliance.facts import Fenced, name_of
from lianmeng.alliance.records import AllianceRecord
from lianmeng.kernel.errors import Poison, Rejected
from lianmeng.runtime.codec import decode, encode
from lianmeng.v1 import alliance_pb2 as pb

EVENT = "Lm-Event-Type"
"""Header: `alliance.<fact>`; consumers skip by it what is not theirs."""

CORRELATION = "Lm-Correlation"
"""Header: the trend id, or the alliance id of a manual demand."""

STATE = "Lm-State"
"""Header: the state that results."""

ATTEMPT = "Lm-Event-Id"
"""Header: the id of the attempt that wrote the message."""


def record_bytes(record: AllianceRecord) -> bytes:
    """A record as stored."""
    return encode(record, pb.AllianceRecord).SerializeToString()


def record_headers(record: AllianceRecord) -> dict[str, str]:
    """The headers of a record."""
    state = record.state
    correlation = state.demand.trend_id if state and state.demand.trend_id else record.alliance_id
    return {
        EVENT: f"alliance.{name_of(record.fact)}",
        CORRELATION: correlation,
        STATE: str(state.state) if state else "",
        ATTEMPT: record.attempt_id,
    }


def read_record(data: bytes) -> AllianceRecord:
    """A record from its bytes. Raises `Poison(CORRUPT_PAYLOAD)`."""
    try:
        return decode(pb.AllianceRecord.FromString(data), AllianceRecord)
    except (DecodeError, Rejected, ValueError) as error:
        raise Poison("CORRUPT_PAYLOAD", f"not an alliance record: {error}") from error


def book_bytes(book: Book) -> bytes:
    """A book as stored."""
    return encode(book, pb.Book).SerializeToString()


def read_book(data: bytes) -> Book:
    """A book from its bytes. Raises `Poison(CORRUPT_PAYLOAD)`."""
    try:
        return decode(pb.Book.FromString(data), Book)
    except (DecodeError, Rejected, ValueError) as error:
        raise Poison("CORRUPT_PAYLOAD", f"not a book: {error}") from error


def is_fence(record: AllianceRecord) -> bool:
    """Whether a record is only a marker."""
    return isinstance(record.fact, Fenced)
