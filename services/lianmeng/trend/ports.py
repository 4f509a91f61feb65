"""What detection needs of the world, in its own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lianmeng.kernel.trends import Trend


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message of the stream SIGNALS: its place there and its bytes.

    `last`: nothing newer was there when it was sent.
    """

    position: int
    data: bytes
    last: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact on the stream TRENDS, its place there, and the place in SIGNALS that it followed."""

    trend: Trend
    sequence: int
    position: int


class Facts(Protocol):
    """The stream TRENDS."""

    async def publish(self, trend: Trend, expected: int, position: int) -> int:
        """Write a fact; returns its sequence. `expected`: that of the trend's last, 0 = none.

        Raises `Conflict` when another fact came in between, `Transient` without an answer.
        """
        ...

    async def last(self, trend_id: str) -> Recorded | None:
        """The last fact of a trend as the leader has it. Raises `Transient`."""
        ...


class Letters(Protocol):
    """The dead letters of this service."""

    async def bury(self, message: Arrived, reason: str, detail: str) -> None:
        """Put a message of SIGNALS aside. Raises `Transient`."""
        ...


class Batches(Protocol):
    """The stream SIGNALS, for writing."""

    async def append(self, data: bytes) -> int:
        """Write a batch; returns its place. Raises `Transient`."""
        ...
