"""The matcher's gRPC service: people's demands, and what-if."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc.aio

from lianmeng.alliance.demand import Demand
from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.ids import require_id
from lianmeng.kernel.money import FxRate
from lianmeng.matcher.demand import DemandWish, of_wish
from lianmeng.matcher.follow import PoolView
from lianmeng.matcher.outcome import Missing
from lianmeng.matcher.service import Matcher
from lianmeng.runtime.auth import Caller, current_caller
from lianmeng.runtime.codec import decode, encode
from lianmeng.runtime.revisions import revision
from lianmeng.runtime.subjects import Stream, stream_name
from lianmeng.v1 import alliance_pb2, matcher_pb2, matcher_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class MatcherRpc(matcher_pb2_grpc.MatcherServiceServicer):
    """Proto ↔ domain. Errors are raised; the server answers them."""

    def __init__(
        self,
        matcher: Matcher,
        pool: PoolView,
        zone: str,
        clock: Clock,
        rates: Mapping[str, FxRate],
    ) -> None:
        self._matcher = matcher
        self._pool = pool
        self._zone = zone
        self._clock = clock
        self._rates = rates

    async def SubmitDemand(
        self, request: matcher_pb2.SubmitDemandRequest, _context: Context
    ) -> matcher_pb2.SubmitDemandResponse:
        """See the contract."""
        caller = current_caller()
        command = require_id(request.command_id, "command_id")
        demand = self._demand(request.demand, caller, command)
        loaded = await self._matcher.accept(demand, caller.principal_id)
        stream = stream_name(Stream.ALLIANCES, self._zone)
        return matcher_pb2.SubmitDemandResponse(
            alliance_id=loaded.alliance_id, revision=revision(stream, loaded.sequence)
        )

    async def WhatIf(
        self, request: matcher_pb2.WhatIfRequest, _context: Context
    ) -> matcher_pb2.WhatIfResponse:
        """See the contract."""
        demand = self._demand(request.demand, current_caller(), "what-if")
        outcome = await self._matcher.what_if(demand)
        if isinstance(outcome, Missing):
            return matcher_pb2.WhatIfResponse(
                reason=outcome.reason,
                relaxations=outcome.relaxations,
                excluded=[encode(count, alliance_pb2.ReasonCount) for count in outcome.excluded],
            )
        return matcher_pb2.WhatIfResponse(plan=encode(outcome.plan, alliance_pb2.Plan))

    def _demand(self, wish: matcher_pb2.DemandWish, caller: Caller, command_id: str) -> Demand:
        said = _wish(wish)
        return of_wish(
            said,
            self._pool.product(said.product_id),
            self._zone,
            caller.principal_id,
            command_id,
            self._clock.now(),
            self._rates,
        )


def _wish(message: matcher_pb2.DemandWish) -> DemandWish:
    try:
        return decode(message, DemandWish)
    except ValueError as error:  # a band that is not one
        raise Rejected(
            reason="OUT_OF_RANGE",
            field="demand.markets.band",
            message=str(error),
            hint="0 <= p10 <= p50 <= p90",
            message_zh="数量区间应满足 0 ≤ P10 ≤ P50 ≤ P90",
        ) from error
