"""Substitution: each part of a lost firm goes, as it is, to one standby.

Same units, ready by the same day, landing in time; only the firm and its prices differ. A lot
that changes hands before the contract keeps its id, so whoever ships it has the same terms as
before and its acceptance stands. Under a contract tasks exist, so changed parts get new ids.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from lianmeng.alliance.plan import Campaign, Lot, LotSource, Plan, PlanBucket, Shipment
from lianmeng.kernel.roles import Role
from lianmeng.matcher.availability import GRAMS
from lianmeng.matcher.costing import Parts, consignment_fen, divided, fen, in_order
from lianmeng.matcher.lotting import Desk
from lianmeng.matcher.planning import Numbers, make_campaign, spread_hours
from lianmeng.matcher.problem import Carrier, Departure, Maker, Problem
from lianmeng.matcher.question import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A plan with broken parts. `kept` are the parts that stay, `willing` firms come first.

    `numbers` are free ids; `keep_ids`: there are no tasks yet, so lots keep their ids.
    """

    plan: Plan
    kept: Parts
    broken: Collection[str]
    willing: Collection[str]
    numbers: Numbers
    keep_ids: bool


def substitute(question: Question, problem: Problem, what: Replaced) -> Parts | None:
    """All parts of the plan with standbys for the broken ones; None: no standby fits a part."""
    return _Substitution(question, problem, what).parts()


class _Substitution:
    def __init__(self, question: Question, problem: Problem, what: Replaced) -> None:
        self._question = question
        self._problem = problem
        self._what = what
        self._next = {
            "l": what.numbers.lot,
            "s": what.numbers.shipment,
            "c": what.numbers.campaign,
        }
        self._used: dict[tuple[str, int], int] = defaultdict(int)

    def parts(self) -> Parts | None:
        """See `substitute`."""
        what = self._what
        broken_lots = [lot for lot in what.plan.lots if lot.lot_id in what.broken]
        if any(self._is_stock_part(lot) for lot in broken_lots) or self._release_broken():
            return None
        lots = self._lots(broken_lots)
        if lots is None:
            return None
        successors = {old.lot_id: new for old, new in lots}
        ready = {lot.lot_id: lot for lot in what.kept.lots} | {old.lot_id: new for old, new in lots}
        shipments = self._shipments(successors, ready)
        campaigns = self._campaigns()
        if shipments is None or campaigns is None:
            return None
        return in_order(
            Parts(
                lots=what.kept.lots + tuple(new for _, new in lots),
                shipments=what.kept.shipments + tuple(shipments),
                campaigns=what.kept.campaigns + tuple(campaigns),
            )
        )

    def _is_stock_part(self, lot: Lot) -> bool:
        return lot.source is LotSource.STOCK

    def _release_broken(self) -> bool:
        plan, broken = self._what.plan, self._what.broken
        return any(s.shipment_id in broken and not s.lane_id for s in plan.shipments)

    def _id(self, kind: str) -> str:
        number = self._next[kind]
        self._next[kind] = number + 1
        return f"{kind}{number}"

    def _standbys(self, role: Role) -> Iterator[str]:
        """Firms of the role that may step in, the willing first; then by rank."""
        yield from self._what.willing
        ranked = sorted(self._what.plan.standbys, key=lambda s: s.rank)
        yield from (s.firm_id for s in ranked if s.role is role)

    def _lots(self, lost: list[Lot]) -> list[tuple[Lot, Lot]] | None:
        """Each lost lot with its successor; the lots of one order go to one maker."""
        orders: dict[str, list[Lot]] = defaultdict(list)
        for lot in lost:
            orders[lot.node_id].append(lot)
        found: list[tuple[Lot, Lot]] = []
        taken: set[str] = set()
        for order in orders.values():
            successors = self._order(sorted(order, key=lambda lot: lot.ready_date), taken)
            if successors is None:
                return None
            taken.add(successors[0].node_id)
            found += zip(sorted(order, key=lambda lot: lot.ready_date), successors, strict=True)
        return found

    def _order(self, lots: list[Lot], taken: set[str]) -> list[Lot] | None:
        for firm in self._standbys(Role.MANUFACTURING):
            for maker in self._problem.makers:
                if maker.offer.firm_id == firm and maker.offer.node_id not in taken:
                    made = self._made_by(maker, lots)
                    if made is not None:
                        return made
        return None

    def _made_by(self, maker: Maker, lots: list[Lot]) -> list[Lot] | None:
        """The same lots on lines of `maker`, or None if they are too small, odd or late."""
        units = sum(lot.units for lot in lots)
        odd = any(lot.units % maker.multiple for lot in lots)
        if odd or units < maker.tiers[0].low:
            return None
        price = maker.tier_of(units).unit_fen
        desks = [Desk(line, maker.multiple) for line in maker.lines]
        made = []
        for index, lot in enumerate(lots):
            due = (lot.ready_date - self._question.today).days
            able = [desk for desk in desks if desk.room(due) >= lot.units]
            if not able:
                return None
            lined = max(able, key=lambda desk: desk.room(due)).make(lot.units, lot.wave)
            made.append(
                replace(
                    lot,
                    lot_id=lot.lot_id if self._what.keep_ids else self._id("l"),
                    firm_id=maker.offer.firm_id,
                    node_id=maker.offer.node_id,
                    node_version=maker.offer.node_version,
                    resource_id=lined.line.resource_id,
                    unit_price_fen=price,
                    setup_fee_fen=0 if index else maker.setup_fen,
                    ready_date=self._question.date(lined.ready),
                    buckets=tuple(
                        PlanBucket(
                            key=self._question.date(day).isoformat(),
                            units=count,
                            capacity_units=lined.line.capacity,
                        )
                        for day, count in sorted(lined.days.items())
                    ),
                )
            )
        return made

    def _shipments(
        self, successors: dict[str, Lot], ready: dict[str, Lot]
    ) -> list[Shipment] | None:
        """Shipments of lots that changed hands, and those of lost forwarders."""
        kept = {s.shipment_id for s in self._what.kept.shipments}
        moved: list[Shipment] = []
        lost: list[Shipment] = []
        for shipment in self._what.plan.shipments:
            if shipment.shipment_id in kept:
                continue
            new = successors.get(shipment.lot_id)
            lot_id = new.lot_id if new else shipment.lot_id
            if shipment.shipment_id in self._what.broken:
                lost.append(replace(shipment, lot_id=lot_id))
            elif self._what.keep_ids:
                moved.append(replace(shipment, lot_id=lot_id))
            else:
                moved.append(replace(shipment, shipment_id=self._id("s"), lot_id=lot_id))
        if not lost:
            return moved
        by_id = {lot.lot_id: lot for lot in ready.values()}
        found = self._carried(lost, by_id)
        return None if found is None else moved + found

    def _carried(self, lost: list[Shipment], lots: dict[str, Lot]) -> list[Shipment] | None:
        """All lost shipments on lanes of one standby, or None."""
        for firm in self._standbys(Role.LOGISTICS):
            carriers = [c for c in self._problem.carriers if c.offer.firm_id == firm]
            chosen = [self._departure(carriers, s, lots[s.lot_id]) for s in lost]
            if all(chosen):
                found = [pair for pair in chosen if pair is not None]
                return self._loaded(lost, found)
            self._used.clear()
        return None

    def _departure(
        self, carriers: list[Carrier], shipment: Shipment, lot: Lot
    ) -> tuple[Carrier, Departure] | None:
        ready = (lot.ready_date - self._question.today).days
        fitting = [
            (carrier.unit_microfen + carrier.pickup_microfen, departure.day, carrier, departure)
            for carrier in carriers
            if carrier.market == shipment.market
            for departure in carrier.departures
            if departure.latest_ready >= ready
            and departure.free_units - self._used[carrier.resource_id, departure.day]
            >= shipment.units
        ]
        if not fitting:
            return None
        _, day, carrier, departure = min(fitting, key=lambda x: (x[0], x[1], x[2].resource_id))
        self._used[carrier.resource_id, day] += shipment.units
        return carrier, departure

    def _loaded(
        self, lost: list[Shipment], chosen: list[tuple[Carrier, Departure]]
    ) -> list[Shipment]:
        consignments: dict[tuple[str, int], list[int]] = defaultdict(list)
        for index, (carrier, departure) in enumerate(chosen):
            consignments[carrier.resource_id, departure.day].append(index)
        freight, kilograms = [0] * len(lost), [0] * len(lost)
        for indices in consignments.values():
            carrier = chosen[indices[0]][0]
            units = [lost[index].units for index in indices]
            fees = divided(consignment_fen(carrier, sum(units)), units)
            weights = divided(-(-sum(units) * carrier.unit_g // GRAMS), units)
            for index, fee, kg in zip(indices, fees, weights, strict=True):
                freight[index], kilograms[index] = fee, kg
        return [
            self._shipment(old, pair, freight[index], kilograms[index])
            for index, (old, pair) in enumerate(zip(lost, chosen, strict=True))
        ]

    def _shipment(
        self, old: Shipment, pair: tuple[Carrier, Departure], freight: int, kg: int
    ) -> Shipment:
        carrier, departure = pair
        depart = self._question.date(departure.day)
        return replace(
            old,
            shipment_id=self._id("s"),
            firm_id=carrier.offer.firm_id,
            node_id=carrier.offer.node_id,
            node_version=carrier.offer.node_version,
            lane_id=carrier.lane_id,
            mode=carrier.mode,
            chargeable_g=old.units * carrier.unit_g,
            depart_date=depart,
            land_date=self._question.date(departure.lands),
            land_p90_date=self._question.date(departure.lands_p90),
            pickup_fen=fen(old.units, carrier.pickup_microfen),
            freight_fen=freight,
            resource_id=carrier.resource_id,
            buckets=(
                PlanBucket(key=depart.isoformat(), units=kg, capacity_units=departure.capacity_kg),
            ),
        )

    def _campaigns(self) -> list[Campaign] | None:
        found = []
        for campaign in self._what.plan.campaigns:
            if campaign.campaign_id not in self._what.broken:
                continue
            new = self._campaign(campaign)
            if new is None:
                return None
            found.append(new)
        return found

    def _campaign(self, lost: Campaign) -> Campaign | None:
        """The same units promoted by a standby, from its first possible day on."""
        start = max(self._problem.first_promotion[lost.market], 1)
        for firm in self._standbys(Role.MARKETING):
            for promoter in self._problem.promoters:
                covers = lost.market in promoter.commission_microfen
                if promoter.offer.firm_id != firm or not covers:
                    continue
                hours = -(-lost.units // promoter.units_per_hour)
                if promoter.free_hours(start) >= hours:
                    days = spread_hours(promoter.hours, start, hours)
                    return make_campaign(
                        self._question,
                        promoter,
                        self._id("c"),
                        (lost.market, lost.units),
                        start,
                        days,
                    )
        return None
