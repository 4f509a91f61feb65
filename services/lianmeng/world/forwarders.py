"""Forwarders: lanes of the table; departures, cut-offs, capacities and warehouses are ours."""

from __future__ import annotations

from datetime import datetime
from random import Random

from lianmeng.kernel.calendar import Calendar
from lianmeng.kernel.money import cny
from lianmeng.kernel.roles import Role
from lianmeng.pool.firms import Firm, SizeClass
from lianmeng.pool.nodes import (
    DaysRange,
    FreightBasis,
    Lane,
    LaneMode,
    Logistics,
    Node,
    Stock,
    Warehouse,
)
from lianmeng.pool.products import Product
from lianmeng.world import draws
from lianmeng.world.identity import Brand, demo_uscc
from lianmeng.world.tables import LaneRow, MarketRow, Span, lane_rows, market_rows

SEATS = (
    ("ningbo", "宁波", "Ningbo", "330206", "CNNBO"),
    ("yiwu", "义乌", "Yiwu", "330782", "CNYIU"),
    ("hangzhou", "杭州萧山", "Hangzhou", "330109", "CNHAZ"),
    ("shaoxing", "绍兴柯桥", "Shaoxing", "330603", "CNSXG"),
)
"""Where forwarders sit: slug, names, division, UN/LOCODE."""

DEPARTURES: dict[LaneMode, tuple[tuple[int, ...], ...]] = {
    LaneMode.SEA: ((2,), (5,), (1, 4)),
    LaneMode.SEA_FAST: ((3,), (6,)),
    LaneMode.ROAD: ((1, 3, 5), (2, 4, 6), (1, 2, 3, 4, 5, 6)),
    LaneMode.RAIL: ((1, 4), (5,)),
    LaneMode.AIR: ((), (1, 2, 3, 4, 5, 6), (2, 4, 6)),
    LaneMode.EXPRESS: ((),),
}
"""Weekdays on which a lane may depart, one choice per forwarder."""

CAPACITY_KG = {
    LaneMode.SEA: Span(20_000, 80_000),
    LaneMode.SEA_FAST: Span(10_000, 40_000),
    LaneMode.ROAD: Span(6_000, 20_000),
    LaneMode.RAIL: Span(15_000, 60_000),
    LaneMode.AIR: Span(2_000, 9_000),
    LaneMode.EXPRESS: Span(500, 2_000),
}
"""Kilograms per departure."""

CUTOFF_DAYS = {LaneMode.SEA: 2, LaneMode.SEA_FAST: 2, LaneMode.RAIL: 1}
"""Whole days before departure by which goods must be ready; others leave the same day."""

CUSTOMS = {
    LaneMode.SEA: ("9810", "9710", "0110"),
    LaneMode.SEA_FAST: ("9810", "0110"),
    LaneMode.ROAD: ("9610", "9710", "0110"),
    LaneMode.RAIL: ("9810", "9710", "0110"),
    LaneMode.AIR: ("9610", "9710"),
    LaneMode.EXPRESS: ("9610",),
}

VOLUMETRIC_CM3_PER_KG = {LaneMode.AIR: 6_000, LaneMode.EXPRESS: 5_000, LaneMode.ROAD: 5_000}


def forwarder(
    rng: Random, brand: Brand, number: int, calendar: Calendar, markets: tuple[str, ...]
) -> tuple[Firm, Node]:
    """A forwarder that serves `markets`, with a warehouse in about half of them."""
    seat, city_zh, city_en, division, locode = SEATS[number % len(SEATS)]
    slug = f"{seat}-{brand.slug}-logistics"
    firm = Firm(
        firm_id=slug,
        uscc=demo_uscc(number, 90),
        name_zh=f"{city_zh}{brand.zh}国际货运",
        name_en=f"{city_en} {brand.title} Forwarding",
        size_class=rng.choice((SizeClass.SMALL, SizeClass.SMALL, SizeClass.MEDIUM)),
        division=division,
        roles=(Role.LOGISTICS,),
        locode=locode,
        notice_hours=rng.choice((0, 4, 12)),
        can_export=True,
        can_import_in=markets,
    )
    lanes = tuple(
        lane(rng, row, f"{row.market.lower()}-{row.mode.lower().replace('_', '-')}")
        for row in lane_rows()
        if row.market in markets
    )
    houses = tuple(warehouse(rng, row) for row in _served(markets) if rng.random() < 0.5)
    capability = Logistics(lanes=lanes, warehouses=houses)
    node = Node(
        node_id=f"{slug}-hub",
        firm_id=slug,
        name=firm.name_zh,
        locode=locode,
        calendar=calendar,
        capability=capability,
    )
    return firm, node


def lane(rng: Random, row: LaneRow, lane_id: str) -> Lane:
    """A lane of the table with a price in its range and what the table lacks."""
    mode = LaneMode(row.mode)
    basis = FreightBasis(row.basis)
    slower = rng.choice((0, 0, 1))
    minimum = (80, 300) if basis is FreightBasis.KG else (200, 600)
    return Lane(
        lane_id=lane_id,
        origin=row.origin,
        gateway=row.gateway,
        destination=row.gateway,
        market=row.market,
        mode=mode,
        transit_days=DaysRange(row.p50_days + slower, row.p90_days + slower),
        departure_weekdays=rng.choice(DEPARTURES[mode]),
        cutoff_days=CUTOFF_DAYS.get(mode, 0),
        capacity_kg=draws.whole(rng, CAPACITY_KG[mode], 500),
        basis=basis,
        price=draws.yuan(rng, row.price_cny.low, row.price_cny.high),
        minimum_charge=draws.yuan(rng, *minimum),
        volumetric_divisor=VOLUMETRIC_CM3_PER_KG.get(mode, 0),
        customs_modes=CUSTOMS[mode] + (("1039",) if row.origin == "CNYIU" else ()),
        dangerous_goods=("UN3481",) if rng.random() < 0.4 else (),
        pickup_price_per_kg=cny(rng.randrange(20, 61, 5)),
    )


def warehouse(rng: Random, row: MarketRow) -> Warehouse:
    """An empty warehouse in a market, at the destination of its fastest lane."""
    fastest = min(_lanes_to(row.market), key=lambda lane_row: lane_row.p50_days)
    return Warehouse(
        warehouse_id=f"{row.market.lower()}-wh",
        locode=fastest.gateway,
        market=row.market,
        handling_fee=draws.yuan(rng, 0.8, 2.0),
        last_mile_fee=draws.yuan(rng, row.last_mile_cny.low, row.last_mile_cny.high),
        release_days=DaysRange(1, int(row.last_mile_days.low) + 1),
    )


def stock(rng: Random, product: Product, owner: str, as_of: datetime, *, fen: int) -> Stock:
    """A few hundred units of a product, counted at `as_of`, at `fen` per unit."""
    return Stock(
        owner_firm_id=owner,
        product_id=product.product_id,
        units=rng.randrange(200, 1_500, 50),
        unit_price=cny(fen),
        as_of_time=as_of,
    )


def _served(markets: tuple[str, ...]) -> tuple[MarketRow, ...]:
    return tuple(row for row in market_rows() if row.market in markets)


def _lanes_to(market: str) -> tuple[LaneRow, ...]:
    return tuple(row for row in lane_rows() if row.market == market)
