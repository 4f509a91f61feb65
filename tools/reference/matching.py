"""The pages of matching and of the CSV files."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from lianmeng.matcher import costing, eligibility, relaxations
from lianmeng.pool.csv_tables import POOL_TABLES, SIGNALS, describe
from tools.reference.markdown import CODE, code, first_paragraph, page, prose, source, table

_HEADINGS = {
    "MEMBERSHIP": "Any node",
    "MAKING": "Factories: what they make",
    "DATED": "Factories: when",
    "SHOWING": "Agencies",
}
"""Table of rules in the code → heading."""

_FUNCTIONS = {
    "lane_reason": "Lanes",
    "stock_reason": "Stock abroad",
    "pile_reason": "Stock abroad: when and how much",
    "promoter_reason": "Agencies: hours",
}
"""Function that names reasons one by one → heading."""


def eligibility_page() -> str:
    """Rules and their reason codes."""
    blocks = [
        f"## {heading}\n\n{table(('reason', 'the rule'), _rules(name))}"
        for name, heading in _HEADINGS.items()
    ]
    blocks += [
        f"## {heading}\n\n{_about(name)}\n\n{', '.join(code(reason) for reason in _reasons(name))}"
        for name, heading in _FUNCTIONS.items()
    ]
    waivable = [
        (code(name), code(reason), words) for name, (reason, words) in relaxations.WAIVABLE.items()
    ]
    return page(
        "Rules of eligibility, and reasons that there is no plan",
        [f"{CODE}/matcher/{name}.py" for name in ("eligibility", *_NO_PLAN)],
        prose(eligibility.__doc__),
        "How many nodes each rule excluded is told with every plan, and with every answer that "
        "there is none.",
        *blocks,
        "## When there is no plan",
        "The matcher solves again with one thing relaxed at a time. The first relaxation that "
        "gives a plan names the reason. All that do are told, cheapest first.",
        table(("reason", "meaning"), _no_plan()),
        "Rules that a relaxation may waive:",
        table(("rule", "reason", "how it is said"), waivable),
    )


_NO_PLAN = ("relaxations", "matching", "service")
"""Modules of the matcher that say why there is no plan."""

_MEANINGS = {
    "BUDGET": "a plan would commit more than the budget",
    "CAPACITY_RESERVED_ELSEWHERE": "other alliances have the capacity",
    "CAPACITY_SHORT": "all capacity together makes or moves less than has to be met",
    "MAX_MEMBERS": "a plan would need more members",
    "NEGATIVE_MARGIN": "the best plan would lose money",
    "NO_AGENCY": "no agency may take part",
    "NO_FACTORY": "no factory may take part, and there is no stock abroad",
    "NO_LANE": "no factory may take part, and no lane lands in time",
    "NO_PARTY_OF_RECORD": "no member may sell, export or import there",
    "PLAN_REFUSED": "the independent checker refused the plan: a fault of the platform's",
    "SOLVER_LIMIT": "nothing was found within the solver's limits; nothing is known",
    "WINDOW_TOO_SHORT": "goods would land too late; a longer window would do",
}


def _no_plan() -> list[tuple[str, str]]:
    """Every reason that the code gives. Raises `LookupError` for one without a meaning here."""
    trees = [ast.parse(source(f"{CODE}/matcher/{name}.py")) for name in _NO_PLAN]
    found = {reason for tree in trees for node in ast.walk(tree) for reason in _given(node)}
    found |= {reason for reason, _ in relaxations.WAIVABLE.values()}
    unknown = sorted(found - _MEANINGS.keys())
    if unknown:
        raise LookupError(f"say in tools/reference/matching.py what these mean: {unknown}")
    return [(code(reason), _MEANINGS[reason]) for reason in sorted(found)]


def _given(node: ast.AST) -> Iterator[str]:
    """Reasons that a call or a function of the matcher gives."""
    match node:
        case ast.Call(func=ast.Name(id="Missing" | "_Try"), args=args, keywords=keywords):
            first = [*args[:1], *(word.value for word in keywords if word.arg == "reason")]
            yield from (str(one.value) for one in first if isinstance(one, ast.Constant))
        case ast.FunctionDef(name="_lacking"):
            yield from _reasons_in(node)
        case _:
            return


def _rules(name: str) -> Iterator[tuple[str, str]]:
    for reason, rule in getattr(eligibility, name):
        yield code(reason), first_paragraph(rule.__doc__)


def _about(name: str) -> str:
    """What the reasons of a function are about: its docstring without its contract."""
    return first_paragraph(getattr(eligibility, name).__doc__).partition(";")[0] + "."


def _reasons(name: str) -> list[str]:
    """The codes that a function can answer with, in its order."""
    return _reasons_in(ast.parse(inspect.getsource(getattr(eligibility, name))))


def _reasons_in(tree: ast.AST) -> list[str]:
    """Words in capitals that are returned somewhere."""
    returned = [node for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value]
    found = (
        str(text.value)
        for node in sorted(returned, key=lambda node: node.lineno)
        for text in ast.walk(node)
        if isinstance(text, ast.Constant)
    )
    return [text for text in dict.fromkeys(found) if text.isupper()]


def landed_cost() -> str:
    """The formula, as the module that computes it says it."""
    opening, formula, *rest = (costing.__doc__ or "").strip().split("\n\n")
    lines = "\n".join(line.removeprefix("    ") for line in formula.splitlines())
    return page(
        "Landed cost",
        [f"{CODE}/matcher/costing.py"],
        " ".join(opening.split()),
        f"```\n{lines}\n```",
        *(" ".join(paragraph.split()) for paragraph in rest),
        "The names of the lines in the contract are in "
        "[CostBreakdown](contract/alliance.md#costbreakdown).",
    )


def csv_files() -> str:
    """Formats of all files."""
    text = ast.get_docstring(ast.parse(source(f"{CODE}/pool/csv_tables.py")))
    return page(
        "CSV files",
        [f"{CODE}/pool/csv_tables.py", f"{CODE}/pool/csv_cells.py"],
        prose(text),
        "UTF-8 is expected, with or without a byte order mark. GBK is read too, and that is said "
        "aloud. `lianmeng init DIR` writes an example of every file.",
        *(describe(one) for one in (*POOL_TABLES, SIGNALS)),
    )
