"""Repair: a plan that has lost members gets others for their parts; everybody else's stay.

Kept are all parts of firms that are not lost, and what a lost firm had already reported. First
standbys are tried, one for one: then nobody else notices. Otherwise the lost part is matched
anew around what is kept.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from lianmeng.alliance.membership import broken_refs, parts, ref_of
from lianmeng.alliance.plan import LotSource, Plan
from lianmeng.alliance.state import AllianceState
from lianmeng.kernel.thresholds import Thresholds
from lianmeng.matcher.assembly import Heading, assemble, reason_counts
from lianmeng.matcher.costing import Parts, committed_value, in_order
from lianmeng.matcher.framing import Framed, frame
from lianmeng.matcher.matching import found, missing
from lianmeng.matcher.outcome import Found, Missing, Outcome, PlanRefused
from lianmeng.matcher.parties import parties_of_record
from lianmeng.matcher.planning import Numbers
from lianmeng.matcher.problem import Fixed
from lianmeng.matcher.question import Question
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.matcher.solving import SHARE_CAP_RELAXED, Solved, solve_problem
from lianmeng.matcher.substitution import Replaced, substitute


def repair(state: AllianceState, pool: Snapshot, thresholds: Thresholds) -> Outcome:
    """The next version of the plan without the lost firms. Raises `PlanRefused`."""
    plan = state.plan
    assert plan is not None, "only an alliance with a plan can lose members"
    kept = kept_parts(state, plan)
    question = Question(
        demand=state.demand,
        now=pool.now,
        thresholds=thresholds,
        excluded=frozenset(state.lost_firm_ids) - frozenset(state.willing_firm_ids),
        kept=booked(kept),
    )
    framed = frame(question, pool, fixed_by(question, kept))
    solved = solve_problem(question, framed.problem, free_numbers(state, plan))
    if not isinstance(solved, Solved):
        return missing(question, pool, framed, solved)
    return _Repair(state, plan, kept, question, pool, framed, solved).outcome()


class _Repair:
    """One repair: everything that both ways of replacing a part need."""

    def __init__(
        self,
        state: AllianceState,
        plan: Plan,
        kept: Parts,
        question: Question,
        pool: Snapshot,
        framed: Framed,
        solved: Solved,
    ) -> None:
        self._state = state
        self._plan = plan
        self._kept = kept
        self._question = question
        self._pool = pool
        self._framed = framed
        self._solved = solved

    def outcome(self) -> Outcome:
        """The plan with standbys one for one if that is a good plan, else the solver's."""
        replaced = substitute(
            self._question,
            self._framed.problem,
            Replaced(
                plan=self._plan,
                kept=self._kept,
                broken=broken_refs(self._state),
                willing=self._state.willing_firm_ids,
                numbers=free_numbers(self._state, self._plan),
                keep_ids=not self._state.tasks,
            ),
        )
        if replaced is not None:
            try:
                outcome = self._assembled(replaced, own=False)
            except PlanRefused:
                outcome = Missing("STANDBY_DOES_NOT_FIT")
            if isinstance(outcome, Found):
                return outcome
        return self._assembled(joined(self._kept, self._solved.parts), own=True)

    def _assembled(self, whole: Parts, *, own: bool) -> Outcome:
        excluded = reason_counts(self._framed)
        parties = parties_of_record(whole, self._pool.firms)
        if parties is None or not whole.shipments:
            return Missing("NO_PARTY_OF_RECORD", (), excluded)
        heading = Heading(
            version=self._plan.version + 1,
            day0=self._plan.day0_date,
            willing=self._state.willing_firm_ids,
            own=own,
        )
        solved = self._solved if own else self._as_before()
        plan = assemble(self._question, self._pool, self._framed, solved, whole, parties, heading)
        if plan.cost.margin_fen < 0:
            return Missing("NEGATIVE_MARGIN", (), excluded)
        kept = frozenset(ref_of(part) for part in self._kept.all())
        return found(self._question, self._pool, plan, kept)

    def _as_before(self) -> Solved:
        """A standby may make the share of a member that was above the cap, if that was relaxed."""
        relaxed = (SHARE_CAP_RELAXED,) if SHARE_CAP_RELAXED in self._plan.relaxations else ()
        return replace(self._solved, relaxations=relaxed)


def kept_parts(state: AllianceState, plan: Plan) -> Parts:
    """Parts that stay: not broken, and with the goods or the transport that they belong to.

    Stock and its release stay or go together. A shipment of a lot that is lost goes with it.
    """
    broken = broken_refs(state)
    stock = {lot.lot_id for lot in plan.lots if lot.source is LotSource.STOCK}
    lost = {lot.lot_id for lot in plan.lots if lot.lot_id in broken}
    lost |= {s.lot_id for s in plan.shipments if s.shipment_id in broken and s.lot_id in stock}
    return Parts(
        lots=tuple(lot for lot in plan.lots if lot.lot_id not in lost),
        shipments=tuple(
            s for s in plan.shipments if s.shipment_id not in broken and s.lot_id not in lost
        ),
        campaigns=tuple(c for c in plan.campaigns if c.campaign_id not in broken),
    )


def booked(kept: Parts) -> dict[str, dict[str, int]]:
    """What kept parts have in the books: resource id → bucket key → units."""
    units: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for part in kept.all():
        for bucket in part.buckets:
            units[part.resource_id][bucket.key] += bucket.units
    return {resource: dict(by_key) for resource, by_key in units.items()}


def fixed_by(question: Question, kept: Parts) -> Fixed:
    """What the kept parts fix in the problem of the repair."""
    moved: dict[str, int] = defaultdict(int)
    for shipment in kept.shipments:
        moved[shipment.lot_id] += shipment.units
    made = [lot for lot in kept.lots if lot.source is LotSource.FACTORY]
    awards: dict[str, int] = defaultdict(int)
    for lot in made:
        awards[lot.firm_id] += lot.units
    supply = {
        lot.lot_id: (max(0, (lot.ready_date - question.today).days), lot.units - moved[lot.lot_id])
        for lot in made
        if lot.units > moved[lot.lot_id]
    }
    covered: dict[str, int] = defaultdict(int)
    for campaign in kept.campaigns:
        covered[campaign.market] += campaign.units
    return Fixed(
        firms=kept.firms(),
        supply=supply,
        landed={m.market: kept.landed(m.market) for m in question.demand.markets},
        covered=dict(covered),
        lands={
            market: min((s.land_date - question.today).days for s in kept.shipments_to(market))
            for market in {s.market for s in kept.shipments}
        },
        awards=dict(awards),
        value_fen=committed_value(kept),
    )


def free_numbers(state: AllianceState, plan: Plan) -> Numbers:
    """Numbers above all that the plan or its tasks have ever used."""
    refs = [ref_of(part) for part in parts(plan)] + [task.ref_id for task in state.tasks]
    highest = dict.fromkeys("lsc", 0)
    for ref in refs:
        digits = ref[1:]
        if ref[:1] in highest and digits.isdigit():
            highest[ref[0]] = max(highest[ref[0]], int(digits))
    return Numbers(highest["l"] + 1, highest["s"] + 1, highest["c"] + 1)


def joined(kept: Parts, new: Parts) -> Parts:
    """Both, in the order of their numbers."""
    return in_order(
        Parts(
            lots=kept.lots + new.lots,
            shipments=kept.shipments + new.shipments,
            campaigns=kept.campaigns + new.campaigns,
        )
    )
