"""What the registry needs of the world, in its own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lianmeng.pool.records import RegistryRecord
from lianmeng.registry.picture import Kind


@dataclass(frozen=True, slots=True)
class Stored:
    """A version on the log and its place there."""

    sequence: int
    record: RegistryRecord


@dataclass(frozen=True, slots=True)
class Entry:
    """A version to be written. `expected`: the sequence of the one before it, 0 = none."""

    kind: Kind
    id: str
    record: RegistryRecord
    expected: int


class Records(Protocol):
    """The stream REGISTRY."""

    async def last(self, kind: Kind, identity: str) -> Stored | None:
        """The current version as the leader has it; None = there is none. Raises `Transient`."""
        ...

    async def at(self, kind: Kind, identity: str, sequence: int) -> Stored:
        """The version of that place. Raises `Transient`."""
        ...

    async def newest(self) -> int:
        """The sequence of the newest version of anything. Raises `Transient`."""
        ...

    async def commit(self, entries: Sequence[Entry]) -> int:
        """Write all or nothing; the sequence of the last, those of the others precede it.

        Raises `Conflict` when a version is not the expected one any more, `Unknown` without a
        definite answer, `Transient` when nothing was sent.
        """
        ...


class News(Protocol):
    """How far the picture has heard of the stream."""

    async def heard(self, sequence: int) -> None:
        """Wait until it has heard up to `sequence`. Raises `Transient` after two seconds."""
        ...
