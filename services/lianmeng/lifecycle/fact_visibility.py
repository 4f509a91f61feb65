"""Which facts of an alliance a firm hears of, and what is left out of them.

A firm hears of what happens to the alliance as a whole and to itself. What another firm was
offered, answered, reported or failed at is not told, unless the firm accepts that very task.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lianmeng.alliance import facts as f
from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.state import AllianceState
from lianmeng.lifecycle.visibility import (
    Viewer,
    may_see,
    plan_for,
    state_for,
    statement_for,
    tasks_for,
)


def record_for(record: AllianceRecord, viewer: Viewer) -> AllianceRecord | None:
    """The record as the viewer may see it; None = it is not told of it at all."""
    state = record.state
    if viewer.sees_all:
        return record
    if state is None or not may_see(state, viewer):
        return None
    fact = _fact_for(record.fact, state, viewer)
    if fact is None:
        return None
    by = record.by if record.by == viewer.principal_id else ""
    return replace(record, fact=fact, by=by, state=state_for(state, viewer))


def _fact_for(fact: f.Fact, state: AllianceState, viewer: Viewer) -> f.Fact | None:
    match fact:
        case f.Accepted() | f.Declined() | f.MemberAtRisk() | f.MemberFailed():
            return fact if fact.firm_id == viewer.firm_id else None
        case f.Invited() | f.Expired() | f.Reminded():
            return _of_own_ids(fact, state, viewer.firm_id)
        case f.TaskReported() | f.TaskAccepted():
            return _of_own_task(fact, state, viewer)
        case f.DemandAccepted() | f.Fenced():
            return None
        case _:
            hide = _HIDE.get(type(fact))
            return hide(fact, viewer) if hide else fact


def _of_own_ids(
    fact: f.Invited | f.Expired | f.Reminded, state: AllianceState, firm: str
) -> f.Fact | None:
    own = {i.invitation_id for i in state.invitations if i.firm_id == firm}
    if isinstance(fact, f.Invited):
        invitations = tuple(i for i in fact.invitations if i.firm_id == firm)
        return replace(fact, invitations=invitations) if invitations else None
    ids = tuple(i for i in fact.invitation_ids if i in own)
    if isinstance(fact, f.Expired):
        return replace(fact, invitation_ids=ids) if ids else None
    todo = {task.task_id for task in state.tasks if task.firm_id == firm}
    tasks = tuple(task for task in fact.task_ids if task in todo)
    return replace(fact, invitation_ids=ids, task_ids=tasks) if ids or tasks else None


def _of_own_task(
    fact: f.TaskReported | f.TaskAccepted, state: AllianceState, viewer: Viewer
) -> f.Fact | None:
    own = {task.task_id for task in tasks_for(state.tasks, viewer.firm_id)}
    return fact if fact.task_id in own else None


def _approval_hidden(fact: f.ApprovalGranted, _: Viewer) -> f.Fact:
    hidden = replace(fact.approval, by="", value_fen=0, risk_report_hash="", note="")
    return replace(fact, approval=hidden, command_id="")


def _plan_hidden(fact: f.Proposed | f.Repaired, viewer: Viewer) -> f.Fact:
    plan = plan_for(fact.plan, viewer.firm_id)
    return replace(fact, plan=plan, risk_report=b"", risk_report_hash="")


def _repair_hidden(fact: f.RepairRequested, _: Viewer) -> f.Fact:
    return replace(fact, repair=replace(fact.repair, lost_firm_ids=(), locked_firm_ids=()))


def _settlement_hidden(fact: f.Dissolved, viewer: Viewer) -> f.Fact:
    own = tuple(o for o in fact.outcomes if o.firm_id == viewer.firm_id)
    return replace(fact, statement=statement_for(fact.statement, viewer), outcomes=own)


_HIDE: dict[type[f.Fact], Callable[[Any, Viewer], f.Fact]] = {
    f.NoPlan: lambda fact, _: replace(fact, relaxations=(), excluded=()),
    f.Proposed: _plan_hidden,
    f.Repaired: _plan_hidden,
    f.ApprovalRequested: lambda fact, _: replace(fact, value_fen=0),
    f.ApprovalGranted: _approval_hidden,
    f.ApprovalRefused: lambda fact, _: replace(fact, by="", note="", command_id=""),
    f.RepairRequested: _repair_hidden,
    f.Activated: lambda fact, v: replace(fact, tasks=tasks_for(fact.tasks, v.firm_id)),
    f.WindingDown: lambda fact, _: replace(
        fact, cancelled_task_ids=(), by="", note="", command_id=""
    ),
    f.Dissolved: _settlement_hidden,
    f.FormationFailed: lambda fact, _: replace(fact, by="", command_id=""),
}
"""What all members hear, without the values, names and notes of others."""
