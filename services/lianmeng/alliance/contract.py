"""The contract: a common header and one annex per member, as canonical JSON.

A firm signs the hash of its own annex, so another member's repair leaves its acceptance
valid. The contract's hash covers the header and all annex hashes; a member sees the header,
its own annex, and the hashes of the others.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from lianmeng.alliance.demand import Demand
from lianmeng.alliance.membership import members, role_of
from lianmeng.alliance.plan import Campaign, Lot, Plan, Shipment


def canonical(document: dict[str, Any]) -> bytes:
    """One byte string per document: sorted keys, no spaces, UTF-8."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def sha256(data: bytes) -> str:
    """Hex digest."""
    return hashlib.sha256(data).hexdigest()


def annex(demand: Demand, plan: Plan, firm_id: str) -> bytes:
    """What the plan gives one firm: its lots, shipments, campaigns, prices (fen) and days."""
    own_lots = [lot for lot in plan.lots if lot.firm_id == firm_id]
    return canonical(
        {
            "alliance": demand.demand_id,
            "firm": firm_id,
            "product": demand.product.product_id,
            "product_version": demand.product.version,
            "uom": demand.product.uom,
            "currency": "CNY",
            "lots": [_lot(lot) for lot in own_lots],
            "shipments": [_shipment(s) for s in plan.shipments if s.firm_id == firm_id],
            "campaigns": [_campaign(c) for c in plan.campaigns if c.firm_id == firm_id],
        }
    )


def _lot(lot: Lot) -> dict[str, Any]:
    return {
        "lot": lot.lot_id,
        "role": role_of(lot),
        "node": lot.node_id,
        "resource": lot.resource_id,
        "units": lot.units,
        "unit_price_fen": lot.unit_price_fen,
        "setup_fee_fen": lot.setup_fee_fen,
        "ready": lot.ready_date.isoformat(),
        "days": {bucket.key: bucket.units for bucket in lot.buckets},
    }


def _shipment(shipment: Shipment) -> dict[str, Any]:
    return {
        "shipment": shipment.shipment_id,
        "node": shipment.node_id,
        "lane": shipment.lane_id,
        "market": shipment.market,
        "units": shipment.units,
        "chargeable_g": shipment.chargeable_g,
        "depart": shipment.depart_date.isoformat(),
        "land": shipment.land_date.isoformat(),
        "pickup_fen": shipment.pickup_fen,
        "freight_fen": shipment.freight_fen,
        "last_mile_fen": shipment.last_mile_fen,
    }


def _campaign(campaign: Campaign) -> dict[str, Any]:
    return {
        "campaign": campaign.campaign_id,
        "node": campaign.node_id,
        "market": campaign.market,
        "language": campaign.language,
        "units": campaign.units,
        "hours": campaign.hours,
        "fixed_fee_fen": campaign.fixed_fee_fen,
        "hours_fee_fen": campaign.hours_fee_fen,
        "commission_bp": campaign.commission_bp,
        "start": campaign.start_date.isoformat(),
        "end": campaign.end_date.isoformat(),
    }


def header(demand: Demand, plan: Plan) -> bytes:
    """What all members share: goods, window, quantities, parties of record, who is in it."""
    return canonical(
        {
            "alliance": demand.demand_id,
            "product": demand.product.product_id,
            "hs6": demand.product.hs6,
            "uom": demand.product.uom,
            "window_start": demand.window_start_time.isoformat(),
            "window_end": demand.window_end_time.isoformat(),
            "planned_units": plan.planned_units,
            "members": {firm: list(roles) for firm, roles in members(plan).items()},
            "parties": [
                {
                    "market": party.market,
                    "seller_of_record": party.seller_firm_id,
                    "exporter_of_record": party.exporter_firm_id,
                    "importer_of_record": party.importer_firm_id,
                }
                for party in plan.parties
            ],
        }
    )


def annex_hashes(demand: Demand, plan: Plan) -> dict[str, str]:
    """SHA-256 of every member's annex, by firm."""
    return {firm: sha256(annex(demand, plan, firm)) for firm in members(plan)}


def contract_hash(demand: Demand, plan: Plan) -> str:
    """SHA-256 over the header and, in the order of firm ids, all annex hashes."""
    hashes = annex_hashes(demand, plan)
    return sha256(header(demand, plan) + canonical(dict(sorted(hashes.items()))))
