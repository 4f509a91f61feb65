"""The REGISTRY stream as other processes see it: records as they come, and a key book.

`follow_records` gives what is registered, from the first version on and then as it happens.
`FollowedKeys` is the key book by which every service knows its callers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from lianmeng.kernel.errors import Poison, Rejected
from lianmeng.pool.keybook import Holder, KeyTable
from lianmeng.pool.principals import Principal
from lianmeng.pool.records import RegistryRecord
from lianmeng.runtime.auth import KeyRecord
from lianmeng.runtime.codec import decode
from lianmeng.runtime.followers import follow
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.messages import Message
from lianmeng.runtime.subjects import principal_subject
from lianmeng.v1 import registry_pb2

NEWS_WITHIN_S = 2.0
"""Seconds that a caller with an unknown key waits for the newest principals."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A version of something registered. `pending` 0: nothing newer was there when it was sent."""

    sequence: int
    record: RegistryRecord
    pending: int


def read_record(message: Message) -> RegistryRecord:
    """The record in a message of the stream. Raises `Poison(CORRUPT_PAYLOAD)`."""
    try:
        return decode(registry_pb2.RegistryRecord.FromString(message.data), RegistryRecord)
    except (DecodeError, Rejected) as error:
        raise Poison("CORRUPT_PAYLOAD", f"{message.subject} {message.sequence}: {error}") from error


async def follow_records(
    log: Log, *subjects: str, start: int = 1
) -> AsyncGenerator[Followed, None]:
    """All versions on `subjects` (`products.zj.*`) from sequence `start` on, endless, in order.

    A message that cannot be read is left out with a line in the log: the registry itself puts
    it aside as a dead letter.
    """
    async with aclosing(follow(log, *subjects, start=start)) as messages:
        async for message in messages:
            try:
                record = read_record(message)
            except Poison as error:
                line.error("message.failed", subject=message.subject, error=str(error))
                continue
            yield Followed(message.sequence, record, message.pending)


class FollowedKeys:
    """A key book that follows the principals of a zone. Start `run` as a task."""

    def __init__(self, log: Log, zone: str) -> None:
        self._log = log
        self._subject = principal_subject(zone, "*")
        self._table = KeyTable()
        self._heard = 0
        self._news = asyncio.Condition()

    async def run(self) -> None:
        """Follow for ever; cancel it to stop."""
        async with aclosing(follow(self._log, self._subject)) as messages:
            async for message in messages:
                self._apply(message)
                async with self._news:
                    self._heard = message.sequence
                    self._news.notify_all()

    def _apply(self, message: Message) -> None:
        """What cannot be read counts as heard: waiting for it would not help."""
        try:
            record = read_record(message).record
        except Poison as error:
            line.error("message.failed", subject=message.subject, error=str(error))
            return
        if isinstance(record, Principal):
            self._table.apply(record)

    async def find(self, key_id: str) -> KeyRecord | None:
        """The record of an open key; None = unknown or closed.

        For an unknown key it first hears all that is on the log, up to two seconds.
        """
        if self._table.holder(key_id) is None:
            await self.catch_up()
        found = self._table.open_holder(key_id)
        return None if found is None else _record(found)

    async def catch_up(self) -> None:
        """Wait until all principals on the log are known, at most two seconds.

        Raises `Transient(LOG_UNAVAILABLE)` if the log does not answer.
        """
        newest = await self._log.last(self._subject)
        if newest is None:
            return
        try:
            async with asyncio.timeout(NEWS_WITHIN_S), self._news:
                await self._news.wait_for(lambda: self._heard >= newest.sequence)
        except TimeoutError:
            line.warning("message.retried", subject=self._subject, reason="VIEW_LAGS")


def _record(found: Holder) -> KeyRecord:
    return KeyRecord(
        key_id=found.key.key_id,
        public_key=found.key.public_key,
        principal_id=found.principal.principal_id,
        roles=frozenset(found.principal.roles),
        firm_id=found.principal.firm_id,
    )
