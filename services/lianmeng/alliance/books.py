"""The book of a resource: who holds or has committed which bucket of its capacity.

Field meanings, units and zeros: `proto/lianmeng/v1/alliance.proto`, equal by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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
