"""What an alliance does by itself: the one next fact that its state and the time call for.

Lifecycle asks again after each commit until the answer is None, so a redelivered message, a
late timer or a second process does nothing twice: level-triggered, not edge-triggered.
The matcher's facts (proposed, repaired, no_plan) and people's answers come from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from lianmeng.alliance import facts as f
from lianmeng.alliance.contract import annex, contract_hash, sha256
from lianmeng.alliance.deadlines import Deadline, deadlines, of_task
from lianmeng.alliance.demand import Limits
from lianmeng.alliance.members import (
    DissolutionReason,
    Invitation,
    InvitationState,
    RepairRequest,
    Task,
    TaskState,
)
from lianmeng.alliance.membership import (
    active_members,
    broken_refs,
    has_accepted,
    invitation_of,
    members,
)
from lianmeng.alliance.plan import Plan
from lianmeng.alliance.settlement import outcomes, statement
from lianmeng.alliance.state import AllianceState, State
from lianmeng.alliance.tasks import frozen_tasks, plan_tasks, unfinished
from lianmeng.kernel.ids import derive
from lianmeng.kernel.money import share

Rule = Callable[[AllianceState, datetime], f.Fact | None]
"""A rule looks at one thing and answers with a fact, or with None where it has nothing to say."""


def next_fact(state: AllianceState, now: datetime) -> f.Fact | None:
    """The fact that is due in `state` at `now` (story time), or None: nothing to do."""
    for rule in RULES.get(state.state, ()):
        fact = rule(state, now)
        if fact is not None:
            return fact
    return None


def _due(state: AllianceState, now: datetime, reason: str) -> bool:
    return any(d.reason == reason and d.time <= now for d in deadlines(state))


# matching


def _infeasible(state: AllianceState, now: datetime) -> f.Fact | None:
    if now < state.demand.window_end_time:
        return None
    return f.Infeasible(reason=state.reason or "WINDOW_CLOSED")


def _rematch(state: AllianceState, now: datetime) -> f.Fact | None:
    return f.RematchDue(reason="TIME") if _due(state, now, "REMATCH") else None


# forming


def _window_closed(state: AllianceState, now: datetime) -> f.Fact | None:
    if now < state.demand.window_end_time:
        return None
    if state.activated_time is None:
        return f.FormationFailed(reason="WINDOW_CLOSED")
    if not _due(state, now, "WINDOW_CLOSES"):
        return None
    return _wind_down(state, now, DissolutionReason.WINDOW_CLOSED)


def _formation_limit(state: AllianceState, now: datetime) -> f.Fact | None:
    if not _due(state, now, "FORMATION_LIMIT"):
        return None
    return _give_up(state, now, "FORMATION_LIMIT")


def _give_up(state: AllianceState, now: datetime, reason: str) -> f.Fact:
    if state.activated_time is None:
        return f.FormationFailed(reason=reason)
    return _wind_down(state, now, DissolutionReason.MEMBER_FAILURE)


def _wind_down(state: AllianceState, now: datetime, reason: DissolutionReason) -> f.WindingDown:
    return f.WindingDown(reason=reason, cancelled_task_ids=frozen_tasks(state, now))


def major_reasons(plan: Plan, limits: Limits) -> tuple[str, ...]:
    """Named rules that make a plan major; empty: it is minor and needs no human decision."""
    major = plan.committed_value_fen >= limits.major_value_fen
    return ("COMMITTED_VALUE",) if major else ()


def _approval(state: AllianceState, now: datetime) -> f.Fact | None:
    """Asks when the plan is major and no approval reaches as far as its value."""
    plan = state.plan
    if plan is None or broken_refs(state):
        return None
    reasons = major_reasons(plan, state.limits)
    if not reasons or plan.committed_value_fen <= _approved_fen(state):
        return None
    expires = now + timedelta(hours=state.limits.approval_hours)
    return f.ApprovalRequested(
        reasons=reasons,
        value_fen=plan.committed_value_fen,
        expires_time=min(expires, state.demand.window_end_time),
    )


def _approved_fen(state: AllianceState) -> int:
    if state.approval is None:
        return 0
    value = state.approval.value_fen
    return value + share(value, state.limits.approval_tolerance_bp)


def _approval_expired(state: AllianceState, now: datetime) -> f.Fact | None:
    timed_out = _due(state, now, "APPROVAL_EXPIRES")
    return f.ApprovalRefused(reason="TIMED_OUT") if timed_out else None


def _invite(state: AllianceState, now: datetime) -> f.Fact | None:
    """Invites every member whose current terms it has not been sent; nobody twice."""
    if state.plan is None or state.repair is not None or broken_refs(state):
        return None
    new = tuple(
        invitation
        for firm in active_members(state)
        if (invitation := _invitation(state, state.plan, firm, now)) is not None
    )
    if not new:
        return None
    limit = now + timedelta(hours=state.limits.formation_hours)
    return f.Invited(
        invitations=new,
        formation_deadline_time=state.formation_deadline_time or limit,
    )


def _invitation(state: AllianceState, plan: Plan, firm: str, now: datetime) -> Invitation | None:
    terms = sha256(annex(state.demand, plan, firm))
    last = invitation_of(state, firm)
    standing = (InvitationState.PENDING, InvitationState.ACCEPTED)
    if last is not None and last.annex_sha256 == terms and last.state in standing:
        return None
    patience = timedelta(hours=state.limits.invitation_hours)
    return Invitation(
        invitation_id=derive("i-", state.alliance_id, firm),
        version=last.version + 1 if last else 1,
        firm_id=firm,
        roles=members(plan)[firm],
        round=state.round + 1,
        annex_sha256=terms,
        sent_time=now,
        remind_time=now + patience / 2,
        expires_time=now + patience,
        state=InvitationState.PENDING,
    )


def _expire(state: AllianceState, now: datetime) -> f.Fact | None:
    gone = _pending(state, lambda i: i.expires_time <= now)
    return f.Expired(invitation_ids=gone) if gone else None


def _remind_invited(state: AllianceState, now: datetime) -> f.Fact | None:
    late = _pending(state, lambda i: i.remind_time <= now and not i.reminded)
    return f.Reminded(invitation_ids=late) if late else None


def _pending(state: AllianceState, which: Callable[[Invitation], bool]) -> tuple[str, ...]:
    return tuple(
        i.invitation_id
        for i in state.invitations
        if i.state is InvitationState.PENDING and which(i)
    )


def _unrepairable(state: AllianceState, now: datetime) -> f.Fact | None:
    return _give_up(state, now, state.unrepairable) if state.unrepairable else None


def _repair(state: AllianceState, now: datetime) -> f.Fact | None:
    """Asks the matcher to replace lost members, up to the limit of rounds."""
    broken = broken_refs(state)
    if not broken or _already_asked(state):
        return None
    if state.round >= state.limits.max_rounds:
        return _give_up(state, now, "ROUNDS_EXHAUSTED")
    lost = tuple(firm for firm in state.lost_firm_ids if _in_plan(state, firm))
    request = RepairRequest(
        round=state.round + 1,
        reason="MEMBER_FAILED" if state.activated_time else "MEMBER_DECLINED",
        lost_firm_ids=lost,
        locked_firm_ids=active_members(state),
    )
    return f.RepairRequested(repair=request)


def _already_asked(state: AllianceState) -> bool:
    """Whether the matcher works on just these losses; a further loss asks anew."""
    if state.repair is None:
        return False
    lost = {firm for firm in state.lost_firm_ids if _in_plan(state, firm)}
    return lost == set(state.repair.lost_firm_ids)


def _in_plan(state: AllianceState, firm: str) -> bool:
    return state.plan is not None and firm in members(state.plan)


def _activate(state: AllianceState, now: datetime) -> f.Fact | None:
    """The contract: when every member has accepted its current terms."""
    plan = state.plan
    if plan is None or state.repair is not None or broken_refs(state):
        return None
    if not all(has_accepted(state, firm) for firm in active_members(state)):
        return None
    return f.Activated(
        contract_sha256=contract_hash(state.demand, plan),
        tasks=plan_tasks(plan, state.tasks, now),
    )


# running


def _accept_reported(state: AllianceState, now: datetime) -> f.Fact | None:
    for task in state.tasks:
        if task.state is not TaskState.REPORTED:
            continue
        if task.receiver_firm_id == task.firm_id:
            return f.TaskAccepted(task_id=task.task_id, units=task.reported_units, by="OWN")
        if _task_due(state, task, now):
            return f.TaskAccepted(task_id=task.task_id, units=task.reported_units, by="SILENCE")
    return None


def _task_due(state: AllianceState, task: Task, now: datetime) -> Deadline | None:
    return next((d for d in of_task(task, state.limits) if d.time <= now), None)


def _silent_members(state: AllianceState, now: datetime) -> f.Fact | None:
    """Reminder, AT_RISK, FAILED: one step a call, for the first task that calls for it."""
    for task in state.tasks:
        due = _task_due(state, task, now) if task.state is TaskState.OPEN else None
        if due is None:
            continue
        if due.reason == "TASK_REMINDER":
            return f.Reminded(task_ids=(task.task_id,))
        if due.reason == "TASK_AT_RISK":
            return f.MemberAtRisk(firm_id=task.firm_id, task_ids=(task.task_id,))
        return f.MemberFailed(firm_id=task.firm_id, reason="SILENCE")
    return None


def _failed_report(state: AllianceState, _now: datetime) -> f.Fact | None:
    """A member that reported failure is lost for the rest of its work."""
    for task in state.tasks:
        if task.state is TaskState.FAILED and task.firm_id not in state.lost_firm_ids:
            return f.MemberFailed(firm_id=task.firm_id, reason="REPORTED")
    return None


def _completed(state: AllianceState, now: datetime) -> f.Fact | None:
    if unfinished(state.tasks):
        return None
    return _wind_down(state, now, DissolutionReason.TASKS_COMPLETED)


def _dissolve(state: AllianceState, now: datetime) -> f.Fact | None:
    """Settles once nothing is in process; a task that waits for a failed one never will be."""
    live = [task for task in unfinished(state.tasks) if not _stranded(state, task)]
    if live or state.dissolution_reason is None:
        return None
    return f.Dissolved(
        reason=state.dissolution_reason,
        statement=statement(state),
        outcomes=outcomes(state),
        residual_obligations_until_time=now + timedelta(days=state.limits.residual_days),
    )


def _stranded(state: AllianceState, task: Task) -> bool:
    dead = {t.task_id for t in state.tasks if t.state in (TaskState.FAILED, TaskState.CANCELLED)}
    return task.state is TaskState.WAITING and not dead.isdisjoint(task.depends_on)


RULES: dict[State, tuple[Rule, ...]] = {
    State.MATCHING: (_infeasible, _rematch),
    State.PROPOSED: (_window_closed, _approval, _invite),
    State.AWAITING_APPROVAL: (
        _window_closed,
        _approval_expired,
        _expire,
        _remind_invited,
        _accept_reported,
        _failed_report,
        _silent_members,
    ),
    State.INVITING: (
        _window_closed,
        _unrepairable,
        _formation_limit,
        _approval,
        _invite,
        _expire,
        _remind_invited,
        _repair,
        _activate,
    ),
    State.REPAIRING: (
        _window_closed,
        _unrepairable,
        _formation_limit,
        _approval,
        _invite,
        _expire,
        _remind_invited,
        _accept_reported,
        _failed_report,
        _silent_members,
        _repair,
        _activate,
    ),
    State.ACTIVE: (
        _accept_reported,
        _failed_report,
        _silent_members,
        _repair,
        _completed,
        _window_closed,
    ),
    State.WINDING_DOWN: (_accept_reported, _failed_report, _silent_members, _dissolve),
}
"""The rules of each living state, in the order in which they are asked."""
