"""The history checker: judges the whole log against what the platform promises.

Pure: it is given all records in the order of the log and all current books, and answers with
violations; an empty answer means that every promise below holds as far as a history can show.

| code | promise |
|---|---|
| REPLAY | every stored state is what its facts lead to |
| TWO_BEGINNINGS | an alliance begins once, and a trend has one alliance |
| OVERBOOKED | no bucket is ever taken above the capacity that it was judged against |
| BOOK_DIFFERS | the stored books are what the alliances' states reserve |
| NOT_RELEASED | the books hold nothing of an ended alliance but consumed stock |
| INVITED_TWICE | a version of an invitation is sent once |
| COMMAND_TWICE | a command is carried out once |
| ATTEMPT_TWICE | an attempt commits once |
| STATEMENT | a statement is settled once, from accepted tasks, and sums to the fen |
| UNSIGNED | an acceptance carries what the firm signed |
| NO_DEADLINE | every living state has a deadline and says what happens then |
| STUCK | nothing stays past its deadline |
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from lianmeng.alliance import facts as f
from lianmeng.alliance.books import Book, BookEntry, EntryKind
from lianmeng.alliance.evolve import evolve
from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.reservations import Reservation, reserved
from lianmeng.alliance.settlement import statement
from lianmeng.alliance.state import AllianceState
from lianmeng.alliance.states import TERMINAL, IllegalTransition
from lianmeng.alliance.tasks import LOCAL

SLACK = timedelta(hours=1)
"""Story time that an alliance may stay past its deadline before it counts as stuck."""


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """A promise that was broken: which, by what, how, and at which sequence (0: at the end)."""

    code: str
    subject: str
    message: str
    sequence: int = 0


@dataclass
class _Seen:
    """What the checker remembers while it reads."""

    states: dict[str, AllianceState | None] = field(default_factory=dict)
    attempts: set[str] = field(default_factory=set)
    trends: dict[str, str] = field(default_factory=dict)
    invited: set[tuple[str, str, int]] = field(default_factory=set)
    ledger: dict[str, dict[str, Reservation]] = field(default_factory=lambda: defaultdict(dict))


def check(
    records: Iterable[tuple[int, AllianceRecord]], books: Mapping[str, Book], now: datetime
) -> list[Violation]:
    """All violations. `records` ascend by sequence; `now` is story time."""
    seen = _Seen()
    found: list[Violation] = []
    for sequence, record in records:
        found += _check_record(seen, sequence, record)
    for state in seen.states.values():
        if state is not None:
            found += _check_end(state, now)
    found += _check_books(seen, books, now)
    return sorted(found)


def _check_record(seen: _Seen, sequence: int, record: AllianceRecord) -> Iterator[Violation]:
    def broken(code: str, message: str) -> Violation:
        return Violation(code, record.alliance_id, message, sequence)

    before = seen.states.get(record.alliance_id)
    try:
        expected = evolve(before, record.fact, record.time, record.by)
    except IllegalTransition as error:
        yield broken("REPLAY", str(error))
    else:
        if expected != record.state:
            yield broken(
                "REPLAY",
                f"{f.name_of(record.fact)} leads elsewhere: {_diff(expected, record.state)}",
            )
    if record.attempt_id in seen.attempts:
        yield broken("ATTEMPT_TWICE", record.attempt_id)
    seen.attempts.add(record.attempt_id)
    seen.states[record.alliance_id] = record.state
    for code, message in _check_fact(seen, record):
        yield broken(code, message)
    yield from _check_capacity(seen, sequence, record)


def _diff(one: AllianceState | None, other: AllianceState | None) -> str:
    if one is None or other is None:
        return "nothing"
    names = AllianceState.__dataclass_fields__
    return ", ".join(name for name in names if getattr(one, name) != getattr(other, name))


def _check_fact(seen: _Seen, record: AllianceRecord) -> Iterator[tuple[str, str]]:
    alliance = record.alliance_id
    match record.fact:
        case f.DemandAccepted(demand=demand):
            other = seen.trends.setdefault(demand.trend_id or alliance, alliance)
            if other != alliance or demand.demand_id != alliance:
                yield "TWO_BEGINNINGS", f"{demand.trend_id} already has {other}"
        case f.Invited(invitations=invitations):
            for sent in invitations:
                key = (alliance, sent.firm_id, sent.version)
                if key in seen.invited:
                    yield "INVITED_TWICE", f"{sent.firm_id} version {sent.version}"
                seen.invited.add(key)
        case f.Accepted(acceptance=acceptance, firm_id=firm):
            if not (acceptance.statement and acceptance.signature and acceptance.key_id):
                yield "UNSIGNED", firm
        case f.Dissolved(statement=stated):
            yield from _check_statement(record, stated.total_fen)


def _check_statement(record: AllianceRecord, total: int) -> Iterator[tuple[str, str]]:
    state = record.state
    if state is None or state.statement is None:
        yield "STATEMENT", "dissolved without a statement"
        return
    if sum(line.amount_fen for line in state.statement.lines) != total:
        yield "STATEMENT", "the lines do not sum to the total"
    if statement(state) != state.statement:
        yield "STATEMENT", "it is not what the accepted tasks come to"


def _check_capacity(seen: _Seen, sequence: int, record: AllianceRecord) -> Iterator[Violation]:
    """Walks the ledger of all alliances: a bucket that grows must have had room."""
    before = seen.ledger
    after = reserved(record.state)
    mine = {name for name, by in before.items() if record.alliance_id in by}
    for name in mine - after.keys():
        del before[name][record.alliance_id]
    for name, reservation in after.items():
        old = before[name].get(record.alliance_id)
        before[name][record.alliance_id] = reservation
        if old == reservation:
            continue
        for key, taken, capacity in _totals(before[name], record.time):
            if taken > capacity:
                message = f"{key}: {taken} of {capacity} units, at {record.alliance_id}"
                yield Violation("OVERBOOKED", name, message, sequence)


def _totals(
    by_alliance: Mapping[str, Reservation], time: datetime
) -> Iterator[tuple[str, int, int]]:
    """Bucket, units taken by live entries, capacity judged against; days that are not past."""
    today = time.astimezone(LOCAL).date().isoformat()
    taken: dict[str, int] = defaultdict(int)
    capacity: dict[str, int] = defaultdict(int)
    for entry in (e for r in by_alliance.values() for e in r.entries):
        if entry.expires_time is not None and entry.expires_time < time:
            continue
        for bucket in entry.buckets:
            if bucket.key >= today:
                taken[bucket.key] += bucket.units
                capacity[bucket.key] = max(capacity[bucket.key], bucket.capacity_units)
    for key, units in taken.items():
        yield key, units, capacity[key]


def _check_end(state: AllianceState, now: datetime) -> Iterator[Violation]:
    def broken(code: str, message: str) -> Violation:
        return Violation(code, state.alliance_id, message)

    marks = [(mark.principal_id, mark.command_id) for mark in state.commands]
    if len(marks) != len(set(marks)):
        yield broken("COMMAND_TWICE", "a command was carried out more than once")
    if state.state in TERMINAL:
        return
    if state.deadline_time is None or not state.deadline_reason:
        yield broken("NO_DEADLINE", f"{state.state} without a deadline")
    elif state.deadline_time + SLACK < now:
        yield broken(
            "STUCK", f"{state.state}: {state.deadline_reason} was due {state.deadline_time}"
        )


def _check_books(seen: _Seen, books: Mapping[str, Book], now: datetime) -> Iterator[Violation]:
    expected: dict[str, list[BookEntry]] = defaultdict(list)
    for state in seen.states.values():
        for resource, reservation in reserved(state).items():
            expected[resource] += reservation.entries
    for resource in sorted(expected.keys() | books.keys()):
        book = books.get(resource)
        if book is None:
            yield Violation("BOOK_DIFFERS", resource, "there is no book for what is reserved")
            continue
        for entry in book.entries:
            owner = seen.states.get(entry.alliance_id)
            ended = owner is None or owner.state in TERMINAL
            if ended and entry.kind is not EntryKind.CONSUMED:
                yield Violation("NOT_RELEASED", resource, f"{entry.kind} of {entry.alliance_id}")
        want = _comparable(expected[resource], book, now)
        have = _comparable(book.entries, book, now)
        if want != have:
            yield Violation("BOOK_DIFFERS", resource, f"stored {have}, reserved {want}")


def _comparable(
    entries: Iterable[BookEntry], book: Book, now: datetime
) -> list[tuple[object, ...]]:
    """Entries as far as they must agree: days not past at the last write, holds not run out."""
    first = book.written_time.astimezone(LOCAL).date().isoformat()
    kept = [
        replace(entry, buckets=tuple(b for b in entry.buckets if b.key >= first))
        for entry in entries
        if entry.expires_time is None or entry.expires_time > now
    ]
    return sorted(
        (e.alliance_id, str(e.kind), tuple((b.key, b.units) for b in e.buckets))
        for e in kept
        if e.buckets
    )
