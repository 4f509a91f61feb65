"""The cast of the story: the firms that can serve a shawl of recycled polyester in Thailand.

Five mills of Keqiao, three forwarders, four agencies and the owner of a stock in Bangkok, written
out so that the story can be told: the seeded pool around them does not compete here. All ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lianmeng.kernel.calendar import Calendar
from lianmeng.kernel.money import BASIS, cny
from lianmeng.kernel.roles import Role
from lianmeng.pool.firms import Certificate, Firm, SizeClass
from lianmeng.pool.nodes import (
    Account,
    DaysRange,
    FreightBasis,
    Lane,
    LaneMode,
    Logistics,
    Manufacturing,
    Marketing,
    Node,
    ProductionLine,
    Stock,
    Warehouse,
)
from lianmeng.pool.products import Material
from lianmeng.world.calendars import every_day, six_day_week
from lianmeng.world.factories import price_breaks
from lianmeng.world.identity import demo_uscc
from lianmeng.world.products import SCARF, SHAWL

THAILAND = "TH"

FIRST_NUMBER = 9_000
"""Number of the first firm of the cast, from which its code derives."""

WEEKDAYS = (1, 2, 3, 4, 5, 6)


@dataclass(frozen=True, slots=True)
class Mill:
    """A scarf mill: units per day, list price in fen, days to the first batch."""

    slug: str
    zh: str
    day_units: int
    price_fen: int
    first_batch_days: DaysRange
    notice_hours: int


@dataclass(frozen=True, slots=True)
class Carrier:
    """A forwarder to Bangkok by road and air: fen per kg, departures by road."""

    slug: str
    zh: str
    en: str
    road_fen: int
    air_fen: int
    road_weekdays: tuple[int, ...]
    capacity_kg: int


@dataclass(frozen=True, slots=True)
class Studio:
    """An agency: creators, hours per day, fees in CNY."""

    slug: str
    zh: str
    en: str
    creators: int
    hours_per_day: int
    units_per_hour: int
    fixed_fee_yuan: int
    hour_fee_yuan: int
    commission_bp: int


MILLS = (
    Mill("keqiao-yunjian", "云涧", 2_000, 980, DaysRange(3, 4), 0),
    Mill("keqiao-ruoye", "若耶", 2_200, 1_010, DaysRange(3, 4), 0),
    Mill("keqiao-jianshui", "鉴水", 1_900, 1_030, DaysRange(3, 5), 12),
    Mill("keqiao-lanzhu", "兰渚", 1_600, 1_060, DaysRange(4, 5), 12),
    Mill("keqiao-xiachuan", "霞川", 1_500, 1_090, DaysRange(4, 6), 0),
)
CARRIERS = (
    Carrier("ningbo-yuehang", "宁波越航国际货运", "Ningbo Yuehang Forwarding",
            1_050, 2_400, WEEKDAYS, 12_000),
    Carrier("yiwu-tuotu", "义乌驼途国际货运", "Yiwu Tuotu Forwarding",
            1_130, 2_600, WEEKDAYS, 8_000),
    Carrier("shaoxing-jingtong", "绍兴柯桥径通国际货运", "Shaoxing Jingtong Forwarding",
            1_220, 2_800, (1, 3, 5), 6_000),
)  # fmt: skip
STUDIOS = (
    Studio("hangzhou-qingyu", "杭州晴屿传媒", "Hangzhou Qingyu Media",
           60, 90, 15, 34_000, 24, 800),
    Studio("hangzhou-yeying", "杭州椰影传媒", "Hangzhou Yeying Media",
           72, 100, 14, 38_000, 22, 850),
    Studio("yiwu-xiaoxiang", "义乌小象传媒", "Yiwu Xiaoxiang Media",
           6, 14, 16, 3_500, 38, 900),
    Studio("ningbo-nanfeng", "宁波楠枫传媒", "Ningbo Nanfeng Media",
           5, 12, 16, 4_000, 42, 950),
)  # fmt: skip

TRADER = "hangzhou-nuanfeng-trading"
"""Owner of the shawls in Bangkok."""

STOCK_UNITS = 2_400
STOCK_PRICE_FEN = 1_080


def cast(first: date, as_of: datetime) -> tuple[tuple[Firm, ...], tuple[Node, ...]]:
    """Firms and nodes of the cast from `first` on; the Bangkok stock was counted at `as_of`."""
    six_days = six_day_week(first)
    mills = [_mill(mill, index, six_days, first) for index, mill in enumerate(MILLS)]
    carriers = [_carrier(one, index, six_days, as_of) for index, one in enumerate(CARRIERS)]
    studios = [_studio(studio, index) for index, studio in enumerate(STUDIOS)]
    pairs = mills + carriers + studios
    return (*(firm for firm, _ in pairs), _trader()), tuple(node for _, node in pairs)


def _mill(mill: Mill, index: int, calendar: Calendar, first: date) -> tuple[Firm, Node]:
    firm = Firm(
        firm_id=mill.slug,
        uscc=demo_uscc(FIRST_NUMBER + index, 3),
        name_zh=f"绍兴柯桥{mill.zh}围巾厂",
        name_en=f"Keqiao {mill.slug.removeprefix('keqiao-').capitalize()} Scarf Mill",
        size_class=SizeClass.SMALL,
        division="330603",
        roles=(Role.MANUFACTURING,),
        locode="CNSXG",
        certificates=_certificates(index, first),
        notice_hours=mill.notice_hours,
        can_export=True,
    )
    moq = 300
    made = Manufacturing(
        hs6=("621430", "611710"),
        materials=(Material("rPET", recycled_bp=BASIS), Material("polyester"), Material("cotton")),
        processes=("cutting", "hemming", "printing"),
        uom="H87",
        lines=(ProductionLine("line-1", mill.day_units),),
        moq_units=moq,
        lot_multiple_units=100,
        sample_days=DaysRange(1, 2),
        first_batch_days=mill.first_batch_days,
        reorder_days=DaysRange(2, 3),
        price_breaks=price_breaks(mill.price_fen, moq)[:1],
        setup_fee=cny(60_000 + 5_000 * index),
        overtime_units=mill.day_units // 5,
        overtime_premium_bp=2_000,
        carton_units=100,
        first_pass_yield_bp=9_850,
        incoterms=("EXW", "FCA"),
    )
    return firm, _node(firm, "mill", calendar, made)


def _certificates(index: int, first: date) -> tuple[Certificate, ...]:
    """GRS for scarves of recycled polyester, and the textile standard of China."""
    start, end = first - timedelta(days=120 + index), first + timedelta(days=245 - index)
    number = f"GRS-{start.year}-{417 + index:06d}"
    scope = ("621430", "611710")
    return (
        Certificate(
            type="GRS",
            number=number,
            scope_hs6=scope,
            scope_materials=("rPET",),
            valid_from=start,
            valid_to=end,
        ),
        Certificate(type="GB18401", number=f"B-{number[4:]}", valid_from=start, valid_to=end),
    )


def _carrier(one: Carrier, index: int, calendar: Calendar, as_of: datetime) -> tuple[Firm, Node]:
    slug = f"{one.slug}-logistics"
    firm = Firm(
        firm_id=slug,
        uscc=demo_uscc(FIRST_NUMBER + 100 + index, 90),
        name_zh=one.zh,
        name_en=one.en,
        size_class=SizeClass.SMALL,
        division="330782" if index == 1 else "330206" if index == 0 else "330603",
        roles=(Role.LOGISTICS,),
        locode="CNYIU",
        can_export=True,
        can_import_in=(THAILAND,),
    )
    houses = (_bangkok(as_of),) if index == 0 else ()
    moved = Logistics(lanes=_lanes(one), warehouses=houses)
    return firm, _node(firm, "hub", calendar, moved)


def _lanes(one: Carrier) -> tuple[Lane, ...]:
    road = Lane(
        lane_id="th-road",
        origin="CNYIU",
        gateway="CNYYG",
        destination="THBKK",
        market=THAILAND,
        mode=LaneMode.ROAD,
        transit_days=DaysRange(7, 10),
        departure_weekdays=one.road_weekdays,
        capacity_kg=one.capacity_kg,
        basis=FreightBasis.KG,
        price=cny(one.road_fen),
        minimum_charge=cny(20_000),
        volumetric_divisor=5_000,
        customs_modes=("9610", "9710", "0110", "1039"),
        pickup_price_per_kg=cny(30),
    )
    air = Lane(
        lane_id="th-air",
        origin="CNHGH",
        gateway="THBKK",
        destination="THBKK",
        market=THAILAND,
        mode=LaneMode.AIR,
        transit_days=DaysRange(3, 5),
        capacity_kg=2_000,
        basis=FreightBasis.KG,
        price=cny(one.air_fen),
        minimum_charge=cny(30_000),
        volumetric_divisor=6_000,
        customs_modes=("9610", "9710"),
        pickup_price_per_kg=cny(40),
    )
    return road, air, _sea_lane(one)


def _sea_lane(one: Carrier) -> Lane:
    return Lane(
        lane_id="th-sea",
        origin="CNNBG",
        gateway="THLCH",
        destination="THBKK",
        market=THAILAND,
        mode=LaneMode.SEA,
        transit_days=DaysRange(18, 26),
        departure_weekdays=(2, 5),
        cutoff_days=2,
        capacity_kg=40_000,
        basis=FreightBasis.CBM,
        price=cny(90_000 + one.road_fen * 10),
        minimum_charge=cny(40_000),
        customs_modes=("9810", "0110"),
        pickup_price_per_kg=cny(25),
    )


def _bangkok(as_of: datetime) -> Warehouse:
    shawls = Stock(
        owner_firm_id=TRADER,
        product_id=SHAWL,
        units=STOCK_UNITS,
        unit_price=cny(STOCK_PRICE_FEN),
        as_of_time=as_of,
    )
    scarves = Stock(
        owner_firm_id=TRADER,
        product_id=SCARF,
        units=200,
        unit_price=cny(930),
        as_of_time=as_of,
    )
    return Warehouse(
        warehouse_id="bangkok",
        locode="THBKK",
        market=THAILAND,
        handling_fee=cny(100),
        last_mile_fee=cny(800),
        release_days=DaysRange(1, 2),
        stock=(shawls, scarves),
    )


def _studio(studio: Studio, index: int) -> tuple[Firm, Node]:
    slug = f"{studio.slug}-media"
    firm = Firm(
        firm_id=slug,
        uscc=demo_uscc(FIRST_NUMBER + 200 + index, 80),
        name_zh=studio.zh,
        name_en=studio.en,
        size_class=SizeClass.SMALL if studio.creators > 20 else SizeClass.MICRO,
        division=("330108", "330110", "330782", "330212")[index],
        roles=(Role.MARKETING,),
        locode=("CNHAZ", "CNHAZ", "CNYIU", "CNNBO")[index],
        can_sell_in=(THAILAND,),
    )
    shown = Marketing(
        accounts=tuple(
            Account(platform=platform, market=THAILAND, followers=studio.creators * 18_000)
            for platform in ("TIKTOK_SHOP", "SHOPEE")
        ),
        languages=("th",),
        formats=("short-video", "live"),
        videos_per_day=studio.creators,
        live_hours_per_day=studio.creators // 2,
        creators=studio.creators,
        creator_hours_per_day=studio.hours_per_day,
        units_per_creator_hour=studio.units_per_hour,
        fixed_fee=cny(studio.fixed_fee_yuan * 100),
        hour_fee=cny(studio.hour_fee_yuan * 100),
        commission_bp=studio.commission_bp,
        conversion_bp=160,
        ai_label_method="画面角标 + 元数据",
    )
    return firm, _node(firm, "creators", every_day(), shown)


def _trader() -> Firm:
    return Firm(
        firm_id=TRADER,
        uscc=demo_uscc(FIRST_NUMBER + 300, 70),
        name_zh="杭州暖枫贸易行",
        name_en="Hangzhou Nuanfeng Trading",
        size_class=SizeClass.MICRO,
        division="330109",
        roles=(Role.STOCK_OWNER,),
        locode="CNHAZ",
        can_export=True,
        can_sell_in=(THAILAND,),
        can_import_in=(THAILAND,),
    )


def _node(
    firm: Firm, suffix: str, calendar: Calendar, capability: Manufacturing | Logistics | Marketing
) -> Node:
    return Node(
        node_id=f"{firm.firm_id}-{suffix}",
        firm_id=firm.firm_id,
        name=firm.name_zh,
        locode=firm.locode,
        calendar=calendar,
        capability=capability,
    )
