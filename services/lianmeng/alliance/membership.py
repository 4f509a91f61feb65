"""Who is in a plan, with which parts: lots, shipments and campaigns."""

from __future__ import annotations

from collections.abc import Iterator

from lianmeng.alliance.members import Invitation, InvitationState, TaskState
from lianmeng.alliance.plan import Campaign, Lot, LotSource, Plan, Shipment
from lianmeng.alliance.state import AllianceState
from lianmeng.kernel.roles import Role

Part = Lot | Shipment | Campaign

_SETTLED = frozenset({TaskState.REPORTED, TaskState.ACCEPTED})


def parts(plan: Plan) -> Iterator[Part]:
    """All parts: lots, then shipments, then campaigns, each in the order of the plan."""
    yield from plan.lots
    yield from plan.shipments
    yield from plan.campaigns


def ref_of(part: Part) -> str:
    """The part's id, unique in its alliance."""
    match part:
        case Lot():
            return part.lot_id
        case Shipment():
            return part.shipment_id
        case Campaign():
            return part.campaign_id


def role_of(part: Part) -> Role:
    """The role in which its firm takes a part."""
    match part:
        case Lot():
            factory = part.source is LotSource.FACTORY
            return Role.MANUFACTURING if factory else Role.STOCK_OWNER
        case Shipment():
            return Role.LOGISTICS
        case Campaign():
            return Role.MARKETING


def members(plan: Plan) -> dict[str, tuple[Role, ...]]:
    """Firms of the plan in the order in which they appear, with their roles."""
    roles: dict[str, dict[Role, None]] = {}
    for part in parts(plan):
        roles.setdefault(part.firm_id, {})[role_of(part)] = None
    return {firm: tuple(of_firm) for firm, of_firm in roles.items()}


def lead_firm(plan: Plan) -> str:
    """The firm with the largest award of goods; the first of them where awards tie."""
    awards: dict[str, int] = {}
    for lot in plan.lots:
        made = lot.source is LotSource.FACTORY
        worth = lot.units * lot.unit_price_fen + lot.setup_fee_fen if made else 0
        awards[lot.firm_id] = awards.get(lot.firm_id, 0) + worth
    return max(awards, key=lambda firm: awards[firm])


def broken_refs(state: AllianceState) -> frozenset[str]:
    """Parts of the plan that a lost firm will not fulfil: they hold nothing and need repair.

    Parts that the firm had reported or had accepted before it was lost are not broken.
    """
    if state.plan is None:
        return frozenset()
    settled = {task.ref_id for task in state.tasks if task.state in _SETTLED}
    lost = set(state.lost_firm_ids)
    return frozenset(
        ref_of(part)
        for part in parts(state.plan)
        if part.firm_id in lost and ref_of(part) not in settled
    )


def active_members(state: AllianceState) -> tuple[str, ...]:
    """Firms of the plan that are not lost, in its order."""
    if state.plan is None:
        return ()
    lost = set(state.lost_firm_ids)
    return tuple(firm for firm in members(state.plan) if firm not in lost)


def invitation_of(state: AllianceState, firm_id: str) -> Invitation | None:
    """The firm's invitation, whatever its state."""
    return next((i for i in state.invitations if i.firm_id == firm_id), None)


def has_accepted(state: AllianceState, firm_id: str) -> bool:
    """Whether the firm's latest invitation is accepted."""
    invitation = invitation_of(state, firm_id)
    return invitation is not None and invitation.state is InvitationState.ACCEPTED
