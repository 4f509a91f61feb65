"""Lifecycle at its edges: signatures, strangers, watches, trends, capacity, restarts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from lianmeng.alliance.members import DissolutionReason
from lianmeng.alliance.state import State
from lianmeng.kernel.errors import Rejected, Transient
from lianmeng.kernel.ids import alliance_id_of_trend
from lianmeng.kernel.trends import TrendEvent
from lianmeng.lifecycle import rematching, sweeping
from lianmeng.runtime.embedded import start_nats
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.streams import ensure_streams
from lianmeng.runtime.subjects import due_subject, timer_subject
from lianmeng.runtime.supervision import Supervisor
from lianmeng.runtime.writes import schedule
from lianmeng.v1 import alliance_pb2
from lianmeng.v1 import lifecycle_pb2 as pb
from tests import builders
from tests.builders import AGENCY, FORWARDER, MILL, trend
from tests.integration.lifecycle_world import (
    LifecycleWorld,
    User,
    a_world,
    command_id,
    running_lifecycle,
    serving,
)
from tests.unit.test_lifecycle_effects import mill_node

pytestmark = pytest.mark.integration


@pytest.fixture
async def world(
    log: Log, memory: redis.asyncio.Redis, zone: str, tmp_path: Path
) -> AsyncIterator[LifecycleWorld]:
    async with running_lifecycle(log, memory, zone, tmp_path) as world:
        yield world


async def _refused(user: User, method: str, request: Any) -> Rejected:
    with pytest.raises(Rejected) as refusal:
        await user.call(method, request)
    error: Rejected = refusal.value
    assert error.message
    assert error.message_zh
    return error


# signatures and strangers


async def test_an_acceptance_must_say_and_be_signed_what_the_command_says(
    world: LifecycleWorld,
) -> None:
    await world.begin()
    mill = world[MILL]
    view = await mill.invitation()
    right = mill.acceptance(view, command_id())
    other_command = mill.acceptance(view, command_id())
    other_command.command_id = command_id()
    assert (await _refused(mill, "AcceptInvitation", other_command)).reason == "BAD_SIGNATURE"
    forged = world[AGENCY].acceptance(view, right.command_id)
    assert (await _refused(mill, "AcceptInvitation", forged)).reason == "BAD_SIGNATURE"
    forged.acceptance.key_id = mill.signer.key_id
    refusal = await _refused(mill, "AcceptInvitation", forged)
    assert (refusal.reason, refusal.field) == ("BAD_SIGNATURE", "acceptance")
    right.acceptance.statement += b" "
    assert (await _refused(mill, "AcceptInvitation", right)).reason == "BAD_SIGNATURE"
    wrong_annex = pb.InvitationView()
    wrong_annex.CopyFrom(view)
    wrong_annex.invitation.annex_sha256 = "0" * 64
    request = mill.acceptance(wrong_annex, command_id())
    assert (await _refused(mill, "AcceptInvitation", request)).reason == "BAD_SIGNATURE"
    assert "accepted" not in await world.facts()


async def test_a_stranger_finds_nothing(world: LifecycleWorld) -> None:
    await world.begin()
    view = await world[MILL].invitation()
    stranger = world[builders.OTHER_MILL]
    request = pb.GetAllianceRequest(alliance_id=builders.ALLIANCE)
    assert (await _refused(stranger, "GetAlliance", request)).reason == "NOT_FOUND"
    answer = stranger.acceptance(view, command_id())
    assert (await _refused(stranger, "AcceptInvitation", answer)).reason == "NOT_FOUND"
    foreign = world[AGENCY].acceptance(view, command_id())
    assert (await _refused(world[AGENCY], "AcceptInvitation", foreign)).reason == "NOT_FOUND"
    listed = await stranger.call("ListAlliances", pb.ListAlliancesRequest())
    assert list(listed.alliances) == []
    listed = await world["researcher"].call("ListAlliances", pb.ListAlliancesRequest())
    assert list(listed.alliances) == []
    assert listed.revision


async def test_bad_input_is_refused_at_the_door(world: LifecycleWorld) -> None:
    await world.activate()
    mill = world[MILL]

    async def report(**fields: Any) -> Rejected:
        given: dict[str, Any] = {
            "command_id": command_id(),
            "alliance_id": builders.ALLIANCE,
            "task_id": "l2-produce",
            "kind": alliance_pb2.REPORT_KIND_DONE,
        } | fields
        return await _refused(mill, "ReportTask", pb.ReportTaskRequest(**given))

    assert (await report(units=-1)).reason == "OUT_OF_RANGE"
    assert (await report(units=10**15)).reason == "OUT_OF_RANGE"
    assert (await report(kind=0)).field == "kind"
    assert (await report(kind=99)).field == "kind"
    assert (await report(task_id="s9-ship")).reason == "NOT_FOUND"
    assert (await report(task_id="c1-campaign")).reason == "NOT_YOURS"
    assert (await report(alliance_id="A b")).reason == "MALFORMED_ID"
    assert (await report(command_id="")).reason == "MALFORMED_ID"
    assert (await report(note="ring 13812345678")).reason == "PERSONAL_DATA"
    early = pb.AcceptTaskRequest(
        command_id=command_id(), alliance_id=builders.ALLIANCE, task_id="l2-produce"
    )
    assert (await _refused(world[FORWARDER], "AcceptTask", early)).reason == "WRONG_STATE"
    page = pb.ListAlliancesRequest(page_size=5_000)
    assert (await _refused(mill, "ListAlliances", page)).field == "page_size"


# reads


async def test_a_firm_lists_what_is_its_own(world: LifecycleWorld) -> None:
    await world.activate()
    mill = world[MILL]
    (alliance,) = (await mill.call("ListAlliances", pb.ListAlliancesRequest())).alliances
    assert {lot.firm_id for lot in alliance.state.plan.lots} == {MILL}
    invitations = await mill.call("ListInvitations", pb.ListInvitationsRequest())
    assert [v.invitation.firm_id for v in invitations.invitations] == [MILL]
    opened = await mill.call("ListInvitations", pb.ListInvitationsRequest(open_only=True))
    assert list(opened.invitations) == []
    assert [view.task.task_id for view in await mill.open_tasks()] == ["l2-produce"]
    done = await mill.report("l2-produce")
    forwarder = await world[FORWARDER].open_tasks(done.revision)
    assert {(v.task.task_id, v.as_receiver) for v in forwarder} == {
        ("l2-produce", True),
        ("s1-release", False),
    }
    everything = await world["operator"].call("ListTasks", pb.ListTasksRequest())
    assert len(everything.tasks) == 4
    states = pb.ListAlliancesRequest(states=[alliance_pb2.STATE_MATCHING])
    assert list((await mill.call("ListAlliances", states)).alliances) == []


async def test_the_views_come_back_after_flushall(
    world: LifecycleWorld, memory: redis.asyncio.Redis
) -> None:
    state = await world.activate()
    before = await world["operator"].alliance()
    await memory.flushall()
    async with asyncio.timeout(8):
        while True:
            with contextlib.suppress(Transient):
                assert await world["operator"].alliance() == before
                break
    assert before.state.fact_count == state.fact_count
    await world[MILL].report("l2-produce")


async def test_a_read_waits_for_the_revision_that_was_written(world: LifecycleWorld) -> None:
    await world.activate()
    done = await world[MILL].report("l2-produce")
    seen = await world[MILL].alliance(revision=done.revision)
    task = next(task for task in seen.state.tasks if task.task_id == "l2-produce")
    assert task.state == alliance_pb2.TASK_STATE_REPORTED


# watches


async def _collect(user: User, request: pb.WatchAlliancesRequest, last: str) -> list[Any]:
    """What a watch says up to a kind of fact."""
    found = []
    watch = user.client.watch(user.stub.WatchAlliances, request)
    async with asyncio.timeout(8), aclosing(watch):
        async for answer in watch:
            found.append(answer)
            if answer.record.fact.WhichOneof("fact") == last:
                return found
    return found


async def test_a_watch_tells_the_past_then_what_happens_once_each(world: LifecycleWorld) -> None:
    await world.begin()
    await world.comes_to(State.INVITING)
    request = pb.WatchAlliancesRequest(alliance_id=builders.ALLIANCE)
    operator = asyncio.create_task(_collect(world["operator"], request, "dissolved"))
    mill = asyncio.create_task(_collect(world[MILL], pb.WatchAlliancesRequest(), "dissolved"))
    await world.all_accept()
    await world.comes_to(State.ACTIVE)
    order = pb.DissolveRequest(
        command_id=command_id(), alliance_id=builders.ALLIANCE, reason="enough"
    )
    await world["operator"].call("Dissolve", order)
    told = await operator
    assert [answer.record.fact.WhichOneof("fact") for answer in told] == await world.facts()
    sequences = [int(answer.revision.rpartition(":")[2]) for answer in told]
    assert sequences == sorted(set(sequences))
    own = [answer.record.fact.WhichOneof("fact") for answer in await mill]
    assert own == ["invited", "accepted", "activated", "winding_down", "dissolved"]
    request.after_revision = told[3].revision
    rest = await _collect(world["operator"], request, "dissolved")
    assert rest == told[4:]


async def test_a_firm_is_woken_by_its_invitation_and_by_its_tasks(world: LifecycleWorld) -> None:
    mill = world[MILL]
    invited = asyncio.create_task(mill.invitation())
    await asyncio.sleep(0.1)
    await world.begin()
    view = await invited
    assert view.annex
    assert view.markets == ["TH"]
    await world.all_accept()
    await world.comes_to(State.ACTIVE)
    opened = await _tasks(mill, pb.WatchTasksRequest(), 1)
    assert [answer.task.task.task_id for answer in opened] == ["l2-produce"]
    request = pb.WatchTasksRequest(after_revision=opened[0].revision)
    watching = asyncio.create_task(_tasks(mill, request, 2))
    await mill.report("l2-produce")
    await world[FORWARDER].accept_task("l2-produce")
    changed = [answer.task.task for answer in await watching]
    assert [task.state for task in changed] == [
        alliance_pb2.TASK_STATE_REPORTED,
        alliance_pb2.TASK_STATE_ACCEPTED,
    ]


async def _tasks(user: User, request: pb.WatchTasksRequest, count: int) -> list[Any]:
    """The first answers of a watch of tasks."""
    watch = user.client.watch(user.stub.WatchTasks, request)
    async with asyncio.timeout(8), aclosing(watch):
        return [await anext(watch) for _ in range(count)]


async def test_a_watcher_that_breaks_off_within_a_record_gets_the_rest(
    world: LifecycleWorld,
) -> None:
    await world.begin()
    view = await world[FORWARDER].invitation()
    await world.all_accept()
    await world.comes_to(State.ACTIVE)
    accepted = (await world["operator"].call("ListAlliances", pb.ListAlliancesRequest())).revision
    assert view.annex
    stream, _, last = accepted.rpartition(":")
    request = pb.WatchTasksRequest(after_revision=f"{stream}:{int(last) - 1}")
    whole = await _tasks(world[FORWARDER], request, 3)
    assert len({answer.revision for answer in whole}) == 2
    request.after_revision = whole[0].revision
    assert await _tasks(world[FORWARDER], request, 3) == whole


# trends and capacity


async def test_a_trend_that_is_over_ends_the_formation(world: LifecycleWorld) -> None:
    await world.begin()
    await world.comes_to(State.INVITING)
    await world.tell_trend(trend(6, 0, TrendEvent.OVER))
    state = await world.comes_to(State.FORMATION_FAILED)
    assert state.reason == "DEMAND_COLLAPSED"
    assert await world.held() == {}
    assert await world.violations() == []


async def test_a_collapse_winds_the_alliance_down(world: LifecycleWorld) -> None:
    await world.activate()
    await world.tell_trend(trend(0, 3_000, TrendEvent.DETECTED, 1))
    await world.tell_trend(trend(20, 100))
    await world.tell_trend(trend(21, 100))
    await asyncio.sleep(0.2)
    assert "winding_down" not in await world.facts()
    await world.tell_trend(trend(27, 100))
    state = await world.state(lambda state: state.dissolution_reason is not None)
    assert state.dissolution_reason is DissolutionReason.DEMAND_COLLAPSED
    assert await world.violations() == []


async def test_new_capacity_asks_the_matcher_again(
    world: LifecycleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rematching, "GATHER_S", 0.05)
    await world.write(builders.accepted())
    await world.write(builders.no_plan("NO_CAPACITY"))
    await world.put_node(mill_node("640319"))
    await world.jump(minutes=31)
    await asyncio.sleep(0.3)
    assert "rematch_due" not in await world.facts()
    await world.put_node(mill_node("621430"))
    await world.told("rematch_due")
    await world.write(builders.no_plan("NO_CAPACITY"))
    await world.put_node(mill_node("621430"))
    await asyncio.sleep(0.3)
    assert (await world.facts()).count("rematch_due") == 1, "not within half an hour"
    await world.jump(minutes=31)
    await world.told("rematch_due", times=2)
    assert await world.violations() == []


async def test_a_new_forecast_asks_the_matcher_again(
    world: LifecycleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rematching, "GATHER_S", 0.05)
    await world.write(builders.accepted())
    await world.write(builders.no_plan("NO_CAPACITY"))
    await world.jump(minutes=31)
    await world.tell_trend(trend(1, 4_000))
    await world.told("rematch_due")


# time and restarts


async def test_a_timer_that_fires_early_is_set_anew(world: LifecycleWorld) -> None:
    await world.begin()
    await world.comes_to(State.INVITING)
    before = await world.facts()
    early = schedule(
        timer_subject(world.zone, builders.ALLIANCE),
        due_subject(world.zone, builders.ALLIANCE),
        world.clock.wall(),
        timedelta(minutes=5),
    )
    await world.log.publish(early)
    async with asyncio.timeout(8):
        while True:
            timer = await world.log.last(timer_subject(world.zone, builders.ALLIANCE))
            if (
                timer is not None
                and timer.headers["Nats-Schedule"] != early.headers["Nats-Schedule"]
            ):
                break
            await asyncio.sleep(0.02)
    assert await world.facts() == before


async def test_what_came_due_while_nobody_served_is_done_on_start(
    log: Log, memory: redis.asyncio.Redis, zone: str, tmp_path: Path
) -> None:
    world = await a_world(log, zone, tmp_path)
    await world.begin()
    async with serving(world, memory):
        await world.comes_to(State.INVITING)
        await world.all_accept([FORWARDER, AGENCY])
    await world.jump(hours=5)
    async with serving(world, memory):
        state = await world.state(lambda state: state.repair is not None)
        assert state.lost_firm_ids == (MILL,)
    assert await world.violations() == []


async def test_a_missed_timer_is_found_by_the_sweep(
    log: Log,
    memory: redis.asyncio.Redis,
    zone: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweeping, "SWEEP_EVERY_S", 0.2)
    world = await a_world(log, zone, tmp_path)
    async with serving(world, memory):
        await world.begin()
        await world.comes_to(State.INVITING)
        await world.jump(hours=1, minutes=59, seconds=58)
        never = schedule(
            timer_subject(zone, builders.ALLIANCE),
            due_subject(zone, "nobody"),
            world.clock.wall() + timedelta(hours=1),
            timedelta(hours=1),
        )
        await asyncio.sleep(0.5)  # the sweep that follows the jump has set the true timer
        await world.log.publish(never)
        await world.told("reminded")


async def test_capacity_that_lapsed_and_was_taken_ends_the_formation(
    world: LifecycleWorld,
) -> None:
    await world.write(builders.accepted())
    soon = world.clock.now() + timedelta(hours=1)
    await world.write(builders.proposed(hold_until=soon))
    await world.comes_to(State.INVITING)
    await world.all_accept([FORWARDER, AGENCY])
    await world.jump(hours=1, minutes=5)
    rival = builders.TREND + "x"
    for fact in (builders.accepted(rival), builders.proposed(builders.hungry_plan())):
        await world.write(fact, alliance_id=alliance_id_of_trend(rival))
    await world[MILL].accept()
    state = await world.comes_to(State.FORMATION_FAILED)
    assert state.reason == "CAPACITY_RESERVED_ELSEWHERE"
    held = await world.alliances.book("mill-a-line--line")
    assert held is not None
    assert {entry.alliance_id for entry in held.entries} == {alliance_id_of_trend(rival)}


async def test_two_processes_do_everything_once(
    world: LifecycleWorld, memory: redis.asyncio.Redis
) -> None:
    async with serving(world, memory):
        await world.activate()
        await world.jump(hours=1)
        await world[FORWARDER].report("s1-release")
        await world.jump(hours=49)
        await world.state(lambda s: any(t.accepted_units == 1_000 for t in s.tasks))
        order = pb.DissolveRequest(
            command_id=command_id(), alliance_id=builders.ALLIANCE, reason="enough"
        )
        await world["operator"].call("Dissolve", order)
        await world.jump(days=20)
        await world.comes_to(State.DISSOLVED)
    facts = await world.facts()
    for once in ("invited", "activated", "winding_down", "dissolved"):
        assert facts.count(once) == 1
    assert await world.violations() == []


async def _insist(user: User, view: pb.InvitationView) -> None:
    """Accept with one and the same command until it is answered."""
    request = user.acceptance(view, command_id())
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(Transient):
                await user.call("AcceptInvitation", request)
                return
            await asyncio.sleep(0.1)


@pytest.mark.fault
async def test_the_service_heals_when_nats_comes_back(
    memory: redis.asyncio.Redis, zone: str, tmp_path: Path
) -> None:
    supervisor = Supervisor()
    log = await Log.connect(await start_nats(supervisor, tmp_path), "test")
    try:
        await ensure_streams(log, zone)
        async with running_lifecycle(log, memory, zone, tmp_path) as world:
            await world.begin()
            await world.comes_to(State.INVITING)
            view = await world[MILL].invitation()
            supervisor.kill("nats")
            await _insist(world[MILL], view)
            await world.all_accept([FORWARDER, AGENCY])
            await world.comes_to(State.ACTIVE)
            assert (await world.facts()).count("accepted") == 3
            assert await world.violations() == []
    finally:
        await log.close()
        await supervisor.stop()
