"""What the matcher knows at one moment: who is registered, what is taken, what was learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lianmeng.alliance.books import Book
from lianmeng.alliance.experience import Experience
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Node
from lianmeng.pool.products import Product


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Maps by id. `engagements`: living alliances per firm. `now` is story time."""

    now: datetime
    firms: Mapping[str, Firm]
    nodes: Mapping[str, Node]
    products: Mapping[str, Product]
    books: Mapping[str, Book]
    engagements: Mapping[str, int]
    experience: Experience
