"""`lianmeng principal` and `lianmeng key`: who may call, with which keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group

from lianmeng.cli.desk import OPERATOR, command_id, desk
from lianmeng.cli.options import As, CommandId, Home, Json
from lianmeng.cli.pictures import facts, table, when
from lianmeng.cli.words import choice, words_of
from lianmeng.runtime.keys import ensure_key
from lianmeng.v1 import registry_pb2 as pb
from lianmeng.v1 import types_pb2
from lianmeng.world.callers import Caller, Services

principals = typer.Typer(no_args_is_help=True, help="Principals: managers, the association …")
keys = typer.Typer(no_args_is_help=True, help="Keys of a principal: add, close.")

PrincipalId = Annotated[
    str, typer.Argument(metavar="[PRINCIPAL]", help="Id of the principal; none = yourself.")
]


@principals.command("create")
def create_principal(
    principal_id: Annotated[str, typer.Argument(metavar="PRINCIPAL", help="Id to be given.")],
    role: Annotated[
        list[str], typer.Option("--role", help="zone-manager, association, operator …; may repeat.")
    ],
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    name: Annotated[str, typer.Option(help="Name for people.")] = "",
    command: CommandId = None,
) -> None:
    """Create a principal that acts for no firm. Its key is made under <home>/keys.

    For example:

        lianmeng principal create zone-manager --role zone-manager
    """
    here = desk(home, as_json)
    signer = ensure_key(here.settings.home / "keys" / f"{principal_id}.pem", principal_id)
    request = pb.CreatePrincipalRequest(
        command_id=command_id(command),
        principal_id=principal_id,
        roles=[choice(types_pb2.PrincipalRole, one, "--role") for one in role],
        public_key=signer.public_key,
        display_name=name,
    )

    async def work(services: Services, caller: Caller) -> pb.CreatePrincipalResponse:
        return await caller.registry.call(services.registry.CreatePrincipal, request)

    made = here.call(principal, work).principal
    here.show(made, _picture(made))


@principals.command("show")
def show_principal(
    principal_id: PrincipalId = "",
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
) -> None:
    """Show a principal with its roles and keys; operators may see all, others themselves."""
    here = desk(home, as_json)

    async def work(services: Services, caller: Caller) -> pb.GetPrincipalResponse:
        request = pb.GetPrincipalRequest(principal_id=principal_id)
        return await caller.registry.call(services.registry.GetPrincipal, request)

    found = here.call(principal, work).principal
    here.show(found, _picture(found))


def _picture(principal: pb.Principal) -> Group:
    words = {number: word for word, number in words_of(types_pb2.PrincipalRole).items()}
    roles = ", ".join(words[number].replace("_", " ") for number in principal.roles)
    head = facts(
        (
            ("principal", principal.principal_id),
            ("name", principal.display_name),
            ("roles", roles),
            ("acts for", principal.firm_id),
        )
    )
    rows = (
        (
            key.key_id,
            key.public_key.hex(),
            when(key.opened_time),
            when(key.closed_time) if key.HasField("closed_time") else "open",
        )
        for key in principal.keys
    )
    return Group(head, table("key", "public key", "opened", "closed", rows=rows))


@keys.command("add")
def add_key(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Private key (PEM); made when it is absent.")
    ],
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    of: Annotated[str, typer.Option("--of", help="Whose key; none = your own.")] = "",
    command: CommandId = None,
) -> None:
    """Add a key, so that the old one can be closed afterwards.

    For example:

        lianmeng key add new.pem --as keqiao-yunjian
    """
    here = desk(home, as_json)
    owner = of or principal
    request = pb.AddKeyRequest(
        command_id=command_id(command),
        principal_id=owner,
        public_key=ensure_key(file, owner).public_key,
    )

    async def work(services: Services, caller: Caller) -> pb.AddKeyResponse:
        return await caller.registry.call(services.registry.AddKey, request)

    changed = here.call(principal, work).principal
    here.show(changed, _picture(changed))


@keys.command("close")
def close_key(
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="Id of the key: k-…")],
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    of: Annotated[str, typer.Option("--of", help="Whose key; none = your own.")] = "",
    command: CommandId = None,
) -> None:
    """Close a key: what it signed stays valid, it signs nothing any more."""
    here = desk(home, as_json)
    request = pb.CloseKeyRequest(
        command_id=command_id(command), principal_id=of or principal, key_id=key_id
    )

    async def work(services: Services, caller: Caller) -> pb.CloseKeyResponse:
        return await caller.registry.call(services.registry.CloseKey, request)

    changed = here.call(principal, work).principal
    here.show(changed, _picture(changed))
