"""The one place where the matcher's parts are connected."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from functools import partial

from lianmeng.alliance.log import AllianceLog
from lianmeng.kernel.clock import Clock
from lianmeng.kernel.thresholds import Thresholds, load
from lianmeng.matcher.consumers import consume_alliances, consume_trends
from lianmeng.matcher.follow import PoolView
from lianmeng.matcher.planner import SolvingPlanner
from lianmeng.matcher.rpc import MatcherRpc
from lianmeng.matcher.service import SOLVES_AT_ONCE, Matcher
from lianmeng.matcher.solver import warm_up
from lianmeng.pool.follow import FollowedKeys
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.process import Parts, Process
from lianmeng.v1.matcher_pb2_grpc import add_MatcherServiceServicer_to_server

NAME = "lianmeng.v1.MatcherService"
"""Full name of the service in the contract."""


async def wire(process: Process) -> Parts:
    """The matcher of a process."""
    return assemble(process.log, process.zone, process.clock, load())


def assemble(log: Log, zone: str, clock: Clock, limits: Thresholds) -> Parts:
    """The connected parts on a log whose streams exist."""
    grace = timedelta(seconds=limits.formation.hold_grace_s)
    pool = PoolView(log, zone, clock, grace, limits.reliability)
    book = FollowedKeys(log, zone)
    matcher = Matcher(
        log=AllianceLog(log, zone, clock, grace),
        pool=pool,
        planner=SolvingPlanner(limits),
        thresholds=limits,
        clock=clock,
        new_id=lambda: secrets.token_hex(8),
        solves=asyncio.Semaphore(SOLVES_AT_ONCE),
    )

    async def trends() -> None:
        await pool.ready()
        await consume_trends(log, zone, matcher, pool)

    async def alliances() -> None:
        await pool.ready()
        await consume_alliances(log, zone, matcher)

    async def ready() -> None:
        await asyncio.to_thread(warm_up)
        await pool.ready()
        await book.catch_up()

    rpc = MatcherRpc(matcher, pool, zone, clock, limits.fx)
    return Parts(
        services=(NAME,),
        bind=partial(add_MatcherServiceServicer_to_server, rpc),
        book=book,
        tasks={
            "pool": pool.run,
            "keys": book.run,
            "trends": trends,
            "alliances": alliances,
        },
        ready=ready,
    )
