"""Everybody's way in: the public gRPC services, called with one's own key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, TypeVar

from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Transient
from lianmeng.runtime.client import Client, channel
from lianmeng.runtime.keys import Signer
from lianmeng.v1.lifecycle_pb2_grpc import LifecycleServiceStub
from lianmeng.v1.matcher_pb2_grpc import MatcherServiceStub
from lianmeng.v1.registry_pb2_grpc import RegistryServiceStub
from lianmeng.v1.trend_pb2_grpc import TrendServiceStub


class Answer(Protocol):
    """One answer of a watch."""

    @property
    def revision(self) -> str:
        """Where it stands on the log; "" = nowhere of its own."""
        ...


A = TypeVar("A", bound=Answer)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Caller:
    """One principal's clients, by service."""

    signer: Signer
    registry: Client
    trend: Client
    matcher: Client
    lifecycle: Client


class Services:
    """The stubs of all four services over one channel each, shared by all callers."""

    def __init__(
        self, addresses: Mapping[str, str], clock: Clock, authority: Path | None = None
    ) -> None:
        """`addresses`: host:port by service; `authority`: PEM file of who signed their TLS keys."""
        self._channels = {name: channel(address, authority) for name, address in addresses.items()}
        self._clock = clock
        self.registry = RegistryServiceStub(self._channels["registry"])
        self.trend = TrendServiceStub(self._channels["trend"])
        self.matcher = MatcherServiceStub(self._channels["matcher"])
        self.lifecycle = LifecycleServiceStub(self._channels["lifecycle"])

    def caller(self, signer: Signer) -> Caller:
        """The clients of one principal."""
        one = {name: Client(signer, name, self._clock) for name in self._channels}
        return Caller(signer, **one)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        async with AsyncExitStack() as stack:
            for way in self._channels.values():
                stack.push_async_callback(way.close)


async def follow(
    watch: Callable[[str], AsyncGenerator[A, None]], hear: Callable[[A], None]
) -> None:
    """Hear a watch for ever. `watch(after_revision)` opens it, again when it broke.

    What comes while it is broken is not missed: it goes on after the last revision.
    """
    after = ""
    while True:
        try:
            async with aclosing(watch(after)) as answers:
                async for answer in answers:
                    after = answer.revision or after
                    hear(answer)
        except Transient as error:
            await asyncio.sleep(error.retry_after.total_seconds())


async def insist(call: Callable[[], Awaitable[T]]) -> T:
    """The answer to a command, sent again while the platform says "try again"."""
    while True:
        try:
            return await call()
        except Transient as error:
            await asyncio.sleep(error.retry_after.total_seconds())
