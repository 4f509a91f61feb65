"""The director of a run: registers the pool, plays the signals, casts the parts, sets the pace.

It is a client like any other: the operator, the association, the manager and each firm call the
public API with their own keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from lianmeng.kernel.errors import Transient
from lianmeng.kernel.ids import derive
from lianmeng.kernel.signals import SignalBatch
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Node
from lianmeng.pool.products import Product
from lianmeng.runtime.codec import encode
from lianmeng.runtime.keys import Signer, ensure_key, new_signer, write_key
from lianmeng.runtime.platform import OPERATOR, Platform
from lianmeng.v1 import alliance_pb2 as apb
from lianmeng.v1 import lifecycle_pb2 as lpb
from lianmeng.v1 import registry_pb2 as rpb
from lianmeng.v1 import trend_pb2 as tpb
from lianmeng.v1 import types_pb2 as ypb
from lianmeng.world.agents import Agent, Parts, agent_rng
from lianmeng.world.callers import Caller, Services
from lianmeng.world.counts import last_time_s
from lianmeng.world.pace import FAST, SLOW, Pace, within

ASSOCIATION, MANAGER = "association", "zone-manager"

ENDED = frozenset(
    {
        apb.STATE_DISSOLVED,
        apb.STATE_INFEASIBLE,
        apb.STATE_REJECTED,
        apb.STATE_FORMATION_FAILED,
    }
)
RUNNING = frozenset({apb.STATE_ACTIVE, apb.STATE_WINDING_DOWN, *ENDED})

APPROVE_AFTER_S = 40 * 60
"""Story seconds that the manager reads the risk report for."""

ROWS = 200
"""Rows of one message of a bulk stream."""


@dataclass(frozen=True, slots=True)
class Script:
    """What is played. `signals` ascend by their newest signal; `start` is day 0.

    `expected`: products whose alliances the run waits for. `quick_until`: story time until
    which the pace stays slow, since trends are still to come.
    """

    firms: Sequence[Firm]
    nodes: Sequence[Node]
    products: Sequence[Product]
    signals: Sequence[SignalBatch]
    start: datetime
    expected: frozenset[str]
    slow_until: datetime
    seed: int
    drama: bool = True


class Audience(Protocol):
    """Who hears the story as it happens."""

    def chapter(self, title: str) -> None:
        """A new part of the story begins."""

    def line(self, text: str) -> None:
        """Something happened that is no fact of a stream."""

    def trend(self, trend: tpb.Trend) -> None:
        """A trend fact."""

    def fact(self, record: apb.AllianceRecord) -> None:
        """A fact of an alliance."""


@dataclass(slots=True)
class Director:
    """One run on a platform that is up."""

    platform: Platform
    script: Script
    audience: Audience
    pace: Pace
    parts: Parts = field(default_factory=Parts)
    states: dict[str, apb.AllianceState] = field(default_factory=dict)
    signers: dict[str, Signer] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    approvals: list[asyncio.Task[None]] = field(default_factory=list)

    async def play(self, within_s: float) -> bool:
        """Play it all; whether every expected alliance ended within some wall seconds."""
        zone = self.platform.settings.zone
        async with Services(self.platform.endpoints.services, self.pace.clock) as services:
            office = await self._open_office(services)
            await self._register(services, office)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(work) for work in self._watchers(services, office)]
                tasks += [group.create_task(agent.run()) for agent in self._agents(services, zone)]
                tasks.append(group.create_task(self._feed(services, office)))
                done = await within(within_s, self.finished)
                for task in tasks:
                    task.cancel()
        return done

    # the office: operator, association, manager

    async def _open_office(self, services: Services) -> dict[str, Caller]:
        keys = self.platform.settings.home / "keys"
        operator = services.caller(ensure_key(keys / f"{OPERATOR}.pem", OPERATOR))
        office = {OPERATOR: operator}
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
            office[name] = services.caller(signer)
        return office

    async def _register(self, services: Services, office: dict[str, Caller]) -> None:
        association = office[ASSOCIATION]
        keys = self.platform.settings.home / "keys"
        for firm in self.script.firms:
            self.signers[firm.firm_id] = signer = new_signer(firm.firm_id)
            if not (keys / f"{firm.firm_id}.pem").exists():
                write_key(keys / f"{firm.firm_id}.pem", signer)
            else:
                self.signers[firm.firm_id] = ensure_key(keys / f"{firm.firm_id}.pem", firm.firm_id)
        answer = await association.registry.send(services.registry.PutMany, self._rows())
        self.audience.line(
            f"{len(self.script.firms)} firms, {len(self.script.nodes)} nodes and "
            f"{len(self.script.products)} products registered over gRPC "
            f"({answer.kept_count} rows kept, {answer.refused_count} refused)"
        )
        for error in answer.errors[:5]:
            self.audience.line(f"refused {error.row}: {error.field} {error.message}")
        gate = asyncio.Semaphore(16)

        async def activate(firm_id: str) -> None:
            request = rpb.SetFirmStateRequest(
                command_id=derive("c-", "activate", firm_id),
                firm_id=firm_id,
                state=rpb.FIRM_STATE_ACTIVE,
            )
            async with gate:
                await association.registry.call(services.registry.SetFirmState, request)

        await asyncio.gather(*(activate(firm.firm_id) for firm in self.script.firms))
        self.audience.line("all firms verified and activated by the association")

    async def _rows(self) -> AsyncIterator[rpb.PutManyRequest]:
        rows = [
            rpb.PutManyRow(row=p.product_id, product=encode(p, rpb.Product))
            for p in self.script.products
        ]
        rows += [
            rpb.PutManyRow(
                row=firm.firm_id,
                firm=rpb.RegisterFirmRequest(
                    command_id=derive("c-", "register", firm.firm_id),
                    firm=encode(firm, rpb.Firm),
                    public_key=self.signers[firm.firm_id].public_key,
                ),
            )
            for firm in self.script.firms
        ]
        rows += [
            rpb.PutManyRow(row=node.node_id, node=encode(node, rpb.Node))
            for node in self.script.nodes
        ]
        for start in range(0, len(rows), ROWS):
            yield rpb.PutManyRequest(rows=rows[start : start + ROWS])

    # signals

    async def _feed(self, services: Services, office: dict[str, Caller]) -> None:
        caller, start_s = office[ASSOCIATION], self.script.start.timestamp()
        past = [b for b in self.script.signals if last_time_s(b) <= start_s]
        live = [b for b in self.script.signals if last_time_s(b) > start_s]
        answer = await caller.trend.send(services.trend.IngestSignals, _batches(past))
        self.audience.line(f"{answer.kept_signal_count:,} signals of ordinary weeks played")
        answer = await caller.trend.send(
            services.trend.IngestSignals, self._as_they_come(live), within_s=3_600
        )
        for error in answer.errors[:3]:
            self.audience.line(f"signals refused: {error.field} {error.message}")

    async def _as_they_come(
        self, batches: Iterable[SignalBatch]
    ) -> AsyncIterator[tpb.IngestSignalsRequest]:
        for batch in batches:
            await self.pace.until(last_time_s(batch))
            yield tpb.IngestSignalsRequest(batch=encode(batch, tpb.SignalBatch))

    # watching

    def _agents(self, services: Services, zone: str) -> Iterable[Agent]:
        """An agent for every firm that could serve one of the expected products."""
        for firm_id in sorted(self._concerned()):
            yield Agent(
                firm_id=firm_id,
                zone=zone,
                caller=services.caller(self.signers[firm_id]),
                services=services,
                time=self.pace,
                parts=self.parts,
                rng=agent_rng(self.script.seed, firm_id),
            )

    def _concerned(self) -> set[str]:
        wanted = [p for p in self.script.products if p.product_id in self.script.expected]
        hs6 = {p.hs6 for p in wanted}
        markets = {sale.market for p in wanted for sale in p.prices}
        return {n.firm_id for n in self.script.nodes if _serves(n, hs6, markets)} | {
            stock.owner_firm_id
            for node in self.script.nodes
            for house in getattr(node.capability, "warehouses", ())
            for stock in house.stock
            if stock.product_id in self.script.expected
        }

    def _watchers(
        self, services: Services, office: dict[str, Caller]
    ) -> list[Coroutine[None, None, None]]:
        return [
            self._watch_trends(services, office[MANAGER]),
            self._watch_alliances(services, office[MANAGER]),
            self._keep_pace(),
        ]

    async def _watch_trends(self, services: Services, manager: Caller) -> None:
        after = ""
        while True:
            request = tpb.WatchTrendsRequest(after_revision=after)
            try:
                async with aclosing(
                    manager.trend.watch(services.trend.WatchTrends, request)
                ) as answers:
                    async for answer in answers:
                        after = answer.revision or after
                        self.audience.trend(answer.trend)
            except Transient as error:
                await asyncio.sleep(error.retry_after.total_seconds())

    async def _watch_alliances(self, services: Services, manager: Caller) -> None:
        after = ""
        while True:
            request = lpb.WatchAlliancesRequest(after_revision=after)
            try:
                async with aclosing(
                    manager.lifecycle.watch(services.lifecycle.WatchAlliances, request)
                ) as answers:
                    async for answer in answers:
                        after = answer.revision or after
                        self._heard(answer.record, services, manager)
            except Transient as error:
                await asyncio.sleep(error.retry_after.total_seconds())

    def _heard(self, record: apb.AllianceRecord, services: Services, manager: Caller) -> None:
        state = record.state
        self.states[record.alliance_id] = state
        fact = record.fact.WhichOneof("fact")
        if fact == "invited" and self.script.drama:
            self._cast(record)
        if fact == "approval_requested":
            deciding = asyncio.create_task(self._approve(state, services, manager))
            self.approvals.append(deciding)
        self.audience.fact(record)
        self.changed.set()

    def _cast(self, record: apb.AllianceRecord) -> None:
        """The story's parts, given when the major alliance invites for the first time."""
        state, alliance = record.state, record.alliance_id
        if state.approval.by == "" or self.parts.decliners:
            return
        awards: dict[str, int] = {}
        for lot in state.plan.lots:
            if lot.source == apb.LOT_SOURCE_FACTORY:
                awards[lot.firm_id] = awards.get(lot.firm_id, 0) + lot.units
        mills = sorted(awards, key=lambda firm: awards[firm])
        if mills:
            self.parts.decliners.add((alliance, mills[0]))
        if len(mills) > 1:
            self.parts.failing.add((alliance, mills[1]))
        for campaign in state.plan.campaigns[:1]:
            self.parts.late.add((alliance, campaign.firm_id))

    async def _approve(self, state: apb.AllianceState, services: Services, manager: Caller) -> None:
        await self.pace.wait(APPROVE_AFTER_S)
        request = lpb.ApproveRequest(
            command_id=derive("c-", "approve", state.alliance_id, state.risk_report_hash),
            alliance_id=state.alliance_id,
            risk_report_hash=state.risk_report_hash,
            note="report read; go",
        )
        await manager.lifecycle.call(services.lifecycle.Approve, request)

    async def _keep_pace(self) -> None:
        """Fast when nobody has anything to decide; finished when all expected have ended."""
        while True:
            self.changed.clear()
            living = [s for s in self.states.values() if s.state not in ENDED]
            calm = all(s.state in RUNNING for s in living)
            early = self.pace.clock.now() < self.script.slow_until
            self.pace.set(SLOW if early or not calm else FAST)
            served = {s.demand.product.product_id for s in self.states.values()}
            if not living and self.script.expected <= served:
                self.finished.set()
            await within(0.25, self.changed)


def _serves(node: Node, hs6: set[str], markets: set[str]) -> bool:
    capability = node.capability
    goods = set(getattr(capability, "hs6", ()))
    lanes = {lane.market for lane in getattr(capability, "lanes", ())}
    accounts = {account.market for account in getattr(capability, "accounts", ())}
    return bool(goods & hs6 or (lanes | accounts) & markets)


async def _batches(batches: Iterable[SignalBatch]) -> AsyncIterator[tpb.IngestSignalsRequest]:
    for batch in batches:
        yield tpb.IngestSignalsRequest(batch=encode(batch, tpb.SignalBatch))
