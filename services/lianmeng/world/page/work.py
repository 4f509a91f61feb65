"""The work of one alliance: each task from its opening to its acceptance, against its due day."""

from __future__ import annotations

from lianmeng.v1 import alliance_pb2 as pb
from lianmeng.world.agents import at
from lianmeng.world.page.axes import Days
from lianmeng.world.page.story import Alliance, Told
from lianmeng.world.page.svg import drawing, line, rect, words

WIDTH = 1_080
LEFT = 330
ROW = 20

VERBS = {
    pb.TASK_KIND_PRODUCE: "makes",
    pb.TASK_KIND_SHIP: "ships",
    pb.TASK_KIND_RELEASE_STOCK: "releases",
    pb.TASK_KIND_CAMPAIGN: "promotes",
}


def work(told: Told, alliance: Alliance) -> str:
    """The drawing; empty for an alliance that never had a contract."""
    tasks = alliance.state.tasks
    if not tasks:
        return ""
    last = max(at(alliance.records[-1].time), *(at(task.due_time) for task in tasks))
    days = Days(0.0, told.day(last) + 0.5, LEFT, WIDTH - 20)
    bottom = 10 + ROW * len(tasks)
    rows = [_row(told, days, task, 10 + ROW * index) for index, task in enumerate(tasks)]
    label = f"Tasks: {alliance.product}"
    return drawing(WIDTH, bottom + 24, days.grid(6, bottom), *rows, label=label)


def _row(told: Told, days: Days, task: pb.Task, top: float) -> str:
    lost = task.state in (pb.TASK_STATE_FAILED, pb.TASK_STATE_CANCELLED)
    says = f"{told.name(task.firm_id)} {VERBS[task.kind]} {task.units:,}"
    label = words(LEFT - 10, top + 12, says, "label struck" if lost else "label", "end")
    due = days.x(told.day(at(task.due_time)))
    mark = line(due, top + 1, due, top + ROW - 3, "due lost" if lost else "due")
    return label + _bars(told, days, task, top) + mark


def _bars(told: Told, days: Days, task: pb.Task, top: float) -> str:
    if not task.HasField("opened_time"):
        return ""
    opened = told.day(at(task.opened_time))
    if task.state == pb.TASK_STATE_CANCELLED:
        return ""
    ended = task.reported_time if task.HasField("reported_time") else task.heard_time
    if not ended.seconds:
        return ""
    reported = told.day(at(ended))
    failed = task.state == pb.TASK_STATE_FAILED
    title = f"{task.task_id}: open {told.clock(at(task.opened_time))}, "
    title += f"{'failed' if failed else 'reported'} {told.clock(at(ended))}"
    css = "task failed" if failed else "task"
    drawn = rect(days.x(opened), top + 2, days.x(reported) - days.x(opened), ROW - 6, css, title)
    if task.HasField("accepted_time"):
        accepted = told.day(at(task.accepted_time))
        wait = f"accepted {told.clock(at(task.accepted_time))}"
        x = days.x(reported)
        drawn += rect(x, top + 2, days.x(accepted) - x, ROW - 6, "task waited", wait)
    return drawn
