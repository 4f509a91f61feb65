"""Bulk rows in the worker process: same answers as here, survives the worker, leaves no orphan."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianmeng.registry import bulk_worker
from lianmeng.registry.bulk_checker import FEW_ROWS, Checker, worker_environment
from lianmeng.registry.bulk_checks import check_rows
from lianmeng.v1 import registry_pb2 as pb
from tests.integration.registry_world import CLOCK, wire_firm, wire_node
from tests.unit.test_pool_validation import FIRM, HUB, MILL, STUDIO

pytestmark = pytest.mark.integration

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def many(count: int = FEW_ROWS + 1) -> pb.PutManyRequest:
    nodes = [replace((MILL, HUB, STUDIO)[index % 3], node_id=f"n{index}") for index in range(count)]
    nodes[3] = replace(nodes[3], locode="SXG")
    rows = [pb.PutManyRow(node=wire_node(node)) for node in nodes]
    rows.append(pb.PutManyRow(firm=pb.RegisterFirmRequest(firm=wire_firm(FIRM))))
    rows.append(pb.PutManyRow())
    return pb.PutManyRequest(rows=rows)


@pytest.fixture
async def checker() -> AsyncIterator[Checker]:
    checker = Checker(CLOCK)
    task = asyncio.create_task(checker.run())
    await asyncio.sleep(0)
    yield checker
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_worker_says_what_the_registry_would_say(checker: Checker) -> None:
    here = check_rows(many(), CLOCK.now())
    there = await checker.check(many())
    assert there == here
    assert sorted(there[1]) == [3, FEW_ROWS + 2]
    assert there[0].rows[1].node.logistics.lanes[0].origin == "CNNBG"


async def test_a_worker_that_died_is_replaced(checker: Checker) -> None:
    await checker.check(many())
    worker = checker._worker
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    await worker.wait()
    assert (await checker.check(many()))[1].keys() == {3, FEW_ROWS + 2}


async def test_a_cancelled_question_does_not_confuse_the_next(checker: Checker) -> None:
    await checker.check(many())
    asking = asyncio.create_task(checker.check(many(2_000)))
    await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert len((await checker.check(many()))[0].rows) == FEW_ROWS + 3


async def test_streams_share_the_worker(checker: Checker) -> None:
    answers = await asyncio.gather(*(checker.check(many(60 + n)) for n in range(6)))
    assert [len(request.rows) for request, _ in answers] == [62 + n for n in range(6)]


def test_the_worker_ends_with_its_input() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", bulk_worker.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=worker_environment(),
    )
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(20) == 0
    assert process.stdout is not None
    process.stdout.close()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_bytes_that_parse_break_the_check(data: bytes) -> None:
    try:
        request = pb.PutManyRequest.FromString(data)
    except Exception:  # noqa: BLE001 - what does not parse is refused before
        return
    _, refused = check_rows(request, NOW)
    assert refused.keys() <= set(range(len(request.rows)))
