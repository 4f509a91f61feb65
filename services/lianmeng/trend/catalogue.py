"""What a term stands for: a product of the zone's catalogue, or nothing yet.

Terms are product ids and aliases, in the one spelling of `signals.normal_term`. Where two products
claim an alias, the one whose id comes first in the alphabet has it: the answer must not depend on
the order in which they were registered.
"""

from __future__ import annotations

from dataclasses import dataclass

from lianmeng.kernel.trends import TrendMapping
from lianmeng.pool.products import Product, ProductState
from lianmeng.trend.signals import normal_term


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a term means in a market. `product_id` "" is no product; `missing` is for people."""

    product_id: str = ""
    missing: tuple[str, ...] = ()

    @property
    def mapping(self) -> TrendMapping:
        """MAPPED when nothing is missing."""
        return TrendMapping.UNMAPPED if self.missing else TrendMapping.MAPPED


class Catalogue:
    """The current version of each product, and which terms speak of it."""

    def __init__(self) -> None:
        """An empty catalogue."""
        self._products: dict[str, Product] = {}
        self._claims: dict[str, set[str]] = {}

    def put(self, product: Product) -> frozenset[str]:
        """Take a version. Returns the terms whose meaning may have changed.

        An older version than the one that is known changes nothing.
        """
        old = self._products.get(product.product_id)
        if old is not None and old.version > product.version:
            return frozenset()
        gone = _terms(old) if old is not None else frozenset[str]()
        for term in gone:
            self._claims[term].discard(product.product_id)
        self._products[product.product_id] = product
        for term in _terms(product):
            self._claims.setdefault(term, set()).add(product.product_id)
        return gone | _terms(product)

    def product_id(self, term: str) -> str:
        """The product that `term` speaks of, or "". A withdrawn product still has its terms."""
        if term in self._products:
            return term
        return min(self._claims.get(term, ()), default="")

    def meaning(self, term: str, market: str) -> Meaning:
        """Whether a trend on `term` in `market` can be served, and what is missing if not."""
        product = self._products.get(self.product_id(term))
        if product is None:
            return Meaning(missing=("product in the catalogue",))
        missing = []
        if product.state is not ProductState.ACTIVE:
            missing.append("the product is withdrawn: an active product in the catalogue")
        if product.price_in(market) is None:
            missing.append(f"sale price in {market}")
        return Meaning(product.product_id, tuple(missing))


def _terms(product: Product) -> frozenset[str]:
    return frozenset(normal_term(term) for term in product.terms())
