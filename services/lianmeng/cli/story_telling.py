"""The story of a run, told on the terminal as it happens, for somebody who has never seen it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from lianmeng.v1 import alliance_pb2 as apb
from lianmeng.v1 import trend_pb2 as tpb

LOCAL = ZoneInfo("Asia/Shanghai")

Namer = Callable[[str], str]
"""Firm id → the name that people know it by."""


class Teller:
    """An audience that prints. `clock` gives story time; `name` the names of firms."""

    def __init__(self, console: Console, clock: Callable[[], datetime], name: Namer) -> None:
        self._console = console
        self._clock = clock
        self._name = name
        self._start: datetime | None = None
        self._phases: dict[str, int] = {}

    def chapter(self, title: str) -> None:
        """A new part of the story begins."""
        self._console.print()
        self._console.rule(f"[bold]{title}", align="left")

    def line(self, text: str) -> None:
        """Something happened."""
        self._console.print(f"[dim]{self._time()}[/] {text}", highlight=False)

    def pace(self, factor: float) -> None:
        """The pace of story time has changed."""
        day = 86_400 / factor
        self.line(f"[dim]time-lapse ×{factor:,.0f}: a day takes {day:.0f} s[/]")

    def trend(self, trend: tpb.Trend) -> None:
        """A trend fact; an update only where the phase changed."""
        before = self._phases.get(trend.trend_id)
        self._phases[trend.trend_id] = trend.phase
        if before is None:
            self._detected(trend)
        elif before != trend.phase:
            phase = tpb.TrendPhase.Name(trend.phase).removeprefix("TREND_PHASE_")
            p50 = trend.demand_window.p50_units
            self.line(
                f"[cyan]trend[/] {trend.term} in {trend.market} is now {phase}, "
                f"{p50:,} more units expected"
            )

    def _detected(self, trend: tpb.Trend) -> None:
        if trend.mapping == tpb.TREND_MAPPING_UNMAPPED:
            missing = ", ".join(trend.missing)
            self.line(
                f"[yellow]trend[/] “{trend.term}” takes off in {trend.market}, but it is "
                f"UNMAPPED: missing {missing}. It forms no alliance."
            )
            return
        self.chapter(f"“{trend.term}” takes off in {trend.market} (爆红)")
        band = trend.demand_window
        baseline = max(trend.baseline_per_hour, 1)
        self.line(
            f"{trend.velocity_per_hour:,} views an hour, {trend.velocity_per_hour / baseline:,.0f} "
            f"times its own baseline; {trend.creator_count} creators, the largest with "
            f"{trend.top_account_bp / 100:.0f} % of the posts"
        )
        for evidence in trend.evidence:
            family = tpb.SignalFamily.Name(evidence.family).removeprefix("SIGNAL_FAMILY_")
            what = "missing" if evidence.missing else f"score {evidence.score_milli / 1000:.1f}"
            self.line(f"  {family.lower():9} {what}")
        self.line(
            f"expected until the window ends: P10 {band.p10_units:,} · "
            f"[bold]P50 {band.p50_units:,}[/] · P90 {band.p90_units:,} units; "
            f"confidence {trend.confidence_bp / 100:.0f} %"
        )

    def fact(self, record: apb.AllianceRecord) -> None:
        """A fact of an alliance, in its own words where it has some."""
        name = record.fact.WhichOneof("fact") or ""
        tell = getattr(self, f"_{name}", None)
        if tell is not None:
            tell(record, getattr(record.fact, name))

    def _say(self, record: apb.AllianceRecord, text: str) -> None:
        product = record.state.demand.product.product_id
        self.line(f"[magenta]{product}[/] {text}")

    def _demand_accepted(self, record: apb.AllianceRecord, fact: apb.DemandAccepted) -> None:
        self._say(record, f"demand accepted as alliance {record.alliance_id}; matching")

    def _no_plan(self, record: apb.AllianceRecord, fact: apb.NoPlan) -> None:
        self._say(record, f"no plan now: {fact.reason} {'; '.join(fact.relaxations)}")

    def _proposed(self, record: apb.AllianceRecord, fact: apb.Proposed) -> None:
        self._say(record, f"plan for {fact.plan.planned_units:,} units; its capacity is held")
        self._console.print(plan_table(fact.plan, self._name))
        self._console.print(cost_panel(fact.plan))

    def _approval_requested(self, record: apb.AllianceRecord, fact: apb.ApprovalRequested) -> None:
        self._say(
            record,
            f"[bold]major[/] ({', '.join(fact.reasons)}: {yuan(fact.value_fen)}): "
            "waits for the zone manager",
        )

    def _approval_granted(self, record: apb.AllianceRecord, fact: apb.ApprovalGranted) -> None:
        digest = fact.approval.risk_report_hash[:12]
        self._say(record, f"approved by {fact.approval.by}, risk report {digest}… in hand")

    def _invited(self, record: apb.AllianceRecord, fact: apb.Invited) -> None:
        names = ", ".join(self._name(i.firm_id) for i in fact.invitations)
        self._say(record, f"invited: {names}")

    def _reminded(self, record: apb.AllianceRecord, fact: apb.Reminded) -> None:
        if fact.invitation_ids:
            self._say(record, "half of the time is gone: those who are silent are reminded")

    def _accepted(self, record: apb.AllianceRecord, fact: apb.Accepted) -> None:
        name = self._name(fact.firm_id)
        late = " too late: ALREADY_FILLED, it becomes a standby" if fact.late else ""
        self._say(record, f"[green]{name} accepts[/]{late}")

    def _declined(self, record: apb.AllianceRecord, fact: apb.Declined) -> None:
        self._say(record, f"[red]{self._name(fact.firm_id)} declines[/]: {fact.reason}")

    def _expired(self, record: apb.AllianceRecord, fact: apb.Expired) -> None:
        gone = set(fact.invitation_ids)
        names = [self._name(i.firm_id) for i in record.state.invitations if i.invitation_id in gone]
        self._say(record, f"[red]no answer from {', '.join(names)}[/]: the invitation expires")

    def _repair_requested(self, record: apb.AllianceRecord, fact: apb.RepairRequested) -> None:
        lost = ", ".join(self._name(firm) for firm in fact.repair.lost_firm_ids)
        self._say(record, f"round {fact.repair.round}: only the part of {lost} is matched again")

    def _repaired(self, record: apb.AllianceRecord, fact: apb.Repaired) -> None:
        self._say(record, f"repaired: plan version {fact.plan.version}; the others keep theirs")

    def _activated(self, record: apb.AllianceRecord, fact: apb.Activated) -> None:
        self._say(
            record,
            f"[bold green]ACTIVE[/]: all have signed, contract {fact.contract_sha256[:12]}…, "
            f"{len(fact.tasks)} tasks",
        )

    def _task_reported(self, record: apb.AllianceRecord, fact: apb.TaskReported) -> None:
        if fact.kind == apb.REPORT_KIND_FAILED:
            name = self._name(fact.firm_id)
            self._say(record, f"[red]{name} reports that {fact.task_id} fails[/]: {fact.note}")

    def _task_accepted(self, record: apb.AllianceRecord, fact: apb.TaskAccepted) -> None:
        left = sum(task.state != apb.TASK_STATE_ACCEPTED for task in record.state.tasks)
        self._say(
            record,
            f"{fact.task_id} done and accepted ({fact.units:,} units, {fact.by.lower()}); "
            f"{left} tasks left",
        )

    def _member_failed(self, record: apb.AllianceRecord, fact: apb.MemberFailed) -> None:
        self._say(record, f"[red]{self._name(fact.firm_id)} has failed[/] ({fact.reason})")

    def _winding_down(self, record: apb.AllianceRecord, fact: apb.WindingDown) -> None:
        reason = apb.DissolutionReason.Name(fact.reason).removeprefix("DISSOLUTION_REASON_")
        self._say(record, f"winding down: {reason}")

    def _dissolved(self, record: apb.AllianceRecord, fact: apb.Dissolved) -> None:
        self._say(record, "[bold]DISSOLVED[/]; its capacity is given back")
        self._console.print(statement_table(fact.statement, self._name))

    def _formation_failed(self, record: apb.AllianceRecord, fact: apb.FormationFailed) -> None:
        self._say(record, f"[red]formation failed[/]: {fact.reason}; every hold is released")

    def _infeasible(self, record: apb.AllianceRecord, fact: apb.Infeasible) -> None:
        self._say(record, f"[red]infeasible[/]: {fact.reason}")

    def _approval_refused(self, record: apb.AllianceRecord, fact: apb.ApprovalRefused) -> None:
        self._say(record, f"[red]not approved[/]: {fact.reason} {fact.note}")

    def _time(self) -> str:
        now = self._clock()
        self._start = self._start or now
        day = (now.astimezone(LOCAL).date() - self._start.astimezone(LOCAL).date()).days
        return f"day {day:2} {now.astimezone(LOCAL):%H:%M}"


def yuan(fen: int) -> str:
    """An amount of fen for people."""
    return f"CNY {fen / 100:,.2f}"


def plan_table(plan: apb.Plan, name: Namer) -> Table:
    """Who, role, wave, units, price, days."""
    table = Table(
        "who", "role", "wave", "units", "price", "days", title="plan", title_justify="left"
    )
    for lot in plan.lots:
        role = "stock abroad" if lot.source == apb.LOT_SOURCE_STOCK else "makes"
        price = f"{lot.unit_price_fen / 100:.2f} each"
        table.add_row(
            name(lot.firm_id),
            role,
            f"W{lot.wave}",
            f"{lot.units:,}",
            price,
            f"ready {lot.ready_date}",
        )
    for move in plan.shipments:
        cost = move.pickup_fen + move.freight_fen + move.last_mile_fen
        how = f"ships by {move.mode.lower()}" if move.mode else "releases"
        days = f"{move.depart_date} → {move.land_date}"
        table.add_row(name(move.firm_id), how, "", f"{move.units:,}", yuan(cost), days)
    for campaign in plan.campaigns:
        fee = campaign.fixed_fee_fen + campaign.hours_fee_fen
        cost_text = f"{yuan(fee)} + {campaign.commission_bp / 100:g} %"
        days = f"{campaign.start_date} → {campaign.end_date}"
        units = f"{campaign.units:,}"
        table.add_row(name(campaign.firm_id), "promotes", "", units, cost_text, days)
    return table


def cost_panel(plan: apb.Plan) -> Panel:
    """The landed cost, what it is worth, and how good it is proven to be."""
    cost, solve = plan.cost, plan.solve
    lines: Mapping[str, int] = {
        "goods": cost.goods_fen,
        "set-up": cost.setup_fen,
        "to the lanes": cost.pickup_fen,
        "freight": cost.freight_fen,
        "last mile": cost.last_mile_fen,
        "marketing": cost.marketing_fixed_fen + cost.marketing_hours_fen,
        "commission": cost.commission_fen,
        "risk": cost.risk_fen,
        "shortfall": cost.shortfall_fen,
    }
    parts = " · ".join(f"{name} {fen / 100:,.0f}" for name, fen in lines.items() if fen)
    relaxed = f"\nrelaxed: {', '.join(plan.relaxations)}" if plan.relaxations else ""
    return Panel(
        f"{parts}\n"
        f"minimised {yuan(solve.objective_fen)}, proven bound {yuan(solve.bound_fen)}, "
        f"gap {solve.gap_bp / 100:.2f} % ({solve.status}, {solve.solver})\n"
        f"committed value {yuan(plan.committed_value_fen)}; expected margin "
        f"{yuan(cost.margin_fen)}; short of P50 by {plan.short_units:,} units{relaxed}",
        title="landed cost, CNY",
        title_align="left",
        expand=False,
    )


def statement_table(statement: apb.Statement, name: Namer) -> Table:
    """Payee, kinds and amounts; sums to the fen."""
    table = Table("payee", "for", "amount", title="statement", title_justify="left")
    by_payee: dict[str, dict[str, int]] = {}
    for line in statement.lines:
        kinds = by_payee.setdefault(line.payee_firm_id, {})
        kinds[line.kind] = kinds.get(line.kind, 0) + line.amount_fen
    for payee, kinds in by_payee.items():
        table.add_row(name(payee), ", ".join(kinds), yuan(sum(kinds.values())))
    table.add_section()
    table.add_row("sum", "", yuan(statement.total_fen))
    return table


def moment(stamp: Timestamp) -> datetime:
    """A stored time, aware."""
    return stamp.ToDatetime(tzinfo=UTC)
