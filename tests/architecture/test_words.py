"""What no file of the repository may contain."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT

SKIPPED_FOLDERS = re.compile(
    r"\.git|\.venv|__pycache__|\.\w+_cache|\.hypothesis|\.benchmarks|lianmeng-data.*|story-.*"
)
"""Not part of the repository: history, environment, caches, what a run writes."""

SKIPPED_SUFFIXES = frozenset({".binpb", ".gz", ".ico", ".jpg", ".png", ".woff2", ".xz"})

GENERATED = ROOT / "services" / "lianmeng" / "v1"

REGISTRY = re.compile(
    r"\b(pypi\.org|pythonhosted\.org|anaconda\.org|npmjs\.(org|com)|docker\.(io|com)|quay\.io"
    r"|ghcr\.io|gcr\.io|pkg\.dev|registry\.k8s\.io|golang\.org|mirrors?\.\w[\w.-]*\w)\b"
    r"|--(extra-)?index-url[ =]\S*://|--find-links[ =]",
    re.ASCII,
)
MACHINE_PATH = re.compile(
    r"(?<![\w.~$}*-])/(work|root|tmp/probe|home/\w+)(?=[/\s\"'`]|$)", re.ASCII
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|NotImplementedError)\b")

RULES = {
    "a package registry's address: each site has its own": REGISTRY,
    "a path of one machine": MACHINE_PATH,
    "unfinished work: finish it, or say in the documentation what is missing": UNFINISHED,
}


@pytest.mark.parametrize("rule", RULES)
def test_no_file_contains(rule: str) -> None:
    offences = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in _files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if RULES[rule].search(line)
    ]
    assert not offences, f"{rule}\n" + "\n".join(offences)


def test_the_rules_find_what_they_look_for() -> None:
    assert REGISTRY.search("image: quay.io/somebody/something")
    assert MACHINE_PATH.search('DATA = Path("/{}/data")'.format("root"))
    assert not MACHINE_PATH.search("the path proto/work/ is not one")
    assert UNFINISHED.search("# TODO: later")


def _files() -> Iterator[Path]:
    """All text files of the repository except the generated code and this one."""
    for folder, names, files in os.walk(ROOT):
        names[:] = [name for name in names if not SKIPPED_FOLDERS.fullmatch(name)]
        for name in files:
            path = Path(folder, name)
            if path.suffix in SKIPPED_SUFFIXES or path == Path(__file__):
                continue
            if not path.is_relative_to(GENERATED):
                yield path
