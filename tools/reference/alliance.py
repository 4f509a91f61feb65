"""The pages of the alliance: its states, its facts and who writes them, and the history checker."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

from lianmeng.alliance import checker, facts, states
from lianmeng.alliance.policy import RULES
from lianmeng.alliance.state import State
from tools.reference.diagram import PICTURE
from tools.reference.markdown import (
    CODE,
    ROOT,
    anchor,
    code,
    first_paragraph,
    page,
    prose,
    table,
)

BEGINNING = "nothing"

WRITERS = {
    "alliance/decide.py": "people, through lifecycle",
    "alliance/policy.py": "lifecycle, by itself",
    "alliance/log.py": "whoever met an unknown outcome",
    "lifecycle": "lifecycle, by itself",
    "matcher": "matcher",
}
"""Where a fact is made → who writes it."""


def alliance_pages() -> dict[str, str]:
    """Path below docs/reference → page."""
    return {"states.md": _states(), "facts.md": _facts(), "checker.md": _checker()}


def _classes() -> dict[str, type]:
    """Facts by name, in the order in which they are declared."""
    return {_snake(one.__name__): one for one in get_args(facts.Fact)}


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def _states() -> str:
    moves = [
        (code(fact), _ways(row), ", ".join(code(s) for s in row if s and s in row[s]))
        for fact, row in states.TABLE.items()
        if fact != "fenced"
    ]
    rules = [(code(state), _rules(state)) for state in State]
    return page(
        "States of an alliance",
        [f"{CODE}/alliance/{name}.py" for name in ("states", "state", "policy")],
        f"![The states of an alliance and the facts that lead from one to another]({PICTURE})",
        "Drawn from the table below. Facts that leave the state as it is are not in the picture.",
        "## What each state does by itself",
        "Lifecycle asks these rules in this order and commits the first fact that one of them "
        "answers with, until none has anything to say. The facts of the matcher and of people come "
        "from elsewhere. Terminal states: "
        + ", ".join(code(state) for state in State if state in states.TERMINAL)
        + ". They have no deadline and no rule.",
        table(("state", "rules, in their order"), rules),
        "## The table",
        "`fenced` is allowed everywhere and changes nothing. What is not listed here is refused "
        "by `evolve`, whoever asks.",
        table(("fact", "leads from one state to another", "or leaves the state as it is"), moves),
    )


def _ways(row: Mapping[State | None, tuple[State, ...]]) -> str:
    ways = (
        f"{code(source) if source else BEGINNING} → {code(target)}"
        for source, targets in row.items()
        for target in targets
        if target is not source
    )
    return ", ".join(ways)


def _rules(state: State) -> str:
    return ", ".join(rule.__name__.strip("_").replace("_", " ") for rule in RULES.get(state, ()))


def _facts() -> str:
    writers = _writers()
    rows = [
        (
            f"[`{name}`](contract/alliance.md#{anchor(cls.__name__)})",
            first_paragraph(cls.__doc__),
            "; ".join(writers[name]),
        )
        for name, cls in _classes().items()
    ]
    return page(
        "Facts of an alliance",
        [
            f"{CODE}/alliance/facts.py",
            f"{CODE}/alliance/",
            f"{CODE}/matcher/",
            f"{CODE}/lifecycle/",
        ],
        "A closed list. Each is stored on `alliances.<zone>.<alliance>` in an "
        "[AllianceRecord](contract/alliance.md#alliancerecord), together with the state that "
        "results. The header `Lm-Event-Type` of the message is `alliance.<fact>`.",
        table(("fact", "what happened", "who writes it"), rows),
    )


def _writers() -> dict[str, list[str]]:
    """Fact → who writes it, judged by where the code makes one."""
    names = {cls.__name__: name for name, cls in _classes().items()}
    found: dict[str, list[str]] = defaultdict(list)
    for place, writer in WRITERS.items():
        for made in sorted(set(_made_in(ROOT / CODE / place)) & names.keys()):
            if writer not in found[names[made]]:
                found[names[made]].append(writer)
    return found


def _made_in(place: Path) -> Iterator[str]:
    """Names of the classes that the modules of a place call."""
    for path in sorted(place.glob("*.py")) if place.is_dir() else [place]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func
                yield called.attr if isinstance(called, ast.Attribute) else _plain(called)


def _plain(called: ast.expr) -> str:
    return called.id if isinstance(called, ast.Name) else ""


def _checker() -> str:
    return page(
        "The history checker",
        [f"{CODE}/alliance/checker.py"],
        prose(checker.__doc__),
    )
