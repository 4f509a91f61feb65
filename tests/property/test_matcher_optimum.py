"""On problems so small that every plan can be tried, no plan is cheaper than the matcher's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianmeng.kernel.money import BASIS, cny
from lianmeng.kernel.thresholds import load
from lianmeng.matcher.matching import match
from lianmeng.matcher.outcome import Found
from lianmeng.pool.nodes import LaneMode, Node
from tests.pools import SHAWL, agency, demand, forwarder, lane, mill, pool, question

WANTED, LEAST = 24, 8
SALE_FEN = 3_307
RISK_FEN = SALE_FEN * 1_000 * 2_500 / BASIS**2
"""Per unit and member: a tenth is expected to fail, and a quarter of its sale is lost."""

Terms = tuple[int, int, int, int, int]
"""Of a mill: price, set-up, least order, multiple, price from 12 units on (fen, units)."""

terms = st.tuples(
    st.integers(500, 3_400),
    st.integers(0, 20_000),
    st.sampled_from([0, 5, 9]),
    st.sampled_from([1, 2, 5]),
    st.integers(300, 3_400),
)


def node(name: str, of: Terms) -> Node:
    price, setup, least, multiple, cheaper = of
    return mill(
        name,
        per_day=10,
        price_fen=price,
        breaks=((12, min(price, cheaper)),),
        setup_fee=cny(setup),
        moq_units=least,
        lot_multiple_units=multiple,
    )


def order_cost(of: Terms, units: int) -> int:
    price, setup, _, _, cheaper = of
    return units * (min(price, cheaper) if units >= 12 else price) + setup if units else 0


def orders(of: Terms) -> Iterator[int]:
    """Sizes that an order may have."""
    _, _, least, multiple, _ = of
    yield 0
    yield from (n for n in range(multiple, WANTED + 1, multiple) if n >= least)


def cheapest(one: Terms, other: Terms, rate: int, least_charge: int, fee: int) -> float | None:
    """The least cost of all plans that keep the share cap, or of all if none does."""

    def cost(a: int, b: int) -> float:
        units = a + b
        freight = max(least_charge, units * rate) if units else 0
        made = order_cost(one, a) + order_cost(other, b)
        return made + freight + fee + units * 3 * RISK_FEN + (WANTED - units) * SALE_FEN

    sizes = [(a, b) for a, b in product(orders(one), orders(other)) if LEAST <= a + b <= WANTED]
    capped = [(a, b) for a, b in sizes if max(a, b) * BASIS <= 6_000 * (a + b)]
    return min((cost(a, b) for a, b in capped or sizes), default=None)


@given(terms, terms, st.integers(0, 300), st.integers(0, 4_000), st.integers(0, 20_000))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_plan_is_cheaper(
    one: Terms, other: Terms, rate: int, least_charge: int, fee: int
) -> None:
    road = lane("road", LaneMode.ROAD, (7, 10), rate * 10, minimum_charge=cny(least_charge))
    nodes = (
        node("mill-a", one),
        node("mill-b", other),
        forwarder("forwarder", (road,)),
        agency("agency", fixed_fee=cny(fee), hour_fee=cny(0), commission_bp=0),
    )
    # One unit weighs 100 g, so a unit's freight is a tenth of the price per kg.
    light = replace(SHAWL, unit_weight_g=100)
    outcome = match(question(demand((LEAST, WANTED, WANTED), product=light)), pool(nodes))
    best = cheapest(one, other, rate, least_charge, fee)
    if isinstance(outcome, Found):
        assert best is not None
        tolerance = best * load().match.target_gap_bp / BASIS + 5
        assert best - 5 <= outcome.plan.cost.total_fen <= best + tolerance
        assert outcome.plan.solve.bound_fen <= best + 5
    else:
        assert best is None or outcome.reason == "NEGATIVE_MARGIN"
