"""From a plan to tasks: who does what by when, after what, and who accepts it.

The receiver of a lot is the forwarder that ships it; of a shipment and of a campaign the lead
factory (in v0.1 the destination's warehouse keeper is the forwarder itself). A firm that would
receive its own work has it accepted with the report.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from lianmeng.alliance.members import Task, TaskKind, TaskState
from lianmeng.alliance.membership import lead_firm, parts, ref_of
from lianmeng.alliance.plan import Campaign, Lot, LotSource, Plan, Shipment
from lianmeng.alliance.state import AllianceState

LOCAL = ZoneInfo("Asia/Shanghai")
"""The zone in which a plan's days are days."""

TERMINAL = frozenset({TaskState.ACCEPTED, TaskState.FAILED, TaskState.CANCELLED})


def end_of_day(day: date) -> datetime:
    """The last moment of a local day, UTC: a task due on a day may take all of it."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=LOCAL) + timedelta(days=1)
    return midnight.astimezone(UTC)


def plan_tasks(plan: Plan, kept: tuple[Task, ...], now: datetime) -> tuple[Task, ...]:
    """All tasks under a contract: `kept` ones first, then what the plan adds.

    A kept task whose part has left the plan is CANCELLED unless it has ended; one whose part
    stays keeps its progress and takes what a repair of others changed: what it waits for, who
    accepts it, when it is due. New tasks are OPEN when nothing they depend on is unfinished.
    """
    planned = {task.ref_id: task for task in _tasks_of(plan)}
    again = {t.ref_id for t in kept if t.state is TaskState.CANCELLED and t.ref_id in planned}
    old = tuple(_kept(task, planned.get(task.ref_id)) for task in kept if task.ref_id not in again)
    known = {task.ref_id for task in old}
    new = tuple(task for ref, task in planned.items() if ref not in known)
    return open_ready(old + new, now)


def _kept(task: Task, planned: Task | None) -> Task:
    if task.state in TERMINAL:
        return task
    if planned is not None:
        return replace(
            task,
            depends_on=planned.depends_on,
            receiver_firm_id=planned.receiver_firm_id,
            due_time=planned.due_time,
        )
    return task if task.state is TaskState.REPORTED else replace(task, state=TaskState.CANCELLED)


def _tasks_of(plan: Plan) -> list[Task]:
    lead = lead_firm(plan)
    shipped_by = {s.lot_id: s.firm_id for s in plan.shipments}
    sources = {lot.lot_id: lot.source for lot in plan.lots}
    tasks = [
        _produce(lot, shipped_by.get(lot.lot_id, lot.firm_id))
        for lot in plan.lots
        if lot.source is LotSource.FACTORY
    ]
    tasks += [_move(shipment, sources[shipment.lot_id], lead) for shipment in plan.shipments]
    tasks += [_campaign(campaign, lead) for campaign in plan.campaigns]
    return tasks


def _produce(lot: Lot, receiver: str) -> Task:
    return Task(
        task_id=f"{lot.lot_id}-produce",
        kind=TaskKind.PRODUCE,
        firm_id=lot.firm_id,
        ref_id=lot.lot_id,
        units=lot.units,
        due_time=end_of_day(lot.ready_date),
        receiver_firm_id=receiver,
        state=TaskState.WAITING,
    )


def _move(shipment: Shipment, source: LotSource, lead: str) -> Task:
    from_stock = source is LotSource.STOCK
    verb, kind = ("release", TaskKind.RELEASE_STOCK) if from_stock else ("ship", TaskKind.SHIP)
    return Task(
        task_id=f"{shipment.shipment_id}-{verb}",
        kind=kind,
        firm_id=shipment.firm_id,
        ref_id=shipment.shipment_id,
        units=shipment.units,
        depends_on=() if from_stock else (f"{shipment.lot_id}-produce",),
        due_time=end_of_day(shipment.land_p90_date),
        receiver_firm_id=lead,
        state=TaskState.WAITING,
    )


def _campaign(campaign: Campaign, lead: str) -> Task:
    return Task(
        task_id=f"{campaign.campaign_id}-campaign",
        kind=TaskKind.CAMPAIGN,
        firm_id=campaign.firm_id,
        ref_id=campaign.campaign_id,
        units=campaign.units,
        due_time=end_of_day(campaign.end_date),
        receiver_firm_id=lead,
        state=TaskState.WAITING,
    )


def open_ready(tasks: tuple[Task, ...], now: datetime) -> tuple[Task, ...]:
    """Opens every WAITING task whose predecessors have all been accepted."""
    accepted = {task.task_id for task in tasks if task.state is TaskState.ACCEPTED}
    return tuple(
        replace(task, state=TaskState.OPEN, opened_time=now)
        if task.state is TaskState.WAITING and accepted.issuperset(task.depends_on)
        else task
        for task in tasks
    )


def unfinished(tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    """Tasks that have not ended."""
    return tuple(task for task in tasks if task.state not in TERMINAL)


def frozen_tasks(state: AllianceState, now: datetime) -> tuple[str, ...]:
    """Tasks that are cancelled when an alliance winds down: those of parts not yet begun.

    A part has begun when its member reported on it, or when its first day has come. What moves
    a begun lot is finished too; stock that waits in its warehouse stays there.
    """
    if state.plan is None:
        return ()
    today = now.astimezone(LOCAL).date().isoformat()
    heard = {t.ref_id for t in state.tasks if t.heard_time or t.state in _DONE}
    begun = {
        ref_of(part)
        for part in parts(state.plan)
        if ref_of(part) in heard or any(b.key <= today for b in part.buckets)
    }
    begun |= {s.shipment_id for s in state.plan.shipments if s.lot_id in begun}
    left = (TaskState.WAITING, TaskState.OPEN)
    return tuple(t.task_id for t in state.tasks if t.state in left and t.ref_id not in begun)


_DONE = frozenset({TaskState.REPORTED, TaskState.ACCEPTED})
