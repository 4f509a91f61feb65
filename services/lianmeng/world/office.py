"""The office of a run: operator, association and manager, and what they do before the story.

They are clients like any other, each with its own key.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from lianmeng.kernel.errors import Transient
from lianmeng.kernel.ids import derive
from lianmeng.kernel.signals import SignalBatch
from lianmeng.runtime.codec import encode
from lianmeng.runtime.keys import Signer, ensure_key
from lianmeng.runtime.platform import OPERATOR
from lianmeng.v1 import registry_pb2 as rpb
from lianmeng.v1 import trend_pb2 as tpb
from lianmeng.v1 import types_pb2 as ypb
from lianmeng.world.callers import Caller, Services
from lianmeng.world.counts import last_time_s
from lianmeng.world.pace import Pace, moment
from lianmeng.world.script import Script

ASSOCIATION, MANAGER = "association", "zone-manager"

ROWS = 200
"""Rows of one message of a bulk stream."""

CALLS_AT_ONCE = 16

BATCHES_PER_STREAM = 500
"""Live batches that one stream carries: a stream that breaks is sent again from its start."""


@dataclass(frozen=True, slots=True)
class Office:
    """Callers with an office."""

    operator: Caller
    association: Caller
    manager: Caller


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of the pool. `problems`: rows that were refused, at most the first thousand."""

    kept: int
    refused: int
    problems: tuple[str, ...]


async def open_office(services: Services, keys: Path) -> Office:
    """The operator creates the association and the manager; keys are made in `keys`."""
    operator = services.caller(ensure_key(keys / f"{OPERATOR}.pem", OPERATOR))
    made: dict[str, Caller] = {}
    for name, role in (
        (ASSOCIATION, ypb.PRINCIPAL_ROLE_ASSOCIATION),
        (MANAGER, ypb.PRINCIPAL_ROLE_ZONE_MANAGER),
    ):
        signer = ensure_key(keys / f"{name}.pem", name)
        request = rpb.CreatePrincipalRequest(
            command_id=derive("c-", "create", name),
            principal_id=name,
            roles=[role],
            public_key=signer.public_key,
        )
        await operator.registry.call(services.registry.CreatePrincipal, request)
        made[name] = services.caller(signer)
    return Office(operator, made[ASSOCIATION], made[MANAGER])


def firm_keys(script: Script, keys: Path) -> dict[str, Signer]:
    """A key for each firm, kept in `keys`."""
    names = [firm.firm_id for firm in script.firms]
    return {name: ensure_key(keys / f"{name}.pem", name) for name in names}


async def register_pool(
    services: Services, office: Office, script: Script, signers: dict[str, Signer]
) -> Registered:
    """The whole pool over one stream, vouched for by the association."""
    caller = office.association.registry
    answer = await caller.send(services.registry.PutMany, _rows(script, signers))
    problems = tuple(f"{one.row}: {one.field} {one.message}" for one in answer.errors)
    return Registered(answer.kept_count, answer.refused_count, problems)


async def _rows(script: Script, signers: dict[str, Signer]) -> AsyncIterator[rpb.PutManyRequest]:
    rows = [
        rpb.PutManyRow(row=product.product_id, product=encode(product, rpb.Product))
        for product in script.products
    ]
    rows += [
        rpb.PutManyRow(
            row=firm.firm_id,
            firm=rpb.RegisterFirmRequest(
                command_id=derive("c-", "register", firm.firm_id),
                firm=encode(firm, rpb.Firm),
                public_key=signers[firm.firm_id].public_key,
            ),
        )
        for firm in script.firms
    ]
    rows += [rpb.PutManyRow(row=node.node_id, node=encode(node, rpb.Node)) for node in script.nodes]
    for start in range(0, len(rows), ROWS):
        yield rpb.PutManyRequest(rows=rows[start : start + ROWS])


async def activate(services: Services, office: Office, firm_ids: Iterable[str]) -> None:
    """The association says of each firm that it is who it says."""
    gate = asyncio.Semaphore(CALLS_AT_ONCE)

    async def one(firm_id: str) -> None:
        request = rpb.SetFirmStateRequest(
            command_id=derive("c-", "activate", firm_id),
            firm_id=firm_id,
            state=rpb.FIRM_STATE_ACTIVE,
        )
        async with gate:
            await office.association.registry.call(services.registry.SetFirmState, request)

    await asyncio.gather(*(one(firm_id) for firm_id in firm_ids))


async def tell_past(services: Services, office: Office, past: list[SignalBatch]) -> int:
    """Signals from before the story; how many were kept."""
    answer = await office.association.trend.send(services.trend.IngestSignals, _batches(past))
    return answer.kept_signal_count


async def _batches(batches: list[SignalBatch]) -> AsyncIterator[tpb.IngestSignalsRequest]:
    for batch in batches:
        yield tpb.IngestSignalsRequest(batch=encode(batch, tpb.SignalBatch))


async def tell_signals(
    services: Services, office: Office, batches: list[SignalBatch], pace: Pace
) -> None:
    """Signals as they come in story time. A stream that breaks is sent again; none counts twice."""
    for start in range(0, len(batches), BATCHES_PER_STREAM):
        part = batches[start : start + BATCHES_PER_STREAM]
        while True:
            try:
                await office.association.trend.send(
                    services.trend.IngestSignals, _as_they_come(part, pace)
                )
                break
            except Transient as error:
                await asyncio.sleep(error.retry_after / timedelta(seconds=1))


async def _as_they_come(
    batches: list[SignalBatch], pace: Pace
) -> AsyncIterator[tpb.IngestSignalsRequest]:
    for batch in batches:
        await pace.until(moment(last_time_s(batch)))
        yield tpb.IngestSignalsRequest(batch=encode(batch, tpb.SignalBatch))
