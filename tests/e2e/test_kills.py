"""Kill -9 of every service in every living state: all ends as if nothing had happened.

Replay one round: `make pytest T="tests/e2e/test_kills.py -k 'round-3'"`.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from random import Random

import pytest

from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.state import State
from lianmeng.alliance.states import TERMINAL
from lianmeng.kernel.ids import alliance_id_of_command
from lianmeng.runtime.settings import SERVICES
from tests.e2e.short_story import UNITS, ShortStory, Summary, short_story, summary

LIVING = [state for state in State if state not in TERMINAL]
ROUNDS = 2
"""Each state × service is met this often: 7 states × 4 services × 2 = 56 kills."""

EXPECTED = Summary("DISSOLVED", "TASKS_COMPLETED", UNITS, UNITS)
SEED = 20_260_302
WITHIN_S = 120.0


class Killer:
    """Kills one service the first time that an alliance enters a state."""

    def __init__(self, story: ShortStory) -> None:
        self._story = story
        self._plans: dict[str, tuple[State, str]] = {}
        self.kills: list[tuple[State, str]] = []

    def plan(self, alliance: str, state: State, service: str) -> None:
        """At the alliance's first fact that leads to `state`, or at once if it is there."""
        self._plans[alliance] = (state, service)

    async def on(self, record: AllianceRecord) -> None:
        """A listener of the log."""
        state, service = self._plans.get(record.alliance_id, (None, ""))
        if record.state is None or record.state.state is not state:
            return
        del self._plans[record.alliance_id]
        await self._story.platform.wait_ready(service)
        await self._story.platform.kill(service)
        self.kills.append((record.state.state, service))


@pytest.mark.timeout(1200)  # three minutes on two idle cores
async def test_kills_change_nothing(tmp_path: Path) -> None:
    rng = Random(SEED)
    async with short_story(tmp_path / "home") as story:
        killer = Killer(story)
        story.listeners.append(killer.on)
        undisturbed = await story.submit("undisturbed")
        await story.ended([undisturbed], WITHIN_S)
        for number, state in itertools.product(range(ROUNDS), LIVING):
            services = list(SERVICES)
            rng.shuffle(services)
            alliances = []
            for service in services:
                name = f"round-{number}-{state.lower().replace('_', '-')}-{service}"
                alliance = alliance_id(story, name)
                killer.plan(alliance, state, service)
                assert await story.submit(name) == alliance
                alliances.append(alliance)
            ended = await story.ended(alliances, WITHIN_S)
            assert {summary(s) for s in ended.values()} == {EXPECTED}, (number, state)
        assert summary(story.states[undisturbed]) == EXPECTED
        assert len(killer.kills) == ROUNDS * len(LIVING) * len(SERVICES)
        assert set(killer.kills) == set(itertools.product(LIVING, SERVICES))
        assert await story.violations() == []


def alliance_id(story: ShortStory, name: str) -> str:
    """The id that a command's alliance will have."""
    zone = story.platform.settings.zone
    return alliance_id_of_command(zone, story.operator.signer.principal_id, name)
