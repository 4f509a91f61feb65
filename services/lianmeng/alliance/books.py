"""The book of a resource: who holds or has committed which bucket of its capacity.

Validity is presence: an entry counts while it is in the book. Every write drops holds whose
time has long passed and prunes past days, and refuses what would overfill a bucket.

Field meanings, units and zeros: `proto/lianmeng/v1/alliance.proto`, equal by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from lianmeng.alliance.plan import PlanBucket


class ResourceKind(StrEnum):
    """Kind of a book's buckets."""

    RATE = "RATE"
    DEPARTURE = "DEPARTURE"
    STOCK = "STOCK"


class EntryKind(StrEnum):
    """What an entry of a book means."""

    HOLD = "HOLD"
    COMMIT = "COMMIT"
    CONSUMED = "CONSUMED"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookEntry:
    """What one alliance takes of a resource."""

    alliance_id: str
    kind: EntryKind
    expires_time: datetime | None = None
    node_version: int
    buckets: tuple[PlanBucket, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A message of `capacity.<zone>.<resource>`: the whole book."""

    resource_id: str
    kind: ResourceKind
    entries: tuple[BookEntry, ...] = ()
    written_time: datetime


class CapacityTaken(Exception):
    """A bucket has no room for what was to be placed in it; nothing was written."""

    def __init__(self, resource_id: str, key: str, wanted: int, free: int) -> None:
        super().__init__(f"{resource_id} {key}: {wanted} units wanted, {free} free")
        self.resource_id = resource_id
        self.key = key


def taken(book: Book, key: str, without: str = "") -> int:
    """Units of a bucket that alliances other than `without` have in the book."""
    return sum(
        bucket.units
        for entry in book.entries
        if entry.alliance_id != without
        for bucket in entry.buckets
        if bucket.key == key
    )


def place(
    book: Book,
    alliance_id: str,
    entries: tuple[BookEntry, ...],
    now: datetime,
    today: date,
    lapsed: Callable[[datetime], bool],
) -> Book:
    """The book with `entries` instead of what the alliance had in it.

    `today` is the first day that is not past; `lapsed(expires_time)` says whether a hold may be
    dropped by anybody. A bucket is judged where the alliance takes more than it had (so giving
    back never fails, and a hold that was dropped meanwhile must find its place anew): raises
    `CapacityTaken` if all live entries together would exceed the capacity judged against.
    """
    live = _live(book.entries, today, lapsed)
    had = _by_key(entry for entry in live if entry.alliance_id == alliance_id)
    placed = tuple(_pruned(entry, today) for entry in entries)
    others = [entry for entry in live if entry.alliance_id != alliance_id]
    kept = replace(book, entries=tuple(others))
    for key, (units, capacity) in _by_key(placed).items():
        free = capacity - taken(kept, key)
        if units > max(free, had.get(key, (0, 0))[0]):
            raise CapacityTaken(book.resource_id, key, units, free)
    merged = sorted(
        (entry for entry in [*others, *placed] if entry.buckets),
        key=lambda entry: (entry.alliance_id, entry.kind),
    )
    return replace(book, entries=tuple(merged), written_time=now)


def _live(
    entries: Iterable[BookEntry], today: date, lapsed: Callable[[datetime], bool]
) -> list[BookEntry]:
    kept = (e for e in entries if e.expires_time is None or not lapsed(e.expires_time))
    return [entry for entry in (_pruned(e, today) for e in kept) if entry.buckets]


def _pruned(entry: BookEntry, today: date) -> BookEntry:
    first = today.isoformat()  # ISO dates sort as text; "stock" sorts after every date
    return replace(entry, buckets=tuple(b for b in entry.buckets if b.key >= first))


def _by_key(entries: Iterable[BookEntry]) -> dict[str, tuple[int, int]]:
    totals: dict[str, tuple[int, int]] = {}
    for entry in entries:
        for bucket in entry.buckets:
            units, capacity = totals.get(bucket.key, (0, 0))
            totals[bucket.key] = (units + bucket.units, max(capacity, bucket.capacity_units))
    return totals
