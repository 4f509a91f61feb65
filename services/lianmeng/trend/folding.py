"""A batch, folded: one cell per five minutes × key × metric, in one order.

Whatever the order of equal-time signals in a batch was, the cells are the same, and so is all
that is computed from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from lianmeng.kernel.signals import Metric, SignalBatch, SignalKey
from lianmeng.trend.detector import BUCKET_S


@dataclass(slots=True)
class Cell:
    """What a batch says of one metric of one key in one bucket. Retractions are subtracted."""

    bucket: int
    key: SignalKey
    metric: Metric
    count: int = 0
    newest_s: int = 0
    accounts: dict[int, int] = field(default_factory=dict)


def fold(batch: SignalBatch) -> Iterator[tuple[int, list[Cell]]]:
    """The cells of each bucket, buckets ascending, cells by key and metric."""
    cells = sorted(_cells(batch), key=lambda c: (c.bucket, c.key, c.metric))
    for bucket, group in groupby(cells, key=lambda c: c.bucket):
        yield bucket, list(group)


def _cells(batch: SignalBatch) -> list[Cell]:
    cells: dict[tuple[int, int, Metric], Cell] = {}
    none = (0,) * len(batch.time_s)
    columns = zip(
        batch.time_s,
        batch.key_index,
        batch.metric,
        batch.count,
        batch.retraction or none,
        batch.account_hash or none,
        strict=True,
    )
    for time_s, key, metric, count, taken_back, account in columns:
        at = (time_s // BUCKET_S, key, metric)
        cell = cells.get(at)
        if cell is None:
            cell = cells[at] = Cell(at[0], batch.keys[key], metric)
        signed = -count if taken_back else count
        cell.count += signed
        cell.newest_s = max(cell.newest_s, time_s)
        if account:
            cell.accounts[account] = cell.accounts.get(account, 0) + signed
    return list(cells.values())
