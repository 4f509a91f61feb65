"""From the text of a CSV file to rows of values, and the errors of rows.

A row that has an error is left out, and all its errors are told; the other rows are kept.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lianmeng.kernel.errors import Rejected
from lianmeng.pool.csv_tables import Column, Table

MAX_CELL = 4_000
"""Characters of one cell."""


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong in one place of a file and how to mend it, in English and Chinese.

    `row` is the number that a spreadsheet shows (the header is row 1); 0 is the whole file.
    """

    file: str
    row: int
    column: str
    reason: str
    message: str
    hint: str
    message_zh: str
    hint_zh: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.row}" + (f" [{self.column}]" if self.column else "")
        return f"{place}: {self.message}; {self.hint} | {self.message_zh}；{self.hint_zh}"


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A row. Empty cells are absent from `cells`; a `spoiled` row has cells that cannot be read."""

    table: Table
    number: int
    cells: dict[str, Any]
    spoiled: bool = False

    @property
    def key(self) -> str:
        """The id of the thing that it belongs to; "" if that cell is empty."""
        return str(self.cells.get(self.table.key, ""))

    @property
    def label(self) -> str:
        """Its place, as errors name it: `lanes.csv:4`."""
        return f"{self.table.file}:{self.number}"

    def get(self, name: str) -> Any:
        """The value of a column, or the column's default where the cell is empty."""
        value = self.cells.get(name)
        return _column(self.table, name).default if value is None else value

    def error(self, refusal: Rejected) -> RowError:
        """A refusal of what was made from this row, told in the words of the file."""
        name = refusal.field.rsplit(".", 1)[-1].split("[", 1)[0]
        parents = [part.split("[", 1)[0] for part in refusal.field.split(".")]
        columns = (self.table.column_of(part) for part in (name, *reversed(parents)))
        return RowError(
            file=self.table.file,
            row=self.number,
            column=next((column for column in columns if column), ""),
            reason=refusal.reason,
            message=refusal.message,
            hint=refusal.hint,
            message_zh=refusal.message_zh,
            hint_zh=refusal.hint_zh,
        )


def read_rows(table: Table, text: str) -> tuple[list[Row], list[RowError], int]:
    """The rows of a file, the errors of its spoiled rows, and how many rows there were."""
    reader = csv.reader(io.StringIO(text, newline=""))
    errors: list[RowError] = []
    rows: list[Row] = []
    count = 0
    try:
        names = _header(table, next(reader, []), errors)
        if any(error.row == 0 for error in errors):
            return [], errors, 0
        for number, cells in enumerate(reader, start=2):
            if any(cell.strip() for cell in cells):
                count += 1
                found = list(_cells(table, names, number, cells))
                bad = [error for _, _, error in found if error is not None]
                errors.extend(bad)
                values = {name: value for name, value, _ in found}
                rows.append(Row(table, number, values, spoiled=bool(bad)))
    except csv.Error as error:
        errors.append(_broken(table, reader.line_num, error))
    return rows, errors, count


def write_rows(table: Table, rows: Sequence[dict[str, Any]]) -> str:
    """A file of these rows, with English headers; None and absent values are empty cells."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in table.columns])
    for row in rows:
        writer.writerow([_written(column, row.get(column.name)) for column in table.columns])
    return out.getvalue()


def _written(column: Column, value: Any) -> str:
    return "" if value is None or value == column.default else column.cell.format(value)


def _column(table: Table, name: str) -> Column:
    return next(column for column in table.columns if column.name == name)


def _header(table: Table, header: list[str], errors: list[RowError]) -> list[Column | None]:
    """The column of each cell of the header. Errors of row 0 make the file unreadable."""
    known = {name: column for column in table.columns for name in (column.name, column.zh)}
    found: list[Column | None] = []
    for cell in header:
        name = cell.strip().strip("*＊").lower()
        column = known.get(name)
        if column is None and name:
            errors.append(_unknown_column(table, name))
        if column is not None and column in found:
            errors.append(_double_column(table, name))
        found.append(column)
    errors.extend(
        _missing_column(table, column)
        for column in table.columns
        if column.needed and column not in found
    )
    return found


def _cells(
    table: Table, columns: Sequence[Column | None], number: int, cells: Sequence[str]
) -> Iterator[tuple[str, Any, RowError | None]]:
    for index, cell in enumerate(cells):
        text = cell.strip()
        column = columns[index] if index < len(columns) else None
        if column is None:
            if text and index >= len(columns):
                yield "", None, _too_long(table, number)
        elif text:
            yield _cell(table, column, number, text)


def _cell(table: Table, column: Column, number: int, text: str) -> tuple[str, Any, RowError | None]:
    try:
        if len(text) > MAX_CELL:
            raise ValueError(text)
        return column.name, column.cell.parse(text), None
    except ValueError:
        shown = text if len(text) <= 40 else text[:40] + "…"
        return column.name, None, RowError(
            table.file, number, column.name, "MALFORMED_VALUE",
            f"{shown!r} cannot be read", column.cell.hint,
            f"“{shown}” 无法识别", column.cell.hint_zh,
        )  # fmt: skip


def missing_cell(row: Row, column: Column) -> RowError:
    """A needed cell of a row is empty."""
    return RowError(
        row.table.file, row.number, column.name, "MISSING_FIELD",
        "this cell is empty", column.cell.hint,
        "该单元格为空", column.cell.hint_zh,
    )  # fmt: skip


def _unknown_column(table: Table, name: str) -> RowError:
    known = ", ".join(column.name for column in table.columns)
    known_zh = "、".join(column.zh for column in table.columns)
    return RowError(
        table.file, 1, name, "UNKNOWN_FIELD",
        f"there is no column {name!r}: its cells were not read", f"the columns are {known}",
        f"没有“{name}”这一列，其内容未读取", f"可用列名：{known_zh}",
    )  # fmt: skip


def _double_column(table: Table, name: str) -> RowError:
    return RowError(
        table.file, 0, name, "DUPLICATE",
        f"the column {name!r} comes twice", "keep one of them",
        f"“{name}”列重复", "请只保留一列",
    )  # fmt: skip


def _missing_column(table: Table, column: Column) -> RowError:
    return RowError(
        table.file, 0, column.name, "MISSING_FIELD",
        f"the column {column.name!r} is missing", "add it to the first row",
        f"缺少“{column.zh}”列", "请在第一行补上该列",
    )  # fmt: skip


def _too_long(table: Table, number: int) -> RowError:
    return RowError(
        table.file, number, "", "MALFORMED_VALUE",
        "this row has more cells than the header", "put texts with commas in double quotes",
        "该行的单元格多于表头", "含逗号的文本请用英文双引号括起来",
    )  # fmt: skip


def _broken(table: Table, line: int, error: csv.Error) -> RowError:
    return RowError(
        table.file, line, "", "MALFORMED_VALUE",
        f"the file cannot be read from here on ({error})",
        "save it again as CSV, comma separated",
        "文件从此处起无法读取", "请重新另存为逗号分隔的 CSV 文件",
    )  # fmt: skip
