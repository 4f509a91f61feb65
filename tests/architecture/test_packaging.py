"""What is installed: the lock covers what is declared, the wheel carries all of the package."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from tests.architecture.source_tree import ROOT, SOURCE

PINNED = re.compile(r"^([a-z0-9][a-z0-9.-]*)==\S+.*\\\n    --hash=sha256:", re.MULTILINE)
NAME = re.compile(r"[A-Za-z0-9._-]+")


def test_the_lock_pins_and_hashes_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {_name(requirement) for group in groups for requirement in group} - {"lianmeng"}
    pinned = set(PINNED.findall((ROOT / "requirements.txt").read_text(encoding="utf-8")))
    assert declared <= pinned, f"run `make lock`: {sorted(declared - pinned)}"


def test_the_locks_tell_no_address() -> None:
    for lock in ROOT.glob("requirements*.txt"):
        assert "://" not in lock.read_text(encoding="utf-8"), lock.name


def test_the_wheel_carries_the_whole_package(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("lianmeng-*.whl")
    carried = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        str(path.relative_to(SOURCE))
        for path in (SOURCE / "lianmeng").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert expected <= carried, sorted(expected - carried)


def _name(requirement: str) -> str:
    match = NAME.match(requirement)
    assert match, requirement
    return match.group().lower().replace("_", "-").replace(".", "-")
