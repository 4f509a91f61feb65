"""The state of an alliance: the aggregate that its facts lead to.

Field meanings, units and zeros: `proto/lianmeng/v1/alliance.proto`, equal by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lianmeng.alliance.demand import Demand, Limits
from lianmeng.alliance.members import (
    Approval,
    CommandMark,
    DissolutionReason,
    Invitation,
    RepairRequest,
    Statement,
    Task,
)
from lianmeng.alliance.plan import Plan


class State(StrEnum):
    """The state of an alliance."""

    MATCHING = "MATCHING"
    PROPOSED = "PROPOSED"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    INVITING = "INVITING"
    ACTIVE = "ACTIVE"
    REPAIRING = "REPAIRING"
    WINDING_DOWN = "WINDING_DOWN"
    DISSOLVED = "DISSOLVED"
    INFEASIBLE = "INFEASIBLE"
    REJECTED = "REJECTED"
    FORMATION_FAILED = "FORMATION_FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllianceState:
    """An alliance."""

    alliance_id: str
    state: State
    reason: str = ""
    deadline_time: datetime | None = None
    deadline_reason: str = ""
    demand: Demand
    limits: Limits
    plan: Plan | None = None
    risk_report: bytes = b""
    risk_report_hash: str = ""
    approval: Approval | None = None
    invitations: tuple[Invitation, ...] = ()
    willing_firm_ids: tuple[str, ...] = ()
    lost_firm_ids: tuple[str, ...] = ()
    round: int = 0
    repair: RepairRequest | None = None
    rematch_count: int = 0
    rematch_time: datetime | None = None
    relaxations: tuple[str, ...] = ()
    formation_deadline_time: datetime | None = None
    approval_deadline_time: datetime | None = None
    contract_sha256: str = ""
    tasks: tuple[Task, ...] = ()
    statement: Statement | None = None
    dissolution_reason: DissolutionReason | None = None
    residual_obligations_until_time: datetime | None = None
    created_time: datetime
    activated_time: datetime | None = None
    closed_time: datetime | None = None
    fact_count: int = 0
    commands: tuple[CommandMark, ...] = ()
    hold_until_time: datetime | None = None
    unrepairable: str = ""
