"""The risk report: the same bytes for the same plan, and what a manager has to know."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from lianmeng.matcher.matching import match
from lianmeng.matcher.outcome import Found
from tests.pools import NOW, example_pool, question


def test_what_it_says_of_the_worked_example() -> None:
    outcome = match(question(), example_pool())
    assert isinstance(outcome, Found)
    report = json.loads(outcome.risk_report)
    assert report["committed_value_fen"] == 20_853_600
    assert report["demand_units"] == {"TH": {"p10": 9_000, "p50": 18_000, "p90": 30_000}}
    assert (report["latest_landing"], report["latest_landing_p90"]) == ("2026-03-18", "2026-03-21")
    assert report["simulated"] is False
    assert report["relaxations"] == ["SHARE_CAP_RELAXED"]
    assert report["stale_stock"] == []
    again = match(question(), example_pool())
    assert isinstance(again, Found)
    assert again.risk_report == outcome.risk_report


def test_it_flags_stock_that_was_counted_long_ago() -> None:
    evening = replace(question(), now=NOW + timedelta(hours=7))
    late = match(evening, example_pool())
    assert isinstance(late, Found)
    assert json.loads(late.risk_report)["stale_stock"] == ["l1"]
