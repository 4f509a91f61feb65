"""Dated capacity: what calendars, books, notice and lateness leave free."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lianmeng.alliance.books import Book, BookEntry, EntryKind, ResourceKind
from lianmeng.alliance.plan import PlanBucket
from lianmeng.matcher.framing import frame
from lianmeng.matcher.lotting import line_lots
from lianmeng.matcher.problem import Line, Maker, Offer, Tier
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.nodes import LaneMode, Node
from tests.pools import NOW, agency, day, firm, forwarder, lane, mill, pool, question


def taken(resource: str, units: dict[str, int], alliance: str = "a-other") -> Book:
    buckets = tuple(
        PlanBucket(key=key, units=n, capacity_units=10**6) for key, n in sorted(units.items())
    )
    entry = BookEntry(alliance_id=alliance, kind=EntryKind.COMMIT, node_version=1, buckets=buckets)
    return Book(resource_id=resource, kind=ResourceKind.RATE, entries=(entry,), written_time=NOW)


def snapshot(*books: Book, node: Node | None = None, **changes: Any) -> Snapshot:
    nodes = (node or mill("m"), forwarder("f"), agency("a"))
    return pool(nodes, books={book.resource_id: book for book in books}, **changes)


def maker_in(of: Snapshot) -> Maker:
    return frame(question(), of).problem.makers[0]


def test_a_line_works_on_working_days_from_tomorrow_on() -> None:
    (line,) = maker_in(snapshot()).lines
    assert line.free[:9] == (0, 2_000, 2_000, 2_000, 2_000, 2_000, 0, 2_000, 2_000)


def test_nothing_is_ready_before_the_lead_time_then_all_that_was_made() -> None:
    maker = maker_in(snapshot())
    assert [maker.ready_by(n) for n in (2, 3, 6, 9)] == [0, 6_000, 10_000, 16_000]


def test_what_others_have_is_not_free() -> None:
    book = taken("m-mill--line-1", {day(2).isoformat(): 700, day(4).isoformat(): 5_000})
    (line,) = maker_in(snapshot(book)).lines
    assert line.free[:6] == (0, 2_000, 1_300, 2_000, 0, 2_000)


def test_what_this_alliance_keeps_is_not_free_but_what_it_gives_up_is() -> None:
    own = taken("m-mill--line-1", {day(1).isoformat(): 900}, alliance="a-example")
    kept = {"m-mill--line-1": {day(1).isoformat(): 400}}
    found = frame(question(kept=kept), snapshot(own))
    assert found.problem.makers[0].lines[0].free[1] == 1_600


def test_only_good_units_count() -> None:
    maker = maker_in(snapshot(node=mill("m", first_pass_yield_bp=9_850)))
    assert maker.lines[0].capacity == 1_970


def test_notice_moves_the_first_day_and_the_first_lot() -> None:
    nodes = (mill("m"), forwarder("f"), agency("a"))
    maker = maker_in(pool(nodes, [firm("m", notice_hours=36)]))
    assert (maker.lead, maker.lines[0].free[:3]) == (4, (0, 0, 2_000))


def test_a_node_that_was_late_is_expected_late() -> None:
    of = snapshot(late_days={"m-mill": 2, "f-hub": 1})
    problem = frame(question(), of).problem
    assert problem.makers[0].lead == 5
    road = next(carrier for carrier in problem.carriers if carrier.mode == "ROAD")
    assert road.departures[0].lands == road.departures[0].day + 8


def test_departures_on_weekdays_that_land_in_time() -> None:
    weekly = lane("road", LaneMode.ROAD, (7, 10), 900, departure_weekdays=(2, 4), cutoff_days=1)
    of = pool((mill("m"), forwarder("f", (weekly,)), agency("a")))
    (carrier,) = frame(question(), of).problem.carriers
    assert [(d.day, d.latest_ready, d.lands) for d in carrier.departures] == [
        (1, 0, 8),
        (3, 2, 10),
        (8, 7, 15),
        (10, 9, 17),
    ]


def test_no_departure_on_a_closed_date() -> None:
    node = forwarder("f")
    closed = replace(node, calendar=replace(node.calendar, closed_dates=(day(5),)))
    of = pool((mill("m"), closed, agency("a")))
    road = next(c for c in frame(question(), of).problem.carriers if c.mode == "ROAD")
    assert 5 not in {departure.day for departure in road.departures}


def test_units_that_fit_on_a_departure() -> None:
    book = taken("f-hub--road", {day(3).isoformat(): 11_000})
    road = next(c for c in frame(question(), snapshot(book)).problem.carriers if c.mode == "ROAD")
    by_day = {departure.day: departure.free_units for departure in road.departures}
    assert (by_day[2], by_day[3]) == (100_000, 8_333)


def made_by(*lines: tuple[int, int], multiple: int = 1, days: int = 12, lead: int = 3) -> Maker:
    """A maker with lines of (units per day, days off at the start)."""
    return Maker(
        offer=Offer(firm_id="m", node_id="m", node_version=1, risk_microfen=0),
        multiple=multiple,
        setup_fen=0,
        tiers=(Tier(low=1, high=10**6, unit_fen=1),),
        lines=tuple(
            Line(
                line_id=str(n),
                resource_id=f"m--{n}",
                capacity=rate,
                lead=lead,
                free=tuple(0 if d <= off else rate for d in range(days)),
            )
            for n, (rate, off) in enumerate(lines)
        ),
    )


def test_lots_are_made_as_early_as_the_lines_allow() -> None:
    lots = line_lots(made_by((100, 0)), [(9, 650)])
    assert [(lot.wave, lot.ready, lot.units) for lot in lots] == [(1, 3, 300), (2, 7, 350)]
    assert lots[1].days == {4: 100, 5: 100, 6: 100, 7: 50}


def test_lots_are_whole_multiples_on_every_line() -> None:
    lots = line_lots(made_by((100, 0), (70, 0), multiple=40), [(8, 1_200)])
    assert sum(lot.units for lot in lots) == 1_200
    assert all(lot.units % 40 == 0 for lot in lots)


def test_more_than_is_ready_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="no more than is ready"):
        line_lots(made_by((100, 0)), [(3, 301)])
