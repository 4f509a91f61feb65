"""Batches that come twice: recognised by (source, source_sequence).

Per source the last `WINDOW` numbers are remembered, so a source may send them out of order by
that much. A number below the window can no longer be told from a repeat, and is refused as such.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum, auto
from heapq import heappop, heappush

WINDOW = 1_024
"""Numbers that are remembered of one source."""

MAX_SOURCES = 10_000
"""Sources that are remembered."""


class Verdict(Enum):
    """What a batch's number says."""

    NEW = auto()
    DUPLICATE = auto()
    """Seen before: counted once, so it changes nothing."""
    TOO_OLD = auto()
    """Below the window: it cannot be known whether it was seen."""
    TOO_MANY_SOURCES = auto()
    """A source beyond `MAX_SOURCES`."""


@dataclass(slots=True)
class _Source:
    """The numbers of one source: those above `floor`, in a heap and a set."""

    floor: int = 0
    heap: list[int] = field(default_factory=list)
    numbers: set[int] = field(default_factory=set)


class Duplicates:
    """Which batches were seen. Grows to at most `MAX_SOURCES` × `WINDOW` numbers."""

    def __init__(self) -> None:
        """Nothing was seen."""
        self._sources: defaultdict[str, _Source] = defaultdict(_Source)

    def judge(self, source: str, number: int) -> Verdict:
        """What the number says, without remembering it."""
        if source not in self._sources:
            full = len(self._sources) >= MAX_SOURCES
            return Verdict.TOO_MANY_SOURCES if full else Verdict.NEW
        known = self._sources[source]
        if number in known.numbers:
            return Verdict.DUPLICATE
        return Verdict.NEW if number > known.floor else Verdict.TOO_OLD

    def remember(self, source: str, number: int) -> None:
        """From now on the number is a duplicate."""
        known = self._sources[source]
        known.numbers.add(number)
        heappush(known.heap, number)
        if len(known.heap) > WINDOW:
            known.floor = heappop(known.heap)
            known.numbers.discard(known.floor)
