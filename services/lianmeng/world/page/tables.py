"""Tables of the page: members, cost, statement, all facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lianmeng.v1 import alliance_pb2 as pb
from lianmeng.v1 import types_pb2
from lianmeng.world.agents import at
from lianmeng.world.page.story import Alliance, Told
from lianmeng.world.page.svg import el, text

COSTS = (
    ("goods", "goods_fen"),
    ("set-up", "setup_fen"),
    ("to the lanes", "pickup_fen"),
    ("main freight", "freight_fen"),
    ("last mile", "last_mile_fen"),
    ("marketing", "marketing_fixed_fen"),
    ("creator hours", "marketing_hours_fen"),
    ("commission", "commission_fen"),
    ("risk", "risk_fen"),
    ("shortfall", "shortfall_fen"),
)

Cell = str | int


def yuan(fen: int) -> str:
    """An amount of fen."""
    return f"¥{fen / 100:,.2f}"


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, foot: bool = False) -> str:
    """A table; numbers and amounts go to the right. `foot`: the last row is a sum."""
    listed = list(rows)
    head = el("tr", *(el("th", text(one)) for one in heads))
    body = listed[:-1] if foot else listed
    parts = [el("thead", head), el("tbody", *(_row(row) for row in body))]
    if foot:
        parts.append(el("tfoot", _row(listed[-1])))
    return el("div", el("table", *parts), class_="scroll")


def _row(row: Sequence[Cell]) -> str:
    return el("tr", *(_cell(value) for value in row))


def _cell(value: Cell) -> str:
    number = isinstance(value, int) or value.startswith("¥")
    shown = f"{value:,}" if isinstance(value, int) else value
    return el("td", text(shown), class_="number" if number else None)


def members(told: Told, alliance: Alliance) -> str:
    """Who was invited, in which roles, and what became of it."""
    rows = [
        (
            told.both_names(invitation.firm_id),
            ", ".join(_role(role) for role in invitation.roles),
            _answer(told, alliance, invitation),
        )
        for invitation in alliance.state.invitations
    ]
    return table(("firm", "role", "answer"), rows)


def _role(number: types_pb2.Role.ValueType) -> str:
    return types_pb2.Role.Name(number).removeprefix("ROLE_").lower().replace("_", " ")


def _answer(told: Told, alliance: Alliance, invitation: pb.Invitation) -> str:
    state = pb.InvitationState.Name(invitation.state).removeprefix("INVITATION_STATE_").lower()
    when = f", {told.clock(at(invitation.closed_time))}" if invitation.closed_time.seconds else ""
    why = f": {invitation.decline_reason}" if invitation.decline_reason else ""
    willing = invitation.firm_id in alliance.state.willing_firm_ids
    late = "; said yes too late, a standby" if willing else ""
    versions = f" (version {invitation.version})" if invitation.version > 1 else ""
    return f"{state}{versions}{when}{why}{late}"


def cost(alliance: Alliance) -> str:
    """The landed cost as a bar, with its legend."""
    lines = [(name, getattr(alliance.state.plan.cost, field)) for name, field in COSTS]
    total = sum(fen for _, fen in lines) or 1
    bar = "".join(
        el(
            "span",
            class_=f"c{i}",
            style=f"flex-grow:{max(fen, 0)}",
            title=f"{name}: {yuan(fen)} ({fen * 100 // total} %)",
        )
        for i, (name, fen) in enumerate(lines)
        if fen > 0
    )
    legend = "".join(
        el("li", el("i", class_=f"c{i}"), text(f"{name} {yuan(fen)}"))
        for i, (name, fen) in enumerate(lines)
        if fen > 0
    )
    return el("div", bar, class_="cost") + el("ul", legend, class_="legend")


def statement(told: Told, alliance: Alliance) -> str:
    """Who is paid for what; the sum at the foot."""
    stated = alliance.state.statement
    rows: list[tuple[Cell, ...]] = [
        (
            told.name(line.payee_firm_id),
            f"{line.kind} {line.ref_id}",
            f"{line.units:,} × {yuan(line.unit_price_fen)}" if line.unit_price_fen else "",
            yuan(line.amount_fen),
        )
        for line in stated.lines
    ]
    rows.append(("sum", f"{len(stated.lines)} lines", "", yuan(stated.total_fen)))
    return table(("paid to", "for", "", "amount"), rows, foot=True)


def all_facts(told: Told) -> str:
    """Every fact of every alliance, in the order of the log."""
    rows = [
        (
            told.clock(at(record.time)),
            record.state.demand.product.product_id,
            (record.fact.WhichOneof("fact") or "").replace("_", " "),
            record.by,
            pb.State.Name(record.state.state).removeprefix("STATE_").replace("_", " ").lower(),
        )
        for record in told.records
    ]
    return table(("when", "alliance", "fact", "by", "state after it"), rows)
