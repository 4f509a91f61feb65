"""What a node must satisfy before it is stored: its own fields, for each kind of capability.

`validate_node` returns the node with carriers' aliases of sea ports replaced (CNNGB → CNNBG).
Paths of fields are those of the contract: `node.logistics.lanes[2].origin`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from lianmeng.kernel.codes import (
    require_battery_class,
    require_customs_mode,
    require_hs6,
    require_incoterm,
    require_language,
    require_locode,
    require_market,
    require_unit,
)
from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.ids import require_id
from lianmeng.pool import checks
from lianmeng.pool.checks import SHARE, UNITS, Bounds
from lianmeng.pool.nodes import (
    Account,
    Lane,
    LaneMode,
    Logistics,
    Manufacturing,
    Marketing,
    Node,
    PriceBreak,
    Stock,
    Warehouse,
)
from lianmeng.pool.validation import UNIT_VOLUME_CM3, validate_materials

OPTIONAL_WEIGHT_G = Bounds(0, 10**7)
CUTOFF_DAYS = Bounds(0, 60)
VOLUMETRIC_DIVISOR = Bounds(0, 20_000)
PREMIUM_BP = Bounds(0, 100_000)
HOURS_PER_DAY = Bounds(0, 100_000)
FOLLOWERS = Bounds(0, 10**10)
SMALL_COUNT = Bounds(0, 1_000_000)
SEA_MODES = (LaneMode.SEA, LaneMode.SEA_FAST)


def validate_node(node: Node, now: datetime, field: str = "node") -> Node:
    """`node` as it is to be stored; `now` (story time) judges the age of stock counts."""
    require_id(node.node_id, f"{field}.node_id")
    require_id(node.firm_id, f"{field}.firm_id")
    checks.text(node.name, f"{field}.name")
    require_locode(node.locode, f"{field}.locode")
    checks.calendar(node.calendar, f"{field}.calendar")
    match node.capability:
        case Manufacturing():
            _manufacturing(node.capability, f"{field}.manufacturing")
            return node
        case Marketing():
            _marketing(node.capability, f"{field}.marketing")
            return node
        case Logistics():
            moved = _logistics(node.capability, now, f"{field}.logistics")
            return node if moved is node.capability else replace(node, capability=moved)


def _manufacturing(made: Manufacturing, field: str) -> None:
    _goods(made, field)
    checks.required(made.lines, f"{field}.lines")
    for index, line in enumerate(made.lines):
        require_id(line.line_id, f"{field}.lines[{index}].line_id")
        capacity = f"{field}.lines[{index}].day_capacity_units"
        checks.in_range(line.day_capacity_units, UNITS, capacity)
    checks.unique([line.line_id for line in made.lines], f"{field}.lines")
    checks.in_range(made.moq_units, UNITS, f"{field}.moq_units")
    checks.in_range(made.lot_multiple_units, UNITS, f"{field}.lot_multiple_units")
    checks.in_range(made.overtime_units, UNITS, f"{field}.overtime_units")
    checks.in_range(made.overtime_premium_bp, PREMIUM_BP, f"{field}.overtime_premium_bp")
    checks.in_range(made.first_pass_yield_bp, SHARE, f"{field}.first_pass_yield_bp")
    _lead_times(made, field)
    _price_breaks(made.price_breaks, f"{field}.price_breaks")
    checks.optional_money(made.setup_fee, f"{field}.setup_fee")
    for index, incoterm in enumerate(made.incoterms):
        require_incoterm(incoterm, f"{field}.incoterms[{index}]")


def _goods(made: Manufacturing, field: str) -> None:
    checks.required(made.hs6, f"{field}.hs6")
    for index, hs6 in enumerate(made.hs6):
        require_hs6(hs6, f"{field}.hs6[{index}]")
    checks.unique(made.hs6, f"{field}.hs6")
    validate_materials(made.materials, f"{field}.materials", whole=False)
    checks.texts(made.processes, f"{field}.processes")
    require_unit(made.uom, f"{field}.uom")
    checks.in_range(made.unit_weight_g, OPTIONAL_WEIGHT_G, f"{field}.unit_weight_g")
    checks.in_range(made.unit_volume_cm3, UNIT_VOLUME_CM3, f"{field}.unit_volume_cm3")
    checks.in_range(made.carton_units, UNITS, f"{field}.carton_units")
    if made.battery_class:
        require_battery_class(made.battery_class, f"{field}.battery_class")
    checks.texts(made.skus, f"{field}.skus")


def _lead_times(made: Manufacturing, field: str) -> None:
    checks.days(made.first_batch_days, f"{field}.first_batch_days")
    if made.sample_days is not None:
        checks.days(made.sample_days, f"{field}.sample_days")
    if made.reorder_days is not None:
        checks.days(made.reorder_days, f"{field}.reorder_days")


def _price_breaks(steps: tuple[PriceBreak, ...], field: str) -> None:
    checks.required(steps, field)
    for index, step in enumerate(steps):
        checks.in_range(step.min_units, UNITS, f"{field}[{index}].min_units")
        checks.money(step.unit_price, f"{field}[{index}].unit_price", above_zero=True)
    if steps[0].min_units != 0:
        raise _steps_rejected(f"{field}[0].min_units")
    for index, (lower, higher) in enumerate(pairwise(steps), start=1):
        if higher.min_units <= lower.min_units:
            raise _steps_rejected(f"{field}[{index}].min_units")
        if higher.unit_price.currency != lower.unit_price.currency:
            raise _steps_rejected(f"{field}[{index}].unit_price.currency")


def _steps_rejected(field: str) -> Rejected:
    return Rejected(
        reason="OUT_OF_RANGE",
        field=field,
        message="the price breaks do not form a scale",
        hint="start at 0 units, go up by quantity, and stay in one currency",
        message_zh="阶梯价不成序列",
        hint_zh="请从 0 件开始，数量递增，并使用同一种货币",
    )


def _logistics(moved: Logistics, now: datetime, field: str) -> Logistics:
    if not moved.lanes:
        checks.required(moved.warehouses, f"{field}.lanes")
    checks.unique([lane.lane_id for lane in moved.lanes], f"{field}.lanes")
    houses = [warehouse.warehouse_id for warehouse in moved.warehouses]
    checks.unique(houses, f"{field}.warehouses")
    lanes = tuple(_lane(lane, f"{field}.lanes[{i}]") for i, lane in enumerate(moved.lanes))
    for index, warehouse in enumerate(moved.warehouses):
        _warehouse(warehouse, now, f"{field}.warehouses[{index}]")
    return moved if lanes == moved.lanes else replace(moved, lanes=lanes)


def _lane(lane: Lane, field: str) -> Lane:
    require_id(lane.lane_id, f"{field}.lane_id")
    require_market(lane.market, f"{field}.market")
    checks.days(lane.transit_days, f"{field}.transit_days")
    checks.weekdays(lane.departure_weekdays, f"{field}.departure_weekdays")
    checks.in_range(lane.cutoff_days, CUTOFF_DAYS, f"{field}.cutoff_days")
    checks.in_range(lane.capacity_kg, UNITS, f"{field}.capacity_kg")
    checks.money(lane.price, f"{field}.price", above_zero=True)
    checks.optional_money(lane.minimum_charge, f"{field}.minimum_charge")
    checks.optional_money(lane.pickup_price_per_kg, f"{field}.pickup_price_per_kg")
    checks.in_range(lane.volumetric_divisor, VOLUMETRIC_DIVISOR, f"{field}.volumetric_divisor")
    for index, mode in enumerate(lane.customs_modes):
        require_customs_mode(mode, f"{field}.customs_modes[{index}]")
    for index, goods in enumerate(lane.dangerous_goods):
        require_battery_class(goods, f"{field}.dangerous_goods[{index}]")
    return _with_ports(lane, field)


def _with_ports(lane: Lane, field: str) -> Lane:
    by_sea = lane.mode in SEA_MODES
    origin = require_locode(lane.origin, f"{field}.origin", by_sea=by_sea)
    destination = require_locode(lane.destination, f"{field}.destination", by_sea=by_sea)
    gateway = lane.gateway
    if gateway:
        gateway = require_locode(gateway, f"{field}.gateway", by_sea=by_sea)
    if (origin, gateway, destination) == (lane.origin, lane.gateway, lane.destination):
        return lane
    return replace(lane, origin=origin, gateway=gateway, destination=destination)


def _warehouse(warehouse: Warehouse, now: datetime, field: str) -> None:
    require_id(warehouse.warehouse_id, f"{field}.warehouse_id")
    require_locode(warehouse.locode, f"{field}.locode")
    require_market(warehouse.market, f"{field}.market")
    checks.optional_money(warehouse.handling_fee, f"{field}.handling_fee")
    checks.optional_money(warehouse.last_mile_fee, f"{field}.last_mile_fee")
    checks.days(warehouse.release_days, f"{field}.release_days")
    owners = [(stock.owner_firm_id, stock.product_id) for stock in warehouse.stock]
    checks.unique(owners, f"{field}.stock")
    for index, stock in enumerate(warehouse.stock):
        _stock(stock, now, f"{field}.stock[{index}]")


def _stock(stock: Stock, now: datetime, field: str) -> None:
    require_id(stock.owner_firm_id, f"{field}.owner_firm_id")
    require_id(stock.product_id, f"{field}.product_id")
    checks.in_range(stock.units, UNITS, f"{field}.units")
    checks.money(stock.unit_price, f"{field}.unit_price", above_zero=True)
    checks.not_in_future(stock.as_of_time, now, f"{field}.as_of_time")


def _marketing(shown: Marketing, field: str) -> None:
    checks.required(shown.accounts, f"{field}.accounts")
    checks.short_list(shown.accounts, f"{field}.accounts")
    for index, account in enumerate(shown.accounts):
        _account(account, f"{field}.accounts[{index}]")
    checks.required(shown.languages, f"{field}.languages")
    for index, language in enumerate(shown.languages):
        require_language(language, f"{field}.languages[{index}]")
    checks.unique(shown.languages, f"{field}.languages")
    checks.texts(shown.formats, f"{field}.formats")
    checks.in_range(shown.videos_per_day, SMALL_COUNT, f"{field}.videos_per_day")
    checks.in_range(shown.live_hours_per_day, HOURS_PER_DAY, f"{field}.live_hours_per_day")
    checks.in_range(shown.creators, SMALL_COUNT, f"{field}.creators")
    checks.in_range(shown.creator_hours_per_day, HOURS_PER_DAY, f"{field}.creator_hours_per_day")
    checks.in_range(shown.units_per_creator_hour, UNITS, f"{field}.units_per_creator_hour")
    for name in ("fixed_fee", "video_fee", "hour_fee"):
        checks.optional_money(getattr(shown, name), f"{field}.{name}")
    checks.in_range(shown.commission_bp, SHARE, f"{field}.commission_bp")
    checks.in_range(shown.conversion_bp, SHARE, f"{field}.conversion_bp")
    for index, category in enumerate(shown.categories):
        _category(category, f"{field}.categories[{index}]")
    checks.text(shown.ai_label_method, f"{field}.ai_label_method")
    checks.in_range(shown.violations, SMALL_COUNT, f"{field}.violations")


def _account(account: Account, field: str) -> None:
    checks.text(account.platform, f"{field}.platform", needed=True)
    require_market(account.market, f"{field}.market")
    checks.in_range(account.followers, FOLLOWERS, f"{field}.followers")
    checks.optional_money(account.gmv_30d, f"{field}.gmv_30d")


def _category(prefix: str, field: str) -> None:
    """HS2, HS4 or HS6: judged by filling it up to six digits."""
    require_hs6(prefix + "0" * (6 - len(prefix)) if len(prefix) in (2, 4) else prefix, field)
