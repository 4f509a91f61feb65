"""Small pools for tests of the matcher, written out; first of all that of the worked example.

Day 0 is Monday 2026-03-02. One mill, one forwarder with a road and a sea lane and a warehouse in
Bangkok, the owner of the stock in it, one agency.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lianmeng.alliance.demand import Demand, DemandOrigin, MarketDemand, ProductSnapshot
from lianmeng.kernel.calendar import Calendar
from lianmeng.kernel.money import Money, cny
from lianmeng.kernel.quantities import Band
from lianmeng.kernel.thresholds import Thresholds, load
from lianmeng.matcher.question import Question
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.firms import Certificate, Firm, FirmState, SizeClass
from lianmeng.pool.nodes import (
    Account,
    DaysRange,
    FreightBasis,
    Lane,
    LaneMode,
    Logistics,
    Manufacturing,
    Marketing,
    Node,
    PriceBreak,
    ProductionLine,
    Stock,
    Warehouse,
)
from lianmeng.pool.products import Material

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
"""09:00 on Monday in Shanghai."""

DAY0 = date(2026, 3, 2)
SIX_DAYS = Calendar("Asia/Shanghai", (1, 2, 3, 4, 5, 6))
EVERY_DAY = Calendar("Asia/Shanghai")
THRESHOLDS = load()
SHAWL = ProductSnapshot(
    product_id="rpet-shawl",
    version=1,
    name_zh="再生涤纶披肩",
    name_en="rPET shawl",
    hs6="621430",
    uom="H87",
    unit_weight_g=120,
    unit_volume_cm3=600,
    materials=("rPET",),
    required_certificates=("GRS",),
)


def day(number: int) -> date:
    """Day 0 plus some days."""
    return DAY0 + timedelta(days=number)


def firm(firm_id: str, **changes: Any) -> Firm:
    """An active firm with a GRS certificate that may export."""
    usual = Firm(
        firm_id=firm_id,
        uscc="91330621MA2D5E7X10",
        name_zh=firm_id,
        size_class=SizeClass.SMALL,
        division="330603",
        locode="CNSXG",
        certificates=(
            Certificate(type="GRS", number="1", valid_from=day(-100), valid_to=day(200)),
        ),
        can_export=True,
        state=FirmState.ACTIVE,
        version=1,
    )
    return replace(usual, **changes)


def mill(
    firm_id: str,
    *,
    per_day: int = 2_000,
    price_fen: int = 980,
    lead: int = 3,
    breaks: Iterable[tuple[int, int]] = (),
    lines: int = 1,
    **changes: Any,
) -> Node:
    """A factory node of a firm; `breaks` are (units from, fen) beyond the first price."""
    steps = ((0, price_fen), *breaks)
    made = Manufacturing(
        hs6=("621430",),
        materials=(Material("rPET"),),
        uom="H87",
        lines=tuple(ProductionLine(f"line-{n}", per_day) for n in range(1, lines + 1)),
        first_batch_days=DaysRange(lead, lead + 1),
        price_breaks=tuple(PriceBreak(units, cny(fen)) for units, fen in steps),
    )
    return _node(firm_id, "mill", SIX_DAYS, replace(made, **changes))


def lane(
    lane_id: str, mode: LaneMode, days: tuple[int, int], price_fen: int, **changes: Any
) -> Lane:
    """A lane to Bangkok, priced per kg, that leaves every day."""
    usual = Lane(
        lane_id=lane_id,
        origin="CNYIU",
        destination="THBKK",
        market="TH",
        mode=mode,
        transit_days=DaysRange(*days),
        capacity_kg=12_000,
        basis=FreightBasis.KG,
        price=cny(price_fen),
    )
    return replace(usual, **changes)


ROAD = lane("road", LaneMode.ROAD, (7, 10), 1_050)
SEA = lane("sea", LaneMode.SEA, (18, 26), 90_000, basis=FreightBasis.CBM, departure_weekdays=(4,))


def forwarder(
    firm_id: str, lanes: Iterable[Lane] = (ROAD, SEA), houses: Iterable[Warehouse] = ()
) -> Node:
    """A logistics node."""
    return _node(firm_id, "hub", EVERY_DAY, Logistics(lanes=tuple(lanes), warehouses=tuple(houses)))


def bangkok(units: int = 2_400, owner: str = "trader", price_fen: int = 1_080) -> Warehouse:
    """A warehouse with shawls that were just counted."""
    stock = Stock(
        owner_firm_id=owner,
        product_id="rpet-shawl",
        units=units,
        unit_price=cny(price_fen),
        as_of_time=NOW - timedelta(hours=1),
    )
    return Warehouse(
        warehouse_id="bangkok",
        locode="THBKK",
        market="TH",
        handling_fee=cny(100),
        last_mile_fee=cny(800),
        release_days=DaysRange(1, 2),
        stock=(stock,),
    )


def agency(firm_id: str, **changes: Any) -> Node:
    """An agency in Thailand: 60 hours a day, 15 units an hour, CNY 36,000 and 8 %."""
    usual = Marketing(
        accounts=(Account(platform="TIKTOK_SHOP", market="TH"),),
        languages=("th",),
        creator_hours_per_day=60,
        units_per_creator_hour=15,
        fixed_fee=cny(3_600_000),
        hour_fee=cny(2_000),
        commission_bp=800,
    )
    return _node(firm_id, "creators", EVERY_DAY, replace(usual, **changes))


def _node(firm_id: str, suffix: str, calendar: Calendar, capability: Any) -> Node:
    return Node(
        node_id=f"{firm_id}-{suffix}",
        firm_id=firm_id,
        locode="CNSXG",
        calendar=calendar,
        capability=capability,
        version=1,
    )


SELLER = {"can_sell_in": ("TH",)}
IMPORTER = {"can_import_in": ("TH",)}


def pool(nodes: Iterable[Node], firms: Iterable[Firm] = (), **changes: Any) -> Snapshot:
    """A snapshot of nodes; firms that are not given are usual ones, agencies sell, forwarders
    import."""
    known = {f.firm_id: f for f in firms}
    groups: dict[type, list[Node]] = {Manufacturing: [], Logistics: [], Marketing: []}
    for node in sorted(nodes, key=lambda n: n.node_id):
        groups[type(node.capability)].append(node)
        rights = {Marketing: SELLER, Logistics: IMPORTER}.get(type(node.capability), {})
        known.setdefault(node.firm_id, firm(node.firm_id, **rights))
    usual = Snapshot(
        now=NOW,
        firms=known,
        factories=tuple(groups[Manufacturing]),
        forwarders=tuple(groups[Logistics]),
        agencies=tuple(groups[Marketing]),
    )
    return replace(usual, **changes)


def example_pool() -> Snapshot:
    """The pool of the worked example."""
    nodes = (
        mill("mill"),
        forwarder("forwarder", houses=(bangkok(),)),
        agency("agency"),
    )
    return pool(nodes, [firm("trader", **SELLER, **IMPORTER)])


def demand(
    band: tuple[int, int, int] = (9_000, 18_000, 30_000), days: int = 21, **changes: Any
) -> Demand:
    """The demand of the worked example: shawls in Thailand within 21 days."""
    p10, p50, p90 = band
    usual = Demand(
        demand_id="a-example",
        origin=DemandOrigin.TREND,
        trend_id="t-example",
        forecast_version=1,
        product=SHAWL,
        markets=(
            MarketDemand(
                market="TH",
                channel="TIKTOK_SHOP",
                language="th",
                band=Band(p10_units=p10, p50_units=p50, p90_units=p90),
                sale_price=Money(15_900, "THB"),
            ),
        ),
        window_start_time=NOW,
        window_end_time=NOW + timedelta(days=days),
    )
    return replace(usual, **changes)


def question(
    of: Demand | None = None, thresholds: Thresholds = THRESHOLDS, **changes: Any
) -> Question:
    """The question that a demand poses on Monday morning."""
    return Question(demand=of or demand(), now=NOW, thresholds=thresholds, **changes)
