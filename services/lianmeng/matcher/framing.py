"""From a question and a snapshot to a problem: eligible nodes become options in whole numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from lianmeng.alliance.demand import MarketDemand
from lianmeng.matcher import eligibility as rules
from lianmeng.matcher.availability import (
    creator_hours,
    departures,
    first_work_day,
    is_fresh,
    line_supply,
    stock_free,
)
from lianmeng.matcher.problem import (
    NOBODY_LAWFUL,
    NOTHING_FIXED,
    Carrier,
    Fixed,
    Lawful,
    Maker,
    Need,
    Offer,
    Pile,
    Problem,
    Promoter,
    Tier,
)
from lianmeng.matcher.question import Question
from lianmeng.matcher.rates import commission_microfen, lane_rate, last_mile_fen, risk_microfen
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Lane, Logistics, Manufacturing, Marketing, Node, Stock, Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Framed:
    """The problem, how many nodes are in it, and how many each rule excluded, by role."""

    problem: Problem
    eligible: int
    excluded: dict[str, int]
    blocked: dict[str, Counter[str]]


@dataclass(slots=True)
class _Tally:
    """Nodes counted under the first rule that excluded them."""

    eligible: int = 0
    by_role: dict[str, Counter[str]] = field(
        default_factory=lambda: {"factory": Counter(), "forwarder": Counter(), "agency": Counter()}
    )

    def excluded(self, left_out: Iterable[tuple[str, int]]) -> dict[str, int]:
        total: Counter[str] = Counter(dict(left_out))
        for counts in self.by_role.values():
            total += counts
        return dict(sorted(total.items()))


def frame(question: Question, pool: Snapshot, fixed: Fixed = NOTHING_FIXED) -> Framed:
    """The problem that a question poses over a snapshot. `fixed` are parts that stay."""
    tally = _Tally()
    carriers, piles = _logistics(question, pool, tally)
    latest = _latest_ready(carriers)
    makers = _makers(question, pool, latest, tally)
    promoters = _promoters(question, pool, tally)
    needs = tuple(_need(question, pool, market) for market in question.demand.markets)
    plan = question.thresholds.plan
    problem = Problem(
        needs=needs,
        makers=makers,
        carriers=carriers,
        piles=piles,
        promoters=promoters,
        lawful=NOBODY_LAWFUL,
        families=_families(pool, {m.offer.firm_id for m in makers} | set(fixed.awards)),
        max_share_bp=plan.max_share_bp,
        budget_fen=question.demand.budget_fen,
        max_members=question.demand.max_members,
        later_ready_days=question.thresholds.match.later_ready_days,
        first_promotion=_first_landings(needs, makers, carriers, piles, fixed),
        fixed=fixed,
    )
    lawful = _lawful(question, pool, problem.firms() | fixed.firms)
    return Framed(
        problem=replace(problem, lawful=lawful),
        eligible=tally.eligible,
        excluded=tally.excluded(pool.left_out.items()),
        blocked=tally.by_role,
    )


def without_share_cap(problem: Problem) -> Problem:
    """The same problem where one firm may make everything."""
    return replace(problem, max_share_bp=0)


def _need(question: Question, pool: Snapshot, market: MarketDemand) -> Need:
    band = market.band
    least = {"P10": band.p10_units, "P50": band.p50_units}[question.thresholds.plan.met_quantile]
    return Need(
        market=market.market,
        least=least,
        wanted=band.p50_units,
        most=band.p90_units,
        sale_fen=question.sale_fen(market),
        last_mile_fen=last_mile_fen(question, pool, market.market),
    )


def _offer(question: Question, pool: Snapshot, firm: Firm, node: Node) -> Offer:
    return Offer(
        firm_id=firm.firm_id,
        node_id=node.node_id,
        node_version=node.version,
        risk_microfen=risk_microfen(question, pool, firm),
    )


def _makers(question: Question, pool: Snapshot, latest: int, tally: _Tally) -> tuple[Maker, ...]:
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
        offer=_offer(question, pool, firm, node),
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


def _logistics(
    question: Question, pool: Snapshot, tally: _Tally
) -> tuple[tuple[Carrier, ...], tuple[Pile, ...]]:
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
        offer=_offer(question, pool, firm, node),
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
        offer=replace(_offer(question, pool, owner, node), risk_microfen=0),
        keeper=_offer(question, pool, keeper, node),
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


def _promoters(question: Question, pool: Snapshot, tally: _Tally) -> tuple[Promoter, ...]:
    found = []
    for node in pool.agencies:
        promoter, reason = _promoter(question, pool, node)
        if promoter is None:
            tally.by_role["agency"][reason] += 1
        else:
            tally.eligible += 1
            found.append(promoter)
    return tuple(found)


def _promoter(question: Question, pool: Snapshot, node: Node) -> tuple[Promoter | None, str]:
    firm, shown = pool.firms.get(node.firm_id), node.capability
    assert isinstance(shown, Marketing)
    reason = rules.membership_reason(question, pool, firm, node)
    if reason or firm is None:
        return None, reason
    reason = rules.showing_reason(question, shown)
    if reason:
        return None, reason
    promoter = Promoter(
        offer=_offer(question, pool, firm, node),
        resource_id=node.agency_resource(),
        capacity=shown.creator_hours_per_day,
        hours=creator_hours(question, pool, firm, node),
        units_per_hour=shown.units_per_creator_hour,
        fixed_fen=question.fen(shown.fixed_fee),
        hour_fen=question.fen(shown.hour_fee),
        commission_bp=shown.commission_bp,
        commission_microfen={
            market.market: commission_microfen(question.sale_fen(market), shown.commission_bp)
            for market in question.demand.markets
            if _covers(shown, market)
        },
    )
    reason = rules.promoter_reason(promoter)
    return (None, reason) if reason else (promoter, "")


def _covers(shown: Marketing, market: MarketDemand) -> bool:
    channel = any(
        account.market == market.market and market.channel in ("", account.platform)
        for account in shown.accounts
    )
    return channel and rules.speaks(shown, market.language)


def _latest_ready(carriers: tuple[Carrier, ...]) -> int:
    """The last day on which goods can be ready and still land in time; -1: there is no lane."""
    return max((d.latest_ready for c in carriers for d in c.departures if d.free_units), default=-1)


def _first_landings(
    needs: tuple[Need, ...],
    makers: tuple[Maker, ...],
    carriers: tuple[Carrier, ...],
    piles: tuple[Pile, ...],
    fixed: Fixed,
) -> dict[str, int]:
    """By market, the first day on which anything could land; promotion before it is lost."""
    ready = [maker.lead for maker in makers] + [day for day, _ in fixed.supply.values()]
    first_ready = min(ready, default=0)
    firsts: dict[str, int] = {}
    for need in needs:
        by_lane = [
            d.lands
            for c in carriers
            if c.market == need.market
            for d in c.departures
            if d.latest_ready >= first_ready
        ]
        from_stock = [pile.lands for pile in piles if pile.market == need.market]
        kept = [day for market, day in fixed.lands.items() if market == need.market]
        firsts[need.market] = max(1, min(by_lane + from_stock + kept, default=1))
    return firsts


def _lawful(question: Question, pool: Snapshot, firms: frozenset[str]) -> Lawful:
    known = [pool.firms[name] for name in sorted(firms) if name in pool.firms]
    markets = [market.market for market in question.demand.markets]
    return Lawful(
        sellers={m: tuple(f.firm_id for f in known if m in f.can_sell_in) for m in markets},
        exporters=tuple(f.firm_id for f in known if f.can_export),
        importers={m: tuple(f.firm_id for f in known if m in f.can_import_in) for m in markets},
    )


def _families(pool: Snapshot, firms: set[str]) -> tuple[frozenset[str], ...]:
    """Firms grouped with their affiliates, whichever of them declares the other."""
    groups = {firm: {firm} for firm in firms}
    for name in sorted(firms):
        known = pool.firms.get(name)
        for other in known.affiliates if known else ():
            if other in groups and groups[other] is not groups[name]:
                merged = groups[name] | groups[other]
                for member in merged:
                    groups[member] = merged
    unique = {frozenset(group) for group in groups.values()}
    return tuple(sorted(unique, key=sorted))
