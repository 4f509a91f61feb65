"""A matching problem in whole numbers: what may be made, moved and promoted, when, for how much.

Days count from day 0; amounts of money are fen, or millionths of a fen where they are per unit
and must not be rounded (`_microfen`). Nothing here knows a solver, and the solver knows nothing
else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MICRO = 1_000_000
"""Millionths of a fen in one fen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Demand in one market: at least `least` units must land, `wanted` are worth `sale_fen`.

    `last_mile_fen` is what a unit costs from a lane's door to the consumer.
    """

    market: str
    least: int
    wanted: int
    most: int
    sale_fen: int
    last_mile_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Where an option comes from: the firm, its node, and the price of its unreliability."""

    firm_id: str
    node_id: str
    node_version: int
    risk_microfen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A step of a price scale: orders of `low` to `high` units cost `unit_fen` a unit."""

    low: int
    high: int
    unit_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A production line. `free[d]` units can be made on day d, of `capacity` a day.

    Nothing is ready before day `lead`; what a lot has ready is a multiple of the maker's.
    """

    line_id: str
    resource_id: str
    capacity: int
    lead: int
    free: tuple[int, ...]

    def made_by(self, day: int) -> int:
        """Units made up to the end of `day`, ready or not."""
        return sum(self.free[: day + 1])

    def ready_by(self, day: int, multiple: int) -> int:
        """Units ready at the end of `day`, in whole multiples."""
        return self.made_by(day) // multiple * multiple if day >= self.lead else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """A factory: one order, over all its lines. `leanest` is the least order (MOQ)."""

    offer: Offer
    multiple: int
    setup_fen: int
    tiers: tuple[Tier, ...]
    lines: tuple[Line, ...]

    @property
    def lead(self) -> int:
        """The first day on which anything is ready."""
        return min(line.lead for line in self.lines)

    def ready_by(self, day: int) -> int:
        """Units that all lines together can have ready at the end of `day`."""
        return sum(line.ready_by(day, self.multiple) for line in self.lines)

    def tier_of(self, units: int) -> Tier:
        """The step of the scale that an order of `units` falls into."""
        return next(tier for tier in reversed(self.tiers) if tier.low <= units)


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A departure on `day` for goods ready on day `latest_ready` or before.

    `free_units` of `capacity_kg` are left; goods land on `lands` (median) and `lands_p90`.
    """

    day: int
    latest_ready: int
    lands: int
    lands_p90: int
    free_units: int
    capacity_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A lane into a market. All goods of the alliance on one departure are one consignment.

    A consignment costs `unit_microfen` a unit, at least `minimum_fen`; bringing goods to the
    lane's origin costs `pickup_microfen` a unit. `unit_g` is the chargeable weight of a unit.
    """

    offer: Offer
    lane_id: str
    resource_id: str
    mode: str
    market: str
    unit_g: int
    unit_microfen: int
    minimum_fen: int
    pickup_microfen: int
    departures: tuple[Departure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pile:
    """Stock in a warehouse of a market: owned by `offer`, released by `keeper`."""

    offer: Offer
    keeper: Offer
    resource_id: str
    market: str
    units: int
    free_units: int
    unit_fen: int
    release_fen: int
    leaves: int
    lands: int
    lands_p90: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoter:
    """An agency: `hours` are its free creator hours per day from the window's start on.

    `capacity` is its hours per working day; `commission_microfen` is per unit sold, by market.
    """

    offer: Offer
    resource_id: str
    capacity: int
    hours: Mapping[int, int]
    units_per_hour: int
    fixed_fen: int
    hour_fen: int
    commission_bp: int
    commission_microfen: Mapping[str, int]

    def free_hours(self, first: int) -> int:
        """Hours that are free from day `first` on."""
        return sum(hours for day, hours in self.hours.items() if day >= first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lawful:
    """Firms that can sell in a market, export, or import into a market, in the order of ids."""

    sellers: Mapping[str, tuple[str, ...]]
    exporters: tuple[str, ...]
    importers: Mapping[str, tuple[str, ...]]


NOBODY_LAWFUL = Lawful(sellers={}, exporters=(), importers={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Parts of a plan under repair that stay as they are.

    `supply` are goods that are or become ready without transport yet: (day, units) per lot id.
    By market: `landed` and `covered` are units moved and promoted, `lands` is the first day on
    which any land. `awards` are factory units by firm; `value_fen` is the committed value.
    """

    firms: frozenset[str] = frozenset()
    supply: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    landed: Mapping[str, int] = field(default_factory=dict)
    covered: Mapping[str, int] = field(default_factory=dict)
    awards: Mapping[str, int] = field(default_factory=dict)
    lands: Mapping[str, int] = field(default_factory=dict)
    value_fen: int = 0


NOTHING_FIXED = Fixed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything that a plan is chosen from.

    `families` are groups of firms (with their affiliates) under one share cap. `max_share_bp`
    0 is no cap, `budget_fen` 0 no limit, `max_members` 0 no limit. `first_promotion` is the
    day from which promotion in a market makes sense.
    """

    needs: tuple[Need, ...]
    makers: tuple[Maker, ...]
    carriers: tuple[Carrier, ...]
    piles: tuple[Pile, ...]
    promoters: tuple[Promoter, ...]
    lawful: Lawful
    families: tuple[frozenset[str], ...]
    max_share_bp: int
    budget_fen: int
    max_members: int
    later_ready_days: int
    first_promotion: Mapping[str, int]
    fixed: Fixed = NOTHING_FIXED

    def need(self, market: str) -> Need:
        """The need of a market."""
        return next(need for need in self.needs if need.market == market)

    def firms(self) -> frozenset[str]:
        """Firms that might take part, owners of stock included."""
        options: tuple[Maker | Carrier | Promoter, ...]
        options = (*self.makers, *self.carriers, *self.promoters)
        piles = (offer for pile in self.piles for offer in (pile.offer, pile.keeper))
        return frozenset(offer.firm_id for offer in (*(o.offer for o in options), *piles))

    @property
    def wanted(self) -> int:
        """Units that are worth their price in all markets together."""
        return sum(need.wanted for need in self.needs)

    @property
    def useful(self) -> int:
        """Units beyond which nothing is worth moving: what is wanted, or a least order above it."""
        least = max((maker.tiers[0].low for maker in self.makers), default=0)
        multiple = max((maker.multiple for maker in self.makers), default=0)
        fixed = sum(units for _, units in self.fixed.supply.values())
        return max(self.wanted, least) + multiple + fixed

    @property
    def most(self) -> int:
        """Units that may land in all markets together."""
        return sum(need.most for need in self.needs)
