"""The pages of what all processes share: errors, log events, metrics, settings, thresholds."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import get_type_hints

from lianmeng.kernel.thresholds import Thresholds
from lianmeng.runtime.log_events import EVENTS
from lianmeng.runtime.settings import METRICS_OFFSET, SERVICES, Settings
from tools.reference.contract import File
from tools.reference.markdown import CODE, code, first_paragraph, page, prose, source, table

_EVENT = re.compile(r'^    "([a-z_.]+)":')
_GROUP = re.compile(r"^    # (.+)$")
_TOML_GROUP = re.compile(r"^\[(\w+)\]$")
_TOML_LINE = re.compile(r"^(\w+) = (\S.*?)\s*(?:#\s*(.*))?$")


def errors(files: list[File]) -> str:
    """Reasons of refusals."""
    file = next(file for file in files if file.name == "errors")
    (enum,) = file.proto.enum_type
    rows = [
        (code(value.name.removeprefix("ERROR_REASON_")), file.comment(5, 0, 2, i))
        for i, value in enumerate(enum.value)
        if value.number
    ]
    return page(
        "Reasons of errors",
        ["proto/lianmeng/v1/errors.proto"],
        file.comment(12),
        "`UNAVAILABLE` also carries a google.rpc.RetryInfo: send the same command, with the same "
        "`command_id`, again after that time.",
        table(("reason", "when, with an example"), rows),
    )


def log_events() -> str:
    """Names of log lines."""
    blocks: list[str] = []
    for group, names in _event_groups():
        rows = [(code(name), EVENTS[name]) for name in names]
        blocks.append(f"## {group.capitalize()}\n\n{table(('event', 'message'), rows)}")
    return page(
        "Log events",
        [f"{CODE}/runtime/log_events.py"],
        "One line per unit of work: JSON in `<home>/logs/<service>.jsonl`, plain text on a "
        "terminal. `event` is one of the names below and never changes its meaning; `msg` is the "
        "Chinese message, with the line's own fields filled in. Lines carry `trend` and "
        "`alliance` where they concern one.",
        *blocks,
    )


def _event_groups() -> Iterator[tuple[str, list[str]]]:
    group, names = "", list[str]()
    for line in source(f"{CODE}/runtime/log_events.py").splitlines():
        if heading := _GROUP.match(line):
            if names:
                yield group, names
            group, names = heading[1], []
        elif event := _EVENT.match(line):
            names.append(event[1])
    yield group, names


def metrics() -> str:
    """Prometheus metrics, read from the module's text for the sake of its comments."""
    text = source(f"{CODE}/runtime/metrics.py")
    rows = list(_metrics(text))
    return page(
        "Metrics",
        [f"{CODE}/runtime/metrics.py"],
        "Each service answers `/metrics` over HTTP on a port of its own, "
        f"{METRICS_OFFSET} above its gRPC port. A counter's name ends in `_total` there.",
        table(("metric", "kind", "labels", "the question that it answers"), rows),
    )


def _metrics(text: str) -> Iterator[tuple[str, str, str, str]]:
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)):
            continue
        made = node.value
        name, *rest = (ast.literal_eval(argument) for argument in made.args)
        labels = next((part for part in rest if isinstance(part, list)), [])
        yield (
            code(name),
            ast.unparse(made.func).lower(),
            ", ".join(code(label) for label in labels),
            _comment_above(lines, node.lineno - 1),
        )


def _comment_above(lines: list[str], index: int) -> str:
    first = index
    while first and lines[first - 1].startswith("# "):
        first -= 1
    return " ".join(line.removeprefix("# ") for line in lines[first:index])


def settings() -> str:
    """Environment variables."""
    rows = [
        (code(f"LIANMENG_{name.upper()}"), _default(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    ports = [(name, str(port), str(port + METRICS_OFFSET)) for name, port in SERVICES.items()]
    return page(
        "Settings",
        [f"{CODE}/runtime/settings.py"],
        prose(ast.get_docstring(ast.parse(source(f"{CODE}/runtime/settings.py")))),
        table(("variable", "default", "meaning"), rows),
        "## Ports",
        table(("service", "gRPC", "metrics"), ports),
    )


def _default(value: object) -> str:
    return "" if value is None else code(value)


def thresholds() -> str:
    """Our defaults, with the comments of the file."""
    docs = {name: kind.__doc__ for name, kind in get_type_hints(Thresholds).items()}
    blocks = []
    for group, rows in _threshold_groups():
        about = first_paragraph(docs[group]) if group != "fx" else _FX
        blocks.append(f"## {group}\n\n{about}\n\n{table(('key', 'value', 'meaning'), rows)}")
    return page(
        "Thresholds",
        [f"{CODE}/kernel/thresholds.toml"],
        "Defaults of ours, not facts. The file has a version; each demand keeps the version that "
        "it was accepted under, and the limits of its life with it "
        "([Limits](contract/alliance.md#limits)). "
        f"The present version is {code(_version())}.",
        *blocks,
    )


_FX = "Units of CNY for one major unit of a currency, millionths, at the date `as_of`."


def _version() -> str:
    found = re.search(r'^version = "(.+)"', source(f"{CODE}/kernel/thresholds.toml"), re.MULTILINE)
    assert found, "the file has a version"
    return found[1]


def _threshold_groups() -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    group, rows = "", list[tuple[str, str, str]]()
    for line in source(f"{CODE}/kernel/thresholds.toml").splitlines():
        if heading := _TOML_GROUP.match(line):
            if rows:
                yield group, rows
            group, rows = heading[1], []
        elif group and (entry := _TOML_LINE.match(line)):
            key, value, meaning = entry.groups(default="")
            rows.append((code(key), value.strip('"'), meaning))
    yield group, rows
