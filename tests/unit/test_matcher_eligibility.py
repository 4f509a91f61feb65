"""Who may take part: each rule excludes what it should, under its own code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lianmeng.kernel.money import cny
from lianmeng.matcher.framing import Framed, frame
from lianmeng.matcher.question import Question
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.firms import Certificate, FirmState
from lianmeng.pool.nodes import Account, LaneMode, Node, NodeState
from tests.pools import (
    IMPORTER,
    NOW,
    SELLER,
    SHAWL,
    agency,
    bangkok,
    day,
    demand,
    firm,
    forwarder,
    lane,
    mill,
    pool,
    question,
)


def framed(snapshot: Snapshot, **changes: Any) -> Framed:
    return frame(question(demand(), **changes), snapshot)


def with_mill(node: Node, *firms: Any, **changes: Any) -> Snapshot:
    return pool((node, forwarder("forwarder"), agency("agency")), firms, **changes)


def grs(**changes: Any) -> Certificate:
    usual = Certificate(type="GRS", number="1", valid_from=day(-9), valid_to=day(99))
    return replace(usual, **changes)


FACTORIES: dict[str, tuple[str, Callable[[], Snapshot]]] = {
    "a firm that waits": (
        "FIRM_NOT_ACTIVE",
        lambda: with_mill(mill("m"), firm("m", state=FirmState.PENDING_VERIFICATION)),
    ),
    "a firm that is suspended": (
        "FIRM_NOT_ACTIVE",
        lambda: with_mill(mill("m"), firm("m", state=FirmState.SUSPENDED)),
    ),
    "a withdrawn node": (
        "NODE_WITHDRAWN",
        lambda: with_mill(replace(mill("m"), state=NodeState.WITHDRAWN)),
    ),
    "a busy firm": (
        "MAX_ALLIANCES",
        lambda: with_mill(
            mill("m"),
            firm("m", max_concurrent_alliances=1),
            engaged={"m": frozenset({"a-other"})},
        ),
    ),
    "other goods": ("HS6", lambda: with_mill(mill("m", hs6=("610910",)))),
    "another unit": ("UOM", lambda: with_mill(mill("m", uom="MTR"))),
    "other materials": ("MATERIAL", lambda: with_mill(mill("m", materials=()))),
    "no certificate": ("CERTIFICATE", lambda: with_mill(mill("m"), firm("m", certificates=()))),
    "a certificate that ends too soon": (
        "CERTIFICATE",
        lambda: with_mill(mill("m"), firm("m", certificates=(grs(valid_to=day(20)),))),
    ),
    "a certificate for other goods": (
        "CERTIFICATE",
        lambda: with_mill(mill("m"), firm("m", certificates=(grs(scope_hs6=("611710",)),))),
    ),
    "a certificate for another market": (
        "CERTIFICATE",
        lambda: with_mill(mill("m"), firm("m", certificates=(grs(markets=("VN",)),))),
    ),
    "a new mould": ("NEW_MOULD", lambda: with_mill(mill("m", needs_new_mould=True))),
    "a least order above P90": (
        "MOQ_ABOVE_DEMAND",
        lambda: with_mill(mill("m", moq_units=30_001)),
    ),
    "a long lead time": ("LEAD_TIME", lambda: with_mill(mill("m", lead=12))),
    "a long notice": (
        "LEAD_TIME",
        lambda: with_mill(mill("m", lead=9), firm("m", notice_hours=96)),
    ),
    "no capacity": ("NO_CAPACITY", lambda: with_mill(mill("m", per_day=20, moq_units=500))),
}


@pytest.mark.parametrize("case", FACTORIES)
def test_rules_of_factories(case: str) -> None:
    code, build = FACTORIES[case]
    found = framed(build())
    assert found.problem.makers == ()
    assert found.excluded[code] == 1


def test_a_factory_that_meets_all_rules() -> None:
    found = framed(with_mill(mill("m")))
    assert [maker.offer.firm_id for maker in found.problem.makers] == ["m"]
    assert found.excluded == {}
    assert found.eligible == 3


def test_its_own_alliance_does_not_make_a_firm_busy() -> None:
    busy = firm("m", max_concurrent_alliances=1)
    found = framed(with_mill(mill("m"), busy, engaged={"m": frozenset({"a-example"})}))
    assert len(found.problem.makers) == 1


def test_a_firm_that_left_the_alliance() -> None:
    found = framed(with_mill(mill("m")), excluded=frozenset({"m"}))
    assert found.excluded == {"LEFT_ALLIANCE": 1}


def test_a_waived_rule_turns_nobody_away() -> None:
    snapshot = with_mill(mill("m"), firm("m", certificates=()))
    assert framed(snapshot, waived=frozenset({"CERTIFICATE"})).problem.makers


def test_batteries_need_a_maker_and_a_lane() -> None:
    powered = replace(SHAWL, battery_class="UN3481")
    plain = forwarder("forwarder")
    able = forwarder(
        "able", (lane("road", LaneMode.ROAD, (7, 10), 900, dangerous_goods=("UN3481",)),)
    )
    snapshot = pool((mill("m"), mill("n", battery_class="UN3481"), plain, able, agency("agency")))
    found = frame(question(demand(product=powered)), snapshot)
    assert [maker.offer.firm_id for maker in found.problem.makers] == ["n"]
    assert {carrier.offer.firm_id for carrier in found.problem.carriers} == {"able"}
    assert found.excluded == {"BATTERY": 2}


LANES: dict[str, tuple[str, dict[str, Any]]] = {
    "another market": ("MARKET", {"market": "VN"}),
    "too slow": (
        "TRANSIT_TIME",
        {"transit_days": lane("x", LaneMode.SEA, (19, 26), 1).transit_days},
    ),
    "full": ("NO_CAPACITY", {"capacity_kg": 0}),
}


@pytest.mark.parametrize("case", LANES)
def test_rules_of_lanes(case: str) -> None:
    code, changes = LANES[case]
    only = lane("road", LaneMode.ROAD, (7, 10), 900, **changes)
    snapshot = pool((mill("m"), forwarder("forwarder", (only,)), agency("agency")))
    found = framed(snapshot)
    assert found.problem.carriers == ()
    assert found.excluded[code] == 1


def stocks(question_: Question, **changes: Any) -> Framed:
    house = bangkok()
    changed = replace(house, stock=(replace(house.stock[0], **changes),))
    nodes = (forwarder("forwarder", (), (changed,)), agency("agency"))
    trader = firm("trader", **SELLER, **IMPORTER)
    return frame(question_, pool(nodes, [trader]))


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("PRODUCT", {"product_id": "other"}),
        ("STOCK_STALE", {"as_of_time": NOW - timedelta(hours=25)}),
        ("NO_CAPACITY", {"units": 0}),
        ("FIRM_NOT_ACTIVE", {"owner_firm_id": "nobody"}),
    ],
)
def test_rules_of_stock(code: str, changes: dict[str, Any]) -> None:
    found = stocks(question(), **changes)
    assert found.problem.piles == ()
    assert found.excluded[code] == 1


def test_stock_of_a_firm_that_left() -> None:
    found = stocks(question(excluded=frozenset({"trader"})))
    assert found.problem.piles == ()
    assert found.excluded == {"LEFT_ALLIANCE": 1}


def test_fresh_stock() -> None:
    (pile,) = stocks(question()).problem.piles
    assert (pile.free_units, pile.lands, pile.release_fen) == (2_400, 1, 900)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("MARKET", {"accounts": (Account(platform="TIKTOK_SHOP", market="VN"),)}),
        ("CHANNEL", {"accounts": (Account(platform="SHOPEE", market="TH"),)}),
        ("LANGUAGE", {"languages": ("vi", "en")}),
        ("CATEGORY", {"categories": ("61", "6302")}),
        ("NO_CAPACITY", {"creator_hours_per_day": 0}),
        ("NO_CAPACITY", {"units_per_creator_hour": 0}),
    ],
)
def test_rules_of_agencies(code: str, changes: dict[str, Any]) -> None:
    snapshot = pool((mill("m"), forwarder("forwarder"), agency("agency", **changes)))
    found = framed(snapshot)
    assert found.problem.promoters == ()
    assert found.excluded == {code: 1}


def test_languages_match_without_their_region_and_goods_by_prefix() -> None:
    shown = agency("agency", languages=("th-TH",), categories=("6214",), fixed_fee=cny(1))
    found = framed(pool((mill("m"), forwarder("forwarder"), shown)))
    assert len(found.problem.promoters) == 1


def test_affiliates_are_one_family_whoever_declares_it() -> None:
    nodes = (mill("a"), mill("b"), mill("c"), forwarder("forwarder"), agency("agency"))
    snapshot = pool(nodes, [firm("c", affiliates=("a",))])
    assert framed(snapshot).problem.families == (frozenset({"a", "c"}), frozenset({"b"}))
