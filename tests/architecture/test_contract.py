"""The public contract: the generated code follows it, and no release breaks an earlier one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.architecture.source_tree import ROOT
from tools.generate_proto import SOURCE, TARGET, generate, generated_files

BASELINE = Path(__file__).parent / "baseline"
RELEASE = re.compile(r"^## \[(\d+\.\d+)\.\d+\]", re.MULTILINE)
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


def test_every_release_has_its_contract_frozen() -> None:
    released = set(RELEASE.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    frozen = {path.stem.removeprefix("v") for path in BASELINE.glob("v*.binpb")}
    missing = sorted(released - frozen)
    assert not missing, "\n".join(f"run `make proto-baseline VERSION={v}`" for v in missing)
