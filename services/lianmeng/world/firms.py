"""The demonstration pool: about 300 firms of Zhejiang with their nodes, from a seed.

The same seed and first day give the same pool, byte for byte. The seeded forwarders and agencies
leave Thailand to the cast of the story.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from random import Random

from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Logistics, Manufacturing, Node, Stock, Warehouse
from lianmeng.pool.products import Product
from lianmeng.world import agencies, draws, forwarders
from lianmeng.world.calendars import every_day, six_day_week
from lianmeng.world.cast import THAILAND, cast
from lianmeng.world.factories import Pair, factory, specialise
from lianmeng.world.identity import Brand, brands
from lianmeng.world.places import TRADES
from lianmeng.world.products import SCARF, SHAWL, catalogue
from lianmeng.world.tables import Cluster, MarketRow, clusters, market_rows

FACTORIES_PER_CLUSTER = 20
FORWARDERS = 27
AGENCIES = 36
SPECIALISTS = 3
"""Factories per product of the catalogue that can certainly make it."""

STOCK_PRICE_FEN = 1_500
"""Price of seeded stock abroad, per unit; goods dearer to make are not stocked."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What is registered at the start of a run."""

    firms: tuple[Firm, ...]
    nodes: tuple[Node, ...]
    products: tuple[Product, ...]


def build_pool(seed: int, first: date, as_of: datetime) -> Pool:
    """The pool on its `first` day; stock abroad was counted at `as_of`."""
    firms, nodes = cast(first, as_of)
    made = list(_factories(seed, first))
    moved = [_with_stock(seed, pair, made, as_of) for pair in _forwarders(seed, first)]
    shown = list(_agencies(seed))
    seeded = made + moved + shown
    return Pool(
        firms=(*firms, *(firm for firm, _ in seeded)),
        nodes=(*nodes, *(node for _, node in seeded)),
        products=catalogue(),
    )


def example_pool(first: date, as_of: datetime) -> Pool:
    """A small pool that runs as it is: the cast of the story and the catalogue."""
    firms, nodes = cast(first, as_of)
    return Pool(firms, nodes, catalogue())


def _factories(seed: int, first: date) -> Iterator[Pair]:
    calendar = six_day_week(first)
    names: dict[str, Iterator[Brand]] = {}
    for index, cluster in enumerate(clusters()):
        place = TRADES[cluster.cluster_id].slug
        rng = draws.generator(seed, cluster.cluster_id)
        fresh = names.setdefault(place, brands(draws.generator(seed, "brands", place)))
        made = [
            factory(rng, cluster, next(fresh), index * 100 + number, calendar, first)
            for number in range(FACTORIES_PER_CLUSTER)
        ]
        yield from _specialised(rng, cluster, made)


def _specialised(rng: Random, cluster: Cluster, made: list[Pair]) -> list[Pair]:
    """The firms of a cluster; a few of them are made able to make each product it knows."""
    known = [product for product in catalogue() if product.hs6 in cluster.hs6]
    ours = [product for product in known if product.product_id not in (SHAWL, SCARF)]
    for index, product in enumerate(ours):
        for place in range(index * SPECIALISTS, (index + 1) * SPECIALISTS):
            made[place] = specialise(rng, cluster, made[place], product)
    return made


def _forwarders(seed: int, first: date) -> Iterator[Pair]:
    rng = draws.generator(seed, "forwarders")
    names = brands(draws.generator(seed, "brands", "forwarders"))
    markets = tuple(row.market for row in _seeded_markets())
    for number in range(FORWARDERS):
        served = {markets[number % len(markets)], *draws.some(rng, markets, 1, 4)}
        in_order = tuple(market for market in markets if market in served)
        yield forwarders.forwarder(rng, next(names), 2_000 + number, six_day_week(first), in_order)


def _agencies(seed: int) -> Iterator[Pair]:
    rng = draws.generator(seed, "agencies")
    names = brands(draws.generator(seed, "brands", "agencies"))
    rows = _seeded_markets()
    for number in range(AGENCIES):
        home = rows[number % len(rows)]
        second = rng.choice(rows)
        covered = (home,) if second == home or rng.random() < 0.6 else (home, second)
        scale = agencies.LARGE if number // len(rows) % 2 else agencies.SMALL
        yield agencies.agency(rng, next(names), 3_000 + number, covered, scale, every_day())


def _seeded_markets() -> tuple[MarketRow, ...]:
    return tuple(row for row in market_rows() if row.market != THAILAND)


def _with_stock(seed: int, pair: Pair, made: list[Pair], as_of: datetime) -> Pair:
    """A forwarder whose warehouses hold goods of factories that make them."""
    firm, node = pair
    moved = node.capability
    assert isinstance(moved, Logistics)
    rng = draws.generator(seed, "stock", firm.firm_id)
    houses = tuple(
        replace(house, stock=tuple(_stock_of(house, made, rng.randrange(2**32), as_of)))
        for house in moved.warehouses
    )
    return firm, replace(node, capability=replace(moved, warehouses=houses))


def _stock_of(house: Warehouse, made: list[Pair], seed: int, as_of: datetime) -> Iterator[Stock]:
    rng = draws.generator(seed)
    for product in catalogue():
        makers = [firm.firm_id for firm, node in made if _makes(node, product)]
        if makers and product.price_in(house.market) is not None:
            yield forwarders.stock(rng, product, rng.choice(makers), as_of, fen=STOCK_PRICE_FEN)


def _makes(node: Node, product: Product) -> bool:
    capability = node.capability
    return (
        isinstance(capability, Manufacturing)
        and product.hs6 in capability.hs6
        and capability.price_breaks[0].unit_price.amount_minor <= STOCK_PRICE_FEN
    )
