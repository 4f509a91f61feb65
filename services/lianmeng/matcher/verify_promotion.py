"""Independent checks of campaigns: market, language, hours, fees."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from lianmeng.alliance.plan import Campaign, Plan
from lianmeng.kernel.money import to_fen
from lianmeng.matcher.question import Question
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.matcher.verify_goods import may_take_part
from lianmeng.pool.nodes import Marketing, Node


def check_promotion(
    question: Question, pool: Snapshot, plan: Plan, kept: frozenset[str]
) -> Iterator[str]:
    """What is wrong with the campaigns that are not kept."""
    nodes = pool.nodes()
    for campaign in plan.campaigns:
        if campaign.campaign_id in kept:
            continue
        node, firm = nodes.get(campaign.node_id), pool.firms.get(campaign.firm_id)
        if node is None or firm is None or not may_take_part(question, firm, node):
            yield f"MEMBER {campaign.campaign_id}: {campaign.firm_id} may not take part"
        elif isinstance(node.capability, Marketing):
            found = (
                *_audience(question, node.capability, campaign),
                *_hours(question, node, node.capability, campaign),
                *_fees(question, node.capability, campaign),
            )
            yield from (f"PROMOTION {campaign.campaign_id}: {what}" for what in found)


def _audience(question: Question, shown: Marketing, campaign: Campaign) -> Iterator[str]:
    market = next((m for m in question.demand.markets if m.market == campaign.market), None)
    if market is None or market.language != campaign.language:
        yield "nobody asked for this market and language"
        return
    spoken = {language.split("-")[0].lower() for language in shown.languages}
    if market.language.split("-")[0].lower() not in spoken:
        yield f"the agency does not speak {market.language}"
    held = {(a.market, a.platform) for a in shown.accounts}
    markets = {account.market for account in shown.accounts}
    if (
        (market.market, market.channel) not in held
        if market.channel
        else (market.market not in markets)
    ):
        yield "the agency has no account there"


def _hours(question: Question, node: Node, shown: Marketing, campaign: Campaign) -> Iterator[str]:
    if campaign.hours * shown.units_per_creator_hour < campaign.units:
        yield f"{campaign.hours} hours do not sell {campaign.units} units"
    if sum(bucket.units for bucket in campaign.buckets) != campaign.hours:
        yield "its days do not sum to its hours"
    for bucket in campaign.buckets:
        day = date.fromisoformat(bucket.key)
        inside = campaign.start_date <= day <= campaign.end_date
        future = question.today < day <= question.last_date
        if not (inside and future and node.calendar.is_working(day)):
            yield f"it does not work for this on {day}"
        if bucket.capacity_units != shown.creator_hours_per_day:
            yield f"a day has {shown.creator_hours_per_day} hours"


def _fees(question: Question, shown: Marketing, campaign: Campaign) -> Iterator[str]:
    rates = question.thresholds.fx
    fixed = to_fen(shown.fixed_fee, rates) if shown.fixed_fee else 0
    hourly = to_fen(shown.hour_fee, rates) if shown.hour_fee else 0
    if campaign.fixed_fee_fen != fixed:
        yield f"its fixed fee is {fixed}"
    if campaign.hours_fee_fen != campaign.hours * hourly:
        yield f"an hour costs {hourly}"
    if campaign.commission_bp != shown.commission_bp:
        yield f"its commission is {shown.commission_bp} bp"
