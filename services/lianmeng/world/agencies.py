"""Agencies: creators and channels in one to three markets. All figures are ours."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from lianmeng.kernel.calendar import Calendar
from lianmeng.kernel.money import Money, cny
from lianmeng.kernel.roles import Role
from lianmeng.pool.firms import Firm, SizeClass
from lianmeng.pool.nodes import Account, Marketing, Node
from lianmeng.world import draws
from lianmeng.world.identity import Brand, demo_uscc
from lianmeng.world.tables import MarketRow, Span

SEATS = (
    ("hangzhou", "杭州滨江", "Hangzhou", "330108", "CNHAZ"),
    ("hangzhou", "杭州余杭", "Hangzhou", "330110", "CNHAZ"),
    ("yiwu", "义乌", "Yiwu", "330782", "CNYIU"),
    ("ningbo", "宁波鄞州", "Ningbo", "330212", "CNNBO"),
)


@dataclass(frozen=True, slots=True)
class Scale:
    """How large an agency is: creators, bookable hours per day, fees in CNY."""

    creators: Span
    hours_per_day: Span
    fixed_fee_yuan: Span
    hour_fee_yuan: Span


SMALL = Scale(Span(3, 10), Span(8, 16), Span(2_500, 6_000), Span(35, 60))
LARGE = Scale(Span(30, 80), Span(60, 110), Span(28_000, 38_000), Span(20, 35))


def agency(
    rng: Random,
    brand: Brand,
    number: int,
    markets: tuple[MarketRow, ...],
    scale: Scale,
    calendar: Calendar,
) -> tuple[Firm, Node]:
    """An agency that covers `markets` in their languages and can sell there."""
    seat, city_zh, city_en, division, locode = SEATS[number % len(SEATS)]
    slug = f"{seat}-{brand.slug}-media"
    firm = Firm(
        firm_id=slug,
        uscc=demo_uscc(number, 80),
        name_zh=f"{city_zh}{brand.zh}传媒",
        name_en=f"{city_en} {brand.title} Media",
        size_class=SizeClass.SMALL if scale is LARGE else SizeClass.MICRO,
        division=division,
        roles=(Role.MARKETING,),
        locode=locode,
        notice_hours=rng.choice((0, 0, 4)),
        max_concurrent_alliances=rng.choice((0, 3, 6)),
        can_sell_in=tuple(row.market for row in markets),
        can_import_in=tuple(row.market for row in markets if rng.random() < 0.5),
    )
    node = Node(
        node_id=f"{slug}-creators",
        firm_id=slug,
        name=firm.name_zh,
        locode=locode,
        calendar=calendar,
        capability=_marketing(rng, markets, scale),
    )
    return firm, node


def _marketing(rng: Random, markets: tuple[MarketRow, ...], scale: Scale) -> Marketing:
    creators = draws.whole(rng, scale.creators)
    return Marketing(
        accounts=tuple(
            Account(
                platform=channel,
                market=row.market,
                followers=creators * rng.randrange(5_000, 60_000, 1_000),
                gmv_30d=_sales(rng, creators),
            )
            for row in markets
            for channel in draws.some(rng, row.channels, 1, 2)
        ),
        languages=tuple(dict.fromkeys(row.language for row in markets)),
        formats=("short-video", "live"),
        videos_per_day=creators,
        live_hours_per_day=creators // 2 + 1,
        creators=creators,
        creator_hours_per_day=draws.whole(rng, scale.hours_per_day),
        units_per_creator_hour=rng.randrange(12, 21),
        fixed_fee=cny(draws.whole(rng, scale.fixed_fee_yuan, 500) * draws.FEN),
        video_fee=draws.yuan(rng, 120, 400),
        hour_fee=cny(draws.whole(rng, scale.hour_fee_yuan) * draws.FEN),
        commission_bp=rng.randrange(600, 1_101, 50),
        conversion_bp=rng.randrange(80, 260, 10),
        ai_label_method=rng.choice(("", "画面角标 + 元数据")),
        violations=rng.choice((0, 0, 0, 1)),
    )


def _sales(rng: Random, creators: int) -> Money:
    """Sales of the last 30 days, stated in CNY as agencies report them."""
    return cny(creators * rng.randrange(4_000, 20_000, 500) * draws.FEN)
