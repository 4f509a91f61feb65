"""The command itself: `lianmeng`, or `python -m lianmeng.cli`."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console

from lianmeng.cli.wires import wire_of
from lianmeng.runtime.process import run_service
from lianmeng.runtime.settings import load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def lianmeng() -> None:
    """Temporary alliances of firms, formed in seconds when a product takes off."""


@app.command()
def serve(name: str) -> None:
    """Run one service in the foreground: registry, trend, matcher or lifecycle."""
    raise typer.Exit(run_service(name, load_settings(), wire_of(name)))


@app.command()
def run(
    home: Path | None = typer.Option(
        None, help="Data directory of the run; default: the next run-<n>."
    ),
    seed: int = typer.Option(33, help="Seed of the demonstration's firms and people."),
) -> None:
    """Play the demonstration: a product takes off, alliances form, run and dissolve."""
    from lianmeng.cli.run import fresh_home
    from lianmeng.cli.run import run as play

    where = home or fresh_home(Path("lianmeng-data"))
    where.mkdir(parents=True, exist_ok=True)
    raise typer.Exit(play(load_settings(home=where), seed, Console()))
