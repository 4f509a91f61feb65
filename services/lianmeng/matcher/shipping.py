"""From lots and loads to shipments: which goods leave on which departure, as early as it is free.

The solver says how much each departure takes. Goods that are ready first go on departures that
close first, which always works out if it works at all. Then every shipment moves to the earliest
departure of its lane that takes it without making the consignments dearer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lianmeng.matcher.costing import consignment_fen
from lianmeng.matcher.problem import Carrier


@dataclass(frozen=True, slots=True, order=True)
class Batch:
    """Goods that become ready together: `key` names their lot."""

    ready: int
    key: str
    units: int


@dataclass(frozen=True, slots=True)
class Movement:
    """`units` of a batch on a departure: the lane's place in the problem, its own in the lane."""

    batch: Batch
    lane: int
    place: int
    units: int


def movements(
    carriers: Sequence[Carrier], loads: Sequence[Mapping[int, int]], batches: Sequence[Batch]
) -> list[Movement]:
    """Movements of all batches. The loads take exactly what the batches have."""
    matched = _matched(carriers, loads, sorted(batches))
    return _merged(_brought_forward(carriers, matched))


def _matched(
    carriers: Sequence[Carrier], loads: Sequence[Mapping[int, int]], batches: list[Batch]
) -> list[Movement]:
    open_loads = sorted(
        (carriers[lane].departures[place].latest_ready, lane, place, units)
        for lane, of_lane in enumerate(loads)
        for place, units in of_lane.items()
    )
    found = []
    rest = [batch.units for batch in batches]
    current = 0
    for closes, lane, place, units in open_loads:
        left = units
        while left:
            batch = batches[current]
            assert batch.ready <= closes, "no departure leaves before its goods are ready"
            taken = min(left, rest[current])
            if taken:
                found.append(Movement(batch, lane, place, taken))
            left -= taken
            rest[current] -= taken
            current += not rest[current]
    return found


def _brought_forward(carriers: Sequence[Carrier], found: list[Movement]) -> list[Movement]:
    used: dict[tuple[int, int], int] = defaultdict(int)
    for movement in found:
        used[movement.lane, movement.place] += movement.units
    moved = []
    for movement in sorted(found, key=lambda m: (m.batch, m.lane, m.place)):
        place = _earliest(carriers[movement.lane], movement, used)
        used[movement.lane, movement.place] -= movement.units
        used[movement.lane, place] += movement.units
        moved.append(replace(movement, place=place))
    return moved


def _earliest(carrier: Carrier, movement: Movement, used: Mapping[tuple[int, int], int]) -> int:
    lane, now, units = movement.lane, movement.place, movement.units
    here = used[lane, now]
    for place, departure in enumerate(carrier.departures[:now]):
        there = used.get((lane, place), 0)
        fits = movement.batch.ready <= departure.latest_ready
        if not fits or there + units > departure.free_units:
            continue
        before = consignment_fen(carrier, here) + consignment_fen(carrier, there)
        after = consignment_fen(carrier, here - units) + consignment_fen(carrier, there + units)
        if after <= before + 1:  # a fen may come from rounding
            return place
    return now


def _merged(found: list[Movement]) -> list[Movement]:
    """One movement per batch and departure, in the order of days."""
    units: dict[tuple[Batch, int, int], int] = defaultdict(int)
    for movement in found:
        units[movement.batch, movement.lane, movement.place] += movement.units
    return [Movement(batch, lane, place, n) for (batch, lane, place), n in sorted(units.items())]
