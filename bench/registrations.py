"""Nodes registered per second over one stream: from the first byte sent to all on the log.

A registry of its own, real servers, one caller. The nodes are those of the demonstration's pool,
each under many ids; their messages are made before the clock runs. Also told: how long after the
answer the read model finds the last of them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import Figure
from lianmeng.kernel.errors import Transient
from lianmeng.pool.nodes import Node
from lianmeng.runtime.client import Client, channel
from lianmeng.runtime.codec import encode
from lianmeng.runtime.keys import new_signer, read_key
from lianmeng.runtime.platform import OPERATOR, Platform
from lianmeng.runtime.settings import load_settings
from lianmeng.runtime.storytime import RealClock
from lianmeng.v1 import registry_pb2 as pb
from lianmeng.v1.registry_pb2_grpc import RegistryServiceStub
from lianmeng.world.firms import Pool, build_pool

COUNT = 12_000
ROWS = 200
"""Rows of one message."""

SEED = 5


async def measure() -> list[Figure]:
    """Nodes per second, and the lag of the read model behind the answer."""
    now = datetime.now(UTC)
    pool = build_pool(SEED, now.date(), now)
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(home=Path(folder))
        async with Platform(settings, any_ports=True, services=("registry",)) as platform:
            link = channel(platform.endpoints.services["registry"])
            stub: Any = RegistryServiceStub(link)
            signer = read_key(settings.key_path(OPERATOR), OPERATOR)
            client = Client(signer, "registry", RealClock())
            await client.send(stub.PutMany, _messages(_firms(pool)))
            rows = _nodes(pool)
            started = time.perf_counter()
            answer = await client.send(stub.PutMany, _messages(rows))
            streamed = time.perf_counter() - started
            assert answer.kept_count == COUNT, answer.errors[:3]
            await _found(client, stub, rows[-1].node.node_id, answer.revision)
            lag = time.perf_counter() - started - streamed
            await link.close()
    return [
        Figure("nodes registered, streamed", COUNT / streamed, "/s", floor=3_000),
        Figure("read model behind the answer", lag, "s", note=f"{COUNT} nodes"),
    ]


async def _found(client: Client, stub: Any, node_id: str, revision: str) -> None:
    """Until the read model has the last node."""
    request = pb.GetNodeRequest(node_id=node_id, min_revision=revision)
    give_up = time.perf_counter() + 60
    while True:
        try:
            await client.call(stub.GetNode, request)
            return
        except Transient:
            if time.perf_counter() > give_up:
                raise


def _firms(pool: Pool) -> list[pb.PutManyRow]:
    return [
        pb.PutManyRow(
            firm=pb.RegisterFirmRequest(
                firm=encode(firm, pb.Firm), public_key=new_signer(firm.firm_id).public_key
            )
        )
        for firm in pool.firms
    ]


def _nodes(pool: Pool) -> list[pb.PutManyRow]:
    return [pb.PutManyRow(node=encode(_copy(pool, number), pb.Node)) for number in range(COUNT)]


def _copy(pool: Pool, number: int) -> Node:
    node = pool.nodes[number % len(pool.nodes)]
    return replace(node, node_id=f"{node.node_id}-{number}")


async def _messages(rows: list[pb.PutManyRow]) -> AsyncIterator[pb.PutManyRequest]:
    for start in range(0, len(rows), ROWS):
        yield pb.PutManyRequest(rows=rows[start : start + ROWS])
