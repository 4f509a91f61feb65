"""One alliance, and lists of alliances, for people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table

from lianmeng.cli.pictures import countdown, facts, table, when, yuan
from lianmeng.cli.plain import short
from lianmeng.cli.plans import cost_lines, plan_table
from lianmeng.v1 import alliance_pb2 as pb
from lianmeng.v1 import types_pb2


def alliance_table(states: Iterable[pb.AllianceState], now: datetime) -> Table:
    """One line an alliance, with what happens next and when."""
    columns = ("alliance", "product", "market", "state", "reason", "P50", "planned", "next")
    return table(*columns, rows=(_row(state, now) for state in states))


def _row(state: pb.AllianceState, now: datetime) -> tuple[object, ...]:
    return (
        state.alliance_id,
        state.demand.product.product_id,
        ",".join(market.market for market in state.demand.markets),
        short(state, "state"),
        why(state),
        sum(market.band.p50_units for market in state.demand.markets),
        state.plan.planned_units,
        next_step(state, now),
    )


def why(state: pb.AllianceState) -> str:
    """The reason code of a state."""
    return state.reason or short(state, "dissolution_reason")


def next_step(state: pb.AllianceState, now: datetime) -> str:
    """What happens by itself, and how long it is until then."""
    left = countdown(state.deadline_time, now)
    return f"{state.deadline_reason} {left}".strip()


def picture(state: pb.AllianceState, now: datetime) -> Group:
    """All of an alliance that the viewer may see."""
    plan = state.plan
    parts: list[RenderableType] = [_head(state, now)]
    if plan.version:
        parts += [_title(f"plan, version {plan.version}"), plan_table(plan)]
    if plan.solve.status:
        parts += [_title("landed cost"), cost_lines(plan)]
    if state.invitations:
        parts += [_title("invitations"), _invitations(state, now)]
    if state.tasks:
        parts += [_title("tasks"), _tasks(state)]
    return Group(*parts)


def _title(text: str) -> Rule:
    return Rule(f"[bold]{text}", align="left", style="dim")


def _head(state: pb.AllianceState, now: datetime) -> Table:
    demand = state.demand
    wanted = ", ".join(
        f"{m.market} {m.band.p10_units:,} / {m.band.p50_units:,} / {m.band.p90_units:,}"
        for m in demand.markets
    )
    return facts(
        (
            ("alliance", state.alliance_id),
            ("state", short(state, "state")),
            ("reason", why(state)),
            ("next", next_step(state, now)),
            ("product", f"{demand.product.name_zh} {demand.product.name_en}".strip()),
            ("wanted P10 / P50 / P90", wanted),
            ("window", f"{when(demand.window_start_time)} to {when(demand.window_end_time)}"),
            ("came from", demand.trend_id or demand.requested_by),
            ("would help", "; ".join(state.relaxations)),
            ("approved", _approval(state)),
            ("contract SHA-256", state.contract_sha256),
        )
    )


def _approval(state: pb.AllianceState) -> str:
    approval = state.approval
    if not state.HasField("approval"):
        return ""
    return f"by {approval.by}, {yuan(approval.value_fen)}, {when(approval.time)}"


def _invitations(state: pb.AllianceState, now: datetime) -> Table:
    rows = (
        (
            invitation.firm_id,
            roles(invitation.roles),
            invitation.version,
            short(invitation, "state"),
            invitation_time(invitation, now),
        )
        for invitation in state.invitations
    )
    return table("firm", "roles", "version", "state", "when", rows=rows)


def roles(numbers: Iterable[types_pb2.Role.ValueType]) -> str:
    """Roles of a member in words."""
    names = (types_pb2.Role.Name(number).removeprefix("ROLE_") for number in numbers)
    return ", ".join(name.lower().replace("_", " ") for name in names)


def invitation_time(invitation: pb.Invitation, now: datetime) -> str:
    """When an open invitation expires, or when a closed one was answered."""
    if invitation.state == pb.INVITATION_STATE_PENDING:
        return f"expires {countdown(invitation.expires_time, now)}"
    return when(invitation.closed_time)


def _tasks(state: pb.AllianceState) -> Table:
    rows = (
        (
            task.task_id,
            task.firm_id,
            task.units,
            short(task, "state"),
            when(task.due_time),
            short(task, "attention").lower().replace("_", " "),
        )
        for task in state.tasks
    )
    return table("task", "firm", "units", "state", "due", "attention", rows=rows)
