"""FLUSHALL on Valkey in mid-run loses nothing: views are rebuilt, the run ends well."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis.asyncio

from lianmeng.alliance.records import AllianceRecord
from lianmeng.v1 import lifecycle_pb2 as lpb
from tests.e2e.short_story import patiently, short_story, summary
from tests.e2e.test_kills import EXPECTED, WITHIN_S


@pytest.mark.timeout(400)
async def test_flushall_loses_nothing(tmp_path: Path) -> None:
    async with short_story(tmp_path / "home") as story:
        memory = redis.asyncio.Redis.from_url(story.platform.endpoints.redis_url)
        flushed: list[str] = []

        async def flush(record: AllianceRecord) -> None:
            if record.state is not None and record.state.state not in flushed:
                flushed.append(record.state.state)
                await memory.flushall()

        story.listeners.append(flush)
        alliance = await story.submit("flushed")
        ended = await story.ended([alliance], WITHIN_S)
        assert summary(ended[alliance]) == EXPECTED
        assert len(flushed) >= 7
        last = story.records[-1][0]
        zone = story.platform.settings.zone
        request = lpb.GetAllianceRequest(
            alliance_id=alliance, min_revision=f"ALLIANCES_{zone.upper()}:{last}"
        )
        stub = story.services.lifecycle.GetAlliance
        answer = await patiently(lambda: story.manager.lifecycle.call(stub, request))
        assert answer.alliance.state.fact_count == ended[alliance].fact_count
        assert await story.violations() == []
        await memory.aclose()
