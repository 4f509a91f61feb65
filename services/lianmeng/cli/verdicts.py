"""What must hold at the end of a run, and whether it does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lianmeng.cli.examination import Judged
from lianmeng.v1 import alliance_pb2 as pb
from lianmeng.world.director import Notes
from lianmeng.world.script import Script

_REPLAYS = ("REPLAY", "ATTEMPT_TWICE", "COMMAND_TWICE")

PROMISES = (
    ("the log replays to the same state: {records} facts", _REPLAYS),
    ("one alliance per trend, one invitation per version", ("TWO_BEGINNINGS", "INVITED_TWICE")),
    ("every acceptance is signed", ("UNSIGNED",)),
    ("no line, lane, stock or agency was ever booked above its capacity", ("OVERBOOKED",)),
    ("capacity restored: nothing of ended alliances in {books} books", ("NOT_RELEASED",)),
    ("the books are what the facts say", ("BOOK_DIFFERS",)),
    ("every statement sums to the fen", ("STATEMENT",)),
    ("nothing hangs", ("NO_DEADLINE", "STUCK")),
)
"""What is promised → codes of the history checker that break it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Something that has to hold at the end. `detail`: what was found instead."""

    text: str
    holds: bool
    detail: str = ""


def verdicts(script: Script, notes: Notes, finished: bool, judged: Judged) -> list[Verdict]:
    """All of them; the run is a success only if each holds."""
    return [*_story(script, notes, finished), *_promises(judged)]


def _story(script: Script, notes: Notes, finished: bool) -> Iterable[Verdict]:
    states = list(notes.states().values())
    living = [state.alliance_id for state in states if not state.HasField("closed_time")]
    detail = f"still living: {', '.join(living)}" if living else "not all trends came"
    yield Verdict("every alliance came to its end", finished, "" if finished else detail)
    for product in sorted(script.expected):
        ends = [
            pb.State.Name(state.state).removeprefix("STATE_")
            for state in states
            if state.demand.product.product_id == product
        ]
        text = f"{product} was formed, carried out and dissolved"
        well = ends == ["DISSOLVED"]
        yield Verdict(text, well, "" if well else ", ".join(ends) or "there was no alliance")
    if not script.expected:
        dissolved = any(state.state == pb.STATE_DISSOLVED for state in states)
        text = "at least one alliance was formed, carried out and dissolved"
        yield Verdict(text, dissolved, "" if dissolved else _why_none(notes))


def _why_none(notes: Notes) -> str:
    missing = {
        f"{trend.term}: {', '.join(trend.missing)}" for trend in notes.trends if trend.missing
    }
    reasons = {f"{s.alliance_id}: {s.reason}" for s in notes.states().values()}
    return "; ".join(sorted(missing | reasons)) or "no trend was found in the signals"


def _promises(judged: Judged) -> Iterable[Verdict]:
    for text, codes in PROMISES:
        broken = [one for one in judged.violations if one.code in codes]
        detail = f"{broken[0].code} {broken[0].subject}: {broken[0].message}" if broken else ""
        said = text.format(records=judged.record_count, books=judged.book_count)
        yield Verdict(said, not broken, detail)
