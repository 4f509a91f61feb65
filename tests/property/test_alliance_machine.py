"""A Hypothesis state machine over the alliance: people, the matcher and the clock in any order.

Whatever happens, the facts alone rebuild the state, something is always going to happen next,
the policy comes to rest, ended alliances hold nothing, and statements sum to the fen.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lianmeng.alliance import decide, policy
from lianmeng.alliance import facts as f
from lianmeng.alliance.books import EntryKind
from lianmeng.alliance.evolve import evolve
from lianmeng.alliance.members import SignedStatement
from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.reservations import reserved
from lianmeng.alliance.state import AllianceState, State
from lianmeng.alliance.states import TABLE, TERMINAL
from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.trends import TrendEvent
from lianmeng.lifecycle import trend_effects
from lianmeng.runtime.codec import decode, encode
from lianmeng.v1 import alliance_pb2
from tests import builders

MOST_FACTS_AT_ONCE = 40
"""The policy comes to rest after fewer facts than this at one instant."""

SIGNED = SignedStatement(statement=b"{}", signature=b"s", key_id="k-1")
COLLAPSE = trend_effects.CollapseRule(share_bp=4_000, gap=timedelta(hours=6))
FIRMS = (*builders.MEMBERS, *builders.STANDBYS.values(), "mill-x-again-1")
_HOURS = st.sampled_from([0.01, 0.5, 1.0, 2.0, 4.0, 12.0, 24.0, 49.0, 73.0])


class Start(StrEnum):
    """How far an alliance has come when its random life begins."""

    MATCHING = "MATCHING"
    INVITING = "INVITING"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    ACTIVE = "ACTIVE"
    REPAIRING = "REPAIRING"
    REPAIRED = "REPAIRED"
    REPAIRED_DEARER = "REPAIRED_DEARER"
    FORMING_DEARER = "FORMING_DEARER"
    ONE_WAS_SILENT = "ONE_WAS_SILENT"


def is_in(*states: State) -> Callable[[Any], bool]:
    """Precondition: the alliance is in one of these states."""
    return lambda machine: machine.alliance.state in states


def lives(machine: Any) -> bool:
    """Precondition: the alliance has not ended."""
    return machine.alliance.state not in TERMINAL


class AllianceMachine(RuleBasedStateMachine):
    """One alliance from its demand to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.now = builders.START
        self.history: list[tuple[f.Fact, datetime, str]] = []
        self.state: AllianceState | None = None
        self.commands = 0

    @property
    def alliance(self) -> AllianceState:
        assert self.state is not None
        return self.state

    def record(self, fact: f.Fact, by: str) -> None:
        self.state = evolve(self.state, fact, self.now, by)
        self.history.append((fact, self.now, by))

    def settle(self) -> None:
        """What lifecycle does after each fact and at each deadline."""
        for _ in range(MOST_FACTS_AT_ONCE):
            fact = policy.next_fact(self.alliance, self.now)
            if fact is None:
                break
            self.record(fact, "lifecycle")
        else:
            raise AssertionError(f"the policy does not come to rest: {self.history[-5:]}")
        deadline = self.alliance.deadline_time
        assert deadline is None or deadline > self.now, "a timer would fire for ever"

    def command(self, attempt: Callable[[str], f.Fact], by: str) -> None:
        """A command of `by`: a fact, or a refusal that changes nothing."""
        self.commands += 1
        try:
            fact = attempt(f"c-{self.commands}")
        except Rejected:
            return
        self.record(fact, by)

    @initialize(start=st.sampled_from(Start), firm=st.sampled_from(builders.MEMBERS))
    def begin(self, start: Start, firm: str) -> None:
        """A life may begin anywhere on the main road, so that all of it is visited often."""
        self.record(builders.accepted(), "matcher")
        self.settle()
        if start is Start.MATCHING:
            return
        self._propose(major=start is Start.AWAITING_APPROVAL)
        self.settle()
        if start in (Start.AWAITING_APPROVAL, Start.INVITING):
            return
        if start is Start.ONE_WAS_SILENT:
            self._all_but(firm)
            return
        if start is Start.FORMING_DEARER:
            self._answer(firm, yes=False)
        else:
            self.all_firms_accept()
        if start is Start.ACTIVE:
            return
        self.now += timedelta(hours=1)
        if start is not Start.FORMING_DEARER:
            self.record(f.MemberFailed(firm_id=firm, reason="QUALITY"), "lifecycle")
        self.settle()
        if start is not Start.REPAIRING:
            self._repair(0 if start is Start.REPAIRED else 30_000_000)
            self.settle()

    def _all_but(self, silent: str) -> None:
        """An active alliance, and a firm whose yes would come too late."""
        for other in builders.MEMBERS:
            if other != silent:
                self._answer(other, yes=True)
        self.now += timedelta(hours=4)
        self.settle()
        self._repair(0)
        self.settle()
        self.all_firms_accept()

    @rule()
    def lifecycle_runs(self) -> None:
        self.settle()

    @precondition(lives)
    @rule(hours=_HOURS)
    def time_passes(self, hours: float) -> None:
        self.now += timedelta(hours=hours)
        self.settle()

    @precondition(lives)
    @rule(hours=_HOURS)
    def time_passes_while_lifecycle_is_down(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lives)
    @rule()
    def the_deadline_comes(self) -> None:
        deadline = self.alliance.deadline_time
        assert deadline is not None
        self.now = max(self.now, deadline)
        before, reason = self.alliance.fact_count, self.alliance.deadline_reason
        self.settle()
        assert self.alliance.fact_count > before, f"nothing happened at {reason}"

    @precondition(is_in(State.MATCHING))
    @rule(major=st.booleans())
    def matcher_proposes(self, major: bool) -> None:
        self._propose(major)

    def _propose(self, major: bool) -> None:
        plan = builders.major_plan() if major else builders.plan()
        self.record(builders.proposed(plan, self.now + timedelta(hours=40)), "matcher")

    @precondition(is_in(State.MATCHING))
    @rule(again=st.booleans())
    def matcher_finds_nothing(self, again: bool) -> None:
        later = self.now + timedelta(minutes=30) if again else None
        self.record(f.NoPlan(reason="NO_CAPACITY", rematch_time=later), "matcher")

    @precondition(lambda self: self.asked())
    @rule(dearer=st.sampled_from([0, 0, 10_000, 30_000_000]))
    def matcher_repairs(self, dearer: int) -> None:
        self._repair(dearer)

    def _repair(self, dearer_fen: int) -> None:
        plan, repair = self.alliance.plan, self.alliance.repair
        assert plan is not None
        assert repair is not None
        until = self.now + timedelta(hours=52)
        self.record(builders.repaired(plan, repair.lost_firm_ids, until, dearer_fen), "matcher")

    @precondition(lambda self: self.asked())
    @rule()
    def matcher_cannot_repair(self) -> None:
        self.record(f.NoPlan(reason="NO_STANDBY"), "matcher")

    def asked(self) -> bool:
        states = (State.INVITING, State.REPAIRING)
        return self.alliance.repair is not None and self.alliance.state in states

    @precondition(lambda self: self.alliance.invitations)
    @rule(data=st.data(), yes=st.booleans(), wrong=st.integers(0, 5))
    def firm_answers(self, data: st.DataObject, yes: bool, wrong: int) -> None:
        invitation = data.draw(st.sampled_from(self.alliance.invitations))
        self._answer(invitation.firm_id, yes=yes, off=int(wrong == 5))

    def _answer(self, firm: str, *, yes: bool, off: int = 0) -> None:
        invitation = next(i for i in self.alliance.invitations if i.firm_id == firm)
        ids = (invitation.invitation_id, invitation.version + off, firm)
        state, now = self.alliance, self.now
        if yes:
            self.command(lambda c: decide.accept(state, *ids, SIGNED, c, now), firm)
        else:
            self.command(lambda c: decide.decline(state, *ids, "busy", c, now), firm)

    @precondition(is_in(State.INVITING, State.REPAIRING, State.AWAITING_APPROVAL))
    @rule()
    def all_firms_accept(self) -> None:
        for invitation in self.alliance.invitations:
            if invitation.state == "PENDING":
                self._answer(invitation.firm_id, yes=True)
        self.settle()

    @precondition(lambda self: self.alliance.tasks)
    @rule(
        data=st.data(),
        kind=st.sampled_from(f.ReportKind),
        who=st.sampled_from(("", "", "", *FIRMS)),
    )
    def firm_reports(self, data: st.DataObject, kind: f.ReportKind, who: str) -> None:
        task = data.draw(st.sampled_from(self.alliance.tasks))
        who = who or task.firm_id
        units = data.draw(st.integers(-1, task.units + 1))
        self.command(
            lambda c: decide.report_task(self.alliance, task.task_id, who, kind, units, "", c), who
        )

    @precondition(lambda self: self.alliance.tasks)
    @rule(data=st.data())
    def receiver_accepts(self, data: st.DataObject) -> None:
        task = data.draw(st.sampled_from(self.alliance.tasks))
        units = data.draw(st.integers(0, task.reported_units))
        who = task.receiver_firm_id
        self.command(lambda c: decide.accept_task(self.alliance, task.task_id, who, units, c), who)

    @precondition(lambda self: self.alliance.tasks)
    @rule()
    def everybody_works(self) -> None:
        """All that can be done now is done and accepted."""
        for task in self.alliance.tasks:
            self._do(task.task_id)
        self.settle()

    def _do(self, task_id: str) -> None:
        task = next(task for task in self.alliance.tasks if task.task_id == task_id)
        done = f.ReportKind.DONE
        self.command(
            lambda c: decide.report_task(self.alliance, task_id, task.firm_id, done, 0, "", c),
            task.firm_id,
        )
        who = task.receiver_firm_id
        self.command(lambda c: decide.accept_task(self.alliance, task_id, who, 0, c), who)

    @precondition(is_in(State.AWAITING_APPROVAL))
    @rule(right=st.booleans(), yes=st.booleans())
    def manager_decides(self, right: bool, yes: bool) -> None:
        report = self.alliance.risk_report_hash if right else "0" * 64
        state, now = self.alliance, self.now
        if yes:
            self.command(lambda c: decide.approve(state, "manager", report, "", c, now), "manager")
        else:
            self.command(lambda c: decide.reject(state, "manager", "no", c, now), "manager")

    @precondition(lambda self: len(self.history) > 8)
    @rule()
    def trend_is_over(self) -> None:
        over = [builders.trend(30, 0, TrendEvent.OVER)]
        fact = trend_effects.effect(self.alliance, over, COLLAPSE, self.now)
        if fact is not None:
            self.record(fact, "lifecycle")

    @precondition(lambda self: len(self.history) > 12)
    @rule()
    def operator_dissolves(self) -> None:
        state, now = self.alliance, self.now
        self.command(lambda c: decide.dissolve(state, "operator", "enough", c, now), "operator")

    def teardown(self) -> None:
        """The facts alone rebuild each state, and the log keeps all of it."""
        state: AllianceState | None = None
        for fact, time, by in self.history:
            state = evolve(state, fact, time, by)
            record = AllianceRecord(
                alliance_id=builders.ALLIANCE,
                attempt_id="x",
                time=time,
                by=by,
                fact=fact,
                state=state,
            )
            assert decode(encode(record, alliance_pb2.AllianceRecord), AllianceRecord) == record
        assert state == self.state

    @invariant()
    def something_is_going_to_happen(self) -> None:
        if self.state is not None:
            ended = self.state.state in TERMINAL
            assert self.state.fact_count == len(self.history)
            assert ended == (self.state.deadline_time is None)
            assert ended == (self.state.closed_time is not None)
            assert ended != bool(self.state.deadline_reason)

    @invariant()
    def ended_alliances_hold_nothing(self) -> None:
        if self.state is not None and self.state.state in TERMINAL:
            entries = [e for r in reserved(self.state).values() for e in r.entries]
            assert all(entry.kind is EntryKind.CONSUMED for entry in entries)

    @invariant()
    def ended_alliances_leave_nothing_open(self) -> None:
        if self.state is not None and self.state.state in TERMINAL:
            pending = [i for i in self.state.invitations if i.state == "PENDING"]
            assert not pending
            assert not [t for t in self.state.tasks if t.state in ("OPEN", "REPORTED")]

    @invariant()
    def statements_sum_to_the_fen(self) -> None:
        statement = self.state.statement if self.state else None
        if statement is not None:
            assert statement.total_fen == sum(line.amount_fen for line in statement.lines)
            assert all(line.amount_fen > 0 for line in statement.lines)
            assert all(line.payer_firm_id for line in statement.lines)

    @invariant()
    def a_firm_has_one_invitation(self) -> None:
        if self.state is not None:
            firms = [invitation.firm_id for invitation in self.state.invitations]
            assert len(firms) == len(set(firms))

    @invariant()
    def nothing_waits_for_what_will_never_come(self) -> None:
        """Under a whole contract each waiting task waits for work that somebody does."""
        if self.state is None or self.state.state is not State.ACTIVE:
            return
        if policy.next_fact(self.state, self.now) is not None:
            return
        alive = {t.task_id for t in self.state.tasks if t.state not in ("FAILED", "CANCELLED")}
        assert all(alive.issuperset(t.depends_on) for t in self.state.tasks if t.state == "WAITING")

    @invariant()
    def tasks_are_told_apart(self) -> None:
        if self.state is not None:
            ids = [task.task_id for task in self.state.tasks]
            assert len(ids) == len(set(ids))
            assert all(
                0 <= t.accepted_units <= t.reported_units <= t.units for t in self.state.tasks
            )

    @invariant()
    def lost_firms_hold_nothing_that_is_open(self) -> None:
        if self.state is not None:
            tasks = [t for t in self.state.tasks if t.state in ("OPEN", "WAITING")]
            assert not {t.firm_id for t in tasks} & set(self.state.lost_firm_ids)


def test_every_living_state_can_be_left() -> None:
    leaving: dict[Any, set[State]] = {}
    for moves in TABLE.values():
        for source, targets in moves.items():
            leaving.setdefault(source, set()).update(set(targets) - {source})
    assert {state for state in State if not leaving.get(state)} == TERMINAL


AllianceMachine.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much],
)
TestAllianceMachine = AllianceMachine.TestCase
