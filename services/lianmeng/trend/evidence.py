"""What the three families say together, and how far to trust it.

A family's score is the largest of its metrics' scores. Its weight is its share in the confidence;
it fades with the age of its newest signal. Confidence is the sum over the families of weight ×
how far the score reaches towards the family's threshold: a family of which nothing was heard adds
nothing, so that its absence lowers the confidence, and it is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lianmeng.kernel.money import BASIS
from lianmeng.kernel.signals import METRICS_OF, Metric, SignalFamily
from lianmeng.kernel.thresholds import TrendThresholds
from lianmeng.kernel.trends import FamilyEvidence

WEIGHT_BP = {
    SignalFamily.SOCIAL: 5_000,
    SignalFamily.COMMERCE: 4_000,
    SignalFamily.CUSTOMS: 1_000,
}
"""Share of each family in the confidence while it is fresh."""

FRESH_S = {
    SignalFamily.SOCIAL: 6 * 3_600,
    SignalFamily.COMMERCE: 24 * 3_600,
    SignalFamily.CUSTOMS: 60 * 86_400,
}
"""Age in seconds at which a family's weight is halved."""

MISSING_S = {
    SignalFamily.SOCIAL: 3 * 86_400,
    SignalFamily.COMMERCE: 7 * 86_400,
    SignalFamily.CUSTOMS: 120 * 86_400,
}
"""Age in seconds from which a family counts as missing."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of one metric: its score and the event time of its newest signal."""

    score: float
    newest_s: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Scores by family, the evidence for people, and the confidence in basis points."""

    families: tuple[FamilyEvidence, ...]
    confidence_bp: int

    @property
    def missing(self) -> tuple[SignalFamily, ...]:
        """Families of which nothing was heard lately."""
        return tuple(one.family for one in self.families if one.missing)

    def score(self, family: SignalFamily) -> float:
        """A family's score, standard deviations."""
        return next(one.score_milli for one in self.families if one.family is family) / 1_000


def weigh(heard: Mapping[Metric, Heard], now_s: int, limits: TrendThresholds) -> Verdict:
    """The verdict at event time `now_s` of what was heard so far."""
    needed = {
        SignalFamily.SOCIAL: limits.social_z,
        SignalFamily.COMMERCE: limits.commerce_z,
        SignalFamily.CUSTOMS: limits.commerce_z,
    }
    families = tuple(_family(family, heard, now_s) for family in SignalFamily)
    confidence = sum(
        one.weight_bp * min(1.0, one.score_milli / 1_000 / needed[one.family]) for one in families
    )
    return Verdict(families, round(confidence))


def _family(family: SignalFamily, heard: Mapping[Metric, Heard], now_s: int) -> FamilyEvidence:
    present = [heard[metric] for metric in METRICS_OF[family] if metric in heard]
    newest = max((one.newest_s for one in present), default=None)
    if newest is None or now_s - newest >= MISSING_S[family]:
        return FamilyEvidence(family=family, missing=True)
    age = max(0, now_s - newest)
    weight = WEIGHT_BP[family] * 2.0 ** (-age / FRESH_S[family])
    return FamilyEvidence(
        family=family,
        score_milli=round(max(one.score for one in present) * 1_000),
        age_s=age,
        weight_bp=min(BASIS, round(weight)),
    )
