"""What trends and new capacity do to alliances; what the operators are told; repeated commands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lianmeng.alliance import facts as f
from lianmeng.alliance import policy
from lianmeng.alliance.evolve import evolve
from lianmeng.alliance.members import DissolutionReason, SignedStatement
from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.state import AllianceState, State
from lianmeng.kernel.calendar import Calendar
from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.money import Money
from lianmeng.kernel.trends import Trend, TrendEvent
from lianmeng.lifecycle import capacity_effects, commands, trend_effects
from lianmeng.lifecycle.facts_told import line_of
from lianmeng.pool import nodes
from lianmeng.runtime.log_events import EVENTS
from tests import builders
from tests.builders import trend
from tests.unit.test_lifecycle_visibility import LIFE

RULE = trend_effects.CollapseRule(share_bp=4_000, gap=timedelta(hours=6))


def state_with(*facts: f.Fact) -> AllianceState:
    """The alliance after these facts and everything that follows by itself."""
    state: AllianceState | None = None
    for fact in (builders.accepted(), *facts):
        state = evolve(state, fact, builders.START, "test")
        assert state is not None
        while (own := policy.next_fact(state, builders.START)) is not None:
            state = evolve(state, own, builders.START, "lifecycle")
            assert state is not None
    assert state is not None
    return state


def active() -> AllianceState:
    """The tiny alliance under contract."""
    state = state_with(builders.proposed())
    signed = SignedStatement(statement=b"", signature=b"", key_id="")
    yes = [
        f.Accepted(
            invitation_id=i.invitation_id,
            version=1,
            firm_id=i.firm_id,
            acceptance=signed,
            command_id="c",
        )
        for i in state.invitations
    ]
    return state_with(builders.proposed(), *yes)


# trends


def test_before_the_contract_all_of_the_plan_is_uncommitted() -> None:
    assert trend_effects.uncommitted_units(state_with(builders.proposed()), builders.START) == 3_000
    assert trend_effects.uncommitted_units(state_with(), builders.START) == 3_000, "the P50"


def test_under_contract_what_has_not_begun_is_uncommitted() -> None:
    state = active()
    assert state.state is State.ACTIVE
    assert trend_effects.uncommitted_units(state, builders.START) == 3_000
    assert trend_effects.uncommitted_units(state, builders.after(days=1)) == 1_000, "stock waits"


@pytest.mark.parametrize(
    ("history", "collapsed"),
    [
        ([trend(6, 1_199)], False),
        ([trend(6, 1_199), trend(11.9, 500)], False),
        ([trend(6, 1_199), trend(12, 500)], True),
        ([trend(6, 1_200), trend(12, 500)], False),
        ([trend(6, 1_199), trend(9, 1_300), trend(13, 500)], False),
        ([trend(0, 900), trend(2, 900), trend(7, 900), trend(8, 2_000)], False),
        ([trend(7, 9_000, TrendEvent.OVER)], True),
        ([], False),
    ],
)
def test_a_collapse_is_two_low_updates_six_hours_apart(
    history: list[Trend], collapsed: bool
) -> None:
    assert trend_effects.has_collapsed(history, 3_000, RULE) is collapsed


def test_a_collapse_ends_a_formation() -> None:
    history = [trend(6, 100), trend(12, 100)]
    for state in (state_with(), state_with(builders.proposed())):
        fact = trend_effects.effect(state, history, RULE, builders.START)
        assert fact == f.FormationFailed(reason="DEMAND_COLLAPSED")


def test_a_collapse_winds_a_running_alliance_down_and_freezes_what_has_not_begun() -> None:
    fact = trend_effects.effect(active(), [trend(30, 0)], RULE, builders.START)
    assert fact is None
    history = [trend(20, 0), trend(30, 0)]
    fact = trend_effects.effect(active(), history, RULE, builders.after(days=1))
    assert isinstance(fact, f.WindingDown)
    assert fact.reason is DissolutionReason.DEMAND_COLLAPSED
    assert fact.cancelled_task_ids == ("s1-release",), "the mill and the agency are at it"


def test_where_everything_is_under_way_a_collapse_changes_nothing() -> None:
    state = active()
    busy = tuple(replace(task, heard_time=builders.START) for task in state.tasks)
    over = [trend(30, 0, TrendEvent.OVER)]
    now = builders.after(days=1)
    assert trend_effects.effect(replace(state, tasks=busy), over, RULE, now) is None


def test_an_ended_alliance_is_left_alone() -> None:
    ended = state_with(f.FormationFailed(reason="MANAGER_ORDER"))
    over = [trend(30, 0, TrendEvent.OVER)]
    assert trend_effects.effect(ended, over, RULE, builders.START) is None


def test_a_new_forecast_asks_for_a_rematch_only_where_there_is_no_plan() -> None:
    waiting = state_with(f.NoPlan(reason="NO_CAPACITY"))
    assert trend_effects.asks_for_rematch(waiting, trend(6, 3_000, version=2))
    assert not trend_effects.asks_for_rematch(waiting, trend(6, 3_000, version=1))
    assert not trend_effects.asks_for_rematch(state_with(), trend(6, 3_000)), "matcher is at it"
    assert not trend_effects.asks_for_rematch(state_with(builders.proposed()), trend(6, 3_000))


# capacity


def record(fact: f.Fact, hours: float) -> tuple[int, AllianceRecord]:
    """A record at some hours after the start; only fact and time matter."""
    return 1, AllianceRecord(
        alliance_id=builders.ALLIANCE,
        attempt_id="x",
        time=builders.after(hours=hours),
        by="test",
        fact=fact,
        state=None,
    )


def test_an_alliance_is_matched_again_half_an_hour_after_the_last_try() -> None:
    waiting = state_with(f.NoPlan(reason="NO_CAPACITY"))
    history = [record(builders.accepted(), 0), record(f.NoPlan(reason="NO_CAPACITY"), 2)]
    earliest = capacity_effects.earliest_rematch(waiting, history)
    assert earliest == builders.after(hours=2.5)


def test_an_alliance_is_not_matched_for_ever() -> None:
    tries: list[f.Fact] = []
    for _ in range(3):
        tries += [f.NoPlan(reason="NO_CAPACITY"), f.RematchDue(reason="NEW_CAPACITY")]
    spent = state_with(*tries, f.NoPlan(reason="NO_CAPACITY"))
    assert spent.rematch_count == 3
    assert not capacity_effects.waits_for_capacity(spent)
    assert capacity_effects.earliest_rematch(spent, []) is None


def _node(capability: Any, **changes: Any) -> nodes.Node:
    calendar = Calendar(time_zone="Asia/Shanghai", working_weekdays=(1, 2, 3, 4, 5))
    node = nodes.Node(
        node_id="n", firm_id="firm", locode="CNNGB", calendar=calendar, capability=capability
    )
    return replace(node, **changes)


def mill_node(hs6: str) -> nodes.Node:
    """A mill of one heading."""
    return _node(
        nodes.Manufacturing(
            hs6=(hs6,),
            uom="H87",
            lines=(nodes.ProductionLine("line", 1_000),),
            first_batch_days=nodes.DaysRange(3, 4),
            price_breaks=(nodes.PriceBreak(0, Money(980, "CNY")),),
        )
    )


def _agency(market: str) -> nodes.Node:
    account = nodes.Account(platform="TIKTOK", market=market)
    return _node(nodes.Marketing(accounts=(account,), languages=("th",)))


def _forwarder(market: str) -> nodes.Node:
    house = nodes.Warehouse(
        warehouse_id="w", locode="THBKK", market=market, release_days=nodes.DaysRange(1, 2)
    )
    return _node(nodes.Logistics(warehouses=(house,)))


@pytest.mark.parametrize(
    ("node", "concerned"),
    [
        (mill_node("621430"), True),
        (mill_node("640319"), False),
        (_agency("TH"), True),
        (_agency("VN"), False),
        (_forwarder("TH"), True),
        (_forwarder("VN"), False),
        (replace(mill_node("621430"), state=nodes.NodeState.WITHDRAWN), False),
    ],
)
def test_only_a_node_that_could_take_part_concerns_a_demand(
    node: nodes.Node, concerned: bool
) -> None:
    assert capacity_effects.concerns(node, builders.demand()) is concerned


def test_released_capacity_serves_the_same_goods_or_the_same_market() -> None:
    one = builders.demand()
    shoes = replace(one.product, hs6="640319")
    elsewhere = tuple(replace(market, market="VN") for market in one.markets)
    assert capacity_effects.shares_pool(one, replace(one, product=shoes))
    assert capacity_effects.shares_pool(one, replace(one, markets=elsewhere))
    assert not capacity_effects.shares_pool(one, replace(one, product=shoes, markets=elsewhere))


# what operators are told


def test_every_fact_has_a_line_with_the_states_and_no_word_of_people() -> None:
    before: AllianceState | None = None
    for entry in LIFE:
        fields = line_of(before, entry.fact, entry.state)
        assert f"alliance.{f.name_of(entry.fact)}" in EVENTS
        assert fields["alliance"] == builders.ALLIANCE
        assert fields["trend"] == builders.TREND
        assert entry.state is not None
        assert fields["to"] == entry.state.state
        assert fields.get("from_", "") == (before.state if before else "")
        before = entry.state


def test_the_reason_of_a_decline_is_not_for_the_log() -> None:
    state = state_with(builders.proposed())
    fact = f.Declined(
        invitation_id="i", version=1, firm_id="mill-a", reason="my cousin is ill", command_id="c"
    )
    assert line_of(state, fact, state)["firm"] == "mill-a"
    assert "cousin" not in str(line_of(state, fact, state))


# repeated commands


def test_a_repeat_finds_its_first_record() -> None:
    history = list(enumerate(LIFE, start=1))
    found = commands.first_record(history, "manager", "c-1")
    assert found is not None
    sequence, entry = found
    assert isinstance(entry.fact, f.ApprovalGranted)
    assert history[sequence - 1][1] is entry
    assert entry.state is not None
    assert commands.mark_of(entry.state, "manager", "c-1") is not None
    assert commands.mark_of(entry.state, "operator", "c-1") is None
    assert commands.first_record(history, "operator", "c-1") is None


def test_a_command_id_serves_one_purpose() -> None:
    fact = f.TaskReported(
        task_id="l2-produce", firm_id="mill-a", kind=f.ReportKind.DONE, command_id="c"
    )
    same = {"task_id": "l2-produce", "firm_id": "mill-a", "kind": f.ReportKind.DONE}
    commands.require_same(fact, (f.TaskReported,), **same)
    for other in ({**same, "task_id": "l1"}, {**same, "kind": f.ReportKind.FAILED}):
        with pytest.raises(Rejected) as refusal:
            commands.require_same(fact, (f.TaskReported,), **other)
        assert refusal.value.reason == "COMMAND_REUSED"
    with pytest.raises(Rejected):
        commands.require_same(fact, (f.TaskAccepted,), task_id="l2-produce")
