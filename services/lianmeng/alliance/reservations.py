"""What an alliance must have in the books, as a function of its state alone.

Nobody edits books: a commit writes the difference between what was reserved before a fact
and what is reserved after it. So holds, commits, releases and the check of them over the
whole log are one rule:

- before a contract, every part of the plan is HOLD until `hold_until_time`;
- a part that has a task under a contract is COMMIT;
- stock whose release was accepted is CONSUMED and outlives the alliance, until a newer count;
- a broken or cancelled part, and everything of an ended alliance, is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from lianmeng.alliance.books import BookEntry, EntryKind, ResourceKind
from lianmeng.alliance.members import TaskState
from lianmeng.alliance.membership import Part, broken_refs, parts, ref_of
from lianmeng.alliance.plan import Campaign, Lot, LotSource, Plan, PlanBucket, Shipment
from lianmeng.alliance.state import AllianceState
from lianmeng.alliance.states import TERMINAL

_GONE = frozenset({TaskState.CANCELLED, TaskState.FAILED})


@dataclass(frozen=True, slots=True)
class Reservation:
    """Entries of one alliance in the book of one resource: at most one per kind."""

    kind: ResourceKind
    entries: tuple[BookEntry, ...]


def resource_kind(part: Part) -> ResourceKind:
    """The kind of the book that a part draws on."""
    match part:
        case Shipment():
            return ResourceKind.DEPARTURE
        case Lot(source=LotSource.STOCK):
            return ResourceKind.STOCK
        case Lot() | Campaign():
            return ResourceKind.RATE


def basis(state: AllianceState) -> tuple[object, ...]:
    """All that `reserved` looks at. Equal bases reserve the same; much cheaper to compare."""
    tasks = tuple((task.ref_id, task.state) for task in state.tasks)
    ended = state.state in TERMINAL
    return (id(state.plan), ended, state.lost_firm_ids, tasks, state.hold_until_time)


def reserved(state: AllianceState | None) -> dict[str, Reservation]:
    """Entries by resource id; empty for None and for ended alliances without consumed stock."""
    if state is None or state.plan is None:
        return {}
    kinds = _entry_kinds(state, state.plan)
    grouped: dict[str, dict[EntryKind, list[Part]]] = {}
    for part in parts(state.plan):
        kind = kinds.get(ref_of(part))
        if part.resource_id and kind is not None:
            grouped.setdefault(part.resource_id, {}).setdefault(kind, []).append(part)
    return {
        resource: Reservation(
            kind=resource_kind(next(iter(by_kind.values()))[0]),
            entries=tuple(_entry(state, kind, by_kind[kind]) for kind in sorted(by_kind)),
        )
        for resource, by_kind in grouped.items()
    }


def _entry_kinds(state: AllianceState, plan: Plan) -> dict[str, EntryKind]:
    consumed = _consumed_lots(state, plan)
    kinds = dict.fromkeys(consumed, EntryKind.CONSUMED)
    if state.state in TERMINAL:
        return kinds
    broken = broken_refs(state)
    task_states = {task.ref_id: task.state for task in state.tasks}
    task_states |= _stock_task_states(plan, task_states)
    for part in parts(plan):
        ref = ref_of(part)
        if ref in consumed or ref in broken or task_states.get(ref) in _GONE:
            continue
        kinds[ref] = EntryKind.COMMIT if ref in task_states else EntryKind.HOLD
    return kinds


def _stock_task_states(plan: Plan, of_ref: dict[str, TaskState]) -> dict[str, TaskState]:
    """Stock has no task of its own: its lot follows its release."""
    stock = {lot.lot_id for lot in plan.lots if lot.source is LotSource.STOCK}
    return {
        s.lot_id: of_ref[s.shipment_id]
        for s in plan.shipments
        if s.lot_id in stock and s.shipment_id in of_ref
    }


def _consumed_lots(state: AllianceState, plan: Plan) -> frozenset[str]:
    released = {t.ref_id for t in state.tasks if t.state is TaskState.ACCEPTED}
    stock = {lot.lot_id for lot in plan.lots if lot.source is LotSource.STOCK}
    return frozenset(
        s.lot_id for s in plan.shipments if s.lot_id in stock and s.shipment_id in released
    )


def _entry(state: AllianceState, kind: EntryKind, drawn: list[Part]) -> BookEntry:
    buckets: dict[str, PlanBucket] = {}
    for part in drawn:
        for bucket in part.buckets:
            before = buckets.get(bucket.key)
            buckets[bucket.key] = bucket if before is None else _sum(before, bucket)
    return BookEntry(
        alliance_id=state.alliance_id,
        kind=kind,
        expires_time=state.hold_until_time if kind is EntryKind.HOLD else None,
        node_version=max(part.node_version for part in drawn),
        buckets=tuple(buckets[key] for key in sorted(buckets)),
    )


def _sum(one: PlanBucket, other: PlanBucket) -> PlanBucket:
    return PlanBucket(
        key=one.key,
        units=one.units + other.units,
        capacity_units=max(one.capacity_units, other.capacity_units),
    )
