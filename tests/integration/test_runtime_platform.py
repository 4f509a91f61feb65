"""The whole platform under one home directory: start, find, kill, stop, start again."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from lianmeng.kernel.errors import Rejected
from lianmeng.runtime.client import is_serving
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.platform import Platform
from lianmeng.runtime.settings import find_endpoints, load_settings
from lianmeng.runtime.storytime import read_anchors
from lianmeng.runtime.subjects import alliance_subject
from lianmeng.runtime.writes import Write

pytestmark = pytest.mark.integration

_CODE = """
import sys
from lianmeng.runtime.process import run_service
from lianmeng.runtime.settings import load_settings
from tests.integration.test_runtime_process import wire

sys.exit(run_service(sys.argv[1], load_settings(), wire))
"""
COMMAND = (sys.executable, "-c", _CODE)


async def test_the_platform_starts_heals_and_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[2]), *sys.path]))
    settings = load_settings(home=tmp_path, stop_grace_s=1.0)
    platform = Platform(settings, any_ports=True, factor=600, services=["trend"], command=COMMAND)
    async with platform:
        found = find_endpoints(load_settings(home=tmp_path))
        assert found == platform.endpoints
        assert await is_serving(found.services["trend"])
        with pytest.raises(Rejected, match="already runs"):
            await Platform(settings).start_servers()
        await platform.kill("trend")
        async with asyncio.timeout(30):
            await platform.wait_ready("trend")
        assert await is_serving(found.services["trend"])
        log = await Log.connect(found.nats_url, "test")
        await log.publish(Write(alliance_subject("zj", "a-1"), b"yesterday"))
        await log.close()
    assert not await is_serving(found.services["trend"])
    with pytest.raises(Rejected, match="no platform runs"):
        find_endpoints(load_settings(home=tmp_path))
    (first,) = read_anchors(tmp_path / "anchors.jsonl")
    assert first.factor == 600

    async with Platform(settings, any_ports=True, services=[]) as again:
        log = await Log.connect(again.endpoints.nats_url, "test")
        kept = await log.last(alliance_subject("zj", "a-1"))
        assert kept is not None
        await log.close()
    last = read_anchors(tmp_path / "anchors.jsonl")[-1]
    assert last.factor == 1
    assert last.story == first.story + (kept.stored_at - first.wall) * 600
