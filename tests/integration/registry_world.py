"""A registry on real servers for tests, and clients of it with keys of their own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import redis.asyncio

from lianmeng.kernel.roles import PrincipalRole
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Node
from lianmeng.pool.products import Product
from lianmeng.registry.bootstrap import First, ensure_principals
from lianmeng.registry.log import StreamRecords
from lianmeng.registry.wiring import assemble
from lianmeng.runtime.auth import Seen
from lianmeng.runtime.client import Client, channel
from lianmeng.runtime.codec import encode
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.keys import Signer, new_signer
from lianmeng.runtime.rpc import Door, RpcServer
from lianmeng.runtime.storytime import RealClock
from lianmeng.v1 import registry_pb2 as pb
from lianmeng.v1.registry_pb2_grpc import RegistryServiceStub

CLOCK = RealClock()
_commands = itertools.count(1)


def command_id() -> str:
    """A command id that was not used before."""
    return f"c-{next(_commands)}"


@dataclass(frozen=True, slots=True)
class User:
    """A principal that calls the registry."""

    signer: Signer
    client: Client
    stub: Any

    async def register(self, firm: Firm, **more: Any) -> pb.RegisterFirmResponse:
        """Register a firm with this user's key."""
        request = pb.RegisterFirmRequest(
            command_id=command_id(), firm=wire_firm(firm), public_key=self.signer.public_key
        )
        answer: pb.RegisterFirmResponse = await self.call("RegisterFirm", request, **more)
        return answer

    async def put(self, record: Node | Product, **more: Any) -> Any:
        """Put a node or a product."""
        if isinstance(record, Node):
            node = wire_node(record)
            return await self.call("PutNode", pb.PutNodeRequest(command_id=command_id(), node=node))
        product = encode(record, pb.Product)
        request = pb.PutProductRequest(command_id=command_id(), product=product)
        return await self.call("PutProduct", request, **more)

    async def activate(self, firm_id: str) -> pb.SetFirmStateResponse:
        """Set a firm ACTIVE."""
        request = pb.SetFirmStateRequest(
            command_id=command_id(), firm_id=firm_id, state=pb.FIRM_STATE_ACTIVE
        )
        answer: pb.SetFirmStateResponse = await self.call("SetFirmState", request)
        return answer

    async def put_many(self, *rows: pb.PutManyRow, chunk: int = 100) -> pb.PutManyResponse:
        """Send rows over one stream."""

        async def requests() -> AsyncIterator[pb.PutManyRequest]:
            for start in range(0, len(rows), chunk):
                yield pb.PutManyRequest(rows=rows[start : start + chunk])

        answer: pb.PutManyResponse = await self.client.send(self.stub.PutMany, requests())
        return answer

    async def call(self, method: str, request: Any, **more: Any) -> Any:
        """Any unary call."""
        return await self.client.call(getattr(self.stub, method), request, **more)


@dataclass(frozen=True, slots=True)
class RegistryWorld:
    """A running registry."""

    log: Log
    zone: str
    stub: Any
    port: int
    operator: User
    association: User

    def user(self, principal_id: str) -> User:
        """Somebody with a fresh key, not yet registered."""
        return self.user_of(new_signer(principal_id))

    def user_of(self, signer: Signer) -> User:
        """Somebody with this key."""
        return User(signer, Client(signer, "registry", CLOCK), self.stub)

    async def firm(self, firm: Firm) -> User:
        """A registered and active firm."""
        user = self.user(firm.firm_id)
        await user.register(firm)
        await self.association.activate(firm.firm_id)
        return user


@asynccontextmanager
async def running_registry(
    log: Log, memory: redis.asyncio.Redis, zone: str
) -> AsyncIterator[RegistryWorld]:
    """A registry with an operator and an association, ready to be called."""
    operator, association = new_signer("operator"), new_signer("association")
    first = [
        First("operator", (PrincipalRole.OPERATOR,), operator.public_key),
        First("association", (PrincipalRole.ASSOCIATION,), association.public_key),
    ]
    await ensure_principals(StreamRecords(log, zone), CLOCK, first)
    parts = assemble(log, memory, zone, CLOCK)
    server = RpcServer(Door("registry", parts.book, Seen(memory, zone), CLOCK), parts.services)
    parts.bind(server.server)
    port = await server.start("127.0.0.1", 0)
    running = [asyncio.ensure_future(task()) for task in parts.tasks.values()]
    await parts.ready()
    link = channel(f"127.0.0.1:{port}")
    stub = RegistryServiceStub(link)
    world = RegistryWorld(log, zone, stub, port, None, None)  # type: ignore[arg-type]
    try:
        yield replace(
            world, operator=world.user_of(operator), association=world.user_of(association)
        )
    finally:
        await link.close()
        await server.stop(0.1)
        await _end(running)


async def _end(running: Sequence[asyncio.Future[None]]) -> None:
    """Cancel until all have ended: `asyncio.wait_for` of 3.11 may lose one cancellation."""
    while running:
        for task in running:
            task.cancel()
        _, pending = await asyncio.wait(running, timeout=0.5)
        running = list(pending)


def wire_firm(firm: Firm) -> pb.Firm:
    """A firm as its owner sends it."""
    message = encode(firm, pb.Firm)
    message.ClearField("state")
    return message


def wire_node(node: Node) -> pb.Node:
    """A node as its owner sends it."""
    message = encode(node, pb.Node)
    message.ClearField("state")
    return message
