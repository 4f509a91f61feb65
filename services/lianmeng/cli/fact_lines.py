"""One line for each fact of an alliance, as `watch` and `log` print it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.text import Text

from lianmeng.cli.pictures import COLOURS, LOCAL, at, yuan
from lianmeng.cli.plain import short
from lianmeng.v1 import alliance_pb2 as pb


def fact_line(record: pb.AllianceRecord) -> Text:
    """Time, alliance, state, fact, what it says."""
    name = record.fact.WhichOneof("fact") or ""
    state = short(record.state, "state")
    detail = _DETAILS[name](getattr(record.fact, name)) if name in _DETAILS else ""
    return Text.assemble(
        (f"{at(record.time).astimezone(LOCAL):%m-%d %H:%M:%S} ", "dim"),
        f"{record.alliance_id} ",
        (f"{state:<17} ", COLOURS.get(state, "")),
        (name.replace("_", " "), "bold"),
        f" {detail}",
    )


def _list(values: Any) -> str:
    return ", ".join(values)


_DETAILS: Mapping[str, Callable[[Any], str]] = {
    "demand_accepted": lambda f: (
        f"{f.demand.product.product_id} for " + _list(m.market for m in f.demand.markets)
    ),
    "no_plan": lambda f: f"{f.reason} {'; '.join(f.relaxations)}".strip(),
    "proposed": lambda f: f"{f.plan.planned_units:,} units",
    "approval_requested": lambda f: f"{_list(f.reasons)} {yuan(f.value_fen)}",
    "approval_granted": lambda f: f"by {f.approval.by}",
    "approval_refused": lambda f: f"{f.reason} {f.note}".strip(),
    "invited": lambda f: _list(i.firm_id for i in f.invitations),
    "reminded": lambda f: _list((*f.invitation_ids, *f.task_ids)),
    "accepted": lambda f: f"by {f.firm_id}" + (", too late: standby" if f.late else ""),
    "declined": lambda f: f"by {f.firm_id}: {f.reason}".rstrip(": "),
    "expired": lambda f: _list(f.invitation_ids),
    "repair_requested": lambda f: f"round {f.repair.round}, lost {_list(f.repair.lost_firm_ids)}",
    "repaired": lambda f: f"plan version {f.plan.version}",
    "rematch_due": lambda f: f.reason,
    "activated": lambda f: f"contract {f.contract_sha256[:12]}, {len(f.tasks)} tasks",
    "task_reported": lambda f: f"{f.task_id} {short(f, 'kind')} by {f.firm_id} {f.note}".strip(),
    "task_accepted": lambda f: f"{f.task_id}, {f.units:,} units, {f.by.lower()}",
    "member_at_risk": lambda f: f"{f.firm_id}: {_list(f.task_ids)}",
    "member_failed": lambda f: f"{f.firm_id}: {f.reason}",
    "winding_down": lambda f: f"{short(f, 'reason')} {f.note}".strip(),
    "dissolved": lambda f: f"{short(f, 'reason')}, statement {yuan(f.statement.total_fen)}",
    "formation_failed": lambda f: f.reason,
    "infeasible": lambda f: f.reason,
}
"""Fact → what its line says besides its name."""
