"""The history checker finds nothing in a true history, and each violation that is seeded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from lianmeng.alliance import decide, policy
from lianmeng.alliance import facts as f
from lianmeng.alliance.books import Book, place
from lianmeng.alliance.checker import check
from lianmeng.alliance.evolve import evolve
from lianmeng.alliance.members import SignedStatement, TaskState
from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.reservations import reserved
from lianmeng.alliance.state import AllianceState, State
from lianmeng.alliance.tasks import LOCAL
from tests import builders

History = list[tuple[int, AllianceRecord]]
SIGNED = SignedStatement(statement=b"{}", signature=b"signature", key_id="k-1")
FAR = timedelta(days=400)


class Life:
    """Writes a history by the real rules: what lifecycle, firms and the log would write."""

    def __init__(self, trend: str = builders.TREND) -> None:
        self.state: AllianceState | None = None
        self.now = builders.START
        self.history: History = []
        self.books: dict[str, Book] = {}
        self.add(builders.accepted(trend), "matcher")

    def add(self, fact: f.Fact, by: str) -> None:
        before = reserved(self.state)
        self.state = evolve(self.state, fact, self.now, by)
        assert self.state is not None
        record = AllianceRecord(
            alliance_id=self.state.alliance_id,
            attempt_id=f"{self.state.alliance_id}-{len(self.history)}",
            time=self.now,
            by=by,
            fact=fact,
            state=self.state,
        )
        self.history.append((len(self.history) + 1, record))
        after = reserved(self.state)
        for name in before.keys() | after.keys():
            entries = after[name].entries if name in after else ()
            kind = (after.get(name) or before[name]).kind
            book = self.books.get(name) or Book(resource_id=name, kind=kind, written_time=self.now)
            today = self.now.astimezone(LOCAL).date()
            self.books[name] = place(
                book, record.alliance_id, entries, self.now, today, lambda _: False
            )

    def settle(self) -> None:
        assert self.state is not None
        while (fact := policy.next_fact(self.state, self.now)) is not None:
            self.add(fact, "lifecycle")

    def run(self) -> Life:
        """Proposed, accepted by all, all tasks done and accepted, dissolved."""
        self.add(builders.proposed(), "matcher")
        self.settle()
        assert self.state is not None
        for number, i in enumerate(self.state.invitations):
            self.add(
                decide.accept(
                    self.state, i.invitation_id, 1, i.firm_id, SIGNED, f"yes-{number}", self.now
                ),
                i.firm_id,
            )
        self.settle()
        while self.state.state is State.ACTIVE:
            self.now += timedelta(hours=3)
            task = next(t for t in self.state.tasks if t.state is TaskState.OPEN)
            done = f"done-{task.task_id}"
            fact = decide.report_task(
                self.state, task.task_id, task.firm_id, f.ReportKind.DONE, 0, "", done
            )
            self.add(fact, task.firm_id)
            self.settle()
            if self._reported(task.task_id):
                yes = decide.accept_task(
                    self.state, task.task_id, task.receiver_firm_id, 0, f"ok-{task.task_id}"
                )
                self.add(yes, task.receiver_firm_id)
            self.settle()
        return self

    def _reported(self, task_id: str) -> bool:
        assert self.state is not None
        return any(t.task_id == task_id and t.state is TaskState.REPORTED for t in self.state.tasks)


@pytest.fixture
def life() -> Life:
    return Life().run()


def _codes(history: History, books: dict[str, Book], now: datetime) -> set[str]:
    return {violation.code for violation in check(history, books, now)}


def test_a_true_history_has_no_violation(life: Life) -> None:
    assert life.state is not None
    assert life.state.state is State.DISSOLVED
    assert check(life.history, life.books, life.now) == []


def _last_state(life: Life, **changes: object) -> History:
    sequence, last = life.history[-1]
    assert last.state is not None
    changed = replace(last.state, **changes)  # type: ignore[arg-type]
    return [*life.history[:-1], (sequence, replace(last, state=changed))]


def _doubled_attempt(life: Life) -> History:
    sequence, last = life.history[-1]
    first = life.history[0][1].attempt_id
    return [*life.history[:-1], (sequence, replace(last, attempt_id=first))]


def _two_alliances_of_a_trend(life: Life) -> History:
    fact = f.DemandAccepted(demand=builders.demand(demand_id="a-other"), limits=builders.limits())
    state = evolve(None, fact, life.now, "matcher")
    record = AllianceRecord(
        alliance_id="a-other", attempt_id="x", time=life.now, by="matcher", fact=fact, state=state
    )
    return [*life.history, (999, record)]


def _invited_twice(life: Life) -> History:
    at = next(n for n, (_, r) in enumerate(life.history) if isinstance(r.fact, f.Invited))
    sequence, record = life.history[at]
    again = (sequence, replace(record, attempt_id="again"))
    return [*life.history[: at + 1], again, *life.history[at + 1 :]]


def _unsigned(life: Life) -> History:
    def strip(record: AllianceRecord) -> AllianceRecord:
        if not isinstance(record.fact, f.Accepted):
            return record
        empty = replace(SIGNED, signature=b"")
        return replace(record, fact=replace(record.fact, acceptance=empty))

    return [(sequence, strip(record)) for sequence, record in life.history]


def _wrong_sum(life: Life) -> History:
    sequence, last = life.history[-1]
    assert isinstance(last.fact, f.Dissolved)
    stated = replace(last.fact.statement, total_fen=last.fact.statement.total_fen + 1)
    fact = replace(last.fact, statement=stated)
    before = life.history[-2][1].state
    state = evolve(before, fact, last.time, last.by)
    return [*life.history[:-1], (sequence, replace(last, fact=fact, state=state))]


def _command_twice(life: Life) -> History:
    assert life.state is not None
    mark = life.state.commands[0]
    return _last_state(life, commands=(*life.state.commands, mark))


@pytest.mark.parametrize(
    ("code", "seed"),
    [
        ("REPLAY", lambda life: _last_state(life, round=7)),
        ("ATTEMPT_TWICE", _doubled_attempt),
        ("TWO_BEGINNINGS", _two_alliances_of_a_trend),
        ("INVITED_TWICE", _invited_twice),
        ("UNSIGNED", _unsigned),
        ("STATEMENT", _wrong_sum),
        ("COMMAND_TWICE", _command_twice),
        ("NO_DEADLINE", lambda life: _last_state(life, state=State.ACTIVE, deadline_time=None)),
    ],
)
def test_a_seeded_violation_is_found(
    life: Life, code: str, seed: Callable[[Life], History]
) -> None:
    assert code in _codes(seed(life), life.books, life.now)


def test_an_entry_that_nobody_reserved_is_found(life: Life) -> None:
    held = Life(trend="t-other")
    held.add(builders.proposed(), "matcher")
    name, book = next(iter(held.books.items()))
    assert "BOOK_DIFFERS" in _codes(life.history, life.books | {name: book}, life.now)


def test_capacity_that_an_ended_alliance_still_holds_is_found(life: Life) -> None:
    held = Life()
    held.add(builders.proposed(), "matcher")
    line = builders.plan().lots[1].resource_id
    kept = life.books | {line: held.books[line]}
    assert "NOT_RELEASED" in _codes(life.history, kept, life.now)


def test_a_missing_book_is_found() -> None:
    held = Life()
    held.add(builders.proposed(), "matcher")
    assert "BOOK_DIFFERS" in _codes(held.history, {}, held.now)


def test_a_bucket_above_its_capacity_is_found() -> None:
    """Three alliances with 1,000 of a day's 2,000 units each, as a broken log could hold them."""
    history: History = []
    for number in range(3):
        one = Life(trend=f"t-{number}")
        one.add(builders.proposed(), "matcher")
        history += [(len(history) + n, record) for n, (_, record) in enumerate(one.history, 1)]
    found = check(history, {}, builders.START)
    assert any(v.code == "OVERBOOKED" and "3000 of 2000" in v.message for v in found)


def test_an_alliance_past_its_deadline_is_found() -> None:
    stuck = Life()
    assert _codes(stuck.history, {}, builders.START) == set()
    assert _codes(stuck.history, {}, builders.START + FAR) == {"STUCK"}
