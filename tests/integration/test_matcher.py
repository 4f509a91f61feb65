"""The matcher on real NATS and gRPC: from trends to plans that hold capacity, over conflicts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import redis.asyncio

from lianmeng.alliance import facts as f
from lianmeng.alliance.books import EntryKind
from lianmeng.alliance.members import RepairRequest
from lianmeng.alliance.membership import members
from lianmeng.alliance.plan import LotSource, Plan
from lianmeng.alliance.reservations import reserved
from lianmeng.alliance.state import AllianceState, State
from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.ids import alliance_id_of_trend
from lianmeng.kernel.money import Money, cny
from lianmeng.kernel.trends import TrendEvent, TrendMapping, TrendPhase
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Lane, Node
from lianmeng.pool.products import Material, Product, SalePrice
from lianmeng.runtime.deadletters import dead_letters
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.subjects import trend_subject
from lianmeng.runtime.writes import Write
from lianmeng.v1 import matcher_pb2, types_pb2
from tests.integration.matcher_world import MatcherWorld, running_matcher, serving, trend
from tests.pools import (
    IMPORTER,
    NOW,
    ROAD,
    SELLER,
    agency,
    bangkok,
    firm,
    forwarder,
    mill,
)

pytestmark = pytest.mark.integration

BIG, SMALL = (9_000, 18_000, 30_000), (1_500, 3_000, 4_500)
ONE = alliance_id_of_trend("t-one")
SHAWL = Product(
    product_id="rpet-shawl",
    name_zh="再生涤纶披肩",
    hs6="621430",
    uom="H87",
    unit_weight_g=120,
    unit_volume_cm3=600,
    materials=(Material("rPET"),),
    required_certificates=("GRS",),
    prices=(SalePrice("TH", "TIKTOK_SHOP", Money(15_900, "THB")),),
    version=1,
)


def records(*mills: Node) -> list[Firm | Node | Product]:
    """Mills, a forwarder with stock in Bangkok, two agencies, and their firms."""
    nodes = [
        *mills,
        forwarder("forwarder-a", houses=(bangkok(),)),
        forwarder("forwarder-b", (dearer_road(1_300),)),
        agency("agency-a"),
        agency("agency-b", commission_bp=900),
        agency("agency-small", fixed_fee=cny(300_000), creator_hours_per_day=100),
    ]
    firms = [
        firm("trader", **SELLER, **IMPORTER),
        *(firm(node.firm_id, **SELLER, **IMPORTER) for node in nodes),
    ]
    return [SHAWL, *firms, *nodes]


def dearer_road(fen: int) -> Lane:
    return replace(ROAD, price=cny(fen))


def plan_of(state: AllianceState) -> Plan:
    assert state.plan is not None
    return state.plan


def made(plan: Plan, firm_id: str = "") -> int:
    return sum(
        lot.units
        for lot in plan.lots
        if lot.source is LotSource.FACTORY and firm_id in ("", lot.firm_id)
    )


def is_proposed(state: AllianceState) -> bool:
    return state.state is State.PROPOSED


def has_no_plan(state: AllianceState) -> bool:
    return state.state is State.MATCHING and bool(state.reason)


async def test_a_trend_becomes_a_plan_that_holds_its_capacity(
    log: Log, memory: redis.asyncio.Redis, zone: str
) -> None:
    pool = records(mill("mill-a"), mill("mill-b", price_fen=1_000))
    async with running_matcher(log, memory, zone, NOW, pool) as world:
        await world.tell(trend(NOW, "rpet-shawl", BIG))
        state = await world.state(ONE, is_proposed)
        plan = plan_of(state)
        assert (plan.planned_units, plan.short_units) == (18_000, 0)
        assert state.hold_until_time == NOW + timedelta(hours=36)
        assert state.deadline_time is not None
        books = await world.books()
        assert books.keys() == reserved(state).keys()
        kinds = {entry.kind for book in books.values() for entry in book.entries}
        assert kinds == {EntryKind.HOLD}
        assert await world.violations() == []


async def test_repeats_and_updates_of_a_trend_are_one_alliance(
    log: Log, memory: redis.asyncio.Redis, zone: str
) -> None:
    pool = records(mill("mill-a"), mill("mill-b"))
    async with running_matcher(log, memory, zone, NOW, pool) as world, serving(world):
        first = trend(NOW, "rpet-shawl", BIG)
        updated = replace(first, event=TrendEvent.UPDATED, forecast_version=2)
        await asyncio.gather(*(world.tell(t) for t in (first, first, updated, first, updated)))
        await world.state(ONE, is_proposed)
        await asyncio.sleep(0.3)
        facts = [f.name_of(record.fact) for _, record in await world.records()]
        assert facts == ["demand_accepted", "proposed"]


async def test_trends_that_form_nothing(log: Log, memory: redis.asyncio.Redis, zone: str) -> None:
    async with running_matcher(log, memory, zone, NOW, records(mill("mill-a"))) as world:
        alive = trend(NOW, "rpet-shawl", BIG)
        await world.tell(replace(alive, mapping=TrendMapping.UNMAPPED, product_id=""))
        await world.tell(replace(alive, trend_id="t-two", phase=TrendPhase.OVER))
        await log.publish(Write(trend_subject(zone, "t-three"), b"\xff\xff"))
        await world.tell(replace(alive, trend_id="t-four"))
        await world.state(alliance_id_of_trend("t-four"), is_proposed)
        async with asyncio.timeout(5):
            while not (letters := await _letters(log, zone)):  # noqa: ASYNC110 - others write
                await asyncio.sleep(0.02)
        assert letters == ["CORRUPT_PAYLOAD"]
        assert len({record.alliance_id for _, record in await world.records()}) == 1


async def _letters(log: Log, zone: str) -> list[str]:
    return [letter.reason async for letter in dead_letters(log, zone)]


async def test_two_demands_share_one_mill_without_overbooking(
    log: Log, memory: redis.asyncio.Redis, zone: str
) -> None:
    pool = records(mill("mill-a", per_day=600), mill("mill-b", per_day=500))
    async with running_matcher(log, memory, zone, NOW, pool) as world, serving(world):
        names = [f"t-{n}" for n in range(6)]
        await asyncio.gather(
            *(world.tell(trend(NOW, "rpet-shawl", SMALL, trend_id=name)) for name in names)
        )
        states = [
            await world.state(
                alliance_id_of_trend(name), lambda s: is_proposed(s) or has_no_plan(s)
            )
            for name in names
        ]
        proposed = [state for state in states if state.plan is not None]
        none = [state for state in states if state.plan is None]
        assert len(proposed) >= 3
        assert {state.reason for state in none} <= {"CAPACITY_RESERVED_ELSEWHERE"}
        assert all(state.rematch_time == NOW + timedelta(minutes=30) for state in none)
        assert await world.violations() == []


async def test_no_plan_says_why_and_a_rematch_finds_new_capacity(
    log: Log, memory: redis.asyncio.Redis, zone: str
) -> None:
    uncertified = firm("mill-a", certificates=(), can_export=True)
    pool = [r for r in records(mill("mill-a")) if getattr(r, "firm_id", "") != "mill-a"]
    pool += [uncertified, mill("mill-a")]
    async with running_matcher(log, memory, zone, NOW, pool) as world:
        await world.tell(trend(NOW, "rpet-shawl", BIG))
        state = await world.state(ONE, has_no_plan)
        assert state.reason == "NO_FACTORY"
        assert any("certified for GRS" in words for words in state.relaxations)
        await world.register(firm("mill-b"), mill("mill-b"))
        await asyncio.sleep(0.2)
        await world.write(ONE, f.RematchDue(reason="NEW_CAPACITY"))
        plan = plan_of(await world.state(ONE, is_proposed))
        assert "mill-b" in members(plan)
        assert plan.relaxations == ("SHARE_CAP_RELAXED",)


async def test_a_repair_that_lifecycle_asks_for(
    log: Log, memory: redis.asyncio.Redis, zone: str
) -> None:
    pool = records(mill("mill-a"), mill("mill-b", price_fen=990), mill("mill-c", price_fen=1_050))
    async with running_matcher(log, memory, zone, NOW, pool) as world:
        await world.tell(trend(NOW, "rpet-shawl", BIG))
        before = plan_of(await world.state(ONE, is_proposed))
        await world.write(
            ONE, f.Invited(invitations=(), formation_deadline_time=NOW + timedelta(hours=12))
        )
        await world.write(
            ONE,
            f.RepairRequested(
                repair=RepairRequest(
                    round=1,
                    reason="MEMBER_DECLINED",
                    lost_firm_ids=("mill-a",),
                    locked_firm_ids=tuple(n for n in members(before) if n != "mill-a"),
                )
            ),
        )
        after = plan_of(await world.state(ONE, lambda s: s.repair is None and s.plan != before))
        assert after.version == 2


async def test_calls_of_people(log: Log, memory: redis.asyncio.Redis, zone: str) -> None:
    pool = records(mill("mill-a"), mill("mill-b"))
    async with running_matcher(log, memory, zone, NOW, pool) as world:
        answer = await world.call("WhatIf", matcher_pb2.WhatIfRequest(demand=wish()))
        assert answer.plan.planned_units == 18_000
        assert await world.records() == []
        request = matcher_pb2.SubmitDemandRequest(command_id="one", demand=wish())
        first = await world.call("SubmitDemand", request)
        again = await world.call("SubmitDemand", request)
        assert first.alliance_id == again.alliance_id
        await world.state(first.alliance_id, is_proposed)
        await refused(world, "UNMAPPED_PRODUCT", product_id="no-such-thing")
        await refused(world, "UNIT_MISMATCH", uom="MTR")
        await refused(world, "MISSING_FIELD", markets=[])


async def refused(world: MatcherWorld, reason: str, **changes: object) -> None:
    with pytest.raises(Rejected) as error:
        await world.call("WhatIf", matcher_pb2.WhatIfRequest(demand=wish(**changes)))
    assert error.value.reason == reason
    assert error.value.field


def wish(**changes: object) -> matcher_pb2.DemandWish:
    band = types_pb2.Band(p10_units=9_000, p50_units=18_000, p90_units=30_000)
    fields: dict[str, object] = {
        "product_id": "rpet-shawl",
        "markets": [matcher_pb2.MarketWish(market="TH", band=band)],
    } | changes
    made = matcher_pb2.DemandWish(**fields)  # type: ignore[arg-type]
    made.window_end_time.FromDatetime(NOW + timedelta(days=21))
    return made
