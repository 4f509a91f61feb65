"""Small, valid objects of the alliance for tests: one mill, one forwarder, one agency.

The plan is tiny but whole: stock abroad (W0), one lot of a mill (W1), two movements, one
campaign, three members with three standbys. Its story begins on Monday 2026-03-02, 08:00 in
Shanghai.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lianmeng.alliance.contract import sha256
from lianmeng.alliance.demand import Demand, DemandOrigin, Limits, MarketDemand, ProductSnapshot
from lianmeng.alliance.facts import DemandAccepted, NoPlan, Proposed, Repaired
from lianmeng.alliance.membership import parts, ref_of
from lianmeng.alliance.plan import (
    Campaign,
    CostBreakdown,
    Lot,
    LotSource,
    PartiesOfRecord,
    Plan,
    PlanBucket,
    Shipment,
    SolveReport,
    Standby,
)
from lianmeng.kernel.ids import alliance_id_of_trend, derive, resource_id
from lianmeng.kernel.money import FxRate, Money
from lianmeng.kernel.quantities import Band
from lianmeng.kernel.roles import Role
from lianmeng.kernel.trends import Trend, TrendEvent, TrendKind, TrendMapping, TrendPhase

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY0 = date(2026, 3, 2)
TREND = derive("t-", "zj", "rpet-shawl", "TH", "2026-03-02T00")
ALLIANCE = alliance_id_of_trend(TREND)

MILL, FORWARDER, AGENCY = "mill-a", "forwarder-b", "agency-c"
OTHER_MILL, OTHER_FORWARDER, OTHER_AGENCY = "mill-x", "forwarder-y", "agency-z"
MEMBERS = (MILL, FORWARDER, AGENCY)
STANDBYS = {MILL: OTHER_MILL, FORWARDER: OTHER_FORWARDER, AGENCY: OTHER_AGENCY}
"""Member → the standby of its role."""


def after(**time: float) -> datetime:
    """The start plus a `timedelta(**time)`."""
    return START + timedelta(**time)


def day(number: int) -> date:
    """Day 0 plus some days."""
    return DAY0 + timedelta(days=number)


def limits(**changes: Any) -> Limits:
    """The default limits, which have the values of the thresholds file."""
    usual = Limits(
        thresholds_version="test",
        invitation_hours=4,
        max_rounds=3,
        formation_hours=12,
        approval_hours=24,
        rematch_max=3,
        rematch_gap_minutes=30,
        major_value_fen=20_000_000,
        approval_tolerance_bp=500,
        silence_accepts_hours=48,
        remind_hours=24,
        at_risk_hours=48,
        failed_hours=72,
        residual_days=180,
    )
    return replace(usual, **changes)


def demand(trend_id: str = TREND, **changes: Any) -> Demand:
    """2,000 / 3,000 / 4,000 rPET shawls in Thailand within 21 days."""
    usual = Demand(
        demand_id=alliance_id_of_trend(trend_id),
        origin=DemandOrigin.TREND,
        trend_id=trend_id,
        forecast_version=1,
        product=ProductSnapshot(
            product_id="rpet-shawl",
            version=1,
            name_zh="再生涤纶披肩",
            name_en="rPET shawl",
            hs6="621430",
            uom="H87",
            unit_weight_g=120,
        ),
        markets=(
            MarketDemand(
                market="TH",
                language="th",
                band=Band(p10_units=2_000, p50_units=3_000, p90_units=4_000),
                sale_price=Money(19_900, "THB"),
            ),
        ),
        window_start_time=START,
        window_end_time=after(days=21),
    )
    return replace(usual, **changes)


def accepted(trend_id: str = TREND, **changes: Any) -> DemandAccepted:
    """The first fact."""
    return DemandAccepted(demand=demand(trend_id, **changes), limits=limits())


def plan(*, price_fen: int = 980, version: int = 1) -> Plan:
    """1,000 from stock on day 1, 2,000 made on days 1 and 2 and landing on day 10."""
    lots = (
        Lot(
            lot_id="l1",
            wave=0,
            source=LotSource.STOCK,
            firm_id=FORWARDER,
            node_id="bangkok",
            node_version=1,
            resource_id=resource_id("bangkok", "shawl"),
            units=1_000,
            unit_price_fen=price_fen,
            ready_date=day(1),
            buckets=(PlanBucket(key="stock", units=1_000, capacity_units=2_400),),
        ),
        Lot(
            lot_id="l2",
            wave=1,
            source=LotSource.FACTORY,
            firm_id=MILL,
            node_id="mill-a-line",
            node_version=1,
            resource_id=resource_id("mill-a-line", "line"),
            units=2_000,
            unit_price_fen=price_fen,
            setup_fee_fen=50_000,
            ready_date=day(3),
            buckets=(
                PlanBucket(key=day(1).isoformat(), units=1_000, capacity_units=2_000),
                PlanBucket(key=day(2).isoformat(), units=1_000, capacity_units=2_000),
            ),
        ),
    )
    return _plan(lots, _shipments(), (_campaign(),), version)


def _shipments() -> tuple[Shipment, ...]:
    release = Shipment(
        shipment_id="s1",
        lot_id="l1",
        firm_id=FORWARDER,
        node_id="bangkok",
        node_version=1,
        market="TH",
        units=1_000,
        depart_date=day(1),
        land_date=day(1),
        land_p90_date=day(1),
        last_mile_fen=300_000,
    )
    by_road = Shipment(
        shipment_id="s2",
        lot_id="l2",
        firm_id=FORWARDER,
        node_id="forwarder-b-road",
        node_version=1,
        lane_id="yiwu-bangkok",
        mode="ROAD",
        market="TH",
        units=2_000,
        chargeable_g=240_000,
        depart_date=day(3),
        land_date=day(10),
        land_p90_date=day(12),
        pickup_fen=20_000,
        freight_fen=252_000,
        last_mile_fen=600_000,
        resource_id=resource_id("forwarder-b-road", "yiwu-bangkok"),
        buckets=(PlanBucket(key=day(3).isoformat(), units=240, capacity_units=5_000),),
    )
    return (release, by_road)


def _campaign() -> Campaign:
    return Campaign(
        campaign_id="c1",
        firm_id=AGENCY,
        node_id="agency-c-studio",
        node_version=1,
        resource_id=resource_id("agency-c-studio", "hours"),
        market="TH",
        language="th",
        units=3_000,
        hours=10,
        fixed_fee_fen=1_000_000,
        hours_fee_fen=500_000,
        commission_bp=1_000,
        start_date=day(1),
        end_date=day(18),
        buckets=tuple(
            PlanBucket(key=day(number).isoformat(), units=5, capacity_units=8) for number in (1, 2)
        ),
    )


def _plan(
    lots: tuple[Lot, ...],
    shipments: tuple[Shipment, ...],
    campaigns: tuple[Campaign, ...],
    version: int,
) -> Plan:
    made = [lot for lot in lots if lot.source is LotSource.FACTORY]
    value = sum(lot.units * lot.unit_price_fen + lot.setup_fee_fen for lot in made)
    value += sum(s.freight_fen for s in shipments) + sum(c.fixed_fee_fen for c in campaigns)
    return Plan(
        version=version,
        day0_date=DAY0,
        forecast_version=1,
        planned_units=sum(lot.units for lot in lots),
        lots=lots,
        shipments=shipments,
        campaigns=campaigns,
        standbys=standbys(),
        parties=(
            PartiesOfRecord(
                market="TH",
                seller_firm_id=AGENCY,
                exporter_firm_id=MILL,
                importer_firm_id=FORWARDER,
            ),
        ),
        cost=cost(value),
        committed_value_fen=value,
        solve=SolveReport(
            status="OPTIMAL",
            solver="by hand",
            objective_fen=value,
            bound_fen=value,
            repeatable=True,
            eligible_count=6,
        ),
        fx=(FxRate(currency="THB", cny_per_unit_ppm=208_000, as_of=DAY0),),
    )


def cost(total_fen: int) -> CostBreakdown:
    """A breakdown of which only the total matters."""
    names = (
        "goods setup pickup freight last_mile marketing_fixed marketing_hours commission risk "
        "shortfall total revenue margin"
    )
    amounts = dict.fromkeys((f"{name}_fen" for name in names.split()), 0)
    return CostBreakdown(**amounts | {"goods_fen": total_fen, "total_fen": total_fen})


def standbys() -> tuple[Standby, ...]:
    """One per role."""
    roles = (Role.MANUFACTURING, Role.LOGISTICS, Role.MARKETING)
    return tuple(
        Standby(role=role, firm_id=firm, node_id=f"{firm}-node", rank=1)
        for role, firm in zip(roles, STANDBYS.values(), strict=True)
    )


def major_plan() -> Plan:
    """The plan at a price that takes its value above the line."""
    return plan(price_fen=12_000)


def hungry_plan() -> Plan:
    """The plan, taking all that the mill's line has on its two days."""
    usual = plan()
    stock, made = usual.lots
    all_of_it = tuple(replace(bucket, units=bucket.capacity_units) for bucket in made.buckets)
    return replace(usual, lots=(stock, replace(made, buckets=all_of_it)))


def proposed(of: Plan | None = None, hold_until: datetime | None = None) -> Proposed:
    """The matcher's proposal, with its capacity held for 40 hours."""
    report = risk_report(of := of or plan())
    return Proposed(
        plan=of,
        risk_report=report,
        risk_report_hash=sha256(report),
        hold_until_time=hold_until or after(hours=40),
    )


def risk_report(of: Plan) -> bytes:
    """Deterministic bytes."""
    return f'{{"plan":{of.version},"value_fen":{of.committed_value_fen}}}'.encode()


def repaired(
    before: Plan, lost: Iterable[str], hold_until: datetime | None = None, dearer_fen: int = 0
) -> Repaired:
    """The matcher's repair: each part of a lost firm goes, as a new part, to its standby."""
    same = replaced(before, frozenset(lost))
    after_repair = replace(same, committed_value_fen=same.committed_value_fen + dearer_fen)
    report = risk_report(after_repair)
    return Repaired(
        plan=after_repair,
        risk_report=report,
        risk_report_hash=sha256(report),
        hold_until_time=hold_until or after(hours=52),
    )


def replaced(before: Plan, lost: frozenset[str]) -> Plan:
    """The plan of the next version without the `lost` firms; lots keep their movements."""
    version = before.version + 1
    lots = tuple(_moved(lot, lost, version) for lot in before.lots)
    new_lots = {old.lot_id: new.lot_id for old, new in zip(before.lots, lots, strict=True)}
    relinked = (replace(s, lot_id=new_lots[s.lot_id]) for s in before.shipments)
    shipments = tuple(_moved(s, lost, version) for s in relinked)
    campaigns = tuple(_moved(c, lost, version) for c in before.campaigns)
    return replace(before, version=version, lots=lots, shipments=shipments, campaigns=campaigns)


_ID_FIELDS = {Lot: "lot_id", Shipment: "shipment_id", Campaign: "campaign_id"}


def _moved(part: Any, lost: frozenset[str], version: int) -> Any:
    """The part, or its successor at the standby, under a new id and in other books."""
    if part.firm_id not in lost:
        return part
    changes: dict[str, Any] = {
        "firm_id": successor(part.firm_id),
        "node_id": f"{successor(part.firm_id)}-node",
        _ID_FIELDS[type(part)]: f"{ref_of(part)[0]}{version}{ref_of(part)[1:]}",
    }
    if part.resource_id:
        changes["resource_id"] = resource_id(f"{successor(part.firm_id)}-node", "book")
    return replace(part, **changes)


def successor(firm: str) -> str:
    """Who takes a firm's part: its standby, then the standby's own successor, and so on."""
    if firm in STANDBYS:
        return STANDBYS[firm]
    stem, _, number = firm.partition("-again-")
    return f"{stem}-again-{int(number or 0) + 1}"


def refs(of: Plan) -> list[str]:
    """Ids of all parts."""
    return [ref_of(part) for part in parts(of)]


def no_plan(reason: str = "NO_STANDBY", rematch_time: datetime | None = None) -> NoPlan:
    """The matcher finds nothing."""
    return NoPlan(reason=reason, rematch_time=rematch_time)


def trend(
    hours: float, p50: int, event: TrendEvent = TrendEvent.UPDATED, version: int = 2
) -> Trend:
    """A fact of the trend, some hours after the start: what is still wanted in its window."""
    band = Band(p10_units=p50 // 2, p50_units=p50, p90_units=p50 * 3 // 2)
    return Trend(
        trend_id=TREND,
        event=event,
        kind=TrendKind.FLASH,
        phase=TrendPhase.OVER if event is TrendEvent.OVER else TrendPhase.FADING,
        term="rpet-shawl",
        product_id="rpet-shawl",
        market="TH",
        mapping=TrendMapping.MAPPED,
        start_time=START,
        as_of_time=after(hours=hours),
        window_end_time=after(days=21),
        demand_14d=band,
        demand_window=band,
        forecast_version=version,
        thresholds_version="test",
    )
