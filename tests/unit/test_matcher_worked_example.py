"""The worked example of the domain guide, figure by figure."""

from __future__ import annotations

import pytest

from lianmeng.alliance.plan import LotSource, Plan
from lianmeng.kernel.thresholds import load
from lianmeng.matcher.matching import match
from lianmeng.matcher.outcome import Found
from tests.pools import day, example_pool, question


@pytest.fixture(scope="module")
def plan() -> Plan:
    found = match(question(), example_pool())
    assert isinstance(found, Found), found
    return found.plan


def test_three_waves_of_goods(plan: Plan) -> None:
    w0, w1, w2 = plan.lots
    assert [(lot.wave, lot.source, lot.units) for lot in plan.lots] == [
        (0, LotSource.STOCK, 2_400),
        (1, LotSource.FACTORY, 6_000),
        (2, LotSource.FACTORY, 9_600),
    ]
    assert (w1.ready_date, w2.ready_date) == (day(3), day(9))
    assert {bucket.key: bucket.units for bucket in w1.buckets} == {
        day(n).isoformat(): 2_000 for n in (1, 2, 3)
    }
    assert {bucket.key: bucket.units for bucket in w2.buckets} == {
        day(4).isoformat(): 2_000,
        day(5).isoformat(): 2_000,
        day(7).isoformat(): 2_000,
        day(8).isoformat(): 2_000,
        day(9).isoformat(): 1_600,
    }
    assert w0.resource_id == "forwarder-hub--bangkok--trader--rpet-shawl"


def test_landings_by_road_and_none_by_sea(plan: Plan) -> None:
    assert [(s.mode, s.units, s.depart_date, s.land_date) for s in plan.shipments] == [
        ("", 2_400, day(0), day(1)),
        ("ROAD", 6_000, day(3), day(10)),
        ("ROAD", 9_600, day(9), day(16)),
    ]


def test_value_to_the_fen(plan: Plan) -> None:
    made = [lot for lot in plan.lots if lot.source is LotSource.FACTORY]
    assert sum(lot.units * lot.unit_price_fen for lot in made) == 15_288_000
    assert plan.cost.freight_fen == 1_965_600
    assert plan.cost.marketing_fixed_fen == 3_600_000
    assert plan.committed_value_fen == 20_853_600
    assert plan.committed_value_fen >= load().approval.major_value_fen


def test_the_one_mill_relaxes_the_share_cap(plan: Plan) -> None:
    assert plan.relaxations == ("SHARE_CAP_RELAXED",)
    assert (plan.planned_units, plan.short_units) == (18_000, 0)


def test_it_is_proven_and_repeatable(plan: Plan) -> None:
    assert plan.solve.status == "OPTIMAL"
    assert plan.solve.gap_bp <= load().match.target_gap_bp
    assert plan.solve.bound_fen <= plan.solve.objective_fen == plan.cost.total_fen
    assert plan.solve.repeatable
    again = match(question(), example_pool())
    assert isinstance(again, Found)
    assert again.plan == plan
