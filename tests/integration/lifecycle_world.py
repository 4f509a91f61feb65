"""A lifecycle on real servers for tests: firms with keys of their own, a matcher by hand.

Story time begins at the builders' start and stands almost still; a test moves it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis.asyncio

from lianmeng.alliance import facts as f
from lianmeng.alliance.checker import Violation, check
from lianmeng.alliance.log import AllianceLog, Loaded
from lianmeng.alliance.plan import Plan
from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.reservations import reserved
from lianmeng.alliance.state import AllianceState, State
from lianmeng.alliance.wire import read_book, read_record
from lianmeng.kernel import thresholds
from lianmeng.kernel.clock import Anchor, story_at
from lianmeng.kernel.roles import PrincipalRole
from lianmeng.kernel.trends import Trend
from lianmeng.lifecycle.wiring import assemble
from lianmeng.pool.nodes import Node
from lianmeng.pool.principals import Key, Principal
from lianmeng.pool.records import RegistryRecord
from lianmeng.runtime.auth import Seen
from lianmeng.runtime.client import Client, channel
from lianmeng.runtime.codec import encode
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.keys import Signer, new_signer, sign_statement
from lianmeng.runtime.rpc import Door, RpcServer
from lianmeng.runtime.storytime import LOOK_EVERY_S, StoryClock, append_anchor, read_anchors
from lianmeng.runtime.subjects import (
    alliance_subject,
    capacity_subject,
    node_subject,
    principal_subject,
    trend_subject,
)
from lianmeng.runtime.writes import Write
from lianmeng.v1 import alliance_pb2, registry_pb2, trend_pb2
from lianmeng.v1 import lifecycle_pb2 as pb
from lianmeng.v1.lifecycle_pb2_grpc import LifecycleServiceStub
from tests import builders

FIRMS = (*builders.MEMBERS, *builders.STANDBYS.values())
GRACE = timedelta(seconds=30)
_numbers = itertools.count(1)


def command_id() -> str:
    """A command id that was not used before."""
    return f"c-{next(_numbers)}"


@dataclass(frozen=True, slots=True)
class User:
    """A principal that calls lifecycle."""

    signer: Signer
    client: Client
    stub: Any
    zone: str

    async def call(self, method: str, request: Any) -> Any:
        """Any unary call."""
        return await self.client.call(getattr(self.stub, method), request)

    async def alliance(self, alliance_id: str = builders.ALLIANCE, revision: str = "") -> Any:
        """The alliance as this user sees it."""
        request = pb.GetAllianceRequest(alliance_id=alliance_id, min_revision=revision)
        return (await self.call("GetAlliance", request)).alliance

    async def invitation(self) -> pb.InvitationView:
        """The firm's first open invitation, from a watch."""
        watch = self.client.watch(self.stub.WatchInvitations, pb.WatchInvitationsRequest())
        async with asyncio.timeout(5), aclosing(watch):
            async for answer in watch:
                if answer.invitation.invitation.state == alliance_pb2.INVITATION_STATE_PENDING:
                    view: pb.InvitationView = answer.invitation
                    return view
        raise AssertionError("a watch ends only with an error")

    def acceptance(self, view: pb.InvitationView, command: str) -> pb.AcceptInvitationRequest:
        """A signed acceptance."""
        invitation = view.invitation
        signed, signature = sign_statement(
            self.signer,
            "accept-invitation",
            self.zone,
            invitation_id=invitation.invitation_id,
            version=invitation.version,
            annex_sha256=invitation.annex_sha256,
            command_id=command,
        )
        return pb.AcceptInvitationRequest(
            command_id=command,
            alliance_id=view.alliance_id,
            invitation_id=invitation.invitation_id,
            version=invitation.version,
            acceptance=alliance_pb2.SignedStatement(
                statement=signed, signature=signature, key_id=self.signer.key_id
            ),
        )

    async def accept(self, view: pb.InvitationView | None = None) -> pb.AcceptInvitationResponse:
        """Accept an invitation, or else the first open one."""
        request = self.acceptance(view or await self.invitation(), command_id())
        answer: pb.AcceptInvitationResponse = await self.call("AcceptInvitation", request)
        return answer

    async def decline(self) -> pb.DeclineInvitationResponse:
        """Decline the first open invitation."""
        view = await self.invitation()
        request = pb.DeclineInvitationRequest(
            command_id=command_id(),
            alliance_id=view.alliance_id,
            invitation_id=view.invitation.invitation_id,
            version=view.invitation.version,
            reason="no yarn",
        )
        answer: pb.DeclineInvitationResponse = await self.call("DeclineInvitation", request)
        return answer

    async def open_tasks(self, revision: str = "") -> list[pb.TaskView]:
        """Tasks on which the firm can act now."""
        request = pb.ListTasksRequest(open_only=True, min_revision=revision)
        return list((await self.call("ListTasks", request)).tasks)

    async def report(self, task_id: str, **more: Any) -> pb.ReportTaskResponse:
        """Report a task as done, or what `more` says."""
        fields: dict[str, Any] = {"kind": alliance_pb2.REPORT_KIND_DONE, **more}
        request = pb.ReportTaskRequest(
            command_id=command_id(), alliance_id=builders.ALLIANCE, task_id=task_id, **fields
        )
        answer: pb.ReportTaskResponse = await self.call("ReportTask", request)
        return answer

    async def accept_task(self, task_id: str, units: int = 0) -> pb.AcceptTaskResponse:
        """Accept a reported task."""
        request = pb.AcceptTaskRequest(
            command_id=command_id(), alliance_id=builders.ALLIANCE, task_id=task_id, units=units
        )
        answer: pb.AcceptTaskResponse = await self.call("AcceptTask", request)
        return answer


@dataclass(slots=True)
class LifecycleWorld:
    """A running lifecycle, and the log beside it."""

    log: Log
    zone: str
    clock: StoryClock
    anchors: Path
    alliances: AllianceLog
    signers: dict[str, Signer] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)

    def __getitem__(self, principal: str) -> User:
        return self.users[principal]

    async def jump(self, **time: float) -> None:
        """Story time goes on by a `timedelta(**time)`; all clocks have seen it on return."""
        wall = self.clock.wall()
        story = story_at(read_anchors(self.anchors), wall) + timedelta(**time)
        append_anchor(self.anchors, Anchor(story, wall, 1.0))
        await asyncio.sleep(2 * LOOK_EVERY_S)

    async def begin(self, plan: Plan | None = None) -> None:
        """The matcher accepts the demand and proposes a plan."""
        await self.write(builders.accepted())
        until = self.clock.now() + timedelta(hours=36)
        await self.write(builders.proposed(plan, until))

    async def write(self, fact: f.Fact, alliance_id: str = builders.ALLIANCE) -> Loaded:
        """A fact that the matcher writes."""
        return await self.alliances.transact(
            alliance_id, lambda _: fact, "matcher", lambda: f"test-{next(_numbers)}"
        )

    async def repair(self) -> Loaded:
        """The matcher's answer to a repair: the standbys step in."""
        state = await self.state(lambda state: state.repair is not None)
        assert state.plan is not None
        assert state.repair is not None
        until = self.clock.now() + timedelta(hours=36)
        return await self.write(builders.repaired(state.plan, state.repair.lost_firm_ids, until))

    async def state(self, until: Callable[[AllianceState], bool]) -> AllianceState:
        """The alliance, as soon as it is so."""
        last: AllianceState | None = None
        try:
            async with asyncio.timeout(8):
                while True:
                    last = (await self.alliances.load(builders.ALLIANCE)).state
                    if last is not None and until(last):
                        return last
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"it stays {last and (last.state, last.reason)}") from None

    async def comes_to(self, state: State) -> AllianceState:
        """The alliance, as soon as it is in this state."""
        return await self.state(lambda current: current.state is state)

    async def all_accept(self, firms: Sequence[str] = builders.MEMBERS) -> None:
        """These firms accept what they are invited to."""
        for firm in firms:
            await self[firm].accept()

    async def activate(self, plan: Plan | None = None) -> AllianceState:
        """From the demand to the contract."""
        await self.begin(plan)
        await self.all_accept()
        return await self.comes_to(State.ACTIVE)

    async def put_node(self, node: Node) -> None:
        """A new version of a node, as the registry writes it."""
        await self.register(node_subject(self.zone, node.node_id), node)

    async def register(self, subject: str, what: Node | Principal) -> None:
        """A record of the registry."""
        record = RegistryRecord(record=what, written_time=self.clock.now())
        data = encode(record, registry_pb2.RegistryRecord).SerializeToString()
        await self.log.publish(Write(subject, data))

    async def tell_trend(self, trend: Trend) -> None:
        """A fact of the trend that formed the alliance."""
        data = encode(trend, trend_pb2.Trend).SerializeToString()
        await self.log.publish(Write(trend_subject(self.zone, trend.trend_id), data))

    async def facts(self) -> list[str]:
        """Names of all facts so far."""
        return [f.name_of(record.fact) for _, record in await self.records()]

    async def records(self) -> list[tuple[int, AllianceRecord]]:
        """The whole log."""
        history = self.log.history(alliance_subject(self.zone, "*"))
        return [(message.sequence, read_record(message.data)) async for message in history]

    async def told(self, fact: str, times: int = 1) -> None:
        """Return as soon as this fact has been written, so often."""
        async with asyncio.timeout(8):
            while (await self.facts()).count(fact) < times:  # noqa: ASYNC110 - others write
                await asyncio.sleep(0.01)  # others write it

    async def violations(self) -> list[Violation]:
        """What the history checker finds in the whole log."""
        history = self.log.history(capacity_subject(self.zone, "*"))
        books = {b.resource_id: b async for b in (read_book(m.data) async for m in history)}
        return check(await self.records(), books, self.clock.now())

    async def held(self) -> dict[str, list[str]]:
        """Kinds of entries in each book that is not empty."""
        history = self.log.history(capacity_subject(self.zone, "*"))
        books = [read_book(message.data) async for message in history]
        return {b.resource_id: [str(e.kind) for e in b.entries] for b in books if b.entries}


def wanted(state: AllianceState) -> dict[str, list[str]]:
    """What the books should hold for an alliance, in the words of `held`."""
    return {name: [str(e.kind) for e in r.entries] for name, r in reserved(state).items()}


async def a_world(log: Log, zone: str, directory: Path) -> LifecycleWorld:
    """Firms, a manager and an operator with keys, and a clock; nobody serves them yet."""
    anchors = directory / "anchors.jsonl"
    clock = StoryClock(anchors)
    append_anchor(anchors, Anchor(builders.START, clock.wall(), 1.0))
    world = LifecycleWorld(log, zone, clock, anchors, AllianceLog(log, zone, clock, GRACE))
    for name in (*FIRMS, "manager", "operator", "researcher"):
        world.signers[name] = new_signer(name)
        await _register(world, world.signers[name])
    return world


@asynccontextmanager
async def running_lifecycle(
    log: Log, memory: redis.asyncio.Redis, zone: str, directory: Path
) -> AsyncIterator[LifecycleWorld]:
    """A world whose lifecycle is ready to be called."""
    world = await a_world(log, zone, directory)
    async with serving(world, memory):
        yield world


@asynccontextmanager
async def serving(world: LifecycleWorld, memory: redis.asyncio.Redis) -> AsyncIterator[None]:
    """One process of the service, which the users call from now on."""
    parts = assemble(world.log, memory, world.zone, world.clock, thresholds.load())
    door = Door("lifecycle", parts.book, Seen(memory, world.zone), world.clock)
    server = RpcServer(door, parts.services)
    parts.bind(server.server)
    port = await server.start("127.0.0.1", 0)
    running = [asyncio.ensure_future(task()) for task in parts.tasks.values()]
    await parts.ready()
    link = channel(f"127.0.0.1:{port}")
    stub = LifecycleServiceStub(link)
    for name, signer in world.signers.items():
        world.users[name] = User(signer, Client(signer, "lifecycle", world.clock), stub, world.zone)
    try:
        yield
        failed = [task.exception() for task in running if task.done() and not task.cancelled()]
        assert not failed, failed
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


_ROLES = {
    "manager": PrincipalRole.ZONE_MANAGER,
    "operator": PrincipalRole.OPERATOR,
    "researcher": PrincipalRole.RESEARCHER,
}


async def _register(world: LifecycleWorld, signer: Signer) -> None:
    name = signer.principal_id
    key = Key(key_id=signer.key_id, public_key=signer.public_key, opened_time=world.clock.now())
    principal = Principal(
        principal_id=name,
        roles=(_ROLES.get(name, PrincipalRole.FIRM),),
        firm_id="" if name in _ROLES else name,
        keys=(key,),
    )
    await world.register(principal_subject(world.zone, name), principal)
