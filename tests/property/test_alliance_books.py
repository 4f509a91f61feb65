"""Books under any sequence of placements: no bucket above capacity, giving back never fails."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianmeng.alliance.books import (
    Book,
    BookEntry,
    CapacityTaken,
    EntryKind,
    ResourceKind,
    place,
    taken,
)
from lianmeng.alliance.plan import PlanBucket
from tests import builders

CAPACITY = 100
TODAY = date(2026, 3, 2)
_days = st.integers(-1, 3).map(lambda n: (TODAY + timedelta(days=n)).isoformat())
_alliances = st.sampled_from(["a-1", "a-2", "a-3"])
_buckets = st.dictionaries(_days, st.integers(0, CAPACITY), max_size=4)


def _empty() -> Book:
    return Book(resource_id="mill--line", kind=ResourceKind.RATE, written_time=builders.START)


def _entries(alliance: str, buckets: dict[str, int], *, hold: bool) -> tuple[BookEntry, ...]:
    return (
        BookEntry(
            alliance_id=alliance,
            kind=EntryKind.HOLD if hold else EntryKind.COMMIT,
            expires_time=builders.START if hold else None,
            node_version=1,
            buckets=tuple(
                PlanBucket(key=key, units=units, capacity_units=CAPACITY)
                for key, units in sorted(buckets.items())
            ),
        ),
    )


def _place(
    book: Book, alliance: str, entries: tuple[BookEntry, ...], *, lapsed: bool = False
) -> Book:
    return place(book, alliance, entries, builders.START, TODAY, lambda _: lapsed)


@given(st.lists(st.tuples(_alliances, _buckets, st.booleans()), max_size=12))
def test_no_bucket_is_ever_above_its_capacity(
    writes: list[tuple[str, dict[str, int], bool]],
) -> None:
    book = _empty()
    for alliance, buckets, hold in writes:
        full = [
            key
            for key, units in buckets.items()
            if key >= TODAY.isoformat() and taken(book, key, without=alliance) + units > CAPACITY
        ]
        if full:
            with pytest.raises(CapacityTaken):
                _place(book, alliance, _entries(alliance, buckets, hold=hold))
        else:
            book = _place(book, alliance, _entries(alliance, buckets, hold=hold))
    keys = {bucket.key for entry in book.entries for bucket in entry.buckets}
    assert all(taken(book, key) <= CAPACITY for key in keys)
    assert all(key >= TODAY.isoformat() for key in keys), "past days are pruned"


@given(_buckets, _buckets)
def test_giving_back_never_fails_and_leaves_nothing(
    mine: dict[str, int], others: dict[str, int]
) -> None:
    free = {key: min(units, CAPACITY - mine.get(key, 0)) for key, units in others.items()}
    alone = _place(_empty(), "a-2", _entries("a-2", free, hold=False))
    both = _place(alone, "a-1", _entries("a-1", mine, hold=True))
    assert _place(both, "a-1", ()) == alone


@given(_buckets)
def test_an_old_entry_above_a_lowered_capacity_stays_but_cannot_grow(
    mine: dict[str, int],
) -> None:
    """A firm that lowers its capacity cancels nothing."""
    book = _place(_empty(), "a-1", _entries("a-1", mine, hold=True))
    lowered = tuple(
        BookEntry(
            alliance_id="a-1",
            kind=EntryKind.COMMIT,
            node_version=2,
            buckets=tuple(
                PlanBucket(key=b.key, units=b.units, capacity_units=0) for b in entry.buckets
            ),
        )
        for entry in book.entries
    )
    after = _place(book, "a-1", lowered)
    assert [e.buckets for e in after.entries] == [e.buckets for e in lowered]


@given(_buckets, _buckets)
def test_a_lapsed_hold_makes_room(held: dict[str, int], wanted: dict[str, int]) -> None:
    book = _place(_empty(), "a-1", _entries("a-1", held, hold=True))
    after = _place(book, "a-2", _entries("a-2", wanted, hold=False), lapsed=True)
    assert {entry.alliance_id for entry in after.entries} <= {"a-2"}
