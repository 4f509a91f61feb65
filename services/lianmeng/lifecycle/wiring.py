"""The one place where lifecycle's parts are connected."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from redis.asyncio import Redis

from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Transient
from lianmeng.kernel.thresholds import Thresholds, load
from lianmeng.lifecycle.automation import Automation
from lianmeng.lifecycle.consumers import TrendConsumer, consume_due, consume_facts
from lianmeng.lifecycle.living import Living
from lianmeng.lifecycle.log import ToldLog
from lianmeng.lifecycle.rematching import Rematching
from lianmeng.lifecycle.rpc import LifecycleRpc
from lianmeng.lifecycle.service import Lifecycle
from lianmeng.lifecycle.sweeping import Sweep
from lianmeng.lifecycle.trend_effects import CollapseRule
from lianmeng.lifecycle.views import AllianceViews
from lianmeng.lifecycle.watching import Watching
from lianmeng.pool.follow import FollowedKeys
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.process import Parts, Process
from lianmeng.runtime.subjects import Stream, stream_name
from lianmeng.v1.lifecycle_pb2_grpc import add_LifecycleServiceServicer_to_server

NAME = "lianmeng.v1.LifecycleService"
"""Full name of the service in the contract."""


async def wire(process: Process) -> Parts:
    """The lifecycle of a process."""
    return assemble(process.log, process.memory, process.zone, process.clock, load())


def assemble(log: Log, memory: Redis, zone: str, clock: Clock, thresholds: Thresholds) -> Parts:
    """The connected parts on a log whose streams exist."""
    grace = timedelta(seconds=thresholds.formation.hold_grace_s)
    alliances = ToldLog(log, zone, clock, grace)
    keys = FollowedKeys(log, zone)
    living = Living(log, zone)
    automation = Automation(alliances, log, clock)
    rematching = Rematching(alliances, log, zone, living, clock)
    trends = TrendConsumer(alliances, rematching, log, clock, _rule(thresholds))
    reads = AllianceViews(memory, log, zone)
    rpc = LifecycleRpc(
        Lifecycle(alliances, keys, zone, clock),
        reads,
        Watching(log, zone, living),
        stream_name(Stream.ALLIANCES, zone),
    )

    async def ready() -> None:
        """The keys are known, and so is what lives."""
        while True:
            try:
                await keys.catch_up()
                return await living.caught_up()
            except Transient:  # a long stream takes longer than one wait
                continue

    return Parts(
        services=(NAME,),
        bind=partial(add_LifecycleServiceServicer_to_server, rpc),
        book=keys,
        tasks={
            "keys": keys.run,
            "living": living.run,
            "view": reads.run,
            "facts": partial(consume_facts, log, zone, automation),
            "due": partial(consume_due, log, zone, automation),
            "trends": partial(trends.run, zone),
            "sweep": Sweep(automation, living, clock).run,
            "rematching": rematching.run,
        },
        ready=ready,
    )


def _rule(thresholds: Thresholds) -> CollapseRule:
    execution = thresholds.execution
    return CollapseRule(execution.collapse_bp, timedelta(hours=execution.collapse_gap_hours))
