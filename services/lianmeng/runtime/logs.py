"""Structured logs: one line per unit of work, JSON for machines, a short line for people.

A line has `ts` (wall time), `story` (story time), `level`, `service`, `event`, then what the
caller gives (`trend`, `alliance`, `from_`, `to`, `reason`, `ms` …) and `msg` in Chinese. The event
must be in `log_events.EVENTS`. Prices and personal data never go into a line.

Each process also appends its lines as JSON to `<home>/logs/<service>.jsonl`, which
`lianmeng log` reads. A file above 64 MB is moved to `<service>.jsonl.1`.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog

from lianmeng.kernel.clock import Clock
from lianmeng.runtime.log_events import EVENTS
from lianmeng.runtime.storytime import RealClock

Line = MutableMapping[str, Any]

FIRST = ("ts", "story", "level", "service", "event", "trend", "alliance", "from", "to")
"""Order of the leading fields of a line; `reason`, `ms` and `msg` come last."""
LAST = ("reason", "ms", "msg")

FORBIDDEN = frozenset({"price", "amount", "cost", "phone", "email", "token", "password"})
"""Fields that a line may not have."""

MAX_FILE_BYTES = 64 * 1024 * 1024

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
"""The process's logger: `log.info("trend.detected", trend=…, product=…, market=…)`."""


def configure_logs(
    service: str,
    *,
    file: Path | None = None,
    clock: Clock | None = None,
    level: str = "info",
    form: str = "auto",
    strict: bool = False,
    stream: TextIO | None = None,
) -> None:
    """Set up the logs of this process. Later calls replace the earlier set-up.

    `form` is `json`, `console`, `auto` (console on a terminal) or `file`: nothing but the file.
    `strict` raises for an unknown event or a forbidden field; otherwise an unknown event is
    written without a message and a forbidden field is left out. Unconfigured logs are strict.
    """
    out = stream or sys.stderr
    console = form == "console" or (form == "auto" and out.isatty())
    processors: list[Any] = [_Stamp(service, clock or RealClock()), _Registered(strict)]
    processors += [structlog.processors.format_exc_info, _ordered]
    if file is not None:
        processors.append(_File(file))
    if form == "file":
        processors.append(_drop)
    else:
        processors.append(_Console(out.isatty()) if console else _as_json)
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=out) if stream else _StderrFactory(),
        cache_logger_on_first_use=False,
    )


class _StderrFactory:
    """Looks up `sys.stderr` for each line, so that a test's capture sees it."""

    def __call__(self, *_: object) -> structlog.PrintLogger:
        return structlog.PrintLogger(sys.stderr)


class _Stamp:
    def __init__(self, service: str, clock: Clock) -> None:
        self._service = service
        self._clock = clock

    def __call__(self, _logger: object, method: str, line: Line) -> Line:
        line["ts"] = self._clock.wall().isoformat(timespec="milliseconds")
        line["story"] = self._clock.now().isoformat(timespec="seconds")
        line["level"] = "warning" if method == "warn" else method
        line.setdefault("service", self._service)
        if "from_" in line:
            line["from"] = line.pop("from_")
        return line


class _Registered:
    def __init__(self, strict: bool) -> None:
        self._strict = strict

    def __call__(self, _logger: object, _method: str, line: Line) -> Line:
        template = EVENTS.get(line["event"])
        forbidden = FORBIDDEN & line.keys()
        if self._strict and (template is None or forbidden):
            raise ValueError(f"unregistered event or forbidden field: {line['event']} {forbidden}")
        for name in forbidden:
            del line[name]
        line["msg"] = (template or "").format_map(_Absent(line))
        return line


class _Absent(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "—"


def _ordered(_logger: object, _method: str, line: Line) -> Line:
    rest = [name for name in line if name not in FIRST and name not in LAST]
    return {name: line[name] for name in (*FIRST, *rest, *LAST) if name in line}


def _as_json(_logger: object, _method: str, line: Line) -> str:
    return json.dumps(line, ensure_ascii=False, default=str)


def _drop(_logger: object, _method: str, _line: Line) -> str:
    raise structlog.DropEvent


class _File:
    """Appends lines to a file; a line is one write, so processes may share the file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = path.open("ab", buffering=0)

    def __call__(self, logger: object, method: str, line: Line) -> Line:
        if self._file.tell() > MAX_FILE_BYTES:
            self._file.close()
            self._path.replace(self._path.with_suffix(self._path.suffix + ".1"))
            self._file = self._path.open("ab", buffering=0)
        self._file.write(_as_json(logger, method, line).encode() + b"\n")
        return line

    def __del__(self) -> None:
        self._file.close()


_COLOURS = {"error": "\x1b[31m", "warning": "\x1b[33m", "info": "\x1b[36m", "debug": "\x1b[2m"}


class _Console:
    """Time, level, service, message, then the fields that the message does not show."""

    def __init__(self, coloured: bool) -> None:
        self._coloured = coloured

    def __call__(self, _logger: object, _method: str, line: Line) -> str:
        shown = {"ts", "story", "level", "service", "event", "msg"}
        fields = "  ".join(f"{name}={line[name]}" for name in line if name not in shown)
        head = f"{line['story'][5:16].replace('T', ' ')} {line['service']:<9}"
        text = f"{head} {line['msg'] or line['event']}"
        if not self._coloured:
            return f"{text}  [{line['event']}]  {fields}".rstrip()
        colour = _COLOURS.get(line["level"], "")
        return f"{colour}{text}\x1b[0m  \x1b[2m[{line['event']}]  {fields}\x1b[0m"


configure_logs("lianmeng", strict=True, form="json")
