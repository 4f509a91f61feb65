"""From firms, nodes and products to rows of the CSV files: what is written can be read back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lianmeng.pool import csv_tables as tables
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import (
    DaysRange,
    Lane,
    Logistics,
    Manufacturing,
    Marketing,
    Node,
    Warehouse,
)
from lianmeng.pool.products import Product

Cells = dict[str, Any]


def export(
    firms: Iterable[Firm], nodes: Iterable[Node], products: Iterable[Product]
) -> Mapping[str, list[Cells]]:
    """Rows by table name. What the platform sets (state, version) is not written."""
    rows: dict[str, list[Cells]] = {table.name: [] for table in tables.POOL_TABLES}
    for firm in firms:
        rows["firms"].append(_same(firm, tables.FIRMS))
        rows["certificates"].extend(
            {"firm_id": firm.firm_id, **_same(one, tables.CERTIFICATES)}
            for one in firm.certificates
        )
    for product in products:
        rows["products"].extend(_product(product))
    for node in nodes:
        match node.capability:
            case Manufacturing():
                rows["factories"].extend(_factory(node, node.capability))
            case Marketing():
                rows["agencies"].extend(_agency(node, node.capability))
            case Logistics():
                _forwarder(node, node.capability, rows)
    return rows


def _same(thing: object, table: tables.Table) -> Cells:
    """The cells whose columns are fields of `thing`, by the field's or the column's name."""
    names = ((column.name, column.field or column.name) for column in table.columns)
    return {name: getattr(thing, field) for name, field in names if hasattr(thing, field)}


def _node(node: Node) -> Cells:
    calendar = node.calendar
    return {
        "node_id": node.node_id,
        "firm_id": node.firm_id,
        "name": node.name,
        "locode": node.locode,
        "time_zone": calendar.time_zone,
        "working_weekdays": calendar.working_weekdays,
        "closed_dates": calendar.closed_dates,
        "extra_dates": calendar.extra_dates,
    }


def _days(name: str, days: DaysRange | None) -> Cells:
    if days is None:
        return {}
    late = None if days.p90_days == days.p50_days else days.p90_days
    return {name: days.p50_days, f"{name}_late": late}


def _per_part(whole: Cells, key: str, parts: Iterable[Cells]) -> Iterator[Cells]:
    """The first part beside everything, further parts beside the id alone."""
    for index, part in enumerate(parts):
        yield {**(whole if index == 0 else {key: whole[key]}), **part}


def _product(product: Product) -> Iterator[Cells]:
    prices = (
        {"market": one.market, "channel": one.channel, "sale_price": one.price}
        for one in product.prices
    )
    return _per_part(_same(product, tables.PRODUCTS), "product_id", prices)


def _factory(node: Node, made: Manufacturing) -> Iterator[Cells]:
    whole = {
        **_same(made, tables.FACTORIES),
        **_node(node),
        **_days("sample_days", made.sample_days),
        **_days("first_batch_days", made.first_batch_days),
        **_days("reorder_days", made.reorder_days),
    }
    lines = (
        {"line_id": line.line_id, "day_capacity": line.day_capacity_units} for line in made.lines
    )
    return _per_part(whole, "node_id", lines)


def _agency(node: Node, shown: Marketing) -> Iterator[Cells]:
    whole = {**_same(shown, tables.AGENCIES), **_node(node)}
    accounts = (
        {
            "platform": account.platform,
            "market": account.market,
            "followers": account.followers,
            "gmv_30d": account.gmv_30d,
        }
        for account in shown.accounts
    )
    return _per_part(whole, "node_id", accounts)


def _forwarder(node: Node, moved: Logistics, rows: dict[str, list[Cells]]) -> None:
    identity = {"node_id": node.node_id}
    rows["forwarders"].append(_node(node))
    rows["lanes"].extend({**identity, **_lane(lane)} for lane in moved.lanes)
    for house in moved.warehouses:
        rows["warehouses"].append({**identity, **_warehouse(house)})
        place = {**identity, "warehouse_id": house.warehouse_id}
        rows["stock"].extend({**place, **_same(one, tables.STOCK)} for one in house.stock)


def _lane(lane: Lane) -> Cells:
    return {**_same(lane, tables.LANES), **_days("transit_days", lane.transit_days)}


def _warehouse(house: Warehouse) -> Cells:
    return {**_same(house, tables.WAREHOUSES), **_days("release_days", house.release_days)}
