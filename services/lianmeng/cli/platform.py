"""`lianmeng up`, `serve`, `status`, `init`: the platform on this machine."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lianmeng.cli.desk import desk
from lianmeng.cli.failures import usage
from lianmeng.cli.options import Home, Json
from lianmeng.cli.pictures import LOCAL, console, facts
from lianmeng.runtime.settings import Endpoints, Settings, load_settings

NEXT = (
    ("who is registered", "lianmeng firm list"),
    ("bring firms", "lianmeng init my-pool && lianmeng firm import my-pool --activate"),
    (
        "what plan would there be",
        "lianmeng demand what-if rpet-summer-scarf --market TH --p50 3000",
    ),
    ("follow what happens", "lianmeng alliance watch"),
)
"""What to do once the platform is up."""


def up(home: Home = None) -> None:
    """Start the platform: NATS, Valkey and all services under one data directory.

    Ctrl-C ends all of it; the data stays, and the next start goes on with it. Outside servers
    are used where LIANMENG_NATS_URL and LIANMENG_REDIS_URL name them.

        lianmeng up --home my-data
    """
    asyncio.run(_until_told(load_settings(home=home), console()))


async def _until_told(settings: Settings, out: Console) -> None:
    running = asyncio.create_task(_run(settings, out))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        out.print(f"Stopped. The data stays in {settings.home}.", highlight=False)


async def _run(settings: Settings, out: Console) -> None:
    from lianmeng.runtime.logs import configure_logs
    from lianmeng.runtime.platform import Platform

    configure_logs("up", file=settings.logs / "up.jsonl", level="warning")
    with out.status("starting NATS, Valkey and the services …"):
        platform = Platform(settings)
        await platform.__aenter__()
    try:
        _say_where(out, settings, platform.endpoints)
        await asyncio.Event().wait()
    finally:
        with out.status("stopping …"):
            await platform.stop()


def _say_where(out: Console, settings: Settings, where: Endpoints) -> None:
    home = settings.home.resolve()
    out.print(
        facts(
            [
                ("data, keys, logs", home),
                ("NATS", where.nats_url),
                ("Redis", where.redis_url),
                *((name, f"{address} (gRPC)") for name, address in where.services.items()),
                ("your key", home / "keys" / "operator.pem"),
            ]
        )
    )
    option = "" if settings.home == Path("lianmeng-data") else f" --home {settings.home}"
    out.print("\nThe platform is up. Ctrl-C ends it. In another terminal:\n")
    out.print(facts((what, _with(command, option)) for what, command in NEXT))


def _with(command: str, option: str) -> str:
    """The home option goes to each command of a line, `init` needs none."""
    parts = command.split(" && ")
    return " && ".join(part if " init " in part else part + option for part in parts)


def serve(
    name: Annotated[str, typer.Argument(help="registry, trend, matcher or lifecycle.")],
    home: Home = None,
) -> None:
    """Run one service in the foreground; it finds NATS and Redis in the home or the environment.

    For example:

        export LIANMENG_NATS_URL=nats://10.0.0.5:4222 LIANMENG_REDIS_URL=redis://10.0.0.6

        lianmeng serve matcher
    """
    from lianmeng.cli.wires import wire_of
    from lianmeng.runtime.process import run_service

    raise typer.Exit(run_service(name, load_settings(home=home), wire_of(name)))


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to be made.")],
    day0: Annotated[
        datetime | None,
        typer.Option(
            "--day0",
            formats=["%Y-%m-%d"],
            help="Day on which the example's product takes off.  [default: today]",
        ),
    ] = None,
) -> None:
    """Write example CSV files of all kinds, signals included; they run as they are.

    For example:

        lianmeng init my-pool

        lianmeng run --firms my-pool --signals my-pool/signals.csv
    """
    from lianmeng.cli.examples import write_examples

    if folder.exists() and any(folder.iterdir()):
        raise usage(
            "DIR", f"{folder} is not empty", "name a folder that does not exist yet",
            f"{folder} 不是空文件夹", "请指定一个尚不存在的文件夹",
        )  # fmt: skip
    first = day0 or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    out = console()
    with out.status("inventing a market …"):
        paths = write_examples(folder, first.replace(tzinfo=UTC))
    for path in paths:
        out.print(path, highlight=False)
    out.print(
        f"\nEdit them, then: lianmeng run --firms {folder} --signals {folder / 'signals.csv'}\n"
        f"or, into a platform that runs: lianmeng firm import {folder} --activate",
        highlight=False,
    )


def status(home: Home = None, as_json: Json = False) -> None:
    """Show which services serve, story time and its pace, and what lies on the log.

    For example:

        lianmeng status --json
    """
    from lianmeng.cli.health import Health, look

    here = desk(home, as_json)
    health: Health = asyncio.run(look(here.settings))
    if as_json:
        here.print_json(health.plain())
    else:
        anchors = here.clock.anchors
        here.console.print(
            facts(
                (
                    ("home", here.settings.home.resolve()),
                    ("story time", _told(here.now)),
                    ("pace", f"{anchors[-1].factor:g} ×" if anchors else "real time"),
                )
            )
        )
        here.console.print(health.table())
    if not health.well:
        raise typer.Exit(1)


def _told(now: datetime) -> str:
    return f"{now.astimezone(LOCAL):%Y-%m-%d %H:%M} Asia/Shanghai"
