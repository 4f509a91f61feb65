"""The pool in memory: what it hands out for a demand, and what it forgets."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from lianmeng.alliance import facts as f
from lianmeng.alliance.books import Book, BookEntry, EntryKind, ResourceKind
from lianmeng.alliance.evolve import evolve
from lianmeng.alliance.plan import PlanBucket
from lianmeng.matcher.demand import limits_of
from lianmeng.matcher.index import Index
from lianmeng.matcher.outcome import Found
from lianmeng.matcher.planner import SolvingPlanner
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Node
from tests.pools import (
    IMPORTER,
    NOW,
    SELLER,
    THRESHOLDS,
    agency,
    bangkok,
    demand,
    example_pool,
    firm,
    forwarder,
    mill,
)


def filled(*records: Firm | Node) -> Index:
    index = Index(THRESHOLDS.reliability)
    for record in records:
        index.register(record)
    return index


def snapshot(index: Index, lapsed: Any = lambda _: False, **changes: Any) -> Snapshot:
    return index.snapshot(demand(**changes), NOW, lapsed)


def test_it_hands_out_what_might_serve_and_counts_the_rest() -> None:
    index = filled(
        mill("mill-a"),
        mill("weaver", hs6=("540752",)),
        forwarder("forwarder", houses=(bangkok(),)),
        agency("agency"),
        agency("far", accounts=()),
        *(firm(name) for name in ("mill-a", "weaver", "forwarder", "agency", "far", "trader")),
    )
    found = snapshot(index)
    assert [node.node_id for node in found.factories] == ["mill-a-mill"]
    assert found.firms.keys() == {"mill-a", "forwarder", "agency", "trader"}
    assert found.left_out == {"HS6": 1, "MARKET": 1}


def test_a_new_version_replaces_the_old_everywhere() -> None:
    index = filled(mill("mill-a"), firm("mill-a"))
    index.register(replace(mill("mill-a", hs6=("611710",)), version=2))
    assert snapshot(index).factories == ()
    index.register(replace(mill("mill-a"), version=3))
    assert [node.version for node in snapshot(index).factories] == [3]
    assert snapshot(index).left_out["HS6"] == 0


def test_holds_that_have_lapsed_are_not_in_the_books() -> None:
    index = filled(mill("mill-a"))
    index.keep(book("mill-a-mill--line-1", NOW))
    index.keep(book("unknown--line-1", None))
    assert len(snapshot(index).books["mill-a-mill--line-1"].entries) == 1
    late = snapshot(index, lambda expires: expires <= NOW)
    assert late.books["mill-a-mill--line-1"].entries == ()
    assert snapshot(index).books.keys() == {"mill-a-mill--line-1"}


def book(resource: str, expires: datetime | None) -> Book:
    entry = BookEntry(
        alliance_id="a-other",
        kind=EntryKind.HOLD if expires else EntryKind.COMMIT,
        expires_time=expires,
        node_version=1,
        buckets=(PlanBucket(key="2026-03-03", units=1, capacity_units=2),),
    )
    return Book(resource_id=resource, kind=ResourceKind.RATE, entries=(entry,), written_time=NOW)


def test_members_are_engaged_until_their_alliance_ends() -> None:
    outcome = SolvingPlanner(THRESHOLDS).plan(demand(), example_pool())
    assert isinstance(outcome, Found)
    facts: list[f.Fact] = [
        f.DemandAccepted(demand=demand(), limits=limits_of(THRESHOLDS)),
        f.Proposed(
            plan=outcome.plan,
            risk_report=b"{}",
            risk_report_hash="",
            hold_until_time=NOW + timedelta(hours=36),
        ),
    ]
    index = filled(mill("mill"), firm("mill"))
    state = None
    for fact in facts:
        state = evolve(state, fact, NOW, "test")
        index.happen(fact, state)
    assert snapshot(index).engaged["mill"] == {"a-example"}
    ended = f.FormationFailed(reason="TEST")
    index.happen(ended, evolve(state, ended, NOW, "test"))
    assert snapshot(index).engaged["mill"] == frozenset()


def test_named_members_are_in_it_whatever_they_offer_now() -> None:
    index = filled(firm("gone", **SELLER, **IMPORTER))
    found = index.snapshot(demand(), NOW, lambda _: False, ["gone", "unknown"])
    assert found.firms.keys() == {"gone"}
