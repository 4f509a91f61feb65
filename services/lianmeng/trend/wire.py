"""Batches and facts as bytes on the log, and the headers of facts."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from lianmeng.kernel.errors import Poison, Rejected
from lianmeng.kernel.signals import SignalBatch
from lianmeng.kernel.trends import Trend
from lianmeng.runtime.codec import decode, encode
from lianmeng.runtime.messages import Message
from lianmeng.runtime.revisions import revision, sequence_of
from lianmeng.runtime.subjects import Stream, stream_name, trend_subject
from lianmeng.runtime.writes import Write
from lianmeng.trend.ports import Recorded
from lianmeng.v1 import trend_pb2 as pb

EVENT = "Lm-Event-Type"
"""Header: `trend.detected`, `trend.updated` or `trend.over`."""

CORRELATION = "Lm-Correlation"
"""Header: the trend id."""

CAUSE = "Lm-Causation"
"""Header: the revision of the last signal batch that the fact knows of."""


def read_batch(message: pb.SignalBatch) -> SignalBatch:
    """A batch as it came. Raises `Rejected` with the path of the field, from `batch` on."""
    try:
        return decode(message, SignalBatch)
    except Rejected as error:
        error.field = f"batch.{error.field}" if error.field else "batch"
        raise


def read_stored_batch(data: bytes) -> SignalBatch:
    """A batch from the log. Raises `Poison(CORRUPT_PAYLOAD)`, and `Rejected` as `read_batch`."""
    try:
        return read_batch(pb.SignalBatch.FromString(data))
    except DecodeError as error:
        raise Poison("CORRUPT_PAYLOAD", "these bytes are not a SignalBatch") from error


def fact_write(zone: str, trend: Trend, expected: int, position: int) -> Write:
    """The message of a fact."""
    headers = {
        EVENT: f"trend.{trend.event.lower()}",
        CORRELATION: trend.trend_id,
        CAUSE: revision(stream_name(Stream.SIGNALS, zone), position),
    }
    data = encode(trend, pb.Trend).SerializeToString()
    return Write(trend_subject(zone, trend.trend_id), data, headers, expected)


def read_fact(zone: str, message: Message) -> Recorded:
    """A fact from the log. Raises `Poison(CORRUPT_PAYLOAD)`."""
    try:
        trend = decode(pb.Trend.FromString(message.data), Trend)
        cause = message.headers.get(CAUSE, "")
        position = sequence_of(cause, stream_name(Stream.SIGNALS, zone), CAUSE)
    except (DecodeError, Rejected, ValueError) as error:
        raise Poison("CORRUPT_PAYLOAD", f"{message.subject} {message.sequence}: {error}") from error
    return Recorded(trend, message.sequence, position)
