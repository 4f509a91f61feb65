"""The read model of trends: each as of its last fact, by id and newest first."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import DecodeError
from redis.asyncio import Redis

from lianmeng.kernel.errors import Poison
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.messages import Message
from lianmeng.runtime.subjects import trend_subject
from lianmeng.runtime.views import Page, Put, View
from lianmeng.v1 import trend_pb2 as pb

LISTED = "listed"
"""Term of the documents that a list shows."""

_AFTER_ALL = 10**12
"""Later than any start, seconds: documents sort by what remains, so the newest come first."""


def trend_view(memory: Redis, log: Log, zone: str) -> View:
    """The view of a zone's trends; run it as a task."""
    return View(memory, log, "trend.trends", [trend_subject(zone, "*")], _project)


async def find_trends(
    view: View, terms: Iterable[str], after: str, limit: int, min_revision: str
) -> Page:
    """A page of trends that have all `terms`, newest first. Raises as `View.find`."""
    return await view.find(LISTED, *terms, after=after, limit=limit, min_revision=min_revision)


def terms_of(
    kind: pb.TrendKind.ValueType, phase: pb.TrendPhase.ValueType, market: str
) -> tuple[str, ...]:
    """What a trend is found by; values that are not set are left out."""
    terms = []
    if kind:
        terms.append(f"kind:{pb.TrendKind.Name(kind)}")
    if phase:
        terms.append(f"phase:{pb.TrendPhase.Name(phase)}")
    if market:
        terms.append(f"market:{market}")
    return tuple(terms)


def _project(message: Message) -> Iterable[Put]:
    try:
        trend = pb.Trend.FromString(message.data)
    except DecodeError as error:
        raise Poison("CORRUPT_PAYLOAD", str(error)) from error
    place = f"{_AFTER_ALL - trend.start_time.seconds:013d}.{trend.trend_id}"
    terms = (LISTED, *terms_of(trend.kind, trend.phase, trend.market))
    return [Put(trend.trend_id, message.data), Put(place, message.data, terms)]
