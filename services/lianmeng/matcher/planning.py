"""From a decision to the parts of a plan: lots, shipments and campaigns with dates and prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from lianmeng.alliance.plan import Campaign, Lot, LotSource, PlanBucket, Shipment
from lianmeng.matcher.availability import GRAMS, STOCK_KEY
from lianmeng.matcher.costing import Parts, consignment_fen, divided, fen
from lianmeng.matcher.decision import Decision
from lianmeng.matcher.lotting import LineLot, line_lots
from lianmeng.matcher.problem import Carrier, Maker, Pile, Problem, Promoter
from lianmeng.matcher.question import Question
from lianmeng.matcher.shipping import Batch, Movement, movements


@dataclass(frozen=True, slots=True)
class Numbers:
    """The first free number of lots (`l`), shipments (`s`) and campaigns (`c`)."""

    lot: int = 1
    shipment: int = 1
    campaign: int = 1


FIRST_NUMBERS = Numbers()


def plan_parts(question: Question, problem: Problem, decision: Decision, numbers: Numbers) -> Parts:
    """The parts that a decision comes to, numbered in the order of their days."""
    stock = [(pile, units) for pile, units in zip(problem.piles, decision.stock, strict=True)]
    taken = [(pile, units) for pile, units in stock if units]
    releases = [_stock_lot(question, pile, units) for pile, units in taken]
    made = [lot for maker, lots in _made(problem, decision) for lot in _lots(question, maker, lots)]
    lots = _numbered_lots([*releases, *sorted(made, key=_lot_order)], numbers.lot)
    shipments = [
        _release(question, pile, lot)
        for (pile, _), lot in zip(taken, lots[: len(taken)], strict=True)
    ]
    shipments += _shipments(question, problem, decision, lots[len(taken) :])
    return Parts(
        lots=lots,
        shipments=_numbered_shipments(shipments, numbers.shipment),
        campaigns=tuple(_campaigns(question, problem, decision, numbers.campaign)),
    )


def _made(problem: Problem, decision: Decision) -> Iterator[tuple[Maker, list[LineLot]]]:
    for maker, wanted in zip(problem.makers, decision.lots, strict=True):
        if wanted:
            yield maker, line_lots(maker, wanted)


def _lot_order(lot: Lot) -> tuple[object, ...]:
    return (lot.ready_date, lot.node_id, lot.resource_id)


def _lots(question: Question, maker: Maker, lots: list[LineLot]) -> Iterator[Lot]:
    """The lots of one order; the first carries the set-up fee."""
    price = maker.tier_of(sum(lot.units for lot in lots)).unit_fen
    for index, lot in enumerate(lots):
        yield Lot(
            lot_id="",
            wave=lot.wave,
            source=LotSource.FACTORY,
            firm_id=maker.offer.firm_id,
            node_id=maker.offer.node_id,
            node_version=maker.offer.node_version,
            resource_id=lot.line.resource_id,
            units=lot.units,
            unit_price_fen=price,
            setup_fee_fen=0 if index else maker.setup_fen,
            ready_date=question.date(lot.ready),
            buckets=_dated(question, lot.days, lot.line.capacity),
        )


def _dated(question: Question, days: Mapping[int, int], capacity: int) -> tuple[PlanBucket, ...]:
    return tuple(
        PlanBucket(key=question.date(day).isoformat(), units=days[day], capacity_units=capacity)
        for day in sorted(days)
    )


def _stock_lot(question: Question, pile: Pile, units: int) -> Lot:
    return Lot(
        lot_id="",
        wave=0,
        source=LotSource.STOCK,
        firm_id=pile.offer.firm_id,
        node_id=pile.offer.node_id,
        node_version=pile.offer.node_version,
        resource_id=pile.resource_id,
        units=units,
        unit_price_fen=pile.unit_fen,
        ready_date=question.date(pile.leaves),
        buckets=(PlanBucket(key=STOCK_KEY, units=units, capacity_units=pile.units),),
    )


def _release(question: Question, pile: Pile, lot: Lot) -> Shipment:
    return Shipment(
        shipment_id="",
        lot_id=lot.lot_id,
        firm_id=pile.keeper.firm_id,
        node_id=pile.keeper.node_id,
        node_version=pile.keeper.node_version,
        market=pile.market,
        units=lot.units,
        depart_date=question.date(pile.leaves),
        land_date=question.date(pile.lands),
        land_p90_date=question.date(pile.lands_p90),
        last_mile_fen=lot.units * pile.release_fen,
    )


def _numbered_lots(lots: Iterable[Lot], first: int) -> tuple[Lot, ...]:
    return tuple(replace(lot, lot_id=f"l{number}") for number, lot in enumerate(lots, first))


def _numbered_shipments(shipments: list[Shipment], first: int) -> tuple[Shipment, ...]:
    ordered = sorted(
        shipments, key=lambda s: (s.depart_date, _number(s.lot_id), s.market, s.node_id, s.lane_id)
    )
    return tuple(replace(s, shipment_id=f"s{number}") for number, s in enumerate(ordered, first))


def _number(ref: str) -> int:
    return int(ref[1:])


def _shipments(
    question: Question, problem: Problem, decision: Decision, lots: tuple[Lot, ...]
) -> list[Shipment]:
    """Shipments of the lots by lane; those on one departure share its consignment."""
    batches = [Batch((lot.ready_date - question.today).days, lot.lot_id, lot.units) for lot in lots]
    batches += [Batch(day, lot, units) for lot, (day, units) in problem.fixed.supply.items()]
    consignments: dict[tuple[int, int], list[Movement]] = defaultdict(list)
    for movement in movements(problem.carriers, decision.loads, batches):
        consignments[movement.lane, movement.place].append(movement)
    return [
        shipment
        for (lane, place), loaded in sorted(consignments.items())
        for shipment in _consignment(question, problem.carriers[lane], place, loaded)
    ]


def _consignment(
    question: Question, carrier: Carrier, place: int, loaded: list[Movement]
) -> Iterator[Shipment]:
    departure = carrier.departures[place]
    units = [movement.units for movement in loaded]
    freight = divided(consignment_fen(carrier, sum(units)), units)
    kilograms = divided(-(-sum(units) * carrier.unit_g // GRAMS), units)
    depart = question.date(departure.day)
    for movement, freight_fen, kg in zip(loaded, freight, kilograms, strict=True):
        yield Shipment(
            shipment_id="",
            lot_id=movement.batch.key,
            firm_id=carrier.offer.firm_id,
            node_id=carrier.offer.node_id,
            node_version=carrier.offer.node_version,
            lane_id=carrier.lane_id,
            mode=carrier.mode,
            market=carrier.market,
            units=movement.units,
            chargeable_g=movement.units * carrier.unit_g,
            depart_date=depart,
            land_date=question.date(departure.lands),
            land_p90_date=question.date(departure.lands_p90),
            pickup_fen=fen(movement.units, carrier.pickup_microfen),
            freight_fen=freight_fen,
            resource_id=carrier.resource_id,
            buckets=(
                PlanBucket(key=depart.isoformat(), units=kg, capacity_units=departure.capacity_kg),
            ),
        )


def _campaigns(
    question: Question, problem: Problem, decision: Decision, first: int
) -> Iterator[Campaign]:
    number = first
    for index, promoter in enumerate(problem.promoters):
        free = dict(promoter.hours)
        # A market that starts later has fewer days to choose from, so it chooses first.
        own = sorted(
            (key for key in decision.sold if key[0] == index),
            key=lambda key: (-problem.first_promotion[key[1]], key[1]),
        )
        for key in own:
            market, units = key[1], decision.sold[key]
            start = problem.first_promotion[market]
            days = spread_hours(free, start, -(-units // promoter.units_per_hour))
            for day, hours in days.items():
                free[day] -= hours
            sold = (market, units)
            yield make_campaign(question, promoter, f"c{number}", sold, start, days)
            number += 1


def spread_hours(free: Mapping[int, int], start: int, hours: int) -> dict[int, int]:
    """`hours` over the days from `start` on, in proportion to what is free on them."""
    open_days = {day: room for day, room in sorted(free.items()) if day >= start and room > 0}
    parts = divided(hours, list(open_days.values()))
    return {day: part for day, part in zip(open_days, parts, strict=True) if part}


def make_campaign(
    question: Question,
    promoter: Promoter,
    campaign_id: str,
    sold: tuple[str, int],
    start: int,
    days: Mapping[int, int],
) -> Campaign:
    """A campaign that sells units in a market (`sold`) with hours on `days`, from `start` on."""
    market, units = sold
    hours = sum(days.values())
    language = next(m.language for m in question.demand.markets if m.market == market)
    return Campaign(
        campaign_id=campaign_id,
        firm_id=promoter.offer.firm_id,
        node_id=promoter.offer.node_id,
        node_version=promoter.offer.node_version,
        resource_id=promoter.resource_id,
        market=market,
        language=language,
        units=units,
        hours=hours,
        fixed_fee_fen=promoter.fixed_fen,
        hours_fee_fen=hours * promoter.hour_fen,
        commission_bp=promoter.commission_bp,
        start_date=question.date(start),
        end_date=question.last_date,
        buckets=_dated(question, days, promoter.capacity),
    )
