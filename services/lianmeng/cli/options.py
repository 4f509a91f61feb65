"""Options that many commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lianmeng.cli.failures import AS_JSON


def _note(context: typer.Context, value: bool) -> bool:
    context.meta[AS_JSON] = value
    return value


Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        help="Data directory of the platform.  [default: $LIANMENG_HOME or ./lianmeng-data]",
    ),
]
As = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="PRINCIPAL",
        envvar="LIANMENG_AS",
        help="Who you are: the key is <home>/keys/PRINCIPAL.pem.",
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", callback=_note, help="One JSON document on stdout, for machines."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]

AllianceId = Annotated[str, typer.Argument(metavar="ALLIANCE", help="Id of the alliance: a-…")]
CommandId = Annotated[
    str | None,
    typer.Option(
        "--command-id",
        metavar="ID",
        help="Id of the command: sent again with the same id it is carried out once.",
    ),
]
