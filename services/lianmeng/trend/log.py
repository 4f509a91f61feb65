"""The streams of this service: SIGNALS and TRENDS, the catalogue it follows, its dead letters."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from lianmeng.kernel.errors import Poison
from lianmeng.kernel.trends import Trend
from lianmeng.runtime.deadletters import bury, dead_letters
from lianmeng.runtime.followers import follow
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.messages import Message
from lianmeng.runtime.subjects import signal_subject, trend_subject
from lianmeng.runtime.writes import Write
from lianmeng.trend.ports import Arrived, Recorded
from lianmeng.trend.wire import fact_write, read_fact

SERVICE = "trend"

PARTITION = "0"
"""The one partition of a zone's signals."""


class SignalStream:
    """The stream SIGNALS of a zone, as `Batches` and as `Letters`."""

    def __init__(self, log: Log, zone: str) -> None:
        self._log = log
        self._zone = zone

    async def append(self, data: bytes) -> int:
        """See `Batches`."""
        return await self._log.publish(Write(signal_subject(self._zone, PARTITION), data))

    async def arriving(self) -> AsyncGenerator[Arrived, None]:
        """All batches from the first one on, endless. Close it with `contextlib.aclosing`."""
        async with aclosing(follow(self._log, signal_subject(self._zone, "*"))) as messages:
            async for message in messages:
                yield Arrived(message.sequence, message.data, message.pending == 0)

    async def newest(self) -> int:
        """The place of the newest batch, 0 if there is none. Raises `Transient`."""
        message = await self._log.last(signal_subject(self._zone, "*"))
        return 0 if message is None else message.sequence

    async def bury(self, message: Arrived, reason: str, detail: str) -> None:
        """See `Letters`."""
        subject = signal_subject(self._zone, PARTITION)
        stored = Message(subject, message.position, message.data)
        await bury(self._log, self._zone, SERVICE, stored, reason, detail)

    async def buried(self) -> frozenset[int]:
        """Places of the batches that were put aside. Raises `Transient`."""
        letters = dead_letters(self._log, self._zone, SERVICE)
        return frozenset([letter.sequence async for letter in letters])


class TrendStream:
    """The stream TRENDS of a zone, as `Facts`."""

    def __init__(self, log: Log, zone: str) -> None:
        self._log = log
        self._zone = zone

    async def publish(self, trend: Trend, expected: int, position: int) -> int:
        """See `Facts`."""
        return await self._log.publish(fact_write(self._zone, trend, expected, position))

    async def last(self, trend_id: str) -> Recorded | None:
        """See `Facts`."""
        message = await self._log.last(trend_subject(self._zone, trend_id))
        return None if message is None else read_fact(self._zone, message)

    async def history(self) -> list[Recorded]:
        """All facts so far, the oldest first. Raises `Transient`."""
        subject = trend_subject(self._zone, "*")
        messages = [message async for message in self._log.history(subject)]
        return [fact for message in messages if (fact := self._readable(message)) is not None]

    async def arriving(self, start: int) -> AsyncGenerator[Recorded, None]:
        """Facts from a sequence on, endless. Close it with `contextlib.aclosing`."""
        subject = trend_subject(self._zone, "*")
        async with aclosing(follow(self._log, subject, start=start)) as messages:
            async for message in messages:
                fact = self._readable(message)
                if fact is not None:
                    yield fact

    def _readable(self, message: Message) -> Recorded | None:
        """The fact; None, with a line in the log, for what this service cannot have written."""
        try:
            return read_fact(self._zone, message)
        except Poison as error:
            line.error("message.failed", subject=message.subject, error=str(error))
            return None
