"""`lianmeng firm`: register, import from CSV, verify, look up firms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from lianmeng.cli.desk import OPERATOR, Desk, command_id, desk
from lianmeng.cli.failures import usage
from lianmeng.cli.importing import (
    activate,
    bulk_rows,
    key_of,
    put_many,
    register_request,
    tell_problems,
)
from lianmeng.cli.options import As, CommandId, Home, Json
from lianmeng.cli.pictures import facts, table
from lianmeng.cli.plain import plain, short
from lianmeng.cli.words import choice, role_words
from lianmeng.pool.csv_files import read_pool
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Node
from lianmeng.runtime.codec import encode
from lianmeng.runtime.keys import ensure_key
from lianmeng.v1 import registry_pb2 as pb
from lianmeng.v1 import types_pb2
from lianmeng.world.callers import Caller, Services

app = typer.Typer(no_args_is_help=True, help="Firms: register, import, activate, search.")

FirmId = Annotated[str, typer.Argument(metavar="FIRM", help="Id of the firm.")]
Folder = Annotated[
    Path,
    typer.Argument(
        metavar="DIR", help="Folder with firms.csv and the others; `lianmeng init` writes examples."
    ),
]


@app.command("list")
def list_firms(
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    role: Annotated[str, typer.Option(help="manufacturing, logistics or marketing.")] = "",
    state: Annotated[str, typer.Option(help="pending-verification, active, suspended …")] = "",
    division: Annotated[str, typer.Option(help="Prefix of the GB/T 2260 division: 3306.")] = "",
    certificate: Annotated[str, typer.Option(help="Certificate type: GRS.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")] = 100,
) -> None:
    """Search firms.

    Mills of Shaoxing that hold a GRS certificate:

        lianmeng firm list --role manufacturing --division 3306 --certificate GRS
    """
    here = desk(home, as_json)
    request = pb.SearchFirmsRequest(
        role=choice(types_pb2.Role, role, "--role"),
        state=choice(pb.FirmState, state, "--state"),
        division_prefix=division,
        certificate_type=certificate,
        page_size=limit,
    )

    async def work(services: Services, caller: Caller) -> pb.SearchFirmsResponse:
        return await caller.registry.call(services.registry.SearchFirms, request)

    found = here.call(principal, work).firms
    rows = (
        (
            firm.firm_id,
            firm.name_zh,
            role_words(firm.roles),
            firm.locode,
            ",".join(dict.fromkeys(one.type for one in firm.certificates)),
            short(firm, "state"),
            firm.version,
        )
        for firm in found
    )
    columns = ("firm", "name", "roles", "place", "certificates", "state", "version")
    here.show(found, table(*columns, rows=rows))


@app.command("show")
def show_firm(
    firm_id: FirmId, home: Home = None, principal: As = OPERATOR, as_json: Json = False
) -> None:
    """Show one firm."""
    here = desk(home, as_json)

    async def work(services: Services, caller: Caller) -> pb.GetFirmResponse:
        request = pb.GetFirmRequest(firm_id=firm_id)
        return await caller.registry.call(services.registry.GetFirm, request)

    firm = here.call(principal, work).firm
    certificates = (
        (one.type, one.number, ",".join(one.scope_hs6) or "all", one.valid_from, one.valid_to)
        for one in firm.certificates
    )
    here.show(
        firm,
        _facts(firm),
        table("certificate", "number", "goods", "from", "to", rows=certificates),
    )


def _facts(firm: pb.Firm) -> Table:
    return facts(
        (
            ("firm", firm.firm_id),
            ("统一社会信用代码", firm.uscc),
            ("name", f"{firm.name_zh} {firm.name_en}".strip()),
            ("state", short(firm, "state")),
            ("why", firm.state_reason),
            ("roles", role_words(firm.roles)),
            ("size", short(firm, "size_class").lower()),
            ("place", f"{firm.locode}, division {firm.division}"),
            ("notice", f"{firm.notice_hours} h"),
            ("can sell in", ", ".join(firm.can_sell_in)),
            ("can import in", ", ".join(firm.can_import_in)),
            ("can export", "yes" if firm.can_export else "no"),
            ("affiliates", ", ".join(firm.affiliates)),
            ("reliability", f"{firm.reliability_bp / 100:g} %" if firm.reliability_bp else ""),
            ("version", firm.version),
        )
    )


@app.command("import")
def import_firms(
    folder: Folder,
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    active: Annotated[
        bool, typer.Option("--activate", help="Verify the imported firms at once.")
    ] = False,
) -> None:
    """Import a folder of CSV files as the association or an operator: firms, nodes, products.

    Bad rows are told with their place; good rows are kept. Each firm gets a key under
    <home>/keys. Try it with the examples:

        lianmeng init my-pool

        lianmeng firm import my-pool --activate
    """
    here = desk(home, as_json)
    files = read_pool(folder, here.now)
    items = files.imported.items
    keys = here.settings.home / "keys"

    async def work(services: Services, caller: Caller) -> tuple[pb.PutManyResponse, int]:
        answer = await put_many(services, caller, bulk_rows(items, keys))
        refused = {error.row for error in answer.errors}
        firms = ((item.label, item.record) for item in items if isinstance(item.record, Firm))
        kept = [firm.firm_id for label, firm in firms if label not in refused]
        return answer, await activate(services, caller, kept) if active else 0

    with here.busy(f"registering {len(items):,} records …"):
        answer, activated = here.call(principal, work)
    if as_json:
        errors = [str(error) for error in files.imported.errors]
        told = {**plain(answer), "file_errors": errors, "activated_count": activated}
        here.print_json(told)
        return
    tell_problems(here.console, files, answer.errors)
    here.console.print(
        f"{files.imported.row_count:,} rows read, {files.imported.refused_row_count:,} refused; "
        f"{answer.kept_count:,} records kept, {answer.refused_count:,} refused; "
        f"{activated:,} firms activated"
    )


@app.command("register")
def register_firm(
    folder: Folder,
    home: Home = None,
    as_json: Json = False,
    firm_id: Annotated[
        str, typer.Option("--firm", metavar="FIRM", help="Which firm of firms.csv; one = that one.")
    ] = "",
) -> None:
    """Register your own firm and its nodes from CSV files, with a key of your own.

    The firm waits for its verification by the association:

        lianmeng firm register my-firm --firm keqiao-yunjian
    """
    here = desk(home, as_json)
    files = read_pool(folder, here.now)
    if not as_json:
        tell_problems(here.console, files)
    firm = _chosen(files.imported.firms, firm_id)
    nodes = [node for node in files.imported.nodes if node.firm_id == firm.firm_id]
    answer = _register(here, firm, nodes)
    here.show(
        answer,
        f"{firm.firm_id} is registered with {len(nodes)} nodes and waits for its verification; "
        f"its key is {key_of(here.settings.home / 'keys', firm)}",
    )


def _chosen(firms: list[Firm], firm_id: str) -> Firm:
    found = [firm for firm in firms if firm_id in ("", firm.firm_id)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(firm.firm_id for firm in firms[:20])
    raise usage(
        "--firm",
        f"{len(found)} firms of the files fit",
        f"name one of {names}" if firms else "mend the rows of firms.csv first",
        f"文件中有 {len(found)} 家企业符合",
        f"请指定其一：{names}" if firms else "请先修正 firms.csv",
    )


def _register(here: Desk, firm: Firm, nodes: list[Node]) -> pb.RegisterFirmResponse:
    signer = ensure_key(key_of(here.settings.home / "keys", firm), firm.firm_id)

    async def work(services: Services, caller: Caller) -> pb.RegisterFirmResponse:
        request = register_request(firm, signer)
        answer = await caller.registry.call(services.registry.RegisterFirm, request)
        for node in nodes:
            put = pb.PutNodeRequest(command_id=command_id(None), node=encode(node, pb.Node))
            await caller.registry.call(services.registry.PutNode, put)
        return answer

    return here.call(firm.firm_id, work)


@app.command("activate")
def activate_firm(
    firm_id: FirmId,
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    command: CommandId = None,
) -> None:
    """Say that a firm is who it says; from then on it is matched. Association or operator."""
    _set_state(desk(home, as_json), principal, firm_id, pb.FIRM_STATE_ACTIVE, "", command)


@app.command("suspend")
def suspend_firm(
    firm_id: FirmId,
    reason: Annotated[str, typer.Option("--reason", help="Why; the firm sees it.")],
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    command: CommandId = None,
) -> None:
    """Suspend a firm: it is not matched any more, running alliances go on."""
    _set_state(desk(home, as_json), principal, firm_id, pb.FIRM_STATE_SUSPENDED, reason, command)


@app.command("withdraw")
def withdraw_firm(
    firm_id: FirmId,
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    command: CommandId = None,
) -> None:
    """Let a firm leave the platform; it may do so itself."""
    _set_state(desk(home, as_json), principal, firm_id, pb.FIRM_STATE_WITHDRAWN, "", command)


def _set_state(
    here: Desk,
    principal: str,
    firm_id: str,
    state: pb.FirmState.ValueType,
    reason: str,
    command: str | None,
) -> None:
    request = pb.SetFirmStateRequest(
        command_id=command_id(command), firm_id=firm_id, state=state, reason=reason
    )

    async def work(services: Services, caller: Caller) -> pb.SetFirmStateResponse:
        return await caller.registry.call(services.registry.SetFirmState, request)

    firm = here.call(principal, work).firm
    here.show(firm, f"{firm_id} is {short(firm, 'state')}")
