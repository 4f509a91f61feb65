"""The engine under repeats, other orders, other cuts, and restarts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lianmeng.kernel import thresholds
from lianmeng.kernel.signals import Metric, SignalBatch, SignalKey
from lianmeng.kernel.trends import Trend, TrendEvent
from lianmeng.trend.engine import Engine, Taken
from lianmeng.world.counts import HOUR_S
from tests.signals_builder import START_S, hours, keys, one, tenfold

LIMITS = thresholds.load()
KEYS = keys(3)

signal = st.tuples(
    st.integers(0, 48 * HOUR_S),
    st.integers(0, len(KEYS) - 1),
    st.sampled_from(list(Metric)),
    st.integers(0, 500),
    st.booleans(),
    st.integers(0, 6),
)


def engine() -> Engine:
    return Engine("zj", LIMITS)


def batch(signals: list[tuple[int, int, Metric, int, bool, int]], number: int) -> SignalBatch:
    time_s, key, metric, count, back, account = zip(*signals, strict=True)
    return SignalBatch(
        source="feed",
        source_sequence=number,
        keys=KEYS,
        time_s=tuple(START_S + t for t in time_s),
        key_index=key,
        metric=metric,
        count=count,
        retraction=back,
        account_hash=account,
    )


def state_of(thing: Any) -> Any:
    """All that an object holds, as plain values that can be compared."""
    if isinstance(thing, dict):
        return [(state_of(key), state_of(value)) for key, value in sorted(thing.items(), key=repr)]
    if isinstance(thing, list | tuple):
        return [state_of(value) for value in thing]
    if isinstance(thing, set | frozenset):
        return sorted(thing)
    names = getattr(thing, "__slots__", None) or getattr(thing, "__dict__", None)
    if names and type(thing).__module__.startswith("lianmeng"):
        return [(name, state_of(getattr(thing, name))) for name in sorted(names)]
    return repr(thing)


@given(st.lists(st.lists(signal, min_size=1, max_size=30), min_size=1, max_size=6), st.data())
@settings(max_examples=60, deadline=None)
def test_a_batch_that_comes_again_changes_nothing(
    batches: list[list[Any]], data: st.DataObject
) -> None:
    once, often = engine(), engine()
    sent = [batch(signals, number) for number, signals in enumerate(batches, start=1)]
    for index, one_batch in enumerate(sent):
        assert once.apply(one_batch) == often.apply(one_batch)
        again = data.draw(st.sampled_from(sent[: index + 1]))
        assert often.apply(again).taken is Taken.DUPLICATE
    assert state_of(once) == state_of(often)


@given(st.lists(signal, min_size=1, max_size=60), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_signals_in_a_batch_does_not_matter(signals: list[Any], rng: Random) -> None:
    one_way, other_way = engine(), engine()
    shuffled = list(signals)
    rng.shuffle(shuffled)
    assert one_way.apply(batch(signals, 1)) == other_way.apply(batch(shuffled, 1))
    assert state_of(one_way) == state_of(other_way)


@given(st.lists(signal, min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_what_is_counted_and_taken_back_adds_up_to_nothing(signals: list[Any]) -> None:
    both = engine()
    back = [(t, k, m, c, not taken, a) for t, k, m, c, taken, a in signals]
    both.apply(batch(signals + back, 1))
    state = state_of(both)
    assert "inf" not in repr(state)
    assert "nan" not in repr(state)
    for key in KEYS:
        subject = both._board.find(key)
        for state_of_key in subject.keys if subject is not None else ():
            assert all(series.total == 0 for series in state_of_key.series.values())


def test_equal_times_in_other_batches_are_the_same_to_the_counts() -> None:
    """Across batches the claim is weaker: the sums agree, up to rounding."""
    times = [START_S + 60 * i for i in range(4)]
    forth, back = engine(), engine()
    sent = [one(time_s=t, count=i + 1, number=i + 1) for i, t in enumerate(times)]
    for message in sent:
        forth.apply(message)
    for message in reversed(sent):
        back.apply(message)
    found = [e._board.find(SignalKey("product-0", "TH")) for e in (forth, back)]
    readings = [s.keys[0].series[Metric.VIEW].reading(s.bucket) for s in found if s is not None]
    assert readings[0] == readings[1]


@given(st.integers(0, 10_000), st.data())
@settings(max_examples=8, deadline=None)
def test_a_restart_anywhere_goes_on_as_if_there_was_none(seed: int, data: st.DataObject) -> None:
    days, key = 4, KEYS[0]
    burst_s = START_S + days * 24 * HOUR_S
    sent = list(hours(KEYS, days * 24 + 30, seed=seed, boost=tenfold(key, burst_s)))
    whole, facts = engine(), list[tuple[int, Trend]]()
    for position, message in enumerate(sent):
        facts += [(position, fact) for fact in whole.apply(message).facts]
    assert facts
    assert facts[0][1].event is TrendEvent.DETECTED

    cut = data.draw(st.integers(0, len(facts)), label="facts that were written")
    resumed, again = engine(), facts[:cut]
    watermark = again[-1][0] if again else 0
    for position, message in enumerate(sent):
        recorded = [fact for at, fact in facts[:cut] if at == position]
        outcome = resumed.apply(message, recorded, decide=position >= watermark)
        again += [(position, fact) for fact in outcome.facts]
    assert again == facts
    assert state_of(resumed) == state_of(whole)


def test_silence_is_judged_by_what_is_heard_of_others() -> None:
    burst_s = START_S + 4 * 24 * HOUR_S
    sent = list(hours(KEYS, 4 * 24 + 12, seed=3, boost=tenfold(KEYS[0], burst_s)))
    made = engine()
    facts = [fact for message in sent for fact in made.apply(message).facts]
    later = facts[-1].as_of_time + timedelta(days=3)
    assert made.sweep(later) == ()
    made.apply(one("product-1", source="other", time_s=int(later.timestamp())))
    (over,) = made.sweep(later)
    assert (over.event, over.as_of_time) == (TrendEvent.OVER, later)
    assert over.demand_window.p90_units == 0
    assert made.sweep(later) == ()


def test_a_window_that_has_ended_ends_the_trend() -> None:
    burst_s = START_S + 4 * 24 * HOUR_S
    sent = list(hours(KEYS, 4 * 24 + 12, seed=3, boost=tenfold(KEYS[0], burst_s)))
    made = engine()
    facts = [fact for message in sent for fact in made.apply(message).facts]
    (over,) = made.sweep(facts[-1].window_end_time)
    assert over.forecast_version == facts[-1].forecast_version + 1


def test_a_fact_of_another_worker_is_taken_as_ones_own() -> None:
    burst_s = START_S + 4 * 24 * HOUR_S
    sent = list(hours(KEYS, 4 * 24 + 12, seed=3, boost=tenfold(KEYS[0], burst_s)))
    mine = engine()
    facts = [fact for message in sent for fact in mine.apply(message).facts]
    theirs = replace(facts[-1], event=TrendEvent.UPDATED, forecast_version=99)
    mine.adopt([theirs])
    (subject,) = mine._board.living()
    assert subject.episodes[0].trend == theirs
