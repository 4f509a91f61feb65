"""Invitations and tasks as their firm sees them, with what it needs to decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lianmeng.alliance.demand import ProductSnapshot
from lianmeng.alliance.members import Invitation, Task
from lianmeng.alliance.state import AllianceState
from lianmeng.lifecycle.changes import TaskFor, is_open_invitation, is_open_task, tasks_of
from lianmeng.lifecycle.visibility import Documents


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationView:
    """An invitation with the documents that it is about; equal by name to the proto message."""

    invitation: Invitation
    alliance_id: str
    product_name: str
    markets: tuple[str, ...]
    contract_header: bytes = b""
    annex: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task with what it is about; equal by name to the proto message."""

    alliance_id: str
    task: Task
    product_name: str
    uom: str
    as_receiver: bool


def invitation_view(state: AllianceState, invitation: Invitation) -> InvitationView:
    """The invitation for its own firm."""
    documents = Documents.of(state, invitation)
    return InvitationView(
        invitation=invitation,
        alliance_id=state.alliance_id,
        product_name=product_name(state.demand.product),
        markets=tuple(market.market for market in state.demand.markets),
        contract_header=documents.header,
        annex=documents.annex,
    )


def task_view(state: AllianceState, found: TaskFor) -> TaskView:
    """The task for the firm that does it or accepts it."""
    return TaskView(
        alliance_id=state.alliance_id,
        task=found.task,
        product_name=product_name(state.demand.product),
        uom=state.demand.product.uom,
        as_receiver=found.as_receiver,
    )


def invitations_for(
    state: AllianceState, firm: str, *, open_only: bool
) -> Iterator[InvitationView]:
    """The firm's invitation; "" = those of all firms."""
    for invitation in state.invitations:
        wanted = firm in ("", invitation.firm_id)
        if wanted and (not open_only or is_open_invitation(state, invitation)):
            yield invitation_view(state, invitation)


def tasks_for(state: AllianceState, firm: str, *, open_only: bool) -> Iterator[TaskView]:
    """The firm's tasks; "" = all tasks, each as its member sees it."""
    found = tasks_of(state, firm) if firm else (TaskFor(t, as_receiver=False) for t in state.tasks)
    for one in found:
        if not open_only or is_open_task(state, one):
            yield task_view(state, one)


def product_name(product: ProductSnapshot) -> str:
    """Chinese and English name."""
    return f"{product.name_zh} {product.name_en}".strip()
