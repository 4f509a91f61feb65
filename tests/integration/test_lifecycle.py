"""Lifecycle on real servers: whole lives of alliances, and each branch that leads off the road."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio

from lianmeng.alliance.members import DissolutionReason, InvitationState, TaskState
from lianmeng.alliance.state import State
from lianmeng.kernel.errors import Rejected
from lianmeng.runtime.jetstream import Log
from lianmeng.v1 import alliance_pb2
from lianmeng.v1 import lifecycle_pb2 as pb
from tests import builders
from tests.builders import AGENCY, FORWARDER, MILL
from tests.integration.lifecycle_world import LifecycleWorld, command_id, running_lifecycle, wanted

pytestmark = pytest.mark.integration


@pytest.fixture
async def world(
    log: Log, memory: redis.asyncio.Redis, zone: str, tmp_path: Path
) -> AsyncIterator[LifecycleWorld]:
    async with running_lifecycle(log, memory, zone, tmp_path) as world:
        yield world


async def _all_work(world: LifecycleWorld) -> None:
    await world[FORWARDER].report("s1-release")
    await world[MILL].accept_task("s1-release")
    await world[MILL].report("l2-produce")
    await world[FORWARDER].accept_task("l2-produce")
    await world[FORWARDER].report("s2-ship", units=1_990)
    await world[MILL].accept_task("s2-ship")
    await world[AGENCY].report("c1-campaign")
    await world[MILL].accept_task("c1-campaign")


async def test_a_minor_alliance_lives_from_plan_to_dissolution(world: LifecycleWorld) -> None:
    await world.begin()
    state = await world.comes_to(State.INVITING)
    assert await world.held() == wanted(state)
    assert len(await world.held()) == 4
    await world.all_accept()
    state = await world.comes_to(State.ACTIVE)
    assert await world.held() == wanted(state)
    await _all_work(world)
    state = await world.comes_to(State.DISSOLVED)
    assert state.dissolution_reason is DissolutionReason.TASKS_COMPLETED
    assert state.statement is not None
    assert state.statement.total_fen == sum(line.amount_fen for line in state.statement.lines)
    assert {line.payer_firm_id for line in state.statement.lines} == {AGENCY}
    assert await world.held() == {"bangkok--shawl": ["CONSUMED"]}
    assert await world.violations() == []
    facts = await world.facts()
    assert facts[:4] == ["demand_accepted", "proposed", "invited", "accepted"]
    assert facts[-2:] == ["winding_down", "dissolved"]


async def test_a_repeated_command_gets_its_first_result(world: LifecycleWorld) -> None:
    await world.begin()
    mill = world[MILL]
    request = mill.acceptance(await mill.invitation(), command_id())
    first = await mill.call("AcceptInvitation", request)
    again = await mill.call("AcceptInvitation", request)
    assert (first.outcome, first.revision) == (again.outcome, again.revision)
    await world.all_accept([FORWARDER, AGENCY])
    await world.comes_to(State.ACTIVE)
    assert await mill.call("AcceptInvitation", request) == first
    request.version = 2
    with pytest.raises(Rejected) as refusal:
        await mill.call("AcceptInvitation", request)
    assert refusal.value.reason == "COMMAND_REUSED"
    report = pb.ReportTaskRequest(
        command_id=command_id(),
        alliance_id=builders.ALLIANCE,
        task_id="l2-produce",
        kind=alliance_pb2.REPORT_KIND_DONE,
    )
    done = await mill.call("ReportTask", report)
    await world[FORWARDER].accept_task("l2-produce")
    assert await mill.call("ReportTask", report) == done


async def test_a_decline_asks_for_a_repair_which_keeps_the_others(world: LifecycleWorld) -> None:
    await world.begin()
    await world.all_accept([FORWARDER, AGENCY])
    await world[MILL].decline()
    state = await world.state(lambda state: state.repair is not None)
    assert state.repair is not None
    assert state.repair.lost_firm_ids == (MILL,)
    assert state.repair.locked_firm_ids == (FORWARDER, AGENCY)
    assert "mill-a-line--line" not in await world.held()
    await world.repair()
    await world[builders.OTHER_MILL].accept()
    state = await world.comes_to(State.ACTIVE)
    assert {i.firm_id: (i.state, i.version) for i in state.invitations} == {
        MILL: (InvitationState.DECLINED, 1),
        FORWARDER: (InvitationState.ACCEPTED, 1),
        AGENCY: (InvitationState.ACCEPTED, 1),
        builders.OTHER_MILL: (InvitationState.ACCEPTED, 1),
    }
    assert await world.violations() == []


async def test_an_invitation_is_reminded_then_expires_and_a_late_yes_is_a_standby(
    world: LifecycleWorld,
) -> None:
    await world.begin()
    view = await world[MILL].invitation()
    await world.all_accept([FORWARDER, AGENCY])
    await world.jump(hours=2, minutes=1)
    await world.state(lambda state: any(i.reminded for i in state.invitations))
    await world.jump(hours=2)
    state = await world.state(lambda state: state.repair is not None)
    assert state.lost_firm_ids == (MILL,)
    late = await world[MILL].accept(view)
    assert late.outcome == pb.ANSWER_OUTCOME_ALREADY_FILLED
    state = await world.state(lambda state: bool(state.willing_firm_ids))
    assert state.willing_firm_ids == (MILL,)
    with pytest.raises(Rejected) as refusal:
        await world[MILL].accept(view)
    assert refusal.value.reason == "ALREADY_ANSWERED"
    assert "reminded" in await world.facts()
    assert await world.violations() == []


async def test_rounds_are_exhausted_and_everything_is_given_back(world: LifecycleWorld) -> None:
    await world.begin()
    await world.all_accept([FORWARDER, AGENCY])
    await world[MILL].decline()
    await world.repair()
    await world[builders.OTHER_MILL].decline()
    await world.state(lambda state: state.round == 2)
    state = (await world.alliances.load(builders.ALLIANCE)).state
    assert state is not None
    await world.write(builders.no_plan())
    state = await world.comes_to(State.FORMATION_FAILED)
    assert state.reason == "NO_STANDBY"
    assert await world.held() == {}
    assert await world.violations() == []


async def test_the_formation_limit_ends_the_formation(world: LifecycleWorld) -> None:
    await world.begin()
    await world.all_accept([FORWARDER, AGENCY])
    await world[MILL].decline()
    await world.state(lambda state: state.repair is not None)
    await world.jump(hours=13)
    state = await world.comes_to(State.FORMATION_FAILED)
    assert state.reason == "FORMATION_LIMIT"
    assert await world.held() == {}


async def test_a_major_alliance_waits_for_the_manager(world: LifecycleWorld) -> None:
    await world.begin(builders.major_plan())
    state = await world.comes_to(State.AWAITING_APPROVAL)
    manager = world["manager"]
    request = pb.ListAlliancesRequest(awaiting_me=True)
    (waiting,) = (await manager.call("ListAlliances", request)).alliances
    assert waiting.state.alliance_id == builders.ALLIANCE
    assert waiting.state.risk_report
    approve = pb.ApproveRequest(
        command_id=command_id(), alliance_id=builders.ALLIANCE, risk_report_hash="0" * 64
    )
    with pytest.raises(Rejected) as refusal:
        await manager.call("Approve", approve)
    assert refusal.value.reason == "RISK_REPORT_HASH"
    with pytest.raises(Rejected) as refusal:
        await world["operator"].call("Approve", approve)
    assert refusal.value.reason == "ROLE_MISSING"
    approve.risk_report_hash = state.risk_report_hash
    await manager.call("Approve", approve)
    await world.all_accept()
    await world.comes_to(State.ACTIVE)
    assert await world.violations() == []


async def test_a_refused_approval_rejects_the_alliance(world: LifecycleWorld) -> None:
    await world.begin(builders.major_plan())
    await world.comes_to(State.AWAITING_APPROVAL)
    request = pb.RejectRequest(
        command_id=command_id(), alliance_id=builders.ALLIANCE, reason="too risky"
    )
    answer = await world["manager"].call("Reject", request)
    assert answer.state == alliance_pb2.STATE_REJECTED
    assert await world.held() == {}


async def test_an_approval_that_times_out_never_approves(world: LifecycleWorld) -> None:
    await world.begin(builders.major_plan())
    await world.comes_to(State.AWAITING_APPROVAL)
    await world.jump(hours=25)
    state = await world.comes_to(State.REJECTED)
    assert state.reason == "TIMED_OUT"
    assert await world.held() == {}


async def test_silence_accepts_what_was_reported(world: LifecycleWorld) -> None:
    await world.activate()
    await world[MILL].report("l2-produce")
    await world.jump(hours=49)
    state = await world.state(lambda state: state.tasks[0].state is TaskState.ACCEPTED)
    assert state.tasks[0].accepted_units == 2_000
    assert "task_accepted" in await world.facts()


async def test_a_member_that_fails_is_replaced_and_accepted_work_stays(
    world: LifecycleWorld,
) -> None:
    await world.activate()
    await world[FORWARDER].report("s1-release")
    await world[MILL].accept_task("s1-release")
    await world[MILL].report("l2-produce", kind=alliance_pb2.REPORT_KIND_FAILED)
    state = await world.comes_to(State.REPAIRING)
    assert state.lost_firm_ids == (MILL,)
    await world.repair()
    await world[builders.OTHER_MILL].accept()
    state = await world.comes_to(State.ACTIVE)
    done = {task.task_id: task.state for task in state.tasks}
    assert done["s1-release"] is TaskState.ACCEPTED
    assert done["l2-produce"] is TaskState.FAILED
    assert done["l22-produce"] is TaskState.OPEN
    assert done["s2-ship"] is TaskState.WAITING
    assert await world.violations() == []


async def test_a_silent_member_is_reminded_then_at_risk_then_failed(world: LifecycleWorld) -> None:
    await world.activate()
    await world[FORWARDER].report("s1-release")
    await world[MILL].accept_task("s1-release")
    await world.jump(days=3, hours=16)
    for fact in ("reminded", "member_at_risk", "member_failed"):
        assert fact not in await world.facts()
        await world.jump(hours=24, minutes=1)
        await world.told(fact)
    state = await world.comes_to(State.REPAIRING)
    assert state.lost_firm_ids == (MILL,)
    assert await world.violations() == []


async def test_an_order_winds_down_what_is_in_process(world: LifecycleWorld) -> None:
    await world.activate()
    await world[MILL].report("l2-produce")
    request = pb.DissolveRequest(
        command_id=command_id(), alliance_id=builders.ALLIANCE, reason="the market is closed"
    )
    answer = await world["manager"].call("Dissolve", request)
    assert answer.state == alliance_pb2.STATE_WINDING_DOWN
    await world[FORWARDER].accept_task("l2-produce")
    await world[FORWARDER].report("s2-ship")
    await world[MILL].accept_task("s2-ship")
    state = await world.comes_to(State.DISSOLVED)
    assert state.dissolution_reason is DissolutionReason.MANAGER_ORDER
    assert await world.held() == {}
    assert await world.violations() == []


async def test_the_window_closes_on_work_that_is_late_but_not_silent(
    world: LifecycleWorld,
) -> None:
    await world.activate()
    await world[FORWARDER].report("s1-release")
    await world[MILL].accept_task("s1-release")
    await world[AGENCY].report("c1-campaign")
    await world[MILL].accept_task("c1-campaign")
    await world.jump(days=4)
    await world[MILL].report("l2-produce", kind=alliance_pb2.REPORT_KIND_PROGRESS, note="late yarn")
    for _ in range(8):
        await world.jump(days=2)
        await world[MILL].report("l2-produce", kind=alliance_pb2.REPORT_KIND_PROGRESS)
    await world.jump(days=1, minutes=1)
    state = await world.comes_to(State.WINDING_DOWN)
    assert state.dissolution_reason is DissolutionReason.WINDOW_CLOSED
    await world[MILL].report("l2-produce", units=1_500)
    await world[FORWARDER].accept_task("l2-produce")
    await world[FORWARDER].report("s2-ship", units=1_500)
    await world[MILL].accept_task("s2-ship", units=1_400)
    state = await world.comes_to(State.DISSOLVED)
    assert state.statement is not None
    units = {line.ref_id: line.units for line in state.statement.lines if line.kind == "goods"}
    assert units == {"l1": 1_000, "l2": 1_500}
    assert await world.held() == {"bangkok--shawl": ["CONSUMED"]}
    assert await world.violations() == []
