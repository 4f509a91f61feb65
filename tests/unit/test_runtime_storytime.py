"""Story time: anchors on disk, changes of pace, reopening."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lianmeng.kernel.clock import Anchor, story_at
from lianmeng.runtime import storytime
from lianmeng.runtime.storytime import (
    RealClock,
    StoryClock,
    append_anchor,
    change_pace,
    changes,
    read_anchors,
    reopen,
    sleep_until,
    wall_now,
)

START = datetime(2026, 3, 9, 8, tzinfo=UTC)
STORY = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_without_anchors_story_time_is_real_time(tmp_path: Path) -> None:
    clock = StoryClock(tmp_path / "anchors.jsonl", lambda: START)
    assert clock.now() == clock.wall() == START
    assert clock.wall_at(STORY) == STORY
    assert abs(RealClock().now() - wall_now()) < timedelta(seconds=1)


def test_a_pace_applies_from_its_anchor(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    append_anchor(path, Anchor(STORY, START, 600))
    clock = StoryClock(path, lambda: START + timedelta(seconds=6))
    assert clock.now() == STORY + HOUR
    assert clock.wall_at(STORY + 2 * HOUR) == START + timedelta(seconds=12)


def test_a_change_of_pace_does_not_jump(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    append_anchor(path, Anchor(STORY, START, 600))
    change_pace(path, 10, START + timedelta(seconds=6))
    clock = StoryClock(path, lambda: START + timedelta(seconds=16))
    assert clock.now() == STORY + HOUR + timedelta(seconds=100)


def test_a_clock_sees_what_another_process_appends(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    clock = StoryClock(path, lambda: START)
    assert clock.now() == START
    with path.open("ab") as file:
        whole = storytime._line(Anchor(STORY, START, 2))
        file.write(whole[:20])
        file.flush()
        clock._looked = 0
        assert clock.now() == START, "half a line is not an anchor"
        file.write(whole[20:])
    clock._looked = 0
    assert clock.now() == STORY


def test_reopening_continues_where_the_data_ended(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    assert reopen(path, START, START) is None
    append_anchor(path, Anchor(STORY, START, 600))
    next_day = START + timedelta(days=1)
    anchor = reopen(path, START + timedelta(seconds=6), next_day)
    assert anchor == Anchor(STORY + HOUR, next_day, 1.0)
    assert reopen(path, next_day, next_day + HOUR) is None, "real time simply goes on"
    assert StoryClock(path, lambda: next_day + HOUR).now() == STORY + 2 * HOUR


def test_an_accelerated_run_starts_now_and_goes_on_at_its_pace(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    assert reopen(path, START, START, 600) == Anchor(START, START, 600)
    later = START + timedelta(days=1)
    anchor = reopen(path, START + timedelta(seconds=6), later, 60)
    assert anchor == Anchor(START + HOUR, later, 60)


@given(
    factors=st.lists(st.floats(0.01, 10_000), min_size=1, max_size=5),
    seconds=st.lists(st.integers(0, 100_000), min_size=1, max_size=5),
)
def test_story_time_never_goes_back(factors: list[float], seconds: list[int]) -> None:
    anchors = [Anchor(STORY, START, factors[0])]
    wall = START
    for factor, gap in zip(factors[1:], seconds, strict=False):
        wall += timedelta(seconds=gap)
        anchors.append(Anchor(story_at(anchors, wall), wall, factor))
    moments = [START + timedelta(seconds=s) for s in range(0, 400_000, 20_000)]
    stories = [story_at(anchors, moment) for moment in moments]
    assert stories == sorted(stories)


async def test_a_sleeper_honours_a_faster_pace(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    append_anchor(path, Anchor(STORY, wall_now(), 1))
    clock = StoryClock(path)
    sleeper = asyncio.create_task(sleep_until(clock, STORY + HOUR))
    await asyncio.sleep(0.15)
    assert not sleeper.done()
    change_pace(path, 100_000, wall_now())
    await asyncio.wait_for(sleeper, 2)
    assert clock.now() >= STORY + HOUR


async def test_changes_are_told(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    append_anchor(path, Anchor(STORY, START, 1))
    told = changes(StoryClock(path))
    first = asyncio.ensure_future(anext(told))
    await asyncio.sleep(0.05)
    anchor = change_pace(path, 60, wall_now())
    assert await asyncio.wait_for(first, 2) == anchor
    assert read_anchors(path)[-1] == anchor
