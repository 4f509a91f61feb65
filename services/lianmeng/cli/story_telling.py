"""The story of a run, told on the terminal as it happens, for somebody who has never seen it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lianmeng.cli.pictures import LOCAL, percent, yuan
from lianmeng.cli.plain import short
from lianmeng.cli.plans import Namer, cost_lines, plan_table, statement_summary
from lianmeng.v1 import alliance_pb2 as apb
from lianmeng.v1 import trend_pb2 as tpb
from lianmeng.world.pace import FAST, SLOW, WAITING

COLOURS = ("cyan", "magenta", "blue", "green")
"""Colours of the alliances, in the order in which they appear."""

INDENT = 15
"""Columns that the time takes."""

ROOMY = 110
"""Columns from which on tables stand under the text that they belong to."""

PACES = {
    SLOW: "people have to answer: an hour takes a second",
    WAITING: "time-lapse: a day takes ten seconds",
    FAST: "time-lapse: a day takes under three seconds",
}


class Teller:
    """An audience that prints. `clock` gives story time; `name` the names of firms."""

    def __init__(self, console: Console, clock: Callable[[], datetime], name: Namer) -> None:
        self._console = console
        self._clock = clock
        self._name = name
        self._start: datetime | None = None
        self._phases: dict[str, int] = {}
        self._plans: dict[str, apb.Plan] = {}
        self._said_pace = ""

    # what any part of a run may say

    def chapter(self, title: str) -> None:
        """A new part of the story begins."""
        self._console.print()
        self._console.rule(f"[bold]{title}", align="left", characters="━")

    def line(self, text: str | Text) -> None:
        """Something happened."""
        row = Table.grid(padding=(0, 1))
        row.add_column(width=INDENT - 1, no_wrap=True)
        row.add_column(overflow="fold")
        row.add_row(Text(self._time(), style="dim"), text)
        self._console.print(row, highlight=False)

    def picture(self, thing: RenderableType) -> None:
        """A table below the line that it belongs to."""
        left = INDENT if self._console.width >= ROOMY else 2
        self._console.print(Padding(thing, (0, 0, 1, left)), highlight=False)

    def pace(self, factor: float) -> None:
        """The pace of story time has changed."""
        text = PACES.get(factor, self._said_pace)
        if text != self._said_pace:
            self._said_pace = text
            self.line(Text(f"⏩ {text}" if factor != SLOW else f"⏵ {text}", style="dim italic"))

    # trends

    def trend(self, trend: tpb.Trend) -> None:
        """A trend fact; of its updates only those with a new phase."""
        before = self._phases.get(trend.trend_id)
        self._phases[trend.trend_id] = trend.phase
        if before is None:
            self._detected(trend)
        elif before != trend.phase:
            left = f"{trend.demand_window.p50_units:,} more units expected"
            self.line(f"trend “{trend.term}” in {trend.market}: {short(trend, 'phase')}, {left}")

    def _detected(self, trend: tpb.Trend) -> None:
        if trend.mapping == tpb.TREND_MAPPING_UNMAPPED:
            self.line(
                f"[yellow]“{trend.term}” takes off in {trend.market} too, but it is UNMAPPED[/]: "
                f"{', '.join(trend.missing)} missing. It is shown, and forms no alliance."
            )
            return
        self.chapter(f"爆红 “{trend.term}” takes off in {trend.market}")
        times = trend.velocity_per_hour / max(trend.baseline_per_hour, 1)
        self.line(
            f"{trend.velocity_per_hour:,} views an hour, [bold]{times:,.0f} times[/] what is "
            f"usual at this hour; {trend.creator_count} independent creators, the largest has "
            f"{percent(trend.top_account_bp)} of the views"
        )
        self.line("evidence: " + ", ".join(_evidence(one) for one in trend.evidence))
        band = trend.demand_window
        self.line(
            f"expected until its window ends: P10 {band.p10_units:,} · "
            f"[bold]P50 {band.p50_units:,}[/] · P90 {band.p90_units:,} units, "
            f"confidence {percent(trend.confidence_bp)}"
        )

    # alliances

    def fact(self, record: apb.AllianceRecord) -> None:
        """A fact of an alliance, in its own words where it has some."""
        name = record.fact.WhichOneof("fact") or ""
        tell: Callable[[apb.AllianceRecord, Any], None] | None = getattr(self, f"_{name}", None)
        if tell is not None:
            tell(record, getattr(record.fact, name))
        if record.state.HasField("plan"):
            self._plans[record.alliance_id] = record.state.plan

    def _say(self, record: apb.AllianceRecord, text: str) -> None:
        colour = COLOURS[self._number(record.alliance_id) % len(COLOURS)]
        self.line(f"[{colour}]{record.state.demand.product.product_id}[/] {text}")

    def _number(self, alliance_id: str) -> int:
        self._plans.setdefault(alliance_id, apb.Plan())
        return list(self._plans).index(alliance_id)

    def _names(self, firms: Iterable[str]) -> str:
        return ", ".join(dict.fromkeys(self._name(firm) for firm in firms))

    def _demand_accepted(self, record: apb.AllianceRecord, _: apb.DemandAccepted) -> None:
        self._say(record, f"becomes alliance {record.alliance_id}: a plan is looked for")

    def _no_plan(self, record: apb.AllianceRecord, fact: apb.NoPlan) -> None:
        helps = f"; would help: {'; '.join(fact.relaxations)}" if fact.relaxations else ""
        self._say(record, f"[red]no plan now[/]: {fact.reason}{helps}")

    def _proposed(self, record: apb.AllianceRecord, fact: apb.Proposed) -> None:
        plan = fact.plan
        self._say(
            record,
            f"[bold]a plan for {plan.planned_units:,} units[/], out of "
            f"{plan.solve.eligible_count} capabilities that could serve it; all of its "
            f"capacity is held in the same commit",
        )
        self.picture(plan_table(plan, self._name))
        self.picture(cost_lines(plan))

    def _approval_requested(self, record: apb.AllianceRecord, fact: apb.ApprovalRequested) -> None:
        self._say(
            record,
            f"is [bold]major[/]: {yuan(fact.value_fen)} committed. The zone manager has the "
            f"last word; a time-out never approves",
        )

    def _approval_granted(self, record: apb.AllianceRecord, fact: apb.ApprovalGranted) -> None:
        digest = fact.approval.risk_report_hash[:12]
        self._say(record, f"[green]approved[/] by {fact.approval.by}, risk report {digest}… read")

    def _approval_refused(self, record: apb.AllianceRecord, fact: apb.ApprovalRefused) -> None:
        self._say(record, f"[red]not approved[/]: {fact.reason} {fact.note}")

    def _invited(self, record: apb.AllianceRecord, fact: apb.Invited) -> None:
        first = all(one.version == 1 for one in fact.invitations)
        verb = "invites" if first else "sends new terms to"
        self._say(record, f"{verb} {self._names(one.firm_id for one in fact.invitations)}")

    def _reminded(self, record: apb.AllianceRecord, fact: apb.Reminded) -> None:
        silent = set(fact.invitation_ids)
        firms = [i.firm_id for i in record.state.invitations if i.invitation_id in silent]
        if firms:
            self._say(record, f"half of the time is gone: {self._names(firms)} is reminded")

    def _accepted(self, record: apb.AllianceRecord, fact: apb.Accepted) -> None:
        late = " — too late: ALREADY_FILLED, it is a standby and next in line" if fact.late else ""
        self._say(record, f"[green]✓ {self._name(fact.firm_id)} accepts and signs[/]{late}")

    def _declined(self, record: apb.AllianceRecord, fact: apb.Declined) -> None:
        self._say(record, f"[red]✗ {self._name(fact.firm_id)} declines[/]: {fact.reason}")

    def _expired(self, record: apb.AllianceRecord, fact: apb.Expired) -> None:
        gone = set(fact.invitation_ids)
        firms = [i.firm_id for i in record.state.invitations if i.invitation_id in gone]
        hours = record.state.limits.invitation_hours
        self._say(record, f"[red]✗ no answer from {self._names(firms)}[/] in {hours} h: expired")

    def _repair_requested(self, record: apb.AllianceRecord, fact: apb.RepairRequested) -> None:
        self._say(
            record,
            f"[yellow]repair[/] {fact.repair.round}: only the part of "
            f"{self._names(fact.repair.lost_firm_ids)} is matched again, the others keep theirs",
        )

    def _repaired(self, record: apb.AllianceRecord, fact: apb.Repaired) -> None:
        before = self._plans.get(record.alliance_id, apb.Plan())
        new = "; ".join(_new_parts(before, fact.plan, self._name)) or "no new part"
        self._say(record, f"[green]repaired[/], plan version {fact.plan.version}: {new}")

    def _activated(self, record: apb.AllianceRecord, fact: apb.Activated) -> None:
        self._say(
            record,
            f"[bold green]ACTIVE[/]: all have signed. Contract {fact.contract_sha256[:12]}…, "
            f"{len(fact.tasks)} tasks; every hold is a commitment now",
        )

    def _task_reported(self, record: apb.AllianceRecord, fact: apb.TaskReported) -> None:
        if fact.kind == apb.REPORT_KIND_FAILED:
            name = self._name(fact.firm_id)
            self._say(record, f"[red]✗ {name} cannot do {fact.task_id}[/]: {fact.note}")

    def _task_accepted(self, record: apb.AllianceRecord, fact: apb.TaskAccepted) -> None:
        task = next(one for one in record.state.tasks if one.task_id == fact.task_id)
        over = sum(one.state == apb.TASK_STATE_ACCEPTED for one in record.state.tasks)
        live = sum(one.state not in _DEAD for one in record.state.tasks)
        who = "by silence" if fact.by == "SILENCE" else f"by {self._name(task.receiver_firm_id)}"
        self._say(
            record,
            f"{_DONE[task.kind]} {fact.units:,} units: {self._name(task.firm_id)}, accepted "
            f"{who} ({over} of {live} tasks)",
        )

    def _member_at_risk(self, record: apb.AllianceRecord, fact: apb.MemberAtRisk) -> None:
        self._say(record, f"[yellow]{self._name(fact.firm_id)} is silent: at risk[/]")

    def _member_failed(self, record: apb.AllianceRecord, fact: apb.MemberFailed) -> None:
        self._say(record, f"[red]{self._name(fact.firm_id)} has failed[/] ({fact.reason.lower()})")

    def _winding_down(self, record: apb.AllianceRecord, fact: apb.WindingDown) -> None:
        self._say(record, f"winds down by itself: {short(fact, 'reason')}")

    def _dissolved(self, record: apb.AllianceRecord, fact: apb.Dissolved) -> None:
        self._say(record, "[bold]DISSOLVED[/]: settled to the fen, its capacity is given back")
        self.picture(statement_summary(fact.statement, self._name))

    def _formation_failed(self, record: apb.AllianceRecord, fact: apb.FormationFailed) -> None:
        self._say(record, f"[red]formation failed[/]: {fact.reason}; every hold is released")

    def _infeasible(self, record: apb.AllianceRecord, fact: apb.Infeasible) -> None:
        self._say(record, f"[red]infeasible[/]: {fact.reason}")

    def _time(self) -> str:
        now = self._clock().astimezone(LOCAL)
        self._start = self._start or now
        return f"day {(now.date() - self._start.date()).days:2}  {now:%H:%M}"


_DEAD = frozenset({apb.TASK_STATE_FAILED, apb.TASK_STATE_CANCELLED})

_DONE = {
    apb.TASK_KIND_PRODUCE: "made",
    apb.TASK_KIND_SHIP: "landed",
    apb.TASK_KIND_RELEASE_STOCK: "released from stock",
    apb.TASK_KIND_CAMPAIGN: "promoted",
}


def _evidence(one: tpb.FamilyEvidence) -> str:
    family = short(one, "family").lower()
    return f"{family} [dim]missing[/]" if one.missing else f"{family} {one.score_milli / 1e3:.1f} σ"


def _new_parts(before: apb.Plan, after: apb.Plan, name: Namer) -> list[str]:
    """What a repair brought: who makes, moves, promotes how many units that did not before."""
    old = {p.lot_id for p in before.lots} | {p.campaign_id for p in before.campaigns}
    old |= {p.shipment_id for p in before.shipments}
    units: dict[tuple[str, str], int] = defaultdict(int)
    for lot in after.lots:
        if lot.lot_id not in old:
            units[lot.firm_id, "makes"] += lot.units
    for shipment in after.shipments:
        if shipment.shipment_id not in old:
            units[shipment.firm_id, "moves"] += shipment.units
    for campaign in after.campaigns:
        if campaign.campaign_id not in old:
            units[campaign.firm_id, "promotes"] += campaign.units
    return [f"{name(firm)} {verb} {count:,}" for (firm, verb), count in units.items()]
