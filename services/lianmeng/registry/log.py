"""Versions on the stream REGISTRY: written with the sequence that they expect, and followed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError

from lianmeng.kernel.errors import Poison, Transient
from lianmeng.pool.follow import read_record
from lianmeng.registry.picture import Current, Kind, Picture
from lianmeng.registry.ports import Entry, Stored
from lianmeng.runtime.codec import encode
from lianmeng.runtime.deadletters import bury, dead_letters
from lianmeng.runtime.followers import follow
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.messages import Message
from lianmeng.runtime.subjects import Stream, last_token, stream_name
from lianmeng.runtime.writes import Write
from lianmeng.v1 import registry_pb2

SERVICE = "registry"

HEARD_WITHIN_S = 2.0
"""Seconds that a command waits for the picture to hear of the newest version."""

Owned = registry_pb2.Firm | registry_pb2.Node | registry_pb2.Product


def subject_of(zone: str, kind: Kind, identity: str) -> str:
    """The subject of a record; `*` as identity matches all of the kind."""
    return f"{kind}.{zone}.{identity}"


class Version(NamedTuple):
    """A version as it is written: `expected` is the sequence of the one before it, 0 = none.

    `digest` is that of its record, where it is known already.
    """

    kind: Kind
    id: str
    record: registry_pb2.RegistryRecord
    expected: int
    digest: int | None = None

    def write(self, zone: str) -> Write:
        """The message on the stream."""
        data = self.record.SerializeToString()
        return Write(subject_of(zone, self.kind, self.id), data, expected=self.expected)

    def current(self, sequence: int) -> Current:
        """The short form, once it is written."""
        return current_of(self.record, sequence, self.digest)


class StreamRecords:
    """The stream REGISTRY of a zone as `Records`."""

    def __init__(self, log: Log, zone: str) -> None:
        self._log = log
        self._zone = zone

    async def last(self, kind: Kind, identity: str) -> Stored | None:
        """See `Records`."""
        message = await self._log.last(subject_of(self._zone, kind, identity))
        return None if message is None else Stored(message.sequence, read_record(message))

    async def at(self, kind: Kind, identity: str, sequence: int) -> Stored:
        """See `Records`."""
        subject = subject_of(self._zone, kind, identity)
        async for message in self._log.history(subject, start=sequence):
            return Stored(message.sequence, read_record(message))
        raise Transient("LOG_UNAVAILABLE", f"{subject} {sequence} is not on this replica yet")

    async def newest(self) -> int:
        """See `Records`."""
        state = await self._log.state(stream_name(Stream.REGISTRY, self._zone))
        return state.last

    async def commit(self, entries: Sequence[Entry]) -> int:
        """See `Records`."""
        return await self.commit_versions(
            [
                Version(e.kind, e.id, encode(e.record, registry_pb2.RegistryRecord), e.expected)
                for e in entries
            ]
        )

    async def commit_versions(self, versions: Sequence[Version]) -> int:
        """The same for records that are messages already."""
        return await self._log.commit([one.write(self._zone) for one in versions])


class PictureFollower:
    """Keeps a picture up to date from the stream. Start `run` as a task."""

    def __init__(self, log: Log, zone: str, picture: Picture) -> None:
        self._log = log
        self._zone = zone
        self._picture = picture
        self._news = asyncio.Condition()
        self._buried: set[int] | None = None

    async def run(self) -> None:
        """Follow for ever; cancel it to stop. What cannot be read becomes a dead letter."""
        subjects = [subject_of(self._zone, kind, "*") for kind in Kind]
        async with aclosing(follow(self._log, *subjects)) as messages:
            async for message in messages:
                try:
                    take_in(self._picture, message)
                except Poison as error:
                    await self._bury(message, error)
                async with self._news:
                    self._picture.heard = message.sequence
                    self._news.notify_all()

    async def heard(self, sequence: int) -> None:
        """See `News`."""
        if self._picture.heard >= sequence:
            return
        try:
            async with asyncio.timeout(HEARD_WITHIN_S), self._news:
                await self._news.wait_for(lambda: self._picture.heard >= sequence)
        except TimeoutError as error:
            lag = sequence - self._picture.heard
            raise Transient(
                "VIEW_LAGS",
                f"the registry is {lag} versions behind the log",
                timedelta(seconds=1),
                f"注册中心落后日志 {lag} 条",
            ) from error

    async def _bury(self, message: Message, error: Poison) -> None:
        """Put it aside, unless an earlier start of the registry did."""
        if self._buried is None:
            letters = dead_letters(self._log, self._zone, SERVICE)
            self._buried = {letter.sequence async for letter in letters}
        if message.sequence not in self._buried:
            self._buried.add(message.sequence)
            await bury(self._log, self._zone, SERVICE, message, error.reason, error.message)


def current_of(
    record: registry_pb2.RegistryRecord, sequence: int, digest: int | None = None
) -> Current:
    """The short form of a stored version; its `digest` is made here unless it is known."""

    def digested(said: Owned) -> int:
        return digest_of(said) if digest is None else digest

    match record.WhichOneof("record"):
        case "firm":
            firm = record.firm
            return Current(
                Kind.FIRM, firm.firm_id, sequence, firm.version, firm.firm_id,
                _name(registry_pb2.FirmState, firm.state, "FIRM_STATE_"), uscc=firm.uscc,
                digest=digested(firm),
            )  # fmt: skip
        case "node":
            node = record.node
            return Current(
                Kind.NODE, node.node_id, sequence, node.version, node.firm_id,
                _name(registry_pb2.NodeState, node.state, "NODE_STATE_"), digest=digested(node),
            )  # fmt: skip
        case "product":
            product = record.product
            return Current(
                Kind.PRODUCT, product.product_id, sequence, product.version,
                state=_name(registry_pb2.ProductState, product.state, "PRODUCT_STATE_"),
                unique=(product.product_id, *product.aliases), digest=digested(product),
            )  # fmt: skip
        case "principal":
            principal = record.principal
            return Current(
                Kind.PRINCIPAL, principal.principal_id, sequence, owner=principal.firm_id,
                unique=tuple(key.key_id for key in principal.keys),
            )  # fmt: skip
    raise Poison("CORRUPT_PAYLOAD", f"{sequence} holds no record")


def digest_of(record: Owned) -> int:
    """Equal for records that say the same, whatever the platform's own fields say."""
    said: Any = type(record)()
    said.CopyFrom(record)
    said.version = 0
    said.ClearField("state")
    if isinstance(said, registry_pb2.Firm):
        said.state_reason, said.reliability_bp = "", 0
    return hash(said.SerializeToString(deterministic=True))


def _name(enum: Any, number: int, prefix: str) -> str:
    name: str = enum.Name(number)
    return name.removeprefix(prefix)


def _is_known(picture: Picture, message: Message) -> bool:
    """Whether this process wrote the message itself, in bulk: then there is no command to learn."""
    kind, _, identity = message.subject.split(".", 2)
    known = picture.get(Kind(kind), identity)
    return known is not None and known.sequence == message.sequence


def take_in(picture: Picture, message: Message) -> None:
    """Apply one message of the stream. Raises `Poison`."""
    if _is_known(picture, message):
        return
    try:
        record = registry_pb2.RegistryRecord.FromString(message.data)
    except DecodeError as error:
        raise Poison("CORRUPT_PAYLOAD", f"{message.subject} {message.sequence}: {error}") from error
    current = current_of(record, message.sequence)
    if current.id != last_token(message.subject):
        raise Poison("CORRUPT_PAYLOAD", f"{message.subject} holds {current.kind} {current.id!r}")
    picture.apply(current, record.written_by, record.command_id)
