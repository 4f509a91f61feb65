"""The seed tables: plausible ranges for a demo generator, not quotes. Each row keeps its mark.

Confidence marks: H high, S sourced, M medium, L low; S15 an edition of 2015.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TypeVar

T = TypeVar("T")

UNIT_CODES = {"pcs": "H87", "m": "MTR", "pair": "NPR"}
"""Units as the tables write them → UN/ECE Rec 20."""


@dataclass(frozen=True, slots=True)
class Span:
    """A plausible range, both ends included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """An industry of one place. Capacity in units per day of a firm, cost in CNY per unit."""

    cluster_id: str
    city_zh: str
    division: str
    locode: str
    industry: str
    uom: str
    hs6: tuple[str, ...]
    day_capacity: Span
    moq: Span
    first_batch_days: Span
    unit_cost_cny: Span
    certificates: tuple[str, ...]
    workers: Span


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A way to a market: door-to-door days and a range of prices in CNY per basis."""

    market: str
    mode: str
    origin: str
    gateway: str
    p50_days: int
    p90_days: int
    basis: str
    price_cny: Span


@dataclass(frozen=True, slots=True)
class MarketRow:
    """A market: its currency, language, channels and last mile in CNY per parcel."""

    market: str
    currency: str
    language: str
    channels: tuple[str, ...]
    last_mile_days: Span
    last_mile_cny: Span


@dataclass(frozen=True, slots=True)
class WorkdayException:
    """A weekday that is a public holiday (`works` False) or a weekend day that is worked."""

    day: date
    works: bool


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product with its price in one market; a product has one row per price."""

    product_id: str
    name_zh: str
    name_en: str
    hs6: str
    uom: str
    unit_g: int
    unit_cm3: int
    materials: tuple[str, ...]
    certificates: tuple[str, ...]
    price_minor: int
    currency: str
    market: str
    channel: str


@cache
def clusters() -> tuple[Cluster, ...]:
    """Industrial clusters of Zhejiang."""
    return _read("clusters.csv", _cluster)


@cache
def lane_rows() -> tuple[LaneRow, ...]:
    """Ways from Zhejiang to the markets."""
    return _read("lanes.csv", _lane)


@cache
def market_rows() -> tuple[MarketRow, ...]:
    """The markets served."""
    return _read("markets.csv", _market)


@cache
def workday_exceptions() -> tuple[WorkdayException, ...]:
    """Exceptions from the working week in China, 2025 and 2026."""
    return _read("cn_workday_exceptions_2025_2026.csv", _workday)


@cache
def product_rows() -> tuple[ProductRow, ...]:
    """The demo catalogue, one row per price."""
    return _read("products.csv", _product)


def _read(name: str, parse: Callable[[dict[str, str]], T]) -> tuple[T, ...]:
    text = (files("lianmeng.world") / "data" / name).read_text(encoding="utf-8")
    return tuple(parse(row) for row in csv.DictReader(text.splitlines()))


def _span(row: dict[str, str], name: str) -> Span:
    return Span(float(row[f"{name}_lo"]), float(row[f"{name}_hi"]))


def _cluster(row: dict[str, str]) -> Cluster:
    return Cluster(
        cluster_id=row["cluster_id"],
        city_zh=row["city_zh"],
        division=row["gbt2260"],
        locode=row["locode"],
        industry=row["industry"],
        uom=UNIT_CODES[row["uom"]],
        hs6=tuple(row["hs6"].split("|")),
        day_capacity=_span(row, "day_cap"),
        moq=_span(row, "moq"),
        first_batch_days=_span(row, "first_batch_days"),
        unit_cost_cny=_span(row, "unit_cost_cny"),
        certificates=tuple(row["certs"].split("|")),
        workers=_span(row, "workers"),
    )


def _lane(row: dict[str, str]) -> LaneRow:
    return LaneRow(
        market=row["dest_iso2"],
        mode=row["mode"],
        origin=row["origin_locode"],
        gateway=row["gateway_locode"],
        p50_days=int(row["d2d_days_p50"]),
        p90_days=int(row["d2d_days_p90"]),
        basis=row["price_basis"].upper(),
        price_cny=_span(row, "price_cny"),
    )


def _market(row: dict[str, str]) -> MarketRow:
    return MarketRow(
        market=row["iso2"],
        currency=row["currency"],
        language=row["bcp47"],
        channels=tuple(row["channels"].split("|")),
        last_mile_days=_span(row, "lastmile_days"),
        last_mile_cny=_span(row, "lastmile_cny"),
    )


def _workday(row: dict[str, str]) -> WorkdayException:
    return WorkdayException(date.fromisoformat(row["date"]), row["kind"] == "WORK")


def _product(row: dict[str, str]) -> ProductRow:
    return ProductRow(
        product_id=row["product"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        hs6=row["hs6"],
        uom=row["uom"],
        unit_g=int(row["unit_g"]),
        unit_cm3=int(row["unit_cm3"]),
        materials=tuple(row["materials"].split("|")),
        certificates=tuple(row["certificates"].split("|")),
        price_minor=int(row["sale_price_minor"]),
        currency=row["sale_currency"],
        market=row["market"],
        channel=row["channel"],
    )
