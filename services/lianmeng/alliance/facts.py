"""The facts of an alliance, a closed list. Each says what happened, in the past tense.

Field meanings, units and zeros: `proto/lianmeng/v1/alliance.proto`, equal by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lianmeng.alliance.demand import Demand, Limits
from lianmeng.alliance.members import (
    Approval,
    DissolutionReason,
    Invitation,
    RepairRequest,
    SignedStatement,
    Statement,
    Task,
    TaskOutcome,
)
from lianmeng.alliance.plan import Plan, ReasonCount


class ReportKind(StrEnum):
    """What a report says."""

    PROGRESS = "PROGRESS"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandAccepted:
    """A demand is accepted; a plan is looked for."""

    demand: Demand
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPlan:
    """There is no plan now."""

    reason: str
    relaxations: tuple[str, ...] = ()
    rematch_time: datetime | None = None
    excluded: tuple[ReasonCount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A plan stands and holds its capacity."""

    plan: Plan
    risk_report: bytes
    risk_report_hash: str
    hold_until_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequested:
    """A zone manager is asked."""

    reasons: tuple[str, ...] = ()
    value_fen: int
    expires_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalGranted:
    """A zone manager said yes."""

    approval: Approval
    command_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRefused:
    """A zone manager said no, or nothing in time."""

    reason: str
    by: str = ""
    note: str = ""
    command_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """Firms are invited."""

    invitations: tuple[Invitation, ...] = ()
    formation_deadline_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    """Reminders went out."""

    invitation_ids: tuple[str, ...] = ()
    task_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A firm said yes."""

    invitation_id: str
    version: int
    firm_id: str
    acceptance: SignedStatement
    late: bool = False
    command_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """A firm said no."""

    invitation_id: str
    version: int
    firm_id: str
    reason: str = ""
    command_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """Invitations expired."""

    invitation_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairRequested:
    """The matcher is asked to replace members; what they held is free."""

    repair: RepairRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """The matcher replaced them."""

    plan: Plan
    risk_report: bytes
    risk_report_hash: str
    hold_until_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RematchDue:
    """The matcher should try again."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Activated:
    """All members have accepted; the contract is in force."""

    contract_sha256: str
    tasks: tuple[Task, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReported:
    """A member reports on a task."""

    task_id: str
    firm_id: str
    kind: ReportKind
    units: int = 0
    note: str = ""
    command_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAccepted:
    """A task is accepted."""

    task_id: str
    units: int
    by: str
    command_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberAtRisk:
    """A member is at risk."""

    firm_id: str
    task_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFailed:
    """A member has failed."""

    firm_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WindingDown:
    """No new work; what is in process is finished."""

    reason: DissolutionReason
    cancelled_task_ids: tuple[str, ...] = ()
    by: str = ""
    note: str = ""
    command_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dissolved:
    """Settled and ended; everything unconsumed is given back."""

    reason: DissolutionReason
    statement: Statement
    outcomes: tuple[TaskOutcome, ...] = ()
    residual_obligations_until_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FormationFailed:
    """Ended before it was active."""

    reason: str
    by: str = ""
    command_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Infeasible:
    """Ended, no plan until the window's end."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fenced:
    """Marker: an attempt whose outcome was unknown can no longer commit. Changes nothing."""

    attempt_id: str


Fact = (
    DemandAccepted
    | NoPlan
    | Proposed
    | ApprovalRequested
    | ApprovalGranted
    | ApprovalRefused
    | Invited
    | Reminded
    | Accepted
    | Declined
    | Expired
    | RepairRequested
    | Repaired
    | RematchDue
    | Activated
    | TaskReported
    | TaskAccepted
    | MemberAtRisk
    | MemberFailed
    | WindingDown
    | Dissolved
    | FormationFailed
    | Infeasible
    | Fenced
)
"""The closed list. The proto oneof names each by its class name in snake case."""


def name_of(fact: Fact) -> str:
    """The fact's name as in the proto oneof and the log events: `demand_accepted`."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in type(fact).__name__).lstrip("_")
