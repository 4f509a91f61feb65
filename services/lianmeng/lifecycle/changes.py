"""What a fact changed for one firm: its invitation, and the tasks that it does or accepts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lianmeng.alliance.members import Invitation, InvitationState, Task, TaskState
from lianmeng.alliance.membership import invitation_of
from lianmeng.alliance.state import AllianceState
from lianmeng.alliance.states import TERMINAL, allows


@dataclass(frozen=True, slots=True)
class TaskFor:
    """A task and whether the firm is to accept it (otherwise: to do it)."""

    task: Task
    as_receiver: bool


def invitation_change(
    before: AllianceState | None, after: AllianceState, firm: str
) -> Invitation | None:
    """The firm's invitation, if the step from `before` to `after` made or changed it."""
    now = invitation_of(after, firm)
    was = invitation_of(before, firm) if before else None
    return now if now != was else None


def task_changes(
    before: AllianceState | None, after: AllianceState, firm: str
) -> Iterator[TaskFor]:
    """The firm's tasks that the step made or changed."""
    was = {task.task_id: task for task in before.tasks} if before else {}
    for found in tasks_of(after, firm):
        if was.get(found.task.task_id) != found.task:
            yield found


def tasks_of(state: AllianceState, firm: str) -> Iterator[TaskFor]:
    """All tasks that a firm does, and those of others that it accepts."""
    for task in state.tasks:
        if task.firm_id == firm:
            yield TaskFor(task, as_receiver=False)
        elif task.receiver_firm_id == firm:
            yield TaskFor(task, as_receiver=True)


def is_open_invitation(state: AllianceState, invitation: Invitation) -> bool:
    """Whether the firm can still answer."""
    return invitation.state is InvitationState.PENDING and allows("declined", state.state)


def is_open_task(state: AllianceState, found: TaskFor) -> bool:
    """Whether the firm can act on the task now."""
    wanted = TaskState.REPORTED if found.as_receiver else TaskState.OPEN
    return found.task.state is wanted and state.state not in TERMINAL
