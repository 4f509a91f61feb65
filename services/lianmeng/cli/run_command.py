"""`lianmeng run`: what can be said to it; the run itself is in `run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lianmeng.cli.options import Home


def run(
    home: Home = None,
    firms: Annotated[
        Path | None,
        typer.Option("--firms", metavar="DIR", help="Your own CSV files instead of the demo pool."),
    ] = None,
    signals: Annotated[
        Path | None,
        typer.Option("--signals", metavar="FILE", help="Your own signals.csv, with --firms."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the demo firms and of their people.")] = 33,
) -> None:
    """Play the demonstration: a product takes off, alliances form, run and dissolve.

    Everything is real: servers, services, keys, signatures, the optimiser; only the firms and
    the market are made up, and time runs faster. Takes two minutes and keeps its data.

        lianmeng run

        lianmeng init my-pool && lianmeng run --firms my-pool --signals my-pool/signals.csv
    """
    from rich.console import Console

    from lianmeng.cli.run import fresh_home
    from lianmeng.cli.run import run as play
    from lianmeng.runtime.settings import load_settings

    where = home or fresh_home(Path("lianmeng-data"))
    where.mkdir(parents=True, exist_ok=True)
    raise typer.Exit(play(load_settings(home=where), seed, Console()))
