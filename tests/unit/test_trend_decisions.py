"""What the trend service decides from: gates, phases, forecasts, evidence, the catalogue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lianmeng.kernel import thresholds
from lianmeng.kernel.money import Money
from lianmeng.kernel.signals import Metric, SignalFamily
from lianmeng.kernel.trends import TrendMapping, TrendPhase
from lianmeng.pool.products import Product, ProductState, SalePrice
from lianmeng.trend.catalogue import Catalogue
from lianmeng.trend.creators import Crowd
from lianmeng.trend.evidence import Heard, weigh
from lianmeng.trend.forecast import Course, area, demand, half_life_days
from lianmeng.trend.gates import Alarm, Gate, closed_gates
from lianmeng.trend.phases import Speed, is_low, next_phase

LIMITS = thresholds.load()

CLEAR = Alarm(
    social_score=9.0,
    commerce_score=5.0,
    heard_h=240.0,
    fast_ratio=8.0,
    slow_ratio=3.0,
    crowd=Crowd(40, 900),
    p50_14d_units=9_000,
    extra_orders=60.0,
    rise_minutes=45.0,
    alarm_minutes=20.0,
    since_over_h=None,
)


def test_a_clear_alarm_is_a_trend() -> None:
    assert closed_gates(CLEAR, LIMITS.trend) == ()


@pytest.mark.parametrize(
    ("changes", "gate"),
    [
        ({"social_score": 5.9}, Gate.SOCIAL_BELOW_THRESHOLD),
        ({"heard_h": 23.9}, Gate.WARMING_UP),
        ({"fast_ratio": 2.6}, Gate.NOT_ACCELERATING),
        ({"crowd": Crowd(2, 5_000)}, Gate.FEW_CREATORS),
        ({"crowd": Crowd(9, 6_000)}, Gate.ONE_ACCOUNT),
        ({"commerce_score": 3.9}, Gate.NO_COMMERCE),
        ({"p50_14d_units": 1_999}, Gate.DEMAND_SMALL),
        ({"extra_orders": 39.0}, Gate.DEMAND_UNSURE),
        ({"rise_minutes": 29.0}, Gate.DEMAND_UNSURE),
        ({"since_over_h": 71.0}, Gate.COOLING_DOWN),
    ],
)
def test_each_gate_holds_alone(changes: dict[str, Any], gate: Gate) -> None:
    assert closed_gates(replace(CLEAR, **changes), LIMITS.trend) == (gate,)


@pytest.mark.parametrize(
    "changes",
    [
        {"crowd": Crowd()},  # the source names no accounts
        {"extra_orders": 5.0, "alarm_minutes": 60.0},
        {"since_over_h": 72.0},
        {"p50_14d_units": 2_000},
    ],
)
def test_at_the_border_a_gate_is_open(changes: dict[str, Any]) -> None:
    assert closed_gates(replace(CLEAR, **changes), LIMITS.trend) == ()


@pytest.mark.parametrize(
    ("phase", "hours", "fast", "slow", "peak", "then"),
    [
        (TrendPhase.EMERGING, 5, 10, 50, 100, TrendPhase.EMERGING),  # too early to say
        (TrendPhase.EMERGING, 7, 100, 60, 100, TrendPhase.EMERGING),
        (TrendPhase.EMERGING, 7, 100, 95, 100, TrendPhase.PEAKING),
        (TrendPhase.PEAKING, 7, 60, 80, 100, TrendPhase.FADING),
        (TrendPhase.FADING, 7, 75, 70, 100, TrendPhase.FADING),
        (TrendPhase.FADING, 7, 85, 80, 100, TrendPhase.PEAKING),
        (TrendPhase.FADING, 7, 95, 60, 100, TrendPhase.EMERGING),
    ],
)
def test_phases(
    phase: TrendPhase, hours: float, fast: float, slow: float, peak: float, then: TrendPhase
) -> None:
    assert next_phase(phase, hours, Speed(fast, slow, 1.0), peak) is then


def test_low_is_a_tenth_of_the_peak_or_half_of_the_ordinary() -> None:
    assert is_low(Speed(10.0, 20.0, 1.0), 100.0)
    assert not is_low(Speed(11.0, 20.0, 1.0), 100.0)
    assert is_low(Speed(20.0, 30.0, 50.0), 100.0)


def test_the_forecast_of_a_step_that_is_a_day_old() -> None:
    course = Course(1_000.0, TrendPhase.EMERGING, age_days=1.0)
    # One more day of growth to 4/3 of the present rate, then a half-life of six days.
    assert area(course, 14, LIMITS.forecast) == pytest.approx(1.167 + 4 / 3 * 6.728, rel=0.01)
    band = demand(course, 14, LIMITS.forecast)
    assert band.p10_units < band.p50_units < band.p90_units
    assert band.p50_units == pytest.approx(10_137, rel=0.01)


def test_a_young_rise_is_not_taken_to_last() -> None:
    minutes = Course(1_000.0, TrendPhase.EMERGING, age_days=15 / 1_440)
    hours = Course(1_000.0, TrendPhase.EMERGING, age_days=3 / 24)
    assert area(minutes, 14, LIMITS.forecast) < 0.4 * area(hours, 14, LIMITS.forecast)


def test_a_forecast_never_jumps_when_growth_ends() -> None:
    end = LIMITS.forecast.growth_days
    growing = Course(1_000.0, TrendPhase.EMERGING, end)
    peaking = Course(1_000.0, TrendPhase.PEAKING, end)
    for days in (0.0, 1.0, 14.0, 21.0):
        assert area(growing, days, LIMITS.forecast) == pytest.approx(
            area(peaking, days, LIMITS.forecast)
        )


def test_a_fading_rate_halves_as_fast_as_it_did() -> None:
    course = Course(100.0, TrendPhase.FADING, 8.0, remaining_share=0.25, days_since_peak=4.0)
    assert half_life_days(course, LIMITS.forecast) == pytest.approx(2.0)
    assert area(course, 1_000, LIMITS.forecast) == pytest.approx(2.885, rel=0.001)


def test_what_is_over_wants_nothing() -> None:
    band = demand(Course(500.0, TrendPhase.OVER, 9.0), 14, LIMITS.forecast)
    assert (band.p10_units, band.p90_units) == (0, 0)


def test_missing_families_are_named_and_lower_the_confidence() -> None:
    now = 1_800_000_000
    loud = {Metric.VIEW: Heard(12.0, now), Metric.ORDER: Heard(8.0, now)}
    verdict = weigh(loud, now, LIMITS.trend)
    assert verdict.missing == (SignalFamily.CUSTOMS,)
    assert verdict.confidence_bp == 9_000
    alone = weigh({Metric.VIEW: Heard(12.0, now)}, now, LIMITS.trend)
    assert alone.missing == (SignalFamily.COMMERCE, SignalFamily.CUSTOMS)
    assert alone.confidence_bp == 5_000


def test_old_evidence_weighs_less_until_it_is_missing() -> None:
    now = 1_800_000_000
    aged = weigh({Metric.VIEW: Heard(12.0, now - 6 * 3_600)}, now, LIMITS.trend)
    assert aged.families[0].weight_bp == 2_500
    assert aged.families[0].age_s == 6 * 3_600
    gone = weigh({Metric.VIEW: Heard(12.0, now - 3 * 86_400)}, now, LIMITS.trend)
    assert SignalFamily.SOCIAL in gone.missing


def product(product_id: str, *aliases: str, **changes: Any) -> Product:
    """A product with a price in Thailand."""
    usual = Product(
        product_id=product_id,
        name_zh="披肩",
        aliases=aliases,
        hs6="621430",
        uom="H87",
        unit_weight_g=120,
        prices=(SalePrice("TH", "", Money(15_900, "THB")),),
        version=1,
    )
    return replace(usual, **changes)


def test_a_term_is_an_id_an_alias_or_nothing() -> None:
    catalogue = Catalogue()
    catalogue.put(product("shawl", "Cooling Shawl"))
    assert catalogue.product_id("shawl") == "shawl"
    assert catalogue.product_id("cooling shawl") == "shawl"
    assert catalogue.product_id("hat") == ""
    assert catalogue.meaning("hat", "TH").missing == ("product in the catalogue",)
    assert catalogue.meaning("cooling shawl", "TH").mapping is TrendMapping.MAPPED


def test_what_is_missing_is_said() -> None:
    catalogue = Catalogue()
    catalogue.put(product("shawl"))
    meaning = catalogue.meaning("shawl", "VN")
    assert (meaning.product_id, meaning.missing) == ("shawl", ("sale price in VN",))
    catalogue.put(product("shawl", version=2, state=ProductState.WITHDRAWN))
    assert catalogue.meaning("shawl", "TH").mapping is TrendMapping.UNMAPPED


def test_a_new_version_moves_terms_and_an_old_one_does_nothing() -> None:
    catalogue = Catalogue()
    catalogue.put(product("shawl", "wrap", version=1))
    assert catalogue.put(product("shawl", "scarf", version=2)) == {"shawl", "wrap", "scarf"}
    assert catalogue.product_id("wrap") == ""
    assert catalogue.put(product("shawl", "wrap", version=1)) == frozenset()
    assert catalogue.product_id("scarf") == "shawl"


def test_two_claims_on_a_term_do_not_depend_on_their_order() -> None:
    one, other = Catalogue(), Catalogue()
    for catalogue, order in ((one, ("a", "b")), (other, ("b", "a"))):
        for name in order:
            catalogue.put(product(name, "wrap"))
    assert one.product_id("wrap") == other.product_id("wrap") == "a"
