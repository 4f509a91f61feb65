"""The command itself: `lianmeng`, or `python -m lianmeng.cli`. It only says what there is."""

from __future__ import annotations

import typer

from lianmeng.cli import (
    alliances,
    demands,
    firms,
    invitations,
    nodes,
    platform,
    principals,
    products,
    run_command,
    tasks,
    trends,
)
from lianmeng.cli.doctor import doctor
from lianmeng.cli.failures import Group
from lianmeng.cli.log_lines import log

app = typer.Typer(cls=Group, no_args_is_help=True, add_completion=False, rich_markup_mode="rich")


@app.callback()
def lianmeng() -> None:
    """Lianmeng (联盟): temporary alliances of firms, formed when a product takes off.

    See it work, in two minutes:

        lianmeng run

    Have a platform of your own:

        lianmeng up

    Every command has --help with examples; most have --json for machines. Who you are is said
    by --as or LIANMENG_AS, where the platform's data is by --home or LIANMENG_HOME.
    """


_START, _POOL, _WORK = "Start here", "Who takes part", "Alliances"

for _command, _panel in (
    (run_command.run, _START),
    (platform.up, _START),
    (platform.init, _START),
    (platform.status, _START),
    (doctor, _START),
    (log, _START),
    (platform.serve, _START),
):
    app.command(rich_help_panel=_panel)(_command)

for _group, _name, _panel in (
    (firms.app, "firm", _POOL),
    (nodes.app, "node", _POOL),
    (products.app, "product", _POOL),
    (principals.principals, "principal", _POOL),
    (principals.keys, "key", _POOL),
    (trends.app, "trend", _WORK),
    (demands.app, "demand", _WORK),
    (alliances.app, "alliance", _WORK),
    (invitations.app, "invitation", _WORK),
    (tasks.app, "task", _WORK),
):
    app.add_typer(_group, name=_name, rich_help_panel=_panel)
