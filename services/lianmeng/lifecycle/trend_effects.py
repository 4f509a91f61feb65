"""What the course of a trend does to the alliance that it formed.

Collapse is this service's judgement, not the trend's: the remaining P50 lies below a share of
the uncommitted quantity in two updates at least some hours apart, without one in between that
says otherwise. A trend that is OVER counts as collapsed. Uncommitted is what nobody has begun to
make or to release; where everything is covered or under way, a collapse changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lianmeng.alliance import facts as f
from lianmeng.alliance.members import DissolutionReason
from lianmeng.alliance.state import AllianceState, State
from lianmeng.alliance.states import FORMING, allows
from lianmeng.alliance.tasks import frozen_tasks
from lianmeng.kernel.money import BASIS
from lianmeng.kernel.trends import Trend, TrendEvent


@dataclass(frozen=True, slots=True)
class CollapseRule:
    """`share_bp`: P50 below this share (basis points) is low; `gap`: for at least this long."""

    share_bp: int
    gap: timedelta


def effect(
    state: AllianceState, history: Sequence[Trend], rule: CollapseRule, now: datetime
) -> f.Fact | None:
    """The fact that the trend's `history` (oldest first) calls for now; None: nothing."""
    units = uncommitted_units(state, now)
    if units == 0 or not has_collapsed(history, units, rule):
        return None
    if state.state in FORMING and state.activated_time is None:
        return f.FormationFailed(reason="DEMAND_COLLAPSED")
    if not allows("winding_down", state.state):
        return None
    return f.WindingDown(
        reason=DissolutionReason.DEMAND_COLLAPSED, cancelled_task_ids=frozen_tasks(state, now)
    )


def uncommitted_units(state: AllianceState, now: datetime) -> int:
    """Units that nobody has begun to make or to release.

    Without a plan it is the P50 of the demand; before the contract all of the plan.
    """
    if state.plan is None:
        return sum(market.band.p50_units for market in state.demand.markets)
    if state.activated_time is None:
        return state.plan.planned_units
    frozen = set(frozen_tasks(state, now))
    refs = {task.ref_id for task in state.tasks if task.task_id in frozen}
    made = sum(lot.units for lot in state.plan.lots if lot.lot_id in refs)
    stock = {lot.lot_id for lot in state.plan.lots if lot.source == "STOCK"}
    released = sum(
        s.units for s in state.plan.shipments if s.shipment_id in refs and s.lot_id in stock
    )
    return made + released


def has_collapsed(history: Sequence[Trend], units: int, rule: CollapseRule) -> bool:
    """Whether the last updates of a trend are low for `units`, for long enough."""
    if not history:
        return False
    newest = history[-1]
    if newest.event is TrendEvent.OVER:
        return True
    low_since: datetime | None = None
    for trend in reversed(history):
        if trend.demand_window.p50_units * BASIS >= units * rule.share_bp:
            break
        low_since = trend.as_of_time
    return low_since is not None and newest.as_of_time - low_since >= rule.gap


def asks_for_rematch(state: AllianceState, newest: Trend) -> bool:
    """Whether a new forecast may give a plan where there was none."""
    waits = state.state is State.MATCHING and bool(state.reason)
    return waits and newest.forecast_version > state.demand.forecast_version
