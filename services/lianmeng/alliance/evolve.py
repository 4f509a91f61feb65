"""From a state and a fact to the next state: pure, and the only way a state changes.

One small function per fact (in `forming` and `running`) says what the fact changes; `evolve`
adds what all have in common: the check against the table, the count, the command's mark, the
deadline. Given the facts alone it rebuilds every stored state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from lianmeng.alliance import facts as f
from lianmeng.alliance import forming, running, states
from lianmeng.alliance.deadlines import earliest
from lianmeng.alliance.members import CommandMark
from lianmeng.alliance.state import AllianceState, State


def evolve(
    state: AllianceState | None, fact: f.Fact, time: datetime, by: str
) -> AllianceState | None:
    """The state after `fact`, which happened at `time` (story time), caused by `by`.

    None only for a fence before the first fact. Raises `states.IllegalTransition`.
    """
    if isinstance(fact, f.Fenced):
        return state
    if isinstance(fact, f.DemandAccepted):
        nxt = _demand_accepted(state, fact, time)
    else:
        nxt = _apply(state, fact, time)
    source = state.state if state else None
    states.check(nxt.alliance_id, f.name_of(fact), source, nxt.state)
    return _finish(nxt, fact, time, by)


def _apply(state: AllianceState | None, fact: f.Fact, time: datetime) -> AllianceState:
    if state is None:
        raise states.IllegalTransition("?", f.name_of(fact), None, State.MATCHING)
    return _CHANGES[type(fact)](state, fact, time)


def _finish(state: AllianceState, fact: f.Fact, time: datetime, by: str) -> AllianceState:
    command = getattr(fact, "command_id", "") or (
        fact.demand.command_id if isinstance(fact, f.DemandAccepted) else ""
    )
    mark = (CommandMark(principal_id=by, command_id=command, fact=f.name_of(fact)),)
    counted = replace(
        state,
        fact_count=state.fact_count + 1,
        commands=state.commands + mark if command else state.commands,
        closed_time=time if state.state in states.TERMINAL else None,
    )
    deadline = earliest(counted)
    if deadline is None:
        return replace(counted, deadline_time=None, deadline_reason="")
    return replace(counted, deadline_time=deadline.time, deadline_reason=deadline.reason)


def _demand_accepted(
    state: AllianceState | None, fact: f.DemandAccepted, time: datetime
) -> AllianceState:
    if state is not None:
        name = f.name_of(fact)
        raise states.IllegalTransition(state.alliance_id, name, state.state, State.MATCHING)
    return AllianceState(
        alliance_id=fact.demand.demand_id,
        state=State.MATCHING,
        demand=fact.demand,
        limits=fact.limits,
        created_time=time,
    )


_CHANGES: dict[type, Callable[[AllianceState, Any, datetime], AllianceState]] = {
    f.NoPlan: forming.no_plan,
    f.RematchDue: forming.rematch_due,
    f.Infeasible: forming.infeasible,
    f.Proposed: forming.proposed,
    f.ApprovalRequested: forming.approval_requested,
    f.ApprovalGranted: forming.approval_granted,
    f.ApprovalRefused: forming.approval_refused,
    f.Invited: forming.invited,
    f.Reminded: forming.reminded,
    f.Accepted: forming.accepted,
    f.Declined: forming.declined,
    f.Expired: forming.expired,
    f.RepairRequested: forming.repair_requested,
    f.Repaired: forming.repaired,
    f.Activated: running.activated,
    f.TaskReported: running.task_reported,
    f.TaskAccepted: running.task_accepted,
    f.MemberAtRisk: running.member_at_risk,
    f.MemberFailed: running.member_failed,
    f.WindingDown: running.winding_down,
    f.Dissolved: running.dissolved,
    f.FormationFailed: forming.formation_failed,
}


def replay(history: Iterable[tuple[f.Fact, datetime, str]]) -> AllianceState | None:
    """The state that facts, their times and their authors lead to, from nothing."""
    state: AllianceState | None = None
    for fact, time, by in history:
        state = evolve(state, fact, time, by)
    return state
