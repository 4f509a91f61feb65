"""The pool in memory, arranged so that the nodes that might serve a demand are found at once.

It changes by one record, book or fact at a time. Firms, nodes and books in it are immutable:
what it hands out stays as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from lianmeng.alliance import facts as f
from lianmeng.alliance.books import Book
from lianmeng.alliance.demand import Demand
from lianmeng.alliance.experience import Experience
from lianmeng.alliance.membership import active_members
from lianmeng.alliance.state import AllianceState
from lianmeng.alliance.states import TERMINAL
from lianmeng.kernel.thresholds import ReliabilityThresholds
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Logistics, Manufacturing, Marketing, Node
from lianmeng.pool.products import Product
from lianmeng.pool.records import Registered

Lapsed = Callable[[datetime], bool]
"""Whether a hold that ends at a time may be dropped by anybody."""


class Index:
    """Current firms, nodes, products and books, and what was learned."""

    def __init__(self, prior: ReliabilityThresholds) -> None:
        self._experience = Experience(prior)
        self._firms: dict[str, Firm] = {}
        self._nodes: dict[str, Node] = {}
        self._products: dict[str, Product] = {}
        self._books: dict[str, Book] = {}
        self._books_of: dict[str, set[str]] = defaultdict(set)
        self._makers: dict[str, set[str]] = defaultdict(set)
        self._movers: dict[str, set[str]] = defaultdict(set)
        self._showers: dict[str, set[str]] = defaultdict(set)
        self._living: dict[str, tuple[str, ...]] = {}
        self._engaged: dict[str, set[str]] = defaultdict(set)
        self._counts = {Manufacturing: 0, Logistics: 0, Marketing: 0}

    def register(self, record: Registered) -> None:
        """Take in a version of something registered."""
        match record:
            case Firm():
                self._firms[record.firm_id] = record
            case Node():
                self._put_node(record)
            case Product():
                self._products[record.product_id] = record

    def keep(self, book: Book) -> None:
        """Take in a book."""
        self._books[book.resource_id] = book
        self._books_of[_node_of(book.resource_id)].add(book.resource_id)

    def happen(self, fact: f.Fact, state: AllianceState | None) -> None:
        """Take in a fact: who is engaged, and what was learned."""
        if state is None:
            return
        alliance = state.alliance_id
        for firm in self._living.pop(alliance, ()):
            self._engaged[firm].discard(alliance)
        if state.state not in TERMINAL:
            self._living[alliance] = active_members(state)
            for firm in self._living[alliance]:
                self._engaged[firm].add(alliance)
        if isinstance(fact, f.Dissolved):
            self._experience.learn(fact.outcomes)

    def product(self, product_id: str) -> Product | None:
        """A product of the catalogue."""
        return self._products.get(product_id)

    def snapshot(
        self, demand: Demand, now: datetime, lapsed: Lapsed, members: Iterable[str] = ()
    ) -> Snapshot:
        """All nodes that make the demand's goods or reach its markets, with their live books.

        `members` are firms that must be in it, whatever has become of their nodes.
        """
        markets = [market.market for market in demand.markets]
        makers = self._found(self._makers[demand.product.hs6])
        movers = self._found(set().union(*(self._movers[market] for market in markets)))
        showers = self._found(set().union(*(self._showers[market] for market in markets)))
        nodes = (*makers, *movers, *showers)
        firms = {node.firm_id for node in nodes} | set(_owners(movers)) | set(members)
        return Snapshot(
            now=now,
            firms={name: self._firms[name] for name in firms if name in self._firms},
            factories=makers,
            forwarders=movers,
            agencies=showers,
            books=self._live_books(nodes, lapsed),
            engaged={name: frozenset(self._engaged[name]) for name in firms},
            reliability_bp=self._experience.reliabilities(firms),
            late_days=self._experience.latenesses(node.node_id for node in nodes),
            left_out={
                "HS6": self._counts[Manufacturing] - len(makers),
                "MARKET": self._counts[Logistics]
                + self._counts[Marketing]
                - len(movers)
                - len(showers),
            },
        )

    def _found(self, ids: Iterable[str]) -> tuple[Node, ...]:
        return tuple(self._nodes[node_id] for node_id in sorted(ids))

    def _live_books(self, nodes: Iterable[Node], lapsed: Lapsed) -> dict[str, Book]:
        names = (name for node in nodes for name in self._books_of.get(node.node_id, ()))
        return {name: _live(self._books[name], lapsed) for name in names}

    def _put_node(self, node: Node) -> None:
        old = self._nodes.get(node.node_id)
        if old is not None:
            self._counts[type(old.capability)] -= 1
            for places, keys in self._places(old):
                for key in keys:
                    places[key].discard(node.node_id)
        self._nodes[node.node_id] = node
        self._counts[type(node.capability)] += 1
        for places, keys in self._places(node):
            for key in keys:
                places[key].add(node.node_id)

    def _places(self, node: Node) -> list[tuple[dict[str, set[str]], set[str]]]:
        """Where a node is looked up: by HS6 code, or by market."""
        match node.capability:
            case Manufacturing(hs6=hs6):
                return [(self._makers, set(hs6))]
            case Logistics(lanes=lanes, warehouses=houses):
                markets = {lane.market for lane in lanes} | {house.market for house in houses}
                return [(self._movers, markets)]
            case Marketing() as shown:
                return [(self._showers, set(shown.markets()))]


def _owners(movers: Iterable[Node]) -> Iterable[str]:
    for node in movers:
        if isinstance(node.capability, Logistics):
            for house in node.capability.warehouses:
                yield from (stock.owner_firm_id for stock in house.stock)


def _node_of(resource_id: str) -> str:
    return resource_id.partition("--")[0]


def _live(book: Book, lapsed: Lapsed) -> Book:
    entries = tuple(
        entry
        for entry in book.entries
        if entry.expires_time is None or not lapsed(entry.expires_time)
    )
    return book if len(entries) == len(book.entries) else replace(book, entries=entries)
