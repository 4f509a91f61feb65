"""One concept per module, one thought per function."""

from __future__ import annotations

import ast

from tests.architecture.source_tree import modules

MODULE_LINES = 350
FUNCTION_LINES = 60


def test_modules_are_short() -> None:
    lengths = {m.path: len(m.path.read_text(encoding="utf-8").splitlines()) for m in modules()}
    offences = [f"{path}: {lines} lines" for path, lines in lengths.items() if lines > MODULE_LINES]
    assert not offences, f"more than {MODULE_LINES} lines:\n" + "\n".join(offences)


def test_functions_are_short() -> None:
    offences = [
        f"{module.at(node.lineno)} {node.name}"
        for module in modules()
        for node in ast.walk(module.tree())
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES
    ]
    assert not offences, f"more than {FUNCTION_LINES} lines:\n" + "\n".join(offences)
