"""The log of alliances: a fact, all the capacity that it touches and its timer, or nothing.

`commit` writes one or more alliances in one atomic batch. Each record carries the sequence of
the last message that the decision was made on, each book the sequence at which it was read; a
stale batch is refused whole. Nobody passes books: what a commit does to them follows from the
states before and after it (`reservations`).

An outcome can be unknown: the answer is lost, or a refusal hides a batch that stands. Then the
log is read through its leader; the attempt's id in the record says whether it is ours. Only a
fence on the alliance's subject makes "it did not happen" definite, so it is written before the
caller is told to try again.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lianmeng.alliance.books import Book, CapacityTaken, place
from lianmeng.alliance.evolve import evolve
from lianmeng.alliance.facts import Fact, Fenced
from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.reservations import Reservation, basis, reserved
from lianmeng.alliance.state import AllianceState
from lianmeng.alliance.tasks import LOCAL
from lianmeng.alliance.wire import book_bytes, read_book, read_record, record_bytes, record_headers
from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Rejected, Transient
from lianmeng.runtime import subjects
from lianmeng.runtime.jetstream import Conflict, Log, Unknown
from lianmeng.runtime.messages import Message, raw_message
from lianmeng.runtime.writes import Write, cancelling, schedule

__all__ = ["AllianceLog", "CapacityTaken", "Conflict", "Loaded", "Step"]

TRIES = 6
"""Tries of one attempt before it is fenced."""

RECENT = 1_000
"""Alliances that a process remembers."""

_DUE_TTL = timedelta(hours=1)
_NO_MESSAGE = 10037


@dataclass(frozen=True, slots=True)
class Loaded:
    """An alliance as of a sequence: what a decision is made on. Sequence 0: nothing yet."""

    alliance_id: str
    state: AllianceState | None
    sequence: int


@dataclass(frozen=True, slots=True)
class Step:
    """One decision: on what it was made, the fact, when (story time), who, and its attempt's id."""

    loaded: Loaded
    fact: Fact
    time: datetime
    by: str
    attempt_id: str

    def record(self) -> AllianceRecord:
        """The record to be written."""
        return AllianceRecord(
            alliance_id=self.loaded.alliance_id,
            attempt_id=self.attempt_id,
            time=self.time,
            by=self.by,
            fact=self.fact,
            state=evolve(self.loaded.state, self.fact, self.time, self.by),
        )


class AllianceLog:
    """Loads and commits alliances of one zone. `grace` is wall time after a hold's end."""

    def __init__(self, log: Log, zone: str, clock: Clock, grace: timedelta) -> None:
        self._log = log
        self._zone = zone
        self._clock = clock
        self._grace = grace
        self._recent: OrderedDict[str, Loaded] = OrderedDict()

    async def recall(self, alliance_id: str, at_least: int = 0) -> Loaded:
        """The alliance as this process last knew it, if that is at sequence `at_least` or later.

        Good enough to decide on, since a commit on it is refused where it is stale. Before
        anybody is told "no" or "nothing to do", `load` it.
        """
        known = self._recent.get(alliance_id)
        if known is not None and known.sequence >= max(at_least, 1):
            return known
        return await self.load(alliance_id)

    async def load(self, alliance_id: str) -> Loaded:
        """The alliance, read through the leader. Raises `Transient`, `Poison`."""
        found = await self._log.last(subjects.alliance_subject(self._zone, alliance_id))
        if found is None:
            return Loaded(alliance_id, None, 0)
        return self._remember(Loaded(alliance_id, read_record(found.data).state, found.sequence))

    def _remember(self, loaded: Loaded) -> Loaded:
        self._recent[loaded.alliance_id] = loaded
        self._recent.move_to_end(loaded.alliance_id)
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)
        return loaded

    async def book(self, resource_id: str) -> Book | None:
        """The current book of a resource; None = never written."""
        book, _ = await self._book(resource_id)
        return book

    async def history(self, alliance_id: str) -> list[tuple[int, AllianceRecord]]:
        """All records of an alliance with their sequences, oldest first."""
        subject = subjects.alliance_subject(self._zone, alliance_id)
        return [(m.sequence, read_record(m.data)) async for m in self._log.history(subject)]

    async def commit(self, steps: Sequence[Step]) -> list[Loaded]:
        """All steps or none. Returns the alliances as they stand after it.

        Raises `Conflict` (an alliance has moved on: load and decide again), `CapacityTaken`
        (a book is full; nothing was sent), `Transient` (fenced: it will not happen any more).
        Steps name different alliances.
        """
        records = [step.record() for step in steps]
        for attempt in range(TRIES):
            writes = await self._writes(steps, records)
            try:
                last = await self._log.commit(writes)
                return [self._remember(loaded) for loaded in _after(records, last)]
            except (Conflict, Unknown) as error:
                for step in steps:
                    self._recent.pop(step.loaded.alliance_id, None)
                stands = await self._outcome(steps, patient=isinstance(error, Unknown))
                if stands is not None:
                    return [
                        Loaded(r.alliance_id, r.state, n)
                        for r, n in zip(records, stands, strict=True)
                    ]
            await asyncio.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311
        return await self._fence(steps, records)

    async def transact(
        self,
        alliance_id: str,
        decide: Callable[[AllianceState | None], Fact | None],
        by: str,
        new_id: Callable[[], str],
    ) -> Loaded:
        """Load, decide, commit; again when the alliance has moved on meanwhile.

        `decide` may raise; it returns None when there is nothing to do.
        """
        loaded, fresh = await self.recall(alliance_id), False
        while True:
            try:
                fact = decide(loaded.state)
            except Rejected:
                if fresh:
                    raise
                fact = None
            if fact is None and fresh:
                return loaded
            if fact is not None:
                try:
                    step = Step(loaded, fact, self._clock.now(), by, new_id())
                    return (await self.commit([step]))[0]
                except Conflict:
                    await asyncio.sleep(random.uniform(0, 0.02))  # noqa: S311
            loaded, fresh = await self.load(alliance_id), True

    async def _outcome(self, steps: Sequence[Step], *, patient: bool) -> list[int] | None:
        """Sequences of our records if the batch stands; None if it is not there (yet).

        Raises `Conflict` when an alliance's subject has moved on without us: then the batch,
        which expects it where it was, can never commit.
        """
        if patient:
            await asyncio.sleep(0.05)
        found = [await self._next(step) for step in steps]
        for step, message in zip(steps, found, strict=True):
            if message and read_record(message.data).attempt_id != step.attempt_id:
                raise Conflict(f"{step.loaded.alliance_id} has moved on")
        present = [message.sequence for message in found if message]
        return present if len(present) == len(steps) else None

    async def _next(self, step: Step) -> Message | None:
        """The first message of an alliance after the one that its decision was made on."""
        subject = subjects.alliance_subject(self._zone, step.loaded.alliance_id)
        request = {"seq": step.loaded.sequence + 1, "next_by_subj": subject}
        operation = f"STREAM.MSG.GET.{subjects.stream_of(subject)}"
        while True:
            try:
                found = await self._log.api(operation, request, _NO_MESSAGE)
                return None if found is None else raw_message(found["message"])
            except Transient as error:
                await asyncio.sleep(error.retry_after.total_seconds())

    async def _fence(
        self, steps: Sequence[Step], records: Sequence[AllianceRecord]
    ) -> list[Loaded]:
        """Makes the attempt's end definite, whatever it is."""
        step = steps[0]
        marker = AllianceRecord(
            alliance_id=step.loaded.alliance_id,
            attempt_id=f"fence-{step.attempt_id}",
            time=step.time,
            by=step.by,
            fact=Fenced(attempt_id=step.attempt_id),
            state=step.loaded.state,
        )
        while True:
            try:
                await self._log.publish(self._record_write(marker, step.loaded.sequence))
            except (Conflict, Unknown):
                stands = await self._outcome_of_fence(steps, marker.attempt_id)
                if stands is None:
                    continue
                if stands:
                    return [
                        Loaded(r.alliance_id, r.state, n)
                        for r, n in zip(records, stands, strict=True)
                    ]
            raise Transient(
                "LOG_UNAVAILABLE",
                f"{step.loaded.alliance_id}: the log did not take the change; it will not happen",
                timedelta(seconds=1),
                "日志未能写入，此操作没有生效，请重试",
            )

    async def _outcome_of_fence(self, steps: Sequence[Step], fence: str) -> list[int] | None:
        """Sequences when the batch stands, [] when the fence does, None when neither yet."""
        message = await self._next(steps[0])
        if message is not None and read_record(message.data).attempt_id == fence:
            return []
        return await self._outcome(steps, patient=True)

    async def _writes(
        self, steps: Sequence[Step], records: Sequence[AllianceRecord]
    ) -> list[Write]:
        books = await self._books(steps, records)
        alliances = [
            self._record_write(record, step.loaded.sequence)
            for step, record in zip(steps, records, strict=True)
        ]
        timers = []
        for index, (step, record) in enumerate(zip(steps, records, strict=True)):
            before = step.loaded.state.deadline_time if step.loaded.state else None
            after = record.state.deadline_time if record.state else None
            timer = subjects.timer_subject(self._zone, record.alliance_id)
            if after is None and before is not None:
                alliances[index] = cancelling(alliances[index], timer)
            elif after is not None and after != before:
                timers.append(self.timer(record.alliance_id, after))
        return [*books, *timers, *alliances]

    def timer(self, alliance_id: str, at: datetime) -> Write:
        """The write that sets the alliance's one timer to a story time."""
        return schedule(
            subjects.timer_subject(self._zone, alliance_id),
            subjects.due_subject(self._zone, alliance_id),
            self._clock.wall_at(at),
            _DUE_TTL,
        )

    def _record_write(self, record: AllianceRecord, expected: int) -> Write:
        subject = subjects.alliance_subject(self._zone, record.alliance_id)
        return Write(subject, record_bytes(record), record_headers(record), expected)

    async def _books(self, steps: Sequence[Step], records: Sequence[AllianceRecord]) -> list[Write]:
        changes = [
            (step, resource, reservation)
            for step, record in zip(steps, records, strict=True)
            for resource, reservation in _changes(step.loaded.state, record.state).items()
        ]
        names = sorted({resource for _, resource, _ in changes})
        found = await asyncio.gather(*(self._book(name) for name in names))
        books = dict(zip(names, found, strict=True))
        for step, resource, change in changes:
            book, sequence = books[resource]
            current = book or Book(resource_id=resource, kind=change.kind, written_time=step.time)
            books[resource] = (self._placed(current, step, change), sequence)
        return [
            Write(
                subjects.capacity_subject(self._zone, resource),
                book_bytes(book),
                {},
                expected=sequence,
                rollup=True,
            )
            for resource, (book, sequence) in books.items()
            if book is not None
        ]

    def _placed(self, book: Book, step: Step, change: Reservation) -> Book:
        return place(
            book,
            step.loaded.alliance_id,
            change.entries,
            step.time,
            _local_day(step.time),
            self._lapsed,
        )

    def _lapsed(self, expires: datetime) -> bool:
        return self._clock.wall_at(expires) + self._grace <= self._clock.wall()

    async def _book(self, resource_id: str) -> tuple[Book | None, int]:
        found = await self._log.last(subjects.capacity_subject(self._zone, resource_id))
        return (None, 0) if found is None else (read_book(found.data), found.sequence)


def _after(records: Sequence[AllianceRecord], last: int) -> list[Loaded]:
    """Records are the last messages of the batch, in the order of the steps."""
    first = last - len(records) + 1
    return [Loaded(r.alliance_id, r.state, first + i) for i, r in enumerate(records)]


def _changes(before: AllianceState | None, after: AllianceState | None) -> dict[str, Reservation]:
    """What is reserved after a fact, for every resource where that differs from before."""
    if before is not None and after is not None and basis(before) == basis(after):
        return {}
    old, new = reserved(before), reserved(after)
    nothing = {name: Reservation(kind=r.kind, entries=()) for name, r in old.items()}
    return {name: r for name, r in (nothing | new).items() if old.get(name) != r}


def _local_day(time: datetime) -> date:
    return time.astimezone(LOCAL).date()
