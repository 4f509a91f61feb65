"""What the page shows: the notes of a run, with the names that people know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from lianmeng.v1 import alliance_pb2 as apb
from lianmeng.v1 import trend_pb2 as tpb
from lianmeng.world.agents import at

LOCAL = ZoneInfo("Asia/Shanghai")

DAY = timedelta(days=1)

COLOURS = 4
"""Colours of alliances; later ones begin anew."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a firm is called."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """Something that had to hold, and whether it did."""

    text: str
    holds: bool
    detail: str = ""


@dataclass(frozen=True)
class Told:
    """A run. `start`: day 0; `wall_s`: seconds that it took; `commands`: how to go on."""

    start: datetime
    wall_s: float
    firm_count: int
    node_count: int
    signal_count: int
    names: Mapping[str, Name]
    trends: Sequence[tpb.Trend]
    records: Sequence[apb.AllianceRecord]
    judgements: Sequence[Judgement]
    commands: Sequence[tuple[str, str]]

    @cached_property
    def alliances(self) -> list[Alliance]:
        """The alliances in the order in which they began."""
        by_id: dict[str, list[apb.AllianceRecord]] = {}
        for record in self.records:
            by_id.setdefault(record.alliance_id, []).append(record)
        return [Alliance(number, records) for number, records in enumerate(by_id.values())]

    def name(self, firm_id: str) -> str:
        """A firm for people."""
        known = self.names.get(firm_id)
        return (known.en or known.zh) if known else firm_id

    def both_names(self, firm_id: str) -> str:
        """A firm in both languages."""
        known = self.names.get(firm_id)
        return f"{known.en} {known.zh}".strip() if known else firm_id

    def day(self, moment: datetime) -> float:
        """Days since local midnight of day 0."""
        midnight = self.start.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
        return (moment - midnight) / DAY

    def clock(self, moment: datetime) -> str:
        """`day 3 16:05`."""
        local = moment.astimezone(LOCAL)
        return f"day {int(self.day(moment) // 1)} {local:%H:%M}"


@dataclass(frozen=True)
class Alliance:
    """All facts of one alliance, oldest first."""

    number: int
    records: Sequence[apb.AllianceRecord]

    @property
    def state(self) -> apb.AllianceState:
        """How it ended, or stands."""
        return self.records[-1].state

    @property
    def css(self) -> str:
        """The class of its colour."""
        return f"a{self.number % COLOURS}"

    @property
    def product(self) -> str:
        """Its product for people."""
        product = self.state.demand.product
        return product.name_en or product.name_zh

    @cached_property
    def plans(self) -> list[apb.Plan]:
        """Each version of its plan, in order."""
        versions = {
            r.state.plan.version: r.state.plan for r in self.records if r.state.plan.version
        }
        return [versions[number] for number in sorted(versions)]

    @cached_property
    def stays(self) -> list[Stay]:
        """The states that it went through, one after another."""
        found: list[Stay] = []
        for record, after in zip(self.records, [*self.records[1:], None], strict=True):
            begin = at(record.time)
            end = at(after.time) if after is not None else begin
            name = apb.State.Name(record.state.state).removeprefix("STATE_")
            if found and found[-1].state == name:
                found[-1] = Stay(name, found[-1].begin, end)
            else:
                found.append(Stay(name, begin, end))
        return found


@dataclass(frozen=True, slots=True)
class Stay:
    """A time in one state."""

    state: str
    begin: datetime
    end: datetime


Part = apb.Lot | apb.Shipment | apb.Campaign


def parts(plan: apb.Plan) -> list[tuple[str, Part]]:
    """All parts of a plan with their ids."""
    return [
        *((lot.lot_id, lot) for lot in plan.lots),
        *((shipment.shipment_id, shipment) for shipment in plan.shipments),
        *((campaign.campaign_id, campaign) for campaign in plan.campaigns),
    ]
