"""A fact as a line of the operators' log: what happened to whom, from which state to which.

No prices, no free text of people, no signatures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lianmeng.alliance import facts as f
from lianmeng.alliance.state import AllianceState


def line_of(
    before: AllianceState | None, fact: f.Fact, after: AllianceState | None
) -> dict[str, Any]:
    """Fields of the line `alliance.<fact>`."""
    state = after or before
    fields: dict[str, Any] = {
        "trend": state.demand.trend_id if state else "",
        "alliance": state.alliance_id if state else "",
        "from_": str(before.state) if before else "",
        "to": str(after.state) if after else "",
    }
    if not isinstance(fact, f.Declined):  # its reason is in the firm's own words: not for the log
        fields["reason"] = str(getattr(fact, "reason", ""))
    fields |= _details(fact, after)
    return {name: value for name, value in fields.items() if value != ""}


def _details(fact: f.Fact, after: AllianceState | None) -> dict[str, Any]:
    tell = _DETAILS.get(type(fact))
    return tell(fact, after) if tell else {}


def _firms(invitation_ids: tuple[str, ...], state: AllianceState | None) -> list[str]:
    known = state.invitations if state else ()
    return [i.firm_id for i in known if i.invitation_id in invitation_ids]


_DETAILS: dict[type[f.Fact], Callable[[Any, AllianceState | None], dict[str, Any]]] = {
    f.Invited: lambda fact, _: {
        "firms": [invitation.firm_id for invitation in fact.invitations],
        "round": max((invitation.round for invitation in fact.invitations), default=0),
    },
    f.Accepted: lambda fact, _: {"firm": fact.firm_id, "late": fact.late},
    f.Declined: lambda fact, _: {"firm": fact.firm_id},
    f.Expired: lambda fact, after: {"firm": " ".join(_firms(fact.invitation_ids, after))},
    f.Reminded: lambda fact, after: {
        "firms": _firms(fact.invitation_ids, after),
        "tasks": list(fact.task_ids),
    },
    f.RepairRequested: lambda fact, _: {
        "lost": list(fact.repair.lost_firm_ids),
        "round": fact.repair.round,
        "reason": fact.repair.reason,
    },
    f.TaskReported: lambda fact, _: {
        "task": fact.task_id,
        "firm": fact.firm_id,
        "kind": str(fact.kind),
    },
    f.TaskAccepted: lambda fact, _: {"task": fact.task_id, "units": fact.units, "by": fact.by},
    f.MemberAtRisk: lambda fact, _: {
        "firm": fact.firm_id,
        "tasks": list(fact.task_ids),
        "reason": "SILENCE",
    },
    f.MemberFailed: lambda fact, _: {"firm": fact.firm_id},
    f.WindingDown: lambda fact, _: {"cancelled": list(fact.cancelled_task_ids)},
}
