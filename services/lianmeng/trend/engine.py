"""The engine: signals in, trend facts out, as a state machine without clock, input or output.

What it counts follows from the batches alone, in their order. What it decides also depends on the
catalogue at that moment, so a restart does not decide again: facts that are on the log are given
back as `recorded` with the batch after which they were written, and taken as the engine's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from lianmeng.kernel.signals import SignalBatch, SignalKey
from lianmeng.kernel.thresholds import Thresholds
from lianmeng.kernel.trends import Trend, TrendEvent
from lianmeng.pool.products import Product
from lianmeng.trend.board import Board
from lianmeng.trend.detector import BUCKETS_PER_HOUR
from lianmeng.trend.duplicates import Duplicates, Verdict
from lianmeng.trend.episodes import opened, told
from lianmeng.trend.folding import Cell, fold
from lianmeng.trend.gates import Gate
from lianmeng.trend.judging import first_trend, next_trend
from lianmeng.trend.keys import SOCIAL
from lianmeng.trend.scene import look
from lianmeng.trend.subjects import Subject
from lianmeng.trend.telling import last_fact, moment


class Taken(Enum):
    """What became of a batch."""

    COUNTED = auto()
    DUPLICATE = auto()
    TOO_OLD = auto()
    TOO_MANY_SOURCES = auto()
    TOO_MANY_KEYS = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch, and the new facts that follow from it, in their order."""

    taken: Taken
    facts: tuple[Trend, ...] = ()


class Engine:
    """The state of detection in one zone. Mutable and deterministic."""

    def __init__(self, zone: str, thresholds: Thresholds) -> None:
        """Nothing was heard and no product is known."""
        self._zone = zone
        self._thresholds = thresholds
        self._board = Board(thresholds.trend.max_keys)
        self._duplicates = Duplicates()
        self._newest_s = 0

    def apply(
        self, batch: SignalBatch, recorded: Sequence[Trend] = (), *, decide: bool = True
    ) -> Outcome:
        """Count a batch that passed `signals.require_batch`, and decide what follows.

        `recorded` are facts that were written after this batch before: they are adopted, not
        returned. With `decide` false nothing else is decided.
        """
        taken = self.judge(batch)
        if taken is not Taken.COUNTED:
            self.adopt(recorded)
            return Outcome(taken)
        self._duplicates.remember(batch.source, batch.source_sequence)
        newest_s = max(batch.time_s)
        self._newest_s = max(self._newest_s, newest_s)
        waiting, facts = list(recorded), list[Trend]()
        for _, cells in fold(batch):
            for subject, social in self._count(cells):
                facts += self._judge(subject, social, waiting, decide)
        self.adopt(waiting)
        return Outcome(taken, tuple(facts))

    def judge(self, batch: SignalBatch) -> Taken:
        """What would become of a batch. Changes nothing."""
        match self._duplicates.judge(batch.source, batch.source_sequence):
            case Verdict.DUPLICATE:
                return Taken.DUPLICATE
            case Verdict.TOO_OLD:
                return Taken.TOO_OLD
            case Verdict.TOO_MANY_SOURCES:
                return Taken.TOO_MANY_SOURCES
            case Verdict.NEW:
                return Taken.COUNTED if self._board.admits(batch.keys) else Taken.TOO_MANY_KEYS

    def adopt(self, facts: Sequence[Trend]) -> None:
        """Take facts that are on the log as the engine's own."""
        for fact in facts:
            subject = self._board.find(SignalKey(fact.term, fact.market))
            if subject is not None:
                self._take(subject, fact)

    def put_product(self, product: Product) -> None:
        """Take a version of a product. `remap` says what follows for living trends."""
        self._board.put(product)

    def remap(self) -> tuple[Trend, ...]:
        """Updated facts for living trends whose meaning is another than was last told.

        Of several episodes that turned out to be of one product the oldest lives on.
        """
        facts = []
        for subject in self._board.living():
            oldest, *others = subject.episodes
            facts += [last_fact(one.trend, one.trend.as_of_time) for one in others]
            trend = oldest.trend
            meaning = self._board.catalogue.meaning(trend.term, trend.market)
            if (meaning.product_id, meaning.missing) != (trend.product_id, trend.missing):
                facts.append(
                    replace(
                        trend,
                        event=TrendEvent.UPDATED,
                        product_id=meaning.product_id,
                        mapping=meaning.mapping,
                        missing=meaning.missing,
                        forecast_version=trend.forecast_version + 1,
                    )
                )
        self.adopt(facts)
        return tuple(facts)

    def sweep(self, now: datetime) -> tuple[Trend, ...]:
        """Over facts of episodes whose window has ended, or that fell silent. `now`: story time.

        Silence is judged by what is heard of other things: if no signal comes at all, the sources
        are away, and that says nothing about a trend. Only to be called when every signal that is
        on the log has been applied.
        """
        silence = timedelta(hours=self._thresholds.trend.silence_hours)
        heard = min(now, moment(self._newest_s))
        facts = []
        for subject in self._board.living():
            silent = heard - moment(subject.heard_s()) >= silence
            facts += [
                last_fact(one.trend, max(now, one.trend.as_of_time))
                for one in subject.episodes
                if silent or now >= one.trend.window_end_time
            ]
        self.adopt(facts)
        return tuple(facts)

    def held(self, key: SignalKey) -> tuple[Gate, ...]:
        """Which gates hold the present alarm of a key back; empty where there is none."""
        subject = self._board.find(key)
        return subject.held if subject is not None else ()

    def _count(self, cells: Sequence[Cell]) -> list[tuple[Subject, bool]]:
        """Count one bucket's cells; the subjects touched, and whether by something social."""
        touched: dict[int, tuple[Subject, bool]] = {}
        for cell in cells:
            subject = self._board.add(cell)
            social = cell.metric in SOCIAL
            before = touched.get(id(subject))
            touched[id(subject)] = (subject, social or (before is not None and before[1]))
            subject.bucket = max(subject.bucket, cell.bucket)
        return list(touched.values())

    def _judge(
        self, subject: Subject, social: bool, waiting: list[Trend], decide: bool
    ) -> list[Trend]:
        alarmed = subject.touch(social=social, limits=self._thresholds.trend)
        due = self._due(subject, waiting)
        facts = [
            next_trend(subject, episode, self._board, self._thresholds)
            for episode in tuple(subject.episodes)
            if subject.bucket - episode.checked_bucket >= BUCKETS_PER_HOUR
        ]
        if due or not decide:
            self.adopt(due)
            return []
        if alarmed and not subject.episodes:
            facts.append(first_trend(subject, self._board, self._zone, self._thresholds))
        news = [fact for fact in facts if fact is not None]
        self.adopt(news)
        return news

    def _due(self, subject: Subject, waiting: list[Trend]) -> list[Trend]:
        """Take from `waiting` what was written of this subject at this very moment."""
        heard = moment(subject.heard_s())
        due = [
            fact
            for fact in waiting
            if fact.as_of_time == heard
            and self._board.find(SignalKey(fact.term, fact.market)) is subject
        ]
        for fact in due:
            waiting.remove(fact)
        return due

    def _take(self, subject: Subject, fact: Trend) -> None:
        if fact.event is TrendEvent.OVER:
            subject.end(fact)
            return
        known = next((e for e in subject.episodes if e.trend.trend_id == fact.trend_id), None)
        if known is not None:
            subject.keep(told(known, fact, subject.bucket))
            return
        scene = look(subject.keys, subject.bucket, self._thresholds)
        if scene is not None:
            subject.keep(opened(fact, scene, subject.quiet))
            subject.held = ()
