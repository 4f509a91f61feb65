"""Which days a model looks at: when lots may be ready, and which departures are worth a column.

A lot that is ready earlier can do all that a later one can, so it is enough to look at the last
day on which goods still make some lane, and at a few days before it where departures are small.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lianmeng.matcher.problem import Carrier, Departure, Maker, Problem


def later_ready_days(problem: Problem) -> tuple[int, ...]:
    """Days on which lots after the first may be ready, ascending.

    The last useful day of each lane, and days spread before them if no departure alone could
    take everything.
    """
    usable = sorted({d.latest_ready for c in problem.carriers for d in _open(c)})
    lasts = sorted({max(d.latest_ready for d in _open(c)) for c in problem.carriers if _open(c)})
    chosen = set(_spread(lasts, problem.later_ready_days))
    roomy = any(d.free_units >= problem.useful for c in problem.carriers for d in _open(c))
    if not roomy:
        chosen |= set(_spread(usable, problem.later_ready_days + 1))
    return tuple(sorted(chosen))


def _open(carrier: Carrier) -> list[Departure]:
    return [departure for departure in carrier.departures if departure.free_units]


def _spread(days: Sequence[int], count: int) -> Iterator[int]:
    """At most `count` of `days`, evenly spread, the last one always."""
    if len(days) <= count:
        yield from days
        return
    for step in range(count):
        yield days[-1 - step * (len(days) - 1) // max(1, count - 1)]


def lot_days(maker: Maker, later: Iterable[int]) -> tuple[int, ...]:
    """Days on which lots of a maker may be ready: its first, then the later ones."""
    return (maker.lead, *(day for day in later if day > maker.lead))


def useful_departures(
    carrier: Carrier, ready: Iterable[int], useful: int
) -> tuple[tuple[int, Departure], ...]:
    """Departures that could carry goods ready on one of the days, with their place in the lane.

    For each day the next departures are kept until they have room for all that is useful.
    """
    kept: dict[int, Departure] = {}
    for day in sorted(set(ready)):
        room = 0
        for place, departure in enumerate(carrier.departures):
            if departure.latest_ready < day or not departure.free_units:
                continue
            kept[place] = departure
            room += departure.free_units
            if room >= useful:
                break
    return tuple(sorted(kept.items()))
