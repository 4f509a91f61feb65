"""What the matcher does when the log speaks: trends begin alliances, lifecycle asks for plans."""

from __future__ import annotations

from datetime import timedelta

from google.protobuf.message import DecodeError

from lianmeng.alliance import facts as f
from lianmeng.alliance.wire import EVENT, read_record
from lianmeng.kernel.errors import Poison, Rejected, Transient
from lianmeng.kernel.trends import Trend
from lianmeng.matcher.demand import forms_alliance, of_trend
from lianmeng.matcher.follow import PoolView
from lianmeng.matcher.service import SELF, SOLVES_AT_ONCE, Matcher
from lianmeng.pool.products import ProductState
from lianmeng.runtime import subjects
from lianmeng.runtime.codec import decode
from lianmeng.runtime.consumers import Durable, consume
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.messages import Message
from lianmeng.v1 import trend_pb2

_ASKS = frozenset({"alliance.demand_accepted", "alliance.rematch_due", "alliance.repair_requested"})
"""Facts that the matcher has to answer."""

WAIT = timedelta(milliseconds=50)
"""After this a mapped trend looks again whether its product has been heard of."""


async def consume_trends(log: Log, zone: str, matcher: Matcher, pool: PoolView) -> None:
    """Begin an alliance for each FLASH trend that can be served; never returns."""

    async def handle(message: Message) -> None:
        trend = _trend(message)
        if not forms_alliance(trend):
            return
        product = pool.product(trend.product_id)
        if product is None:  # the trend service has heard of it, so it is on its way
            raise Transient("VIEW_LAGS", f"{trend.product_id} is not yet known", WAIT)
        if product.state is not ProductState.ACTIVE:
            return
        try:
            demand = of_trend(trend, product)
        except Rejected as error:
            raise Poison(error.reason, str(error)) from error
        await matcher.accept(demand, SELF)

    subject = subjects.trend_subject(zone, "*")
    await consume(log, Durable("matcher-trends", (subject,), SELF, parallel=4), handle)


def _trend(message: Message) -> Trend:
    try:
        return decode(trend_pb2.Trend.FromString(message.data), Trend)
    except (DecodeError, Rejected, ValueError) as error:
        raise Poison("CORRUPT_PAYLOAD", f"{message.subject}: {error}") from error


async def consume_alliances(log: Log, zone: str, matcher: Matcher) -> None:
    """Answer what lifecycle asks; never returns."""

    async def handle(message: Message) -> None:
        if message.headers.get(EVENT) not in _ASKS:
            return
        record = read_record(message.data)
        if isinstance(record.fact, f.RepairRequested):
            await matcher.repair(record.alliance_id)
        elif record.state is not None:
            await matcher.match(record.alliance_id, record.state.fact_count)

    subject = subjects.alliance_subject(zone, "*")
    durable = Durable("matcher-alliances", (subject,), SELF, parallel=2 * SOLVES_AT_ONCE)
    await consume(log, durable, handle)
