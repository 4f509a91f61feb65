"""A snapshot of the pool for one demand: everything that the pure core looks at.

Firms, nodes and books are immutable, so a snapshot can be worked on in a thread while the
index behind it moves on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lianmeng.alliance.books import Book
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Nodes that might serve a demand at `now` (story time), each list in the order of ids.

    `books` hold live entries only. `engaged` are the living alliances that a firm is in.
    `reliability_bp` and `late_days` are the priors of firms and nodes that have a history.
    `left_out` counts nodes that the index did not even hand over, by rule.
    """

    now: datetime
    firms: Mapping[str, Firm]
    factories: tuple[Node, ...] = ()
    forwarders: tuple[Node, ...] = ()
    agencies: tuple[Node, ...] = ()
    books: Mapping[str, Book] = field(default_factory=dict)
    engaged: Mapping[str, frozenset[str]] = field(default_factory=dict)
    reliability_bp: Mapping[str, int] = field(default_factory=dict)
    late_days: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)

    def taken(self, resource_id: str, without: str) -> dict[str, int]:
        """By bucket, the units that alliances other than `without` have in the book."""
        units: dict[str, int] = {}
        book = self.books.get(resource_id)
        for entry in book.entries if book else ():
            if entry.alliance_id != without:
                for bucket in entry.buckets:
                    units[bucket.key] = units.get(bucket.key, 0) + bucket.units
        return units

    def nodes(self) -> Mapping[str, Node]:
        """All of its nodes by id."""
        return {n.node_id: n for n in (*self.factories, *self.forwarders, *self.agencies)}
