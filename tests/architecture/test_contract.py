"""The public contract: the generated code follows it, and no release breaks an earlier one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.architecture.source_tree import ROOT
from tools.generate_proto import SOURCE, TARGET, generate, generated_files

BASELINE = Path(__file__).parent / "baseline"
BUF = Path(sys.executable).parent / "buf"


def test_generated_code_follows_the_contract(tmp_path: Path) -> None:
    generate(SOURCE, tmp_path)
    fresh, committed = generated_files(tmp_path), generated_files(TARGET)
    assert fresh == committed, "run `make proto`: files of a proto are missing or left over"
    stale = [f for f in fresh if (tmp_path / f).read_bytes() != (TARGET / f).read_bytes()]
    assert not stale, f"run `make proto`: {', '.join(map(str, stale))}"


def test_the_contract_breaks_no_released_one() -> None:
    for released in sorted(BASELINE.glob("*.binpb")):
        answer = subprocess.run(
            [BUF, "breaking", "--against", released],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, f"clients of {released.stem} would break:\n{answer.stdout}"
