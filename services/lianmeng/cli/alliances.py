"""`lianmeng alliance`: look at alliances, decide on major ones, read contract and statement."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Group
from rich.json import JSON

from lianmeng.cli.alliance_pictures import alliance_table, picture
from lianmeng.cli.desk import OPERATOR, command_id, desk
from lianmeng.cli.fact_lines import fact_line
from lianmeng.cli.failures import usage
from lianmeng.cli.options import AllianceId, As, CommandId, Home, Json, Yes
from lianmeng.cli.plans import statement_table
from lianmeng.v1 import alliance_pb2 as apb
from lianmeng.v1 import lifecycle_pb2 as pb
from lianmeng.world.callers import Caller, Services, follow

app = typer.Typer(no_args_is_help=True, help="Alliances: look, watch, approve, dissolve.")

MANAGER = "zone-manager"
"""The principal that decides when nothing else is said."""

Note = Annotated[str, typer.Option("--note", help="A note that is kept with the decision.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the decision.")]


@app.command("list")
def list_alliances(
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="Only this state; may be given again."),
    ] = None,
    awaiting_me: Annotated[
        bool, typer.Option("--awaiting-me", help="Only those that wait for your decision or work.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")] = 100,
) -> None:
    """Show alliances, newest first, with state, reason and what happens next.

    What waits for the zone manager, with a countdown:

        lianmeng alliance list --awaiting-me --as zone-manager
    """
    here = desk(home, as_json)
    states = [_state(name) for name in state or ()]
    request = pb.ListAlliancesRequest(states=states, awaiting_me=awaiting_me, page_size=limit)

    async def work(services: Services, caller: Caller) -> pb.ListAlliancesResponse:
        return await caller.lifecycle.call(services.lifecycle.ListAlliances, request)

    found = here.call(principal, work).alliances
    here.show(found, alliance_table((view.state for view in found), here.now))


def _state(name: str) -> apb.State.ValueType:
    known = {one.removeprefix("STATE_"): number for one, number in apb.State.items() if number}
    if name.upper() not in known:
        names = ", ".join(known)
        raise usage(
            "--state", f"{name!r} is no state", f"use one of {names}",
            f"{name!r} 不是联盟状态", f"可选：{names}",
        )  # fmt: skip
    return known[name.upper()]


async def _get(services: Services, caller: Caller, alliance_id: str) -> pb.AllianceView:
    request = pb.GetAllianceRequest(alliance_id=alliance_id)
    return (await caller.lifecycle.call(services.lifecycle.GetAlliance, request)).alliance


@app.command("show")
def show_alliance(
    alliance_id: AllianceId, home: Home = None, principal: As = OPERATOR, as_json: Json = False
) -> None:
    """Show one alliance: demand, plan, cost, invitations, tasks.

    A member sees its own part only:

        lianmeng alliance show a-… --as keqiao-yunjian
    """
    here = desk(home, as_json)
    view = here.call(principal, lambda services, caller: _get(services, caller, alliance_id))
    here.show(view, picture(view.state, here.now))


@app.command("watch")
def watch_alliances(
    alliance_id: Annotated[
        str, typer.Argument(metavar="[ALLIANCE]", help="Only this alliance; none = all.")
    ] = "",
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
) -> None:
    """Show the facts of alliances from the first on, then as they happen; Ctrl-C ends it."""
    here = desk(home, as_json)

    async def work(services: Services, caller: Caller) -> None:
        await follow(
            lambda after: caller.lifecycle.watch(
                services.lifecycle.WatchAlliances,
                pb.WatchAlliancesRequest(alliance_id=alliance_id, after_revision=after),
            ),
            lambda answer: here.print_line(answer.record, fact_line(answer.record)),
        )

    here.call(principal, work)


@app.command("approve")
def approve_alliance(
    alliance_id: AllianceId,
    home: Home = None,
    principal: As = MANAGER,
    as_json: Json = False,
    report_hash: Annotated[
        str,
        typer.Option("--hash", metavar="SHA256", help="Hash of the risk report that you read."),
    ] = "",
    note: Note = "",
    yes: Yes = False,
    command: CommandId = None,
) -> None:
    """Approve a major alliance, with its risk report in hand.

    Shows the report and asks. A script names the report that somebody has read:

        lianmeng alliance approve a-… --hash 3f9c… --yes
    """
    here = desk(home, as_json)
    state = here.call(principal, lambda services, caller: _get(services, caller, alliance_id)).state
    if not as_json:
        here.console.print(picture(state, here.now))
        here.console.print("risk report", state.risk_report_hash)
        here.console.print(_document(state.risk_report))
    here.confirm("approve this alliance?", yes)
    request = pb.ApproveRequest(
        command_id=command_id(command),
        alliance_id=alliance_id,
        risk_report_hash=report_hash or state.risk_report_hash,
        note=note,
    )

    async def work(services: Services, caller: Caller) -> pb.ApproveResponse:
        return await caller.lifecycle.call(services.lifecycle.Approve, request)

    here.show(here.call(principal, work), f"approved: {alliance_id}")


@app.command("reject")
def reject_alliance(
    alliance_id: AllianceId,
    reason: Reason,
    home: Home = None,
    principal: As = MANAGER,
    as_json: Json = False,
    command: CommandId = None,
) -> None:
    """Refuse a major alliance; all that it holds is given back."""
    here = desk(home, as_json)
    request = pb.RejectRequest(
        command_id=command_id(command), alliance_id=alliance_id, reason=reason
    )

    async def work(services: Services, caller: Caller) -> pb.RejectResponse:
        return await caller.lifecycle.call(services.lifecycle.Reject, request)

    here.show(here.call(principal, work), f"rejected: {alliance_id}")


@app.command("dissolve")
def dissolve_alliance(
    alliance_id: AllianceId,
    reason: Reason,
    home: Home = None,
    principal: As = MANAGER,
    as_json: Json = False,
    yes: Yes = False,
    command: CommandId = None,
) -> None:
    """End an alliance: before it is ACTIVE it fails, afterwards it winds down and settles."""
    here = desk(home, as_json)
    here.confirm(f"end {alliance_id}?", yes)
    request = pb.DissolveRequest(
        command_id=command_id(command), alliance_id=alliance_id, reason=reason
    )

    async def work(services: Services, caller: Caller) -> pb.DissolveResponse:
        return await caller.lifecycle.call(services.lifecycle.Dissolve, request)

    here.show(here.call(principal, work), f"ended by order: {alliance_id}")


@app.command("statement")
def show_statement(
    alliance_id: AllianceId, home: Home = None, principal: As = OPERATOR, as_json: Json = False
) -> None:
    """Show who pays whom, to the fen; a firm sees its own lines."""
    here = desk(home, as_json)
    request = pb.GetStatementRequest(alliance_id=alliance_id)

    async def work(services: Services, caller: Caller) -> pb.GetStatementResponse:
        return await caller.lifecycle.call(services.lifecycle.GetStatement, request)

    statement = here.call(principal, work).statement
    here.show(statement, statement_table(statement))


@app.command("contract")
def show_contract(
    alliance_id: AllianceId, home: Home = None, principal: As = OPERATOR, as_json: Json = False
) -> None:
    """Show the contract: the header, your own annex, and the hashes of all annexes.

    A firm reads what it signs:

        lianmeng alliance contract a-… --as keqiao-yunjian
    """
    here = desk(home, as_json)
    view = here.call(principal, lambda services, caller: _get(services, caller, alliance_id))
    contract = {
        "header": json.loads(view.contract_header or b"{}"),
        "own_annex": json.loads(view.own_annex or b"{}"),
        "annex_sha256": dict(view.annex_sha256),
        "contract_sha256": view.state.contract_sha256,
    }
    if as_json:
        here.print_json(contract)
    else:
        here.console.print(Group(JSON.from_data(contract, ensure_ascii=False)))


def _document(data: bytes) -> JSON:
    return JSON(data.decode() or "{}", ensure_ascii=False)
