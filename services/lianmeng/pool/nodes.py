"""Nodes: capabilities of firms that can be plugged into an alliance.

One capability per node: manufacturing lines, a forwarder's lanes and warehouses, or an
agency's creators. Each line, lane, stock and agency is one resource with one capacity book.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lianmeng.kernel.calendar import Calendar
from lianmeng.kernel.ids import resource_id
from lianmeng.kernel.money import Money
from lianmeng.kernel.roles import Role
from lianmeng.pool.products import Material


class NodeState(StrEnum):
    """Whether a node is matched while its firm is ACTIVE."""

    ACTIVE = "ACTIVE"
    WITHDRAWN = "WITHDRAWN"


class LaneMode(StrEnum):
    """How goods travel on a lane."""

    SEA = "SEA"
    SEA_FAST = "SEA_FAST"
    ROAD = "ROAD"
    RAIL = "RAIL"
    AIR = "AIR"
    EXPRESS = "EXPRESS"


class FreightBasis(StrEnum):
    """What a lane's price counts: chargeable kg, cubic metres, or parcels (one unit each)."""

    KG = "KG"
    CBM = "CBM"
    PARCEL = "PARCEL"


@dataclass(frozen=True, slots=True)
class DaysRange:
    """A duration in days: median and 90th percentile."""

    p50_days: int
    p90_days: int


@dataclass(frozen=True, slots=True)
class ProductionLine:
    """A line: `day_capacity_units` per working day, in the unit of its node. A RATE book."""

    line_id: str
    day_capacity_units: int


@dataclass(frozen=True, slots=True)
class PriceBreak:
    """`unit_price` from an order of `min_units` on (0: from the first unit)."""

    min_units: int
    unit_price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Manufacturing:
    """Goods of a mill or workshop. All quantities are in `uom`.

    `lot_multiple_units` 0 is 1; `unit_weight_g` and `unit_volume_cm3` 0 take the product's
    own; `first_pass_yield_bp` 0 is 10,000. Price breaks ascend from 0 units.
    """

    hs6: tuple[str, ...]
    materials: tuple[Material, ...] = ()
    processes: tuple[str, ...] = ()
    uom: str
    lines: tuple[ProductionLine, ...]
    moq_units: int = 0
    lot_multiple_units: int = 0
    sample_days: DaysRange | None = None
    first_batch_days: DaysRange
    reorder_days: DaysRange | None = None
    price_breaks: tuple[PriceBreak, ...]
    setup_fee: Money | None = None
    overtime_units: int = 0
    overtime_premium_bp: int = 0
    unit_weight_g: int = 0
    unit_volume_cm3: int = 0
    carton_units: int = 0
    battery_class: str = ""
    first_pass_yield_bp: int = 0
    incoterms: tuple[str, ...] = ()
    needs_new_mould: bool = False
    skus: tuple[str, ...] = ()

    def unit_price(self, units: int) -> Money:
        """Price per unit of an order of `units`."""
        reached = [step for step in self.price_breaks if step.min_units <= units]
        return (reached or self.price_breaks[:1])[-1].unit_price


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A way to a market, door to door. A DEPARTURE book of `capacity_kg` per departure.

    `departure_weekdays` are ISO numbers, empty = daily; goods must be ready `cutoff_days`
    whole days before a departure; `transit_days` count from departure to the door.
    """

    lane_id: str
    origin: str
    gateway: str = ""
    destination: str
    market: str
    mode: LaneMode
    transit_days: DaysRange
    departure_weekdays: tuple[int, ...] = ()
    cutoff_days: int = 0
    capacity_kg: int
    basis: FreightBasis
    price: Money
    minimum_charge: Money | None = None
    volumetric_divisor: int = 0
    customs_modes: tuple[str, ...] = ()
    dangerous_goods: tuple[str, ...] = ()
    pickup_price_per_kg: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Somebody's goods in a warehouse: one STOCK book. `unit_price` is ex warehouse."""

    owner_firm_id: str
    product_id: str
    units: int
    unit_price: Money
    as_of_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """A warehouse in a market. Fees are per unit; `release_days` run from order to on sale."""

    warehouse_id: str
    locode: str
    market: str
    handling_fee: Money | None = None
    last_mile_fee: Money | None = None
    release_days: DaysRange
    stock: tuple[Stock, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Logistics:
    """Lanes and warehouses of a forwarder."""

    lanes: tuple[Lane, ...] = ()
    warehouses: tuple[Warehouse, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A shop or channel in a market."""

    platform: str
    market: str
    followers: int = 0
    gmv_30d: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marketing:
    """Creators and channels of an agency: one RATE book of creator hours per working day.

    `units_per_creator_hour` is what one hour is taken to sell. Fees: `fixed_fee` once per
    campaign, `hour_fee` per creator hour, `commission_bp` of sales.
    """

    accounts: tuple[Account, ...]
    languages: tuple[str, ...]
    formats: tuple[str, ...] = ()
    videos_per_day: int = 0
    live_hours_per_day: int = 0
    creators: int = 0
    creator_hours_per_day: int = 0
    units_per_creator_hour: int = 0
    fixed_fee: Money | None = None
    video_fee: Money | None = None
    hour_fee: Money | None = None
    commission_bp: int = 0
    conversion_bp: int = 0
    categories: tuple[str, ...] = ()
    ai_label_method: str = ""
    violations: int = 0

    def markets(self) -> tuple[str, ...]:
        """Markets that its accounts cover, sorted, each once."""
        return tuple(sorted({account.market for account in self.accounts}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A capability of one firm. `state` and `version` are the platform's."""

    node_id: str
    firm_id: str
    name: str = ""
    locode: str
    calendar: Calendar
    capability: Manufacturing | Logistics | Marketing
    state: NodeState = NodeState.ACTIVE
    version: int = 0

    def role(self) -> Role:
        """What it does in an alliance."""
        match self.capability:
            case Manufacturing():
                return Role.MANUFACTURING
            case Logistics():
                return Role.LOGISTICS
            case Marketing():
                return Role.MARKETING

    def line_resource(self, line: ProductionLine) -> str:
        """Id of a line's book."""
        return resource_id(self.node_id, line.line_id)

    def lane_resource(self, lane: Lane) -> str:
        """Id of a lane's book."""
        return resource_id(self.node_id, lane.lane_id)

    def stock_resource(self, warehouse: Warehouse, stock: Stock) -> str:
        """Id of a stock's book: warehouse × owner × product."""
        part = resource_id(warehouse.warehouse_id, stock.owner_firm_id)
        return resource_id(self.node_id, resource_id(part, stock.product_id))

    def agency_resource(self) -> str:
        """Id of an agency's book of creator hours."""
        return resource_id(self.node_id, "hours")
