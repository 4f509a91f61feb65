"""Who is behind a series: independent accounts, and the share of the largest.

Accounts are salted hashes. They are counted while they were seen within `WINDOW_H`; shares are
taken of counts that fade with a half-life of `FADE_H`, so that one loud account shows at once and
is not diluted by a quiet day. Exact up to `MAX_ACCOUNTS`; beyond that the least weighty of them
makes room, so the number is a lower bound and the largest share stays right.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lianmeng.kernel.money import BASIS
from lianmeng.trend.detector import BUCKETS_PER_HOUR

MAX_ACCOUNTS = 2_000
"""Accounts that are told apart in one series."""

WINDOW_H = 72
"""Hours for which an account counts after it was last seen."""

FADE_H = 3
"""Half-life of what an account contributed, hours."""

WINDOW_BUCKETS = WINDOW_H * BUCKETS_PER_HOUR
DOUBLING_BUCKETS = FADE_H * BUCKETS_PER_HOUR

MAX_DOUBLINGS = 400
"""How far weights may grow apart before the reference moves: 2^400 is no danger to a float."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Accounts behind some series. `accounts` 0: the source names none, and no gate applies."""

    accounts: int = 0
    top_account_bp: int = 0


class Creators:
    """The known accounts of one series. Mutable, bounded in memory.

    Weights grow with time instead of all others fading, relative to a reference bucket, which
    moves on long before they overflow.
    """

    __slots__ = ("_reference", "_seen", "_weights")

    def __init__(self) -> None:
        """No account is known."""
        self._weights: dict[int, float] = {}
        self._seen: dict[int, int] = {}
        self._reference = 0

    def add(self, bucket: int, account: int, count: int) -> None:
        """`count` of one account in `bucket`; negative takes back."""
        if bucket - self._reference > MAX_DOUBLINGS * DOUBLING_BUCKETS:
            self._refer_to(bucket)
        added = count * _growth(bucket - self._reference)
        weight = self._weights.get(account, 0.0) + added
        if weight <= abs(added) * 1e-9:  # nothing is left; rounding is not an account
            self._drop(account)
            return
        if account not in self._weights and len(self._weights) >= MAX_ACCOUNTS:
            self._make_room(bucket)
        self._weights[account] = weight
        self._seen[account] = max(bucket, self._seen.get(account, 0))

    def at(self, bucket: int) -> dict[int, float]:
        """Accounts seen within the window before `bucket`, with what their counts faded to."""
        fade = _growth(self._reference - bucket)
        since = bucket - WINDOW_BUCKETS
        return {a: w * fade for a, w in self._weights.items() if self._seen[a] >= since}

    def _refer_to(self, bucket: int) -> None:
        fade = _growth(self._reference - bucket)
        self._weights = {a: w * fade for a, w in self._weights.items() if w * fade > 0.0}
        self._seen = {a: self._seen[a] for a in self._weights}
        self._reference = bucket

    def _make_room(self, bucket: int) -> None:
        since = bucket - WINDOW_BUCKETS
        gone = [a for a, seen in self._seen.items() if seen < since]
        for account in gone or [min(self._weights, key=lambda a: (self._weights[a], a))]:
            self._drop(account)

    def _drop(self, account: int) -> None:
        self._weights.pop(account, None)
        self._seen.pop(account, None)


def crowd_of(tallies: Iterable[dict[int, float]]) -> Crowd:
    """The crowd behind several series of one metric."""
    together: dict[int, float] = {}
    for tally in tallies:
        for account, weight in tally.items():
            together[account] = together.get(account, 0.0) + weight
    total = sum(together.values())
    if not together or total <= 0.0:
        return Crowd()
    return Crowd(len(together), round(max(together.values()) / total * BASIS))


def _growth(buckets: int) -> float:
    doublings = buckets / DOUBLING_BUCKETS
    return 2.0**doublings if doublings > -MAX_DOUBLINGS else 0.0
