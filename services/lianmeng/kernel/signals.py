"""Signals: how often something about a term was seen in a market, in columns.

Field meanings, units and zeros: `SignalBatch` in `proto/lianmeng/v1/trend.proto`, equal by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Metric(StrEnum):
    """What a signal counts."""

    VIEW = "VIEW"
    """Views of posts."""
    POST = "POST"
    """Posts and reposts."""
    SEARCH = "SEARCH"
    """Searches."""
    CART = "CART"
    """Additions to a cart, units."""
    ORDER = "ORDER"
    """Orders, units."""
    TRADE = "TRADE"
    """Units in customs statistics, monthly."""


class SignalFamily(StrEnum):
    """Three kinds of evidence."""

    SOCIAL = "SOCIAL"
    """社交媒体舆情: VIEW, POST, SEARCH."""
    COMMERCE = "COMMERCE"
    """消费者行为: CART, ORDER."""
    CUSTOMS = "CUSTOMS"
    """海关数据: TRADE."""


METRICS_OF = {
    SignalFamily.SOCIAL: (Metric.VIEW, Metric.POST, Metric.SEARCH),
    SignalFamily.COMMERCE: (Metric.CART, Metric.ORDER),
    SignalFamily.CUSTOMS: (Metric.TRADE,),
}
"""Which metrics make up a family."""


@dataclass(frozen=True, slots=True, order=True)
class SignalKey:
    """What a signal is about: a product id, alias or free term, in one ISO 3166-1 market."""

    term: str
    market: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalBatch:
    """Many signals of one source. All columns are as long as `time_s`, or empty where allowed.

    `platform_index`, `retraction` and `account_hash` may be empty. `time_s` is event time in
    seconds since 1970-01-01 UTC; account 0 is unknown.
    """

    source: str
    source_sequence: int
    keys: tuple[SignalKey, ...]
    time_s: tuple[int, ...]
    key_index: tuple[int, ...]
    metric: tuple[Metric, ...]
    platform_index: tuple[int, ...] = ()
    count: tuple[int, ...]
    retraction: tuple[bool, ...] = ()
    account_hash: tuple[int, ...] = ()
    platforms: tuple[str, ...] = ()
