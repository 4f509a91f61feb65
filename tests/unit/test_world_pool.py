from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from lianmeng.kernel.codes import MARKETS
from lianmeng.kernel.roles import Role
from lianmeng.pool.firms import Firm
from lianmeng.pool.node_validation import validate_node
from lianmeng.pool.nodes import LaneMode, Logistics, Manufacturing, Marketing, Node
from lianmeng.pool.products import Product
from lianmeng.pool.validation import validate_firm, validate_product
from lianmeng.world.calendars import six_day_week
from lianmeng.world.firms import Pool, build_pool, example_pool
from lianmeng.world.products import SCARF, SHAWL, catalogue

MONDAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def pool() -> Pool:
    return build_pool(7, MONDAY, NOON)


def test_about_three_hundred_firms_all_valid(pool: Pool) -> None:
    assert 280 <= len(pool.firms) <= 320
    for firm in pool.firms:
        assert validate_firm(firm) == firm
        assert firm.uscc[2:6] == "3399"
    for node in pool.nodes:
        assert validate_node(node, NOON) == node
    for product in pool.products:
        assert validate_product(product) == product


def test_nothing_has_the_same_name_or_code(pool: Pool) -> None:
    for values in (
        [firm.firm_id for firm in pool.firms],
        [firm.uscc for firm in pool.firms],
        [firm.name_zh for firm in pool.firms],
        [node.node_id for node in pool.nodes],
        [term for product in pool.products for term in product.terms()],
    ):
        assert [value for value, count in Counter(values).items() if count > 1] == []


def test_every_node_has_its_firm_and_every_stock_its_owner(pool: Pool) -> None:
    firms = {firm.firm_id: firm for firm in pool.firms}
    for node in pool.nodes:
        assert node.role() in firms[node.firm_id].roles
        if isinstance(node.capability, Logistics):
            for house in node.capability.warehouses:
                assert {stock.owner_firm_id for stock in house.stock} <= firms.keys()


def test_the_seed_decides(pool: Pool) -> None:
    assert build_pool(7, MONDAY, NOON) == pool
    assert build_pool(8, MONDAY, NOON) != pool


@pytest.mark.parametrize("seed", range(8))
def test_every_product_has_makers_carriers_and_sellers_where_it_has_a_price(seed: int) -> None:
    pool = build_pool(seed, MONDAY, NOON)
    for product in catalogue():
        assert len(makers(pool, product)) >= 3, product.product_id
        for price in product.prices:
            assert carriers(pool, price.market), (product.product_id, price.market)
            assert sellers(pool, price.market), (product.product_id, price.market)


def test_every_market_has_carriers_and_two_agencies(pool: Pool) -> None:
    for market in MARKETS:
        assert carriers(pool, market), market
        assert len(sellers(pool, market)) >= 2, market


def test_the_cast_can_serve_the_shawl(pool: Pool) -> None:
    shawl = product_of(pool, SHAWL)
    mills = [(firm, made) for firm, made in makers(pool, shawl) if firm.locode == "CNSXG"]
    assert len(mills) >= 3
    first_three = sorted(mills, key=lambda pair: pair[1].unit_price(3_000).amount_minor)[:3]
    for firm, made in first_three:
        assert firm.can_export
        assert 900 <= made.unit_price(3_000).amount_minor <= 1_100
        assert made.first_batch_days.p50_days in (3, 4)
        assert 1_800 <= sum(line.day_capacity_units for line in made.lines) <= 2_400
        assert made.moq_units <= 500


def test_the_scarf_wants_the_same_mills(pool: Pool) -> None:
    shawl, scarf = product_of(pool, SHAWL), product_of(pool, SCARF)
    assert {f.firm_id for f, _ in makers(pool, shawl)} == {
        f.firm_id for f, _ in makers(pool, scarf)
    }


def test_bangkok_holds_shawls_and_a_road_leads_there(pool: Pool) -> None:
    moved = [node.capability for node in pool.nodes if isinstance(node.capability, Logistics)]
    held = [
        stock
        for one in moved
        for house in one.warehouses
        if house.locode == "THBKK"
        for stock in house.stock
        if stock.product_id == SHAWL
    ]
    assert [stock.units for stock in held] == [2_400]
    assert held[0].as_of_time == NOON
    roads = [
        lane
        for one in moved
        for lane in one.lanes
        if (lane.origin, lane.destination, lane.mode) == ("CNYIU", "THBKK", LaneMode.ROAD)
    ]
    cheapest = min(roads, key=lambda lane: lane.price.amount_minor)
    assert (cheapest.price.amount_minor, cheapest.transit_days.p50_days) == (1_050, 7)
    assert len(roads) >= 2


def test_thailand_has_all_parties_of_record(pool: Pool) -> None:
    for role, may in (
        (Role.MARKETING, lambda firm: "TH" in firm.can_sell_in),
        (Role.LOGISTICS, lambda firm: "TH" in firm.can_import_in),
        (Role.MANUFACTURING, lambda firm: firm.can_export),
    ):
        assert any(role in firm.roles and may(firm) for firm in pool.firms), role


def test_the_example_pool_is_the_cast() -> None:
    pool = example_pool(MONDAY, NOON)
    assert len(pool.firms) == 13
    assert makers(pool, product_of(pool, SHAWL))


def test_saturdays_beside_holidays_are_closed() -> None:
    calendar = six_day_week(date(2026, 1, 1))
    for day in ("2026-01-03", "2026-02-21", "2026-04-04", "2026-06-20", "2026-09-26", "2026-10-03"):
        assert not calendar.is_working(date.fromisoformat(day)), day
    for day in ("2026-02-14", "2026-02-28", "2026-05-09", "2026-01-04", "2026-03-07"):
        assert calendar.is_working(date.fromisoformat(day)), day


def product_of(pool: Pool, product_id: str) -> Product:
    return next(product for product in pool.products if product.product_id == product_id)


def makers(pool: Pool, product: Product) -> list[tuple[Firm, Manufacturing]]:
    firms = {firm.firm_id: firm for firm in pool.firms}
    names = tuple(material.name for material in product.materials)
    soon = MONDAY + timedelta(days=21)
    return [
        (firms[node.firm_id], node.capability)
        for node in pool.nodes
        if isinstance(node.capability, Manufacturing)
        and product.hs6 in node.capability.hs6
        and product.uom == node.capability.uom
        and set(names) <= {material.name for material in node.capability.materials}
        and all(
            firms[node.firm_id].holds(kind, product.hs6, names, product.prices[0].market, soon)
            for kind in product.required_certificates
        )
    ]


def carriers(pool: Pool, market: str) -> list[Node]:
    return [
        node
        for node in pool.nodes
        if isinstance(node.capability, Logistics)
        and any(lane.market == market for lane in node.capability.lanes)
    ]


def sellers(pool: Pool, market: str) -> list[Node]:
    return [
        node
        for node in pool.nodes
        if isinstance(node.capability, Marketing) and market in node.capability.markets()
    ]
