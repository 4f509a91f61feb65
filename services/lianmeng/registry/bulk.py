"""Many records over one stream: validated one by one, written in atomic batches.

A bad row is named in the answer and does not stop the others. A row that says what is stored
already is kept without a new version, so a file can be sent again. While a batch is on its way to
the log, the next one is made up.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import chain

from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Rejected, Transient
from lianmeng.registry.actors import Actor
from lianmeng.registry.bulk_checker import Checker
from lianmeng.registry.bulk_checks import Checked, row_error
from lianmeng.registry.bulk_rows import Draft, RowReader
from lianmeng.registry.log import StreamRecords, Version
from lianmeng.registry.picture import Current, Kind, Picture
from lianmeng.registry.ports import News
from lianmeng.registry.service import Command, Registry
from lianmeng.runtime.codec import encode
from lianmeng.runtime.jetstream import Conflict, Unknown
from lianmeng.runtime.logs import log as line
from lianmeng.v1 import registry_pb2

BATCH_ROWS = 200
"""Rows of one batch: more would hardly be faster, and would keep others waiting."""

AHEAD = 2
"""Messages of a stream that are checked while an earlier one is written."""

ROWS_PER_TURN = 25
"""Rows after which other calls get a turn."""

MAX_ERRORS = 1_000
"""Refused rows that are named; more are only counted."""

TRIES = 8


@dataclass(slots=True)
class Outcome:
    """What became of the rows. `sequence` is that of the last version written; 0 = none was."""

    kept: int = 0
    refused: int = 0
    errors: list[registry_pb2.RowError] = field(default_factory=list)
    sequence: int = 0

    def refuse(self, error: registry_pb2.RowError) -> None:
        """Count a bad row and tell why."""
        self.refused += 1
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(error)


class Bulk:
    """Writes streams of records. Shared by all streams; each has a `_Run` of its own."""

    def __init__(
        self,
        registry: Registry,
        records: StreamRecords,
        news: News,
        picture: Picture,
        clock: Clock,
        checker: Checker,
    ) -> None:
        self.registry = registry
        self.records = records
        self.news = news
        self.picture = picture
        self.clock = clock
        self.checker = checker

    async def put_many(
        self, actor: Actor, requests: AsyncIterator[registry_pb2.PutManyRequest]
    ) -> Outcome:
        """Keep what is good. Raises `Transient` if the log fails; sent again, nothing doubles."""
        run = _Run(self, actor)
        ahead: deque[asyncio.Task[Checked]] = deque()
        try:
            async for request in requests:
                ahead.append(asyncio.create_task(self.checker.check(request)))
                if len(ahead) > AHEAD:
                    await run.take(await ahead.popleft())
            while ahead:
                await run.take(await ahead.popleft())
            await run.finish()
        finally:
            for task in ahead:
                task.cancel()
        found = run.outcome
        line.info("registry.imported", accepted=found.kept, rejected=found.refused)
        return found


class _Run:
    """One stream: the batch that is made up, and the one that is on its way."""

    def __init__(self, bulk: Bulk, actor: Actor) -> None:
        self._bulk = bulk
        self._actor = actor
        self._reader = RowReader(actor, bulk.picture)
        self._number = 0
        self._batch: dict[tuple[Kind, str], Draft] = {}
        self._on_its_way: dict[tuple[Kind, str], Draft] = {}
        self._flight: asyncio.Task[None] | None = None
        self.outcome = Outcome()

    async def take(self, checked: Checked) -> None:
        """The rows of one message; other calls get a turn after each few of them."""
        request, refused = checked
        for index, said in enumerate(request.rows):
            self._number += 1
            row = said.row or str(self._number)
            if index in refused:
                refused[index].row = row
                self.outcome.refuse(refused[index])
            else:
                await self._take_row(said, row)
            if self._number % ROWS_PER_TURN == 0:
                await asyncio.sleep(0)

    async def _take_row(self, said: registry_pb2.PutManyRow, row: str) -> None:
        """One row: refused at once, or put into the batch."""
        await self._settle_what_it_needs(said)
        try:
            draft = await self._read(said, row)
            if self._meets_unwritten(draft):
                await self.finish()
                draft = await self._read(said, row)
        except Rejected as refusal:
            self.outcome.refuse(row_error(row, refusal))
            return
        if draft.firm is not None and self._present(draft) is not None:
            await self._update_firm(draft)
            return
        self._batch[draft.kind, draft.id] = draft
        if len(self._batch) >= BATCH_ROWS:
            await self._send()

    async def finish(self) -> None:
        """Write what is left and wait until all is on the log."""
        await self._send()
        await self._landed()

    async def _read(self, said: registry_pb2.PutManyRow, row: str) -> Draft:
        """The draft; a refusal stands only if it is made again with all news heard."""
        try:
            return self._reader.read(said, row)
        except Rejected as refusal:
            if refusal.reason not in ("NOT_FOUND", "FIRM_NOT_ACTIVE", "DUPLICATE"):
                raise
        await self._bulk.news.heard(await self._bulk.records.newest())
        return self._reader.read(said, row)

    async def _settle_what_it_needs(self, said: registry_pb2.PutManyRow) -> None:
        """A node needs its firm on the log."""
        if said.WhichOneof("record") != "node":
            return
        key = (Kind.FIRM, said.node.firm_id)
        if key in self._batch:
            await self.finish()
        elif key in self._on_its_way:
            await self._landed()

    def _meets_unwritten(self, draft: Draft) -> bool:
        """Whether a row of the same record, or with one of its names or its key, waits."""
        key = (draft.kind, draft.id)
        if key in self._batch or (draft.firm is not None and key in self._on_its_way):
            return True
        if not draft.unique:
            return False
        waiting = chain(self._batch.values(), self._on_its_way.values())
        return any(not draft.unique.isdisjoint(other.unique) for other in waiting)

    async def _send(self) -> None:
        """Let the batch go when the one before has landed: versions follow one another."""
        await self._landed()
        if self._batch:
            self._on_its_way, self._batch = self._batch, {}
            drafts = list(self._on_its_way.values())
            self._flight = asyncio.create_task(self._write(drafts))

    async def _landed(self) -> None:
        flight, self._flight = self._flight, None
        if flight is not None:
            await flight
        self._on_its_way = {}

    async def _update_firm(self, draft: Draft) -> None:
        """A firm that exists is changed by the use case for one firm."""
        current = self._present(draft)
        assert draft.firm is not None
        if current is not None and current.digest == draft.digest:
            self.outcome.kept += 1
            return
        command = Command(self._actor, f"bulk-{secrets.token_hex(10)}")
        try:
            stored = await self._bulk.registry.update_firm(command, draft.firm)
        except Rejected as refusal:
            self.outcome.refuse(row_error(draft.row, refusal))
            return
        self.outcome.kept += 1
        self.outcome.sequence = max(self.outcome.sequence, stored.sequence)

    async def _write(self, drafts: list[Draft]) -> None:
        """One batch: all of it lands, or it is made up anew from what has landed meanwhile."""
        bulk = self._bulk
        for attempt in range(TRIES):
            versions, drafts = self._versions(drafts)
            if not versions:
                return
            try:
                last = await bulk.records.commit_versions(versions)
            except (Conflict, Unknown):
                await asyncio.sleep(random.uniform(0.0, 0.02 * 2**attempt))  # noqa: S311 - jitter
                await bulk.news.heard(await bulk.records.newest())
                continue
            for sequence, version in enumerate(versions, start=last - len(versions) + 1):
                bulk.picture.apply(version.current(sequence))  # the next batch builds on it
            self.outcome.kept += len(drafts)
            self.outcome.sequence = last
            return
        raise Transient(
            "LOG_UNAVAILABLE", "a batch was not acknowledged", message_zh="批次未获确认"
        )

    def _versions(self, drafts: list[Draft]) -> tuple[list[Version], list[Draft]]:
        """What is to be written, and the drafts that it comes from; the others are settled."""
        versions: list[Version] = []
        rest: list[Draft] = []
        for draft in drafts:
            current = self._present(draft)
            if current is not None and current.digest == draft.digest:
                self.outcome.kept += 1
                continue
            try:
                versions.extend(self._versions_of(draft, current))
                rest.append(draft)
            except Rejected as refusal:
                self.outcome.refuse(row_error(draft.row, refusal))
        return versions, rest

    def _versions_of(self, draft: Draft, current: Current | None) -> list[Version]:
        now = self._bulk.clock.now()
        version = self._reader.version_after(draft, current)
        record = registry_pb2.RegistryRecord(written_by=self._actor.principal_id)
        record.written_time.FromDatetime(now)
        expected = 0 if current is None else current.sequence
        if draft.firm is not None:
            firm, principal = self._reader.new_firm(draft, now)
            record.firm.CopyFrom(encode(firm, registry_pb2.Firm))
            beside = encode(principal, registry_pb2.RegistryRecord)
            return [
                Version(Kind.FIRM, draft.id, record, expected, draft.digest),
                Version(Kind.PRINCIPAL, draft.id, beside, 0),
            ]
        said = getattr(record, draft.kind.removesuffix("s"))
        said.CopyFrom(draft.said)
        said.version = version
        said.state = _STATES[draft.kind].Value(f"{_PREFIXES[draft.kind]}{_state(current)}")
        return [Version(draft.kind, draft.id, record, expected, draft.digest)]

    def _present(self, draft: Draft) -> Current | None:
        return self._bulk.picture.get(draft.kind, draft.id)


_STATES = {Kind.NODE: registry_pb2.NodeState, Kind.PRODUCT: registry_pb2.ProductState}
_PREFIXES = {Kind.NODE: "NODE_STATE_", Kind.PRODUCT: "PRODUCT_STATE_"}


def _state(current: Current | None) -> str:
    return "ACTIVE" if current is None else current.state
