"""Records and books as bytes on the log, and the headers that go with them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from google.protobuf.message import DecodeError, Message

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
    """A record as stored.

    The plan, the invitations and the tasks are most of a state, and a fact changes one of them or
    none, so the bytes of each are remembered; a protobuf message is the concatenation of its
    fields, in any order.
    """
    outer = encode(replace(record, state=None), pb.AllianceRecord).SerializeToString()
    if record.state is None:
        return outer
    state = record.state
    rest = replace(state, plan=None, invitations=(), tasks=())
    parts = [encode(rest, pb.AllianceState).SerializeToString()]
    if state.plan is not None:
        parts.append(_field(pb.AllianceState, "plan", _remembered(state.plan, pb.Plan)))
    invited = (_remembered(one, pb.Invitation) for one in state.invitations)
    parts += [_field(pb.AllianceState, "invitations", data) for data in invited]
    tasks = (_remembered(one, pb.Task) for one in state.tasks)
    parts += [_field(pb.AllianceState, "tasks", data) for data in tasks]
    return outer + _field(pb.AllianceRecord, "state", b"".join(parts))


_REMEMBERED = 4_096
_bytes: OrderedDict[int, tuple[object, bytes]] = OrderedDict()


def _remembered(part: object, message: type[Message]) -> bytes:
    """Its bytes, by identity: parts are immutable, and kept alive as long as their bytes."""
    known = _bytes.get(id(part))
    if known is None:
        known = _bytes[id(part)] = (part, encode(part, message).SerializeToString())
        if len(_bytes) > _REMEMBERED:
            _bytes.popitem(last=False)
    return known[1]


def _field(message: type[Message], name: str, data: bytes) -> bytes:
    """A length-delimited field: its tag, the length, the bytes."""
    number = message.DESCRIPTOR.fields_by_name[name].number
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


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
