"""The flow of goods of one alliance: who makes, who moves, where it lands, who promotes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lianmeng.v1 import alliance_pb2 as pb
from lianmeng.world.page.story import Alliance, Told
from lianmeng.world.page.svg import drawing, path, rect, words

WIDTH = 1_080
NODE = 14
"""Width of a node."""

HEIGHT = 230
"""Height that all units together take."""

GAP = 30
"""Between two nodes of a column: room for their names."""

COLUMNS = (10, 330, 630, 880)
"""Left edges: made or in stock, moved, landed, promoted."""

HEADINGS = ("made, or in stock abroad", "moved", "landed", "promoted")


@dataclass(slots=True)
class Node:
    """A node with what flows through it; `below`: its second line."""

    name: str
    below: str
    units: int = 0
    top: float = 0.0
    left_used: float = 0.0
    right_used: float = 0.0


@dataclass(frozen=True, slots=True)
class Link:
    """Units from a node to one in the next column."""

    source: tuple[int, str]
    target: tuple[int, str]
    units: int
    css: str
    title: str


@dataclass(slots=True)
class Flow:
    """Nodes by column and key, and the links between them."""

    nodes: dict[tuple[int, str], Node] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)

    def node(self, column: int, key: str, name: str, below: str) -> tuple[int, str]:
        """The key of a node, which is made when it is new."""
        self.nodes.setdefault((column, key), Node(name, below))
        return column, key


def flow(told: Told, alliance: Alliance) -> str:
    """The drawing; only what was accepted flows."""
    found = _of_plan(told, alliance.state)
    scale = HEIGHT / max(sum(link.units for link in found.links if link.source[0] == 0), 1)
    height = _place(found.nodes, found.links, scale)
    headings = (words(x, 14, heading, "tick") for x, heading in zip(COLUMNS, HEADINGS, strict=True))
    links = [_link(found.nodes, link, scale) for link in found.links]
    nodes = [_node(found.nodes[key], key[0], scale) for key in found.nodes]
    label = f"Flow of goods: {alliance.product}"
    return drawing(WIDTH, height + 10, *headings, *links, *nodes, label=label)


def _of_plan(told: Told, state: pb.AllianceState) -> Flow:
    found = Flow()
    plan = state.plan
    accepted = {
        t.ref_id: t.accepted_units for t in state.tasks if t.state == pb.TASK_STATE_ACCEPTED
    }
    lots = {lot.lot_id: lot for lot in plan.lots}
    landed: dict[str, int] = defaultdict(int)
    for shipment in plan.shipments:
        units = accepted.get(shipment.shipment_id, 0)
        lot = lots[shipment.lot_id]
        if units:
            _moved(told, found, lot, shipment, units)
            landed[shipment.market] += units
    for campaign in plan.campaigns:
        units = min(accepted.get(campaign.campaign_id, 0), landed[campaign.market])
        if units:
            _promoted(told, found, campaign, units)
    return found


def landed_units(state: pb.AllianceState) -> int:
    """Units that were landed or released in a market, and accepted."""
    moves = {shipment.shipment_id for shipment in state.plan.shipments}
    done = (task for task in state.tasks if task.state == pb.TASK_STATE_ACCEPTED)
    return sum(task.accepted_units for task in done if task.ref_id in moves)


def _moved(told: Told, found: Flow, lot: pb.Lot, shipment: pb.Shipment, units: int) -> None:
    stock = lot.source == pb.LOT_SOURCE_STOCK
    below = "stock abroad" if stock else "mill"
    source = found.node(0, f"{lot.firm_id} {lot.source}", told.name(lot.firm_id), below)
    how = f"by {shipment.mode.lower()}" if shipment.mode else "from its warehouse"
    mover = found.node(1, f"{shipment.firm_id} {how}", told.name(shipment.firm_id), how)
    market = found.node(2, shipment.market, shipment.market, "market")
    css = f"link w{min(lot.wave, 2)}"
    made = f"{lot.lot_id}, wave {lot.wave}: {units:,} units, ready {lot.ready_date}"
    way = f"{shipment.shipment_id}: {units:,} units, {shipment.depart_date} → {shipment.land_date}"
    found.links.append(Link(source, mover, units, css, made))
    found.links.append(Link(mover, market, units, css, way))


def _promoted(told: Told, found: Flow, campaign: pb.Campaign, units: int) -> None:
    market = found.node(2, campaign.market, campaign.market, "market")
    agency = found.node(3, campaign.firm_id, told.name(campaign.firm_id), f"{campaign.hours:,} h")
    days = f"{campaign.start_date} to {campaign.end_date}"
    found.links.append(Link(market, agency, units, "link promoted", f"{units:,} units, {days}"))


def _place(nodes: Mapping[tuple[int, str], Node], links: Sequence[Link], scale: float) -> float:
    """Give every node its size and place; returns the height of all."""
    for key, node in nodes.items():
        out = sum(link.units for link in links if link.source == key)
        into = sum(link.units for link in links if link.target == key)
        node.units = max(out, into)
    heights = [34.0] * len(COLUMNS)
    for (column, _), node in nodes.items():
        node.top = heights[column]
        heights[column] += node.units * scale + GAP
    return max(heights)


def _link(nodes: Mapping[tuple[int, str], Node], link: Link, scale: float) -> str:
    source, target = nodes[link.source], nodes[link.target]
    width = link.units * scale
    y1 = source.top + source.right_used + width / 2
    y2 = target.top + target.left_used + width / 2
    source.right_used += width
    target.left_used += width
    x1, x2 = COLUMNS[link.source[0]] + NODE, COLUMNS[link.target[0]]
    middle = (x1 + x2) / 2
    curve = f"M{x1:.1f},{y1:.1f} C{middle:.1f},{y1:.1f} {middle:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"
    return path(curve, link.css, link.title, max(width, 1.0))


def _node(node: Node, column: int, scale: float) -> str:
    x, height = COLUMNS[column], node.units * scale
    below = f"{node.units:,} units · {node.below}"
    return (
        rect(x, node.top, NODE, height, "node", f"{node.name}: {below}")
        + words(x + NODE + 6, node.top - 2, node.name, "label")
        + words(x + NODE + 6, node.top + 12, below, "tick")
    )
