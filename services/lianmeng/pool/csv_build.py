"""One thing from its rows, with the place of each part: which row a path of a field came from.

`head` is the first row of an id and `parts` are its other rows. Paths are those of the contract
without the name of the record: `logistics.lanes[2]`.
"""

from __future__ import annotations

from collections.abc import Sequence

from lianmeng.kernel.calendar import Calendar
from lianmeng.pool import csv_tables as tables
from lianmeng.pool.csv_rows import Row
from lianmeng.pool.firms import Certificate, Firm
from lianmeng.pool.nodes import (
    Account,
    DaysRange,
    Lane,
    Logistics,
    Manufacturing,
    Marketing,
    Node,
    ProductionLine,
    Stock,
    Warehouse,
)
from lianmeng.pool.products import Product, SalePrice

Places = dict[str, Row]


def build_firm(head: Row, parts: Sequence[Row]) -> tuple[Firm, Places]:
    """A firm and its certificates."""
    held = [row for row in parts if row.table is tables.CERTIFICATES]
    names = [c.name for c in tables.CERTIFICATES.columns if c.part]
    firm = Firm(
        **{column.name: head.get(column.name) for column in tables.FIRMS.columns},
        certificates=tuple(Certificate(**{name: row.get(name) for name in names}) for row in held),
    )
    return firm, _places("certificates", held)


def build_product(head: Row, parts: Sequence[Row]) -> tuple[Product, Places]:
    """A product and its prices, one per row."""
    rows = (head, *parts)
    whole = [column.name for column in tables.PRODUCTS.columns if not column.part]
    product = Product(
        **{name: head.get(name) for name in whole},
        prices=tuple(
            SalePrice(row.get("market"), row.get("channel"), row.get("sale_price")) for row in rows
        ),
    )
    return product, _places("prices", rows)


def build_factory(head: Row, parts: Sequence[Row]) -> tuple[Node, Places]:
    """A factory and its lines, one per row."""
    rows = (head, *parts)
    same = ("hs6", "materials", "processes", "uom", "price_breaks", "setup_fee", "unit_weight_g",
            "unit_volume_cm3", "battery_class", "incoterms", "needs_new_mould", "skus")  # fmt: skip
    made = Manufacturing(
        **{name: head.get(name) for name in same},
        lines=tuple(ProductionLine(row.get("line_id"), row.get("day_capacity")) for row in rows),
        moq_units=head.get("moq"),
        lot_multiple_units=head.get("lot_multiple"),
        sample_days=_optional_days(head, "sample_days"),
        first_batch_days=_days(head, "first_batch_days"),
        reorder_days=_optional_days(head, "reorder_days"),
        overtime_units=head.get("overtime"),
        overtime_premium_bp=head.get("overtime_premium"),
        carton_units=head.get("carton"),
        first_pass_yield_bp=head.get("first_pass_yield"),
    )
    return _node(head, made), _places("manufacturing.lines", rows)


def build_forwarder(head: Row, parts: Sequence[Row]) -> tuple[Node, Places]:
    """A forwarder with its lanes, warehouses and stock, each from a file of its own."""
    lanes = [row for row in parts if row.table is tables.LANES]
    houses = [row for row in parts if row.table is tables.WAREHOUSES]
    stock = [row for row in parts if row.table is tables.STOCK]
    places = _places("logistics.lanes", lanes) | _places("logistics.warehouses", houses)
    warehouses = []
    for index, house in enumerate(houses):
        held = [row for row in stock if row.get("warehouse_id") == house.get("warehouse_id")]
        warehouses.append(_warehouse(house, held))
        places |= _places(f"logistics.warehouses[{index}].stock", held)
    capability = Logistics(lanes=tuple(map(_lane, lanes)), warehouses=tuple(warehouses))
    return _node(head, capability), places


def build_agency(head: Row, parts: Sequence[Row]) -> tuple[Node, Places]:
    """An agency and its accounts, one per row."""
    rows = (head, *parts)
    same = ("languages", "formats", "videos_per_day", "live_hours_per_day", "creators",
            "creator_hours_per_day", "units_per_creator_hour", "fixed_fee", "video_fee",
            "hour_fee", "categories", "ai_label_method", "violations")  # fmt: skip
    shown = Marketing(
        **{name: head.get(name) for name in same},
        accounts=tuple(
            Account(
                platform=row.get("platform"),
                market=row.get("market"),
                followers=row.get("followers"),
                gmv_30d=row.get("gmv_30d"),
            )
            for row in rows
        ),
        commission_bp=head.get("commission"),
        conversion_bp=head.get("conversion"),
    )
    return _node(head, shown), _places("marketing.accounts", rows)


def _node(head: Row, capability: Manufacturing | Logistics | Marketing) -> Node:
    return Node(
        node_id=head.get("node_id"),
        firm_id=head.get("firm_id"),
        name=head.get("name"),
        locode=head.get("locode"),
        calendar=Calendar(
            head.get("time_zone"),
            head.get("working_weekdays"),
            head.get("closed_dates"),
            head.get("extra_dates"),
        ),
        capability=capability,
    )


def _lane(row: Row) -> Lane:
    names = [c.name for c in tables.LANES.columns if c.part and not c.name.startswith("transit")]
    return Lane(
        **{name: row.get(name) for name in names},
        transit_days=_days(row, "transit_days"),
    )


def _warehouse(row: Row, held: Sequence[Row]) -> Warehouse:
    names = ("warehouse_id", "locode", "market", "handling_fee", "last_mile_fee")
    return Warehouse(
        **{name: row.get(name) for name in names},
        release_days=_days(row, "release_days"),
        stock=tuple(map(_stock, held)),
    )


def _stock(row: Row) -> Stock:
    names = ("owner_firm_id", "product_id", "units", "unit_price")
    return Stock(**{name: row.get(name) for name in names}, as_of_time=row.get("as_of"))


def _days(row: Row, name: str) -> DaysRange:
    """The median, and the late figure: the median again where it is empty."""
    median: int = row.get(name)
    late: int | None = row.get(f"{name}_late")
    return DaysRange(median, median if late is None else late)


def _optional_days(row: Row, name: str) -> DaysRange | None:
    return None if row.get(name) is None else _days(row, name)


def _places(path: str, rows: Sequence[Row]) -> Places:
    return {f"{path}[{index}]": row for index, row in enumerate(rows)}
