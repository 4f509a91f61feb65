"""What lifecycle does when the log speaks: facts, due timers, trends.

All processes of the service share these consumers. The short wait for an acknowledgement lets
another process go on quickly when one has died.
"""

from __future__ import annotations

import secrets

from google.protobuf.message import DecodeError

from lianmeng.alliance import facts as f
from lianmeng.alliance.log import AllianceLog
from lianmeng.alliance.state import AllianceState
from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Poison, Rejected
from lianmeng.kernel.ids import alliance_id_of_trend
from lianmeng.kernel.trends import Trend, TrendEvent
from lianmeng.lifecycle.automation import BY, Automation
from lianmeng.lifecycle.rematching import TREND_UPDATE, Rematching
from lianmeng.lifecycle.trend_effects import CollapseRule, asks_for_rematch, effect
from lianmeng.runtime.codec import decode
from lianmeng.runtime.consumers import Durable, consume, consume_groups
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.messages import Message
from lianmeng.runtime.subjects import alliance_subject, due_subject, trend_subject
from lianmeng.v1 import trend_pb2

ACK_WAIT_S = 5.0
"""Wall seconds after which what a dead process had goes to another."""


async def consume_facts(log: Log, zone: str, automation: Automation) -> None:
    """Let alliances take their next steps; never returns."""
    durable = Durable(
        "lifecycle-facts",
        (alliance_subject(zone, "*"),),
        BY,
        ack_wait_s=ACK_WAIT_S,
        parallel=8,
        group=16,
    )
    await consume_groups(log, durable, automation.on_facts)


async def consume_due(log: Log, zone: str, automation: Automation) -> None:
    """Act on timers; never returns."""
    subjects = (due_subject(zone, "*"),)
    durable = Durable("lifecycle-due", subjects, BY, ack_wait_s=ACK_WAIT_S, parallel=8)
    await consume(log, durable, automation.on_due)


class TrendConsumer:
    """Carries the course of trends into their alliances."""

    def __init__(
        self,
        alliances: AllianceLog,
        rematching: Rematching,
        log: Log,
        clock: Clock,
        rule: CollapseRule,
    ) -> None:
        self._alliances = alliances
        self._rematching = rematching
        self._log = log
        self._clock = clock
        self._rule = rule

    async def run(self, zone: str) -> None:
        """Consume for ever; cancel it to stop."""
        subjects = (trend_subject(zone, "*"),)
        durable = Durable("lifecycle-trends", subjects, BY, ack_wait_s=ACK_WAIT_S, parallel=4)
        await consume(self._log, durable, self.handle)

    async def handle(self, message: Message) -> None:
        """One fact of a trend."""
        trend = read_trend(message)
        if trend.event is TrendEvent.DETECTED:
            return
        alliance_id = alliance_id_of_trend(trend.trend_id)
        history = await self._history(message, trend)

        def decide(state: AllianceState | None) -> f.Fact | None:
            if state is None:
                return None
            return effect(state, history, self._rule, self._clock.now())

        after = await self._alliances.transact(alliance_id, decide, BY, _attempt)
        if after.state is not None and asks_for_rematch(after.state, trend):
            self._rematching.ask(alliance_id, TREND_UPDATE)

    async def _history(self, message: Message, newest: Trend) -> list[Trend]:
        """The trend up to this fact, which a replica may not have yet."""
        before = [
            read_trend(older)
            async for older in self._log.history(message.subject)
            if older.sequence < message.sequence
        ]
        return [*before, newest]


def read_trend(message: Message) -> Trend:
    """A trend from its fact. Raises `Poison(CORRUPT_PAYLOAD)`."""
    try:
        return decode(trend_pb2.Trend.FromString(message.data), Trend)
    except (DecodeError, Rejected, ValueError) as error:
        raise Poison("CORRUPT_PAYLOAD", f"{message.subject}: {error}") from error


def _attempt() -> str:
    return secrets.token_hex(8)
