"""Log lines: registered events, order of fields, Chinese message, no prices."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from string import Formatter

import pytest

import lianmeng
from lianmeng.runtime import logs
from lianmeng.runtime.log_events import EVENTS
from lianmeng.runtime.logs import configure_logs, log


def test_a_line_is_json_in_a_stable_order(tmp_path: Path) -> None:
    out = io.StringIO()
    file = tmp_path / "logs" / "matcher.jsonl"
    configure_logs("matcher", file=file, form="json", strict=True, stream=out)
    log.info("alliance.proposed", ms=3, alliance="a-1", from_="MATCHING", to="PROPOSED", units=5)
    line = json.loads(out.getvalue())
    assert list(line) == [
        "ts", "story", "level", "service", "event", "alliance", "from", "to", "units", "ms", "msg",
    ]  # fmt: skip
    assert (line["service"], line["msg"]) == ("matcher", "联盟方案已提出")
    assert json.loads(file.read_text("utf-8")) == line


def test_a_message_is_filled_and_absent_fields_show() -> None:
    out = io.StringIO()
    configure_logs("trend", form="json", strict=True, stream=out)
    log.info("trend.detected", product="围巾")
    assert json.loads(out.getvalue())["msg"] == "发现爆红：围巾 在 —"


def test_unknown_events_and_prices_are_refused_in_tests() -> None:
    configure_logs("trend", form="json", strict=True, stream=io.StringIO())
    with pytest.raises(ValueError, match=r"trend\.sighted"):
        log.info("trend.sighted")
    with pytest.raises(ValueError, match="price"):
        log.info("trend.detected", price=1)


def test_unknown_events_and_prices_do_not_stop_a_process() -> None:
    out = io.StringIO()
    configure_logs("trend", form="json", stream=out)
    log.info("trend.sighted", price=1)
    line = json.loads(out.getvalue())
    assert line["msg"] == ""
    assert "price" not in line


def test_levels_are_filtered_and_errors_carry_their_trace() -> None:
    out = io.StringIO()
    configure_logs("trend", form="json", level="error", stream=out)
    log.info("service.started")
    try:
        raise RuntimeError("broken")
    except RuntimeError as error:
        log.error("call.failed", exc_info=error)
    assert "RuntimeError: broken" in json.loads(out.getvalue())["exception"]


def test_the_console_shows_a_short_line() -> None:
    out = io.StringIO()
    configure_logs("trend", form="console", stream=out)
    log.info("trend.detected", product="围巾", market="TH", trend="t-1")
    assert "发现爆红：围巾 在 TH" in out.getvalue()
    assert "[trend.detected]" in out.getvalue()
    assert "trend=t-1" in out.getvalue()


def test_lines_may_go_to_the_file_alone(tmp_path: Path) -> None:
    out = io.StringIO()
    configure_logs("trend", file=tmp_path / "trend.jsonl", form="file", stream=out)
    log.info("service.stopped")
    assert out.getvalue() == ""
    assert (tmp_path / "trend.jsonl").stat().st_size


def test_a_large_file_is_moved_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_FILE_BYTES", 400)
    file = tmp_path / "trend.jsonl"
    configure_logs("trend", file=file, form="json", stream=io.StringIO())
    for _ in range(8):
        log.info("service.stopped")
    assert file.with_suffix(".jsonl.1").exists()
    assert 0 < file.stat().st_size < 800


def test_the_registry_of_events_is_well_formed() -> None:
    for name, template in EVENTS.items():
        assert name == name.lower()
        assert name.count(".") == 1, name
        fields = {field for _, field, _, _ in Formatter().parse(template) if field}
        assert not fields & logs.FORBIDDEN, name


def test_every_event_that_the_code_logs_is_registered() -> None:
    call = re.compile(r"\b(?:line|log)\.(?:debug|info|warning|error)\(\s*\"([^\"]+)\"")
    source = Path(lianmeng.__file__).parent
    logged = {
        (event, path.name)
        for path in source.rglob("*.py")
        for event in call.findall(path.read_text("utf-8"))
    }
    assert logged
    assert {item for item in logged if item[0] not in EVENTS} == set()
