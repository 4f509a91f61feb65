"""Properties of every match: checked plans, valid bounds, the same answer twice, and no favours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lianmeng.alliance.books import Book, BookEntry, EntryKind, ResourceKind
from lianmeng.alliance.plan import Plan, PlanBucket
from lianmeng.kernel.money import cny
from lianmeng.matcher.matching import match
from lianmeng.matcher.outcome import Found
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.matcher.verify import violations
from lianmeng.pool.nodes import LaneMode, Node
from tests.pools import (
    IMPORTER,
    NOW,
    SELLER,
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

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def mills(draw: st.DrawFn, name: str) -> Node:
    price = draw(st.integers(600, 2_500))
    breaks = draw(st.sampled_from([(), ((3_000, price * 95 // 100),), ((900, price - 40),)]))
    return mill(
        name,
        per_day=draw(st.integers(100, 2_500)),
        price_fen=price,
        lead=draw(st.integers(1, 9)),
        breaks=breaks,
        lines=draw(st.integers(1, 3)),
        moq_units=draw(st.sampled_from([0, 150, 300, 1_000])),
        lot_multiple_units=draw(st.sampled_from([0, 1, 7, 50, 100])),
        setup_fee=draw(st.sampled_from([None, cny(60_000)])),
        first_pass_yield_bp=draw(st.sampled_from([0, 9_730])),
    )


@st.composite
def forwarders(draw: st.DrawFn, name: str) -> Node:
    minimum = draw(st.sampled_from([None, cny(20_000)]))
    weekdays = draw(st.sampled_from([(), (2, 4, 6), (1,)]))
    common: dict[str, Any] = {"minimum_charge": minimum, "departure_weekdays": weekdays}
    road = lane(
        "road",
        LaneMode.ROAD,
        (7, 10),
        draw(st.integers(600, 1_500)),
        capacity_kg=draw(st.integers(50, 3_000)),
        cutoff_days=draw(st.integers(0, 2)),
        pickup_price_per_kg=draw(st.sampled_from([None, cny(33)])),
        **common,
    )
    air = lane(
        "air",
        LaneMode.AIR,
        (3, 5),
        draw(st.integers(2_000, 3_500)),
        capacity_kg=draw(st.integers(20, 800)),
        volumetric_divisor=draw(st.sampled_from([0, 4_000])),
        **common,
    )
    houses = (bangkok(units=draw(st.integers(1, 3_000))),) if draw(st.booleans()) else ()
    return forwarder(name, draw(st.sampled_from([(road,), (road, air), (air,)])), houses)


@st.composite
def agencies(draw: st.DrawFn, name: str) -> Node:
    return agency(
        name,
        creator_hours_per_day=draw(st.integers(1, 80)),
        units_per_creator_hour=draw(st.integers(3, 20)),
        fixed_fee=cny(draw(st.integers(0, 3_000_000))),
        hour_fee=cny(draw(st.integers(0, 4_000))),
        commission_bp=draw(st.integers(0, 1_500)),
    )


@st.composite
def pools(draw: st.DrawFn) -> Snapshot:
    nodes = [
        *(draw(mills(f"mill-{n}")) for n in range(draw(st.integers(1, 5)))),
        *(draw(forwarders(f"forwarder-{n}")) for n in range(draw(st.integers(1, 3)))),
        *(draw(agencies(f"agency-{n}")) for n in range(draw(st.integers(1, 3)))),
    ]
    firms = [firm("trader", **SELLER, **IMPORTER)]
    if draw(st.booleans()):
        firms.append(firm("mill-0", affiliates=("mill-1",)))
    booked = {
        book.resource_id: book
        for node in nodes[:1]
        for book in draw(st.sampled_from([[], [busy(node)]]))
    }
    return pool(nodes, firms, books=booked)


def busy(node: Node) -> Book:
    """Somebody else has 50 units of the first line on each of ten days."""
    buckets = tuple(
        PlanBucket(key=day(n).isoformat(), units=50, capacity_units=10_000) for n in range(1, 11)
    )
    entry = BookEntry(alliance_id="a-other", kind=EntryKind.COMMIT, node_version=1, buckets=buckets)
    return Book(
        resource_id=f"{node.node_id}--line-1",
        kind=ResourceKind.RATE,
        entries=(entry,),
        written_time=NOW,
    )


bands = st.integers(10, 30_000).flatmap(
    lambda p50: st.tuples(st.integers(p50 // 10, p50), st.just(p50), st.integers(p50, 2 * p50))
)


def plan_of(snapshot: Snapshot, band: tuple[int, int, int]) -> Plan | None:
    outcome = match(question(demand(band)), snapshot)
    return outcome.plan if isinstance(outcome, Found) else None


@given(pools(), bands)
@QUICK
def test_every_plan_passes_the_checker_and_lies_above_its_bound(
    snapshot: Snapshot, band: tuple[int, int, int]
) -> None:
    plan = plan_of(snapshot, band)
    assume(plan is not None)
    assert plan is not None
    assert violations(question(demand(band)), snapshot, plan) == ()
    assert plan.solve.bound_fen <= plan.cost.total_fen
    assert plan.solve.gap_bp <= 100
    assert plan.cost.margin_fen >= 0


@given(pools(), bands)
@QUICK
def test_the_same_input_gives_the_same_plan(snapshot: Snapshot, band: tuple[int, int, int]) -> None:
    assert plan_of(snapshot, band) == plan_of(snapshot, band)


@given(pools(), bands)
@QUICK
def test_more_capacity_never_costs_more(snapshot: Snapshot, band: tuple[int, int, int]) -> None:
    before = plan_of(snapshot, band)
    assume(before is not None and not before.relaxations)
    assert before is not None
    after = plan_of(replace(snapshot, books={}), band)
    assert after is not None
    slack = before.cost.total_fen * 11 // 10_000 + len(after.shipments) + 5
    assert after.cost.total_fen <= before.cost.total_fen + slack


@given(pools(), bands)
@QUICK
def test_the_names_of_firms_do_not_matter(snapshot: Snapshot, band: tuple[int, int, int]) -> None:
    plan = plan_of(snapshot, band)
    renamed = plan_of(mirrored(snapshot), band)
    assert (plan is None) == (renamed is None)
    if plan is not None and renamed is not None:
        near = plan.cost.total_fen * 11 // 10_000 + 20
        assert abs(plan.cost.total_fen - renamed.cost.total_fen) <= near


def mirrored(snapshot: Snapshot) -> Snapshot:
    """The same pool under names that sort the other way round."""

    def other(name: str) -> str:
        return "".join(chr(ord("0") + ord("9") - ord(c)) if c.isdigit() else c for c in name)

    def node(old: Node) -> Node:
        return replace(old, node_id=other(old.node_id), firm_id=other(old.firm_id))

    def nodes(group: tuple[Node, ...]) -> tuple[Node, ...]:
        return tuple(sorted(map(node, group), key=lambda n: n.node_id))

    firms = {
        other(name): replace(old, firm_id=other(name), affiliates=tuple(map(other, old.affiliates)))
        for name, old in snapshot.firms.items()
    }
    renamed_books = {
        _resource(name, other): replace(book, resource_id=_resource(name, other))
        for name, book in snapshot.books.items()
    }
    return replace(
        snapshot,
        firms=firms,
        factories=nodes(snapshot.factories),
        forwarders=nodes(snapshot.forwarders),
        agencies=nodes(snapshot.agencies),
        books=renamed_books,
    )


def _resource(name: str, other: Any) -> str:
    node, _, part = name.partition("--")
    return f"{other(node)}--{part}"
