"""The door on the wire: batches are kept whole on the log, or refused with their reason.

A batch that is on the log already is not written again, and counts as kept: whoever did not get an
answer sends the same batches once more.
"""

from __future__ import annotations

import asyncio

from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Rejected, Transient
from lianmeng.kernel.signals import SignalBatch
from lianmeng.kernel.thresholds import TrendThresholds
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.metrics import SIGNALS
from lianmeng.trend.duplicates import MAX_SOURCES, WINDOW
from lianmeng.trend.engine import Taken
from lianmeng.trend.ports import Batches
from lianmeng.trend.service import Detection
from lianmeng.trend.signals import TimeLimits, require_batch
from lianmeng.trend.wire import read_batch
from lianmeng.v1 import trend_pb2 as pb

MAX_ERRORS = 100
"""Refused batches that an answer names."""

TRIES = 4
"""How often a batch is offered to the log before the caller is told to come again."""


class Door:
    """Judges batches by the platform's clock and writes them."""

    def __init__(
        self, batches: Batches, detection: Detection, clock: Clock, limits: TrendThresholds
    ) -> None:
        self._batches = batches
        self._detection = detection
        self._clock = clock
        self._limits = limits

    def intake(self) -> Intake:
        """The intake of one stream."""
        return Intake(self)

    def check(self, message: pb.SignalBatch) -> tuple[SignalBatch, Taken]:
        """The batch and what would become of it. Raises `Rejected`."""
        times = TimeLimits(self._limits.signal_future_tolerance_s, self._limits.signal_max_age_days)
        batch = require_batch(read_batch(message), self._clock.now(), times)
        taken = self._detection.judge(batch)
        if taken not in (Taken.COUNTED, Taken.DUPLICATE):
            raise _full(batch, taken, self._limits.max_keys)
        return batch, taken

    async def write(self, message: pb.SignalBatch) -> int:
        """Put a batch on the log. Written twice after a time-out, it is counted once."""
        data = message.SerializeToString()
        for attempt in range(1, TRIES + 1):
            try:
                return await self._batches.append(data)
            except Transient as error:
                if attempt == TRIES:
                    raise
                await asyncio.sleep(error.retry_after.total_seconds())
        raise AssertionError("the last try returns or raises")


class Intake:
    """What became of the batches of one stream."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.kept_batches = 0
        self.kept_signals = 0
        self.refused_batches = 0
        self.errors: list[pb.BatchError] = []
        self.position = 0

    async def take(self, message: pb.SignalBatch) -> None:
        """Keep or refuse a batch. Raises `Transient` when the log does not answer."""
        try:
            batch, taken = self._door.check(message)
        except Rejected as error:
            self._refuse(message, error)
            return
        if taken is Taken.COUNTED:
            self.position = await self._door.write(message)
        self.kept_batches += 1
        self.kept_signals += len(batch.time_s)

    def _refuse(self, message: pb.SignalBatch, error: Rejected) -> None:
        SIGNALS.labels("refused").inc(len(message.time_s))
        self.refused_batches += 1
        source = message.source[:80]
        if len(self.errors) >= MAX_ERRORS:
            return
        line.info("signals.refused", source=source, reason=error.reason, field=error.field)
        self.errors.append(
            pb.BatchError(
                source=source,
                source_sequence=message.source_sequence,
                reason=error.reason,
                field=error.field,
                message=f"{error.message} ({error.hint})" if error.hint else error.message,
                message_zh=f"{error.message_zh}（{error.hint_zh}）",
            )
        )


def _full(batch: SignalBatch, taken: Taken, max_keys: int) -> Rejected:
    message, hint, message_zh, hint_zh, field = {
        Taken.TOO_OLD: (
            f"number {batch.source_sequence} is older than the last {WINDOW} of this source",
            "number batches upwards; what was lost long ago is sent under a new number",
            f"批号 {batch.source_sequence} 早于该来源最近的 {WINDOW} 个批号",
            "批号须递增；很早以前丢失的批次请用新批号发送",
            "batch.source_sequence",
        ),
        Taken.TOO_MANY_SOURCES: (
            f"{MAX_SOURCES} sources are known already",
            "send under an existing source, or ask the operator",
            f"来源已达 {MAX_SOURCES} 个",
            "请使用已有来源，或联系运维",
            "batch.source",
        ),
        Taken.TOO_MANY_KEYS: (
            f"{max_keys} terms x markets are watched already",
            "send the terms that matter, or ask the operator to raise max_keys",
            f"已监测 {max_keys} 个词条×市场",
            "请只发送重要词条，或请运维调高 max_keys",
            "batch.keys",
        ),
    }[taken]
    return Rejected(
        reason="OUT_OF_RANGE",
        field=field,
        message=message,
        hint=hint,
        message_zh=message_zh,
        hint_zh=hint_zh,
    )
