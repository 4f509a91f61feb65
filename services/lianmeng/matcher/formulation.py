"""The model: all three roles at once, as a mixed-integer program.

    minimise   setup·y + (price + risk)·q                 makers, by tier of their scale
             + freight + (pickup + last mile + risk)·w    consignments on departures
             + (price + release + risk)·s                 stock abroad
             + fixed·z + hour·h + (commission + risk)·v   promotion
             + sale price · short                         what is not sold

y, z, h and the numbers of lot multiples are whole. Goods flow from ready days to departures
through one inventory per day, so a departure takes only what is ready; which maker's goods it
takes does not matter to the cost and is settled afterwards. A unit more that is made and moved
saves one sale price: so a unit short costs exactly the margin it would have earned.

Without `minimums` the least charges of consignments are left out: a smaller model whose bound
holds for the full one, and whose plans mostly pay more than the minimum anyway.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from lianmeng.kernel.money import BASIS
from lianmeng.matcher.days import later_ready_days, lot_days, useful_departures
from lianmeng.matcher.membership_rows import add_membership
from lianmeng.matcher.problem import (
    MICRO,
    Carrier,
    Maker,
    Problem,
    Promoter,
    Tier,
)
from lianmeng.matcher.program import Program, Term


@dataclass(frozen=True, slots=True)
class Order:
    """An order at one tier: whether it is placed, and of how many units."""

    tier: Tier
    placed: int
    units: int


@dataclass(slots=True)
class Layout:
    """Where the decisions are among the columns.

    `orders[i]` are a maker's tiers as orders; `lots[i]` its ready days
    with the column that counts lot multiples; `loads[l]` the departures of a lane by their place;
    `hours` and `sold` by promoter and market; `freight` sums what consignments cost.
    """

    orders: list[list[Order]] = field(default_factory=list)
    lots: list[list[tuple[int, int]]] = field(default_factory=list)
    loads: list[dict[int, int]] = field(default_factory=list)
    stock: list[int] = field(default_factory=list)
    joined: dict[tuple[int, str], int] = field(default_factory=dict)
    hours: dict[tuple[int, str], int] = field(default_factory=dict)
    sold: dict[tuple[int, str], int] = field(default_factory=dict)
    short: dict[str, int] = field(default_factory=dict)
    freight: list[Term] = field(default_factory=list)


def formulate(problem: Problem, *, minimums: bool = True) -> tuple[Program, Layout]:
    """The program of a problem, and where its decisions are."""
    program, layout = Program(), Layout()
    later = later_ready_days(problem)
    for maker in problem.makers:
        _add_maker(program, layout, problem, maker, lot_days(maker, later))
    _add_transport(program, layout, problem, minimums)
    for pile in problem.piles:
        unit = pile.unit_fen + pile.release_fen + pile.keeper.risk_microfen / MICRO
        layout.stock.append(program.column(unit, min(pile.free_units, problem.most)))
    _add_needs(program, layout, problem)
    for index, promoter in enumerate(problem.promoters):
        _add_promoter(program, layout, problem, index, promoter)
    _add_cover(program, layout, problem)
    _add_share_caps(program, layout, problem)
    _add_budget(program, layout, problem)
    add_membership(program, layout, problem)
    return program, layout


def _add_maker(
    program: Program, layout: Layout, problem: Problem, maker: Maker, days: tuple[int, ...]
) -> None:
    """One order at one tier of the scale, made in lots that are ready on some of the days."""
    # Beyond what is wanted and one multiple nothing is worth making, unless the least order is.
    useful = max(problem.wanted, maker.tiers[0].low) + maker.multiple
    reach = min(maker.ready_by(days[-1]), useful)
    orders = [
        _add_order(program, maker, tier, min(tier.high, reach))
        for tier in maker.tiers
        if tier.low <= min(tier.high, reach)
    ]
    program.at_most([(order.placed, 1) for order in orders], 1)
    lots: list[tuple[int, int]] = []
    for day in days:
        ready = min(maker.ready_by(day), reach)
        lots.append((day, program.column(0, ready // maker.multiple)))
        made: list[Term] = [(column, maker.multiple) for _, column in lots]
        program.at_most(made + [(order.placed, -ready) for order in orders])
    ordered: list[Term] = [(order.units, -1) for order in orders]
    program.equal([*ordered, *((column, maker.multiple) for _, column in lots)])
    layout.orders.append(orders)
    layout.lots.append(lots)


def _add_order(program: Program, maker: Maker, tier: Tier, high: int) -> Order:
    placed = program.binary(maker.setup_fen)
    unit = tier.unit_fen + maker.offer.risk_microfen / MICRO
    units = program.column(unit, high, integral=False)
    program.at_least([(units, 1), (placed, -tier.low)])
    program.at_most([(units, 1), (placed, -high)])
    return Order(tier, placed, units)


def _add_transport(program: Program, layout: Layout, problem: Problem, minimums: bool) -> None:
    """Departures, and the inventory that ties them to what is ready."""
    whole = _loads_must_be_whole(problem)
    arriving: dict[int, list[Term]] = defaultdict(list)
    for maker, lots in zip(problem.makers, layout.lots, strict=True):
        for day, column in lots:
            arriving[day].append((column, maker.multiple))
    given: dict[int, int] = defaultdict(int)
    for day, units in problem.fixed.supply.values():
        given[day] += units
    leaving: dict[int, list[Term]] = defaultdict(list)
    for carrier in problem.carriers:
        kept = useful_departures(carrier, (*arriving, *given), problem.useful)
        loads = {}
        for place, departure in kept:
            room = min(departure.free_units, problem.most)
            load = _add_load(program, layout, problem, carrier, room)
            program.integral[load] = whole
            if minimums and carrier.minimum_fen:
                _add_minimum(program, layout, carrier, load, room)
            leaving[departure.latest_ready].append((load, -1))
            loads[place] = load
        layout.loads.append(loads)
    _add_inventory(program, problem, arriving, given, leaving)


def _loads_must_be_whole(problem: Problem) -> bool:
    """Whether loads have to be whole in the model: else they are rounded at no cost.

    One market without a budget leaves a network of whole supplies and capacities.
    """
    return len(problem.needs) > 1 or problem.budget_fen > 0


def _add_load(
    program: Program, layout: Layout, problem: Problem, carrier: Carrier, room: int
) -> int:
    """Units on a departure, with freight by the unit."""
    rate = carrier.unit_microfen / MICRO
    handling = (carrier.pickup_microfen + carrier.offer.risk_microfen) / MICRO
    handling += problem.need(carrier.market).last_mile_fen
    load = program.column(handling + rate, room)
    layout.freight.append((load, rate))
    return load


def _add_minimum(program: Program, layout: Layout, carrier: Carrier, load: int, room: int) -> None:
    """The least charge of a consignment: `lacking` is what its freight by the unit falls short."""
    rate = carrier.unit_microfen / MICRO
    used = program.binary()
    lacking = program.column(1, carrier.minimum_fen, integral=False)
    program.at_most([(load, 1), (used, -room)])
    program.at_least([(lacking, 1), (load, rate), (used, -carrier.minimum_fen)])
    layout.freight.append((lacking, 1))


def _add_inventory(
    program: Program,
    problem: Problem,
    arriving: dict[int, list[Term]],
    given: dict[int, int],
    leaving: dict[int, list[Term]],
) -> None:
    days = sorted({*arriving, *given, *leaving})
    most = problem.most + sum(given.values()) + sum(m.multiple for m in problem.makers)
    before: list[Term] = []
    for day in days:
        left = program.column(0, 0 if day == days[-1] else most, integral=False)
        program.equal([*before, *arriving[day], *leaving[day], (left, -1)], -given[day])
        before = [(left, 1)]


def _landing(problem: Problem, layout: Layout, market: str) -> list[Term]:
    terms: list[Term] = []
    for carrier, loads in zip(problem.carriers, layout.loads, strict=True):
        if carrier.market == market:
            terms += [(load, 1) for load in loads.values()]
    for pile, column in zip(problem.piles, layout.stock, strict=True):
        if pile.market == market:
            terms.append((column, 1))
    return terms


def _add_needs(program: Program, layout: Layout, problem: Problem) -> None:
    for need in problem.needs:
        landed = problem.fixed.landed.get(need.market, 0)
        landing = _landing(problem, layout, need.market)
        short = program.column(need.sale_fen, need.wanted - need.least)
        layout.short[need.market] = short
        program.at_least([*landing, (short, 1)], need.wanted - landed)
        program.at_most(landing, max(0, need.most - landed))


def _add_promoter(
    program: Program, layout: Layout, problem: Problem, index: int, promoter: Promoter
) -> None:
    """Hours in each market that it covers; together no more than it has."""
    everywhere: list[Term] = []
    most_hours = 0
    for market, commission in promoter.commission_microfen.items():
        need = problem.need(market)
        free = promoter.free_hours(problem.first_promotion[market])
        most_hours = max(most_hours, free)
        joined = program.binary(promoter.fixed_fen)
        enough = -(-need.wanted // promoter.units_per_hour)
        hours = program.column(promoter.hour_fen, min(free, enough))
        unit = (commission + promoter.offer.risk_microfen) / MICRO
        sold = program.column(unit, need.wanted)
        program.at_most([(hours, 1), (joined, -min(free, enough))])
        program.at_most([(sold, 1), (hours, -promoter.units_per_hour)])
        program.at_most([(sold, 1), (joined, -need.wanted)])
        key = (index, market)
        layout.joined[key], layout.hours[key], layout.sold[key] = joined, hours, sold
        everywhere.append((hours, 1))
    if len(everywhere) > 1:
        program.at_most(everywhere, most_hours)


def _add_cover(program: Program, layout: Layout, problem: Problem) -> None:
    """Every unit that is sold is promoted by somebody."""
    for need in problem.needs:
        sold = [(c, 1.0) for (_, market), c in layout.sold.items() if market == need.market]
        covered = problem.fixed.covered.get(need.market, 0)
        program.at_least([*sold, (layout.short[need.market], 1)], need.wanted - covered)


def _add_share_caps(program: Program, layout: Layout, problem: Problem) -> None:
    """No family of firms makes more than its share of all planned factory units."""
    if not problem.max_share_bp:
        return
    share = problem.max_share_bp / BASIS
    awards = problem.fixed.awards
    everything = sum(awards.values())
    for family in problem.families:
        terms: list[Term] = []
        for maker, orders in zip(problem.makers, layout.orders, strict=True):
            weight = (maker.offer.firm_id in family) - share
            terms += [(order.units, weight) for order in orders]
        own = sum(awards.get(firm, 0) for firm in family)
        program.at_most(terms, share * everything - own)


def _add_budget(program: Program, layout: Layout, problem: Problem) -> None:
    if not problem.budget_fen:
        return
    terms = list(layout.freight)
    for maker, orders in zip(problem.makers, layout.orders, strict=True):
        terms += [(order.placed, maker.setup_fen) for order in orders]
        terms += [(order.units, order.tier.unit_fen) for order in orders]
    for (index, _), joined in layout.joined.items():
        terms.append((joined, problem.promoters[index].fixed_fen))
    program.at_most(terms, problem.budget_fen - problem.fixed.value_fen)
