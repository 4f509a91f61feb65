"""From rows to firms, nodes and products: grouped by id, built, validated, errors told by row.

A part (a line, a lane, a certificate) that is refused is left out of its thing; if the first row
of an id is refused, the whole thing is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lianmeng.kernel.errors import Rejected
from lianmeng.pool import csv_tables as tables
from lianmeng.pool.csv_build import (
    build_agency,
    build_factory,
    build_firm,
    build_forwarder,
    build_product,
)
from lianmeng.pool.csv_rows import Row, RowError, missing_cell
from lianmeng.pool.csv_tables import Table
from lianmeng.pool.firms import Firm
from lianmeng.pool.node_validation import validate_node
from lianmeng.pool.nodes import Node
from lianmeng.pool.products import Product
from lianmeng.pool.validation import validate_firm, validate_product

Record = Firm | Node | Product
Places = Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class Item:
    """A record and the row that it came from: `factories.csv:4`."""

    label: str
    record: Record


@dataclass(slots=True)
class Imported:
    """What a set of files holds: good records in the order of the files, and all errors."""

    items: list[Item] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    row_count: int = 0

    @property
    def refused_row_count(self) -> int:
        """Rows that did not become part of a record."""
        return len({(error.file, error.row) for error in self.errors if error.row > 1})

    @property
    def kept_row_count(self) -> int:
        """Rows that did."""
        return self.row_count - self.refused_row_count

    @property
    def firms(self) -> list[Firm]:
        """The good firms."""
        return [item.record for item in self.items if isinstance(item.record, Firm)]

    @property
    def nodes(self) -> list[Node]:
        """The good nodes."""
        return [item.record for item in self.items if isinstance(item.record, Node)]

    @property
    def products(self) -> list[Product]:
        """The good products."""
        return [item.record for item in self.items if isinstance(item.record, Product)]


def assemble(rows: Mapping[str, Sequence[Row]], now: datetime) -> Imported:
    """Records from the rows of each table, by table name. `now` judges the age of stock counts."""
    found = Imported()

    def node(record: Node) -> Node:
        return validate_node(record, now)

    kinds: tuple[tuple[Table, tuple[Table, ...], _Build, _Check], ...] = (
        (tables.PRODUCTS, (), build_product, validate_product),
        (tables.FIRMS, (tables.CERTIFICATES,), build_firm, validate_firm),
        (tables.FACTORIES, (), build_factory, node),
        (
            tables.FORWARDERS,
            (tables.LANES, tables.WAREHOUSES, tables.STOCK),
            build_forwarder,
            node,
        ),
        (tables.AGENCIES, (), build_agency, node),
    )
    for table, part_tables, build, check in kinds:
        groups = _groups(rows.get(table.name, ()), found.errors)
        parts = [row for one in part_tables for row in rows.get(one.name, ())]
        _attach(table, groups, _with_warehouse(parts, found.errors), found.errors)
        for group in groups.values():
            record = _settle(group, build, check, found.errors)
            if record is not None:
                found.items.append(Item(group[0].label, record))
    return found


_Build = Callable[[Row, Sequence[Row]], tuple[Record, Places]]
_Check = Callable[..., Record]


def _groups(rows: Iterable[Row], errors: list[RowError]) -> dict[str, list[Row]]:
    """Rows by id, those of one thing in the order of the file; rows without an id are refused."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row.key:
            groups.setdefault(row.key, []).append(row)
        elif not row.spoiled:
            errors.append(missing_cell(row, _key_column(row.table)))
    return groups


def _attach(
    table: Table, groups: dict[str, list[Row]], parts: Iterable[Row], errors: list[RowError]
) -> None:
    """Put the rows of other files to the thing that they name."""
    for row in parts:
        if row.spoiled:
            continue
        if row.key in groups:
            groups[row.key].append(row)
        else:
            errors.append(row.error(_orphan(row, table)))


def _with_warehouse(parts: list[Row], errors: list[RowError]) -> Iterator[Row]:
    """The parts without stock of warehouses that no row describes: such rows are refused."""
    houses = {(row.key, row.get("warehouse_id")) for row in parts if row.table is tables.WAREHOUSES}
    for row in parts:
        lost = row.table is tables.STOCK and (row.key, row.get("warehouse_id")) not in houses
        if lost and not row.spoiled:
            errors.append(row.error(_no_warehouse(row)))
        else:
            yield row


def _settle(
    group: list[Row], build: _Build, check: _Check, errors: list[RowError]
) -> Record | None:
    """The record of one id. Parts at fault are left out one by one until the rest is in order."""
    head, *rest = group
    if head.spoiled or not _complete(head, head, errors):
        errors.extend(row.error(_head_refused(head)) for row in rest if not row.spoiled)
        return None
    parts = [row for row in rest if not row.spoiled and _complete(row, head, errors)]
    while True:
        record, places = build(head, parts)
        try:
            return check(record)
        except Rejected as refusal:
            row = _place(refusal.field, places) or head
            errors.append(row.error(refusal))
            if row is head:
                errors.extend(part.error(_head_refused(head)) for part in parts)
                return None
            parts = [part for part in parts if not _goes_with(part, row)]


def _complete(row: Row, head: Row, errors: list[RowError]) -> bool:
    """Whether a row has the cells that it needs and does not contradict the first row."""
    before = len(errors)
    same_table = row.table is head.table
    if same_table and row is not head and not any(column.part for column in row.table.columns):
        errors.append(row.error(_twice(head)))
    for column in row.table.columns:
        mine = row.cells.get(column.name)
        if mine is None:
            if column.needed and (column.part or row is head or not same_table):
                errors.append(missing_cell(row, column))
        elif same_table and not column.part and mine != head.cells.get(column.name):
            errors.append(row.error(_contradiction(column.name, head)))
    return len(errors) == before


def _goes_with(part: Row, refused: Row) -> bool:
    """The refused row itself, and the stock of a warehouse that is refused."""
    if part is refused:
        return True
    return (
        refused.table is tables.WAREHOUSES
        and part.table is tables.STOCK
        and part.get("warehouse_id") == refused.get("warehouse_id")
    )


def _place(path: str, places: Places) -> Row | None:
    """The row of the longest path that `path` begins with."""
    inside = path.split(".", 1)[-1]
    for prefix in _prefixes(inside):
        if prefix in places:
            return places[prefix]
    return None


def _prefixes(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition(".")[0]


def _key_column(table: Table) -> tables.Column:
    return next(column for column in table.columns if column.name == table.key)


def _orphan(row: Row, table: Table) -> Rejected:
    return Rejected(
        reason="NOT_FOUND",
        field=row.table.key,
        message=f"there is no {row.key!r} in {table.file}",
        hint=f"add a row for it to {table.file}",
        message_zh=f"{table.file} 中没有 {row.key!r}",
        hint_zh=f"请先在 {table.file} 中添加该行",
    )


def _no_warehouse(row: Row) -> Rejected:
    house = row.get("warehouse_id")
    return Rejected(
        reason="NOT_FOUND",
        field="warehouse_id",
        message=f"{row.key!r} has no warehouse {house!r}",
        hint="add a row for it to warehouses.csv",
        message_zh=f"{row.key!r} 没有仓库 {house!r}",
        hint_zh="请先在 warehouses.csv 中添加该仓库",
    )


def _twice(head: Row) -> Rejected:
    return Rejected(
        reason="DUPLICATE",
        field=head.table.key,
        message=f"{head.label} has the same id",
        hint="use another id, or delete one of the rows",
        message_zh=f"与 {head.label} 编号相同",
        hint_zh="请改用其他编号，或删除其中一行",
    )


def _head_refused(head: Row) -> Rejected:
    return Rejected(
        reason="WRONG_STATE",
        field=head.table.key,
        message=f"the row that it belongs to, {head.label}, was refused",
        hint="mend that row first",
        message_zh=f"其所属的 {head.label} 未被接受",
        hint_zh="请先修改那一行",
    )


def _contradiction(column: str, head: Row) -> Rejected:
    return Rejected(
        reason="DUPLICATE",
        field=column,
        message=f"this differs from {head.label}, which has the same id",
        hint="leave it empty here, or use another id",
        message_zh=f"与同编号的 {head.label} 不一致",
        hint_zh="此处请留空，或使用其他编号",
    )
