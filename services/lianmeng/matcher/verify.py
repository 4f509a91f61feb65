"""The independent checker: whether a plan is one that may be committed.

It shares no code with framing, formulation, solver or planning. It reads the plan, the demand,
the registered nodes and the books, and says in words what is wrong; nothing means nothing is.
Parts that a repair keeps (`kept`) were checked when they were planned: they count for
quantities, shares and capacity, but their terms are not judged again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from statistics import median_low

from lianmeng.alliance.plan import Campaign, Lot, LotSource, Plan, PlanBucket, Shipment
from lianmeng.kernel.money import BASIS, to_fen
from lianmeng.matcher.question import Question
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.matcher.verify_goods import check_goods
from lianmeng.matcher.verify_promotion import check_promotion
from lianmeng.matcher.verify_transport import check_transport
from lianmeng.pool.nodes import Logistics

Part = Lot | Shipment | Campaign


def violations(
    question: Question, pool: Snapshot, plan: Plan, kept: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Everything that is wrong with a plan, each `CODE part: what`; empty: nothing."""
    return (
        *_check_shape(plan),
        *_check_demand(question, plan),
        *_check_shares(question, pool, plan),
        *_check_members(question, pool, plan),
        *_check_money(question, pool, plan),
        *_check_capacity(question, pool, plan),
        *check_goods(question, pool, plan, kept),
        *check_transport(question, pool, plan, kept),
        *check_promotion(question, pool, plan, kept),
    )


def _ref(part: Part) -> str:
    match part:
        case Lot():
            return part.lot_id
        case Shipment():
            return part.shipment_id
        case Campaign():
            return part.campaign_id


def _parts(plan: Plan) -> tuple[Part, ...]:
    return (*plan.lots, *plan.shipments, *plan.campaigns)


def _check_shape(plan: Plan) -> Iterator[str]:
    refs = [_ref(part) for part in _parts(plan)]
    if len(set(refs)) < len(refs):
        yield "SHAPE plan: two parts have one id"
    if not plan.shipments:
        yield "SHAPE plan: it brings nothing to market"
    moved: dict[str, int] = defaultdict(int)
    for shipment in plan.shipments:
        moved[shipment.lot_id] += shipment.units
    lots = {lot.lot_id: lot.units for lot in plan.lots}
    if dict(moved) != lots:
        yield f"SHAPE plan: lots have {lots}, shipments move {dict(moved)}"
    for part in _parts(plan):
        numbers = (part.units, *(bucket.units for bucket in part.buckets))
        if part.units <= 0 or any(number < 0 for number in numbers):
            yield f"SHAPE {_ref(part)}: a quantity is not positive"


def _landed(plan: Plan, market: str) -> int:
    return sum(s.units for s in plan.shipments if s.market == market)


def _check_demand(question: Question, plan: Plan) -> Iterator[str]:
    short = 0
    for market in question.demand.markets:
        band, landed = market.band, _landed(plan, market.market)
        least = {"P10": band.p10_units, "P50": band.p50_units}
        covered = sum(c.units for c in plan.campaigns if c.market == market.market)
        sold = min(landed, covered, band.p50_units)
        if sold < least[question.thresholds.plan.met_quantile]:
            yield f"DEMAND {market.market}: {landed} landed, {covered} promoted: too few"
        if landed > max(band.p90_units, band.p50_units):
            yield f"DEMAND {market.market}: {landed} units are too many"
        short += band.p50_units - sold
    if {s.market for s in plan.shipments} - {m.market for m in question.demand.markets}:
        yield "DEMAND plan: goods go where nobody wants them"
    if plan.short_units != short:
        yield f"DEMAND plan: short of {short} units, not {plan.short_units}"
    if plan.planned_units != sum(s.units for s in plan.shipments):
        yield "DEMAND plan: planned units are not what is shipped"


def _check_shares(question: Question, pool: Snapshot, plan: Plan) -> Iterator[str]:
    if "SHARE_CAP_RELAXED" in plan.relaxations:
        return
    made: dict[str, int] = defaultdict(int)
    for lot in plan.lots:
        if lot.source is LotSource.FACTORY:
            made[lot.firm_id] += lot.units
    total = sum(made.values())
    families = [_family(pool, firm, made) for firm in made]
    for family in families:
        own = sum(made[firm] for firm in family)
        if own * BASIS > question.thresholds.plan.max_share_bp * total:
            yield f"SHARE {sorted(family)}: {own} of {total} units"
    if made and len(set(families)) < question.thresholds.plan.min_suppliers:
        yield f"SHARE plan: {len(set(families))} independent suppliers"


def _family(pool: Snapshot, firm: str, among: dict[str, int]) -> frozenset[str]:
    """The firm with all that are linked to it, over any number of declared affiliations."""
    declared = {name: pool.firms[name].affiliates for name in among if name in pool.firms}
    found, frontier = {firm}, [firm]
    while frontier:
        one = frontier.pop()
        linked = {
            other
            for other in among
            if other in declared.get(one, ()) or one in declared.get(other, ())
        }
        frontier += linked - found
        found |= linked
    return frozenset(found)


def _check_members(question: Question, pool: Snapshot, plan: Plan) -> Iterator[str]:
    members = {part.firm_id for part in _parts(plan)}
    limit = question.demand.max_members
    if limit and len(members) > limit:
        yield f"MEMBERS plan: {len(members)} of at most {limit}"
    if {s.firm_id for s in plan.standbys} & members:
        yield "MEMBERS plan: a member is its own standby"
    markets = {s.market for s in plan.shipments}
    if {party.market for party in plan.parties} != markets:
        yield "PARTIES plan: a market has no parties of record"
    for party in plan.parties:
        crosses = any(s.lane_id for s in plan.shipments if s.market == party.market)
        seller = pool.firms.get(party.seller_firm_id)
        exporter = pool.firms.get(party.exporter_firm_id)
        importer = pool.firms.get(party.importer_firm_id)
        if seller is None or party.market not in seller.can_sell_in:
            yield f"PARTIES {party.market}: {party.seller_firm_id!r} cannot sell there"
        if crosses and (exporter is None or not exporter.can_export):
            yield f"PARTIES {party.market}: {party.exporter_firm_id!r} cannot export"
        if crosses and (importer is None or party.market not in importer.can_import_in):
            yield f"PARTIES {party.market}: {party.importer_firm_id!r} cannot import there"
        named = {party.seller_firm_id, party.exporter_firm_id, party.importer_firm_id} - {""}
        if not named <= members:
            yield f"PARTIES {party.market}: {sorted(named - members)} are no members"


def _check_money(question: Question, pool: Snapshot, plan: Plan) -> Iterator[str]:
    cost = plan.cost
    paid = (
        cost.goods_fen + cost.setup_fen + cost.pickup_fen + cost.freight_fen
        + cost.last_mile_fen + cost.marketing_fixed_fen + cost.marketing_hours_fen
        + cost.commission_fen
    )  # fmt: skip
    sums = {
        "goods": (cost.goods_fen, sum(x.units * x.unit_price_fen for x in plan.lots)),
        "set-up": (cost.setup_fen, sum(x.setup_fee_fen for x in plan.lots)),
        "pick-up": (cost.pickup_fen, sum(x.pickup_fen for x in plan.shipments)),
        "freight": (cost.freight_fen, sum(x.freight_fen for x in plan.shipments)),
        "last mile": (cost.last_mile_fen, _last_mile(question, pool, plan)),
        "fixed fees": (cost.marketing_fixed_fen, sum(x.fixed_fee_fen for x in plan.campaigns)),
        "hours": (cost.marketing_hours_fen, sum(x.hours_fee_fen for x in plan.campaigns)),
        "total": (cost.total_fen, paid + cost.risk_fen + cost.shortfall_fen),
        "margin": (cost.margin_fen, cost.revenue_fen - paid),
        "objective": (plan.solve.objective_fen, cost.total_fen),
        "committed value": (plan.committed_value_fen, _committed(plan)),
    }
    for name, (said, found) in sums.items():
        if said != found:
            yield f"MONEY plan: {name} is {found}, not {said}"
    if cost.margin_fen < 0:
        yield f"MONEY plan: the margin is {cost.margin_fen}"
    if plan.solve.bound_fen > cost.total_fen:
        yield "MONEY plan: the bound is above the cost"
    budget = question.demand.budget_fen
    if budget and plan.committed_value_fen > budget:
        yield f"MONEY plan: {plan.committed_value_fen} of a budget of {budget}"


def _last_mile(question: Question, pool: Snapshot, plan: Plan) -> int:
    """Releases pay their warehouse; goods from a lane take the market's median last mile."""
    total = sum(shipment.last_mile_fen for shipment in plan.shipments)
    for market in {s.market for s in plan.shipments if s.lane_id}:
        fees = [
            to_fen(house.last_mile_fee, question.thresholds.fx) if house.last_mile_fee else 0
            for node in pool.forwarders
            if isinstance(node.capability, Logistics)
            for house in node.capability.warehouses
            if house.market == market
        ]
        units = sum(s.units for s in plan.shipments if s.lane_id and s.market == market)
        total += units * (median_low(fees) if fees else 0)
    return total


def _committed(plan: Plan) -> int:
    made = (lot for lot in plan.lots if lot.source is LotSource.FACTORY)
    award = sum(lot.units * lot.unit_price_fen + lot.setup_fee_fen for lot in made)
    freight = sum(shipment.freight_fen for shipment in plan.shipments)
    return award + freight + sum(campaign.fixed_fee_fen for campaign in plan.campaigns)


def _check_capacity(question: Question, pool: Snapshot, plan: Plan) -> Iterator[str]:
    """No bucket above its capacity, with what other alliances have in the books."""
    wanted: dict[tuple[str, str], list[PlanBucket]] = defaultdict(list)
    for part in _parts(plan):
        for bucket in part.buckets:
            wanted[part.resource_id, bucket.key].append(bucket)
    today = question.today.isoformat()
    own = question.demand.demand_id
    for (resource, key), buckets in wanted.items():
        units = sum(bucket.units for bucket in buckets)
        others = 0
        book = pool.books.get(resource)
        for entry in book.entries if book else ():
            if entry.alliance_id != own:
                others += sum(b.units for b in entry.buckets if b.key == key)
        capacity = max(bucket.capacity_units for bucket in buckets)
        if key >= today and units + others > capacity:
            yield f"CAPACITY {resource} {key}: {units} + {others} of {capacity}"
