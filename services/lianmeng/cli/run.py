"""`lianmeng run`: a story from a product that takes off to alliances that dissolve."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from lianmeng.cli.examination import judge
from lianmeng.cli.importing import tell_problems
from lianmeng.cli.pictures import facts
from lianmeng.cli.story_telling import Teller
from lianmeng.cli.verdicts import Verdict, verdicts
from lianmeng.kernel.clock import Anchor
from lianmeng.runtime.logs import configure_logs
from lianmeng.runtime.platform import Platform
from lianmeng.runtime.settings import Settings
from lianmeng.runtime.storytime import StoryClock, append_anchor, wall_now
from lianmeng.world.director import Director, Notes
from lianmeng.world.pace import REAL, Pace
from lianmeng.world.page.page import write_page
from lianmeng.world.page.story import Judgement, Name, Told
from lianmeng.world.script import DAY0, Script, demonstration, own_files

WITHIN_S = 240.0
"""Wall seconds after which a run is given up."""

INTRODUCTION = """
A product takes off on a social platform (爆红). No single firm can serve the demand: a factory
has machines, a forwarder has lanes and stock abroad, an agency has creators. Lianmeng (联盟)
matches registered firms into a temporary alliance; they sign, do their tasks and are paid, and it
dissolves by itself (任务完成后自动解散). All below is real but the firms and the market, which are
invented, and time, which runs faster."""


def fresh_home(base: Path) -> Path:
    """The next `run-<n>` below `base`."""
    taken = [int(p.name[4:]) for p in base.glob("run-*") if p.name[4:].isdigit()]
    return base / f"run-{max(taken, default=0) + 1}"


def run_demonstration(settings: Settings, seed: int, console: Console) -> int:
    """The seeded story. The exit code: 0 only if all holds."""
    return asyncio.run(_Run(settings, console).tell(DAY0, lambda: demonstration(seed)))


def run_own_files(
    settings: Settings, folder: Path, signals: Path, seed: int, console: Console
) -> int:
    """The story of a user's own files. The exit code: 0 only if all holds."""
    with console.status(f"reading {folder} and {signals} …"):
        read = own_files(folder, signals, seed)
    tell_problems(console, read.pool)
    for error in read.signals.errors[:10]:
        console.print(Text(str(error), style="red"))
    imported, told = read.pool.imported, read.signals
    console.print(
        f"pool: {imported.kept_row_count:,} rows kept, {imported.refused_row_count:,} refused; "
        f"signals: {told.row_count - told.refused_row_count:,} kept, "
        f"{told.refused_row_count:,} refused",
        highlight=False,
    )
    return asyncio.run(_Run(settings, console).tell(read.script.start, lambda: read.script))


class _Run:
    """One run: its home, its terminal."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self._settings = settings
        self._console = console
        self._names: dict[str, str] = {}

    async def tell(self, start: datetime, script: Callable[[], Script]) -> int:
        """Play in a fresh home, judge, and say how to go on."""
        settings, began = self._settings, time.perf_counter()
        _quiet_logs(settings)
        append_anchor(settings.anchors, Anchor(start, wall_now(), REAL))
        clock = StoryClock(settings.anchors)
        teller = Teller(self._console, clock.now, lambda firm: self._names.get(firm, firm))
        pace = Pace(settings.anchors, teller.pace)
        teller.chapter("Lianmeng 联盟: temporary alliances of firms")
        self._console.print(INTRODUCTION.strip(), highlight=False, style="dim")
        teller.chapter("The platform starts, the firms register")
        making = asyncio.create_task(asyncio.to_thread(script))  # while the servers start
        with self._console.status("starting NATS, Valkey and four services …"):
            platform = await Platform(settings, any_ports=True).__aenter__()
        try:
            teller.line(f"NATS, Valkey and four services are up, under {settings.home}")
            with self._console.status("making the firms and the market …"):
                played = await making
            self._names = {f.firm_id: f.name_en or f.name_zh for f in played.firms}
            director = Director(platform, played, teller, pace)
            finished = await _played(director)
            judged = await judge(platform.endpoints.nats_url, settings.zone, pace.clock.now())
        finally:
            await platform.stop()
        found = verdicts(played, director.notes, finished, judged)
        wall_s = time.perf_counter() - began
        teller.chapter("What must hold, and whether it does")
        self._judged(found)
        self._console.print(f"\nIt took {wall_s:.0f} s.", highlight=False)
        commands = self._commands(director.notes)
        told = _told(played, director.notes, found, commands, wall_s)
        self._go_on(commands, write_page(settings.home / "story.html", told))
        return 0 if all(one.holds for one in found) else 1

    def _judged(self, found: list[Verdict]) -> None:
        for one in found:
            mark = Text("✓ ", style="green") if one.holds else Text("✗ ", style="bold red")
            self._console.print(mark.append(one.text, style="default"), highlight=False)
            if not one.holds:
                self._console.print(Text(f"  {one.detail}", style="red"))

    def _commands(self, notes: Notes) -> list[tuple[str, str]]:
        home = self._settings.home
        largest = max(notes.states(), key=lambda one: _value(notes, one), default="ID")
        return [
            ("start it again, with this data", f"lianmeng up --home {home}"),
            ("then: all alliances", f"lianmeng alliance list --home {home}"),
            ("one of them", f"lianmeng alliance show {largest} --home {home}"),
            ("its story in the logs", f"lianmeng log {largest} --home {home}"),
        ]

    def _go_on(self, commands: list[tuple[str, str]], page: Path) -> None:
        self._console.print(f"The story with its pictures: {page.resolve()}", highlight=False)
        self._console.print("The data is kept. Go on with:", highlight=False)
        self._console.print(facts(commands))


async def _played(director: Director) -> bool:
    """Play; what one of the players raised is raised by itself."""
    try:
        return await director.play(WITHIN_S)
    except BaseExceptionGroup as group:
        failure: BaseException = group
        while isinstance(failure, BaseExceptionGroup):
            failure = failure.exceptions[0]
        raise failure from group


def _value(notes: Notes, alliance_id: str) -> int:
    return notes.states()[alliance_id].plan.committed_value_fen


def _quiet_logs(settings: Settings) -> None:
    """The run's own log lines go to files: the terminal is for the story."""
    settings.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    out = (settings.logs / "run.out").open("a", encoding="utf-8")
    configure_logs("run", file=settings.logs / "run.jsonl", form="json", stream=out)


def _told(
    script: Script,
    notes: Notes,
    found: list[Verdict],
    commands: list[tuple[str, str]],
    wall_s: float,
) -> Told:
    """What the page shows."""
    return Told(
        start=script.start,
        wall_s=wall_s,
        firm_count=len(script.firms),
        node_count=len(script.nodes),
        signal_count=notes.signal_count,
        names={firm.firm_id: Name(firm.name_zh, firm.name_en) for firm in script.firms},
        trends=notes.trends,
        records=notes.records,
        judgements=[Judgement(one.text, one.holds, one.detail) for one in found],
        commands=commands,
    )
