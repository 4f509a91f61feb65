"""What is played: the pool, the signals, and what is expected of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lianmeng.kernel.signals import SignalBatch
from lianmeng.pool.csv_files import PoolFiles, SignalFile, read_pool, read_signals
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Node
from lianmeng.pool.products import Product
from lianmeng.world import signals
from lianmeng.world.counts import DAY_S, last_time_s
from lianmeng.world.firms import Pool, build_pool
from lianmeng.world.products import SCARF, SHAWL
from lianmeng.world.slices import hourly

DAY0 = datetime(2026, 3, 2, tzinfo=UTC)
"""Day 0 of the demonstration: a Monday, 08:00 in Shanghai."""

WARM_UP_DAYS = 14
"""Days of a user's signals that are history when the story begins, if there are as many."""


@dataclass(frozen=True, slots=True)
class Script:
    """What is played. `signals` ascend by their newest signal; the story begins at `start`.

    `expected`: products whose alliances must be dissolved in the end; empty = whatever comes.
    `trends_until`: story time until which trends are still to come. `drama`: some firms decline,
    answer late or fail.
    """

    firms: Sequence[Firm]
    nodes: Sequence[Node]
    products: Sequence[Product]
    signals: Sequence[SignalBatch]
    start: datetime
    trends_until: datetime
    seed: int
    expected: frozenset[str] = frozenset()
    drama: bool = True

    @property
    def ends(self) -> datetime:
        """When the last signal has been heard."""
        last = max((last_time_s(batch) for batch in self.signals), default=0)
        return datetime.fromtimestamp(last, UTC)


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """A user's files as they were read, with what is wrong in them."""

    pool: PoolFiles
    signals: SignalFile
    script: Script = field(repr=False)


def demonstration(seed: int) -> Script:
    """About 300 firms, a shawl that goes viral, a scarf that wants its mills."""
    pool = build_pool(seed, DAY0.date(), DAY0)
    return Script(
        firms=pool.firms,
        nodes=pool.nodes,
        products=pool.products,
        signals=signals.story(DAY0),
        start=DAY0,
        trends_until=DAY0 + timedelta(days=1, hours=8),
        seed=seed,
        expected=frozenset({SHAWL, SCARF}),
    )


def own_files(folder: Path, signals_file: Path, seed: int) -> OwnFiles:
    """A user's pool and signals. Raises `Rejected` when there is nothing to read."""
    told = read_signals(signals_file, "signals-csv", "lianmeng-run")
    batches = tuple(sorted(hourly(told.batches), key=last_time_s))
    start = _start(batches)
    files = read_pool(folder, start)
    found = files.imported
    pool = Pool(tuple(found.firms), tuple(found.nodes), tuple(found.products))
    script = Script(
        firms=pool.firms,
        nodes=pool.nodes,
        products=pool.products,
        signals=batches,
        start=start,
        trends_until=datetime.fromtimestamp(_last(batches), UTC),
        seed=seed,
        drama=False,
    )
    return OwnFiles(files, told, script)


def _start(batches: Sequence[SignalBatch]) -> datetime:
    """Midnight UTC after the warm-up; half of the signals are history when there are few."""
    first = min((min(batch.time_s) for batch in batches), default=int(DAY0.timestamp()))
    span = max(_last(batches) - first, 0)
    history = min(WARM_UP_DAYS * DAY_S, span // 2)
    return datetime.fromtimestamp((first + history) // DAY_S * DAY_S, UTC)


def _last(batches: Sequence[SignalBatch]) -> int:
    return max((last_time_s(batch) for batch in batches), default=int(DAY0.timestamp()))
