"""Who may take part in a demand, and which rule turns the others away.

Each rule is a small named predicate with a reason code; the tables below list them in the order
in which they are asked. A node is counted under the first rule that excludes it. `waived` rules
of the question turn nobody away: so relaxations find out what a rule costs.
"""

from __future__ import annotations

from collections.abc import Callable

from lianmeng.matcher.problem import Carrier, Line, Maker, Pile, Promoter
from lianmeng.matcher.question import Question
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.firms import Firm, FirmState
from lianmeng.pool.nodes import Lane, Manufacturing, Marketing, Node, NodeState, Stock, Warehouse

Membership = Callable[[Question, Snapshot, Firm | None, Node], bool]
"""Rule of any node: whether its firm and the node may be matched at all."""


def firm_active(_question: Question, _pool: Snapshot, firm: Firm | None, _node: Node) -> bool:
    """The association has activated the firm, and nobody has suspended it."""
    return firm is not None and firm.state is FirmState.ACTIVE


def node_active(_question: Question, _pool: Snapshot, _firm: Firm | None, node: Node) -> bool:
    """The firm has not withdrawn the node."""
    return node.state is NodeState.ACTIVE


def not_excluded(question: Question, _pool: Snapshot, _firm: Firm | None, node: Node) -> bool:
    """The firm has not declined, let an invitation expire, or failed in this alliance."""
    return node.firm_id not in question.excluded


def below_alliance_limit(
    question: Question, pool: Snapshot, firm: Firm | None, _node: Node
) -> bool:
    """The firm has room for one more alliance beside those in which it has capacity booked."""
    if firm is None or firm.max_concurrent_alliances == 0:
        return True
    others = pool.engaged.get(firm.firm_id, frozenset()) - {question.demand.demand_id}
    return len(others) < firm.max_concurrent_alliances


MEMBERSHIP: tuple[tuple[str, Membership], ...] = (
    ("FIRM_NOT_ACTIVE", firm_active),
    ("NODE_WITHDRAWN", node_active),
    ("LEFT_ALLIANCE", not_excluded),
    ("MAX_ALLIANCES", below_alliance_limit),
)


Making = Callable[[Question, Firm, Manufacturing], bool]
"""Rule of a factory: whether it makes these goods as they have to be."""


def makes_hs6(question: Question, _firm: Firm, made: Manufacturing) -> bool:
    """It makes goods of the product's HS6 code."""
    return question.demand.product.hs6 in made.hs6


def counts_in_unit(question: Question, _firm: Firm, made: Manufacturing) -> bool:
    """It counts them in the product's unit."""
    return question.demand.product.uom == made.uom


def works_materials(question: Question, _firm: Firm, made: Manufacturing) -> bool:
    """It works with every material of the product."""
    return set(question.demand.product.materials) <= {m.name for m in made.materials}


def is_certified(question: Question, firm: Firm, _made: Manufacturing) -> bool:
    """It holds each certificate the product needs, in every market, to the window's end."""
    product = question.demand.product
    return all(
        firm.holds(kind, product.hs6, product.materials, market.market, day)
        for kind in product.required_certificates
        for market in question.demand.markets
        for day in (question.today, question.last_date)
    )


def has_mould(_question: Question, _firm: Firm, made: Manufacturing) -> bool:
    """It needs no new mould: that takes 25 to 45 days."""
    return not made.needs_new_mould


def fits_battery(question: Question, _firm: Firm, made: Manufacturing) -> bool:
    """It builds in the battery class that the product has, if it has one."""
    return question.demand.product.battery_class in ("", made.battery_class)


def moq_in_reach(question: Question, _firm: Firm, made: Manufacturing) -> bool:
    """Its least order is not above the most that may be wanted."""
    return made.moq_units <= sum(m.band.p90_units for m in question.demand.markets)


MAKING: tuple[tuple[str, Making], ...] = (
    ("HS6", makes_hs6),
    ("UOM", counts_in_unit),
    ("MATERIAL", works_materials),
    ("CERTIFICATE", is_certified),
    ("NEW_MOULD", has_mould),
    ("BATTERY", fits_battery),
    ("MOQ_ABOVE_DEMAND", moq_in_reach),
)


Dated = Callable[[Maker, int], bool]
"""Rule of a factory's dated capacity, given the last day on which goods are of use."""


def ready_in_time(maker: Maker, latest_ready: int) -> bool:
    """Its first lot is ready before the last departure that lands in time."""
    return maker.lead <= latest_ready


def has_capacity(maker: Maker, latest_ready: int) -> bool:
    """It can have its least order ready by then, beside what it has promised others."""
    return maker.ready_by(latest_ready) >= max(maker.tiers[0].low, maker.multiple)


DATED: tuple[tuple[str, Dated], ...] = (
    ("LEAD_TIME", ready_in_time),
    ("NO_CAPACITY", has_capacity),
)


def lane_reason(question: Question, lane: Lane, carrier: Carrier | None) -> str:
    """Why a lane is of no use; empty: it is. `carrier` is None until it has been dated."""
    if lane.market not in {m.market for m in question.demand.markets}:
        return "MARKET"
    battery = question.demand.product.battery_class
    if battery and battery not in lane.dangerous_goods:
        return "BATTERY"
    if carrier is None:
        return ""
    if not carrier.departures:
        return "TRANSIT_TIME"
    if not any(departure.free_units for departure in carrier.departures):
        return "NO_CAPACITY"
    return ""


def stock_reason(
    question: Question, house: Warehouse, stock: Stock, owner: Firm | None, fresh: bool
) -> str:
    """Why a stock is of no use; empty: it is."""
    if stock.product_id != question.demand.product.product_id:
        return "PRODUCT"
    if house.market not in {m.market for m in question.demand.markets}:
        return "MARKET"
    if owner is None or owner.state is not FirmState.ACTIVE:
        return "FIRM_NOT_ACTIVE"
    if owner.firm_id in question.excluded:
        return "LEFT_ALLIANCE"
    return "" if fresh else "STOCK_STALE"


def pile_reason(question: Question, pile: Pile) -> str:
    """Why a stock that is of use in kind is of none in time or quantity; empty: it is."""
    if pile.lands > question.last_landing:
        return "TRANSIT_TIME"
    return "" if pile.free_units > 0 else "NO_CAPACITY"


Showing = Callable[[Question, Marketing], bool]
"""Rule of an agency: whether it can promote these goods somewhere."""


def serves_market(question: Question, shown: Marketing) -> bool:
    """It has an account in a market of the demand."""
    return bool(set(shown.markets()) & {m.market for m in question.demand.markets})


def has_channel(question: Question, shown: Marketing) -> bool:
    """It has an account on the wanted channel of a market, where one is wanted."""
    held = {(account.market, account.platform) for account in shown.accounts}
    wanted = question.demand.markets
    return any(
        (m.market, m.channel) in held if m.channel else m.market in shown.markets() for m in wanted
    )


def speaks_language(question: Question, shown: Marketing) -> bool:
    """It works in the language of a market that it serves."""
    return any(speaks(shown, m.language) for m in question.demand.markets)


def speaks(shown: Marketing, language: str) -> bool:
    """Whether one of its languages is `language`, leaving regions and scripts aside."""
    return _base(language) in {_base(spoken) for spoken in shown.languages}


def _base(tag: str) -> str:
    return tag.partition("-")[0].lower()


def sells_category(question: Question, shown: Marketing) -> bool:
    """It sells goods of this kind: anything, or a prefix of the HS6 code."""
    hs6 = question.demand.product.hs6
    return not shown.categories or any(hs6.startswith(prefix) for prefix in shown.categories)


SHOWING: tuple[tuple[str, Showing], ...] = (
    ("MARKET", serves_market),
    ("CHANNEL", has_channel),
    ("LANGUAGE", speaks_language),
    ("CATEGORY", sells_category),
)


def promoter_reason(promoter: Promoter) -> str:
    """Why an agency that fits has no hours to give; empty: it has."""
    busy = promoter.units_per_hour <= 0 or not any(promoter.hours.values())
    return "NO_CAPACITY" if busy or not promoter.commission_microfen else ""


def membership_reason(question: Question, pool: Snapshot, firm: Firm | None, node: Node) -> str:
    """The first membership rule that excludes a node; empty: none does."""
    for code, rule in MEMBERSHIP:
        if code not in question.waived and not rule(question, pool, firm, node):
            return code
    return ""


def making_reason(question: Question, firm: Firm, made: Manufacturing) -> str:
    """The first rule about its goods that excludes a factory; empty: none does."""
    for code, rule in MAKING:
        if code not in question.waived and not rule(question, firm, made):
            return code
    return ""


def dated_reason(maker: Maker, latest_ready: int) -> str:
    """The first rule about its dates that excludes a factory; empty: none does."""
    return next((code for code, rule in DATED if not rule(maker, latest_ready)), "")


def showing_reason(question: Question, shown: Marketing) -> str:
    """The first rule about its markets that excludes an agency; empty: none does."""
    return next((code for code, rule in SHOWING if not rule(question, shown)), "")


def useful_lines(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Lines that have anything free."""
    return tuple(line for line in lines if any(line.free))
