"""Firm agents: each has its own key, uses the public API only, and is woken by its watches.

What an agent does is drawn from a seed, but for the few firms that the story gives a part:
one declines, one answers late, one fails. Nobody polls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from typing import Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from lianmeng.kernel.errors import Rejected, Transient
from lianmeng.kernel.ids import derive
from lianmeng.runtime.keys import sign_statement
from lianmeng.v1 import alliance_pb2 as pb
from lianmeng.v1 import lifecycle_pb2 as lpb
from lianmeng.world.callers import Caller, Services
from lianmeng.world.draws import generator

REPLY_MINUTES = (10, 75)
"""Story minutes that a firm takes for an answer: from, to."""

LATE_BY = timedelta(minutes=20)
"""A late firm answers this long after its invitation has expired."""

ACCEPT_MINUTES = (20, 120)
"""Story minutes that a receiver takes to accept a task."""


class StoryTime(Protocol):
    """What an agent needs of the clock."""

    async def wait(self, seconds: float) -> None:
        """Returns after some story seconds."""
        ...

    async def until(self, story_s: float) -> None:
        """Returns when story time has reached a time (seconds since 1970)."""
        ...


@dataclass(slots=True)
class Parts:
    """Who plays which part. The director casts when it sees the invitations."""

    decliners: set[tuple[str, str]] = field(default_factory=set)
    late: set[tuple[str, str]] = field(default_factory=set)
    failing: set[tuple[str, str]] = field(default_factory=set)


@dataclass(slots=True)
class Agent:
    """One firm. `run` ends when it is cancelled."""

    firm_id: str
    zone: str
    caller: Caller
    services: Services
    time: StoryTime
    parts: Parts
    rng: Random
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Watch invitations and tasks for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_invitations())
            group.create_task(self._watch_tasks())

    async def _watch_invitations(self) -> None:
        seen: set[tuple[str, int]] = set()
        after = ""
        while True:
            request = lpb.WatchInvitationsRequest(after_revision=after)
            watch = self.caller.lifecycle.watch(self.services.lifecycle.WatchInvitations, request)
            try:
                async with aclosing(watch) as answers:
                    async for answer in answers:
                        after = answer.revision or after
                        view = answer.invitation
                        key = (view.invitation.invitation_id, view.invitation.version)
                        pending = view.invitation.state == pb.INVITATION_STATE_PENDING
                        if pending and key not in seen:
                            seen.add(key)
                            self._soon(partial(self._answer, view))
            except Transient as error:
                await asyncio.sleep(error.retry_after.total_seconds())

    def _soon(self, work: Callable[[], Awaitable[None]]) -> None:
        async def run() -> None:
            await work()

        task = asyncio.create_task(run())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _answer(self, view: lpb.InvitationView) -> None:
        part = (view.alliance_id, self.firm_id)
        invitation = view.invitation
        await self.time.wait(60 * self.rng.randint(*REPLY_MINUTES))
        if part in self.parts.decliners:
            await self._decline(view)
            return
        if part in self.parts.late and invitation.version == 1:
            await self.time.until(_utc(invitation.expires_time) + LATE_BY.total_seconds())
        await self._accept(view)

    async def _accept(self, view: lpb.InvitationView) -> None:
        invitation = view.invitation
        command = derive("c-", "accept", invitation.invitation_id, str(invitation.version))
        signed, signature = sign_statement(
            self.caller.signer,
            "accept-invitation",
            self.zone,
            invitation_id=invitation.invitation_id,
            version=invitation.version,
            annex_sha256=invitation.annex_sha256,
            command_id=command,
        )
        request = lpb.AcceptInvitationRequest(
            command_id=command,
            alliance_id=view.alliance_id,
            invitation_id=invitation.invitation_id,
            version=invitation.version,
            acceptance=pb.SignedStatement(
                statement=signed, signature=signature, key_id=self.caller.signer.key_id
            ),
        )
        await self._command(self.services.lifecycle.AcceptInvitation, request)

    async def _decline(self, view: lpb.InvitationView) -> None:
        invitation = view.invitation
        request = lpb.DeclineInvitationRequest(
            command_id=derive("c-", "decline", invitation.invitation_id, str(invitation.version)),
            alliance_id=view.alliance_id,
            invitation_id=invitation.invitation_id,
            version=invitation.version,
            reason="order book is full",
        )
        await self._command(self.services.lifecycle.DeclineInvitation, request)

    async def _watch_tasks(self) -> None:
        seen: set[tuple[str, str, int]] = set()
        after = ""
        while True:
            watch = self.caller.lifecycle.watch(
                self.services.lifecycle.WatchTasks, lpb.WatchTasksRequest(after_revision=after)
            )
            try:
                async with aclosing(watch) as answers:
                    async for answer in answers:
                        after = answer.revision or after
                        view = answer.task
                        key = (view.alliance_id, view.task.task_id, view.task.state)
                        if key in seen:
                            continue
                        seen.add(key)
                        self._on_task(view)
            except Transient as error:
                await asyncio.sleep(error.retry_after.total_seconds())

    def _on_task(self, view: lpb.TaskView) -> None:
        if view.as_receiver and view.task.state == pb.TASK_STATE_REPORTED:
            self._soon(lambda: self._accept_task(view))
        elif not view.as_receiver and view.task.state == pb.TASK_STATE_OPEN:
            self._soon(lambda: self._do(view))

    async def _do(self, view: lpb.TaskView) -> None:
        """Work takes until some hours before it is due; a failing firm says so at half time."""
        task = view.task
        opened, due = _utc(task.opened_time), _utc(task.due_time)
        fails = (view.alliance_id, self.firm_id) in self.parts.failing
        share = 0.5 if fails else self.rng.uniform(0.82, 0.97)
        await self.time.until(opened + share * max(due - opened, 0))
        kind = pb.REPORT_KIND_FAILED if fails else pb.REPORT_KIND_DONE
        request = lpb.ReportTaskRequest(
            command_id=derive("c-", "report", view.alliance_id, task.task_id),
            alliance_id=view.alliance_id,
            task_id=task.task_id,
            kind=kind,
            note="the loom broke down" if fails else "",
        )
        await self._command(self.services.lifecycle.ReportTask, request)

    async def _accept_task(self, view: lpb.TaskView) -> None:
        await self.time.wait(60 * self.rng.randint(*ACCEPT_MINUTES))
        request = lpb.AcceptTaskRequest(
            command_id=derive("c-", "receive", view.alliance_id, view.task.task_id),
            alliance_id=view.alliance_id,
            task_id=view.task.task_id,
        )
        await self._command(self.services.lifecycle.AcceptTask, request)

    async def _command(self, method: object, request: object) -> None:
        """Sends a command until it has an answer. A refusal is an answer."""
        while True:
            try:
                await self.caller.lifecycle.call(method, request)  # type: ignore[arg-type]
            except Transient as error:
                await asyncio.sleep(error.retry_after.total_seconds())
            except Rejected:
                return
            else:
                return


def _utc(stamp: Timestamp) -> float:
    return stamp.seconds + stamp.nanos / 1e9


def agent_rng(seed: int, firm_id: str) -> Random:
    """The firm's own generator."""
    return generator(seed, "agent", firm_id)
