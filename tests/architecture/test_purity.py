"""Pure modules decide; they never look at a clock, throw a die, or touch the world.

import-linter checks the layers. What it cannot say is checked here: which modules of a service
are pure follows from their names, and what a pure module reaches is followed through our modules.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

import grimp

from tests.architecture.source_tree import Module, modules

FORBIDDEN = frozenset(
    {
        "asyncio",
        "concurrent",
        "google",
        "grpc",
        "http",
        "kubernetes",
        "lianmeng.runtime",
        "lianmeng.v1",
        "logging",
        "multiprocessing",
        "nats",
        "ortools",
        "os",
        "pathlib",
        "redis",
        "secrets",
        "socket",
        "structlog",
        "subprocess",
        "threading",
        "time",
        "urllib",
        "uuid",
    }
)
"""What a pure module must not reach, directly or through other modules of ours."""

SOLVERS = ("lianmeng.matcher.solver",)
"""Modules that may import ortools: the same problem gives the same answer there."""

CLOCKS = frozenset({"now", "utcnow", "today"})
"""Constructors of `datetime` and `date` that look at the machine's clock."""

CLOCK_OWNERS = frozenset({"runtime", "cli"})
"""Packages that may look at it: the others are given a `Clock`."""


def test_pure_modules_reach_nothing_impure() -> None:
    graph = _graph()
    offences = [
        _story(graph, module.name, forbidden)
        for module in modules()
        if module.is_pure
        for forbidden in sorted(FORBIDDEN & _roots(graph.find_upstream_modules(module.name)))
    ]
    assert not offences, "pure modules reach what they must not:\n" + "\n".join(offences)


def test_nobody_but_the_runtime_looks_at_the_clock() -> None:
    offences = [
        module.at(line)
        for module in modules()
        if module.package not in CLOCK_OWNERS
        for line in _clock_calls(module)
    ]
    assert not offences, "ask the Clock that you were given:\n" + "\n".join(offences)


def test_pure_modules_draw_from_the_generator_they_were_given() -> None:
    offences = [
        module.at(node.lineno)
        for module in modules()
        if module.is_pure or module.package == "world"
        for node in _attributes_of(module, frozenset({"random"}))
        if node.attr != "Random"
    ]
    assert not offences, "take a random.Random as an argument:\n" + "\n".join(offences)


def test_pure_modules_have_no_coroutines_and_open_no_files() -> None:
    offences = [
        module.at(node.lineno)
        for module in modules()
        if module.is_pure
        for node in ast.walk(module.tree())
        if isinstance(node, ast.AsyncFunctionDef | ast.Await)
        or (isinstance(node, ast.Call) and ast.unparse(node.func) == "open")
    ]
    assert not offences, "input and output belong to the edge:\n" + "\n".join(offences)


def _graph() -> grimp.ImportGraph:
    graph = grimp.build_graph("lianmeng", include_external_packages=True, cache_dir=None)
    for solver in SOLVERS:
        if graph.modules >= {solver, "ortools"}:
            graph.remove_import(importer=solver, imported="ortools")
    return graph


def _roots(names: set[str]) -> set[str]:
    """Each external module, and our packages down to their second level."""
    return {".".join(name.split(".")[:2]) if _is_ours(name) else name for name in names}


def _is_ours(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] == "lianmeng"


def _story(graph: grimp.ImportGraph, module: str, forbidden: str) -> str:
    """The shortest way from a module to what it must not reach."""
    chain = graph.find_shortest_chain(module, forbidden, as_packages=_is_ours(forbidden))
    steps = [f"{importer} → {imported}" for importer, imported in pairwise(chain or ())]
    return ", ".join(steps) or f"{module} → {forbidden}"


def _clock_calls(module: Module) -> Iterator[int]:
    for node in _attributes_of(module, frozenset({"datetime", "date"})):
        if node.attr in CLOCKS:
            yield node.lineno
    for node in _attributes_of(module, frozenset({"time"})):
        yield node.lineno


def _attributes_of(module: Module, names: frozenset[str]) -> Iterator[ast.Attribute]:
    """`name.attribute` for the imported names: a parameter called `date` is not one."""
    tree = module.tree()
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if alias.name in names and (isinstance(node, ast.Import) or node.module in names)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if owner in imported:
                yield node
