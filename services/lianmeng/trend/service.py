"""Detection at work: batches in from the log, facts out to it, through one engine.

After a start the whole of SIGNALS is counted again, and the facts that are already on TRENDS are
adopted where they were written; what is counted after the last of them is decided as if it were
new. A crash between a batch and its facts therefore loses none and writes none twice. Facts are
written one after another and each is acknowledged before the next batch is taken.

The end of an episode of which nothing is heard any more, or whose window has ended, is found by a
sweep of the platform's clock. Its fact carries the time of the sweep and the place in SIGNALS up to
which it knew.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Poison, Rejected, Transient
from lianmeng.kernel.signals import SignalBatch
from lianmeng.kernel.thresholds import TrendThresholds
from lianmeng.kernel.trends import Trend, TrendMapping
from lianmeng.pool.products import Product
from lianmeng.runtime.jetstream import Conflict
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.metrics import SIGNALS, TRENDS
from lianmeng.trend.engine import Engine, Taken
from lianmeng.trend.ports import Arrived, Facts, Letters, Recorded
from lianmeng.trend.signals import TimeLimits, require_batch
from lianmeng.trend.wire import read_stored_batch

APPLIED_WITHIN_S = 2.0
"""Seconds that a reader waits for a batch to be counted."""


class Detection:
    """The engine of a zone, connected. One task at a time changes it."""

    def __init__(
        self,
        engine: Engine,
        facts: Facts,
        letters: Letters,
        clock: Clock,
        limits: TrendThresholds,
    ) -> None:
        self._engine = engine
        self._facts = facts
        self._letters = letters
        self._clock = clock
        self._limits = limits
        self._turn = asyncio.Lock()
        self._news = asyncio.Condition()
        self._recorded: defaultdict[int, list[Trend]] = defaultdict(list)
        self._watermark = 0
        self._buried: frozenset[int] = frozenset()
        self._sequences: dict[str, int] = {}
        self._position = 0
        self._live = False

    def remember(self, history: Iterable[Recorded], buried: frozenset[int]) -> None:
        """Take what is on TRENDS and what was put aside, before the first batch."""
        for fact in history:
            self._recorded[fact.position].append(fact.trend)
            self._watermark = max(self._watermark, fact.position)
            self._sequences[fact.trend.trend_id] = fact.sequence
        self._buried = buried

    def judge(self, batch: SignalBatch) -> Taken:
        """What would become of a batch, as far as is known here."""
        return self._engine.judge(batch)

    async def take(self, message: Arrived) -> None:
        """Count one batch and write the facts that follow from it."""
        async with self._turn:
            await self._take(message)
            self._position = message.position
            if message.last:
                await self._go_live()
        async with self._news:
            self._news.notify_all()

    async def start_live(self) -> None:
        """There is no batch on the log: what happens from now on is new."""
        async with self._turn:
            await self._go_live()

    async def put_product(self, product: Product) -> None:
        """Take a version of a product; living trends that it concerns are told anew."""
        async with self._turn:
            self._engine.put_product(product)
            if self._live:
                await self._write(self._engine.remap())

    async def sweep(self) -> None:
        """End the episodes of which nothing is heard any more. Idle until all is counted."""
        async with self._turn:
            if self._live:
                await self._write(self._engine.sweep(self._clock.now()))

    async def applied(self, position: int) -> int:
        """Wait until the batch at `position` is counted; the sequence of the newest fact.

        Raises `Transient(VIEW_LAGS)` after two seconds.
        """
        try:
            async with asyncio.timeout(APPLIED_WITHIN_S), self._news:
                await self._news.wait_for(lambda: self._position >= position)
        except TimeoutError as error:
            behind = position - self._position
            raise Transient(
                "VIEW_LAGS",
                f"detection is {behind} batches behind the log",
                timedelta(seconds=1),
                f"检测落后日志 {behind} 批",
            ) from error
        return max(self._sequences.values(), default=0)

    async def _take(self, message: Arrived) -> None:
        recorded = self._recorded.pop(message.position, [])
        batch = None if message.position in self._buried else await self._read(message)
        if batch is None:
            self._engine.adopt(recorded)
            return
        decide = message.position >= self._watermark
        outcome = self._engine.apply(batch, recorded, decide=decide)
        await self._account(message, batch, outcome.taken)
        await self._write(outcome.facts, message.position)

    async def _read(self, message: Arrived) -> SignalBatch | None:
        """The batch; None once it has been put aside because it cannot be taken."""
        limits = TimeLimits(self._limits.signal_future_tolerance_s)
        try:
            return require_batch(read_stored_batch(message.data), self._clock.now(), limits)
        except (Poison, Rejected) as error:
            SIGNALS.labels("refused").inc()
            await self._bury(message, error.reason, str(error))
            return None

    async def _account(self, message: Arrived, batch: SignalBatch, taken: Taken) -> None:
        count = len(batch.time_s)
        match taken:
            case Taken.COUNTED:
                SIGNALS.labels("accepted").inc(count)
            case Taken.DUPLICATE:
                SIGNALS.labels("duplicate").inc(count)
            case _:
                SIGNALS.labels("refused").inc(count)
                what = f"{batch.source} {batch.source_sequence}: {taken.name}"
                await self._bury(message, "OUT_OF_RANGE", what)

    async def _bury(self, message: Arrived, reason: str, detail: str) -> None:
        while True:
            try:
                return await self._letters.bury(message, reason, detail)
            except Transient as error:
                await asyncio.sleep(error.retry_after.total_seconds())

    async def _go_live(self) -> None:
        if not self._live:
            self._live = True
            await self._write(self._engine.remap())

    async def _write(self, facts: Iterable[Trend], position: int | None = None) -> None:
        for fact in facts:
            await self._write_one(fact, self._position if position is None else position)

    async def _write_one(self, fact: Trend, position: int) -> None:
        """Write until it stands, or until another fact stands in its place, which is taken."""
        while True:
            expected = self._sequences.get(fact.trend_id, 0)
            try:
                sequence = await self._facts.publish(fact, expected, position)
            except Conflict:
                if await self._yield_to_other(fact):
                    return
            except Transient as error:
                await asyncio.sleep(error.retry_after.total_seconds())
            else:
                self._sequences[fact.trend_id] = sequence
                _tell(fact)
                return

    async def _yield_to_other(self, fact: Trend) -> bool:
        """After a conflict: whether a newer fact stands there, ours of an earlier try or not."""
        try:
            last = await self._facts.last(fact.trend_id)
        except Transient as error:
            await asyncio.sleep(error.retry_after.total_seconds())
            return False
        if last is None or last.sequence <= self._sequences.get(fact.trend_id, 0):
            return False
        self._sequences[fact.trend_id] = last.sequence
        if last.trend == fact:
            _tell(fact)
        else:
            self._engine.adopt([last.trend])
        return True


def _tell(fact: Trend) -> None:
    kind = fact.event.lower()
    TRENDS.labels(kind).inc()
    line.info(
        f"trend.{kind}",
        trend=fact.trend_id,
        product=fact.product_id or fact.term,
        market=fact.market,
        phase=fact.phase,
        p50=fact.demand_window.p50_units,
        version=fact.forecast_version,
    )
    if fact.mapping is TrendMapping.UNMAPPED and kind == "detected":
        missing = ", ".join(fact.missing)
        line.info("trend.unmapped", trend=fact.trend_id, product=fact.term, missing=missing)
