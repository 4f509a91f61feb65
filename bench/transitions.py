"""Plain transitions of an alliance against raw acknowledged publishes of the same size.

A transition recalls the alliance, decides, evolves, encodes and commits one record with its
expected sequence; the raw publish sends as many bytes and waits for the acknowledgement. Both
run one after the other, in turns within one run.
"""

from __future__ import annotations

import itertools
import time
from datetime import datetime, timedelta

from bench.figures import Figure
from bench.servers import ZONE, running_log
from lianmeng.alliance import decide, policy
from lianmeng.alliance import facts as f
from lianmeng.alliance.log import AllianceLog, Loaded, Step
from lianmeng.alliance.members import SignedStatement
from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.wire import record_bytes
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.storytime import RealClock
from lianmeng.runtime.subjects import trend_subject
from lianmeng.runtime.writes import Write
from tests import builders

ROUNDS = 10
PER_ROUND = 60

_ids = itertools.count(1)


def new_id() -> str:
    """Ids of attempts."""
    return f"bench-{next(_ids)}"


class Standing(RealClock):
    """Wall time runs, story time stands."""

    def now(self) -> datetime:
        """Story time."""
        return builders.START


async def measure() -> list[Figure]:
    """Transitions per second, raw publishes per second, and their ratio."""
    async with running_log() as log:
        alliances = AllianceLog(log, ZONE, Standing(), timedelta(seconds=30))
        loaded = await _active(alliances)
        size = len(record_bytes(_record(loaded)))
        raw_s = transitions_s = 0.0
        for _ in range(ROUNDS):
            raw_s += await _raw(log, size)
            transitions_s += await _transitions(alliances, loaded.alliance_id)
    count = ROUNDS * PER_ROUND
    ratio = 100 * raw_s / transitions_s
    return [
        Figure("raw acknowledged publishes", count / raw_s, "/s", note=f"{size} bytes"),
        Figure("plain transitions", count / transitions_s, "/s", note="recall, decide, commit"),
        Figure("transitions / raw publishes", ratio, "%", floor=50, goal=70),
    ]


async def _active(alliances: AllianceLog) -> Loaded:
    """An ACTIVE alliance, by the facts that matcher, lifecycle and firms would write."""
    signed = SignedStatement(statement=b"{}", signature=b"s", key_id="k-1")
    loaded = await alliances.load(builders.ALLIANCE)
    for fact in (builders.accepted(), builders.proposed()):
        (loaded,) = await alliances.commit([_step(loaded, fact)])
    while (due := _next(loaded, signed)) is not None:
        (loaded,) = await alliances.commit([_step(loaded, due)])
    return loaded


def _next(loaded: Loaded, signed: SignedStatement) -> f.Fact | None:
    """What lifecycle would do, or else the next firm's yes."""
    assert loaded.state is not None
    due = policy.next_fact(loaded.state, builders.START)
    pending = [i for i in loaded.state.invitations if i.acceptance is None]
    if due is not None or not pending:
        return due
    one = pending[0]
    return decide.accept(
        loaded.state, one.invitation_id, 1, one.firm_id, signed, new_id(), builders.START
    )


def _step(loaded: Loaded, fact: f.Fact) -> Step:
    return Step(loaded, fact, builders.START, "bench", new_id())


def _progress(loaded: Loaded) -> f.Fact:
    task = next(t for t in (loaded.state.tasks if loaded.state else ()) if t.state == "OPEN")
    return f.TaskReported(
        task_id=task.task_id,
        firm_id=task.firm_id,
        kind=f.ReportKind.PROGRESS,
        units=0,
        note="",
        command_id="",
    )


def _record(loaded: Loaded) -> AllianceRecord:
    return _step(loaded, _progress(loaded)).record()


async def _transitions(alliances: AllianceLog, alliance_id: str) -> float:
    started = time.perf_counter()
    for _ in range(PER_ROUND):
        loaded = await alliances.recall(alliance_id)
        await alliances.commit([_step(loaded, _progress(loaded))])
    return time.perf_counter() - started


async def _raw(log: Log, size: int) -> float:
    data = b"x" * size
    started = time.perf_counter()
    for _ in range(PER_ROUND):
        await log.publish(Write(trend_subject(ZONE, "raw"), data))
    return time.perf_counter() - started
