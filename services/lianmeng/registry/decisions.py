"""What a change makes of a record: pure functions from the current version to the next.

Each returns the record to be written or raises `Rejected`. Versions count from 1.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from lianmeng.kernel.roles import PrincipalRole
from lianmeng.pool.firms import Firm, FirmState
from lianmeng.pool.nodes import Node, NodeState
from lianmeng.pool.principals import Key, Principal
from lianmeng.pool.products import Product, ProductState
from lianmeng.registry import refusals

FIRM_MOVES: dict[FirmState, frozenset[FirmState]] = {
    FirmState.PENDING_VERIFICATION: frozenset({FirmState.ACTIVE, FirmState.WITHDRAWN}),
    FirmState.ACTIVE: frozenset({FirmState.SUSPENDED, FirmState.WITHDRAWN}),
    FirmState.SUSPENDED: frozenset({FirmState.ACTIVE, FirmState.WITHDRAWN}),
    FirmState.WITHDRAWN: frozenset({FirmState.ACTIVE}),
}
"""State of a firm → states that it may be set to."""

OWN_MOVES = frozenset({FirmState.WITHDRAWN})
"""States that a firm may set itself to; all others are the association's and the operator's."""


def new_firm(firm: Firm) -> Firm:
    """The first version of a firm: it waits for its verification."""
    return replace(
        firm,
        state=FirmState.PENDING_VERIFICATION,
        state_reason="",
        version=1,
        reliability_bp=0,
    )


def firm_principal(firm_id: str, key_id: str, public_key: bytes, now: datetime) -> Principal:
    """The principal that acts for a new firm, with its first key."""
    key = Key(key_id=key_id, public_key=public_key, opened_time=now)
    return Principal(
        principal_id=firm_id, roles=(PrincipalRole.FIRM,), firm_id=firm_id, keys=(key,)
    )


def next_firm(current: Firm, edited: Firm) -> Firm:
    """The next version of a firm's own data; state and reliability stay the platform's.

    A change of the code or the Chinese name, by which it was verified, asks for a new
    verification.
    """
    _same_version(edited.version, current.version, "firm.version")
    same = (edited.uscc, edited.name_zh) == (current.uscc, current.name_zh)
    verified = same or current.state is not FirmState.ACTIVE
    return replace(
        edited,
        state=current.state if verified else FirmState.PENDING_VERIFICATION,
        state_reason=current.state_reason if verified else "identity changed",
        version=current.version + 1,
        reliability_bp=current.reliability_bp,
    )


def firm_in_state(current: Firm, state: FirmState, reason: str) -> Firm:
    """The firm set to another state."""
    if state not in FIRM_MOVES[current.state]:
        raise refusals.wrong_state(
            f"a firm that is {current.state} cannot become {state}",
            "choose one of " + ", ".join(sorted(FIRM_MOVES[current.state])),
            f"企业当前状态为 {current.state}，不能变为 {state}",
            "可选：" + "、".join(sorted(FIRM_MOVES[current.state])),
            "state",
        )
    return replace(current, state=state, state_reason=reason, version=current.version + 1)


def next_node(current: Node | None, edited: Node) -> Node:
    """The first or next version of a node; its owner never changes, its state is set apart."""
    if current is None:
        _same_version(edited.version, 0, "node.version")
        return replace(edited, state=NodeState.ACTIVE, version=1)
    if edited.firm_id != current.firm_id:
        raise refusals.not_yours("node", current.node_id, "node.firm_id")
    _same_version(edited.version, current.version, "node.version")
    return replace(edited, state=current.state, version=current.version + 1)


def node_in_state(current: Node, state: NodeState) -> Node:
    """The node withdrawn or active again; asking for the present state changes nothing else."""
    return replace(current, state=state, version=current.version + 1)


def next_product(current: Product | None, edited: Product) -> Product:
    """The first or next version of a product."""
    version = 0 if current is None else current.version
    _same_version(edited.version, version, "product.version")
    state = ProductState.ACTIVE if current is None else current.state
    return replace(edited, state=state, version=version + 1)


def with_key(current: Principal, key_id: str, public_key: bytes, now: datetime) -> Principal:
    """The principal with one more key, open from `now`."""
    if current.key(key_id) is not None:
        raise refusals.already_exists("key", key_id, "public_key")
    key = Key(key_id=key_id, public_key=public_key, opened_time=now)
    return replace(current, keys=(*current.keys, key))


def without_key(current: Principal, key_id: str, now: datetime) -> Principal:
    """The principal with a key closed from `now`; what it signed before stays valid."""
    key = current.key(key_id)
    if key is None:
        raise refusals.not_found("key", key_id, "key_id")
    if key.closed_time is not None:
        raise refusals.wrong_state(
            f"the key {key_id!r} is closed already",
            "nothing needs to be done",
            f"密钥 {key_id!r} 已关闭",
            "无需操作",
            "key_id",
        )
    still_open = [one for one in current.keys if one.closed_time is None and one is not key]
    if not still_open:
        raise refusals.wrong_state(
            f"{key_id!r} is the last open key of {current.principal_id!r}",
            "add another key first",
            f"{key_id!r} 是 {current.principal_id!r} 唯一可用的密钥",
            "请先添加另一把密钥",
            "key_id",
        )
    closed = replace(key, closed_time=now)
    return replace(current, keys=tuple(closed if one is key else one for one in current.keys))


def _same_version(edited: int, current: int, field: str) -> None:
    if edited not in (0, current):
        raise refusals.version_conflict(edited, current, field)
