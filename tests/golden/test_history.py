"""Histories that earlier releases recorded: this release reads and replays them."""

from __future__ import annotations

import base64
import json
import lzma
from dataclasses import dataclass
from pathlib import Path

import pytest

from lianmeng.alliance.checker import check
from lianmeng.alliance.state import State
from lianmeng.alliance.wire import read_book, read_record
from lianmeng.kernel.trends import Trend
from lianmeng.pool.follow import read_record as read_registered
from lianmeng.runtime.codec import decode
from lianmeng.runtime.messages import Message
from lianmeng.v1 import trend_pb2

RECORDED = sorted(Path(__file__).parent.glob("v*.jsonl.xz"))


@dataclass(frozen=True, slots=True)
class History:
    """Messages by the first token of their subject, in the order of the log."""

    by_root: dict[str, list[Message]]


def read(path: Path) -> History:
    by_root: dict[str, list[Message]] = {}
    for line in lzma.decompress(path.read_bytes()).decode().splitlines():
        entry = json.loads(line)
        message = Message(
            subject=entry["subject"],
            sequence=entry["sequence"],
            headers=entry["headers"],
            data=base64.b64decode(entry["data"]),
        )
        by_root.setdefault(message.subject.split(".")[0], []).append(message)
    return History(by_root)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_a_recorded_history_still_replays(path: Path) -> None:
    history = read(path)
    records = [(m.sequence, read_record(m.data)) for m in history.by_root["alliances"]]
    books = {m.subject.split(".")[2]: read_book(m.data) for m in history.by_root["capacity"]}
    last = {record.alliance_id: record.state for _, record in records}
    assert {state.state for state in last.values() if state} == {State.DISSOLVED}
    assert check(records, books, max(record.time for _, record in records)) == []


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_recorded_trends_and_registrations_can_be_read(path: Path) -> None:
    history = read(path)
    for message in history.by_root["trends"]:
        assert decode(trend_pb2.Trend.FromString(message.data), Trend).trend_id
    for root in ("firms", "nodes", "products", "principals"):
        assert all(read_registered(message).record for message in history.by_root[root])


def test_every_release_has_recorded_its_history() -> None:
    assert RECORDED, "record one with tools/record_history.py"
