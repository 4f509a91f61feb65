"""Factories as options of a problem: eligible nodes with their lines, dates and scale of prices."""

from __future__ import annotations

from lianmeng.matcher import eligibility as rules
from lianmeng.matcher.availability import line_supply
from lianmeng.matcher.offers import Tally, offer_of
from lianmeng.matcher.problem import Maker, Tier
from lianmeng.matcher.question import Question
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.nodes import Manufacturing, Node


def find_makers(question: Question, pool: Snapshot, latest: int, tally: Tally) -> tuple[Maker, ...]:
    """Factories that can have the goods ready by day `latest`, the last that is of use."""
    found = []
    for node in pool.factories:
        maker, reason = _maker(question, pool, node, latest)
        if maker is None:
            tally.by_role["factory"][reason] += 1
        else:
            tally.eligible += 1
            found.append(maker)
    return tuple(found)


def _maker(question: Question, pool: Snapshot, node: Node, latest: int) -> tuple[Maker | None, str]:
    firm, made = pool.firms.get(node.firm_id), node.capability
    assert isinstance(made, Manufacturing)
    reason = rules.membership_reason(question, pool, firm, node)
    if reason or firm is None:
        return None, reason
    reason = rules.making_reason(question, firm, made)
    if reason:
        return None, reason
    supplies = tuple(line_supply(question, pool, firm, node, line) for line in made.lines)
    multiple = max(1, made.lot_multiple_units)
    maker = Maker(
        offer=offer_of(question, pool, firm, node),
        multiple=multiple,
        setup_fen=question.fen(made.setup_fee),
        tiers=_tiers(question, made, multiple),
        lines=rules.useful_lines(supplies) or supplies[:1],
    )
    reason = rules.dated_reason(maker, latest)
    return (None, reason) if reason else (maker, "")


def _tiers(question: Question, made: Manufacturing, multiple: int) -> tuple[Tier, ...]:
    """The scale of prices, from the least order on; lower bounds are whole multiples."""
    steps = sorted(made.price_breaks, key=lambda step: step.min_units)
    least = max(made.moq_units, multiple, 1)
    lows = [max(step.min_units, least) for step in steps]
    highs = [low - 1 for low in lows[1:]] + [max(_most(question), lows[-1]) + multiple]
    return tuple(
        Tier(low=-(-low // multiple) * multiple, high=high, unit_fen=question.fen(step.unit_price))
        for step, low, high in zip(steps, lows, highs, strict=True)
        if -(-low // multiple) * multiple <= high
    )


def _most(question: Question) -> int:
    return sum(market.band.p90_units for market in question.demand.markets)
