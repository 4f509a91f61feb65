"""`lianmeng run`: what can be said to it; the run itself is in `run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lianmeng.cli.failures import usage
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
    from lianmeng.cli.pictures import console
    from lianmeng.cli.run import fresh_home, run_demonstration, run_own_files
    from lianmeng.runtime.settings import load_settings

    if (firms is None) != (signals is None):
        raise usage(
            "--firms, --signals", "one of them alone says too little", "give both, or neither",
            "--firms 与 --signals 需要一起给出", "请同时提供两者，或都不提供",
        )  # fmt: skip
    where = home or fresh_home(Path("lianmeng-data"))
    if (where / "anchors.jsonl").exists():
        raise usage(
            "--home", f"{where} holds an earlier run", "name a directory that does not exist yet",
            f"{where} 中已有运行数据", "请指定一个尚不存在的目录",
        )  # fmt: skip
    settings = load_settings(home=where)
    if firms and signals:
        raise typer.Exit(run_own_files(settings, firms, signals, seed, console()))
    raise typer.Exit(run_demonstration(settings, seed, console()))
