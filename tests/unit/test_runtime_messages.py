"""Pure parts of the log adapter: subjects, writes, and messages as the server sends them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from lianmeng.runtime import subjects
from lianmeng.runtime.messages import delivery_of, direct_message, raw_message, status_of
from lianmeng.runtime.outcomes import Conflict, Unknown, acknowledged
from lianmeng.runtime.streams import stream_config
from lianmeng.runtime.subjects import Stream
from lianmeng.runtime.writes import Write, cancelling, schedule

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)


def _msg(data: bytes = b"", reply: str = "", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(subject="due.zj.a-1", data=data, reply=reply, headers=named or None)


def test_each_subject_belongs_to_one_stream() -> None:
    made = {
        subjects.firm_subject: Stream.REGISTRY,
        subjects.node_subject: Stream.REGISTRY,
        subjects.product_subject: Stream.REGISTRY,
        subjects.principal_subject: Stream.REGISTRY,
        subjects.signal_subject: Stream.SIGNALS,
        subjects.trend_subject: Stream.TRENDS,
        subjects.alliance_subject: Stream.ALLIANCES,
        subjects.capacity_subject: Stream.ALLIANCES,
        subjects.timer_subject: Stream.ALLIANCES,
        subjects.due_subject: Stream.ALLIANCES,
        subjects.deadletter_subject: Stream.DEADLETTERS,
    }
    for make, stream in made.items():
        subject = make("zj", "a-1")
        assert subjects.stream_of(subject) == f"{stream}_ZJ"
        assert subjects.last_token(subject) == "a-1"
        root = subject.split(".")[0]
        assert f"{root}.zj.*" in stream_config(stream, "zj")["subjects"]


def test_a_write_says_what_the_server_shall_check() -> None:
    plain = Write("alliances.zj.a-1", b"x", {"Event": "proposed"})
    assert plain.wire_headers() == {"Event": "proposed"}
    book = Write("capacity.zj.r", b"x", {}, expected=0, rollup=True)
    assert book.wire_headers() == {
        "Nats-Expected-Last-Subject-Sequence": "0",
        "Nats-Rollup": "sub",
    }


def test_a_timer_is_written_in_utc() -> None:
    shanghai = NOON.astimezone(timezone(timedelta(hours=8)))
    timer = schedule("timers.zj.a-1", "due.zj.a-1", shanghai, timedelta(milliseconds=10))
    assert timer.headers == {
        "Nats-Schedule": "@at 2026-03-09T12:00:00.000000Z",
        "Nats-Schedule-Target": "due.zj.a-1",
        "Nats-Schedule-TTL": "1s",
    }


def test_a_cancellation_rides_on_a_fact() -> None:
    fact = Write("alliances.zj.a-1", b"x", {"Event": "dissolved"}, 7)
    both = cancelling(fact, "timers.zj.a-1")
    assert (both.data, both.expected, both.headers["Event"]) == (b"x", 7, "dissolved")
    assert both.headers["Nats-Scheduler"] == "timers.zj.a-1"
    with pytest.raises(ValueError, match="own subject"):
        cancelling(Write("timers.zj.a-1", b""), "timers.zj.a-1")


@pytest.mark.parametrize("place", ["ALLIANCES_ZJ.matchers", "hub.9f8e.ALLIANCES_ZJ.matchers"])
def test_a_delivery_says_where_it_comes_from(place: str) -> None:
    nanos = int(NOON.timestamp()) * 1_000_000_000 + 123_456_789
    tail = ".r4nd0m" if place.startswith("hub") else ""
    delivery = delivery_of(_msg(b"x", f"$JS.ACK.{place}.3.42.7.{nanos}.5{tail}"))
    message = delivery.message
    assert (delivery.attempt, message.sequence, delivery.serial, message.pending) == (3, 42, 7, 5)
    assert message.stored_at == NOON + timedelta(microseconds=123_456)


def test_the_two_kinds_of_gets_read_alike() -> None:
    direct = direct_message(
        _msg(
            b"x",
            Nats_Subject="alliances.zj.a-1",
            Nats_Sequence="9",
            Nats_Time_Stamp="2026-03-09T12:00:00.5Z",
            Nats_Stream="ALLIANCES_ZJ",
            Event="proposed",
        )
    )
    raw = raw_message(
        {
            "subject": "alliances.zj.a-1",
            "seq": 9,
            "time": "2026-03-09T12:00:00.500000000Z",
            "data": base64.b64encode(b"x").decode(),
            "hdrs": base64.b64encode(b"NATS/1.0\r\nEvent: proposed\r\n\r\n").decode(),
        }
    )
    assert direct == raw
    assert direct.stored_at == NOON + timedelta(milliseconds=500)


def test_only_a_sequence_is_definite() -> None:
    assert acknowledged(_msg(b'{"stream":"A","seq":12}')) == 12
    wrong = b'{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 4"}}'
    with pytest.raises(Conflict, match="wrong last sequence"):
        acknowledged(_msg(wrong))
    busy = b'{"error":{"code":429,"err_code":10210,"description":"too many inflight"}}'
    with pytest.raises(Unknown) as caught:
        acknowledged(_msg(busy))
    assert caught.value.code == 10210
    other = b'{"error":{"code":500,"err_code":10077,"description":"failed to store"}}'
    with pytest.raises(Unknown) as second:
        acknowledged(_msg(other))
    assert caught.value.retry_after > second.value.retry_after, "a busy server gets more time"
    with pytest.raises(Unknown, match="no stream"):
        acknowledged(_msg(Status="503"))
    assert status_of(_msg()) == ""
