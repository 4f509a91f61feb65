"""Parties of record: which members sell, export and import by law."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lianmeng.alliance.plan import LotSource, PartiesOfRecord
from lianmeng.matcher.costing import Parts
from lianmeng.pool.firms import Firm


def parties_of_record(
    parts: Parts, firms: Mapping[str, Firm]
) -> tuple[PartiesOfRecord, ...] | None:
    """One entry per market in which the plan lands goods; None if a member is lacking for one.

    Sellers are sought first among those who promote, exporters among those who make, importers
    among those who move. Where nothing crosses a border, nobody exports or imports.
    """
    markets = sorted({shipment.market for shipment in parts.shipments})
    found = [_party(parts, firms, market) for market in markets]
    return None if None in found else tuple(party for party in found if party is not None)


def _party(parts: Parts, firms: Mapping[str, Firm], market: str) -> PartiesOfRecord | None:
    makers = [lot.firm_id for lot in parts.lots if lot.source is LotSource.FACTORY]
    owners = [lot.firm_id for lot in parts.lots if lot.source is LotSource.STOCK]
    movers = [shipment.firm_id for shipment in parts.shipments]
    showers = [campaign.firm_id for campaign in parts.campaigns]
    seller = _first((*showers, *owners, *movers, *makers), firms, lambda f: market in f.can_sell_in)
    if not seller:
        return None
    if not any(s.lane_id for s in parts.shipments if s.market == market):
        return PartiesOfRecord(market=market, seller_firm_id=seller)
    everyone = (*movers, *owners, *showers, *makers)
    importer = _first(everyone, firms, lambda f: market in f.can_import_in)
    exporter = _first((*makers, *everyone), firms, lambda f: f.can_export)
    if not importer or not exporter:
        return None
    return PartiesOfRecord(
        market=market,
        seller_firm_id=seller,
        exporter_firm_id=exporter,
        importer_firm_id=importer,
    )


def _first(names: Iterable[str], firms: Mapping[str, Firm], able: Callable[[Firm], bool]) -> str:
    return next((name for name in names if name in firms and able(firms[name])), "")
