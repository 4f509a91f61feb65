"""`lianmeng task`: what a firm has to do, to report, and to accept from others."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from lianmeng.cli.desk import command_id, desk
from lianmeng.cli.failures import usage
from lianmeng.cli.invitations import AsFirm
from lianmeng.cli.options import AllianceId, CommandId, Home, Json
from lianmeng.cli.pictures import COLOURS, countdown, table, when
from lianmeng.cli.plain import short
from lianmeng.v1 import alliance_pb2 as apb
from lianmeng.v1 import lifecycle_pb2 as pb
from lianmeng.world.callers import Caller, Services, follow

app = typer.Typer(no_args_is_help=True, help="Tasks of your firm: list, report, accept.")

TaskId = Annotated[str, typer.Argument(metavar="TASK", help="Id of the task: l1-produce, s2-ship")]
Units = Annotated[int, typer.Option("--units", min=0, help="Units; 0 = all of the task.")]

KINDS = {
    "done": apb.REPORT_KIND_DONE,
    "progress": apb.REPORT_KIND_PROGRESS,
    "failed": apb.REPORT_KIND_FAILED,
}


@app.command("list")
def list_tasks(
    principal: AsFirm,
    home: Home = None,
    as_json: Json = False,
    alliance_id: Annotated[
        str, typer.Option("--alliance", metavar="ALLIANCE", help="Only this alliance.")
    ] = "",
    every: Annotated[
        bool, typer.Option("--all", help="Waiting and finished ones as well.")
    ] = False,
) -> None:
    """Show the tasks on which your firm can act now, the most urgent first.

    For example:

        lianmeng task list --as keqiao-yunjian
    """
    here = desk(home, as_json)
    request = pb.ListTasksRequest(alliance_id=alliance_id, open_only=not every)

    async def work(services: Services, caller: Caller) -> pb.ListTasksResponse:
        return await caller.lifecycle.call(services.lifecycle.ListTasks, request)

    found = here.call(principal, work).tasks
    rows = (
        (
            view.alliance_id,
            view.task.task_id,
            "accept it" if view.as_receiver else "do it",
            view.product_name,
            view.task.units,
            view.uom,
            short(view.task, "state"),
            f"{when(view.task.due_time)} {countdown(view.task.due_time, here.now)}",
        )
        for view in found
    )
    columns = ("alliance", "task", "you", "product", "units", "unit", "state", "due")
    here.show(found, table(*columns, rows=rows))


@app.command("watch")
def watch_tasks(principal: AsFirm, home: Home = None, as_json: Json = False) -> None:
    """Show open tasks, then every change as it happens; Ctrl-C ends it."""
    here = desk(home, as_json)

    async def work(services: Services, caller: Caller) -> None:
        await follow(
            lambda after: caller.lifecycle.watch(
                services.lifecycle.WatchTasks, pb.WatchTasksRequest(after_revision=after)
            ),
            lambda answer: here.print_line(answer.task, _line(answer.task)),
        )

    here.call(principal, work)


def _line(view: pb.TaskView) -> Text:
    state = short(view.task, "state")
    return Text.assemble(
        f"{view.alliance_id} {view.task.task_id:<12} ",
        (f"{state:<9} ", COLOURS.get(state, "")),
        f"{view.task.units:,} {view.uom}, due {when(view.task.due_time)}",
        (", yours to accept" if view.as_receiver else "", "dim"),
    )


@app.command("report")
def report_task(
    alliance_id: AllianceId,
    task_id: TaskId,
    principal: AsFirm,
    home: Home = None,
    as_json: Json = False,
    kind: Annotated[str, typer.Option("--kind", help="done, progress or failed.")] = "done",
    units: Units = 0,
    note: Annotated[str, typer.Option("--note", help="Free text without personal data.")] = "",
    command: CommandId = None,
) -> None:
    """Report on a task of yours: done, still at it, or that it will not be done.

    For example:

        lianmeng task report a-… l1-produce --units 6000 --as keqiao-yunjian
    """
    here = desk(home, as_json)
    if kind not in KINDS:
        names = ", ".join(KINDS)
        raise usage(
            "--kind", f"{kind!r} is no kind of report", f"use one of {names}",
            f"{kind!r} 不是报告类型", f"可选：{names}",
        )  # fmt: skip
    request = pb.ReportTaskRequest(
        command_id=command_id(command),
        alliance_id=alliance_id,
        task_id=task_id,
        kind=KINDS[kind],
        units=units,
        note=note,
    )

    async def work(services: Services, caller: Caller) -> pb.ReportTaskResponse:
        return await caller.lifecycle.call(services.lifecycle.ReportTask, request)

    task = here.call(principal, work).task
    here.show(task, f"{task_id} is {short(task, 'state')}")


@app.command("accept")
def accept_task(
    alliance_id: AllianceId,
    task_id: TaskId,
    principal: AsFirm,
    home: Home = None,
    as_json: Json = False,
    units: Units = 0,
    command: CommandId = None,
) -> None:
    """Accept what another member has reported as done, all of it or so many units."""
    here = desk(home, as_json)
    request = pb.AcceptTaskRequest(
        command_id=command_id(command), alliance_id=alliance_id, task_id=task_id, units=units
    )

    async def work(services: Services, caller: Caller) -> pb.AcceptTaskResponse:
        return await caller.lifecycle.call(services.lifecycle.AcceptTask, request)

    task = here.call(principal, work).task
    here.show(task, f"{task_id} is {short(task, 'state')}, {task.accepted_units:,} units accepted")
