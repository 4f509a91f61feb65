"""`make run`: the demonstration from an empty directory to its end, and what it leaves behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

RUN = (sys.executable, "-m", "lianmeng.cli", "run")

TOLD = (
    "firms, 295 capabilities and 9 products registered over gRPC",
    "“cooling shawl” takes off in TH",
    "rpet-cooling-shawl is major",
    "approved by zone-manager",
    "declines: our order book is full",
    "too late: ALREADY_FILLED",
    "a loom broke down",
    "repaired, plan version",
    "“summer scarf” takes off in TH",
    "UNMAPPED",
    "DISSOLVED: settled to the fen",
    "✓ the log replays to the same state",
    "✓ capacity restored",
    "✓ every statement sums to the fen",
    "lianmeng up --home",
)
"""What the story must say, in words."""


def test_the_demonstration_tells_a_true_story(tmp_path: Path) -> None:
    home = tmp_path / "run"
    answer = subprocess.run(
        [*RUN, "--home", str(home)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert answer.returncode == 0, answer.stdout[-3_000:] + answer.stderr[-3_000:]
    story = re.sub(r"\s+", " ", answer.stdout)
    missing = [words for words in TOLD if words not in story]
    assert not missing, missing
    assert "✗ every" not in story
    assert answer.stdout.count("DISSOLVED: settled") == 2
    page = (home / "story.html").read_text(encoding="utf-8")
    assert page.count("Flow of goods:") == 2
    assert not (home / "endpoints.json").exists(), "all is stopped"
