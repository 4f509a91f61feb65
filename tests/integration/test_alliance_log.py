"""The log of alliances on a real NATS: books, timers, conflicts, unknown outcomes and fences."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lianmeng.alliance import facts as f
from lianmeng.alliance.books import CapacityTaken, EntryKind
from lianmeng.alliance.log import AllianceLog, Conflict, Loaded, Step
from lianmeng.kernel.errors import Transient
from lianmeng.kernel.ids import alliance_id_of_trend, derive
from lianmeng.runtime import subjects
from lianmeng.runtime.jetstream import Log, Unknown
from lianmeng.runtime.storytime import RealClock
from lianmeng.runtime.writes import Write
from tests import builders

_attempts = itertools.count(1)


class _Frozen(RealClock):
    """Wall time as it is; story time stands at the builders' start."""

    def now(self) -> Any:
        return builders.START

    def wall_at(self, story: Any) -> Any:
        return self.wall() + (story - builders.START)


@pytest.fixture
def alliances(log: Log, zone: str) -> AllianceLog:
    return AllianceLog(log, zone, _Frozen(), timedelta(seconds=30))


def _step(loaded: Loaded, fact: f.Fact) -> Step:
    return Step(loaded, fact, builders.START, "test", f"attempt-{next(_attempts)}")


async def _proposed(alliances: AllianceLog, trend: str = builders.TREND) -> Loaded:
    empty = await alliances.load(alliance_id_of_trend(trend))
    (begun,) = await alliances.commit([_step(empty, builders.accepted(trend))])
    (loaded,) = await alliances.commit([_step(begun, builders.proposed())])
    return loaded


async def test_a_proposal_holds_its_capacity_and_an_end_gives_it_back(
    alliances: AllianceLog,
) -> None:
    loaded = await _proposed(alliances)
    line = builders.plan().lots[1].resource_id
    book = await alliances.book(line)
    assert book is not None
    assert [entry.kind for entry in book.entries] == [EntryKind.HOLD]
    (ended,) = await alliances.commit([_step(loaded, f.FormationFailed(reason="TEST"))])
    book = await alliances.book(line)
    assert book is not None
    assert book.entries == ()
    assert (await alliances.load(loaded.alliance_id)) == ended


async def test_a_stale_decision_is_refused_whole(alliances: AllianceLog) -> None:
    loaded = await _proposed(alliances)
    await alliances.commit([_step(loaded, f.FormationFailed(reason="FIRST"))])
    with pytest.raises(Conflict):
        await alliances.commit([_step(loaded, f.FormationFailed(reason="SECOND"))])
    history = await alliances.history(loaded.alliance_id)
    assert [f.name_of(record.fact) for _, record in history] == [
        "demand_accepted",
        "proposed",
        "formation_failed",
    ]


async def test_a_day_is_not_booked_twice(alliances: AllianceLog) -> None:
    """The mill makes 2,000 a day and each plan takes 1,000: the third does not fit."""
    trends = [derive("t-", str(number)) for number in range(4)]
    loaded = [await alliances.load(alliance_id_of_trend(trend)) for trend in trends]
    begun = [
        (await alliances.commit([_step(one, builders.accepted(trend))]))[0]
        for one, trend in zip(loaded, trends, strict=True)
    ]
    tries = [alliances.commit([_step(one, _without_stock())]) for one in begun]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, list) for result in results) == 2
    assert sum(isinstance(result, CapacityTaken) for result in results) == 2


def _without_stock() -> f.Proposed:
    plan = builders.plan()
    slim = replace(plan, lots=plan.lots[1:], shipments=plan.shipments[1:], campaigns=())
    return builders.proposed(slim)


async def test_alliances_commit_together(alliances: AllianceLog) -> None:
    trends = [derive("t-", f"joint-{number}") for number in range(2)]
    steps = [
        _step(await alliances.load(alliance_id_of_trend(t)), builders.accepted(t)) for t in trends
    ]
    begun = await alliances.commit(steps)
    held = await alliances.commit([_step(one, _without_stock()) for one in begun])
    assert held[1].sequence == held[0].sequence + 1
    book = await alliances.book(builders.plan().lots[1].resource_id)
    assert book is not None
    assert len(book.entries) == 2


class _Deaf:
    """A log that loses the answers to its next commits, as a network does; writes still stand."""

    def __init__(self, log: Log, *, losses: int, sends: bool) -> None:
        self._log, self._losses, self._sends = log, losses, sends

    async def commit(self, writes: list[Write]) -> int:
        if self._losses:
            self._losses -= 1
            if self._sends:
                await self._log.commit(writes)
            raise Unknown("the answer was lost")
        return await self._log.commit(writes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


async def test_a_lost_answer_is_found_in_the_log(log: Log, zone: str) -> None:
    deaf: Any = _Deaf(log, losses=1, sends=True)
    alliances = AllianceLog(deaf, zone, _Frozen(), timedelta(seconds=30))
    loaded = await _proposed(alliances)
    assert len(await alliances.history(loaded.alliance_id)) == 2


async def test_a_commit_that_never_arrives_is_fenced(log: Log, zone: str) -> None:
    alliances = AllianceLog(log, zone, _Frozen(), timedelta(seconds=30))
    loaded = await _proposed(alliances)
    dumb: Any = _Deaf(log, losses=99, sends=False)
    lost = _step(loaded, f.FormationFailed(reason="LOST"))
    with pytest.raises(Transient, match="will not happen"):
        await AllianceLog(dumb, zone, _Frozen(), timedelta(seconds=30)).commit([lost])
    history = await alliances.history(loaded.alliance_id)
    assert f.name_of(history[-1][1].fact) == "fenced"
    with pytest.raises(Conflict):
        await alliances.commit([lost])
    assert (await alliances.load(loaded.alliance_id)).state == loaded.state


async def test_the_timer_waits_at_the_deadline_and_goes_with_the_end(
    log: Log, alliances: AllianceLog, zone: str
) -> None:
    loaded = await _proposed(alliances)
    timer = subjects.timer_subject(zone, loaded.alliance_id)
    waiting = await log.last(timer)
    assert waiting is not None
    assert waiting.headers["Nats-Schedule-Target"] == subjects.due_subject(zone, loaded.alliance_id)
    await alliances.commit([_step(loaded, f.FormationFailed(reason="TEST"))])
    assert await log.last(timer) is None
