"""Who has a part in the story: firms that may be concerned, and the few that cause trouble."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lianmeng.pool.nodes import Logistics, Manufacturing, Marketing, Node
from lianmeng.v1 import alliance_pb2 as pb
from lianmeng.world.agents import Parts
from lianmeng.world.script import Script


def concerned_firms(script: Script) -> list[str]:
    """Firms that could be invited: they make, own, move or promote what may be wanted."""
    expected = [one for one in script.products if one.product_id in script.expected]
    wanted = expected or list(script.products)
    ids = {product.product_id for product in wanted}
    hs6 = {product.hs6 for product in wanted}
    markets = {price.market for product in wanted for price in product.prices}
    found = {n.firm_id for n in script.nodes if _may_serve(n, hs6, markets)}
    return sorted(found | set(_owners(script.nodes, ids)))


def _may_serve(node: Node, hs6: set[str], markets: set[str]) -> bool:
    match node.capability:
        case Manufacturing(hs6=made):
            return not hs6.isdisjoint(made)
        case Logistics(lanes=lanes, warehouses=houses):
            served = {lane.market for lane in lanes} | {house.market for house in houses}
            return not markets.isdisjoint(served)
        case Marketing():
            return not markets.isdisjoint(node.capability.markets())


def _owners(nodes: Iterable[Node], product_ids: set[str]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node.capability, Logistics):
            for house in node.capability.warehouses:
                yield from (s.owner_firm_id for s in house.stock if s.product_id in product_ids)


def cast(parts: Parts, record: pb.AllianceRecord) -> None:
    """Give the parts when the first major alliance invites for the first time.

    Of its mills the one with the smallest award declines and the next one will fail; its first
    agency answers too late.
    """
    state, alliance = record.state, record.alliance_id
    if not state.HasField("approval") or parts.decliners:
        return
    awards: dict[str, int] = {}
    for lot in state.plan.lots:
        if lot.source == pb.LOT_SOURCE_FACTORY:
            awards[lot.firm_id] = awards.get(lot.firm_id, 0) + lot.units
    mills = sorted(awards, key=lambda firm: awards[firm])
    parts.decliners.update((alliance, firm) for firm in mills[:1])
    parts.failing.update((alliance, firm) for firm in mills[1:2])
    parts.late.update((alliance, campaign.firm_id) for campaign in state.plan.campaigns[:1])
