"""The command line without a platform: usage, errors, examples, what machines read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from lianmeng.cli.failures import facts_of
from lianmeng.cli.log_lines import Tail, Thread
from lianmeng.cli.main import app
from lianmeng.cli.pictures import countdown, span, yuan
from lianmeng.cli.plain import plain, short
from lianmeng.cli.words import choice, words_of
from lianmeng.kernel.errors import Rejected, Transient
from lianmeng.v1 import alliance_pb2, lifecycle_pb2, registry_pb2, types_pb2

runner = CliRunner()


def lianmeng(*words: str) -> Any:
    return runner.invoke(app, list(words))


def commands(group: Any, path: str = "") -> list[tuple[str, Any]]:
    """All commands that do something, by their words."""
    found: list[tuple[str, Any]] = []
    for name, command in group.commands.items():
        below = getattr(command, "commands", None)
        full = f"{path} {name}".strip()
        found += commands(command, full) if below else [(full, command)]
    return found


COMMANDS = commands(typer.main.get_command(app))


def test_every_command_teaches() -> None:
    for path, command in COMMANDS:
        assert command.help, path
        for parameter in command.params:
            assert parameter.help or parameter.name == "help", f"{path}: {parameter.name}"


@pytest.mark.parametrize("words", [[], ["alliance", "list"], ["run"]])
def test_help_shows_examples(words: list[str]) -> None:
    answer = lianmeng(*words, "--help")
    assert answer.exit_code == 0
    assert "lianmeng " in answer.stdout


@pytest.mark.parametrize("words", [["alliance", "list"], ["firm", "show", "f"], ["trend", "list"]])
def test_without_a_key_the_error_says_what_to_do_in_both_languages(
    words: list[str], tmp_path: Path
) -> None:
    answer = lianmeng(*words, "--home", str(tmp_path))
    assert answer.exit_code == 1
    assert answer.stdout == ""
    assert "there is no key file" in answer.stderr
    assert "没有密钥文件" in answer.stderr
    assert "→ give the path" in answer.stderr


def test_machines_get_one_json_document_even_for_an_error(tmp_path: Path) -> None:
    answer = lianmeng("alliance", "list", "--json", "--home", str(tmp_path))
    assert answer.exit_code == 1
    error = json.loads(answer.stdout)["error"]
    assert error["reason"] == "NOT_FOUND"
    assert error["message_zh"] == "没有密钥文件"
    assert answer.stderr == ""


def test_wrong_usage_ends_with_two() -> None:
    assert lianmeng("alliance", "show").exit_code == 2
    assert lianmeng("no-such-thing").exit_code == 2


def test_status_without_a_platform_says_how_to_start_one(tmp_path: Path) -> None:
    answer = lianmeng("status", "--home", str(tmp_path))
    assert answer.exit_code == 1
    assert "lianmeng up" in answer.stderr


def test_an_unknown_service_is_refused(tmp_path: Path) -> None:
    answer = lianmeng("serve", "nothing", "--home", str(tmp_path))
    assert answer.exit_code == 1
    assert "registry, trend, matcher, lifecycle" in answer.stderr


def test_a_run_needs_both_files_and_a_fresh_home(tmp_path: Path) -> None:
    alone = lianmeng("run", "--firms", str(tmp_path))
    assert alone.exit_code == 2
    assert "give both" in alone.stderr
    (tmp_path / "anchors.jsonl").write_text("{}\n")
    again = lianmeng("run", "--home", str(tmp_path))
    assert again.exit_code == 2
    assert "holds an earlier run" in again.stderr


def test_init_writes_files_once(tmp_path: Path) -> None:
    folder = tmp_path / "pool"
    assert lianmeng("init", str(folder), "--day0", "2026-03-02").exit_code == 0
    names = {path.name for path in folder.iterdir()}
    assert {"firms.csv", "factories.csv", "products.csv", "signals.csv"} <= names
    again = lianmeng("init", str(folder))
    assert again.exit_code == 2
    assert "is not empty" in again.stderr


def test_plain_data_has_every_field_short_enums_and_real_numbers() -> None:
    view = lifecycle_pb2.AllianceView(
        contract_header=b'{"alliance":"a-1"}', annex_sha256={"b": "2", "a": "1"}
    )
    view.state.state = alliance_pb2.STATE_AWAITING_APPROVAL
    view.state.created_time.FromDatetime(datetime(2026, 3, 2, tzinfo=UTC))
    view.state.demand.budget_fen = 2**40
    data = plain(view)
    assert data["contract_header"] == {"alliance": "a-1"}
    assert data["own_annex"] == ""
    assert data["annex_sha256"] == {"a": "1", "b": "2"}
    assert data["state"]["state"] == "AWAITING_APPROVAL"
    assert data["state"]["dissolution_reason"] == ""
    assert data["state"]["created_time"] == "2026-03-02T00:00:00Z"
    assert data["state"]["closed_time"] is None
    assert data["state"]["demand"]["budget_fen"] == 2**40
    assert data["state"]["tasks"] == []
    assert short(view.state, "state") == "AWAITING_APPROVAL"
    json.dumps(data)


def test_bytes_that_are_no_document_are_hex() -> None:
    assert plain(registry_pb2.Key(public_key=b"\x00\xff"))["public_key"] == "00ff"
    assert plain(registry_pb2.Key(public_key=b"{no json"))["public_key"] == b"{no json".hex()


def test_words_stand_for_enum_values() -> None:
    assert choice(types_pb2.Role, "manufacturing", "--role") == types_pb2.ROLE_MANUFACTURING
    assert choice(types_pb2.PrincipalRole, "zone-manager", "--role") == 3
    assert choice(types_pb2.Role, "", "--role") == 0
    assert "unspecified" not in words_of(types_pb2.Role)
    with pytest.raises(Rejected, match="use one of manufacturing"):
        choice(types_pb2.Role, "maker", "--role")


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(minutes=5), "in 5 min"),
        (timedelta(hours=3, minutes=20), "in 3 h 20 min"),
        (timedelta(days=2, hours=1, minutes=59), "in 2 d 1 h"),
        (timedelta(), "overdue"),
        (-timedelta(hours=1), "overdue"),
    ],
)
def test_a_countdown_says_how_long(left: timedelta, text: str) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    state = alliance_pb2.AllianceState()
    state.deadline_time.FromDatetime(now + left)
    assert countdown(state.deadline_time, now) == text
    assert countdown(alliance_pb2.AllianceState().deadline_time, now) == ""


def test_amounts_and_spans() -> None:
    assert yuan(20_853_600) == "CNY 208,536.00"
    assert span(timedelta(seconds=59)) == "0 min"


def test_errors_are_facts_for_machines() -> None:
    refused = facts_of(Rejected("OUT_OF_RANGE", "too many", "units", "fewer", "太多", "少一些"))
    assert (refused["kind"], refused["field"], refused["hint_zh"]) == (
        "rejected",
        "units",
        "少一些",
    )
    passing = facts_of(Transient("VIEW_LAGS", "behind", timedelta(seconds=2)))
    assert (passing["kind"], passing["retry_after_s"]) == ("transient", 2.0)


def line(**fields: str) -> str:
    base = {"ts": "t", "story": "2026-03-02T00:00:00+00:00", "level": "info", "service": "trend"}
    return json.dumps({**base, "event": "trend.detected", "msg": "", **fields}) + "\n"


def test_a_tail_reads_whole_lines_once(tmp_path: Path) -> None:
    path = tmp_path / "trend.jsonl"
    tail = Tail(path)
    assert list(tail.lines()) == []
    path.write_text(line(trend="t-1") + '{"half')
    assert [one["trend"] for one in tail.lines()] == ["t-1"]
    assert list(tail.lines()) == []
    path.rename(tmp_path / "trend.jsonl.1")
    path.write_text(line(trend="t-2"))
    assert [one["trend"] for one in tail.lines()] == ["t-2"]


def test_a_thread_joins_an_alliance_and_its_trend() -> None:
    lines = [
        {"trend": "t-1"},
        {"alliance": "a-1", "trend": "t-1"},
        {"alliance": "a-1"},
        {"alliance": "a-2", "trend": "t-2"},
        {"event": "service.started"},
    ]
    thread = Thread({"t-1"})
    thread.learn(lines)
    assert [thread.has(one) for one in lines] == [True, True, True, False, False]


def test_the_log_of_one_alliance_is_told_across_services(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "trend.jsonl").write_text(line(ts="1", trend="t-1"))
    (logs / "matcher.jsonl").write_text(
        line(ts="2", service="matcher", event="plan.found", trend="t-1", alliance="a-1")
        + line(ts="3", service="matcher", event="plan.found", trend="t-9", alliance="a-9")
    )
    answer = lianmeng("log", "a-1", "--json", "--home", str(tmp_path))
    found = [json.loads(text)["ts"] for text in answer.stdout.splitlines()]
    assert found == ["1", "2"]
    shown = lianmeng("log", "a-1", "--home", str(tmp_path)).stdout
    assert "plan.found" in shown
    assert "a-9" not in shown
