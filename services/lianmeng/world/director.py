"""The director of a run: sets the stage, casts the parts, keeps the pace, and notes what happens.

It sees what a zone manager sees, through the public watches.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.ids import derive
from lianmeng.kernel.signals import SignalBatch
from lianmeng.pool.nodes import Logistics, Node
from lianmeng.runtime.codec import encode
from lianmeng.runtime.keys import Signer
from lianmeng.runtime.logs import log
from lianmeng.runtime.platform import Platform
from lianmeng.v1 import alliance_pb2 as apb
from lianmeng.v1 import lifecycle_pb2 as lpb
from lianmeng.v1 import registry_pb2 as rpb
from lianmeng.v1 import trend_pb2 as tpb
from lianmeng.world import office
from lianmeng.world.agents import Agent, Parts, at
from lianmeng.world.callers import Caller, Services, follow, insist
from lianmeng.world.casting import cast, concerned_firms
from lianmeng.world.counts import last_time_s
from lianmeng.world.draws import generator
from lianmeng.world.office import Office
from lianmeng.world.pace import CRUISE, FAST, SLOW, WAITING, Pace, within
from lianmeng.world.script import Script

APPROVE_AFTER = timedelta(minutes=40)
"""Story time that the manager reads the risk report for."""

RECOUNT_AFTER = timedelta(hours=20)
"""Story time after which stock abroad is counted again: older counts are not planned with."""

NOTHING_DUE = timedelta(days=1)
"""If nobody will report for so long, the pace is highest."""

LOOK_EVERY_S = 0.25
"""Wall seconds between two looks at the pace when nothing happens."""

RUNNING = frozenset({apb.STATE_ACTIVE, apb.STATE_WINDING_DOWN})
ENDED = frozenset(
    {
        apb.STATE_DISSOLVED,
        apb.STATE_INFEASIBLE,
        apb.STATE_REJECTED,
        apb.STATE_FORMATION_FAILED,
    }
)


class Audience(Protocol):
    """Who hears the story as it happens."""

    def line(self, text: str) -> None:
        """Something happened that is no fact of a stream."""

    def trend(self, trend: tpb.Trend) -> None:
        """A trend fact."""

    def fact(self, record: apb.AllianceRecord) -> None:
        """A fact of an alliance."""


@dataclass(slots=True)
class Notes:
    """All that happened, in order: what the story page is drawn from."""

    trends: list[tpb.Trend] = field(default_factory=list)
    records: list[apb.AllianceRecord] = field(default_factory=list)
    signal_count: int = 0
    refusals: list[str] = field(default_factory=list)

    def states(self) -> dict[str, apb.AllianceState]:
        """The latest state of each alliance."""
        return {record.alliance_id: record.state for record in self.records}


@dataclass(slots=True)
class Director:
    """One run on a platform that is up."""

    platform: Platform
    script: Script
    audience: Audience
    pace: Pace
    notes: Notes = field(default_factory=Notes)
    parts: Parts = field(default_factory=Parts)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def play(self, within_s: float) -> bool:
        """Play it all; whether every alliance came to its end within some wall seconds."""
        async with Services(self.platform.endpoints.services, self.pace.clock) as services:
            keys = self.platform.settings.home / "keys"
            people = await office.open_office(services, keys)
            signers = await asyncio.to_thread(office.firm_keys, self.script, keys)
            await self._register(services, people, signers)
            live = await self._tell_past(services, people)
            try:
                async with asyncio.timeout(within_s):
                    await self._perform(services, people, signers, live)
            except TimeoutError:
                return False
            return True

    # the stage

    async def _register(
        self, services: Services, people: Office, signers: dict[str, Signer]
    ) -> None:
        script = self.script
        found = await office.register_pool(services, people, script, signers)
        self.audience.line(
            f"{len(script.firms)} firms, {len(script.nodes)} capabilities and "
            f"{len(script.products)} products registered over gRPC, each firm with a key of its "
            f"own: {found.kept:,} rows kept, {found.refused:,} refused"
        )
        for problem in found.problems[:5]:
            self.audience.line(f"refused: {problem}")
        await office.activate(services, people, signers)
        self.audience.line("the association has verified all firms: they can be matched")

    async def _tell_past(self, services: Services, people: Office) -> list[SignalBatch]:
        """Tell what the markets said before the story; what is still to be told."""
        start_s = self.script.start.timestamp()
        past = [batch for batch in self.script.signals if last_time_s(batch) <= start_s]
        kept = await office.tell_past(services, people, past)
        self.notes.signal_count = sum(len(batch.time_s) for batch in self.script.signals)
        self.audience.line(f"{kept:,} signals of ordinary weeks are heard")
        return [batch for batch in self.script.signals if last_time_s(batch) > start_s]

    # the play

    async def _perform(
        self,
        services: Services,
        people: Office,
        signers: dict[str, Signer],
        live: list[SignalBatch],
    ) -> None:
        async with asyncio.TaskGroup() as group:
            running = [
                group.create_task(self._hear_trends(services, people.manager)),
                group.create_task(self._hear_alliances(services, people.manager, group)),
                group.create_task(office.tell_signals(services, people, live, self.pace)),
                *(
                    group.create_task(self._recount(services, signers, node))
                    for node in self.script.nodes
                ),
                *(
                    group.create_task(self._agent(services, signers[firm]).run())
                    for firm in concerned_firms(self.script)
                    if firm in signers
                ),
            ]
            await self._keep_pace()
            for task in running:
                task.cancel()

    def _agent(self, services: Services, signer: Signer) -> Agent:
        firm = signer.principal_id
        return Agent(
            firm_id=firm,
            zone=self.platform.settings.zone,
            caller=services.caller(signer),
            services=services,
            time=self.pace,
            parts=self.parts,
            rng=generator(self.script.seed, "agent", firm),
            refused=self._refused,
        )

    def _refused(self, who: str, error: Rejected) -> None:
        self.notes.refusals.append(f"{who}: {error}")
        log.warning("call.rejected", call="agent", caller=who, reason=error.reason)

    async def _recount(self, services: Services, signers: dict[str, Signer], node: Node) -> None:
        """A forwarder counts the stock in its warehouses once more."""
        able = node.capability
        if not isinstance(able, Logistics) or not any(h.stock for h in able.warehouses):
            return
        await self.pace.wait(RECOUNT_AFTER)
        now = self.pace.clock.now()
        houses = tuple(
            replace(house, stock=tuple(replace(one, as_of_time=now) for one in house.stock))
            for house in able.warehouses
        )
        counted = replace(node, capability=replace(able, warehouses=houses))
        request = rpb.PutNodeRequest(
            command_id=derive("c-", "recount", node.node_id), node=encode(counted, rpb.Node)
        )
        caller = services.caller(signers[node.firm_id])
        await insist(lambda: caller.registry.call(services.registry.PutNode, request))

    # what is heard

    async def _hear_trends(self, services: Services, manager: Caller) -> None:
        def watch(after: str) -> AsyncGenerator[tpb.WatchTrendsResponse, None]:
            request = tpb.WatchTrendsRequest(after_revision=after)
            return manager.trend.watch(services.trend.WatchTrends, request)

        def hear(answer: tpb.WatchTrendsResponse) -> None:
            self.notes.trends.append(answer.trend)
            self.audience.trend(answer.trend)

        await follow(watch, hear)

    async def _hear_alliances(
        self, services: Services, manager: Caller, group: asyncio.TaskGroup
    ) -> None:
        def watch(after: str) -> AsyncGenerator[lpb.WatchAlliancesResponse, None]:
            request = lpb.WatchAlliancesRequest(after_revision=after)
            return manager.lifecycle.watch(services.lifecycle.WatchAlliances, request)

        def hear(answer: lpb.WatchAlliancesResponse) -> None:
            record = answer.record
            self.notes.records.append(record)
            match record.fact.WhichOneof("fact"):
                case "invited" if self.script.drama:
                    cast(self.parts, record)
                case "approval_requested":
                    group.create_task(self._decide(services, manager, record.state))
            self.audience.fact(record)
            self.news.set()

        await follow(watch, hear)

    async def _decide(self, services: Services, manager: Caller, state: apb.AllianceState) -> None:
        """The manager reads the risk report, checks its hash, and approves."""
        await self.pace.wait(APPROVE_AFTER)
        digest = hashlib.sha256(state.risk_report).hexdigest()
        request = lpb.ApproveRequest(
            command_id=derive("c-", "approve", state.alliance_id, digest),
            alliance_id=state.alliance_id,
            risk_report_hash=digest,
            note="risk report read",
        )
        try:
            await insist(lambda: manager.lifecycle.call(services.lifecycle.Approve, request))
        except Rejected as error:  # the alliance has moved on meanwhile
            self._refused("manager", error)

    # the pace

    async def _keep_pace(self) -> None:
        """Set the pace by what is going on; returns when all has come to its end."""
        while True:
            self.news.clear()
            states = self.notes.states().values()
            living = [state for state in states if state.state not in ENDED]
            now = self.pace.clock.now()
            if not living and self._is_over(now):
                return
            self.pace.set(self._pace(living, now))
            await within(LOOK_EVERY_S, self.news)

    def _pace(self, living: list[apb.AllianceState], now: datetime) -> float:
        if any(state.state not in RUNNING for state in living):
            return SLOW
        if now < self.script.trends_until or not self._expected_are_here():
            return WAITING if self.script.expected else FAST
        return CRUISE if _next_report(living, now) > now + NOTHING_DUE else FAST

    def _expected_are_here(self) -> bool:
        states = self.notes.states().values()
        return self.script.expected <= {state.demand.product.product_id for state in states}

    def _is_over(self, now: datetime) -> bool:
        if self.script.expected:
            return self._expected_are_here()
        return now >= self.script.ends


def _next_report(living: list[apb.AllianceState], now: datetime) -> datetime:
    """When the next member may have something to report; `now` if somebody waits for another."""
    expected = [now + timedelta(days=365)]
    for task in (task for state in living for task in state.tasks):
        if task.state == apb.TASK_STATE_REPORTED:
            return now
        if task.state == apb.TASK_STATE_OPEN:
            opened = at(task.opened_time)
            expected.append(opened + (at(task.due_time) - opened) * 0.8)
    return min(expected)
