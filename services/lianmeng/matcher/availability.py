"""Dated capacity: what a node can still give, day by day, as its calendar and its books say.

Free is what the node has, less what other alliances have in the book, less what parts of this
alliance keep. Expected lateness (the prior of the node) moves lead times and transits back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from lianmeng.kernel.money import BASIS
from lianmeng.matcher.problem import Departure, Line
from lianmeng.matcher.question import Question
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import (
    Lane,
    Manufacturing,
    Marketing,
    Node,
    ProductionLine,
    Stock,
    Warehouse,
)

HOURS_PER_DAY = 24
GRAMS = 1_000
"""Grams in a kilogram."""

STOCK_KEY = "stock"
"""The one bucket of a stock's book."""


def free_units(
    question: Question, snapshot: Snapshot, resource_id: str, capacity: int
) -> Callable[[str], int]:
    """For buckets of a resource that hold `capacity` units each: what is free of them."""
    taken = snapshot.taken(resource_id, question.demand.demand_id)

    def free(key: str) -> int:
        return max(0, capacity - taken.get(key, 0) - question.kept_units(resource_id, key))

    return free


def first_work_day(firm: Firm) -> int:
    """The first day on which a firm can begin: tomorrow, or later by its notice."""
    return max(1, -(-firm.notice_hours // HOURS_PER_DAY))


def good_units(made: Manufacturing, units: int) -> int:
    """How many of `units` pass at once; only these are planned with and booked."""
    return units * (made.first_pass_yield_bp or BASIS) // BASIS


def line_supply(
    question: Question, snapshot: Snapshot, firm: Firm, node: Node, line: ProductionLine
) -> Line:
    """What a line can make on each day up to the last landing."""
    made = node.capability
    assert isinstance(made, Manufacturing)
    resource = node.line_resource(line)
    capacity = good_units(made, line.day_capacity_units)
    free = free_units(question, snapshot, resource, capacity)
    start = first_work_day(firm)
    days = [0] * (max(question.last_landing, 0) + 1)
    for day in range(start, len(days)):
        date = question.date(day)
        if node.calendar.is_working(date):
            days[day] = free(date.isoformat())
    late = snapshot.late_days.get(node.node_id, 0)
    return Line(
        line_id=line.line_id,
        resource_id=resource,
        capacity=capacity,
        lead=made.first_batch_days.p50_days + start - 1 + late,
        free=tuple(days),
    )


def departures(
    question: Question, snapshot: Snapshot, firm: Firm, node: Node, lane: Lane, unit_g: int
) -> tuple[Departure, ...]:
    """Departures that still land in time, in order; `unit_g` is a unit's chargeable weight.

    A lane leaves on its weekdays unless its node's calendar closes the date.
    """
    free_kg = free_units(question, snapshot, node.lane_resource(lane), lane.capacity_kg)
    late = snapshot.late_days.get(node.node_id, 0)
    transit, slow = lane.transit_days.p50_days + late, lane.transit_days.p90_days + late
    found = []
    for day in range(first_work_day(firm), question.last_landing - transit + 1):
        date = question.date(day)
        if not _departs(node, lane, question, day) or day < lane.cutoff_days:
            continue
        found.append(
            Departure(
                day=day,
                latest_ready=day - lane.cutoff_days,
                lands=day + transit,
                lands_p90=day + slow,
                free_units=free_kg(date.isoformat()) * GRAMS // unit_g,
                capacity_kg=lane.capacity_kg,
            )
        )
    return tuple(found)


def _departs(node: Node, lane: Lane, question: Question, day: int) -> bool:
    date = question.date(day)
    weekdays = lane.departure_weekdays
    if weekdays and date.isoweekday() not in weekdays:
        return False
    return date not in node.calendar.closed_dates or date in node.calendar.extra_dates


def stock_free(
    question: Question, snapshot: Snapshot, node: Node, house: Warehouse, stock: Stock
) -> int:
    """Units of a stock that are free."""
    resource = node.stock_resource(house, stock)
    return free_units(question, snapshot, resource, stock.units)(STOCK_KEY)


def is_fresh(question: Question, stock: Stock) -> bool:
    """Whether a stock was counted lately enough to be planned with."""
    limit = timedelta(hours=question.thresholds.plan.stock_stale_max_hours)
    return question.now - stock.as_of_time <= limit


def creator_hours(
    question: Question, snapshot: Snapshot, firm: Firm, node: Node
) -> Mapping[int, int]:
    """Free creator hours by working day, from the first day of work to the window's end."""
    shown = node.capability
    assert isinstance(shown, Marketing)
    capacity = shown.creator_hours_per_day
    free = free_units(question, snapshot, node.agency_resource(), capacity)
    hours = {}
    for day in range(first_work_day(firm), question.last_day + 1):
        date = question.date(day)
        if node.calendar.is_working(date):
            hours[day] = free(date.isoformat())
    return hours
