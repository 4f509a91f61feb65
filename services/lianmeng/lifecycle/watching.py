"""Watches: what a caller may see of alliances, invitations and tasks, as it happens.

The past comes from the log in order, the present from the one follower of this process; the
seam is a sequence, so nothing is missed and nothing comes twice.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import TypeVar

from google.protobuf.message import DecodeError

from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.state import AllianceState
from lianmeng.alliance.wire import read_record
from lianmeng.kernel.errors import Poison
from lianmeng.lifecycle.changes import TaskFor, invitation_change, task_changes
from lianmeng.lifecycle.fact_visibility import record_for
from lianmeng.lifecycle.firm_views import (
    InvitationView,
    TaskView,
    invitation_view,
    invitations_for,
    task_view,
    tasks_for,
)
from lianmeng.lifecycle.living import EVERYTHING, Living, Moved
from lianmeng.lifecycle.visibility import Viewer, firms_of, may_see
from lianmeng.runtime.followers import follow
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.messages import Message
from lianmeng.runtime.subjects import alliance_subject, last_token
from lianmeng.v1 import alliance_pb2 as pb

V = TypeVar("V", InvitationView, TaskView)


class Watching:
    """Answers watches. The generators are endless; close them with `contextlib.aclosing`."""

    def __init__(self, log: Log, zone: str, living: Living) -> None:
        self._log = log
        self._zone = zone
        self._living = living

    async def records(
        self, viewer: Viewer, alliance_id: str, after: int
    ) -> AsyncGenerator[tuple[int, AllianceRecord], None]:
        """Records after a sequence, of one alliance or ("") of all that the viewer may see."""
        async with aclosing(self._steps(viewer, alliance_id or "*", after)) as steps:
            async for moved in steps:
                record = record_for(moved.record, viewer)
                if record is not None:
                    yield moved.sequence, record

    async def invitations(
        self, viewer: Viewer, after: int | None
    ) -> AsyncGenerator[tuple[int, InvitationView], None]:
        """Changes of the viewer's invitations after a sequence; None: first those still open.

        Each with the sequence after which a watcher may go on without missing any; 0 = from
        the start again.
        """
        await self._living.caught_up()
        start = self._living.position if after is None else after
        opened = self._open_invitations(viewer) if after is None else []
        async with aclosing(self._steps(viewer, "*", start)) as steps:
            for place, view in _placed(opened, 0, start):
                yield place, view
            async for moved in steps:
                found = list(_changed_invitations(moved, viewer))
                for place, view in _placed(found, moved.sequence - 1, moved.sequence):
                    yield place, view

    async def tasks(
        self, viewer: Viewer, after: int | None
    ) -> AsyncGenerator[tuple[int, TaskView], None]:
        """Changes of the viewer's tasks; as `invitations`."""
        await self._living.caught_up()
        start = self._living.position if after is None else after
        opened = self._open_tasks(viewer) if after is None else []
        async with aclosing(self._steps(viewer, "*", start)) as steps:
            for place, task in _placed(opened, 0, start):
                yield place, task
            async for moved in steps:
                found = list(_changed_tasks(moved, viewer))
                for place, task in _placed(found, moved.sequence - 1, moved.sequence):
                    yield place, task

    def _open_invitations(self, viewer: Viewer) -> list[InvitationView]:
        return [
            view
            for state in self._living.states()
            if may_see(state, viewer)
            for view in invitations_for(state, viewer.firm_id, open_only=True)
        ]

    def _open_tasks(self, viewer: Viewer) -> list[TaskView]:
        return [
            view
            for state in self._living.states()
            if may_see(state, viewer)
            for view in tasks_for(state, viewer.firm_id, open_only=True)
        ]

    async def _steps(
        self, viewer: Viewer, alliance: str, after: int
    ) -> AsyncGenerator[Moved, None]:
        """Steps of alliances that concern the viewer: past ones after a sequence, then live."""
        await self._living.caught_up()
        with self._living.listening(EVERYTHING if viewer.sees_all else viewer.firm_id) as ear:
            seam = self._living.position
            async with aclosing(self._past(viewer, alliance, after, seam)) as past:
                async for moved in past:
                    yield moved
            async for moved in ear.steps():
                wanted = alliance in ("*", moved.record.alliance_id)
                if wanted and moved.sequence > max(seam, after):
                    yield moved

    async def _past(
        self, viewer: Viewer, alliance: str, after: int, seam: int
    ) -> AsyncGenerator[Moved, None]:
        subject = alliance_subject(self._zone, alliance)
        newest = await self._log.last(subject)
        goal = min(seam, newest.sequence if newest else 0)
        if goal <= after:
            return
        known: dict[str, AllianceState] = {}
        async with aclosing(follow(self._log, subject, start=after + 1)) as messages:
            async for message in messages:
                if message.sequence <= seam and _may_concern(message, viewer):
                    moved = await self._moved(message, known)
                    if moved is not None:
                        yield moved
                if message.sequence >= goal:
                    return

    async def _moved(self, message: Message, known: dict[str, AllianceState]) -> Moved | None:
        """A step of the past. What was before is read from the log where it is not known yet."""
        alliance_id = last_token(message.subject)
        record = _record(message)
        if record is None:
            return None
        before = known.get(alliance_id) or await self._before(message)
        if record.state is not None:
            known[alliance_id] = record.state
        return Moved(message.sequence, before, record)

    async def _before(self, message: Message) -> AllianceState | None:
        last: Message | None = None
        async for older in self._log.history(message.subject):
            if older.sequence >= message.sequence:
                break
            last = older
        record = _record(last) if last else None
        return record.state if record else None


def _placed(views: Sequence[V], before: int, at: int) -> Iterator[tuple[int, V]]:
    """Views of one record: only after the last of them has it been seen whole."""
    for index, view in enumerate(views, start=1):
        yield (at if index == len(views) else before), view


def _may_concern(message: Message, viewer: Viewer) -> bool:
    """A quick look without decoding: most of the past is not the viewer's."""
    if viewer.sees_all:
        return True
    try:
        state = pb.AllianceRecord.FromString(message.data).state
    except DecodeError:
        return False
    return any(invitation.firm_id == viewer.firm_id for invitation in state.invitations)


def _record(message: Message) -> AllianceRecord | None:
    try:
        return read_record(message.data)
    except Poison as error:  # the consumer of facts puts it aside; here it is left out
        line.error("message.failed", subject=message.subject, error=str(error))
        return None


def _changed_invitations(moved: Moved, viewer: Viewer) -> Iterator[InvitationView]:
    after = moved.record.state
    assert after is not None, "a step that concerns somebody has a state"
    for firm in _firms(after, viewer):
        invitation = invitation_change(moved.before, after, firm)
        if invitation is not None:
            yield invitation_view(after, invitation)


def _changed_tasks(moved: Moved, viewer: Viewer) -> Iterator[TaskView]:
    after = moved.record.state
    assert after is not None, "a step that concerns somebody has a state"
    if viewer.firm_id:
        for found in task_changes(moved.before, after, viewer.firm_id):
            yield task_view(after, found)
        return
    was = {task.task_id: task for task in moved.before.tasks} if moved.before else {}
    for task in after.tasks:
        if was.get(task.task_id) != task:
            yield task_view(after, TaskFor(task, as_receiver=False))


def _firms(state: AllianceState, viewer: Viewer) -> list[str]:
    return [viewer.firm_id] if viewer.firm_id else sorted(firms_of(state))
