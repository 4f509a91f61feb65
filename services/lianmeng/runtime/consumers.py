"""Durable consumers: all processes of a service share one, and each message is done by one.

A message stays ours while its handler works, however long that takes. It is put aside as a dead
letter when its handler says `Poison`, or when it failed at its fifth delivery. A handler that
says `Transient` is called again until it succeeds: a log or a Redis that is away must not turn
good messages into dead letters. Any other exception is a bug. It does not end the process,
since that would charge one more delivery to every other message in flight.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import nats.errors

from lianmeng.kernel.errors import Poison, Transient
from lianmeng.runtime.deadletters import bury
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.messages import Delivery, Message
from lianmeng.runtime.metrics import BACKLOG, MESSAGE_SECONDS, MESSAGES
from lianmeng.runtime.pulls import NANOS, RETRY_S, Broken, create_consumer, pull
from lianmeng.runtime.subjects import stream_of

MAX_DELIVERIES = 5
"""A message that failed at this delivery is put aside."""

_LONGEST_PAUSE_S = 5.0

Handle = Callable[[Message], Awaitable[None]]
HandleGroup = Callable[[Sequence[Message]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Durable:
    """A shared consumer. Its name and subjects are what the server remembers it by.

    `ack_wait_s`: a message whose process has died goes to another after this long (seconds).
    `parallel`: handlers at work at once in one process; `group`: most messages for one call.
    """

    name: str
    subjects: tuple[str, ...]
    service: str
    ack_wait_s: float = 5.0
    parallel: int = 1
    group: int = 1

    @property
    def zone(self) -> str:
        """The zone of its subjects."""
        return self.subjects[0].split(".")[1]

    @property
    def stream(self) -> str:
        """The stream of its subjects."""
        return stream_of(self.subjects[0])

    def config(self) -> dict[str, Any]:
        """The definition, as the server's API takes it. It starts at the first message."""
        return {
            "name": self.name,
            "durable_name": self.name,
            "deliver_policy": "all",
            "ack_policy": "explicit",
            "ack_wait": int(self.ack_wait_s * NANOS),
            "max_deliver": -1,  # this module counts: the server would drop without a trace
            "max_ack_pending": 2_000,
            "filter_subjects": list(self.subjects),
        }


async def consume(log: Log, durable: Durable, handle: Handle) -> None:
    """Give each message to `handle`, one by one; never returns. Cancel it to stop."""

    async def one(messages: Sequence[Message]) -> None:
        for message in messages:
            await handle(message)

    await consume_groups(log, replace(durable, group=1), one)


async def consume_groups(log: Log, durable: Durable, handle: HandleGroup) -> None:
    """Give what has arrived to `handle`, up to `durable.group` messages at once; never returns.

    When a group fails, its messages are handled again one by one, so a message at fault does
    not take others with it. A handler therefore expects to see a message again.
    """
    desk = _Desk(log, durable, handle)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(desk.receive())
            tasks.create_task(desk.extend())
            for _ in range(durable.parallel):
                tasks.create_task(desk.work())
    finally:
        await desk.give_back()


@dataclass(slots=True)
class _Desk:
    """The messages that this process has and has not answered."""

    log: Log
    durable: Durable
    handle: HandleGroup
    open: dict[str, Delivery] = field(default_factory=dict)
    queue: asyncio.Queue[Delivery] = field(default_factory=asyncio.Queue)
    freed: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> None:
        durable = self.durable
        batch = durable.group * durable.parallel
        while True:
            try:
                await create_consumer(self.log, durable.stream, durable.config())
                deliveries = pull(self.log, durable.stream, durable.name, batch, self._room)
                async with aclosing(deliveries):
                    async for delivery in deliveries:
                        self.open[delivery.reply] = delivery
                        self.queue.put_nowait(delivery)
            except (Broken, Transient):
                await asyncio.sleep(RETRY_S)

    async def _room(self) -> None:
        while len(self.open) >= self.durable.group * self.durable.parallel:
            self.freed.clear()
            await self.freed.wait()

    async def extend(self) -> None:
        """Keep what we have: the server would give it to another after `ack_wait_s`."""
        while True:
            await asyncio.sleep(self.durable.ack_wait_s / 3)
            for reply in tuple(self.open):
                await self._send(reply, b"+WPI")

    async def work(self) -> None:
        while True:
            group = [await self.queue.get()]
            while len(group) < self.durable.group and not self.queue.empty():
                group.append(self.queue.get_nowait())
            await self._settle(group)

    async def give_back(self) -> None:
        """Stopping: others may have what we have not done."""
        for reply in tuple(self.open):
            await self._answer(reply, b"-NAK")

    async def _settle(self, group: list[Delivery]) -> None:
        name = self.durable.name
        BACKLOG.labels(name).set(group[-1].message.pending)
        try:
            with MESSAGE_SECONDS.labels(name).time():
                await self._patiently(lambda: self.handle([item.message for item in group]))
        except Exception as error:  # noqa: BLE001 - see the module's docstring
            if len(group) == 1:
                await self._fail(group[0], error)
                return
            for item in group:
                await self._settle([item])
        else:
            MESSAGES.labels(name, "done").inc(len(group))
            for item in group:
                await self._answer(item.reply, b"+ACK")

    async def _fail(self, item: Delivery, error: Exception) -> None:
        message = item.message
        if isinstance(error, Poison):
            await self._bury(item, error.reason, error.message)
            return
        MESSAGES.labels(self.durable.name, "failed").inc()
        line.error("message.failed", subject=message.subject, error=repr(error), exc_info=error)
        if item.attempt >= MAX_DELIVERIES:
            await self._bury(item, "INTERNAL", repr(error))
        else:
            await self._answer(item.reply, b'-NAK {"delay": %d}' % (2**item.attempt * NANOS // 4))

    async def _bury(self, item: Delivery, reason: str, detail: str) -> None:
        durable = self.durable
        MESSAGES.labels(durable.name, "buried").inc()
        await self._patiently(
            lambda: bury(self.log, durable.zone, durable.service, item.message, reason, detail)
        )
        await self._answer(item.reply, b"+ACK")

    async def _patiently(self, action: Callable[[], Awaitable[None]]) -> None:
        tries = 0
        while True:
            try:
                return await action()
            except Transient as error:
                line.warning("message.retried", subject=self.durable.name, reason=error.reason)
                pause = error.retry_after.total_seconds() * 2**tries
                tries = min(tries + 1, 8)
                await asyncio.sleep(min(pause, _LONGEST_PAUSE_S) * random.uniform(0.5, 1.0))  # noqa: S311

    async def _answer(self, reply: str, word: bytes) -> None:
        self.open.pop(reply, None)
        self.freed.set()
        await self._send(reply, word)

    async def _send(self, reply: str, word: bytes) -> None:
        with suppress(OSError, nats.errors.Error):  # unsaid, the message comes again
            await self.log.client.publish(reply, word)
