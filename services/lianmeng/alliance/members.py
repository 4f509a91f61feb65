"""What binds the members of an alliance: invitations, tasks, approval, statement.

Field meanings, units and zeros: `proto/lianmeng/v1/alliance.proto`, equal by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lianmeng.kernel.roles import Role


class InvitationState(StrEnum):
    """What became of an invitation."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedStatement:
    """What a firm signed, verbatim."""

    statement: bytes
    signature: bytes
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """The offer to one firm; its annex is what the plan gives this firm."""

    invitation_id: str
    version: int
    firm_id: str
    roles: tuple[Role, ...] = ()
    round: int
    annex_sha256: str
    sent_time: datetime
    remind_time: datetime
    expires_time: datetime
    reminded: bool = False
    state: InvitationState
    closed_time: datetime | None = None
    acceptance: SignedStatement | None = None
    decline_reason: str = ""


class TaskKind(StrEnum):
    """What a member has to do."""

    PRODUCE = "PRODUCE"
    SHIP = "SHIP"
    RELEASE_STOCK = "RELEASE_STOCK"
    CAMPAIGN = "CAMPAIGN"


class TaskState(StrEnum):
    """How far a task is."""

    WAITING = "WAITING"
    OPEN = "OPEN"
    REPORTED = "REPORTED"
    ACCEPTED = "ACCEPTED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Attention(StrEnum):
    """How worried the platform is about an overdue task."""

    REMINDED = "REMINDED"
    AT_RISK = "AT_RISK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One piece of work of one member."""

    task_id: str
    kind: TaskKind
    firm_id: str
    ref_id: str
    units: int
    depends_on: tuple[str, ...] = ()
    due_time: datetime
    receiver_firm_id: str
    state: TaskState
    reported_units: int = 0
    accepted_units: int = 0
    opened_time: datetime | None = None
    heard_time: datetime | None = None
    reported_time: datetime | None = None
    accepted_time: datetime | None = None
    attention: Attention | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """A line of a statement: accepted quantity × price, or a fee."""

    ref_id: str
    kind: str
    payer_firm_id: str
    payee_firm_id: str
    units: int = 0
    unit_price_fen: int = 0
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Who pays whom."""

    lines: tuple[StatementLine, ...] = ()
    total_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOutcome:
    """What really happened with a task, for the priors of the next match."""

    task_id: str
    firm_id: str
    node_id: str
    kind: TaskKind
    planned_units: int
    accepted_units: int = 0
    late_days: int
    fulfilled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Approval of a plan."""

    by: str
    value_fen: int
    risk_report_hash: str
    time: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandMark:
    """A command that has been carried out on this alliance."""

    principal_id: str
    command_id: str
    fact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairRequest:
    """What waits for the matcher."""

    round: int
    reason: str
    lost_firm_ids: tuple[str, ...] = ()
    locked_firm_ids: tuple[str, ...] = ()


class DissolutionReason(StrEnum):
    """Why an alliance was dissolved."""

    TASKS_COMPLETED = "TASKS_COMPLETED"
    DEMAND_COLLAPSED = "DEMAND_COLLAPSED"
    WINDOW_CLOSED = "WINDOW_CLOSED"
    MEMBER_FAILURE = "MEMBER_FAILURE"
    COMPLIANCE_STOP = "COMPLIANCE_STOP"
    MANAGER_ORDER = "MANAGER_ORDER"
