"""What each fact of a running and an ending alliance changes in the state.

One function per fact, named like it; `evolve` calls them and adds what all have in common.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from lianmeng.alliance import facts as f
from lianmeng.alliance.edits import with_invitations, with_tasks, without_firms, wound_down
from lianmeng.alliance.members import Attention, InvitationState, TaskState
from lianmeng.alliance.state import AllianceState, State
from lianmeng.alliance.tasks import open_ready


def activated(state: AllianceState, fact: f.Activated, time: datetime) -> AllianceState:
    """The contract is in force; rounds of repair start from nothing again."""
    return replace(
        state,
        state=State.ACTIVE,
        reason="",
        round=0,
        contract_sha256=fact.contract_sha256,
        tasks=fact.tasks,
        activated_time=state.activated_time or time,
        formation_deadline_time=None,
    )


def task_reported(state: AllianceState, fact: f.TaskReported, time: datetime) -> AllianceState:
    """The member was heard of; DONE and FAILED change the task."""
    heard: dict[str, Any] = {"heard_time": time, "note": fact.note, "attention": None}
    match fact.kind:
        case f.ReportKind.DONE:
            heard |= {
                "state": TaskState.REPORTED,
                "reported_units": fact.units,
                "reported_time": time,
            }
        case f.ReportKind.FAILED:
            heard |= {"state": TaskState.FAILED, "reported_time": time}
        case f.ReportKind.PROGRESS:
            pass
    return replace(state, tasks=with_tasks(state.tasks, {fact.task_id}, **heard))


def task_accepted(state: AllianceState, fact: f.TaskAccepted, time: datetime) -> AllianceState:
    """The task is done, and what waited for it can begin."""
    tasks = with_tasks(
        state.tasks,
        {fact.task_id},
        state=TaskState.ACCEPTED,
        accepted_units=fact.units,
        accepted_time=time,
    )
    return replace(state, tasks=open_ready(tasks, time))


def member_at_risk(state: AllianceState, fact: f.MemberAtRisk, _time: datetime) -> AllianceState:
    """The tasks remember that their member is at risk."""
    return replace(
        state,
        tasks=with_tasks(state.tasks, set(fact.task_ids), attention=Attention.AT_RISK),
    )


def member_failed(state: AllianceState, fact: f.MemberFailed, time: datetime) -> AllianceState:
    """All that the firm has not reported fails; what it reported can still be accepted."""
    open_states = (TaskState.WAITING, TaskState.OPEN)
    own = {t.task_id for t in state.tasks if t.firm_id == fact.firm_id and t.state in open_states}
    invitations = [i.invitation_id for i in state.invitations if i.firm_id == fact.firm_id]
    failed = replace(
        state,
        tasks=with_tasks(state.tasks, own, state=TaskState.FAILED),
        invitations=with_invitations(state, invitations, InvitationState.FAILED, time),
        reason=f"MEMBER_FAILED {fact.reason}",
    )
    return without_firms(failed, [fact.firm_id])


def winding_down(state: AllianceState, fact: f.WindingDown, time: datetime) -> AllianceState:
    """No new work from here on."""
    return wound_down(state, fact.reason, fact.cancelled_task_ids, time)


def dissolved(state: AllianceState, fact: f.Dissolved, _time: datetime) -> AllianceState:
    """Settled: it ends, and only residual obligations outlive it."""
    return replace(
        state,
        state=State.DISSOLVED,
        reason=str(fact.reason),
        dissolution_reason=fact.reason,
        statement=fact.statement,
        residual_obligations_until_time=fact.residual_obligations_until_time,
    )
