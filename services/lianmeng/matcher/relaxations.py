"""Why there is no plan, and what would help: found by solving the problem with one thing relaxed.

The first relaxation that gives a plan names the main reason, in the order of the table below;
all that do are told, cheapest first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from lianmeng.matcher.costing import breakdown
from lianmeng.matcher.framing import Framed, frame
from lianmeng.matcher.problem import Lawful, Problem
from lianmeng.matcher.question import Question
from lianmeng.matcher.rates import unpaid_prices
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.matcher.solving import Solved, solve_problem

FREED = "capacity that other alliances hold (其他联盟占用的产能释放)"
RICHER = "+{percent} % budget (预算增加 {percent} %)"
LARGER = "+{members} members (成员增加 {members} 家)"
LAWFUL = "a member that may sell, export and import (需有可销售、出口、进口的成员)"
FEWER = "accept {units} units (接受 {units} 件)"
LONGER = "+{days} days (延长 {days} 天)"

MORE_BUDGET = (5, 10, 20, 30, 50, 100, 200)
"""Percent that are tried."""

MORE_MEMBERS = (1, 2, 3)

WAIVABLE = {
    "CERTIFICATE": (
        "NO_FACTORY",
        "one more factory certified for {certificates} (再有一家持 {certificates} 的工厂)",
    ),
    "MATERIAL": (
        "NO_FACTORY",
        "one more factory that works {materials} (再有一家能做 {materials} 的工厂)",
    ),
    "MOQ_ABOVE_DEMAND": (
        "NO_FACTORY",
        "a factory with a smaller least order (起订量更小的工厂)",
    ),
    "MAX_ALLIANCES": (
        "CAPACITY_RESERVED_ELSEWHERE",
        "a firm takes part in one more alliance (有企业愿意多参加一个联盟)",
    ),
}
"""Rules that a firm could come to meet: the reason that this proves, and its words."""


@dataclass(frozen=True, slots=True)
class _Try:
    """A relaxed problem: the reason it would prove, and the words that it would be told in.

    Tries of one `kind` differ in how much they ask for, least first.
    """

    reason: str
    question: Question
    pool: Snapshot
    problem: Problem
    words: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Found:
    reason: str
    words: str
    cost_fen: int


def diagnose(question: Question, pool: Snapshot, framed: Framed) -> tuple[str, tuple[str, ...]]:
    """The main reason, a code, and the relaxations that would help, cheapest first."""
    found = list(_relaxed(question, pool, framed))
    reason = found[0].reason if found else _lacking(question, framed) or "CAPACITY_SHORT"
    ordered = sorted(found, key=lambda one: (one.cost_fen, one.words))
    return reason, tuple(one.words for one in ordered)


def _lacking(question: Question, framed: Framed) -> str:
    """The role that nobody can take; empty: every role has somebody."""
    problem = framed.problem
    if question.last_landing < 1:
        return "WINDOW_TOO_SHORT"
    if not problem.promoters and not problem.fixed.covered:
        return "NO_AGENCY"
    if not problem.makers and not problem.piles and not problem.fixed.supply:
        return "NO_FACTORY" if problem.carriers else "NO_LANE"
    return ""


def _relaxed(question: Question, pool: Snapshot, framed: Framed) -> Iterator[_Found]:
    """What helps. Of several amounts of one thing, the first that does."""
    helped: set[str] = set()
    for attempt in _tries(question, pool, framed):
        if attempt.kind not in helped:
            found = _attempt(attempt)
            if found is not None:
                helped.add(attempt.kind)
                yield found


def _tries(question: Question, pool: Snapshot, framed: Framed) -> Iterator[_Try]:
    problem = framed.problem
    if pool.books or pool.engaged:
        empty = replace(pool, books={}, engaged={})
        freed = frame(question, empty, problem.fixed).problem
        yield _Try("CAPACITY_RESERVED_ELSEWHERE", question, empty, freed, FREED, "books")
    for percent in MORE_BUDGET if problem.budget_fen else ():
        richer = replace(problem, budget_fen=problem.budget_fen * (100 + percent) // 100)
        words = RICHER.format(percent=percent)
        yield _Try("BUDGET", question, pool, richer, words, "budget")
    for more in MORE_MEMBERS if problem.max_members else ():
        larger = replace(problem, max_members=problem.max_members + more)
        words = LARGER.format(members=more)
        yield _Try("MAX_MEMBERS", question, pool, larger, words, "members")
    yield _Try("NO_PARTY_OF_RECORD", question, pool, _anybody_lawful(problem), LAWFUL, "lawful")
    yield from _waivers(question, pool, framed)
    yield from _longer(question, pool, problem)
    yield _Try("CAPACITY_SHORT", question, pool, _any_quantity(problem), FEWER, "units")


def _anybody_lawful(problem: Problem) -> Problem:
    everybody = tuple(sorted(problem.firms() | problem.fixed.firms))
    markets = [need.market for need in problem.needs]
    lawful = Lawful(
        sellers=dict.fromkeys(markets, everybody),
        exporters=everybody,
        importers=dict.fromkeys(markets, everybody),
    )
    return replace(problem, lawful=lawful)


def _waivers(question: Question, pool: Snapshot, framed: Framed) -> Iterator[_Try]:
    product = question.demand.product
    names = {
        "certificates": ", ".join(product.required_certificates),
        "materials": ", ".join(product.materials),
    }
    for code, (reason, words) in WAIVABLE.items():
        if any(counts[code] for counts in framed.blocked.values()):
            waived = replace(question, waived=question.waived | {code})
            relaxed = frame(waived, pool, framed.problem.fixed).problem
            yield _Try(reason, waived, pool, relaxed, words.format(**names), code)


def _longer(question: Question, pool: Snapshot, problem: Problem) -> Iterator[_Try]:
    for days in question.thresholds.match.relaxation_days:
        end = question.demand.window_end_time + timedelta(days=days)
        later = replace(question, demand=replace(question.demand, window_end_time=end))
        relaxed = frame(later, pool, problem.fixed).problem
        yield _Try("WINDOW_TOO_SHORT", later, pool, relaxed, LONGER.format(days=days), "days")


def _any_quantity(problem: Problem) -> Problem:
    return replace(problem, needs=tuple(replace(need, least=0) for need in problem.needs))


def _attempt(attempt: _Try) -> _Found | None:
    """The relaxation if it gives a plan that lands something at no loss."""
    question, problem = attempt.question, attempt.problem
    solved = solve_problem(question, problem)
    if not isinstance(solved, Solved) or not solved.parts.shipments:
        return None
    parts = solved.parts
    cost = breakdown(question, parts, unpaid_prices(question, attempt.pool, parts.firms()))
    if cost.margin_fen < 0:
        return None
    words = attempt.words.format(units=sum(shipment.units for shipment in parts.shipments))
    return _Found(attempt.reason, words, cost.total_fen)
