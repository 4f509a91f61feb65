"""What dissolved alliances teach: reliability of firms, lateness of nodes."""

from __future__ import annotations

from typing import Any

from lianmeng.alliance.experience import Experience
from lianmeng.alliance.members import TaskKind, TaskOutcome
from lianmeng.kernel.thresholds import ReliabilityThresholds

PRIOR = ReliabilityThresholds(prior_bp=9_000, prior_weight=10)


def outcome(**changes: Any) -> TaskOutcome:
    fields: dict[str, Any] = {
        "task_id": "l1-produce",
        "firm_id": "mill",
        "node_id": "mill-line",
        "kind": TaskKind.PRODUCE,
        "planned_units": 1_000,
        "accepted_units": 1_000,
        "late_days": 0,
        "fulfilled": True,
    }
    return TaskOutcome(**fields | changes)


def test_a_firm_without_history_has_the_prior() -> None:
    known = Experience(PRIOR)
    assert known.reliability_bp("anybody") == 9_000
    assert known.late_days("anything") == 0
    assert known.reliabilities(["anybody"]) == {}


def test_kept_tasks_raise_and_failed_ones_lower_the_reliability() -> None:
    known = Experience(PRIOR)
    known.learn([outcome() for _ in range(10)])
    assert known.reliability_bp("mill") == 9_500
    known.learn([outcome(fulfilled=False, accepted_units=0) for _ in range(20)])
    assert known.reliability_bp("mill") == 4_750
    assert known.reliabilities(["mill", "other"]) == {"mill": 4_750}


def test_units_that_are_lacking_count_in_part_and_more_than_all_is_all() -> None:
    known = Experience(ReliabilityThresholds(prior_bp=0, prior_weight=0))
    known.learn([outcome(accepted_units=600), outcome(accepted_units=1_200)])
    assert known.reliability_bp("mill") == 8_000


def test_lateness_is_learned_slowly_and_being_early_is_not_a_credit() -> None:
    known = Experience(PRIOR)
    known.learn([outcome(late_days=3), outcome(late_days=-9)])
    assert known.late_days("mill-line") == 0
    known.learn([outcome(late_days=3) for _ in range(8)])
    assert known.late_days("mill-line") == 1
    assert known.latenesses(["mill-line", "other"]) == {"mill-line": 1}
