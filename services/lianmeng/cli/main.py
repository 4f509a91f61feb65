"""The command itself: `lianmeng`, or `python -m lianmeng.cli`."""

from __future__ import annotations

import typer

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
