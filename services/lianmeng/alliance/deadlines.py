"""When something will happen by itself: every timed rule of an alliance, as a pure function.

`policy` acts when one of these times has come; the log sets one timer at the earliest. Every
state that is not terminal has at least one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from lianmeng.alliance.demand import Limits
from lianmeng.alliance.members import Attention, InvitationState, Task, TaskState
from lianmeng.alliance.state import AllianceState, State
from lianmeng.alliance.states import TERMINAL
from lianmeng.alliance.tasks import TERMINAL as ENDED


@dataclass(frozen=True, slots=True, order=True)
class Deadline:
    """At `time` (story time), `reason` says what happens."""

    time: datetime
    reason: str


def earliest(state: AllianceState) -> Deadline | None:
    """The next deadline; None in terminal states only."""
    return None if state.state in TERMINAL else min(deadlines(state))


def deadlines(state: AllianceState) -> Iterator[Deadline]:
    """All deadlines of a living alliance, in no order."""
    if not (state.state is State.WINDING_DOWN or _window_is_history(state)):
        yield Deadline(state.demand.window_end_time, "WINDOW_CLOSES")
    if state.state is State.WINDING_DOWN:
        yield Deadline(winding_down_limit(state), "SETTLEMENT")
    if state.state is State.MATCHING and state.rematch_time:
        yield Deadline(state.rematch_time, "REMATCH")
    if state.approval_deadline_time:
        yield Deadline(state.approval_deadline_time, "APPROVAL_EXPIRES")
    if state.formation_deadline_time and state.state is not State.AWAITING_APPROVAL:
        yield Deadline(state.formation_deadline_time, "FORMATION_LIMIT")
    yield from _of_invitations(state)
    for task in state.tasks:
        yield from of_task(task, state.limits)


def _window_is_history(state: AllianceState) -> bool:
    """Everything left is reported: the window's end changes nothing any more."""
    found = {task.state for task in state.tasks}
    waits = TaskState.REPORTED in found and found.isdisjoint({TaskState.WAITING, TaskState.OPEN})
    return state.state is State.ACTIVE and waits


def _of_invitations(state: AllianceState) -> Iterator[Deadline]:
    for invitation in state.invitations:
        if invitation.state is InvitationState.PENDING:
            yield Deadline(invitation.expires_time, "INVITATION_EXPIRES")
            if not invitation.reminded:
                yield Deadline(invitation.remind_time, "INVITATION_REMINDER")


_NEXT: dict[Attention | None, str] = {
    None: "TASK_REMINDER",
    Attention.REMINDED: "TASK_AT_RISK",
    Attention.AT_RISK: "TASK_FAILS",
}


def of_task(task: Task, limits: Limits) -> Iterator[Deadline]:
    """The next deadline of one task: an overdue one grows worse, a reported one is accepted."""
    if task.state is TaskState.REPORTED and task.reported_time:
        silence = timedelta(hours=limits.silence_accepts_hours)
        yield Deadline(task.reported_time + silence, "TASK_ACCEPTED_BY_SILENCE")
    elif task.state is TaskState.OPEN:
        reason = _NEXT[task.attention]
        yield Deadline(quiet_since(task) + _patience(reason, limits), reason)


def quiet_since(task: Task) -> datetime:
    """From when silence counts against a task: its due time, its opening, or its last word."""
    return max(t for t in (task.due_time, task.opened_time, task.heard_time) if t is not None)


def _patience(reason: str, limits: Limits) -> timedelta:
    hours = {
        "TASK_REMINDER": limits.remind_hours,
        "TASK_AT_RISK": limits.at_risk_hours,
        "TASK_FAILS": limits.failed_hours,
    }[reason]
    return timedelta(hours=hours)


def winding_down_limit(state: AllianceState) -> datetime:
    """When the last unfinished task will have been accepted or will have failed, at the latest."""
    failed = timedelta(hours=state.limits.failed_hours)
    silence = timedelta(hours=state.limits.silence_accepts_hours)
    ends = [
        (task.reported_time or quiet_since(task) + failed) + silence
        for task in state.tasks
        if task.state not in ENDED
    ]
    return max([state.demand.window_end_time, *ends])
