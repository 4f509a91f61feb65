"""Which event of the operators' log a written version is."""

from __future__ import annotations

from lianmeng.pool.firms import Firm, FirmState
from lianmeng.pool.nodes import Node, NodeState
from lianmeng.pool.principals import Principal
from lianmeng.pool.products import Product
from lianmeng.pool.records import Registered

FIRM_EVENTS = {
    FirmState.PENDING_VERIFICATION: "registry.firm_registered",
    FirmState.ACTIVE: "registry.firm_activated",
    FirmState.SUSPENDED: "registry.firm_suspended",
    FirmState.WITHDRAWN: "registry.firm_withdrawn",
}
"""State that a firm came into → event."""


def event_of(before: Registered | None, now: Registered) -> tuple[str, dict[str, str]]:
    """The event's name and the field that names the record."""
    match now:
        case Firm():
            changed = not isinstance(before, Firm) or before.state is not now.state
            event = FIRM_EVENTS[now.state] if changed else "registry.firm_updated"
            return event, {"firm": now.firm_id}
        case Node():
            gone = now.state is NodeState.WITHDRAWN
            event = "registry.node_withdrawn" if gone else "registry.node_published"
            return event, {"node": now.node_id}
        case Product():
            return "registry.product_published", {"product": now.product_id}
        case Principal():
            return _principal_event(before, now)


def _principal_event(before: Registered | None, now: Principal) -> tuple[str, dict[str, str]]:
    if not isinstance(before, Principal):
        return "registry.principal_registered", {"principal": now.principal_id}
    known = {key.key_id: key for key in before.keys}
    changed = next(key for key in now.keys if known.get(key.key_id) != key)
    event = "registry.key_added" if changed.closed_time is None else "registry.key_closed"
    return event, {"principal": now.principal_id, "key_id": changed.key_id}
