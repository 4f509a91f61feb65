"""What the matcher's service needs, in its own words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from lianmeng.alliance.books import Book
from lianmeng.alliance.demand import Demand
from lianmeng.alliance.state import AllianceState
from lianmeng.matcher.outcome import Outcome
from lianmeng.matcher.snapshot import Snapshot


class Planner(Protocol):
    """Finds plans. Pure and deterministic; called in a thread of its own."""

    def plan(self, demand: Demand, snapshot: Snapshot) -> Outcome:
        """A plan for a demand that has none."""
        ...

    def repair(self, state: AllianceState, snapshot: Snapshot) -> Outcome:
        """The next version of a plan without the firms of `state.repair.lost_firm_ids`.

        Parts of the other firms stay as they are, under their ids.
        """
        ...


class Pool(Protocol):
    """Where snapshots come from."""

    def snapshot(self, demand: Demand, members: Iterable[str] = ()) -> Snapshot:
        """What is known now of whoever might serve a demand, and of `members`, firm ids.

        It does not change any more.
        """
        ...

    def keep(self, book: Book) -> None:
        """Take in a book that was read through the leader."""
        ...
