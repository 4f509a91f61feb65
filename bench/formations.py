"""Formations per second: demand accepted, plan proposed with its capacity held, all invited.

Plans are given, so this times the alliance core and the log: three commits a formation, of
which one touches several books. Alone: every alliance has its own resources. Under contention:
all want the same four places, and the loser of a place plans again at the next.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from bench.figures import Figure
from bench.plans import plan_in
from bench.servers import ZONE, running_log
from bench.transitions import Standing, new_id
from lianmeng.alliance import facts as f
from lianmeng.alliance import policy
from lianmeng.alliance.log import AllianceLog, CapacityTaken, Conflict, Loaded, Step
from lianmeng.kernel.ids import alliance_id_of_trend, derive
from tests import builders

COUNT = 200
WORKERS = 8
PLACES = 100
"""Under contention two alliances fit into a place, so all places are full at the end."""


async def measure() -> list[Figure]:
    """Formations per second, alone and under contention."""
    async with running_log() as log:
        alliances = AllianceLog(log, ZONE, Standing(), timedelta(seconds=30))
        alone = await _run(alliances, "alone", lambda n: [n + 1_000])
        contended = await _run(alliances, "contended", lambda n: _from(n % 4))
    return [
        Figure("formations, alone", COUNT / alone, "/s", floor=50, note=f"{WORKERS} at once"),
        Figure("formations, contended", COUNT / contended, "/s", note="2 fit into a place"),
    ]


def _from(start: int) -> Iterable[int]:
    """Places in the order in which an alliance tries them: four crowds at the first ones."""
    return [*range(start, PLACES), *range(start)]


async def _run(alliances: AllianceLog, name: str, places: Callable[[int], Iterable[int]]) -> float:
    queue = asyncio.Queue[int]()
    for number in range(COUNT):
        queue.put_nowait(number)
    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(WORKERS):
            tasks.create_task(_work(alliances, name, places, queue))
    return time.perf_counter() - started


async def _work(
    alliances: AllianceLog,
    name: str,
    places: Callable[[int], Iterable[int]],
    queue: asyncio.Queue[int],
) -> None:
    while not queue.empty():
        number = queue.get_nowait()
        await _form(alliances, derive("t-", name, str(number)), places(number))


async def _form(alliances: AllianceLog, trend: str, places: Iterable[int]) -> None:
    loaded = await alliances.load(alliance_id_of_trend(trend))
    loaded = await _commit(alliances, loaded, builders.accepted(trend))
    for place in places:
        try:
            loaded = await _commit(alliances, loaded, builders.proposed(plan_in(place)))
        except CapacityTaken:
            continue
        break
    assert loaded.state is not None
    invited = policy.next_fact(loaded.state, builders.START)
    assert isinstance(invited, f.Invited)
    await _commit(alliances, loaded, invited)


async def _commit(alliances: AllianceLog, loaded: Loaded, fact: f.Fact) -> Loaded:
    step = Step(loaded, fact, builders.START, "bench", new_id())
    while True:
        try:
            return (await alliances.commit([step]))[0]
        except Conflict:
            await asyncio.sleep(0.005)
