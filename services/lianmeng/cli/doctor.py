"""`lianmeng doctor`: what is wrong and what to do; on demand, a check of the whole history."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from lianmeng.cli.desk import desk
from lianmeng.cli.options import Home, Json


def doctor(
    home: Home = None,
    as_json: Json = False,
    history: Annotated[
        bool, typer.Option("--history", help="Check the whole log against all promises as well.")
    ] = False,
) -> None:
    """Say what is wrong on this machine and what to do about it.

    Whether every fact replays, no capacity was booked twice, all statements sum to the fen:

        lianmeng doctor --history
    """
    from lianmeng.cli.examination import examine

    here = desk(home, as_json)
    health = asyncio.run(examine(here.settings, history, here.now))
    if as_json:
        here.print_json(health.plain())
    else:
        here.console.print(health.table())
    if not health.well:
        raise typer.Exit(1)
