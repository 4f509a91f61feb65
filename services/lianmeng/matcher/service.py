"""Use cases of the matcher: accept a demand, find its plan, repair it; load, decide, commit.

Every use case may run twice and in two processes: the first fact of an alliance expects an empty
subject, and a plan is committed on the very state that it was made for.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from lianmeng.alliance import facts as f
from lianmeng.alliance.contract import sha256
from lianmeng.alliance.demand import Demand, Limits
from lianmeng.alliance.log import AllianceLog, CapacityTaken, Conflict, Loaded, Step
from lianmeng.alliance.membership import members
from lianmeng.alliance.state import AllianceState, State
from lianmeng.kernel.clock import Clock
from lianmeng.kernel.thresholds import Thresholds
from lianmeng.matcher.demand import limits_of
from lianmeng.matcher.outcome import Missing, Outcome, PlanRefused
from lianmeng.matcher.ports import Planner, Pool
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.metrics import PLANS, SOLVE_SECONDS

SELF = "matcher"

TRIES = 4
"""Plans that are made for one demand while others take the capacity first."""

SOLVES_AT_ONCE = 2
"""Plans that one process works on at a time; a solver uses one core."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """The use cases. `new_id` gives an id per attempt."""

    log: AllianceLog
    pool: Pool
    planner: Planner
    thresholds: Thresholds
    clock: Clock
    new_id: Callable[[], str]
    solves: asyncio.Semaphore

    async def accept(self, demand: Demand, by: str) -> Loaded:
        """The alliance of a demand, begun now or before: its first fact decides."""
        loaded = await self.log.load(demand.demand_id)
        while loaded.state is None:
            fact = f.DemandAccepted(demand=demand, limits=limits_of(self.thresholds))
            try:
                step = Step(loaded, fact, self.clock.now(), by, self.new_id())
                (loaded,) = await self.log.commit([step])
                _tell(fact, loaded.state, 0)
            except Conflict:
                loaded = await self.log.load(demand.demand_id)
        return loaded

    async def what_if(self, demand: Demand) -> Outcome:
        """The plan that a demand would get now. Commits and holds nothing."""
        snapshot = self.pool.snapshot(demand)
        return await self._solve(lambda: self.planner.plan(demand, snapshot))

    async def match(self, alliance_id: str, fact_count: int) -> None:
        """Find a plan for an alliance that is MATCHING and still at its `fact_count`-th fact.

        If it moves on meanwhile, somebody else has a plan for it, or it has ended.
        """
        loaded = await self.log.load(alliance_id)
        state = loaded.state
        if state is None or state.state is not State.MATCHING or state.fact_count != fact_count:
            return
        with suppress(Conflict):
            await self._commit_outcome(loaded, self._plan)

    async def repair(self, alliance_id: str) -> None:
        """Replace lost members where a repair is asked for."""
        loaded = await self.log.load(alliance_id)
        while loaded.state is not None and loaded.state.repair is not None:
            try:
                await self._commit_outcome(loaded, self._repair)
            except Conflict:  # somebody answered meanwhile
                await asyncio.sleep(random.uniform(0, 0.02))  # noqa: S311
                loaded = await self.log.load(alliance_id)
            else:
                return

    async def _plan(self, state: AllianceState) -> Outcome:
        return await self.what_if(state.demand)

    async def _repair(self, state: AllianceState) -> Outcome:
        assert state.plan is not None, "only a plan can be repaired"
        snapshot = self.pool.snapshot(state.demand, members(state.plan))
        return await self._solve(lambda: self.planner.repair(state, snapshot))

    async def _solve(self, work: Callable[[], Outcome]) -> Outcome:
        async with self.solves:
            try:
                with SOLVE_SECONDS.time():
                    outcome = await asyncio.to_thread(work)
            except PlanRefused as refused:  # the alarm: a bug of ours
                line.error("plan.refused", alliance=refused.demand_id, reason=str(refused))
                outcome = Missing(reason="PLAN_REFUSED")
            PLANS.labels(outcome.reason if isinstance(outcome, Missing) else "FOUND").inc()
            return outcome

    async def _commit_outcome(
        self, loaded: Loaded, find: Callable[[AllianceState], Awaitable[Outcome]]
    ) -> None:
        """Find, commit; where capacity is gone, read the book and find again, a few times.

        Raises `Conflict` when the alliance has moved on.
        """
        state = loaded.state
        assert state is not None
        started = self.clock.wall()
        for _ in range(TRIES):
            outcome = await find(state)
            try:
                await self._commit(loaded, state, outcome, started)
            except CapacityTaken as taken:
                line.info("books.conflict", alliance=state.alliance_id, reason=taken.resource_id)
                book = await self.log.book(taken.resource_id)
                if book is not None:
                    self.pool.keep(book)
                await asyncio.sleep(random.uniform(0, 0.02))  # noqa: S311
            else:
                return
        none = Missing(reason="CAPACITY_RESERVED_ELSEWHERE")
        await self._commit(loaded, state, none, started)

    async def _commit(
        self, loaded: Loaded, state: AllianceState, outcome: Outcome, started: datetime
    ) -> None:
        now = self.clock.now()
        fact = fact_of(state, outcome, now)
        step = Step(loaded, fact, now, SELF, self.new_id())
        (after,) = await self.log.commit([step])
        _tell(fact, after.state, (self.clock.wall() - started).total_seconds())


def fact_of(state: AllianceState, outcome: Outcome, now: datetime) -> f.Fact:
    """The fact that an outcome leads to in a state."""
    if isinstance(outcome, Missing):
        return f.NoPlan(
            reason=outcome.reason,
            relaxations=outcome.relaxations,
            rematch_time=_rematch_time(state, outcome.reason, now),
            excluded=outcome.excluded,
        )
    report = outcome.risk_report
    if state.state is State.MATCHING:
        return f.Proposed(
            plan=outcome.plan,
            risk_report=report,
            risk_report_hash=sha256(report),
            hold_until_time=_hold_until(state.limits, now),
        )
    return f.Repaired(
        plan=outcome.plan,
        risk_report=report,
        risk_report_hash=sha256(report),
        hold_until_time=_hold_until(state.limits, now),
    )


def _rematch_time(state: AllianceState, reason: str, now: datetime) -> datetime | None:
    """When to try again by itself: where others hold the capacity, whose holds may lapse.

    Other reasons wait for a new forecast or new capacity, which lifecycle hears of.
    """
    tried = state.rematch_count >= state.limits.rematch_max
    if state.state is not State.MATCHING or tried or reason != "CAPACITY_RESERVED_ELSEWHERE":
        return None
    return now + timedelta(minutes=state.limits.rematch_gap_minutes)


def _hold_until(limits: Limits, now: datetime) -> datetime:
    """Holds last until the formation limit plus the time of an approval."""
    return now + timedelta(hours=limits.formation_hours + limits.approval_hours)


def _tell(fact: f.Fact, state: AllianceState | None, seconds: float) -> None:
    if state is None:
        return
    known = {"alliance": state.alliance_id, "trend": state.demand.trend_id}
    ms = round(seconds * 1000, 1)
    if isinstance(fact, f.NoPlan):
        line.info("plan.none", reason=fact.reason, ms=ms, **known)
    elif isinstance(fact, f.Proposed | f.Repaired):
        plan = fact.plan
        line.info(
            "plan.found",
            units=plan.planned_units,
            members=len(members(plan)),
            gap_bp=plan.solve.gap_bp,
            ms=ms,
            **known,
        )
    else:
        markets = " ".join(market.market for market in state.demand.markets)
        product = state.demand.product.product_id
        line.info("demand.accepted", product=product, market=markets, **known)
