"""`lianmeng run`: the demonstration, from a product that takes off to alliances that dissolve."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from lianmeng.alliance.checker import Violation, check
from lianmeng.alliance.wire import read_book, read_record
from lianmeng.cli.story_telling import Teller
from lianmeng.kernel.clock import Anchor
from lianmeng.runtime import subjects
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.logs import configure_logs
from lianmeng.runtime.platform import Platform
from lianmeng.runtime.settings import Settings
from lianmeng.runtime.storytime import StoryClock, append_anchor, wall_now
from lianmeng.v1 import alliance_pb2 as apb
from lianmeng.world import signals
from lianmeng.world.director import Director, Script
from lianmeng.world.firms import build_pool
from lianmeng.world.pace import Pace
from lianmeng.world.products import SCARF, SHAWL, catalogue

START = datetime(2026, 3, 2, tzinfo=UTC)
"""Day 0 of the story: a Monday, 08:00 in Shanghai."""

WITHIN_S = 150.0
"""Wall seconds after which a run is given up."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Something that has to hold at the end of a run."""

    text: str
    holds: bool
    detail: str = ""


def demonstration(seed: int) -> Script:
    """The seeded story: about 300 firms, a shawl that goes viral, a scarf that wants its mills."""
    pool = build_pool(seed, START.date(), START)
    return Script(
        firms=pool.firms,
        nodes=pool.nodes,
        products=catalogue(),
        signals=signals.story(START),
        start=START,
        expected=frozenset({SHAWL, SCARF}),
        slow_until=START + timedelta(days=1, hours=12),
        seed=seed,
    )


async def tell(settings: Settings, script: Script, console: Console) -> bool:
    """Play a script in a fresh home and say whether all of it holds."""
    settings.logs.mkdir(parents=True, exist_ok=True)
    quiet = (settings.logs / "run.out").open("a", encoding="utf-8")
    configure_logs("run", file=settings.logs / "run.jsonl", form="json", stream=quiet)
    append_anchor(settings.anchors, Anchor(script.start, wall_now(), 1.0))
    names = {firm.firm_id: firm.name_en or firm.name_zh for firm in script.firms}
    clock = StoryClock(settings.anchors)
    teller = Teller(console, clock.now, lambda firm: names.get(firm, firm))
    pace = Pace(settings.anchors, teller.pace)
    teller.chapter("Lianmeng (联盟): the servers and the services start")
    started = time.perf_counter()
    async with Platform(settings, any_ports=True) as platform:
        teller.line(
            f"NATS, Valkey and four services are up ({time.perf_counter() - started:.1f} s)"
        )
        director = Director(platform, script, teller, pace)
        done = await director.play(WITHIN_S)
        verdicts = [Verdict("every alliance of the story came to its end", done)]
        verdicts += await judge(platform, pace.clock.now())
    verdicts += _ended_well(director)
    teller.chapter("What must hold, and whether it does")
    for verdict in verdicts:
        mark = "[green]✓[/]" if verdict.holds else "[red]✗[/]"
        console.print(f"{mark} {verdict.text} {verdict.detail}", highlight=False)
    return all(verdict.holds for verdict in verdicts)


def _ended_well(director: Director) -> list[Verdict]:
    return [
        Verdict(
            f"{product} was formed, run and dissolved",
            any(
                state.demand.product.product_id == product and state.state == apb.STATE_DISSOLVED
                for state in director.states.values()
            ),
        )
        for product in sorted(director.script.expected)
    ]


async def judge(platform: Platform, now: datetime) -> list[Verdict]:
    """The history checker over the whole log."""
    zone = platform.settings.zone
    log = await Log.connect(platform.endpoints.nats_url, "checker")
    try:
        records = [
            (m.sequence, read_record(m.data))
            async for m in log.history(subjects.alliance_subject(zone, "*"))
        ]
        books = {
            subjects.last_token(m.subject): read_book(m.data)
            async for m in log.history(subjects.capacity_subject(zone, "*"))
        }
    finally:
        await log.close()
    found = check(records, books, now)

    def verdict(text: str, *codes: str) -> Verdict:
        broken: list[Violation] = [v for v in found if v.code in codes]
        detail = (
            f"[red]{broken[0].code} {broken[0].subject}: {broken[0].message}[/]" if broken else ""
        )
        return Verdict(text, not broken, detail)

    return [
        verdict("the log replays to the same state", "REPLAY", "ATTEMPT_TWICE", "COMMAND_TWICE"),
        verdict("no line, lane or agency was ever overbooked", "OVERBOOKED"),
        verdict(
            "capacity restored: the books hold what they should", "BOOK_DIFFERS", "NOT_RELEASED"
        ),
        verdict(
            "one alliance per trend, one invitation per version", "TWO_BEGINNINGS", "INVITED_TWICE"
        ),
        verdict("statements sum to the fen", "STATEMENT"),
        verdict("every acceptance is signed", "UNSIGNED"),
        verdict("nothing hangs", "NO_DEADLINE", "STUCK"),
    ]


def fresh_home(base: Path) -> Path:
    """The next `run-<n>` below `base`."""
    taken = [int(p.name[4:]) for p in base.glob("run-*") if p.name[4:].isdigit()]
    return base / f"run-{max(taken, default=0) + 1}"


def run(settings: Settings, seed: int, console: Console) -> int:
    """The exit code: 0 only if all holds."""
    return 0 if asyncio.run(tell(settings, demonstration(seed), console)) else 1
