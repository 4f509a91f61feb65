"""What people may do with an alliance: a command becomes a fact, or is refused with a reason.

Pure: signatures are verified, and repeated commands are answered, before these are asked.
All raise `Rejected`.
"""

from __future__ import annotations

from datetime import datetime

from lianmeng.alliance import facts as f
from lianmeng.alliance.members import (
    Approval,
    DissolutionReason,
    Invitation,
    InvitationState,
    SignedStatement,
    Task,
    TaskState,
)
from lianmeng.alliance.state import AllianceState, State
from lianmeng.alliance.states import FORMING, TERMINAL, allows
from lianmeng.alliance.tasks import frozen_tasks
from lianmeng.kernel.errors import Rejected, Status


def _refuse(reason: str, message: str, zh: str, field: str = "", hint: str = "") -> Rejected:
    status = {
        "NOT_FOUND": Status.NOT_FOUND,
        "NOT_YOURS": Status.PERMISSION_DENIED,
        "OUT_OF_RANGE": Status.INVALID_ARGUMENT,
    }.get(reason, Status.FAILED_PRECONDITION)
    return Rejected(
        reason=reason, message=message, message_zh=zh, field=field, hint=hint, status=status
    )


def accept(
    state: AllianceState,
    invitation_id: str,
    version: int,
    firm_id: str,
    acceptance: SignedStatement,
    command_id: str,
    now: datetime,
) -> f.Accepted:
    """Yes. Too late a yes (expired, taken back) is kept as `late`: the firm becomes a standby."""
    invitation = _invitation(state, invitation_id, version, firm_id)
    late = not _answerable(state, invitation, now)
    if late and firm_id in state.willing_firm_ids:
        raise _answered(invitation)
    if late and not allows("accepted", state.state):
        raise _wrong_state(state, "accept")
    return f.Accepted(
        invitation_id=invitation_id,
        version=version,
        firm_id=firm_id,
        acceptance=acceptance,
        late=late,
        command_id=command_id,
    )


def decline(
    state: AllianceState,
    invitation_id: str,
    version: int,
    firm_id: str,
    reason: str,
    command_id: str,
    now: datetime,
) -> f.Declined:
    """No; final. Nobody needs to decline what has expired."""
    invitation = _invitation(state, invitation_id, version, firm_id)
    if not _answerable(state, invitation, now):
        raise _refuse(
            "INVITATION_EXPIRED",
            "the invitation can no longer be answered",
            "该邀请已不能再答复",
            hint="nothing needs to be done",
        )
    return f.Declined(
        invitation_id=invitation_id,
        version=version,
        firm_id=firm_id,
        reason=reason,
        command_id=command_id,
    )


def _invitation(state: AllianceState, invitation_id: str, version: int, firm_id: str) -> Invitation:
    found = next((i for i in state.invitations if i.invitation_id == invitation_id), None)
    if found is None or found.firm_id != firm_id:
        raise _refuse(
            "NOT_FOUND", "no such invitation of this firm", "没有这份邀请", field="invitation_id"
        )
    if version != found.version:
        raise _refuse(
            "INVITATION_SUPERSEDED",
            f"the invitation is at version {found.version}",
            f"该邀请已更新到第 {found.version} 版",
            field="version",
            hint="read the invitation again",
        )
    if found.state in (InvitationState.ACCEPTED, InvitationState.DECLINED):
        raise _answered(found)
    if found.state is InvitationState.FAILED:
        raise _wrong_state(state, "answer")
    return found


def _answered(invitation: Invitation) -> Rejected:
    return _refuse(
        "ALREADY_ANSWERED",
        f"the invitation was answered before ({invitation.state})",
        "该邀请已经答复过，答复不可更改",
        hint="answers are final",
    )


def _answerable(state: AllianceState, invitation: Invitation, now: datetime) -> bool:
    return (
        invitation.state is InvitationState.PENDING
        and now < invitation.expires_time
        and allows("declined", state.state)
    )


def _wrong_state(state: AllianceState, what: str) -> Rejected:
    return _refuse(
        "WRONG_STATE",
        f"cannot {what} while the alliance is {state.state}",
        f"联盟处于 {state.state} 状态，不能进行此操作",
    )


def _task(state: AllianceState, task_id: str) -> Task:
    found = next((task for task in state.tasks if task.task_id == task_id), None)
    if found is None:
        raise _refuse("NOT_FOUND", f"no task {task_id!r}", f"没有任务 {task_id!r}", "task_id")
    return found


def report_task(
    state: AllianceState,
    task_id: str,
    firm_id: str,
    kind: f.ReportKind,
    units: int,
    note: str,
    command_id: str,
) -> f.TaskReported:
    """A member's word on its own open task. DONE with 0 units means all of it."""
    task = _task(state, task_id)
    if task.firm_id != firm_id:
        raise _refuse("NOT_YOURS", "the task is another firm's", "这是其他企业的任务", "task_id")
    if task.state is not TaskState.OPEN or not allows("task_reported", state.state):
        raise _refuse(
            "WRONG_STATE",
            f"the task is {task.state}",
            f"任务处于 {task.state} 状态，不能报告",
            field="task_id",
            hint="only an OPEN task can be reported on",
        )
    _check_units(units, task.units)
    done = units or (task.units if kind is f.ReportKind.DONE else 0)
    return f.TaskReported(
        task_id=task_id, firm_id=firm_id, kind=kind, units=done, note=note, command_id=command_id
    )


def _check_units(units: int, most: int) -> None:
    if not 0 <= units <= most:
        raise _refuse(
            "OUT_OF_RANGE",
            f"{units} is not between 0 and {most}",
            f"数量 {units} 应在 0 到 {most} 之间",
            field="units",
        )


def accept_task(
    state: AllianceState, task_id: str, firm_id: str, units: int, command_id: str
) -> f.TaskAccepted:
    """The receiver's word on a reported task. 0 units means all that were reported."""
    task = _task(state, task_id)
    if task.receiver_firm_id != firm_id:
        raise _refuse(
            "NOT_YOURS", "another firm accepts this task", "该任务由其他企业验收", "task_id"
        )
    if task.state is not TaskState.REPORTED or not allows("task_accepted", state.state):
        raise _refuse(
            "WRONG_STATE",
            f"the task is {task.state}",
            f"任务处于 {task.state} 状态，不能验收",
            field="task_id",
            hint="only a REPORTED task can be accepted",
        )
    _check_units(units, task.reported_units)
    return f.TaskAccepted(
        task_id=task_id,
        units=units or task.reported_units,
        by="RECEIVER",
        command_id=command_id,
    )


def approve(
    state: AllianceState,
    by: str,
    risk_report_hash: str,
    note: str,
    command_id: str,
    now: datetime,
) -> f.ApprovalGranted:
    """A manager's yes to the plan whose report it has read."""
    _awaiting(state, now)
    if risk_report_hash != state.risk_report_hash:
        raise _refuse(
            "RISK_REPORT_HASH",
            "this is not the hash of the current risk report",
            "风险报告的哈希值与当前报告不符",
            field="risk_report_hash",
            hint=f"read the current report and send {state.risk_report_hash}",
        )
    value = state.plan.committed_value_fen if state.plan else 0
    approval = Approval(
        by=by, value_fen=value, risk_report_hash=risk_report_hash, time=now, note=note
    )
    return f.ApprovalGranted(approval=approval, command_id=command_id)


def reject(
    state: AllianceState, by: str, note: str, command_id: str, now: datetime
) -> f.ApprovalRefused:
    """A manager's no."""
    _awaiting(state, now)
    return f.ApprovalRefused(reason="MANAGER", by=by, note=note, command_id=command_id)


def _awaiting(state: AllianceState, now: datetime) -> None:
    expires = state.approval_deadline_time
    if state.state is not State.AWAITING_APPROVAL or expires is None or now >= expires:
        raise _wrong_state(state, "decide")


def dissolve(state: AllianceState, by: str, note: str, command_id: str, now: datetime) -> f.Fact:
    """An order to end: before the first contract the formation fails, afterwards it winds down."""
    if state.state in TERMINAL or state.state is State.WINDING_DOWN:
        raise _wrong_state(state, "dissolve")
    if state.state in FORMING and state.activated_time is None:
        return f.FormationFailed(reason="MANAGER_ORDER", by=by, command_id=command_id)
    return f.WindingDown(
        reason=DissolutionReason.MANAGER_ORDER,
        cancelled_task_ids=frozen_tasks(state, now),
        by=by,
        note=note,
        command_id=command_id,
    )
