"""The read model: every alliance as of its newest fact, found by id, firm, state, open work.

A document is the state as stored; what a caller may see of it is decided when it is read.
Documents sort newest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from redis.asyncio import Redis

from lianmeng.alliance.members import InvitationState, TaskState
from lianmeng.alliance.state import AllianceState, State
from lianmeng.kernel.errors import Poison
from lianmeng.runtime.codec import decode
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.messages import Message
from lianmeng.runtime.subjects import alliance_subject
from lianmeng.runtime.views import Put, View
from lianmeng.v1 import alliance_pb2 as pb

MAX_FOUND = 1_000
"""Most alliances that a list of invitations or tasks is put together from."""

_EPOCH_MS = 10**14
"""Milliseconds, far in the future: later moments give smaller document ids."""

_PENDING = pb.InvitationState.Value(f"INVITATION_STATE_{InvitationState.PENDING}")
_OPEN = pb.TaskState.Value(f"TASK_STATE_{TaskState.OPEN}")
_REPORTED = pb.TaskState.Value(f"TASK_STATE_{TaskState.REPORTED}")


@dataclass(frozen=True, slots=True)
class Found:
    """Alliances newest first, as of `revision`. `next` "": there are no more."""

    states: tuple[AllianceState, ...]
    next: str
    revision: str


class AllianceViews:
    """Reads of the model. All raise `Transient`, and `Rejected` for a bad revision."""

    def __init__(self, memory: Redis, log: Log, zone: str) -> None:
        subjects = [alliance_subject(zone, "*")]
        self._view = View(memory, log, "alliances", subjects, project)
        self.run = self._view.run

    async def get(
        self, alliance_id: str, min_revision: str = ""
    ) -> tuple[AllianceState | None, str]:
        """An alliance (None = there is none) and the model's revision."""
        wanted = f"id:{alliance_id}"
        page = await self._view.find(wanted, limit=1, min_revision=min_revision)
        found = [_state(data) for data in page.documents]
        return (found[0] if found else None), page.revision

    async def find(
        self,
        *terms: str | Sequence[str],
        limit: int = MAX_FOUND,
        after: str = "",
        min_revision: str = "",
    ) -> Found:
        """Alliances that have all `terms`; of a sequence of terms, at least one."""
        page = await self._view.find(*terms, after=after, limit=limit, min_revision=min_revision)
        return Found(tuple(map(_state, page.documents)), page.next, page.revision)


def of_state(state: State) -> str:
    """Term: the alliance is in this state."""
    return f"state:{state}"


def of_firm(firm: str) -> str:
    """Term: the firm has an invitation, of whatever state."""
    return f"firm:{firm}"


def asking(firm: str) -> str:
    """Term: the firm has an invitation that it has not answered."""
    return f"asks:{firm}"


def working(firm: str) -> str:
    """Term: the firm has a task that it can do or accept now."""
    return f"work:{firm}"


def project(message: Message) -> Iterator[Put]:
    """What a record does to the model. Raises `Poison`."""
    try:
        record = pb.AllianceRecord.FromString(message.data)
    except DecodeError as error:
        raise Poison("CORRUPT_PAYLOAD", f"{message.subject} {message.sequence}: {error}") from error
    if record.HasField("state"):
        state = record.state
        yield Put(_document_id(state), state.SerializeToString(), tuple(sorted(_terms(state))))


def _document_id(state: pb.AllianceState) -> str:
    created = state.created_time.seconds * 1_000 + state.created_time.nanos // 1_000_000
    return f"{_EPOCH_MS - created:015d}.{state.alliance_id}"


def _terms(state: pb.AllianceState) -> set[str]:
    terms = {
        f"id:{state.alliance_id}",
        of_state(State(pb.State.Name(state.state).removeprefix("STATE_"))),
    }
    for invitation in state.invitations:
        terms.add(of_firm(invitation.firm_id))
        if invitation.state == _PENDING:
            terms.add(asking(invitation.firm_id))
    for task in state.tasks:
        if task.state == _OPEN:
            terms.add(working(task.firm_id))
        elif task.state == _REPORTED:
            terms.add(working(task.receiver_firm_id))
    return terms


def _state(data: bytes) -> AllianceState:
    return decode(pb.AllianceState.FromString(data), AllianceState)
