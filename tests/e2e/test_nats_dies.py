"""NATS is killed, again and again: callers hear "try again", the services heal by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.state import State
from tests.e2e.short_story import short_story, summary
from tests.e2e.test_kills import EXPECTED, WITHIN_S

DIES_IN = (State.PROPOSED, State.INVITING, State.REPAIRING)


@pytest.mark.timeout(500)
async def test_the_log_server_is_killed(tmp_path: Path) -> None:
    async with short_story(tmp_path / "home") as story:
        died: list[State] = []

        async def kill(record: AllianceRecord) -> None:
            state = record.state.state if record.state else None
            if state in DIES_IN and state not in died:
                died.append(state)
                await story.platform.kill("nats")

        story.listeners.append(kill)
        alliance = await story.submit("nats-dies")
        ended = await story.ended([alliance], 3 * WITHIN_S)
        assert summary(ended[alliance]) == EXPECTED
        assert died == list(DIES_IN)
        assert await story.violations() == []
