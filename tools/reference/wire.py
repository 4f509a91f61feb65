"""The pages of the log and of access: streams, subjects, consumers; who may call what."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from lianmeng.kernel.roles import PrincipalRole
from lianmeng.runtime import subjects
from lianmeng.runtime.permissions import PERMISSIONS, is_self_signed
from lianmeng.runtime.streams import DESCRIPTIONS, OPTIONS
from lianmeng.runtime.subjects import ROOTS, Stream, stream_name
from tools.reference.markdown import CODE, ROOT, code, first_paragraph, page, table

Function = ast.FunctionDef | ast.AsyncFunctionDef


def streams() -> str:
    """Streams, subjects, durable consumers."""
    rows = [
        (
            code(stream_name(stream, "<zone>").replace("<ZONE>", "<ZONE>")),
            ", ".join(code(f"{root}.<zone>.*") for root, home in ROOTS.items() if home is stream),
            DESCRIPTIONS[stream],
        )
        for stream in Stream
    ]
    options = [(code(name), code(value)) for name, value in OPTIONS.items()]
    return page(
        "Streams and subjects",
        [f"{CODE}/runtime/streams.py", f"{CODE}/runtime/subjects.py"],
        "Five streams per zone. `<ZONE>` is the zone in capitals: `ALLIANCES_ZJ`.",
        table(("stream", "subjects", "what it holds"), rows),
        "## Subjects",
        table(("subject", "what is on it"), _subjects()),
        "## Options of all streams",
        "`num_replicas` is the setting `LIANMENG_REPLICAS`.",
        table(("option", "value"), options),
        "## Durable consumers",
        "All processes of a service share one. Services that only keep a picture in memory or "
        "a view follow a stream without a durable consumer.",
        table(("consumer", "what it is for", "where"), sorted(_durables())),
    )


def _subjects() -> Iterator[tuple[str, str]]:
    for name, function in inspect.getmembers(subjects, inspect.isfunction):
        if name.endswith("_subject"):
            arguments = (f"<{argument}>" for argument in inspect.signature(function).parameters)
            yield code(function(*arguments)), first_paragraph(function.__doc__)


def _durables() -> Iterator[tuple[str, str, str]]:
    """Every consumer that is made somewhere, told by the function or class that makes it."""
    for path in sorted((ROOT / CODE).rglob("*.py")):
        place = str(path.relative_to(ROOT))
        for scope in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(scope, Function | ast.ClassDef):
                about = first_paragraph(ast.get_docstring(scope))
                for name in _named(scope):
                    yield code(name), about.replace("; never returns.", "."), code(place)


def _named(scope: ast.AST) -> Iterator[str]:
    for node in ast.walk(scope):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Durable") and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value)


def permissions() -> str:
    """Who may call what."""
    blocks = []
    for service in dict.fromkeys(call.split("/")[1] for call in PERMISSIONS):
        calls = [call for call in PERMISSIONS if call.split("/")[1] == service]
        head = ["call", *(role.value.replace("_", " ").lower() for role in PrincipalRole)]
        rows = [_permission_row(call) for call in calls]
        blocks.append(f"## {service.rsplit('.', 1)[-1]}\n\n{table(head, rows)}")
    return page(
        "Permissions",
        [f"{CODE}/runtime/permissions.py"],
        "Which roles may make which call. What is not listed is denied. `own key`: the call "
        "brings its key with it and proves that it holds it, so no role is asked. A role opens "
        "the call; what is seen or changed through it is narrowed further: a firm sees and "
        "changes only its own.",
        *blocks,
    )


def _permission_row(call: str) -> list[str]:
    name = code(call.rsplit("/", 1)[-1])
    if is_self_signed(call):
        return [name, *("own key" for _ in PrincipalRole)]
    return [name, *("yes" if role in PERMISSIONS[call] else "" for role in PrincipalRole)]
