"""The one place where the registry's parts are connected."""

from __future__ import annotations

import asyncio
from functools import partial

from redis.asyncio import Redis

from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Transient
from lianmeng.pool.follow import FollowedKeys
from lianmeng.registry.bootstrap import bootstrap_file, ensure_principals, read_first
from lianmeng.registry.bulk import Bulk
from lianmeng.registry.bulk_checker import Checker
from lianmeng.registry.log import PictureFollower, StreamRecords
from lianmeng.registry.picture import Picture
from lianmeng.registry.rpc import RegistryRpc
from lianmeng.registry.service import Registry
from lianmeng.registry.views import RegistryViews
from lianmeng.registry.watch import Watch
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.process import Parts, Process
from lianmeng.runtime.subjects import Stream, stream_name
from lianmeng.v1.registry_pb2_grpc import add_RegistryServiceServicer_to_server

PAUSE_S = 0.1

NAME = "lianmeng.v1.RegistryService"
"""Full name of the service in the contract."""


async def wire(process: Process) -> Parts:
    """The registry of a process. The first principals are on the log when this returns.

    Raises `Transient` if the log fails, `Rejected` for a bad bootstrap file.
    """
    first = read_first(bootstrap_file(process.settings.home))
    await ensure_principals(StreamRecords(process.log, process.zone), process.clock, first)
    return assemble(process.log, process.memory, process.zone, process.clock)


def assemble(log: Log, memory: Redis, zone: str, clock: Clock) -> Parts:
    """The connected parts on a log whose streams exist."""
    records = StreamRecords(log, zone)
    picture = Picture()
    follower = PictureFollower(log, zone, picture)
    book = FollowedKeys(log, zone)
    views = RegistryViews(memory, log, zone)
    checker = Checker(clock)
    registry = Registry(records, follower, picture, clock)
    rpc = RegistryRpc(
        registry,
        Bulk(registry, records, follower, picture, clock, checker),
        views,
        Watch(log, zone, picture),
        clock,
        stream_name(Stream.REGISTRY, zone),
    )

    async def ready() -> None:
        """All that was registered before is known: until then a refusal could be wrong."""
        while True:
            try:
                await follower.heard(await records.newest())
                return await book.catch_up()
            except Transient:  # a long stream takes longer than one wait
                await asyncio.sleep(PAUSE_S)

    return Parts(
        services=(NAME,),
        bind=partial(add_RegistryServiceServicer_to_server, rpc),
        book=book,
        tasks={
            "picture": follower.run,
            "keys": book.run,
            "checker": checker.run,
            **views.tasks(),
        },
        ready=ready,
    )
