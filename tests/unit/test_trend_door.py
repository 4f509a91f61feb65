"""The door of the trend service: what a batch must be, and what its sender is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.signals import SignalBatch, SignalKey
from lianmeng.trend.duplicates import MAX_SOURCES, WINDOW, Duplicates, Verdict
from lianmeng.trend.signals import MAX_COUNT, TimeLimits, normal_term, require_batch
from tests.signals_builder import START, START_S, one

LIMITS = TimeLimits(future_s=300, age_days=400)


def admit(batch: SignalBatch) -> SignalBatch:
    return require_batch(batch, START, LIMITS)


def two(**changes: Any) -> SignalBatch:
    """A batch of two signals."""
    batch = one()
    columns = ("time_s", "key_index", "metric", "count")
    doubled = {name: getattr(batch, name) * 2 for name in columns}
    return replace(batch, **doubled | changes)


def test_a_good_batch_keeps_everything_but_the_spelling() -> None:
    batch = replace(one("  Cooling   SHAWL "), platforms=("TIKTOK",), platform_index=(0,))
    admitted = admit(batch)
    assert admitted == replace(batch, keys=(SignalKey("cooling shawl", "TH"),))


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"source": ""}, "MALFORMED_ID", "batch.source"),
        ({"source": "Feed No. 1"}, "MALFORMED_ID", "batch.source"),
        ({"source_sequence": 0}, "OUT_OF_RANGE", "batch.source_sequence"),
        ({"keys": ()}, "MISSING_FIELD", "batch.keys"),
        ({"time_s": ()}, "MISSING_FIELD", "batch.time_s"),
        ({"count": (1,)}, "COLUMN_LENGTHS", "batch.count"),
        ({"metric": ()}, "COLUMN_LENGTHS", "batch.metric"),
        ({"retraction": (True,)}, "COLUMN_LENGTHS", "batch.retraction"),
        ({"account_hash": (1, 2, 3)}, "COLUMN_LENGTHS", "batch.account_hash"),
        ({"key_index": (0, 1)}, "KEY_INDEX", "batch.key_index[1]"),
        ({"platform_index": (0, 0)}, "OUT_OF_RANGE", "batch.platform_index[0]"),
        ({"count": (1, -1)}, "OUT_OF_RANGE", "batch.count[1]"),
        ({"count": (MAX_COUNT + 1, 1)}, "OUT_OF_RANGE", "batch.count[0]"),
        ({"time_s": (START_S, START_S + 301)}, "SIGNAL_IN_FUTURE", "batch.time_s[1]"),
        ({"time_s": (0, START_S)}, "OUT_OF_RANGE", "batch.time_s[0]"),
        ({"time_s": (START_S, START_S - 401 * 86_400)}, "OUT_OF_RANGE", "batch.time_s[1]"),
        ({"keys": (SignalKey("", "TH"),)}, "MISSING_FIELD", "batch.keys[0].term"),
        ({"keys": (SignalKey("x" * 121, "TH"),)}, "MALFORMED_VALUE", "batch.keys[0].term"),
        ({"keys": (SignalKey("a\x00b", "TH"),)}, "MALFORMED_VALUE", "batch.keys[0].term"),
        ({"keys": (SignalKey("shawl", "XX"),)}, "UNKNOWN_MARKET", "batch.keys[0].market"),
        ({"keys": (SignalKey("13812345678", "TH"),)}, "PERSONAL_DATA", "batch.keys[0].term"),
        ({"platforms": ("a@b.example",)}, "PERSONAL_DATA", "batch.platforms[0]"),
    ],
)
def test_a_bad_batch_is_refused_with_the_field_at_fault(
    changes: dict[str, Any], reason: str, field: str
) -> None:
    with pytest.raises(Rejected) as caught:
        admit(two(**changes))
    refusal = caught.value
    assert (refusal.reason, refusal.field) == (reason, field)
    assert all((refusal.message, refusal.hint, refusal.message_zh, refusal.hint_zh))


def test_a_stored_batch_may_be_of_any_age() -> None:
    old = one(time_s=START_S - 1_000 * 86_400)
    assert require_batch(old, START, TimeLimits(300)).time_s == old.time_s


def test_spellings_of_a_term_are_one() -> None:
    assert normal_term(" ＲＰＥＴ  披肩") == normal_term("rpet 披肩")


def test_a_number_is_new_once() -> None:
    seen = Duplicates()
    assert seen.judge("a", 5) is Verdict.NEW
    seen.remember("a", 5)
    assert seen.judge("a", 5) is Verdict.DUPLICATE
    assert seen.judge("a", 4) is Verdict.NEW
    assert seen.judge("b", 5) is Verdict.NEW


def test_a_number_below_the_window_cannot_be_judged() -> None:
    seen = Duplicates()
    for number in range(1, WINDOW + 11):
        seen.remember("a", number)
    assert seen.judge("a", 10) is Verdict.TOO_OLD
    assert seen.judge("a", 11) is Verdict.DUPLICATE


def test_sources_are_bounded() -> None:
    seen = Duplicates()
    for i in range(MAX_SOURCES):
        seen.remember(f"s{i}", 1)
    assert seen.judge("one-more", 1) is Verdict.TOO_MANY_SOURCES
    assert seen.judge("s0", 2) is Verdict.NEW
