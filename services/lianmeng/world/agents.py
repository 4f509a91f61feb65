"""Firm agents: each has its own key, uses the public API only, and is woken by its watches.

What an agent does is drawn from a seed, but for the few firms that the story gives a part:
one declines, one answers late, one fails. Nobody polls.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Protocol

import grpc.aio
from google.protobuf.timestamp_pb2 import Timestamp

from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.ids import derive
from lianmeng.runtime.keys import sign_statement
from lianmeng.v1 import alliance_pb2 as pb
from lianmeng.v1 import lifecycle_pb2 as lpb
from lianmeng.world.callers import Caller, Services, follow, insist

REPLY_MINUTES = (10, 75)
"""Story minutes that a firm takes for an answer: from, to."""

LATE_BY = timedelta(minutes=20)
"""A late firm answers this long after its invitation has expired."""

ACCEPT_MINUTES = (20, 120)
"""Story minutes that a receiver takes to accept a task."""

DONE_AT = (0.82, 0.97)
"""Share of a task's time after which it is reported done: from, to."""

FAILS_AT = 0.5
"""Share of a task's time after which a failing firm says so."""


class StoryTime(Protocol):
    """What an agent needs of the clock."""

    async def wait(self, span: timedelta) -> None:
        """Returns after some story time."""
        ...

    async def until(self, story: datetime) -> None:
        """Returns when story time has reached a time."""
        ...


@dataclass(slots=True)
class Parts:
    """Who plays which part in which alliance: pairs of alliance and firm."""

    decliners: set[tuple[str, str]] = field(default_factory=set)
    late: set[tuple[str, str]] = field(default_factory=set)
    failing: set[tuple[str, str]] = field(default_factory=set)


@dataclass(slots=True)
class Agent:
    """One firm. `refused` hears what the platform did not accept from it."""

    firm_id: str
    zone: str
    caller: Caller
    services: Services
    time: StoryTime
    parts: Parts
    rng: Random
    refused: Callable[[str, Rejected], None]

    async def run(self) -> None:
        """Watch invitations and tasks until cancelled."""
        async with asyncio.TaskGroup() as work:
            work.create_task(follow(self._invitations, self._invited(work)))
            work.create_task(follow(self._tasks, self._concerned(work)))

    # invitations

    def _invitations(self, after: str) -> AsyncGenerator[lpb.WatchInvitationsResponse, None]:
        request = lpb.WatchInvitationsRequest(after_revision=after)
        return self.caller.lifecycle.watch(self.services.lifecycle.WatchInvitations, request)

    def _invited(self, work: asyncio.TaskGroup) -> Callable[[lpb.WatchInvitationsResponse], None]:
        seen: set[tuple[str, int]] = set()

        def hear(answer: lpb.WatchInvitationsResponse) -> None:
            invitation = answer.invitation.invitation
            key = (invitation.invitation_id, invitation.version)
            if invitation.state == pb.INVITATION_STATE_PENDING and key not in seen:
                seen.add(key)
                work.create_task(self._answer(answer.invitation))

        return hear

    async def _answer(self, view: lpb.InvitationView) -> None:
        part = (view.alliance_id, self.firm_id)
        await self.time.wait(timedelta(minutes=self.rng.randint(*REPLY_MINUTES)))
        if part in self.parts.decliners:
            await self._decline(view)
            return
        if part in self.parts.late and view.invitation.version == 1:
            await self.time.until(at(view.invitation.expires_time) + LATE_BY)
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
        await self._send(self.services.lifecycle.AcceptInvitation, request)

    async def _decline(self, view: lpb.InvitationView) -> None:
        invitation = view.invitation
        request = lpb.DeclineInvitationRequest(
            command_id=derive("c-", "decline", invitation.invitation_id, str(invitation.version)),
            alliance_id=view.alliance_id,
            invitation_id=invitation.invitation_id,
            version=invitation.version,
            reason="our order book is full",
        )
        await self._send(self.services.lifecycle.DeclineInvitation, request)

    # tasks

    def _tasks(self, after: str) -> AsyncGenerator[lpb.WatchTasksResponse, None]:
        request = lpb.WatchTasksRequest(after_revision=after)
        return self.caller.lifecycle.watch(self.services.lifecycle.WatchTasks, request)

    def _concerned(self, work: asyncio.TaskGroup) -> Callable[[lpb.WatchTasksResponse], None]:
        seen: set[tuple[str, str, int]] = set()

        def hear(answer: lpb.WatchTasksResponse) -> None:
            view = answer.task
            key = (view.alliance_id, view.task.task_id, view.task.state)
            if key in seen:
                return
            seen.add(key)
            if view.as_receiver and view.task.state == pb.TASK_STATE_REPORTED:
                work.create_task(self._receive(view))
            elif not view.as_receiver and view.task.state == pb.TASK_STATE_OPEN:
                work.create_task(self._do(view))

        return hear

    async def _do(self, view: lpb.TaskView) -> None:
        """Work takes until some hours before it is due; a failing firm says so at half time."""
        task = view.task
        opened, due = at(task.opened_time), at(task.due_time)
        fails = (view.alliance_id, self.firm_id) in self.parts.failing
        share = FAILS_AT if fails else self.rng.uniform(*DONE_AT)
        await self.time.until(opened + max(due - opened, timedelta()) * share)
        request = lpb.ReportTaskRequest(
            command_id=derive("c-", "report", view.alliance_id, task.task_id),
            alliance_id=view.alliance_id,
            task_id=task.task_id,
            kind=pb.REPORT_KIND_FAILED if fails else pb.REPORT_KIND_DONE,
            note="a loom broke down" if fails else "",
        )
        await self._send(self.services.lifecycle.ReportTask, request)

    async def _receive(self, view: lpb.TaskView) -> None:
        await self.time.wait(timedelta(minutes=self.rng.randint(*ACCEPT_MINUTES)))
        request = lpb.AcceptTaskRequest(
            command_id=derive("c-", "receive", view.alliance_id, view.task.task_id),
            alliance_id=view.alliance_id,
            task_id=view.task.task_id,
        )
        await self._send(self.services.lifecycle.AcceptTask, request)

    async def _send(self, method: grpc.aio.UnaryUnaryMultiCallable[Any, Any], request: Any) -> None:
        """Send a command until it has an answer; a refusal is one."""
        try:
            await insist(lambda: self.caller.lifecycle.call(method, request))
        except Rejected as error:
            self.refused(self.firm_id, error)


def at(stamp: Timestamp) -> datetime:
    """A stored time, aware and in UTC."""
    return stamp.ToDatetime(tzinfo=UTC)
