"""The door: whether a batch of signals can be taken, and in which form it is kept.

Terms are kept in one spelling (Unicode NFKC, case folded, single spaces), so that two sources
speak of the same thing. A batch is taken whole or refused whole, with the field at fault.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from lianmeng.kernel.codes import require_market
from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.ids import require_id
from lianmeng.kernel.personal_data import refuse_personal_data
from lianmeng.kernel.signals import SignalBatch, SignalKey

MAX_SIGNALS = 100_000
"""Signals of one batch."""

MAX_KEYS = 10_000
"""Keys of one batch."""

MAX_COUNT = 1_000_000_000
"""What one signal may count."""

MAX_TERM_LENGTH = 120
"""Characters of a term or of a platform's name."""

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Event times that are believed at `now`: seconds ahead of it, days behind it."""

    future_s: int
    age_days: int | None = None


def require_batch(batch: SignalBatch, now: datetime, limits: TimeLimits) -> SignalBatch:
    """`batch` with its terms in one spelling. `now` is the platform's clock.

    Raises `Rejected` with the path of the field: MISSING_FIELD, MALFORMED_ID, COLUMN_LENGTHS,
    KEY_INDEX, OUT_OF_RANGE, UNKNOWN_MARKET, SIGNAL_IN_FUTURE, PERSONAL_DATA.
    """
    require_id(batch.source, "batch.source")
    _require_range(batch.source_sequence, 1, 2**63 - 1, "batch.source_sequence")
    _require_lengths(batch)
    _require_times(batch.time_s, int(now.timestamp()), limits)
    _require_columns(batch)
    keys = tuple(_key(key, f"batch.keys[{i}]") for i, key in enumerate(batch.keys))
    for i, platform in enumerate(batch.platforms):
        _text(platform, f"batch.platforms[{i}]")
    return replace(batch, keys=keys)


def normal_term(term: str) -> str:
    """The one spelling of a term."""
    return " ".join(unicodedata.normalize("NFKC", term).casefold().split())


def _key(key: SignalKey, field: str) -> SignalKey:
    term = normal_term(_text(key.term, f"{field}.term"))
    return SignalKey(term, require_market(key.market, f"{field}.market"))


def _text(text: str, field: str) -> str:
    """`text`, if it is short, printable and about nobody."""
    if not text.strip():
        raise _missing(field)
    if len(text) > MAX_TERM_LENGTH or not text.isprintable():
        raise Rejected(
            reason="MALFORMED_VALUE",
            field=field,
            message=f"{text[:20]!r}… is too long or has control characters",
            hint=f"write at most {MAX_TERM_LENGTH} printable characters",
            message_zh=f"{text[:20]!r}… 过长或含有控制字符",
            hint_zh=f"最多 {MAX_TERM_LENGTH} 个可显示字符",
        )
    return refuse_personal_data(text, field)


def _require_lengths(batch: SignalBatch) -> None:
    size = len(batch.time_s)
    if not batch.keys:
        raise _missing("batch.keys")
    if not size:
        raise _missing("batch.time_s")
    _require_range(size, 1, MAX_SIGNALS, "batch.time_s", "the number of signals", "信号条数")
    _require_range(len(batch.keys), 1, MAX_KEYS, "batch.keys", "the number of keys", "键的个数")
    for name in ("key_index", "metric", "count"):
        _require_length(name, getattr(batch, name), size)
    for name in ("platform_index", "retraction", "account_hash"):
        column = getattr(batch, name)
        if column:
            _require_length(name, column, size)


def _require_length(name: str, column: Sequence[object], size: int) -> None:
    if len(column) == size:
        return
    raise Rejected(
        reason="COLUMN_LENGTHS",
        field=f"batch.{name}",
        message=f"{len(column)} values beside {size} times",
        hint="send one value for each signal; batches cut in half are sent again whole",
        message_zh=f"有 {len(column)} 个值，但时间列有 {size} 个",
        hint_zh="每条信号一个值；被截断的批次请整批重发",
    )


def _require_times(times: Sequence[int], now_s: int, limits: TimeLimits) -> None:
    latest = max(times)
    if latest > now_s + limits.future_s:
        raise Rejected(
            reason="SIGNAL_IN_FUTURE",
            field=f"batch.time_s[{times.index(latest)}]",
            message=f"it lies {latest - now_s} s ahead of the platform's clock",
            hint=f"at most {limits.future_s} s are allowed: set the source's clock, send UTC",
            message_zh=f"比平台时钟早了 {latest - now_s} 秒（未来时间）",
            hint_zh=f"最多允许 {limits.future_s} 秒：请校准来源时钟并使用 UTC",
        )
    earliest = min(times)
    days = limits.age_days
    if earliest <= 0 or (days is not None and earliest < now_s - days * DAY_S):
        age = "" if days is None else f" and not older than {days} days"
        age_zh = "" if days is None else f"，且不早于 {days} 天前"
        raise Rejected(
            reason="OUT_OF_RANGE",
            field=f"batch.time_s[{times.index(earliest)}]",
            message=f"{earliest} is not a believable event time",
            hint=f"send seconds since 1970-01-01 UTC, above 0{age}",
            message_zh=f"{earliest} 不是可信的事件时间",
            hint_zh=f"请填 1970-01-01 UTC 起的秒数，大于 0{age_zh}",
        )


def _require_columns(batch: SignalBatch) -> None:
    _require_inside(batch.count, 0, MAX_COUNT, "batch.count")
    _require_index(batch.key_index, len(batch.keys), "batch.key_index", "KEY_INDEX")
    if batch.platform_index:
        size = len(batch.platforms)
        _require_index(batch.platform_index, size, "batch.platform_index", "OUT_OF_RANGE")
    if batch.account_hash:
        _require_inside(batch.account_hash, 0, 2**64 - 1, "batch.account_hash")


def _require_inside(column: Sequence[int], low: int, high: int, field: str) -> None:
    """Refuse the first value outside of a range. The usual case costs two passes in C."""
    for value in (min(column), max(column)):
        if not low <= value <= high:
            _require_range(value, low, high, f"{field}[{column.index(value)}]")


def _require_index(column: Sequence[int], size: int, field: str, reason: str) -> None:
    worst = max(column)
    if worst < size and min(column) >= 0:
        return
    raise Rejected(
        reason=reason,
        field=f"{field}[{column.index(worst)}]",
        message=f"{worst} points outside of a dictionary of {size}",
        hint="indexes count from 0; send the dictionary with the batch",
        message_zh=f"{worst} 超出了长度为 {size} 的字典",
        hint_zh="下标从 0 开始；字典须随批次一起发送",
    )


def _require_range(
    value: int, low: int, high: int, field: str, what: str = "the value", what_zh: str = "数值"
) -> None:
    if low <= value <= high:
        return
    raise Rejected(
        reason="OUT_OF_RANGE",
        field=field,
        message=f"{what} {value} lies outside of {low} to {high}",
        hint=f"send {low} to {high}",
        message_zh=f"{what_zh} {value} 不在 {low} 至 {high} 之间",
        hint_zh=f"请填 {low} 至 {high}",
    )


def _missing(field: str) -> Rejected:
    return Rejected(
        reason="MISSING_FIELD",
        field=field,
        message="it is empty",
        hint="fill it in",
        message_zh="不能为空",
        hint_zh="请填写",
    )
