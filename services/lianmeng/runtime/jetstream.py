"""The log: writes that stand whole or not at all, and reads, over NATS JetStream.

Only an acknowledgement with a sequence is definite. `Conflict` and `Unknown` are not: after a
partition the same batch may be refused by one server and stand on another. The caller reads
through the leader and tries again with the same expected sequences, and writes a fence before
it tells anybody "refused".
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from lianmeng.runtime.logs import log as line
from lianmeng.runtime.messages import (
    Message,
    StreamState,
    direct_message,
    raw_message,
    status_of,
    stream_state,
)
from lianmeng.runtime.outcomes import Conflict, Unknown, acknowledged, measured, unavailable
from lianmeng.runtime.subjects import stream_of
from lianmeng.runtime.writes import Write

__all__ = ["Conflict", "Log", "Unknown", "unavailable"]

MAX_BATCH = 1_000
"""Most messages of one atomic batch."""

ANSWER_WITHIN_S = 5.0
"""Seconds that the server gets to answer; a leader election takes about as long."""

_HISTORY_BATCH = 256
_HISTORY_BYTES = 4 * 1024 * 1024
_NO_MESSAGE = 10037


class Log:
    """A connection to the log. It reconnects for ever; meanwhile calls raise `Transient`."""

    def __init__(self) -> None:
        """An unconnected log; use `Log.connect`."""
        self._client = Client()
        self._inbox = ""
        self._waiting: dict[str, asyncio.Future[Msg | None]] = {}
        self._listeners: set[Callable[[], None]] = set()

    @classmethod
    async def connect(cls, url: str, name: str, *, within_s: float = 10.0) -> Log:
        """Connect to `url` (several: separated by commas); `name` shows in the server's lists.

        Raises `Transient(LOG_UNAVAILABLE)` when no server answers in time.
        """
        log = cls()
        try:
            async with asyncio.timeout(within_s):
                await log._client.connect(**log._options(url, name))
        except (OSError, nats.errors.Error, TimeoutError) as error:
            await log._client.close()
            raise unavailable(f"no NATS server answers at {url}") from error
        log._inbox = log._client.new_inbox()
        await log._client.subscribe(f"{log._inbox}.*", cb=log._on_answer)
        return log

    async def close(self) -> None:
        """Close the connection. Calls under way fail."""
        with contextlib.suppress(OSError):  # a dead connection cannot be closed politely
            await self._client.close()

    @property
    def client(self) -> Client:
        """The connection itself, for the consumers."""
        return self._client

    @property
    def connected(self) -> bool:
        """Whether a server can be reached now."""
        return self._client.is_connected

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever the connection is lost or healed. Returns how to stop that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def publish(self, write: Write, *, within_s: float = ANSWER_WITHIN_S) -> int:
        """Write one message; returns its sequence.

        Raises `Conflict` when `expected` no longer holds, `Unknown` without a definite answer,
        `Transient(LOG_UNAVAILABLE)` when nothing was sent.
        """
        token, answer = self._expect()
        try:
            with measured("publish"):
                await self._send(write.subject, write.data, write.wire_headers(), token)
                return await self._sequence(answer, within_s)
        finally:
            self._waiting.pop(token, None)

    async def commit(self, writes: Sequence[Write], *, within_s: float = ANSWER_WITHIN_S) -> int:
        """Write all or nothing: one atomic batch of one stream, at most 1,000 messages.

        Returns the sequence of the last message; a batch has consecutive sequences. Raises as
        `publish` does, and `ValueError` for a batch that the server could never take.
        """
        if len(writes) == 1:
            return await self.publish(writes[0], within_s=within_s)
        _require_batch(writes)
        token, answer = self._expect()
        try:
            with measured("commit"):
                await self._send_batch(writes, token)
                return await self._sequence(answer, within_s)
        finally:
            self._waiting.pop(token, None)

    async def last(self, subject: str, *, leader: bool = True) -> Message | None:
        """The last message on `subject`; None = there is none.

        Through the leader it is at most ten seconds old, even after a partition. Otherwise any
        replica answers: cheaper, but perhaps a minute old. Raises `Transient`.
        """
        stream = stream_of(subject)
        if not leader:
            answer = await self.ask(f"$JS.API.DIRECT.GET.{stream}.{subject}", b"")
            return None if status_of(answer) == "404" else direct_message(answer)
        found = await self.api(f"STREAM.MSG.GET.{stream}", {"last_by_subj": subject}, _NO_MESSAGE)
        return None if found is None else raw_message(found["message"])

    async def history(self, subject: str, *, start: int = 1) -> AsyncIterator[Message]:
        """All messages on `subject` (wildcards allowed) from sequence `start` to the end, in order.

        Any replica answers, so the newest may be missing after a partition. Raises `Transient`.
        """
        stream = stream_of(subject)
        while True:
            batch = await self._direct_batch(stream, subject, start)
            for message in batch:
                yield message
            if not batch or batch[-1].pending == 0:
                return
            start = batch[-1].sequence + 1

    async def state(self, stream: str) -> StreamState:
        """Where a stream begins and ends. Raises `Transient`."""
        info = await self.api(f"STREAM.INFO.{stream}", {})
        assert info is not None, "an error would have been raised"
        return stream_state(info)

    async def api(
        self, operation: str, request: Mapping[str, Any], absent: int = 0
    ) -> dict[str, Any] | None:
        """A call of the JetStream API. The error code `absent` gives None; others `Transient`."""
        answer = await self.ask(f"$JS.API.{operation}", json.dumps(request).encode())
        if status_of(answer) == "503":
            raise unavailable(f"JetStream does not answer to {operation}")
        content: dict[str, Any] = json.loads(answer.data)
        error = content.get("error")
        if error is None:
            return content
        if error.get("err_code") == absent:
            return None
        raise unavailable(f"{operation}: {error.get('description')} ({error.get('err_code')})")

    async def ask(self, subject: str, data: bytes, *, within_s: float = ANSWER_WITHIN_S) -> Msg:
        """A request and its answer. Raises `Transient(LOG_UNAVAILABLE)`."""
        token, answer = self._expect()
        try:
            await self._send(subject, data, None, token)
            async with asyncio.timeout(within_s):
                msg = await answer
        except TimeoutError as error:
            raise unavailable(f"no answer to {subject}") from error
        finally:
            self._waiting.pop(token, None)
        if msg is None:
            raise unavailable(f"the connection was lost before the answer to {subject}")
        return msg

    async def subscribe(
        self, inbox: str, deliver: Callable[[Msg], Awaitable[None]] | None = None
    ) -> Subscription:
        """Receive what is sent to `inbox`. Raises `Transient(LOG_UNAVAILABLE)`."""
        if not self.connected:
            raise unavailable("no connection to NATS")
        try:
            return await self._client.subscribe(inbox, cb=deliver)
        except (OSError, nats.errors.Error) as error:
            raise unavailable("no connection to NATS") from error

    async def _direct_batch(self, stream: str, subject: str, start: int) -> list[Message]:
        inbox = self._client.new_inbox()
        request = {
            "seq": start,
            "next_by_subj": subject,
            "batch": _HISTORY_BATCH,
            "max_bytes": _HISTORY_BYTES,
        }
        arrived: asyncio.Queue[Msg] = asyncio.Queue()
        sub = await self.subscribe(inbox, arrived.put)
        found: list[Message] = []
        try:
            await self._client.publish(
                f"$JS.API.DIRECT.GET.{stream}", json.dumps(request).encode(), reply=inbox
            )
            async with asyncio.timeout(ANSWER_WITHIN_S):
                while status_of(msg := await arrived.get()) == "":
                    found.append(direct_message(msg))
        except (OSError, nats.errors.Error, TimeoutError) as error:
            raise unavailable(f"no answer while reading {subject}") from error
        finally:
            await unsubscribe(sub)
        if status_of(msg) == "503":
            raise unavailable(f"no replica of {stream} answers")
        return found

    def _expect(self) -> tuple[str, asyncio.Future[Msg | None]]:
        token = secrets.token_hex(8)
        answer: asyncio.Future[Msg | None] = asyncio.get_running_loop().create_future()
        self._waiting[token] = answer
        return token, answer

    async def _send(
        self, subject: str, data: bytes, headers: dict[str, str] | None, token: str
    ) -> None:
        reply = f"{self._inbox}.{token}" if token else ""
        try:
            await self._client.publish(subject, data, reply=reply, headers=headers)
        except nats.errors.MaxPayloadError:
            raise
        except (OSError, nats.errors.Error) as error:
            raise unavailable("no connection to NATS") from error

    async def _send_batch(self, writes: Sequence[Write], token: str) -> None:
        """All messages of a batch. Only the first and the last ask for an answer.

        The first may be refused at once (too many open batches); the last commits.
        """
        batch = secrets.token_hex(12)
        for index, write in enumerate(writes, 1):
            headers = write.wire_headers()
            headers["Nats-Batch-Id"] = batch
            headers["Nats-Batch-Sequence"] = str(index)
            if index == len(writes):
                headers["Nats-Batch-Commit"] = "1"
            asks = index in (1, len(writes))
            await self._send(write.subject, write.data, headers, token if asks else "")

    async def _sequence(self, answer: asyncio.Future[Msg | None], within_s: float) -> int:
        try:
            async with asyncio.timeout(within_s):
                msg = await answer
        except TimeoutError as error:
            raise Unknown("the log did not acknowledge in time") from error
        if msg is None:
            raise Unknown("the connection was lost before the acknowledgement")
        return acknowledged(msg)

    async def _on_answer(self, msg: Msg) -> None:
        answer = self._waiting.get(msg.subject.rsplit(".", 1)[-1])
        opened = not msg.data and not msg.headers  # the server took the first of a batch
        if answer is not None and not answer.done() and not opened:
            answer.set_result(msg)

    async def _on_lost(self) -> None:
        if self._client.is_closed:
            return
        line.warning("log.unavailable")
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result(None)
        self._tell()

    async def _on_healed(self) -> None:
        line.info("log.healed")
        self._tell()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def _options(self, url: str, name: str) -> dict[str, Any]:
        return {
            "servers": url.split(","),
            "name": name,
            "ping_interval": 2,
            "max_outstanding_pings": 2,
            "connect_timeout": 2,
            "reconnect_time_wait": 0.2,
            "max_reconnect_attempts": -1,
            "pending_size": 0,  # nothing waits to be sent after its caller has given up
            "error_cb": _ignore,  # the two callbacks below say what an operator must know
            "disconnected_cb": self._on_lost,
            "reconnected_cb": self._on_healed,
        }


async def _ignore(_error: Exception) -> None:
    """The client reports each failed attempt to reconnect; `log.unavailable` says it once."""


async def unsubscribe(sub: Subscription) -> None:
    """End a subscription; without a connection there is nothing to end."""
    with contextlib.suppress(nats.errors.Error):  # a closed connection has no subscriptions
        await sub.unsubscribe()


def _require_batch(writes: Sequence[Write]) -> None:
    subjects = {write.subject for write in writes}
    streams = {stream_of(subject) for subject in subjects}
    if not writes or len(writes) > MAX_BATCH:
        raise ValueError(f"a batch has 1 to {MAX_BATCH} messages, not {len(writes)}")
    if len(subjects) < len(writes) or len(streams) > 1:
        raise ValueError("a batch writes each subject once, in one stream")
