"""Agencies as options of a problem: markets that they cover, free hours, fees."""

from __future__ import annotations

from lianmeng.alliance.demand import MarketDemand
from lianmeng.matcher import eligibility as rules
from lianmeng.matcher.availability import creator_hours
from lianmeng.matcher.offers import Tally, offer_of
from lianmeng.matcher.problem import Promoter
from lianmeng.matcher.question import Question
from lianmeng.matcher.rates import commission_microfen
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.nodes import Marketing, Node


def find_promoters(question: Question, pool: Snapshot, tally: Tally) -> tuple[Promoter, ...]:
    """Agencies that can promote the goods in a market of the demand."""
    found = []
    for node in pool.agencies:
        promoter, reason = _promoter(question, pool, node)
        if promoter is None:
            tally.by_role["agency"][reason] += 1
        else:
            tally.eligible += 1
            found.append(promoter)
    return tuple(found)


def _promoter(question: Question, pool: Snapshot, node: Node) -> tuple[Promoter | None, str]:
    firm, shown = pool.firms.get(node.firm_id), node.capability
    assert isinstance(shown, Marketing)
    reason = rules.membership_reason(question, pool, firm, node)
    if reason or firm is None:
        return None, reason
    reason = rules.showing_reason(question, shown)
    if reason:
        return None, reason
    promoter = Promoter(
        offer=offer_of(question, pool, firm, node),
        resource_id=node.agency_resource(),
        capacity=shown.creator_hours_per_day,
        hours=creator_hours(question, pool, firm, node),
        units_per_hour=shown.units_per_creator_hour,
        fixed_fen=question.fen(shown.fixed_fee),
        hour_fen=question.fen(shown.hour_fee),
        commission_bp=shown.commission_bp,
        commission_microfen={
            market.market: commission_microfen(question.sale_fen(market), shown.commission_bp)
            for market in question.demand.markets
            if _covers(shown, market)
        },
    )
    reason = rules.promoter_reason(promoter)
    return (None, reason) if reason else (promoter, "")


def _covers(shown: Marketing, market: MarketDemand) -> bool:
    channel = any(
        account.market == market.market and market.channel in ("", account.platform)
        for account in shown.accounts
    )
    return channel and rules.speaks(shown, market.language)
