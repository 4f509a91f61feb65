"""When an alliance that found no plan is matched again: new capacity, or a new forecast.

At most some times, and never sooner than some minutes after the last try; both are limits of
the alliance itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from lianmeng.alliance import facts as f
from lianmeng.alliance.demand import Demand
from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.state import AllianceState, State
from lianmeng.pool.nodes import Logistics, Manufacturing, Marketing, Node, NodeState

RELEASES = frozenset(
    {
        "alliance.dissolved",
        "alliance.formation_failed",
        "alliance.approval_refused",
        "alliance.winding_down",
        "alliance.repair_requested",
        "alliance.repaired",
    }
)
"""Events after which capacity may be free that was not before."""


def waits_for_capacity(state: AllianceState) -> bool:
    """Whether the matcher has found nothing and may be asked again."""
    tried = state.state is State.MATCHING and bool(state.reason)
    return tried and state.rematch_count < state.limits.rematch_max


def concerns(node: Node, demand: Demand) -> bool:
    """Whether a node could take part in this demand at all."""
    markets = {market.market for market in demand.markets}
    if node.state is not NodeState.ACTIVE:
        return False
    match node.capability:
        case Manufacturing(hs6=headings):
            return any(demand.product.hs6.startswith(heading) for heading in headings)
        case Logistics(lanes=lanes, warehouses=warehouses):
            served = {lane.market for lane in lanes} | {house.market for house in warehouses}
            return not markets.isdisjoint(served)
        case Marketing():
            return not markets.isdisjoint(node.capability.markets())


def shares_pool(one: Demand, other: Demand) -> bool:
    """Whether capacity that `one` gives back may serve `other`: same goods, or same market."""
    markets = {market.market for market in one.markets}
    same_market = any(market.market in markets for market in other.markets)
    return one.product.hs6 == other.product.hs6 or same_market


def earliest_rematch(
    state: AllianceState, history: Sequence[tuple[int, AllianceRecord]]
) -> datetime | None:
    """From when on the alliance may be matched again; None: it may not."""
    if not waits_for_capacity(state):
        return None
    tries = [
        record.time
        for _, record in history
        if isinstance(record.fact, f.DemandAccepted | f.NoPlan | f.RematchDue)
    ]
    return max(tries) + timedelta(minutes=state.limits.rematch_gap_minutes)
