"""Where a command works: the home directory, the caller's key, the services, the terminal."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import typer
from google.protobuf.message import Message
from rich.console import Console, RenderableType

from lianmeng.cli.failures import usage
from lianmeng.cli.pictures import console
from lianmeng.cli.plain import plain
from lianmeng.runtime.keys import Signer, read_key
from lianmeng.runtime.settings import SERVICES, Settings, find_service, load_settings
from lianmeng.runtime.storytime import StoryClock
from lianmeng.world.callers import Caller, Services

T = TypeVar("T")

OPERATOR = "operator"
"""The principal that a command works as when nothing else is said."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One command's surroundings. `as_json`: the reader is a machine."""

    settings: Settings
    clock: StoryClock
    console: Console
    as_json: bool = False

    @property
    def now(self) -> datetime:
        """Story time of the platform at this home."""
        return self.clock.now()

    def key(self, principal: str) -> Signer:
        """The principal's own key. Raises `Rejected(NOT_FOUND)` that names the file."""
        return read_key(self.settings.home / "keys" / f"{principal}.pem", principal)

    def call(self, principal: str, work: Callable[[Services, Caller], Awaitable[T]]) -> T:
        """Do some work at the services as a principal."""
        signer = self.key(principal)

        async def visit() -> T:
            async with self.services() as services:
                return await work(services, services.caller(signer))

        return asyncio.run(visit())

    def services(self) -> Services:
        """All services of this home."""
        addresses = {name: find_service(self.settings, name) for name in SERVICES}
        return Services(addresses, self.clock, self.settings.tls_ca)

    def busy(self, text: str) -> AbstractContextManager[object]:
        """Say what takes a while, as long as it does; to people at a terminal only."""
        return nullcontext() if self.as_json else self.console.status(text)

    def show(self, data: Message | Iterable[Message], *pictures: RenderableType) -> None:
        """The answer: data for machines, pictures for people."""
        if self.as_json:
            self.print_json(plain(data) if isinstance(data, Message) else [plain(m) for m in data])
            return
        for picture in pictures:
            self.console.print(picture, highlight=False)

    def print_json(self, data: Any) -> None:
        """One JSON document."""
        print(json.dumps(data, ensure_ascii=False, indent=None if data == [] else 1))

    def print_line(self, message: Message, picture: RenderableType) -> None:
        """One thing of an endless answer: JSON on one line, or a line for people."""
        if self.as_json:
            print(json.dumps(plain(message), ensure_ascii=False), flush=True)
        else:
            self.console.print(picture, highlight=False)
            self.console.file.flush()

    def confirm(self, question: str, yes: bool) -> None:
        """Go on only if the person says so. Ends the command otherwise."""
        if yes:
            return
        if self.as_json or not self.console.is_terminal:
            raise usage(
                "--yes",
                "this needs a confirmation and nobody can be asked",
                "look at it first, then add --yes",
                "此操作需要确认，但当前无法询问",
                "请先查看内容，然后加上 --yes",
            )
        if not typer.confirm(question):
            raise typer.Exit(1)


def desk(home: Path | None, as_json: bool = False) -> Desk:
    """The desk of a command."""
    settings = load_settings(home=home)
    return Desk(settings, StoryClock(settings.anchors), console(), as_json)


def command_id(given: str | None) -> str:
    """The given id of a command, or a fresh one."""
    return given or f"cli-{secrets.token_hex(8)}"


def moment(value: datetime) -> datetime:
    """A time of the command line as an aware one: a time without zone is taken as UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)
