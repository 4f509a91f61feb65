"""What is current, in short: enough to decide about a record without reading the stream.

The picture follows the stream REGISTRY. It may lag a little; the expected sequence of each write
makes that harmless: a stale decision is refused by the log and made again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a subject of the stream holds; the value is the first token of the subject."""

    FIRM = "firms"
    NODE = "nodes"
    PRODUCT = "products"
    PRINCIPAL = "principals"


@dataclass(frozen=True, slots=True)
class Current:
    """The last version of one record, in short.

    `sequence` is its place in the stream. `owner` is the firm of a node or principal. `state`
    is the name of its state, "" where it has none. `unique` are values that nobody else may
    have: terms of a product, key ids of a principal. `uscc` is a firm's. `digest` tells whether
    a new version would say the same.
    """

    kind: Kind
    id: str
    sequence: int
    version: int = 0
    owner: str = ""
    state: str = ""
    unique: tuple[str, ...] = ()
    uscc: str = ""
    digest: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """A command that was carried out: what it wrote and where."""

    kind: Kind
    id: str
    sequence: int


@dataclass(slots=True)
class Picture:
    """All current records in short, and the commands that wrote them.

    `heard` is the sequence up to which the stream was followed; what was written here is known
    before it is heard.
    """

    heard: int = 0
    _current: dict[tuple[Kind, str], Current] = field(default_factory=dict)
    _commands: dict[tuple[str, str], Done] = field(default_factory=dict)
    _holders: dict[tuple[Kind, str], str] = field(default_factory=dict)
    _active_uscc: dict[str, str] = field(default_factory=dict)

    def apply(self, current: Current, written_by: str = "", command_id: str = "") -> None:
        """Take in a version. It may come twice (written here, then heard), never backwards."""
        if command_id:
            done = Done(current.kind, current.id, current.sequence)
            self._commands.setdefault((written_by, command_id), done)
        before = self.get(current.kind, current.id)
        if before is not None and before.sequence >= current.sequence:
            return
        self._current[current.kind, current.id] = current
        self._index(before, current)

    def get(self, kind: Kind, identity: str) -> Current | None:
        """The last version known of a record."""
        return self._current.get((kind, identity))

    def command(self, written_by: str, command_id: str) -> Done | None:
        """What a command of this principal wrote first, if it is known to have been carried out."""
        return self._commands.get((written_by, command_id))

    def holder(self, kind: Kind, value: str) -> str:
        """Id of the product that has a term, or of the principal that has a key; "" = nobody."""
        return self._holders.get((kind, value), "")

    def active_firm_with(self, uscc: str) -> str:
        """Id of the active firm of that 统一社会信用代码; "" = none."""
        return self._active_uscc.get(uscc, "")

    def _index(self, before: Current | None, now: Current) -> None:
        if before is not None:
            for value in before.unique:
                self._holders.pop((before.kind, value), None)
            if self._active_uscc.get(before.uscc) == before.id:
                del self._active_uscc[before.uscc]
        for value in now.unique:
            self._holders.setdefault((now.kind, value), now.id)
        if now.kind is Kind.FIRM and now.state == "ACTIVE":
            self._active_uscc.setdefault(now.uscc, now.id)
