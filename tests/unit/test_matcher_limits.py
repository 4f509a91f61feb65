"""What limits a plan: budget, members, parties of record, shares, markets; and what would help."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lianmeng.alliance.books import Book, BookEntry, EntryKind, ResourceKind
from lianmeng.alliance.demand import Demand, MarketDemand
from lianmeng.alliance.membership import members
from lianmeng.alliance.plan import LotSource, Plan, PlanBucket
from lianmeng.kernel.money import BASIS, Money, cny
from lianmeng.kernel.quantities import Band
from lianmeng.matcher.matching import match
from lianmeng.matcher.outcome import Found, Missing
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.nodes import Account, LaneMode, Node
from tests.pools import (
    IMPORTER,
    NOW,
    SELLER,
    agency,
    bangkok,
    day,
    demand,
    example_pool,
    firm,
    forwarder,
    lane,
    mill,
    pool,
    question,
)

CHEAP_AGENCY = agency("agency", fixed_fee=cny(200_000), creator_hours_per_day=150)


def plan_of(of: Demand, snapshot: Snapshot) -> Plan:
    outcome = match(question(of), snapshot)
    assert isinstance(outcome, Found), outcome
    return outcome.plan


def missing(of: Demand, snapshot: Snapshot) -> Missing:
    outcome = match(question(of), snapshot)
    assert isinstance(outcome, Missing)
    return outcome


def awards(plan: Plan) -> dict[str, int]:
    made: dict[str, int] = {}
    for lot in plan.lots:
        if lot.source is LotSource.FACTORY:
            made[lot.firm_id] = made.get(lot.firm_id, 0) + lot.units
    return made


def two_mills() -> Snapshot:
    nodes = (mill("mill-a"), mill("mill-b", price_fen=1_300), forwarder("f"), CHEAP_AGENCY)
    return pool(nodes)


def test_no_firm_makes_more_than_its_share_where_others_can() -> None:
    made = awards(plan_of(demand(), two_mills()))
    assert made["mill-a"] * BASIS <= 6_000 * sum(made.values())
    assert made["mill-a"] == 10_800


def test_a_price_break_is_worth_a_larger_order() -> None:
    nodes = (
        mill("mill-a", price_fen=1_000, breaks=((7_000, 900),)),
        mill("mill-b", price_fen=980),
        forwarder("f"),
        CHEAP_AGENCY,
    )
    plan = plan_of(demand((9_000, 12_000, 15_000)), pool(nodes))
    assert awards(plan) == {"mill-a": 7_200, "mill-b": 4_800}
    assert {lot.unit_price_fen for lot in plan.lots if lot.firm_id == "mill-a"} == {900}


def test_capacity_for_less_than_p50_is_a_plan_for_less() -> None:
    plan = plan_of(demand(), pool((mill("mill-a", per_day=1_200), forwarder("f"), CHEAP_AGENCY)))
    assert (plan.planned_units, plan.short_units) == (12_000, 6_000)
    assert plan.cost.shortfall_fen == 6_000 * 3_307


def test_units_that_earn_nothing_stay_short() -> None:
    dear = (
        mill("mill-a", per_day=900),
        mill("mill-b", price_fen=3_400),
        forwarder("f"),
        CHEAP_AGENCY,
    )
    plan = plan_of(demand((5_000, 18_000, 20_000)), pool(dear))
    assert awards(plan)["mill-a"] >= 5_000
    assert plan.short_units > 0


def test_a_demand_that_only_loses_money_has_no_plan() -> None:
    outcome = missing(demand(), pool((mill("m", price_fen=9_000), forwarder("f"), CHEAP_AGENCY)))
    assert outcome.reason == "NEGATIVE_MARGIN"


def test_the_budget_holds_and_its_lack_is_told() -> None:
    full = plan_of(demand(), two_mills())
    tight = full.committed_value_fen * 95 // 100
    assert plan_of(demand(budget_fen=tight), two_mills()).committed_value_fen <= tight
    outcome = missing(demand(budget_fen=full.committed_value_fen // 3), two_mills())
    assert outcome.reason == "BUDGET"
    assert any("% budget" in words for words in outcome.relaxations)


def test_the_number_of_members_holds_and_its_lack_is_told() -> None:
    snapshot = two_mills()
    assert len(members(plan_of(demand(max_members=4), snapshot))) == 4
    assert len(members(plan_of(demand(max_members=3), snapshot))) == 3
    outcome = missing(demand(max_members=2), snapshot)
    assert outcome.reason == "MAX_MEMBERS"
    assert outcome.relaxations[0].startswith("+1 members")


def test_a_firm_with_two_roles_is_one_member() -> None:
    nodes = (mill("both"), forwarder("both"), CHEAP_AGENCY)
    both = firm("both", **SELLER, **IMPORTER)
    assert len(members(plan_of(demand(max_members=2), pool(nodes, [both])))) == 2


def test_somebody_has_to_sell_export_and_import() -> None:
    nodes = (mill("m"), forwarder("f"), forwarder("g"), CHEAP_AGENCY)
    nobody = [firm(name, can_export=False) for name in ("m", "f", "g", "agency")]
    outcome = missing(demand(), pool(nodes, nobody))
    assert outcome.reason == "NO_PARTY_OF_RECORD"
    able = [*nobody[:2], firm("g", can_export=True, **IMPORTER), firm("agency", **SELLER)]
    plan = plan_of(demand(), pool(nodes, able))
    assert "g" in members(plan)
    (party,) = plan.parties
    assert (party.seller_firm_id, party.exporter_firm_id, party.importer_firm_id) == (
        "agency", "g", "g",
    )  # fmt: skip


def test_stock_alone_needs_no_exporter() -> None:
    nodes = (forwarder("f", (), (bangkok(),)), CHEAP_AGENCY)
    outcome = match(
        question(demand((1_000, 2_000, 2_400))), pool(nodes, [firm("trader"), firm("f")])
    )
    assert isinstance(outcome, Found)
    (party,) = outcome.plan.parties
    assert (party.seller_firm_id, party.exporter_firm_id) == ("agency", "")
    assert outcome.plan.relaxations == ()


def test_two_markets_share_the_mills_and_the_hours() -> None:
    both = (
        Account(platform="TIKTOK_SHOP", market="TH"),
        Account(platform="TIKTOK_SHOP", market="VN"),
    )
    to_hanoi = lane("hanoi", LaneMode.ROAD, (5, 8), 700, market="VN")
    hanoi = MarketDemand(
        market="VN",
        channel="TIKTOK_SHOP",
        language="vi",
        band=Band(p10_units=2_000, p50_units=4_000, p90_units=6_000),
        sale_price=Money(112_000, "VND"),
    )
    of = demand((3_000, 6_000, 9_000))
    of = replace(of, markets=(*of.markets, hanoi))
    nodes = (
        mill("mill-a"),
        mill("mill-b"),
        forwarder("f"),
        forwarder("g", (to_hanoi,)),
        agency("agency", accounts=both, languages=("th", "vi"), fixed_fee=cny(100_000)),
    )
    everywhere = {"can_sell_in": ("TH", "VN"), "can_import_in": ("TH", "VN")}
    plan = plan_of(of, pool(nodes, [firm(n, **everywhere) for n in ("agency", "f", "g")]))
    landed = {m: sum(s.units for s in plan.shipments if s.market == m) for m in ("TH", "VN")}
    assert landed == {"TH": 6_000, "VN": 4_000}
    assert {(c.market, c.language) for c in plan.campaigns} == {("TH", "th"), ("VN", "vi")}
    assert [rate.currency for rate in plan.fx] == ["THB", "VND"]
    assert {party.market for party in plan.parties} == {"TH", "VN"}


def busy(capacity: int) -> Book:
    buckets = tuple(
        PlanBucket(key=day(n).isoformat(), units=capacity, capacity_units=capacity)
        for n in range(1, 20)
    )
    entry = BookEntry(alliance_id="a-other", kind=EntryKind.HOLD, node_version=1, buckets=buckets)
    return Book(
        resource_id="mill-mill--line-1",
        kind=ResourceKind.RATE,
        entries=(entry,),
        written_time=NOW,
    )


def test_capacity_that_others_reserved_is_the_reason() -> None:
    snapshot = replace(example_pool(), books={"mill-mill--line-1": busy(2_000)})
    outcome = missing(demand(), snapshot)
    assert outcome.reason == "CAPACITY_RESERVED_ELSEWHERE"
    assert any("other alliances" in words for words in outcome.relaxations)


def test_a_window_that_is_too_short() -> None:
    outcome = missing(demand(days=12), example_pool())
    assert outcome.reason == "WINDOW_TOO_SHORT"
    assert any(words.startswith("+") and "days" in words for words in outcome.relaxations)


def test_relaxations_name_one_more_certified_factory() -> None:
    snapshot = example_pool()
    firms = {**snapshot.firms, "mill": firm("mill", certificates=())}
    outcome = missing(demand(), replace(snapshot, firms=firms))
    assert outcome.reason == "NO_FACTORY"
    assert any("one more factory certified for GRS" in words for words in outcome.relaxations)
    assert [(x.reason, x.count) for x in outcome.excluded] == [("CERTIFICATE", 1)]


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ((mill("m"), forwarder("f")), "NO_AGENCY"),
        ((forwarder("f"), CHEAP_AGENCY), "NO_FACTORY"),
        ((mill("m"), CHEAP_AGENCY), "NO_LANE"),
    ],
)
def test_a_role_that_nobody_takes(nodes: tuple[Node, ...], reason: str) -> None:
    assert missing(demand(), pool(nodes)).reason == reason


def test_a_window_that_ends_today_has_no_plan() -> None:
    of = demand(window_end_time=NOW + timedelta(hours=2))
    assert missing(of, example_pool()).reason == "WINDOW_TOO_SHORT"
