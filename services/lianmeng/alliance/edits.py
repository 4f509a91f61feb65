"""Edits of a state that several facts share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from lianmeng.alliance.members import (
    DissolutionReason,
    Invitation,
    InvitationState,
    Task,
    TaskState,
)
from lianmeng.alliance.state import AllianceState, State


def with_tasks(tasks: tuple[Task, ...], ids: set[str], **changes: Any) -> tuple[Task, ...]:
    """The tasks, those with one of `ids` changed."""
    return tuple(replace(t, **changes) if t.task_id in ids else t for t in tasks)


def with_invitations(
    state: AllianceState, ids: Iterable[str], to: InvitationState, time: datetime, **changes: Any
) -> tuple[Invitation, ...]:
    """The invitations, those with one of `ids` closed as `to` at `time`."""
    wanted = set(ids)
    return tuple(
        replace(i, state=to, closed_time=time, **changes) if i.invitation_id in wanted else i
        for i in state.invitations
    )


def without_firms(state: AllianceState, firms: Iterable[str]) -> AllianceState:
    """The firms are out. What they have not reported is cancelled: they do not owe it any more."""
    out = tuple(firms)
    left = (TaskState.WAITING, TaskState.OPEN)
    owed = {t.task_id for t in state.tasks if t.firm_id in out and t.state in left}
    new = tuple(firm for firm in out if firm not in state.lost_firm_ids)
    return replace(
        state,
        lost_firm_ids=state.lost_firm_ids + new,
        tasks=with_tasks(state.tasks, owed, state=TaskState.CANCELLED),
    )


def without_pending(state: AllianceState, time: datetime) -> AllianceState:
    """Takes back every invitation that was not answered."""
    pending = [i.invitation_id for i in state.invitations if i.state is InvitationState.PENDING]
    return replace(
        state, invitations=with_invitations(state, pending, InvitationState.WITHDRAWN, time)
    )


def wound_down(
    state: AllianceState, reason: DissolutionReason, frozen: Iterable[str], time: datetime
) -> AllianceState:
    """No new work: `frozen` tasks are cancelled, open invitations are taken back."""
    wound = replace(
        state,
        state=State.WINDING_DOWN,
        reason=str(reason),
        dissolution_reason=reason,
        repair=None,
        tasks=with_tasks(state.tasks, set(frozen), state=TaskState.CANCELLED),
        formation_deadline_time=None,
        approval_deadline_time=None,
    )
    return without_pending(wound, time)
