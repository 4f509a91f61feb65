"""The use cases of the registry: load, decide, commit with the sequence that was read.

A command that comes again gets its first result. A version that changed in between is read again
and the decision is made anew. A write without a definite answer is read back; nobody is told
"refused" while it may still stand.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Rejected, Transient
from lianmeng.kernel.ids import require_id
from lianmeng.kernel.roles import PrincipalRole
from lianmeng.pool import checks
from lianmeng.pool.firms import Firm, FirmState
from lianmeng.pool.node_validation import validate_node
from lianmeng.pool.nodes import Node, NodeState
from lianmeng.pool.principals import Key, Principal
from lianmeng.pool.products import Product
from lianmeng.pool.records import Registered, RegistryRecord
from lianmeng.pool.validation import (
    validate_firm,
    validate_office_roles,
    validate_product,
    validate_public_key,
)
from lianmeng.registry import decisions, refusals
from lianmeng.registry.actors import Actor
from lianmeng.registry.crosschecks import CrossChecks
from lianmeng.registry.picture import Kind, Picture
from lianmeng.registry.ports import Entry, News, Records, Stored
from lianmeng.registry.telling import event_of
from lianmeng.runtime.jetstream import Conflict, Unknown
from lianmeng.runtime.keys import key_id_of
from lianmeng.runtime.logs import log as line

TRIES = 6
"""How often a command is decided anew before its caller is asked to send it again."""

Decide = Callable[[Registered | None], tuple[Registered, ...]]
"""From the current version to what is written: the record itself first, then what belongs to it."""


@dataclass(frozen=True, slots=True)
class Command:
    """Who wants something, under which command id."""

    actor: Actor
    command_id: str


class Registry:
    """All changes of what is registered. Methods raise `Rejected` and `Transient`."""

    def __init__(self, records: Records, news: News, picture: Picture, clock: Clock) -> None:
        self._records = records
        self._news = news
        self._picture = picture
        self._clock = clock
        self._others = CrossChecks(picture)

    async def register_firm(self, command: Command, firm: Firm, public_key: bytes) -> Stored:
        """A new firm and the principal that acts for it, in one atomic batch."""
        validate_firm(firm)
        key_id = key_id_of(validate_public_key(public_key, "public_key"))

        def decide(current: Registered | None) -> tuple[Registered, ...]:
            if current is not None:
                raise refusals.already_exists("firm", firm.firm_id, "firm.firm_id")
            self._others.principal_is_free(firm.firm_id, "firm.firm_id")
            self._others.key_is_free(key_id, "public_key")
            now = self._clock.now()
            principal = decisions.firm_principal(firm.firm_id, key_id, public_key, now)
            return decisions.new_firm(firm), principal

        return await self._change(command, Kind.FIRM, firm.firm_id, decide)

    async def update_firm(self, command: Command, firm: Firm) -> Stored:
        """A new version of a firm's own record."""
        command.actor.require_firm(firm.firm_id, "firm", firm.firm_id, "firm.firm_id")
        validate_firm(firm)

        def decide(current: Registered | None) -> tuple[Registered, ...]:
            return (decisions.next_firm(_firm(current, firm.firm_id, "firm.firm_id"), firm),)

        return await self._change(command, Kind.FIRM, firm.firm_id, decide)

    async def set_firm_state(
        self, command: Command, firm_id: str, state: FirmState, reason: str
    ) -> Stored:
        """A firm activated, suspended or withdrawn."""
        command.actor.require_firm(firm_id, "firm", firm_id, "firm_id")
        if state not in decisions.OWN_MOVES and not command.actor.is_trustee:
            raise refusals.not_yours("firm", firm_id, "state")
        checks.text(reason, "reason", needed=state is FirmState.SUSPENDED)

        def decide(current: Registered | None) -> tuple[Registered, ...]:
            firm = _firm(current, firm_id, "firm_id")
            if state is FirmState.ACTIVE:
                self._others.code_is_free(firm)
            return (decisions.firm_in_state(firm, state, reason),)

        return await self._change(command, Kind.FIRM, firm_id, decide)

    async def put_node(self, command: Command, node: Node) -> Stored:
        """A new node, or a new version of it."""
        command.actor.require_firm(node.firm_id, "firm", node.firm_id, "node.firm_id")
        valid = validate_node(node, self._clock.now())

        def decide(current: Registered | None) -> tuple[Registered, ...]:
            self._others.firm_takes_part(node.firm_id, "node.firm_id")
            return (decisions.next_node(current if isinstance(current, Node) else None, valid),)

        return await self._change(command, Kind.NODE, node.node_id, decide)

    async def set_node_state(self, command: Command, node_id: str, state: NodeState) -> Stored:
        """A node withdrawn or active again."""

        def decide(current: Registered | None) -> tuple[Registered, ...]:
            if not isinstance(current, Node):
                raise refusals.not_found("node", node_id, "node_id")
            command.actor.require_firm(current.firm_id, "node", node_id, "node_id")
            return (decisions.node_in_state(current, state),)

        return await self._change(command, Kind.NODE, node_id, decide)

    async def put_product(self, command: Command, product: Product) -> Stored:
        """A new product of the catalogue, or a new version of it."""
        validate_product(product)

        def decide(current: Registered | None) -> tuple[Registered, ...]:
            self._others.terms_are_free(product)
            present = current if isinstance(current, Product) else None
            return (decisions.next_product(present, product),)

        return await self._change(command, Kind.PRODUCT, product.product_id, decide)

    async def create_principal(
        self,
        command: Command,
        principal_id: str,
        roles: tuple[PrincipalRole, ...],
        public_key: bytes,
        display_name: str,
    ) -> Stored:
        """A principal that acts for no firm."""
        validate_office_roles(roles, "roles")
        checks.text(display_name, "display_name")
        key_id = key_id_of(validate_public_key(public_key, "public_key"))

        def decide(current: Registered | None) -> tuple[Registered, ...]:
            if current is not None or self._picture.get(Kind.FIRM, principal_id) is not None:
                raise refusals.already_exists("principal", principal_id, "principal_id")
            self._others.key_is_free(key_id, "public_key")
            key = Key(key_id=key_id, public_key=public_key, opened_time=self._clock.now())
            return (
                Principal(
                    principal_id=principal_id,
                    roles=roles,
                    keys=(key,),
                    display_name=display_name,
                ),
            )

        return await self._change(command, Kind.PRINCIPAL, principal_id, decide)

    async def add_key(self, command: Command, principal_id: str, public_key: bytes) -> Stored:
        """One more key of a principal."""
        command.actor.require_self(principal_id, "principal_id")
        key_id = key_id_of(validate_public_key(public_key, "public_key"))

        def decide(current: Registered | None) -> tuple[Registered, ...]:
            principal = _principal(current, principal_id)
            self._others.key_is_free(key_id, "public_key")
            return (decisions.with_key(principal, key_id, public_key, self._clock.now()),)

        return await self._change(command, Kind.PRINCIPAL, principal_id, decide)

    async def close_key(self, command: Command, principal_id: str, key_id: str) -> Stored:
        """A key closed: it signs nothing any more."""
        command.actor.require_self(principal_id, "principal_id")

        def decide(current: Registered | None) -> tuple[Registered, ...]:
            principal = _principal(current, principal_id)
            return (decisions.without_key(principal, key_id, self._clock.now()),)

        return await self._change(command, Kind.PRINCIPAL, principal_id, decide)

    async def _change(self, command: Command, kind: Kind, identity: str, decide: Decide) -> Stored:
        require_id(command.command_id, "command_id")
        require_id(identity, _ID_FIELDS[kind])
        doubt: Unknown | None = None
        for attempt in range(TRIES):
            current = await self._records.last(kind, identity)
            if current is not None:
                await self._news.heard(current.sequence)
            first = await self._first_result(command, kind, identity, current)
            if first is not None:
                return first
            try:
                records = await self._decided(decide, current)
            except Rejected:
                if doubt is not None:  # an earlier try may still stand: nobody is refused yet
                    raise doubt from None
                raise
            try:
                return await self._commit(command, records, current)
            except Unknown as unknown:
                doubt = unknown
            except Conflict:
                pass
            await asyncio.sleep(random.uniform(0.0, 0.02 * 2**attempt))  # noqa: S311 - jitter
        raise doubt or _contended(kind, identity)

    async def _decided(self, decide: Decide, current: Stored | None) -> tuple[Registered, ...]:
        """The decision; a refusal stands only if it is made again with all news heard."""
        present = None if current is None else current.record.record
        try:
            return decide(present)
        except Rejected:
            await self._news.heard(await self._records.newest())
            return decide(present)

    async def _first_result(
        self, command: Command, kind: Kind, identity: str, current: Stored | None
    ) -> Stored | None:
        """What this command wrote before, if it did. It is kept for ever, with each version."""
        who = command.actor.principal_id
        if current is not None and (
            (current.record.written_by, current.record.command_id) == (who, command.command_id)
        ):
            return current
        done = self._picture.command(who, command.command_id)
        if done is None:
            return None
        if (done.kind, done.id) != (kind, identity):
            raise refusals.command_reused(command.command_id)
        return await self._records.at(kind, identity, done.sequence)

    async def _commit(
        self, command: Command, records: tuple[Registered, ...], current: Stored | None
    ) -> Stored:
        """Write the record and what belongs to it; all others of a batch are new."""
        entries = [
            Entry(
                *key_of(record),
                RegistryRecord(
                    record=record,
                    written_by=command.actor.principal_id,
                    command_id=command.command_id,
                    written_time=self._clock.now(),
                ),
                expected=current.sequence if current is not None and index == 0 else 0,
            )
            for index, record in enumerate(records)
        ]
        last = await self._records.commit(entries)
        before = None if current is None else current.record.record
        event, names = event_of(before, records[0])
        line.info(event, **names, by=command.actor.principal_id)
        return Stored(last - len(entries) + 1, entries[0].record)


_ID_FIELDS = {
    Kind.FIRM: "firm_id",
    Kind.NODE: "node_id",
    Kind.PRODUCT: "product_id",
    Kind.PRINCIPAL: "principal_id",
}


def key_of(record: Registered) -> tuple[Kind, str]:
    """Kind and id of a record."""
    match record:
        case Firm():
            return Kind.FIRM, record.firm_id
        case Node():
            return Kind.NODE, record.node_id
        case Product():
            return Kind.PRODUCT, record.product_id
        case Principal():
            return Kind.PRINCIPAL, record.principal_id


def _firm(current: Registered | None, firm_id: str, field: str) -> Firm:
    if isinstance(current, Firm):
        return current
    raise refusals.not_found("firm", firm_id, field)


def _principal(current: Registered | None, principal_id: str) -> Principal:
    if isinstance(current, Principal):
        return current
    raise refusals.not_found("principal", principal_id, "principal_id")


def _contended(kind: Kind, identity: str) -> Transient:
    return Transient(
        "VERSION_CONFLICT",
        f"{kind.removesuffix('s')} {identity!r} is being changed by others",
        message_zh="该记录正被其他人修改，请重试",
    )
