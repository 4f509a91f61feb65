"""The commands of people: load, decide, commit; a repeated command gets its first result.

Nobody is told "refused" while a write may still stand: the log of alliances settles every
unknown outcome first, if need be with a fence.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from lianmeng.alliance import decide
from lianmeng.alliance import facts as f
from lianmeng.alliance.log import AllianceLog, Conflict, Step
from lianmeng.alliance.members import SignedStatement
from lianmeng.alliance.membership import invitation_of
from lianmeng.alliance.state import AllianceState
from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Rejected, Status, Transient
from lianmeng.kernel.ids import require_id
from lianmeng.lifecycle.commands import first_record, mark_of, require_same
from lianmeng.lifecycle.visibility import Viewer, may_see
from lianmeng.pool import checks
from lianmeng.runtime.auth import KeyBook
from lianmeng.runtime.keys import verify_statement

ACCEPTANCE = "accept-invitation"
"""Type tag of the statement that a firm signs to accept."""

TRIES = 20
"""How often a command is decided anew while others change the same alliance."""

Decide = Callable[[AllianceState], f.Fact]


@dataclass(frozen=True, slots=True)
class Command:
    """Who wants something of which alliance, under which command id."""

    viewer: Viewer
    alliance_id: str
    command_id: str


@dataclass(frozen=True, slots=True)
class Done:
    """A command's fact, the state after it, and its sequence."""

    fact: f.Fact
    state: AllianceState
    sequence: int


class Lifecycle:
    """All commands. Methods raise `Rejected` and `Transient`."""

    def __init__(self, alliances: AllianceLog, keys: KeyBook, zone: str, clock: Clock) -> None:
        self._alliances = alliances
        self._keys = keys
        self._zone = zone
        self._clock = clock

    async def accept(
        self, command: Command, invitation_id: str, version: int, acceptance: SignedStatement
    ) -> Done:
        """A firm's signed yes. Too late a yes makes it a standby."""
        firm = command.viewer.firm_id
        public_key = await self._public_key(acceptance.key_id, command.viewer.principal_id)

        def decision(state: AllianceState) -> f.Fact:
            fact = decide.accept(
                state,
                invitation_id,
                version,
                firm,
                acceptance,
                command.command_id,
                self._clock.now(),
            )
            self._require_signed(state, command, fact, public_key)
            return fact

        said = {"invitation_id": invitation_id, "version": version, "firm_id": firm}
        return await self._carry_out(command, decision, (f.Accepted,), **said)

    async def decline(
        self, command: Command, invitation_id: str, version: int, reason: str
    ) -> Done:
        """A firm's no."""
        firm = command.viewer.firm_id
        checks.text(reason, "reason")

        def decision(state: AllianceState) -> f.Fact:
            return decide.decline(
                state, invitation_id, version, firm, reason, command.command_id, self._clock.now()
            )

        said = {"invitation_id": invitation_id, "version": version, "firm_id": firm}
        return await self._carry_out(command, decision, (f.Declined,), **said)

    async def report_task(
        self, command: Command, task_id: str, kind: f.ReportKind, units: int, note: str
    ) -> Done:
        """A member's report on its task."""
        firm = command.viewer.firm_id
        checks.text(note, "note")

        def decision(state: AllianceState) -> f.Fact:
            return decide.report_task(state, task_id, firm, kind, units, note, command.command_id)

        said = {"task_id": task_id, "firm_id": firm, "kind": kind}
        return await self._carry_out(command, decision, (f.TaskReported,), **said)

    async def accept_task(self, command: Command, task_id: str, units: int) -> Done:
        """A receiver's word on what was reported."""
        firm = command.viewer.firm_id

        def decision(state: AllianceState) -> f.Fact:
            return decide.accept_task(state, task_id, firm, units, command.command_id)

        return await self._carry_out(command, decision, (f.TaskAccepted,), task_id=task_id)

    async def approve(self, command: Command, risk_report_hash: str, note: str) -> Done:
        """A zone manager's yes to the plan whose report it has in hand."""
        by = command.viewer.principal_id
        checks.required(risk_report_hash, "risk_report_hash")
        checks.text(note, "note")

        def decision(state: AllianceState) -> f.Fact:
            now = self._clock.now()
            return decide.approve(state, by, risk_report_hash, note, command.command_id, now)

        return await self._carry_out(command, decision, (f.ApprovalGranted,))

    async def reject(self, command: Command, reason: str) -> Done:
        """A zone manager's no."""
        by = command.viewer.principal_id
        checks.text(reason, "reason", needed=True)

        def decision(state: AllianceState) -> f.Fact:
            return decide.reject(state, by, reason, command.command_id, self._clock.now())

        return await self._carry_out(command, decision, (f.ApprovalRefused,))

    async def dissolve(self, command: Command, reason: str) -> Done:
        """An order to end."""
        by = command.viewer.principal_id
        checks.text(reason, "reason", needed=True)

        def decision(state: AllianceState) -> f.Fact:
            return decide.dissolve(state, by, reason, command.command_id, self._clock.now())

        return await self._carry_out(command, decision, (f.WindingDown, f.FormationFailed))

    async def _carry_out(
        self, command: Command, decision: Decide, wanted: tuple[type[f.Fact], ...], **said: object
    ) -> Done:
        require_id(command.command_id, "command_id")
        require_id(command.alliance_id, "alliance_id")
        who = command.viewer.principal_id
        loaded = await self._alliances.recall(command.alliance_id)
        for attempt in range(TRIES):
            state = loaded.state
            if state is not None and mark_of(state, who, command.command_id) is not None:
                return await self._first_result(command, wanted, **said)
            try:
                fact = _decided(command, state, decision)
            except Rejected:
                newest = await self._alliances.load(command.alliance_id)
                if newest.sequence == loaded.sequence:  # nobody is refused on old news
                    raise
                loaded = newest
                continue
            step = Step(loaded, fact, self._clock.now(), who, secrets.token_hex(8))
            try:
                (after,) = await self._alliances.commit([step])
            except Conflict:
                await asyncio.sleep(random.uniform(0.0, 0.01 * 1.3**attempt))  # noqa: S311 - jitter
                loaded = await self._alliances.load(command.alliance_id)
                continue
            assert after.state is not None, "a fact leaves a state"
            return Done(fact, after.state, after.sequence)
        raise Transient(
            "CONFLICT",
            f"the alliance {command.alliance_id} is being changed by others",
            message_zh="该联盟正被其他人修改，请重试",
        )

    async def _first_result(
        self, command: Command, wanted: tuple[type[f.Fact], ...], **said: object
    ) -> Done:
        history = await self._alliances.history(command.alliance_id)
        found = first_record(history, command.viewer.principal_id, command.command_id)
        if found is None or found[1].state is None:
            raise Transient(
                "VIEW_LAGS",
                "the first result of this command is not on this replica yet",
                message_zh="该命令的首次结果尚未同步，请稍后重试",
            )
        sequence, record = found
        require_same(record.fact, wanted, **said)
        assert record.state is not None, "checked above"
        return Done(record.fact, record.state, sequence)

    async def _public_key(self, key_id: str, principal_id: str) -> bytes:
        checks.required(key_id, "acceptance.key_id")
        record = await self._keys.find(key_id)
        if record is None or record.principal_id != principal_id:
            raise Rejected(
                reason="BAD_SIGNATURE",
                field="acceptance.key_id",
                message="this is not an open key of yours",
                hint="sign with the key of the call's token",
                message_zh="该密钥不是您的有效密钥",
                hint_zh="请用本次调用所用的密钥签名",
                status=Status.PERMISSION_DENIED,
            )
        return record.public_key

    def _require_signed(
        self, state: AllianceState, command: Command, fact: f.Accepted, public_key: bytes
    ) -> None:
        invitation = invitation_of(state, fact.firm_id)
        assert invitation is not None, "decide.accept has found it"
        verify_statement(
            public_key,
            fact.acceptance.statement,
            fact.acceptance.signature,
            ACCEPTANCE,
            self._zone,
            "acceptance",
            invitation_id=invitation.invitation_id,
            version=invitation.version,
            annex_sha256=invitation.annex_sha256,
            command_id=command.command_id,
        )


def _decided(command: Command, state: AllianceState | None, decision: Decide) -> f.Fact:
    """The fact that a command leads to in a state. Raises `Rejected`."""
    if state is None or not may_see(state, command.viewer):
        raise not_found("alliance", "联盟", command.alliance_id, "alliance_id")
    return decision(state)


def not_found(kind: str, kind_zh: str, identity: str, field: str) -> Rejected:
    """There is no such thing, or it does not exist for this caller."""
    return Rejected(
        reason="NOT_FOUND",
        field=field,
        message=f"there is no {kind} {identity[:80]!r} that you may see",
        hint="check the id",
        message_zh=f"没有您可查看的{kind_zh} {identity[:80]!r}",
        hint_zh="请核对编号",
        status=Status.NOT_FOUND,
    )
