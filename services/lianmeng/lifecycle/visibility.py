"""Who may see what of an alliance.

Operators, zone managers and the association see all of it. A firm sees an alliance once it has
been invited: the header, its own annex, invitation and tasks, the tasks that it accepts, its own
lines of the statement. It never sees another firm's price, answer or part, nor the cost, the
risk report and the standbys. For everybody else the alliance does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lianmeng.alliance.contract import annex, annex_hashes, header
from lianmeng.alliance.members import Invitation, InvitationState, Statement, Task
from lianmeng.alliance.membership import invitation_of
from lianmeng.alliance.plan import CostBreakdown, Plan, SolveReport
from lianmeng.alliance.state import AllianceState
from lianmeng.kernel.roles import PrincipalRole

ALL_SEEING = frozenset(
    {PrincipalRole.OPERATOR, PrincipalRole.ZONE_MANAGER, PrincipalRole.ASSOCIATION}
)
"""Roles that see all alliances whole."""

_IN_TOUCH = frozenset({InvitationState.PENDING, InvitationState.ACCEPTED, InvitationState.FAILED})
"""Invitations whose firm still reads the header; one that said no is told no more."""

_NO_COST = CostBreakdown(
    goods_fen=0,
    setup_fen=0,
    pickup_fen=0,
    freight_fen=0,
    last_mile_fen=0,
    marketing_fixed_fen=0,
    marketing_hours_fen=0,
    commission_fen=0,
    risk_fen=0,
    shortfall_fen=0,
    total_fen=0,
    revenue_fen=0,
    margin_fen=0,
)
_NO_REPORT = SolveReport(status="", solver="", objective_fen=0, bound_fen=0, eligible_count=0)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. `firm_id` "" acts for no firm."""

    principal_id: str
    firm_id: str = ""
    sees_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AllianceView:
    """What one viewer may see; equal by name to the proto message."""

    state: AllianceState
    contract_header: bytes = b""
    own_annex: bytes = b""
    annex_sha256: dict[str, str]


def firms_of(state: AllianceState) -> frozenset[str]:
    """Firms that may see something of the alliance: those that were invited."""
    return frozenset(invitation.firm_id for invitation in state.invitations)


def may_see(state: AllianceState, viewer: Viewer) -> bool:
    """Whether the alliance exists for the viewer."""
    return viewer.sees_all or (bool(viewer.firm_id) and viewer.firm_id in firms_of(state))


def view_of(state: AllianceState, viewer: Viewer) -> AllianceView:
    """The viewer's part of an alliance that it `may_see`."""
    if viewer.sees_all:
        plan = state.plan
        return AllianceView(
            state=state,
            contract_header=header(state.demand, plan) if plan else b"",
            annex_sha256=annex_hashes(state.demand, plan) if plan else {},
        )
    invitation = invitation_of(state, viewer.firm_id)
    documents = Documents.of(state, invitation)
    return AllianceView(
        state=state_for(state, viewer),
        contract_header=documents.header,
        own_annex=documents.annex,
        annex_sha256=documents.hashes,
    )


@dataclass(frozen=True, slots=True)
class Documents:
    """The contract as one firm reads it; all empty for a firm that is out of it."""

    header: bytes
    annex: bytes
    hashes: dict[str, str]

    @classmethod
    def of(cls, state: AllianceState, invitation: Invitation | None) -> Documents:
        """The documents that belong to an invitation."""
        plan = state.plan
        if plan is None or invitation is None or invitation.state not in _IN_TOUCH:
            return cls(b"", b"", {})
        hashes = annex_hashes(state.demand, plan)
        own = annex(state.demand, plan, invitation.firm_id)
        return cls(header(state.demand, plan), own, hashes)


def state_for(state: AllianceState, viewer: Viewer) -> AllianceState:
    """The state as a firm sees it."""
    firm = viewer.firm_id
    demand = replace(state.demand, requested_by="", command_id="", budget_fen=0, max_members=0)
    return replace(
        state,
        demand=demand,
        plan=plan_for(state.plan, firm) if state.plan else None,
        risk_report=b"",
        risk_report_hash="",
        approval=None,
        invitations=tuple(i for i in state.invitations if i.firm_id == firm),
        willing_firm_ids=_only(state.willing_firm_ids, firm),
        lost_firm_ids=_only(state.lost_firm_ids, firm),
        repair=None,
        relaxations=(),
        unrepairable="",
        tasks=tasks_for(state.tasks, firm),
        statement=statement_for(state.statement, viewer) if state.statement else None,
        commands=tuple(c for c in state.commands if c.principal_id == viewer.principal_id),
    )


def plan_for(plan: Plan, firm: str) -> Plan:
    """A firm's own lots, shipments and campaigns, without any total that has others' prices."""
    return replace(
        plan,
        lots=tuple(lot for lot in plan.lots if lot.firm_id == firm),
        shipments=tuple(s for s in plan.shipments if s.firm_id == firm),
        campaigns=tuple(c for c in plan.campaigns if c.firm_id == firm),
        standbys=(),
        cost=_NO_COST,
        committed_value_fen=0,
        solve=_NO_REPORT,
        relaxations=(),
    )


def tasks_for(tasks: tuple[Task, ...], firm: str) -> tuple[Task, ...]:
    """Tasks that the firm does or accepts."""
    return tuple(task for task in tasks if firm in (task.firm_id, task.receiver_firm_id))


def statement_for(statement: Statement, viewer: Viewer) -> Statement:
    """The lines in which the firm pays or is paid, and their sum."""
    if viewer.sees_all:
        return statement
    own = tuple(
        line
        for line in statement.lines
        if viewer.firm_id in (line.payer_firm_id, line.payee_firm_id)
    )
    return Statement(lines=own, total_fen=sum(line.amount_fen for line in own))


def _only(firms: tuple[str, ...], firm: str) -> tuple[str, ...]:
    return tuple(one for one in firms if one == firm)
