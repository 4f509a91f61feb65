"""`lianmeng log`: the story of one alliance or trend across all services, from their log files."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from lianmeng.cli.desk import desk
from lianmeng.cli.failures import usage
from lianmeng.cli.options import Home, Json
from lianmeng.cli.pictures import LOCAL

Line = dict[str, Any]

LOOK_EVERY_S = 0.3
"""Wall seconds between two looks at the files while following."""

_HEAD = ("ts", "story", "level", "service", "event", "trend", "alliance", "msg")

_COLOURS = {"error": "red", "warning": "yellow", "debug": "dim"}


@dataclass(slots=True)
class Tail:
    """The new lines of one log file, whole ones only. A file that was moved away is read anew."""

    path: Path
    read_bytes: int = 0
    inode: int = 0

    def lines(self) -> Iterator[Line]:
        """What has come since the last call."""
        if not self.path.exists():
            return
        found = self.path.stat()
        if found.st_ino != self.inode or found.st_size < self.read_bytes:
            self.read_bytes, self.inode = 0, found.st_ino
        with self.path.open("rb") as file:
            file.seek(self.read_bytes)
            whole, newline, _ = file.read().rpartition(b"\n")
        self.read_bytes += len(whole) + len(newline)
        for text in whole.splitlines():
            try:
                line = json.loads(text)
            except ValueError:  # cut short by a power failure
                continue
            yield line


@dataclass(slots=True)
class Thread:
    """The lines that belong together: an alliance and its trend name each other."""

    ids: set[str] = field(default_factory=set)

    def learn(self, lines: Iterable[Line]) -> None:
        """Hear of ids that belong to those known; again until nothing new comes up."""
        pairs = [{line[k] for k in ("trend", "alliance") if line.get(k)} for line in lines]
        known = -1
        while known != len(self.ids):
            known = len(self.ids)
            for pair in pairs:
                if not self.ids.isdisjoint(pair):
                    self.ids |= pair

    def has(self, line: Line) -> bool:
        """Whether a line belongs to it."""
        return not self.ids.isdisjoint({line.get("trend"), line.get("alliance")})


def log(
    subject: Annotated[
        str,
        typer.Argument(metavar="[ID]", help="An alliance (a-…) or a trend (t-…); none = all."),
    ] = "",
    home: Home = None,
    as_json: Json = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes; Ctrl-C ends it.")
    ] = False,
    service: Annotated[str, typer.Option(help="Only this service.")] = "",
    calls: Annotated[bool, typer.Option("--calls", help="Successful calls as well.")] = False,
) -> None:
    """Show what the services said about an alliance and its trend, in the order of time.

        lianmeng log a-i5mkcghdixpn4dua2ypf --follow

    Machines get one JSON line each.
    """
    here = desk(home, as_json)
    folder = here.settings.logs
    files = sorted(folder.glob(f"{service or '*'}.jsonl"))
    if not files:
        raise usage(
            "--home", f"there are no logs in {folder}", "name the data directory of a platform",
            f"{folder} 中没有日志", "请指定平台的数据目录",
        )  # fmt: skip
    tails = [Tail(path) for path in files]
    thread = Thread({subject} if subject else set())
    while True:
        fresh = [line for tail in tails for line in tail.lines()]
        thread.learn(fresh)
        wanted = [x for x in fresh if (calls or x.get("event") != "call.served")]
        for line in sorted(wanted, key=lambda one: str(one.get("ts"))):
            if subject and not thread.has(line):
                continue
            if as_json:
                print(json.dumps(line, ensure_ascii=False), flush=True)
            else:
                here.console.print(_picture(line), highlight=False, soft_wrap=True)
        if not follow:
            return
        time.sleep(LOOK_EVERY_S)


def _picture(line: Line) -> Text:
    story = datetime.fromisoformat(line["story"]).astimezone(LOCAL)
    fields = "  ".join(f"{name}={value}" for name, value in line.items() if name not in _HEAD)
    return Text.assemble(
        (f"{story:%m-%d %H:%M:%S} ", "dim"),
        f"{line['service']:<9} ",
        (f"{line['event']:<27} ", _COLOURS.get(line["level"], "bold")),
        line.get("msg", ""),
        (f"  {fields}", "dim"),
    )
