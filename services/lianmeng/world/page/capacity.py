"""The capacity chart: what each line, lane, stock and agency had, and what was taken of it.

What a lost member had held, and what a repair set free, is drawn hollow: it was given back.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from lianmeng.v1 import alliance_pb2 as pb
from lianmeng.world.page.story import Part, Told, parts
from lianmeng.world.page.svg import drawing, line, rect, words

WIDTH = 520
HEIGHT = 96
TOP, BOTTOM, LEFT = 26, 78, 8

MOST_DAYS = 24

NOT_DONE = frozenset({pb.TASK_STATE_FAILED, pb.TASK_STATE_CANCELLED})


@dataclass(slots=True)
class Resource:
    """One book: capacity, units taken by alliance, and units given back, by bucket."""

    owner: str
    kind: str
    capacity: dict[str, int] = field(default_factory=dict)
    taken: dict[int, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    freed: dict[int, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def total(self, key: str) -> int:
        """Units taken of a bucket, by all alliances."""
        return sum(by_key.get(key, 0) for by_key in self.taken.values())


def resources(told: Told) -> dict[str, Resource]:
    """All books that an alliance of the story ever drew on, by id."""
    found: dict[str, Resource] = {}
    for alliance in told.alliances:
        done = {t.ref_id for t in alliance.state.tasks if t.state not in NOT_DONE}
        last = dict(parts(alliance.state.plan))
        stock = {s.lot_id for s in alliance.state.plan.shipments if s.shipment_id in done}
        for plan in alliance.plans:
            for ref, part in parts(plan):
                used = last.get(ref) == part and (ref in done or ref in stock)
                _note(told, found, alliance.number, part, used=used)
    return found


def _note(told: Told, found: dict[str, Resource], number: int, part: Part, *, used: bool) -> None:
    if not part.resource_id:
        return
    resource = found.setdefault(part.resource_id, Resource(told.name(part.firm_id), _kind(part)))
    by_key = (resource.taken if used else resource.freed)[number]
    for bucket in part.buckets:
        resource.capacity[bucket.key] = bucket.capacity_units
        by_key[bucket.key] = max(by_key.get(bucket.key, 0), bucket.units)


def _kind(part: Part) -> str:
    match part:
        case pb.Shipment():
            return f"kg per departure by {part.mode.lower()}"
        case pb.Campaign():
            return "creator hours a day"
        case _:
            stock = part.source == pb.LOT_SOURCE_STOCK
            return "units of stock abroad" if stock else "units a day"


def chart(resource: Resource) -> str:
    """One book as bars against its capacity."""
    keys = _keys(resource)
    most = max(resource.capacity.values(), default=1)
    slot = (WIDTH - 2 * LEFT) / max(len(keys), 8)
    scale = (BOTTOM - TOP) / most
    bars = "".join(
        _bar(resource, key, LEFT + i * slot, slot - 3, scale) for i, key in enumerate(keys)
    )
    title = words(LEFT, 12, resource.owner, "label")
    below = words(WIDTH - LEFT, 12, f"{most:,} {resource.kind}", "tick", "end")
    ticks = "".join(
        words(LEFT + i * slot + slot / 2 - 1, BOTTOM + 13, key[-2:], "tick", "middle")
        for i, key in enumerate(keys)
        if key != "stock"
    )
    base = line(LEFT, BOTTOM, WIDTH - LEFT, BOTTOM, "axis")
    label = f"Capacity of {resource.owner}"
    return drawing(WIDTH, HEIGHT, title, below, bars, base, ticks, label=label)


def _keys(resource: Resource) -> list[str]:
    """Buckets to draw: all days between the first and the last, or what there is."""
    keys = sorted(resource.capacity)
    if keys == ["stock"] or not keys:
        return keys
    first, last = date.fromisoformat(keys[0]), date.fromisoformat(keys[-1])
    count = min((last - first).days + 1, MOST_DAYS)
    return [(first + timedelta(days=i)).isoformat() for i in range(count)]


def _bar(resource: Resource, key: str, x: float, width: float, scale: float) -> str:
    capacity = resource.capacity.get(key, 0)
    drawn = (
        [rect(x, BOTTOM - capacity * scale, width, capacity * scale, "room")] if capacity else []
    )
    level = float(BOTTOM)
    for number, by_key in resource.taken.items():
        height = by_key.get(key, 0) * scale
        if height:
            level -= height
            title = f"{key}: {by_key[key]:,} of {capacity:,}"
            drawn.append(rect(x, level, width, height, f"fill a{number % 4}", title))
    for by_key in resource.freed.values():
        height = by_key.get(key, 0) * scale
        if height:
            title = f"{key}: {by_key[key]:,} were held and given back"
            top = max(level - height, TOP)
            drawn.append(rect(x, top, width, level - top, "freed", title))
    return "".join(drawn)
