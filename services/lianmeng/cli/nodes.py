"""`lianmeng node`: capabilities that can be plugged into an alliance."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.json import JSON

from lianmeng.cli.desk import OPERATOR, Desk, command_id, desk
from lianmeng.cli.options import As, CommandId, Home, Json
from lianmeng.cli.pictures import table
from lianmeng.cli.plain import plain, short
from lianmeng.cli.words import choice
from lianmeng.v1 import registry_pb2 as pb
from lianmeng.v1 import types_pb2
from lianmeng.world.callers import Caller, Services

app = typer.Typer(no_args_is_help=True, help="Nodes: what firms can make, move and promote.")

NodeId = Annotated[str, typer.Argument(metavar="NODE", help="Id of the node.")]


@app.command("list")
def list_nodes(
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    role: Annotated[str, typer.Option(help="manufacturing, logistics or marketing.")] = "",
    hs6: Annotated[str, typer.Option(help="Prefix of the HS6 code: 6214.")] = "",
    market: Annotated[str, typer.Option(help="Market that it serves: TH.")] = "",
    certificate: Annotated[str, typer.Option(help="Certificate of its owner: GRS.")] = "",
    place: Annotated[str, typer.Option(help="UN/LOCODE: CNSXG.")] = "",
    firm: Annotated[str, typer.Option(help="Owner.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")] = 100,
) -> None:
    """Search nodes by what they can do.

    Who can make shawls, and who ships to Thailand:

        lianmeng node list --role manufacturing --hs6 621430

        lianmeng node list --role logistics --market TH
    """
    here = desk(home, as_json)
    request = pb.SearchNodesRequest(
        role=choice(types_pb2.Role, role, "--role"),
        hs6_prefix=hs6,
        market=market,
        certificate_type=certificate,
        locode=place,
        firm_id=firm,
        page_size=limit,
    )

    async def work(services: Services, caller: Caller) -> pb.SearchNodesResponse:
        return await caller.registry.call(services.registry.SearchNodes, request)

    found = here.call(principal, work).nodes
    rows = (
        (
            node.node_id,
            node.firm_id,
            node.locode,
            *_what(node),
            short(node, "state"),
            node.version,
        )
        for node in found
    )
    columns = ("node", "firm", "place", "kind", "offers", "state", "version")
    here.show(found, table(*columns, rows=rows))


def _what(node: pb.Node) -> tuple[str, str]:
    match node.WhichOneof("capability"):
        case "manufacturing":
            made = node.manufacturing
            day = sum(line.day_capacity_units for line in made.lines)
            return "makes", f"{','.join(made.hs6)}: {day:,} {made.uom} a day"
        case "logistics":
            lanes = sorted({f"{lane.market} {_mode(lane)}" for lane in node.logistics.lanes})
            houses = [house.locode for house in node.logistics.warehouses]
            return "moves", ", ".join(lanes + [f"warehouse {one}" for one in houses])
        case _:
            shown = node.marketing
            markets = sorted({account.market for account in shown.accounts})
            return "promotes", f"{','.join(markets)}: {shown.creator_hours_per_day} h a day"


def _mode(lane: pb.Lane) -> str:
    return short(lane, "mode").lower()


@app.command("show")
def show_node(
    node_id: NodeId, home: Home = None, principal: As = OPERATOR, as_json: Json = False
) -> None:
    """Show all of one node; prices are shown to its owner and to operators."""
    here = desk(home, as_json)

    async def work(services: Services, caller: Caller) -> pb.GetNodeResponse:
        request = pb.GetNodeRequest(node_id=node_id)
        return await caller.registry.call(services.registry.GetNode, request)

    node = here.call(principal, work).node
    here.show(node, JSON.from_data(plain(node), ensure_ascii=False))


@app.command("withdraw")
def withdraw_node(
    node_id: NodeId,
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    command: CommandId = None,
) -> None:
    """Withdraw a node: it is not matched any more; running alliances keep what they hold."""
    _set_state(desk(home, as_json), principal, node_id, pb.NODE_STATE_WITHDRAWN, command)


@app.command("reactivate")
def reactivate_node(
    node_id: NodeId,
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    command: CommandId = None,
) -> None:
    """Let a withdrawn node be matched again."""
    _set_state(desk(home, as_json), principal, node_id, pb.NODE_STATE_ACTIVE, command)


def _set_state(
    here: Desk, principal: str, node_id: str, state: pb.NodeState.ValueType, command: str | None
) -> None:
    request = pb.SetNodeStateRequest(command_id=command_id(command), node_id=node_id, state=state)

    async def work(services: Services, caller: Caller) -> pb.SetNodeStateResponse:
        return await caller.registry.call(services.registry.SetNodeState, request)

    node = here.call(principal, work).node
    here.show(node, f"{node_id} is {short(node, 'state')}")
