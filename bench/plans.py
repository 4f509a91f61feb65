"""Plans of one mill, one forwarder and one agency, as large as those of a minor alliance."""

from __future__ import annotations

from dataclasses import replace

from lianmeng.alliance.plan import Plan
from tests import builders


def plan_in(place: int) -> Plan:
    """The builders' plan with the resources of one of many places: places do not compete."""
    base = builders.plan()
    lots = tuple(replace(lot, resource_id=f"{lot.resource_id}{place}") for lot in base.lots)
    shipments = tuple(
        replace(s, resource_id=f"{s.resource_id}{place}") if s.resource_id else s
        for s in base.shipments
    )
    campaigns = tuple(replace(c, resource_id=f"{c.resource_id}{place}") for c in base.campaigns)
    return replace(base, lots=lots, shipments=shipments, campaigns=campaigns)
