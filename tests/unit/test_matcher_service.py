"""Use cases of the matcher when others are faster: full books, moved alliances, refused plans."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from lianmeng.alliance import facts as f
from lianmeng.alliance.books import Book, CapacityTaken, ResourceKind
from lianmeng.alliance.demand import Demand
from lianmeng.alliance.log import AllianceLog, Conflict, Loaded, Step
from lianmeng.alliance.state import AllianceState, State
from lianmeng.matcher.outcome import Found, Missing, Outcome, PlanRefused
from lianmeng.matcher.service import TRIES, Matcher
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.runtime.storytime import RealClock
from tests.formation import PLANNER, inviting, without
from tests.pools import NOW, THRESHOLDS, demand, example_pool


@dataclass(slots=True)
class Remembered:
    """A log in memory; `refusals` are raised by the next commits, in order."""

    loaded: Loaded
    refusals: list[Exception] = field(default_factory=list)
    facts: list[f.Fact] = field(default_factory=list)
    books_read: list[str] = field(default_factory=list)

    async def load(self, _alliance_id: str) -> Loaded:
        return self.loaded

    async def book(self, resource_id: str) -> Book:
        self.books_read.append(resource_id)
        return Book(resource_id=resource_id, kind=ResourceKind.RATE, written_time=NOW)

    async def commit(self, steps: Sequence[Step]) -> list[Loaded]:
        if self.refusals:
            raise self.refusals.pop(0)
        (step,) = steps
        self.facts.append(step.fact)
        record = step.record()
        self.loaded = Loaded(record.alliance_id, record.state, self.loaded.sequence + 1)
        return [self.loaded]


@dataclass(slots=True)
class Still:
    """A pool that stands."""

    kept: list[Book] = field(default_factory=list)

    def snapshot(self, _demand: Demand, _members: Iterable[str] = ()) -> Snapshot:
        return example_pool()

    def keep(self, book: Book) -> None:
        self.kept.append(book)


class Clock(RealClock):
    def now(self) -> Any:
        return NOW


@dataclass(slots=True)
class Refusing:
    """A planner whose plans do not pass the checker."""

    def plan(self, demand: Demand, _snapshot: Snapshot) -> Outcome:
        raise PlanRefused(demand.demand_id, ("MONEY plan: too much",))

    def repair(self, state: AllianceState, _snapshot: Snapshot) -> Outcome:
        return Missing("NEVER_ASKED")


@dataclass(slots=True)
class Crowded:
    """A planner that finds everything taken."""

    def plan(self, _demand: Demand, _snapshot: Snapshot) -> Outcome:
        return Missing("CAPACITY_RESERVED_ELSEWHERE")


def matcher(log: Remembered, planner: Any = PLANNER, pool: Still | None = None) -> Matcher:
    return Matcher(
        log=cast(AllianceLog, log),
        pool=pool or Still(),
        planner=planner,
        thresholds=THRESHOLDS,
        clock=Clock(),
        new_id=lambda: "attempt",
        solves=asyncio.Semaphore(1),
    )


@pytest.fixture
async def accepted() -> Remembered:
    """A log with an accepted demand."""
    log = Remembered(Loaded("a-example", None, 0))
    await matcher(log).accept(demand(), "test")
    log.facts.clear()
    return log


TAKEN = CapacityTaken("mill-mill--line-1", "2026-03-03", 2_000, 0)


async def test_a_demand_is_accepted_once() -> None:
    log = Remembered(Loaded("a-example", None, 0))
    first = await matcher(log).accept(demand(), "test")
    again = await matcher(log).accept(demand(), "test")
    assert first == again
    assert [f.name_of(fact) for fact in log.facts] == ["demand_accepted"]


async def test_a_plan_is_proposed(accepted: Remembered) -> None:
    await matcher(accepted).match("a-example", 1)
    (fact,) = accepted.facts
    assert isinstance(fact, f.Proposed)
    assert fact.hold_until_time == NOW + timedelta(hours=36)


async def test_an_old_request_does_nothing(accepted: Remembered) -> None:
    await matcher(accepted).match("a-example", 0)
    assert accepted.facts == []


async def test_full_books_are_read_and_the_plan_is_made_again(accepted: Remembered) -> None:
    pool = Still()
    accepted.refusals = [TAKEN]
    await matcher(accepted, pool=pool).match("a-example", 1)
    assert [f.name_of(fact) for fact in accepted.facts] == ["proposed"]
    assert accepted.books_read == ["mill-mill--line-1"]
    assert [book.resource_id for book in pool.kept] == ["mill-mill--line-1"]


async def test_books_that_stay_full_are_the_reason(accepted: Remembered) -> None:
    accepted.refusals = [TAKEN] * TRIES
    await matcher(accepted).match("a-example", 1)
    (fact,) = accepted.facts
    assert isinstance(fact, f.NoPlan)
    assert fact.reason == "CAPACITY_RESERVED_ELSEWHERE"
    assert fact.rematch_time == NOW + timedelta(minutes=30)


async def test_an_alliance_that_moved_on_is_left(accepted: Remembered) -> None:
    accepted.refusals = [Conflict("it has moved on")]
    await matcher(accepted).match("a-example", 1)
    assert accepted.facts == []


async def test_a_refused_plan_is_an_alarm_and_no_plan(
    accepted: Remembered, capsys: pytest.CaptureFixture[str]
) -> None:
    await matcher(accepted, Refusing()).match("a-example", 1)
    (fact,) = accepted.facts
    assert isinstance(fact, f.NoPlan)
    assert (fact.reason, fact.rematch_time) == ("PLAN_REFUSED", None)
    assert "plan.refused" in capsys.readouterr().err


async def test_a_rematch_is_not_planned_beyond_the_limit(accepted: Remembered) -> None:
    service = matcher(accepted, Crowded())
    for count in range(THRESHOLDS.formation.rematch_max + 1):
        state = accepted.loaded.state
        assert state is not None
        await service.match("a-example", state.fact_count)
        fact = accepted.facts[-1]
        assert isinstance(fact, f.NoPlan)
        assert (fact.rematch_time is None) == (count == THRESHOLDS.formation.rematch_max)
        if fact.rematch_time is not None:
            rematch = Step(accepted.loaded, f.RematchDue(reason="TIME"), NOW, "test", "x")
            await accepted.commit([rematch])


async def test_a_repair_starts_anew_when_somebody_answers_meanwhile() -> None:
    state = without(inviting(example_pool()), "agency")
    log = Remembered(Loaded("a-example", state, 7), [Conflict("somebody answered")])
    await matcher(log).repair("a-example")
    (fact,) = log.facts
    assert isinstance(fact, f.NoPlan)
    assert fact.reason == "NO_AGENCY"
    assert log.loaded.state is not None
    assert log.loaded.state.state is State.INVITING
    await matcher(log).repair("a-example")
    assert len(log.facts) == 1


async def test_a_what_if_commits_nothing() -> None:
    log = Remembered(Loaded("a-example", None, 0))
    assert isinstance(await matcher(log).what_if(demand()), Found)
    assert log.facts == []
