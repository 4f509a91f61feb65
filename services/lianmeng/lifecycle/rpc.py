"""`LifecycleService` on the wire: messages to commands and back, and each caller's own view."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from lianmeng.alliance import facts as f
from lianmeng.alliance.members import SignedStatement, Statement
from lianmeng.alliance.state import AllianceState
from lianmeng.kernel.ids import require_id
from lianmeng.lifecycle import views
from lianmeng.lifecycle.commands import task_of
from lianmeng.lifecycle.firm_views import invitations_for, tasks_for
from lianmeng.lifecycle.queries import (
    list_terms,
    no_firm,
    own_firm,
    page_size,
    read_enum,
    viewer_of,
    watcher,
)
from lianmeng.lifecycle.service import Command, Done, Lifecycle, not_found
from lianmeng.lifecycle.views import AllianceViews
from lianmeng.lifecycle.visibility import Viewer, may_see, statement_for, view_of
from lianmeng.lifecycle.watching import Watching
from lianmeng.runtime.auth import current_caller
from lianmeng.runtime.codec import encode
from lianmeng.runtime.revisions import revision, sequence_of
from lianmeng.v1 import alliance_pb2
from lianmeng.v1 import lifecycle_pb2 as pb
from lianmeng.v1.lifecycle_pb2_grpc import LifecycleServiceServicer


class LifecycleRpc(LifecycleServiceServicer):
    """The servicer. Commands go to the log, reads to the views, watches to the follower."""

    def __init__(
        self, lifecycle: Lifecycle, reads: AllianceViews, watching: Watching, stream: str
    ) -> None:
        self._lifecycle = lifecycle
        self._reads = reads
        self._watching = watching
        self._stream = stream

    # --- commands

    async def AcceptInvitation(
        self, request: pb.AcceptInvitationRequest, context: Any
    ) -> pb.AcceptInvitationResponse:
        acceptance = SignedStatement(
            statement=request.acceptance.statement,
            signature=request.acceptance.signature,
            key_id=request.acceptance.key_id,
        )
        done = await self._lifecycle.accept(
            _firm_command(request), request.invitation_id, request.version, acceptance
        )
        late = isinstance(done.fact, f.Accepted) and done.fact.late
        outcome = pb.ANSWER_OUTCOME_ALREADY_FILLED if late else pb.ANSWER_OUTCOME_ACCEPTED
        return pb.AcceptInvitationResponse(outcome=outcome, revision=self._revision(done))

    async def DeclineInvitation(
        self, request: pb.DeclineInvitationRequest, context: Any
    ) -> pb.DeclineInvitationResponse:
        done = await self._lifecycle.decline(
            _firm_command(request), request.invitation_id, request.version, request.reason
        )
        return pb.DeclineInvitationResponse(
            outcome=pb.ANSWER_OUTCOME_DECLINED, revision=self._revision(done)
        )

    async def ReportTask(
        self, request: pb.ReportTaskRequest, context: Any
    ) -> pb.ReportTaskResponse:
        kind = read_enum(f.ReportKind, alliance_pb2.ReportKind, request.kind, "kind")
        done = await self._lifecycle.report_task(
            _firm_command(request), request.task_id, kind, request.units, request.note
        )
        task = encode(task_of(done.state, request.task_id), alliance_pb2.Task)
        return pb.ReportTaskResponse(task=task, revision=self._revision(done))

    async def AcceptTask(
        self, request: pb.AcceptTaskRequest, context: Any
    ) -> pb.AcceptTaskResponse:
        done = await self._lifecycle.accept_task(
            _firm_command(request), request.task_id, request.units
        )
        task = encode(task_of(done.state, request.task_id), alliance_pb2.Task)
        return pb.AcceptTaskResponse(task=task, revision=self._revision(done))

    async def Approve(self, request: pb.ApproveRequest, context: Any) -> pb.ApproveResponse:
        done = await self._lifecycle.approve(
            _command(request), request.risk_report_hash, request.note
        )
        return pb.ApproveResponse(state=_number(done.state), revision=self._revision(done))

    async def Reject(self, request: pb.RejectRequest, context: Any) -> pb.RejectResponse:
        done = await self._lifecycle.reject(_command(request), request.reason)
        return pb.RejectResponse(state=_number(done.state), revision=self._revision(done))

    async def Dissolve(self, request: pb.DissolveRequest, context: Any) -> pb.DissolveResponse:
        done = await self._lifecycle.dissolve(_command(request), request.reason)
        return pb.DissolveResponse(state=_number(done.state), revision=self._revision(done))

    # --- reads

    async def ListAlliances(
        self, request: pb.ListAlliancesRequest, context: Any
    ) -> pb.ListAlliancesResponse:
        viewer = viewer_of(current_caller())
        terms = list_terms(request, current_caller())
        if terms is None:
            return pb.ListAlliancesResponse(
                revision=(await self._reads.get("", request.min_revision))[1]
            )
        found = await self._reads.find(
            *terms,
            limit=page_size(request.page_size),
            after=request.page_token,
            min_revision=request.min_revision,
        )
        shown = [view_of(state, viewer) for state in found.states if may_see(state, viewer)]
        return pb.ListAlliancesResponse(
            alliances=[encode(view, pb.AllianceView) for view in shown],
            next_page_token=found.next,
            revision=found.revision,
        )

    async def GetAlliance(
        self, request: pb.GetAllianceRequest, context: Any
    ) -> pb.GetAllianceResponse:
        viewer = viewer_of(current_caller())
        state, place = await self._visible(request.alliance_id, request.min_revision, viewer)
        return pb.GetAllianceResponse(
            alliance=encode(view_of(state, viewer), pb.AllianceView), revision=place
        )

    async def ListInvitations(
        self, request: pb.ListInvitationsRequest, context: Any
    ) -> pb.ListInvitationsResponse:
        firm = own_firm()
        term = views.asking(firm) if request.open_only else views.of_firm(firm)
        terms = (term,) if firm else ()
        found = await self._reads.find(*terms, min_revision=request.min_revision)
        return pb.ListInvitationsResponse(
            invitations=[
                encode(view, pb.InvitationView)
                for state in found.states
                for view in invitations_for(state, firm, open_only=request.open_only)
            ],
            revision=found.revision,
        )

    async def ListTasks(self, request: pb.ListTasksRequest, context: Any) -> pb.ListTasksResponse:
        viewer, firm = viewer_of(current_caller()), own_firm()
        if request.alliance_id:
            state, place = await self._visible(request.alliance_id, request.min_revision, viewer)
            states: tuple[AllianceState, ...] = (state,)
        else:
            term = views.working(firm) if request.open_only else views.of_firm(firm)
            terms = (term,) if firm else ()
            found = await self._reads.find(*terms, min_revision=request.min_revision)
            states, place = found.states, found.revision
        tasks = [
            view for state in states for view in tasks_for(state, firm, open_only=request.open_only)
        ]
        tasks.sort(key=lambda view: (view.task.due_time, view.alliance_id, view.task.task_id))
        return pb.ListTasksResponse(
            tasks=[encode(view, pb.TaskView) for view in tasks], revision=place
        )

    async def GetStatement(
        self, request: pb.GetStatementRequest, context: Any
    ) -> pb.GetStatementResponse:
        viewer = viewer_of(current_caller())
        state, place = await self._visible(request.alliance_id, request.min_revision, viewer)
        statement = state.statement or Statement(lines=(), total_fen=0)
        return pb.GetStatementResponse(
            statement=encode(statement_for(statement, viewer), alliance_pb2.Statement),
            revision=place,
        )

    # --- watches

    async def WatchAlliances(
        self, request: pb.WatchAlliancesRequest, context: Any
    ) -> AsyncIterator[pb.WatchAlliancesResponse]:
        viewer = viewer_of(current_caller())
        if request.alliance_id:
            await self._visible(request.alliance_id, "", viewer)
        after = sequence_of(request.after_revision, self._stream, "after_revision")
        steps = self._watching.records(viewer, request.alliance_id, after)
        async with aclosing(steps):
            async for sequence, record in steps:
                yield pb.WatchAlliancesResponse(
                    record=encode(record, alliance_pb2.AllianceRecord),
                    revision=revision(self._stream, sequence),
                )

    async def WatchInvitations(
        self, request: pb.WatchInvitationsRequest, context: Any
    ) -> AsyncIterator[pb.WatchInvitationsResponse]:
        steps = self._watching.invitations(watcher(), self._after(request))
        async with aclosing(steps):
            async for place, view in steps:
                yield pb.WatchInvitationsResponse(
                    invitation=encode(view, pb.InvitationView), revision=self._place(place)
                )

    async def WatchTasks(
        self, request: pb.WatchTasksRequest, context: Any
    ) -> AsyncIterator[pb.WatchTasksResponse]:
        steps = self._watching.tasks(watcher(), self._after(request))
        async with aclosing(steps):
            async for place, view in steps:
                yield pb.WatchTasksResponse(
                    task=encode(view, pb.TaskView), revision=self._place(place)
                )

    # --- helpers

    async def _visible(
        self, alliance_id: str, min_revision: str, viewer: Viewer
    ) -> tuple[AllianceState, str]:
        require_id(alliance_id, "alliance_id")
        state, place = await self._reads.get(alliance_id, min_revision)
        if state is None or not may_see(state, viewer):
            raise not_found("alliance", "联盟", alliance_id, "alliance_id")
        return state, place

    def _after(self, request: pb.WatchInvitationsRequest | pb.WatchTasksRequest) -> int | None:
        if not request.after_revision:
            return None
        return sequence_of(request.after_revision, self._stream, "after_revision")

    def _place(self, sequence: int) -> str:
        return revision(self._stream, sequence) if sequence else ""

    def _revision(self, done: Done) -> str:
        return revision(self._stream, done.sequence)


def _command(request: Any) -> Command:
    return Command(viewer_of(current_caller()), request.alliance_id, request.command_id)


def _firm_command(request: Any) -> Command:
    if not current_caller().firm_id:
        raise no_firm()
    return _command(request)


def _number(state: AllianceState) -> alliance_pb2.State.ValueType:
    return alliance_pb2.State.Value(f"STATE_{state.state}")
