"""Signals from a CSV file: one row per observation, to the columns of `SignalBatch`.

Accounts are hashed with a salt before they leave this module; the platform never sees them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from lianmeng.kernel.codes import require_market
from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.signals import SignalBatch, SignalKey
from lianmeng.pool import checks
from lianmeng.pool.checks import UNITS
from lianmeng.pool.csv_rows import Row, RowError, missing_cell, write_rows
from lianmeng.pool.csv_tables import SIGNALS

ROWS_PER_BATCH = 5_000


def good_signals(rows: Sequence[Row]) -> tuple[list[Row], list[RowError]]:
    """The rows that are in order, by time, and the errors of the others that could be read."""
    good: list[Row] = []
    errors: list[RowError] = []
    for row in rows:
        missing = [
            missing_cell(row, column)
            for column in SIGNALS.columns
            if column.needed and column.name not in row.cells
        ]
        if row.spoiled:
            continue
        try:
            if not missing:
                _check(row)
                good.append(row)
        except Rejected as refusal:
            missing.append(row.error(refusal))
        errors.extend(missing)
    return sorted(good, key=lambda row: row.get("timestamp")), errors


def batches(rows: Sequence[Row], source: str, salt: str) -> Iterator[SignalBatch]:
    """Good rows as batches of `source`, numbered from 1; `salt` keeps account hashes apart."""
    for number, start in enumerate(range(0, len(rows), ROWS_PER_BATCH), start=1):
        yield _batch(rows[start : start + ROWS_PER_BATCH], source, number, salt)


def account_hash(account: str, salt: str) -> int:
    """A number from 1 to 2⁶⁴ − 1 for an account; 0 for the empty one, which is unknown."""
    if not account:
        return 0
    digest = hashlib.blake2b(account.encode(), digest_size=8, key=salt.encode()[:64]).digest()
    return int.from_bytes(digest, "big") or 1


def write_signals(found: Iterable[SignalBatch]) -> str:
    """A signals file from batches. Accounts are written as their hashes: as opaque as before."""
    rows = [_cells(batch, index) for batch in found for index in range(len(batch.time_s))]
    return write_rows(SIGNALS, rows)


def _cells(batch: SignalBatch, index: int) -> dict[str, Any]:
    key = batch.keys[batch.key_index[index]]
    account = batch.account_hash[index] if batch.account_hash else 0
    return {
        "timestamp": datetime.fromtimestamp(batch.time_s[index], UTC),
        "term": key.term,
        "market": key.market,
        "metric": batch.metric[index],
        "platform": batch.platforms[batch.platform_index[index]] if batch.platform_index else "",
        "count": batch.count[index],
        "account": f"{account:016x}" if account else "",
        "retraction": bool(batch.retraction and batch.retraction[index]),
    }


def _check(row: Row) -> None:
    checks.text(row.get("term"), "term", needed=True)
    require_market(row.get("market"), "market")
    checks.in_range(row.get("count"), UNITS, "count")
    checks.text(row.get("platform"), "platform")


def _batch(rows: Sequence[Row], source: str, number: int, salt: str) -> SignalBatch:
    keys = [SignalKey(row.get("term"), row.get("market")) for row in rows]
    platforms = [row.get("platform") for row in rows]
    key_numbers = {key: index for index, key in enumerate(dict.fromkeys(keys))}
    platform_numbers = {name: index for index, name in enumerate(dict.fromkeys(platforms))}
    return SignalBatch(
        source=source,
        source_sequence=number,
        keys=tuple(key_numbers),
        time_s=tuple(int(row.get("timestamp").timestamp()) for row in rows),
        key_index=tuple(key_numbers[key] for key in keys),
        metric=tuple(row.get("metric") for row in rows),
        platform_index=tuple(platform_numbers[name] for name in platforms),
        count=tuple(row.get("count") for row in rows),
        retraction=tuple(row.get("retraction") for row in rows),
        account_hash=tuple(account_hash(row.get("account"), salt) for row in rows),
        platforms=tuple(platform_numbers),
    )
