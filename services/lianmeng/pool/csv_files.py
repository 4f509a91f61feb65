"""CSV files on disk: a folder of them describes a pool, or a file of them signals.

UTF-8, with or without a byte order mark, is expected. Spreadsheets in China often save GBK: such
a file is read too, and that is said aloud. Formats: `csv_tables`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.signals import SignalBatch
from lianmeng.pool import csv_tables as tables
from lianmeng.pool.csv_export import export
from lianmeng.pool.csv_pool import Imported, assemble
from lianmeng.pool.csv_rows import Row, RowError, read_rows, write_rows
from lianmeng.pool.csv_signals import batches, good_signals, write_signals
from lianmeng.pool.csv_tables import POOL_TABLES, SIGNALS, Table
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Node
from lianmeng.pool.products import Product

MAX_BYTES = 64 * 1024 * 1024
"""Bytes of one file."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about a file that its owner should know, although it was read."""

    file: str
    message: str
    message_zh: str


@dataclass(slots=True)
class PoolFiles:
    """What a folder holds: the records, the errors by row, the notices by file."""

    imported: Imported
    notices: list[Notice] = field(default_factory=list)


@dataclass(slots=True)
class SignalFile:
    """What a signals file holds."""

    batches: list[SignalBatch]
    errors: list[RowError]
    notices: list[Notice]
    row_count: int

    @property
    def refused_row_count(self) -> int:
        """Rows that are in no batch."""
        return len({error.row for error in self.errors if error.row > 1})


def read_pool(folder: Path, now: datetime) -> PoolFiles:
    """Firms, nodes and products of the files in `folder`; any of them may be absent.

    `now` (story time) judges stock counts. Raises `Rejected(NOT_FOUND)` if none is there.
    """
    rows: dict[str, list[Row]] = {}
    errors: list[RowError] = []
    notices: list[Notice] = []
    count = 0
    for table in POOL_TABLES:
        path = folder / table.file
        if path.is_file():
            rows[table.name], bad, read = _read(table, path, notices)
            errors.extend(bad)
            count += read
    if not rows:
        raise _no_files(folder)
    imported = assemble(rows, now)
    imported.errors[:0] = errors
    imported.row_count = count
    return PoolFiles(imported, notices)


def read_signals(path: Path, source: str, salt: str) -> SignalFile:
    """The signals of a file as batches of `source`, by time; `salt` hides accounts.

    Raises `Rejected(NOT_FOUND)` if there is no such file.
    """
    if not path.is_file():
        raise _no_files(path)
    notices: list[Notice] = []
    rows, errors, count = _read(SIGNALS, path, notices)
    good, bad = good_signals(rows)
    return SignalFile(list(batches(good, source, salt)), errors + bad, notices, count)


def write_pool(
    folder: Path, firms: Iterable[Firm], nodes: Iterable[Node], products: Iterable[Product]
) -> list[Path]:
    """Write one file per kind into `folder`, which is made if need be; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = export(firms, nodes, products)
    return [
        _write(folder / table.file, write_rows(table, rows[table.name])) for table in POOL_TABLES
    ]


def write_signal_file(path: Path, found: Iterable[SignalBatch]) -> Path:
    """Write batches as a signals file."""
    return _write(path, write_signals(found))


def describe_files() -> str:
    """The formats of all files in Markdown, English and Chinese."""
    return "\n".join(tables.describe(table) for table in (*POOL_TABLES, SIGNALS))


def _write(path: Path, text: str) -> Path:
    """With a byte order mark: without it spreadsheets show Chinese as garbage."""
    path.write_bytes(text.encode("utf-8-sig"))
    return path


def _read(table: Table, path: Path, notices: list[Notice]) -> tuple[list[Row], list[RowError], int]:
    if path.stat().st_size > MAX_BYTES:
        return [], [_unreadable(table, "it is larger than 64 MB", "文件超过 64 MB")], 0
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            wrong = _unreadable(table, "it is neither UTF-8 nor GBK", "文件编码既非 UTF-8 也非 GBK")
            return [], [wrong], 0
        notices.append(_read_as_gbk(table))
    return read_rows(table, text)


def _read_as_gbk(table: Table) -> Notice:
    return Notice(
        table.file,
        "this file is not UTF-8 and was read as GBK; check that the names are right",
        "该文件不是 UTF-8 编码，已按 GBK 读取；请核对名称是否正确",
    )


def _unreadable(table: Table, what: str, what_zh: str) -> RowError:
    return RowError(
        table.file, 0, "", "MALFORMED_VALUE",
        f"the file cannot be read: {what}", "save it again as CSV UTF-8",
        what_zh, "请另存为“CSV UTF-8（逗号分隔）”",
    )  # fmt: skip


def _no_files(path: Path) -> Rejected:
    names = ", ".join(table.file for table in POOL_TABLES)
    return Rejected(
        reason="NOT_FOUND",
        field=str(path),
        message="nothing to read here",
        hint=f"give a folder with some of {names}, or write examples with `lianmeng init`",
        message_zh="此处没有可读取的文件",
        hint_zh=f"请提供包含下列文件之一的文件夹：{names}；可用 lianmeng init 生成示例",
    )
