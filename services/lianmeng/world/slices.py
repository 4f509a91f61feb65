"""Parts of signal batches: by the hour, so that they can be told as they come; by what they say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeVar

from lianmeng.kernel.signals import SignalBatch, SignalKey
from lianmeng.world.counts import HOUR_S

T = TypeVar("T")


def hourly(batches: Iterable[SignalBatch]) -> Iterator[SignalBatch]:
    """The same signals in batches that end with their hour, numbered anew from 1.

    A batch can be sent when its newest signal is past, so one that covers a day is told late.
    """
    number = 0
    for batch in batches:
        by_time = sorted(range(len(batch.time_s)), key=lambda row: batch.time_s[row])
        for _, rows in groupby(by_time, key=lambda row: batch.time_s[row] // HOUR_S):
            number += 1
            yield _part(batch, list(rows), number)


def about(batches: Iterable[SignalBatch], keys: Collection[SignalKey]) -> Iterator[SignalBatch]:
    """Only the signals about some things, in the batches in which they came."""
    for batch in batches:
        rows = [row for row, key in enumerate(batch.key_index) if batch.keys[key] in keys]
        if rows:
            yield _part(batch, rows, batch.source_sequence)


def _part(batch: SignalBatch, rows: Sequence[int], number: int) -> SignalBatch:
    """Some rows of a batch; an optional column stays empty."""

    def column(values: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(values[row] for row in rows) if values else ()

    return replace(
        batch,
        source_sequence=number,
        time_s=column(batch.time_s),
        key_index=column(batch.key_index),
        metric=column(batch.metric),
        platform_index=column(batch.platform_index),
        count=column(batch.count),
        retraction=column(batch.retraction),
        account_hash=column(batch.account_hash),
    )
