"""Views: what services answer from, built out of the log into Redis, and rebuilt at any time.

A view keeps documents by id, each with terms to find it by. What a message does to it is a
pure function, `project`. The position in the log is written in the same transaction as the
documents, so a view is always what the log says up to some sequence; several processes may
build the same one. Where the position is missing (`FLUSHALL`, an empty server) or not of this
stream, the view is cleared and built from the first message. A reader is told nothing from a
view that is not yet built: it waits two seconds and then gets `Transient(VIEW_LAGS)`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from lianmeng.kernel.errors import Poison, Transient
from lianmeng.runtime import view_scripts
from lianmeng.runtime.followers import follow
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.memory import in_time
from lianmeng.runtime.messages import Message
from lianmeng.runtime.metrics import VIEW_BACKLOG, VIEW_REBUILDS
from lianmeng.runtime.revisions import revision, sequence_of
from lianmeng.runtime.subjects import stream_of

WAIT_S = 2.0
"""Seconds that a read waits for the view to be built up to what it wants."""

MAX_PAGE = 1_000
"""Most documents of one page."""

_BATCH = 200
_LOOK_S = 0.25
"""An idle view looks this often (seconds) whether Redis still has it."""


@dataclass(frozen=True, slots=True)
class Put:
    """A document, new or newer. Terms are words to find it by (`role:LOGISTICS`)."""

    id: str
    data: bytes
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drop:
    """The document is no more."""

    id: str


Project = Callable[[Message], Iterable[Put | Drop]]


@dataclass(frozen=True, slots=True)
class Page:
    """Documents in the order of their ids, as of `revision`. `next` "" = there are no more."""

    documents: tuple[bytes, ...]
    next: str
    revision: str


class _Lost(Exception):
    """Redis no longer has the view as this process left it."""


class View:
    """A view of some subjects of one stream. Start `run` as a task; read with `get` and `find`."""

    def __init__(
        self, memory: Redis, log: Log, name: str, subjects: Sequence[str], project: Project
    ) -> None:
        """`name` is unique in the zone; `subjects` may have wildcards (`alliances.zj.*`)."""
        zone = subjects[0].split(".")[1]
        self._log = log
        self._name = name
        self._subjects = tuple(subjects)
        self._stream = stream_of(subjects[0])
        self._project = project
        self._prefix = f"{{{zone}}}:{name}:"
        self._key = self._prefix + "position"
        self._memory = memory
        self._begin = memory.register_script(view_scripts.BEGIN)
        self._apply = memory.register_script(view_scripts.APPLY)
        self._get = memory.register_script(view_scripts.GET)
        self._find = memory.register_script(view_scripts.FIND)
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Build the view and keep it up to date, for ever; cancel it to stop."""
        healthy = True
        while True:
            try:
                created, position = await self._start()
                if not healthy:
                    line.info("view.healed", view=self._name)
                    healthy = True
                await self._keep(created, position)
            except _Lost:
                continue
            except (RedisError, OSError, Transient) as error:
                if healthy:
                    line.warning("view.unavailable", view=self._name, error=repr(error))
                healthy = False
                await asyncio.sleep(_LOOK_S)

    async def get(self, id: str, min_revision: str = "") -> tuple[bytes | None, str]:  # noqa: A002
        """A document (None = there is none) and the view's revision.

        Raises `Transient` (VIEW_LAGS, VIEW_UNAVAILABLE), and `Rejected` for a bad revision.
        """
        position, found = await self._read(self._get, [id], min_revision)
        return found[0], position

    async def find(
        self,
        *wanted: str | Sequence[str],
        after: str = "",
        limit: int = MAX_PAGE,
        min_revision: str = "",
    ) -> Page:
        """The documents that have all `wanted` terms; of a sequence of terms, at least one.

        Nothing wanted = all documents. `after`: the `next` of the page before. Raises as `get`.
        """
        groups = [_choice([term] if isinstance(term, str) else term) for term in wanted]
        if not all(groups):
            raise ValueError("an empty choice of terms finds nothing: do not ask")
        arguments = [after, min(limit, MAX_PAGE), *groups]
        position, (following, *documents) = await self._read(self._find, arguments, min_revision)
        return Page(tuple(documents), following.decode(), position)

    async def wait_for(self, min_revision: str) -> str:
        """Return when the view holds `min_revision`, with its own revision. Raises as `get`."""
        _, position = await self.get("", min_revision)
        return position

    async def _start(self) -> tuple[str, int]:
        state = await self._log.state(self._stream)
        goal = await self._newest()
        arguments: list[str | int] = [self._prefix, state.created, goal, state.last]
        position = int(await in_time(self._begin(keys=[self._key], args=arguments)))
        if position == 0 and goal:
            VIEW_REBUILDS.labels(self._name).inc()
            line.info("view.rebuilding", view=self._name, count=goal)
        return state.created, position

    async def _keep(self, created: str, position: int) -> None:
        messages = follow(self._log, *self._subjects, start=position + 1)
        async with aclosing(messages), aclosing(self._batches(messages)) as batches:
            async for batch in batches:
                upto = batch[-1].sequence
                arguments: list[Any] = [self._prefix, created, position, upto]
                for message in batch:
                    arguments += self._changes(message)
                answer = int(await in_time(self._apply(keys=[self._key], args=arguments)))
                if answer < 0:
                    raise _Lost
                position = upto
                self._moved.set()
                self._moved = asyncio.Event()
                VIEW_BACKLOG.labels(self._name).set(batch[-1].pending)

    async def _batches(
        self, messages: AsyncIterator[Message]
    ) -> AsyncGenerator[list[Message], None]:
        batch: list[Message] = []
        coming = asyncio.ensure_future(anext(messages))
        try:
            while True:
                done, _ = await asyncio.wait({coming}, timeout=_LOOK_S)
                if not done:
                    await self._require_position()
                    continue
                message = coming.result()
                batch.append(message)
                if message.pending == 0 or len(batch) >= _BATCH:
                    yield batch
                    batch = []
                coming = asyncio.ensure_future(anext(messages))
        finally:
            coming.cancel()
            with suppress(asyncio.CancelledError):
                await coming

    async def _require_position(self) -> None:
        if not await in_time(self._memory.exists(self._key)):
            raise _Lost

    def _changes(self, message: Message) -> list[str | int | bytes]:
        flat: list[str | int | bytes] = []
        try:
            for change in self._project(message):
                if isinstance(change, Put):
                    terms = _choice(change.terms)
                    flat += [change.id, message.sequence, 0, change.data, terms]
                else:
                    flat += [change.id, message.sequence, 1, b"", ""]
        except Poison as error:
            line.error(
                "message.failed",
                subject=message.subject,
                sequence=message.sequence,
                error=str(error),
            )
            return []
        return flat

    async def _read(
        self, script: Any, arguments: list[Any], min_revision: str
    ) -> tuple[str, list[Any]]:
        wanted = sequence_of(min_revision, self._stream)
        loop = asyncio.get_running_loop()
        give_up = loop.time() + WAIT_S
        while True:
            moved = self._moved
            try:
                position, goal, *found = await in_time(
                    script(keys=[self._key], args=[self._prefix, *arguments])
                )
            except (RedisError, OSError) as error:
                raise _unavailable() from error
            built = int(position.rpartition(b"@")[2]) if position else -1
            if built >= int(goal or 0) and await self._holds(built, wanted):
                return revision(self._stream, built), found
            if loop.time() > give_up:
                raise _lags(max(wanted, int(goal or 0)) - max(built, 0))
            with suppress(TimeoutError):  # another process may be the one that builds
                async with asyncio.timeout(0.05):
                    await moved.wait()

    async def _holds(self, built: int, wanted: int) -> bool:
        """Whether the view has all up to `wanted`, which may not be one of its messages."""
        return built >= 0 and (wanted <= built or await self._newest() <= built)

    async def _newest(self) -> int:
        newest = [await self._log.last(subject) for subject in self._subjects]
        return max((message.sequence for message in newest if message), default=0)


def _choice(terms: Iterable[str]) -> str:
    """Terms, one a line; a line break inside of one would make two of it."""
    return "\n".join(term.replace("\n", " ") for term in terms)


def _lags(messages: int) -> Transient:
    return Transient(
        "VIEW_LAGS",
        f"the view is {messages} messages behind",
        timedelta(seconds=1),
        f"读模型落后 {messages} 条消息，请稍后重试",
    )


def _unavailable() -> Transient:
    return Transient(
        "VIEW_UNAVAILABLE",
        "working memory (Redis) does not answer",
        timedelta(seconds=1),
        "工作内存（Redis）暂时不可用",
    )
