"""From trends and wishes to demands: what is pinned, what is refused and how that is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from lianmeng.alliance.demand import DemandOrigin
from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.ids import alliance_id_of_trend
from lianmeng.kernel.money import Money, cny
from lianmeng.kernel.quantities import Band
from lianmeng.kernel.trends import (
    Trend,
    TrendEvent,
    TrendKind,
    TrendMapping,
    TrendPhase,
)
from lianmeng.matcher.demand import (
    DemandWish,
    MarketWish,
    forms_alliance,
    limits_of,
    of_trend,
    of_wish,
)
from lianmeng.pool.products import Material, Product, ProductState, SalePrice
from tests.pools import NOW, THRESHOLDS

SHAWL = Product(
    product_id="rpet-shawl",
    name_zh="再生涤纶披肩",
    hs6="621430",
    uom="H87",
    unit_weight_g=120,
    materials=(Material("rPET", 10_000),),
    required_certificates=("GRS",),
    prices=(
        SalePrice("TH", "TIKTOK_SHOP", Money(15_900, "THB")),
        SalePrice("VN", "SHOPEE", Money(112_000, "VND")),
    ),
    version=4,
)
BAND = Band(p10_units=9_000, p50_units=18_000, p90_units=30_000)
END = NOW + timedelta(days=21)
TREND = Trend(
    trend_id="t-one",
    event=TrendEvent.DETECTED,
    kind=TrendKind.FLASH,
    phase=TrendPhase.EMERGING,
    term="shawl",
    product_id="rpet-shawl",
    market="TH",
    mapping=TrendMapping.MAPPED,
    start_time=NOW - timedelta(hours=2),
    as_of_time=NOW,
    window_end_time=END,
    demand_14d=BAND,
    demand_window=BAND,
    forecast_version=3,
    thresholds_version="test",
)


def test_the_demand_of_a_trend_pins_product_forecast_and_price() -> None:
    demand = of_trend(TREND, SHAWL)
    assert (demand.demand_id, demand.origin) == (alliance_id_of_trend("t-one"), DemandOrigin.TREND)
    assert (demand.product.version, demand.forecast_version) == (4, 3)
    (market,) = demand.markets
    assert (market.channel, market.language, market.band) == ("TIKTOK_SHOP", "th", BAND)
    assert demand.window_end_time == END


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": TrendKind.STRUCTURAL},
        {"mapping": TrendMapping.UNMAPPED},
        {"phase": TrendPhase.OVER},
    ],
)
def test_trends_that_form_nothing(changes: dict[str, Any]) -> None:
    assert forms_alliance(TREND)
    assert not forms_alliance(replace(TREND, **changes))


def test_a_trend_where_the_product_has_no_price() -> None:
    with pytest.raises(Rejected, match="no sale price in SA"):
        of_trend(replace(TREND, market="SA"), SHAWL)


def wish(**changes: Any) -> DemandWish:
    usual = DemandWish(
        product_id="rpet-shawl",
        markets=(MarketWish(market="TH", band=BAND),),
        window_end_time=END,
    )
    return replace(usual, **changes)


def asked(of: DemandWish, product: Product | None = SHAWL, now: datetime = NOW) -> Any:
    return of_wish(of, product, "zj", "manager", "c1", now, THRESHOLDS.fx)


def test_a_wish_becomes_a_demand_of_its_command() -> None:
    demand = asked(wish(budget=Money(10_000_000, "THB"), max_members=5, uom="H87"))
    assert (demand.origin, demand.command_id) == (DemandOrigin.MANUAL, "c1")
    assert (demand.window_start_time, demand.max_members) == (NOW, 5)
    assert demand.budget_fen == 2_080_000
    assert asked(wish()).demand_id == demand.demand_id


def test_a_wish_for_two_markets() -> None:
    both = (
        MarketWish(market="TH", band=BAND),
        MarketWish(market="VN", channel="LAZADA", band=BAND),
    )
    demand = asked(wish(markets=both))
    assert [(m.channel, m.language) for m in demand.markets] == [
        ("TIKTOK_SHOP", "th"),
        ("LAZADA", "vi"),
    ]


HUGE = Band(p10_units=1, p50_units=2, p90_units=10**15)
REFUSED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "another unit": ("UNIT_MISMATCH", "demand.uom", {"uom": "MTR"}),
    "no end": ("MISSING_FIELD", "demand.window_end_time", {"window_end_time": None}),
    "a past end": ("PAST_DATE", "demand.window_end_time", {"window_end_time": NOW}),
    "an end before the start": (
        "DATE_ORDER",
        "demand.window_end_time",
        {"window_start_time": END + timedelta(days=1)},
    ),
    "a window of a year": (
        "OUT_OF_RANGE",
        "demand.window_end_time",
        {"window_end_time": NOW + timedelta(days=365)},
    ),
    "no market": ("MISSING_FIELD", "demand.markets", {"markets": ()}),
    "an unknown market": (
        "UNKNOWN_MARKET",
        "demand.markets[0].market",
        {"markets": (MarketWish(market="XX", band=BAND),)},
    ),
    "a market without a price": (
        "UNMAPPED_PRODUCT",
        "demand.markets[0].market",
        {"markets": (MarketWish(market="SA", band=BAND),)},
    ),
    "a market twice": (
        "DUPLICATE",
        "demand.markets",
        {"markets": (MarketWish(market="TH", band=BAND),) * 2},
    ),
    "no quantity": (
        "MISSING_FIELD",
        "demand.markets[0].band.p50_units",
        {"markets": (MarketWish(market="TH"),)},
    ),
    "an absurd quantity": (
        "OUT_OF_RANGE",
        "demand.markets[0].band.p90_units",
        {"markets": (MarketWish(market="TH", band=HUGE),)},
    ),
    "a negative limit": ("OUT_OF_RANGE", "demand.max_members", {"max_members": -1}),
    "an empty budget": ("OUT_OF_RANGE", "demand.budget", {"budget": cny(0)}),
    "an unknown currency": ("UNKNOWN_CURRENCY", "demand.budget", {"budget": Money(1, "XXX")}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wish_is_refused_with_its_field(case: str) -> None:
    reason, field, changes = REFUSED[case]
    with pytest.raises(Rejected) as error:
        asked(wish(**changes))
    assert (error.value.reason, error.value.field) == (reason, field)
    assert error.value.message_zh
    assert error.value.hint
    assert error.value.hint_zh


@pytest.mark.parametrize("product", [None, replace(SHAWL, state=ProductState.WITHDRAWN)])
def test_a_wish_for_a_product_that_is_not_traded(product: Product | None) -> None:
    with pytest.raises(Rejected) as error:
        asked(wish(), product)
    assert error.value.reason == "UNMAPPED_PRODUCT"


def test_limits_are_those_of_the_thresholds() -> None:
    limits = limits_of(THRESHOLDS)
    assert limits.major_value_fen == THRESHOLDS.approval.major_value_fen
    assert limits.formation_hours == THRESHOLDS.formation.limit_hours
    assert limits.thresholds_version == THRESHOLDS.version
