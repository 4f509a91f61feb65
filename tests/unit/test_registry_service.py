"""The use cases against a log in memory that refuses, loses answers and is written by others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from lianmeng.kernel.errors import Rejected, Transient
from lianmeng.kernel.roles import PrincipalRole
from lianmeng.pool.firms import Firm, FirmState
from lianmeng.pool.nodes import Node
from lianmeng.pool.records import RegistryRecord
from lianmeng.registry.actors import Actor
from lianmeng.registry.log import current_of
from lianmeng.registry.picture import Kind, Picture
from lianmeng.registry.ports import Entry, Stored
from lianmeng.registry.service import Command, Registry, key_of
from lianmeng.runtime.codec import encode
from lianmeng.runtime.jetstream import Conflict, Unknown
from lianmeng.v1 import registry_pb2
from tests.unit.test_pool_validation import FIRM, MILL

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ASSOCIATION = Actor("association", "", frozenset({PrincipalRole.ASSOCIATION}))
OWNER = Actor("keqiao-a", "keqiao-a", frozenset({PrincipalRole.FIRM}))


class FixedClock:
    def now(self) -> datetime:
        return NOW

    def wall(self) -> datetime:
        return NOW

    def wall_at(self, story: datetime) -> datetime:
        return story


@dataclass
class MemoryLog:
    """`Records` and `News`. `faults` are used up one per commit: before, after, or instead."""

    picture: Picture
    versions: list[Stored] = field(default_factory=list)
    faults: list[Callable[[Callable[[], int]], int]] = field(default_factory=list)

    async def last(self, kind: Kind, identity: str) -> Stored | None:
        found = [s for s in self.versions if key_of(s.record.record) == (kind, identity)]
        return found[-1] if found else None

    async def at(self, kind: Kind, identity: str, sequence: int) -> Stored:
        return self.versions[sequence - 1]

    async def newest(self) -> int:
        return len(self.versions)

    async def heard(self, sequence: int) -> None:
        for stored in self.versions[self.picture.heard : sequence]:
            message = encode(stored.record, registry_pb2.RegistryRecord)
            self.picture.apply(
                current_of(message, stored.sequence),
                stored.record.written_by,
                stored.record.command_id,
            )
        self.picture.heard = max(self.picture.heard, sequence)

    async def commit(self, entries: Sequence[Entry]) -> int:
        def write() -> int:
            return self.write(entries)

        return self.faults.pop(0)(write) if self.faults else write()

    def write(self, entries: Sequence[Entry]) -> int:
        for entry in entries:
            kept = [
                s.sequence
                for s in self.versions
                if key_of(s.record.record) == (entry.kind, entry.id)
            ]
            if (kept or [0])[-1] != entry.expected:
                raise Conflict("a newer version is there")
        for entry in entries:
            self.versions.append(Stored(len(self.versions) + 1, entry.record))
        return len(self.versions)


def answer_lost(write: Callable[[], int]) -> int:
    write()
    raise Unknown("no answer")


def never_sent(write: Callable[[], int]) -> int:
    raise Unknown("no answer")


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog(Picture())


@pytest.fixture
def registry(log: MemoryLog) -> Registry:
    return Registry(log, log, log.picture, FixedClock())


def command(number: int, actor: Actor = OWNER) -> Command:
    return Command(actor, f"c-{number}")


async def active(registry: Registry) -> None:
    await registry.register_firm(command(1), FIRM, b"k" * 32)
    await registry.set_firm_state(command(2, ASSOCIATION), "keqiao-a", FirmState.ACTIVE, "")


async def test_a_firm_and_its_principal_are_written_together(
    registry: Registry, log: MemoryLog
) -> None:
    stored = await registry.register_firm(command(1), FIRM, b"k" * 32)
    assert stored.sequence == 1
    assert [type(s.record.record).__name__ for s in log.versions] == ["Firm", "Principal"]


@pytest.mark.parametrize("fault", [answer_lost, never_sent])
async def test_a_lost_answer_neither_doubles_nor_loses(
    registry: Registry, log: MemoryLog, fault: Callable[[Callable[[], int]], int]
) -> None:
    log.faults = [fault, never_sent]
    stored = await registry.register_firm(command(1), FIRM, b"k" * 32)
    assert stored.sequence == 1
    assert len(log.versions) == 2


async def test_nobody_is_refused_while_a_try_may_still_stand(
    registry: Registry, log: MemoryLog
) -> None:
    await active(registry)
    gone = replace(FIRM, state=FirmState.WITHDRAWN, version=3)

    def withdrawn_meanwhile(write: Callable[[], int]) -> int:
        record = RegistryRecord(record=gone, written_time=NOW)
        sequence = len(log.versions) + 1
        log.versions.append(Stored(sequence, record))
        log.picture.apply(current_of(encode(record, registry_pb2.RegistryRecord), sequence))
        raise Unknown("no answer")

    log.faults = [withdrawn_meanwhile]
    with pytest.raises(Unknown):
        await registry.put_node(command(3), MILL)
    with pytest.raises(Rejected, match="FIRM_NOT_ACTIVE"):
        await registry.put_node(command(3), MILL)


async def test_a_conflict_is_decided_anew(registry: Registry, log: MemoryLog) -> None:
    await active(registry)

    def overtaken(write: Callable[[], int]) -> int:
        entry = Entry(
            Kind.NODE, "n", RegistryRecord(record=replace(MILL, version=1), written_time=NOW), 0
        )
        log.write([entry])
        return write()

    log.faults = [overtaken]
    stored = await registry.put_node(command(3), MILL)
    assert isinstance(stored.record.record, Node)
    assert stored.record.record.version == 2


async def test_endless_contention_ends_with_try_again(registry: Registry, log: MemoryLog) -> None:
    await active(registry)

    def refused(write: Callable[[], int]) -> int:
        raise Conflict("again")

    log.faults = [refused] * 20
    with pytest.raises(Transient, match="VERSION_CONFLICT"):
        await registry.put_node(command(3), MILL)


async def test_a_refusal_waits_for_the_news(registry: Registry, log: MemoryLog) -> None:
    """Another registry has registered the firm a moment ago; ours has not heard of it yet."""
    other = Registry(log, MemoryLog(Picture(), log.versions), Picture(), FixedClock())
    await other.register_firm(command(1), FIRM, b"k" * 32)
    assert log.picture.heard == 0
    stored = await registry.put_node(command(2), MILL)
    assert stored.sequence == 3


async def test_a_command_id_is_needed(registry: Registry) -> None:
    with pytest.raises(Rejected) as caught:
        await registry.register_firm(Command(OWNER, ""), FIRM, b"k" * 32)
    assert caught.value.field == "command_id"


async def test_what_happened_is_told(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    await active(registry)
    await registry.update_firm(command(3), replace(FIRM, name_en="A"))
    await registry.put_node(command(4), MILL)
    await registry.add_key(command(5), "keqiao-a", b"x" * 32)
    told = capsys.readouterr().err
    for event in (
        "firm_registered",
        "firm_activated",
        "firm_updated",
        "node_published",
        "key_added",
    ):
        assert f'"registry.{event}"' in told
    assert "绍兴甲厂" not in told


def test_the_owner_of_a_record_is_its_kind() -> None:
    assert key_of(FIRM) == (Kind.FIRM, "keqiao-a")
    assert isinstance(FIRM, Firm)
