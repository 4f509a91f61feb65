"""The documentation is true of the code, as far as a machine can tell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT
from tools.generate_docs import TARGET, written_pages
from tools.reference.command import commands
from tools.reference.markdown import anchor
from tools.reference.pages import pages

DOCS = ROOT / "docs"
WRITTEN = sorted(
    [path for path in DOCS.rglob("*.md") if not path.is_relative_to(TARGET)]
    + [ROOT / name for name in ("README.md", "CONTRIBUTING.md")]
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
OURS = re.compile(r"(?:services|proto|tests|tools|bench|docs)/[\w./-]*[\w-](?:::\w+)?")
TARGETS = re.compile(r"^([a-z-]+):", re.MULTILINE)


def test_the_reference_follows_the_code() -> None:
    fresh = pages()
    assert sorted(fresh) == written_pages(), "run `make docs`: pages are missing or left over"
    stale = [name for name in fresh if (TARGET / name).read_text(encoding="utf-8") != fresh[name]]
    assert not stale, f"run `make docs`: {', '.join(stale)}"


@pytest.mark.parametrize("page", [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        name, _, part = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (part and part not in _anchors(target)):
            lost.append(link)
    assert not lost


def test_the_index_lists_every_page() -> None:
    index = DOCS / "index.md"
    links = LINK.findall(index.read_text(encoding="utf-8"))
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in links}
    missing = [str(p.relative_to(DOCS)) for p in sorted(DOCS.rglob("*.md")) if p not in listed]
    assert missing == ["index.md"]


@pytest.mark.parametrize("page", WRITTEN, ids=str)
def test_commands_exist(page: Path) -> None:
    known = commands()
    faults = [fault for line in _commands(page) for fault in _faults_of(line, known)]
    assert not faults


def _faults_of(line: str, known: dict[str, frozenset[str]]) -> Iterator[str]:
    path, options, given = "lianmeng", set(known["lianmeng"]), []
    for word in shlex.split(line, comments=True)[1:]:
        if word in {"|", ">", ">>", "&&", ";", "&"}:
            break
        if word.startswith("-") and len(word) > 1:
            given.append(word.partition("=")[0])
        elif f"{path} {word}" in known:
            path = f"{path} {word}"
            options |= known[path]
    if any(name.startswith(f"{path} ") for name in known) and "--help" not in given:
        yield f"{line}: {path} is a group"
    yield from (f"{line}: no option {word}" for word in given if word not in {*options, "--help"})


@pytest.mark.parametrize("page", WRITTEN, ids=str)
def test_make_targets_exist(page: Path) -> None:
    known = set(TARGETS.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    named = {
        word
        for text in _code(page)
        for word in re.findall(r"(?:^|\s)make ([a-z][a-z-]*)(?![\w=])", text)
    }
    assert named <= known


@pytest.mark.parametrize("page", WRITTEN, ids=str)
def test_files_and_tests_that_are_named_exist(page: Path) -> None:
    lost = []
    for text in INLINE.findall(page.read_text(encoding="utf-8")):
        for named in OURS.findall(text) if "<" not in text else ():
            place, _, test = named.partition("::")
            path = ROOT / place
            if not path.exists() or (test and f"def {test}(" not in path.read_text("utf-8")):
                lost.append(named)
    assert not lost


def _code(page: Path) -> list[str]:
    """All that is in code type, line by line."""
    text = page.read_text(encoding="utf-8")
    blocks = [line for block in FENCE.findall(text) for line in block.splitlines()[1:-1]]
    return blocks + INLINE.findall(FENCE.sub("", text))


def _commands(page: Path) -> list[str]:
    """Lines that call the command, from the command on."""
    words = (re.sub(r"^(\$ |LIANMENG_\w+=\S+ )*(\.venv/bin/)?", "", line) for line in _code(page))
    return [line for line in words if line.startswith("lianmeng ")]


@cache
def _anchors(page: Path) -> frozenset[str]:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return frozenset(anchor(heading) for heading in HEADING.findall(text))
