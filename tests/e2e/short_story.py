"""A short story on a whole platform: prompt firms, a prompt manager, one mill that fails.

Every demand passes through every living state: it is major (so it waits for the manager), all
accept at once, the largest mill fails (so it is repaired), all else is done as soon as it can be.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lianmeng.alliance.checker import Violation, check
from lianmeng.alliance.members import TaskState
from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.state import AllianceState
from lianmeng.alliance.states import TERMINAL
from lianmeng.alliance.wire import read_book, read_record
from lianmeng.kernel.errors import Rejected, Transient
from lianmeng.kernel.ids import derive
from lianmeng.pool.nodes import Logistics, Manufacturing, Marketing, Node
from lianmeng.runtime import subjects
from lianmeng.runtime.codec import encode
from lianmeng.runtime.followers import follow
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.keys import Signer, ensure_key, new_signer, sign_statement
from lianmeng.runtime.platform import OPERATOR, Platform
from lianmeng.runtime.settings import load_settings
from lianmeng.runtime.storytime import StoryClock
from lianmeng.v1 import alliance_pb2 as apb
from lianmeng.v1 import lifecycle_pb2 as lpb
from lianmeng.v1 import matcher_pb2 as mpb
from lianmeng.v1 import registry_pb2 as rpb
from lianmeng.v1 import types_pb2 as ypb
from lianmeng.world.callers import Caller, Services
from lianmeng.world.firms import Pool, example_pool
from lianmeng.world.products import SHAWL

FACTOR = 600.0
"""Story seconds per second: a restart of two seconds takes twenty minutes of the story."""

UNITS = 21_000
MANAGER = "zone-manager"
PLENTY = 1_000_000
MANY_HOURS = 100_000


def roomy_pool(now: datetime) -> Pool:
    """The cast of the story with room for any number of alliances."""
    pool = example_pool(now.date(), now)
    return replace(pool, nodes=tuple(roomy(node) for node in pool.nodes))


def roomy(node: Node) -> Node:
    """The node with room for any number of alliances."""
    able = node.capability
    match able:
        case Manufacturing():
            lines = tuple(replace(line, day_capacity_units=PLENTY) for line in able.lines)
            return replace(node, capability=replace(able, lines=lines))
        case Logistics():
            lanes = tuple(replace(lane, capacity_kg=PLENTY) for lane in able.lanes)
            return replace(node, capability=replace(able, lanes=lanes))
        case Marketing():
            return replace(node, capability=replace(able, creator_hours_per_day=MANY_HOURS))


@dataclass(frozen=True, slots=True)
class Summary:
    """How an alliance ended; the same whatever was killed on the way."""

    state: str
    reason: str
    planned_units: int
    sold_units: int


def summary(state: AllianceState) -> Summary:
    """The comparable part of a state."""
    shipments = {s.shipment_id for s in state.plan.shipments} if state.plan else set()
    sold = sum(
        t.accepted_units
        for t in state.tasks
        if t.ref_id in shipments and t.state is TaskState.ACCEPTED
    )
    planned = state.plan.planned_units if state.plan else 0
    return Summary(state.state, state.reason, planned, sold)


@dataclass
class ShortStory:
    """The platform, its people, and what the log says; made by `short_story`."""

    platform: Platform
    services: Services
    log: Log
    operator: Caller
    manager: Caller
    firms: dict[str, Caller]
    records: list[tuple[int, AllianceRecord]] = field(default_factory=list)
    states: dict[str, AllianceState] = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)
    listeners: list[Callable[[AllianceRecord], Awaitable[None]]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def submit(self, name: str) -> str:
        """Submit one major demand; its alliance's id."""
        now = StoryClock(self.platform.settings.anchors).now()
        wish = mpb.DemandWish(
            product_id=SHAWL,
            markets=[
                mpb.MarketWish(
                    market="TH",
                    band=ypb.Band(p10_units=UNITS // 2, p50_units=UNITS, p90_units=2 * UNITS),
                )
            ],
        )
        wish.window_end_time.FromDatetime(now + timedelta(days=21))
        request = mpb.SubmitDemandRequest(command_id=name, demand=wish)
        stub = self.services.matcher.SubmitDemand
        answer = await patiently(lambda: self.operator.matcher.call(stub, request))
        return str(answer.alliance_id)

    async def ended(self, alliances: list[str], within_s: float) -> dict[str, AllianceState]:
        """The alliances in their final states."""
        async with asyncio.timeout(within_s):
            while any(
                name not in self.states or self.states[name].state not in TERMINAL
                for name in alliances
            ):
                self.news.clear()
                await self.news.wait()
        return {name: self.states[name] for name in alliances}

    async def violations(self) -> list[Violation]:
        """What the history checker says of the whole log."""
        zone = self.platform.settings.zone
        books = {
            subjects.last_token(m.subject): read_book(m.data)
            async for m in self.log.history(subjects.capacity_subject(zone, "*"))
        }
        return check(self.records, books, StoryClock(self.platform.settings.anchors).now())

    # what happens by itself

    async def read_log(self) -> None:
        """Follow the alliances; tell the listeners."""
        subject = subjects.alliance_subject(self.platform.settings.zone, "*")
        async with aclosing(follow(self.log, subject)) as messages:
            async for message in messages:
                record = read_record(message.data)
                self.records.append((message.sequence, record))
                if record.state is not None:
                    self._cast(record.state)
                    self.states[record.alliance_id] = record.state
                for listen in self.listeners:
                    await listen(record)
                self.news.set()

    def _cast(self, state: AllianceState) -> None:
        """The mill with the most units of the first plan fails."""
        if state.plan is None or state.alliance_id in self.failing:
            return
        made = [lot for lot in state.plan.lots if lot.setup_fee_fen or lot.wave]
        self.failing[state.alliance_id] = max(made, key=lambda lot: lot.units).firm_id

    async def manage(self) -> None:
        """Approve whatever waits for the manager."""

        async def on(answer: lpb.WatchAlliancesResponse) -> None:
            state = answer.record.state
            if answer.record.fact.WhichOneof("fact") != "approval_requested":
                return
            request = lpb.ApproveRequest(
                command_id=derive("c-", state.alliance_id, state.risk_report_hash),
                alliance_id=state.alliance_id,
                risk_report_hash=state.risk_report_hash,
            )
            await self._command(self.manager, self.services.lifecycle.Approve, request)

        await self._watch(
            self.manager,
            self.services.lifecycle.WatchAlliances,
            lambda after: lpb.WatchAlliancesRequest(after_revision=after),
            on,
        )

    async def act(self, firm: str) -> None:
        """Accept every invitation, do and accept every task, as soon as it can be."""
        stub, caller = self.services.lifecycle, self.firms[firm]

        async def on_invitation(answer: lpb.WatchInvitationsResponse) -> None:
            view = answer.invitation
            if view.invitation.state == apb.INVITATION_STATE_PENDING:
                await self._command(caller, stub.AcceptInvitation, self._yes(caller, view))

        async def on_task(answer: lpb.WatchTasksResponse) -> None:
            view, task = answer.task, answer.task.task
            names: Any = {"alliance_id": view.alliance_id, "task_id": task.task_id}
            command = derive("c-", view.alliance_id, task.task_id)
            if view.as_receiver and task.state == apb.TASK_STATE_REPORTED:
                accept = lpb.AcceptTaskRequest(command_id=f"{command}-ok", **names)
                await self._command(caller, stub.AcceptTask, accept)
            elif not view.as_receiver and task.state == apb.TASK_STATE_OPEN:
                fails = self.failing.get(view.alliance_id) == firm
                kind = apb.REPORT_KIND_FAILED if fails else apb.REPORT_KIND_DONE
                report = lpb.ReportTaskRequest(command_id=command, kind=kind, **names)
                await self._command(caller, stub.ReportTask, report)

        await asyncio.gather(
            self._watch(
                caller,
                stub.WatchInvitations,
                lambda after: lpb.WatchInvitationsRequest(after_revision=after),
                on_invitation,
            ),
            self._watch(
                caller,
                stub.WatchTasks,
                lambda after: lpb.WatchTasksRequest(after_revision=after),
                on_task,
            ),
        )

    def _yes(self, caller: Caller, view: lpb.InvitationView) -> lpb.AcceptInvitationRequest:
        invitation = view.invitation
        command = derive("c-", invitation.invitation_id, str(invitation.version))
        signed, signature = sign_statement(
            caller.signer,
            "accept-invitation",
            self.platform.settings.zone,
            invitation_id=invitation.invitation_id,
            version=invitation.version,
            annex_sha256=invitation.annex_sha256,
            command_id=command,
        )
        return lpb.AcceptInvitationRequest(
            command_id=command,
            alliance_id=view.alliance_id,
            invitation_id=invitation.invitation_id,
            version=invitation.version,
            acceptance=apb.SignedStatement(
                statement=signed, signature=signature, key_id=caller.signer.key_id
            ),
        )

    async def _command(self, caller: Caller, method: Any, request: Any) -> None:
        """A refusal is an answer too: the alliance has moved on."""
        try:
            await patiently(lambda: caller.lifecycle.call(method, request))
        except Rejected:
            return

    async def _watch(
        self,
        caller: Caller,
        method: Any,
        request: Callable[[str], Any],
        on: Callable[[Any], Awaitable[None]],
    ) -> None:
        after = ""
        while True:
            try:
                async with aclosing(caller.lifecycle.watch(method, request(after))) as answers:
                    async for answer in answers:
                        await on(answer)
                        after = answer.revision or after
            except Transient:
                await asyncio.sleep(0.2)


async def patiently(call: Callable[[], Awaitable[Any]]) -> Any:
    """A command until it has an answer, as its id allows."""
    while True:
        try:
            return await call()
        except Transient as error:
            await asyncio.sleep(min(error.retry_after.total_seconds(), 0.5))


@asynccontextmanager
async def short_story(home: Path) -> AsyncIterator[ShortStory]:
    """A platform with its people at work; all of it ends with the block."""
    settings = load_settings(home=home)
    async with Platform(settings, any_ports=True, factor=FACTOR) as platform:
        clock = StoryClock(settings.anchors)
        pool = roomy_pool(clock.now())
        log = await Log.connect(platform.endpoints.nats_url, "test")
        async with Services(platform.endpoints.services, clock) as services:
            operator = services.caller(ensure_key(home / "keys/operator.pem", OPERATOR))
            signers = {firm.firm_id: new_signer(firm.firm_id) for firm in pool.firms}
            manager = new_signer(MANAGER)
            await register(services, operator, manager, pool, signers)
            story = ShortStory(
                platform=platform,
                services=services,
                log=log,
                operator=operator,
                manager=services.caller(manager),
                firms={name: services.caller(signer) for name, signer in signers.items()},
            )
            tasks = [asyncio.create_task(work) for work in (story.read_log(), story.manage())]
            tasks += [asyncio.create_task(story.act(firm)) for firm in signers]
            try:
                yield story
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        await log.close()


async def register(
    services: Services,
    operator: Caller,
    manager: Signer,
    pool: Pool,
    signers: dict[str, Signer],
) -> None:
    """Registers the manager and a pool, and activates all firms."""
    create = rpb.CreatePrincipalRequest(
        command_id="create-manager",
        principal_id=MANAGER,
        roles=[ypb.PRINCIPAL_ROLE_ZONE_MANAGER],
        public_key=manager.public_key,
    )
    await operator.registry.call(services.registry.CreatePrincipal, create)
    rows = [rpb.PutManyRow(row=p.product_id, product=encode(p, rpb.Product)) for p in pool.products]
    rows += [
        rpb.PutManyRow(
            row=firm.firm_id,
            firm=rpb.RegisterFirmRequest(
                command_id=derive("c-", firm.firm_id),
                firm=encode(firm, rpb.Firm),
                public_key=signers[firm.firm_id].public_key,
            ),
        )
        for firm in pool.firms
    ]
    rows += [rpb.PutManyRow(row=n.node_id, node=encode(n, rpb.Node)) for n in pool.nodes]

    async def stream() -> AsyncIterator[rpb.PutManyRequest]:
        yield rpb.PutManyRequest(rows=rows)

    answer = await operator.registry.send(services.registry.PutMany, stream())
    assert not answer.errors, answer.errors[:3]
    for firm in pool.firms:
        activate = rpb.SetFirmStateRequest(
            command_id=derive("c-", "on", firm.firm_id),
            firm_id=firm.firm_id,
            state=rpb.FIRM_STATE_ACTIVE,
        )
        await operator.registry.call(services.registry.SetFirmState, activate)
