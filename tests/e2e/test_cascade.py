"""A real retweet cascade becomes a trend, and the trend an alliance that runs and dissolves.

Times and follower counts are real. The account hashes, the views, and all carts and orders are
synthesised (`lianmeng.world.cascades` says how).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lianmeng.kernel.ids import alliance_id_of_trend
from lianmeng.kernel.signals import SignalKey
from lianmeng.runtime.codec import encode
from lianmeng.runtime.storytime import StoryClock
from lianmeng.v1 import trend_pb2 as tpb
from lianmeng.world.cascades import cascade, read_cascade
from lianmeng.world.counts import HOUR_S, last_time_s
from lianmeng.world.products import SCARF
from tests.e2e.short_story import patiently, short_story
from tests.e2e.test_kills import WITHIN_S

HOURS_SO_FAR = 20
"""The cascade began this long ago: what it has brought so far is played at once."""


@pytest.mark.data
@pytest.mark.timeout(400)
async def test_a_real_cascade_forms_an_alliance(tmp_path: Path, data_dir: Path) -> None:
    text = (data_dir / "trend" / "cascades" / "RT23.txt").read_text(encoding="ascii")
    async with short_story(tmp_path / "home") as story:
        now_s = int(StoryClock(story.platform.settings.anchors).now().timestamp())
        batches = cascade(
            read_cascade(text),
            SignalKey("summer scarf", "TH"),
            SignalKey(SCARF, "TH"),
            now_s - HOURS_SO_FAR * HOUR_S,
            seed=1,
        )

        async def so_far() -> AsyncIterator[tpb.IngestSignalsRequest]:
            for batch in batches:
                if last_time_s(batch) <= now_s:
                    yield tpb.IngestSignalsRequest(batch=encode(batch, tpb.SignalBatch))

        answer = await story.operator.trend.send(story.services.trend.IngestSignals, so_far())
        assert answer.refused_batch_count == 0, answer.errors[:2]
        async for watched in story.operator.trend.watch(
            story.services.trend.WatchTrends, tpb.WatchTrendsRequest()
        ):
            trend = watched.trend
            break
        assert (trend.product_id, trend.mapping) == (SCARF, tpb.TREND_MAPPING_MAPPED)
        alliance = alliance_id_of_trend(trend.trend_id)
        ended = await story.ended([alliance], WITHIN_S)
        assert ended[alliance].state == "DISSOLVED"
        assert ended[alliance].reason == "TASKS_COMPLETED"
        assert ended[alliance].demand.trend_id == trend.trend_id
        assert list(story.states) == [alliance], "one trend, one alliance"
        assert await story.violations() == []
        stub = story.services.trend.GetTrend
        request = tpb.GetTrendRequest(trend_id=trend.trend_id)
        read = await patiently(lambda: story.operator.trend.call(stub, request))
        assert read.trend.trend_id == trend.trend_id
