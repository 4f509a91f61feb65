"""`TrendService` on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from lianmeng.kernel.codes import require_market
from lianmeng.kernel.errors import Rejected, Status
from lianmeng.runtime.codec import encode
from lianmeng.runtime.revisions import revision, sequence_of
from lianmeng.runtime.subjects import Stream, stream_name
from lianmeng.runtime.views import MAX_PAGE, View
from lianmeng.trend.door import Door
from lianmeng.trend.log import TrendStream
from lianmeng.trend.service import Detection
from lianmeng.trend.views import find_trends, terms_of
from lianmeng.v1 import trend_pb2 as pb
from lianmeng.v1.trend_pb2_grpc import TrendServiceServicer

DEFAULT_PAGE = 100


class TrendRpc(TrendServiceServicer):
    """The servicer. Batches go through the door; reads to the view; watches to the stream."""

    def __init__(
        self, door: Door, detection: Detection, view: View, trends: TrendStream, zone: str
    ) -> None:
        self._door = door
        self._detection = detection
        self._view = view
        self._trends = trends
        self._signals_name = stream_name(Stream.SIGNALS, zone)
        self._trends_name = stream_name(Stream.TRENDS, zone)

    async def IngestSignals(
        self, request: AsyncIterator[pb.IngestSignalsRequest], context: Any
    ) -> pb.IngestSignalsResponse:
        intake = self._door.intake()
        async for message in request:
            await intake.take(message.batch)
        return pb.IngestSignalsResponse(
            kept_batch_count=intake.kept_batches,
            kept_signal_count=intake.kept_signals,
            refused_batch_count=intake.refused_batches,
            errors=intake.errors,
            revision=revision(self._signals_name, intake.position) if intake.position else "",
        )

    async def GetTrend(self, request: pb.GetTrendRequest, context: Any) -> pb.GetTrendResponse:
        place = await self._settled(request.min_revision)
        data, seen = await self._view.get(request.trend_id, place)
        if data is None:
            raise _not_found(request.trend_id)
        return pb.GetTrendResponse(trend=pb.Trend.FromString(data), revision=seen)

    async def ListTrends(
        self, request: pb.ListTrendsRequest, context: Any
    ) -> pb.ListTrendsResponse:
        if request.market:
            require_market(request.market, "market")
        terms = terms_of(request.kind, request.phase, request.market)
        limit = _page_size(request.page_size)
        place = await self._settled(request.min_revision)
        page = await find_trends(self._view, terms, request.page_token, limit, place)
        return pb.ListTrendsResponse(
            trends=[pb.Trend.FromString(data) for data in page.documents],
            next_page_token=page.next,
            revision=page.revision,
        )

    async def WatchTrends(
        self, request: pb.WatchTrendsRequest, context: Any
    ) -> AsyncIterator[pb.WatchTrendsResponse]:
        after = sequence_of(request.after_revision, self._trends_name, "after_revision")
        if not request.after_revision:
            history = await self._trends.history()
            current = {fact.trend.trend_id: fact for fact in history}
            for fact in sorted(current.values(), key=lambda one: one.sequence):
                after = fact.sequence
                yield self._watched(fact.sequence, encode(fact.trend, pb.Trend))
        async with aclosing(self._trends.arriving(after + 1)) as facts:
            async for fact in facts:
                yield self._watched(fact.sequence, encode(fact.trend, pb.Trend))

    def _watched(self, sequence: int, trend: pb.Trend) -> pb.WatchTrendsResponse:
        return pb.WatchTrendsResponse(trend=trend, revision=revision(self._trends_name, sequence))

    async def _settled(self, min_revision: str) -> str:
        """A revision of TRENDS; that of a batch stands for all facts that follow from it."""
        if not min_revision.startswith(f"{self._signals_name}:"):
            return min_revision
        position = sequence_of(min_revision, self._signals_name)
        newest = await self._detection.applied(position)
        return revision(self._trends_name, newest) if newest else ""


def _page_size(asked: int) -> int:
    if 0 <= asked <= MAX_PAGE:
        return asked or DEFAULT_PAGE
    raise Rejected(
        reason="OUT_OF_RANGE",
        field="page_size",
        message=f"{asked} is no size of a page",
        hint=f"ask for 1 to {MAX_PAGE}, or 0 for {DEFAULT_PAGE}",
        message_zh=f"{asked} 不是合法的每页条数",
        hint_zh=f"请填 1 至 {MAX_PAGE}，或填 0（即 {DEFAULT_PAGE}）",
    )


def _not_found(trend_id: str) -> Rejected:
    return Rejected(
        reason="NOT_FOUND",
        field="trend_id",
        message=f"there is no trend {trend_id[:80]!r}",
        hint="check the id; ListTrends shows all trends",
        message_zh=f"没有趋势 {trend_id[:80]!r}",
        hint_zh="请核对编号；ListTrends 可列出全部趋势",
        status=Status.NOT_FOUND,
    )
