"""A command that comes again gets its first result, read from the record that it led to.

Every fact that a command led to carries the command's id, and the state keeps a mark of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from lianmeng.alliance import facts as f
from lianmeng.alliance.members import CommandMark, Task
from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.state import AllianceState
from lianmeng.kernel.errors import Rejected, Status

SIGNIFICANT: dict[type[f.Fact], tuple[str, ...]] = {
    f.Accepted: ("invitation_id", "version", "firm_id"),
    f.Declined: ("invitation_id", "version", "firm_id"),
    f.TaskReported: ("task_id", "firm_id", "kind"),
    f.TaskAccepted: ("task_id",),
    f.ApprovalGranted: (),
    f.ApprovalRefused: (),
    f.WindingDown: (),
    f.FormationFailed: (),
}
"""Facts of commands → the fields that a repeat must have in common with the first."""


def mark_of(state: AllianceState, principal_id: str, command_id: str) -> CommandMark | None:
    """The mark of a command that was carried out on this alliance before."""
    wanted = (principal_id, command_id)
    return next((m for m in state.commands if (m.principal_id, m.command_id) == wanted), None)


def first_record(
    history: Sequence[tuple[int, AllianceRecord]], principal_id: str, command_id: str
) -> tuple[int, AllianceRecord] | None:
    """The record of a command, with its sequence."""
    return next(
        (
            (sequence, record)
            for sequence, record in history
            if record.by == principal_id and getattr(record.fact, "command_id", "") == command_id
        ),
        None,
    )


def require_same(fact: f.Fact, wanted: tuple[type[f.Fact], ...], **said: object) -> None:
    """Raises `Rejected(COMMAND_REUSED)` unless `fact` is what this command would have led to."""
    same = isinstance(fact, wanted) and all(
        getattr(fact, name) == said[name] for name in SIGNIFICANT[type(fact)] if name in said
    )
    if not same:
        raise Rejected(
            reason="COMMAND_REUSED",
            field="command_id",
            message="this command id was used for something else",
            hint="choose a fresh command id for each command",
            message_zh="该命令编号已用于其他操作",
            hint_zh="每次操作请使用新的命令编号",
            status=Status.ALREADY_EXISTS,
        )


def task_of(state: AllianceState, task_id: str) -> Task:
    """The task of a state that is known to have it."""
    return next(task for task in state.tasks if task.task_id == task_id)
