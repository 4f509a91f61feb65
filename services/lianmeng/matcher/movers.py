"""Lanes and stocks as options of a problem: dated departures, units on hand, what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lianmeng.matcher import eligibility as rules
from lianmeng.matcher.availability import departures, first_work_day, is_fresh, stock_free
from lianmeng.matcher.offers import Tally, offer_of
from lianmeng.matcher.problem import Carrier, Pile
from lianmeng.matcher.question import Question
from lianmeng.matcher.rates import lane_rate
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Lane, Logistics, Node, Stock, Warehouse


def find_movers(
    question: Question, pool: Snapshot, tally: Tally
) -> tuple[tuple[Carrier, ...], tuple[Pile, ...]]:
    """Lanes and stocks that bring goods to a market of the demand in time."""
    carriers: list[Carrier] = []
    piles: list[Pile] = []
    for node in pool.forwarders:
        firm = pool.firms.get(node.firm_id)
        reason = rules.membership_reason(question, pool, firm, node)
        if reason or firm is None:
            tally.by_role["forwarder"][reason] += 1
            continue
        lanes = list(_carriers(question, pool, firm, node))
        stocks = list(_piles(question, pool, firm, node))
        good = [lane for lane, _ in lanes if lane] + [pile for pile, _ in stocks if pile]
        if good:
            tally.eligible += 1
        else:
            reasons = [reason for _, reason in (*lanes, *stocks)]
            tally.by_role["forwarder"][_furthest(reasons)] += 1
        carriers += [lane for lane, _ in lanes if lane]
        piles += [pile for pile, _ in stocks if pile]
    return tuple(carriers), tuple(piles)


_PROGRESS = ("MARKET", "PRODUCT", "BATTERY", "FIRM_NOT_ACTIVE", "LEFT_ALLIANCE", "STOCK_STALE",
             "TRANSIT_TIME", "NO_CAPACITY")  # fmt: skip
"""Reasons of lanes and stocks, from far off to nearly of use."""


def _furthest(reasons: list[str]) -> str:
    return max(reasons, key=_PROGRESS.index, default="MARKET")


def _carriers(
    question: Question, pool: Snapshot, firm: Firm, node: Node
) -> Iterator[tuple[Carrier | None, str]]:
    moved = node.capability
    assert isinstance(moved, Logistics)
    for lane in moved.lanes:
        reason = rules.lane_reason(question, lane, None)
        if reason:
            yield None, reason
            continue
        carrier = _carrier(question, pool, firm, node, lane)
        reason = rules.lane_reason(question, lane, carrier)
        yield (None, reason) if reason else (carrier, "")


def _carrier(question: Question, pool: Snapshot, firm: Firm, node: Node, lane: Lane) -> Carrier:
    rate = lane_rate(question, lane)
    return Carrier(
        offer=offer_of(question, pool, firm, node),
        lane_id=lane.lane_id,
        resource_id=node.lane_resource(lane),
        mode=str(lane.mode),
        market=lane.market,
        unit_g=rate.unit_g,
        unit_microfen=rate.unit_microfen,
        minimum_fen=question.fen(lane.minimum_charge),
        pickup_microfen=rate.pickup_microfen,
        departures=departures(question, pool, firm, node, lane, rate.unit_g),
    )


def _piles(
    question: Question, pool: Snapshot, firm: Firm, node: Node
) -> Iterator[tuple[Pile | None, str]]:
    moved = node.capability
    assert isinstance(moved, Logistics)
    for house in moved.warehouses:
        for stock in house.stock:
            owner = pool.firms.get(stock.owner_firm_id)
            fresh = is_fresh(question, stock)
            reason = rules.stock_reason(question, house, stock, owner, fresh)
            if reason or owner is None:
                yield None, reason
                continue
            pile = _pile(question, pool, (firm, owner), node, house, stock)
            reason = rules.pile_reason(question, pile)
            yield (None, reason) if reason else (pile, "")


def _pile(
    question: Question,
    pool: Snapshot,
    firms: tuple[Firm, Firm],
    node: Node,
    house: Warehouse,
    stock: Stock,
) -> Pile:
    keeper, owner = firms
    leaves = first_work_day(keeper) - 1
    late = pool.late_days.get(node.node_id, 0)
    return Pile(
        offer=replace(offer_of(question, pool, owner, node), risk_microfen=0),
        keeper=offer_of(question, pool, keeper, node),
        resource_id=node.stock_resource(house, stock),
        market=house.market,
        units=stock.units,
        free_units=stock_free(question, pool, node, house, stock),
        unit_fen=question.fen(stock.unit_price),
        release_fen=question.fen(house.handling_fee) + question.fen(house.last_mile_fee),
        leaves=leaves,
        lands=leaves + house.release_days.p50_days + late,
        lands_p90=leaves + house.release_days.p90_days + late,
    )
