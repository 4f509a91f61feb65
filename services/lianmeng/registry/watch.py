"""Everything registered, as it becomes known: what is current first, then every new version."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from google.protobuf.message import DecodeError

from lianmeng.registry.actors import Actor
from lianmeng.registry.log import subject_of
from lianmeng.registry.messages import without_prices
from lianmeng.registry.picture import Kind, Picture
from lianmeng.runtime.followers import follow
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.messages import Message
from lianmeng.runtime.revisions import revision, sequence_of
from lianmeng.runtime.subjects import Stream, stream_name
from lianmeng.v1 import registry_pb2

WATCHED = (Kind.FIRM, Kind.NODE, Kind.PRODUCT)


class Watch:
    """Answers watches from the stream itself, so nothing is missed and nothing comes twice."""

    def __init__(self, log: Log, zone: str, picture: Picture) -> None:
        self._log = log
        self._subjects = [subject_of(zone, kind, "*") for kind in WATCHED]
        self._stream = stream_name(Stream.REGISTRY, zone)
        self._picture = picture

    async def versions(
        self, actor: Actor, after_revision: str
    ) -> AsyncGenerator[registry_pb2.WatchRegistryResponse, None]:
        """Versions after a revision, or all that are current; endless.

        Older versions of what is current are left out until the reader has caught up.
        """
        after = sequence_of(after_revision, self._stream, "after_revision")
        goal = await self._goal()
        caught_up = goal <= after
        if caught_up:
            yield registry_pb2.WatchRegistryResponse(revision=after_revision, caught_up=True)
        messages = follow(self._log, *self._subjects, start=after + 1)
        async with aclosing(messages):
            async for message in messages:
                if caught_up or after_revision or self._is_current(message):
                    answer = self._answer(actor, message)
                    if answer is not None:
                        yield answer
                if not caught_up and message.sequence >= goal:
                    caught_up = True
                    place = revision(self._stream, message.sequence)
                    yield registry_pb2.WatchRegistryResponse(revision=place, caught_up=True)

    async def _goal(self) -> int:
        """The newest version that a watcher is shown."""
        newest = [await self._log.last(subject) for subject in self._subjects]
        return max((message.sequence for message in newest if message), default=0)

    def _is_current(self, message: Message) -> bool:
        kind, _, identity = message.subject.split(".", 2)
        known = self._picture.get(Kind(kind), identity)
        return known is None or known.sequence <= message.sequence

    def _answer(self, actor: Actor, message: Message) -> registry_pb2.WatchRegistryResponse | None:
        """The message for this watcher; None where it cannot be read (it is a dead letter)."""
        try:
            record = registry_pb2.RegistryRecord.FromString(message.data)
        except DecodeError:
            return None
        answer = registry_pb2.WatchRegistryResponse(
            revision=revision(self._stream, message.sequence)
        )
        match record.WhichOneof("record"):
            case "firm":
                answer.firm.CopyFrom(record.firm)
            case "product":
                answer.product.CopyFrom(record.product)
            case "node":
                node = record.node
                if not actor.sees_prices_of(node.firm_id):
                    node = without_prices(node, actor.firm_id)
                answer.node.CopyFrom(node)
            case _:
                return None
        return answer
