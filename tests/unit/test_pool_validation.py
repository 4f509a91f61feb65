from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianmeng.kernel.calendar import Calendar
from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.money import Money, cny
from lianmeng.kernel.roles import PrincipalRole
from lianmeng.pool.checks import MAX_UNITS
from lianmeng.pool.firms import Certificate, Firm, SizeClass
from lianmeng.pool.node_validation import validate_node
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
    PriceBreak,
    ProductionLine,
    Stock,
    Warehouse,
)
from lianmeng.pool.products import Material, Product, SalePrice
from lianmeng.pool.validation import (
    validate_firm,
    validate_office_roles,
    validate_product,
    validate_public_key,
)

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)

FIRM = Firm(
    firm_id="keqiao-a",
    uscc="91350100M000100Y43",
    name_zh="绍兴甲厂",
    size_class=SizeClass.SMALL,
    division="330603",
    locode="CNSXG",
)
GRS = Certificate(type="GRS", number="1", valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31))
PRODUCT = Product(
    product_id="shawl",
    name_zh="披肩",
    hs6="621430",
    uom="H87",
    unit_weight_g=120,
    materials=(Material("rPET", 10_000, 10_000),),
    prices=(SalePrice("TH", "", Money(15_900, "THB")),),
)
MADE = Manufacturing(
    hs6=("621430",),
    uom="H87",
    lines=(ProductionLine("one", 2_000),),
    first_batch_days=DaysRange(3, 4),
    price_breaks=(PriceBreak(0, cny(980)), PriceBreak(500, cny(960))),
)
LANE = Lane(
    lane_id="th-sea",
    origin="CNNGB",
    gateway="THLCH",
    destination="THBKK",
    market="TH",
    mode=LaneMode.SEA,
    transit_days=DaysRange(18, 26),
    capacity_kg=10_000,
    basis=FreightBasis.CBM,
    price=cny(90_000),
)
STOCK = Stock(
    owner_firm_id="trader", product_id="shawl", units=5, unit_price=cny(900), as_of_time=NOW
)
HOUSE = Warehouse(
    warehouse_id="bkk", locode="THBKK", market="TH", release_days=DaysRange(1, 2), stock=(STOCK,)
)
SHOWN = Marketing(accounts=(Account(platform="SHOPEE", market="TH"),), languages=("th",))


def node(capability: Manufacturing | Logistics | Marketing) -> Node:
    return Node(
        node_id="n",
        firm_id="keqiao-a",
        locode="CNSXG",
        calendar=Calendar("Asia/Shanghai", (1, 2, 3, 4, 5, 6)),
        capability=capability,
    )


MILL, HUB, STUDIO = node(MADE), node(Logistics(lanes=(LANE,), warehouses=(HOUSE,))), node(SHOWN)


def refused(check: Callable[..., object], *values: object) -> Rejected:
    with pytest.raises(Rejected) as caught:
        check(*values)
    error = caught.value
    assert error.message
    assert error.hint
    assert error.message_zh
    assert error.hint_zh
    return error


def test_what_is_in_order_passes() -> None:
    assert validate_firm(FIRM) == FIRM
    assert validate_product(PRODUCT) == PRODUCT
    assert validate_node(MILL, NOW) is MILL
    assert validate_node(STUDIO, NOW) is STUDIO


def test_ningbo_by_sea_is_stored_by_its_ports_code() -> None:
    stored = validate_node(HUB, NOW).capability
    assert isinstance(stored, Logistics)
    assert stored.lanes[0].origin == "CNNBG"
    by_air = node(Logistics(lanes=(replace(LANE, mode=LaneMode.AIR),)))
    assert validate_node(by_air, NOW) is by_air


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"firm_id": "Mill No. 3"}, "MALFORMED_ID", "firm.firm_id"),
        ({"uscc": "91350100M000100Y44"}, "USCC_CHECK_CHARACTER", "firm.uscc"),
        ({"name_zh": "  "}, "MISSING_FIELD", "firm.name_zh"),
        ({"name_zh": "王老板 13857512345"}, "PERSONAL_DATA", "firm.name_zh"),
        ({"name_en": "a\nb"}, "MALFORMED_VALUE", "firm.name_en"),
        ({"division": "33060"}, "MALFORMED_VALUE", "firm.division"),
        ({"locode": "SXG"}, "MALFORMED_LOCODE", "firm.locode"),
        ({"notice_hours": -1}, "OUT_OF_RANGE", "firm.notice_hours"),
        ({"affiliates": ("b", "keqiao-a")}, "DUPLICATE", "firm.affiliates[1]"),
        ({"can_sell_in": ("TH", "XX")}, "UNKNOWN_MARKET", "firm.can_sell_in[1]"),
        ({"can_import_in": ("TH", "TH")}, "DUPLICATE", "firm.can_import_in[1]"),
        (
            {"certificates": (replace(GRS, valid_to=date(2025, 1, 1)),)},
            "DATE_ORDER",
            "firm.certificates[0].valid_to",
        ),
        (
            {"certificates": (GRS, replace(GRS, scope_hs6=("62",)))},
            "MALFORMED_HS6",
            "firm.certificates[1].scope_hs6[0]",
        ),
        (
            {"certificates": (replace(GRS, document_sha256="ab"),)},
            "MALFORMED_VALUE",
            "firm.certificates[0].document_sha256",
        ),
    ],
)
def test_firms_that_are_refused(change: dict[str, Any], reason: str, field: str) -> None:
    error = refused(validate_firm, replace(FIRM, **change))
    assert (error.reason, error.field) == (reason, field)


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"hs6": "62143"}, "MALFORMED_HS6", "product.hs6"),
        ({"uom": "pcs"}, "UNKNOWN_UNIT", "product.uom"),
        ({"unit_weight_g": 0}, "OUT_OF_RANGE", "product.unit_weight_g"),
        ({"materials": (Material("rPET", 9_000),)}, "OUT_OF_RANGE", "product.materials"),
        ({"battery_class": "UN38"}, "MALFORMED_VALUE", "product.battery_class"),
        (
            {"prices": (SalePrice("TH", "", cny(1)),)},
            "UNKNOWN_CURRENCY",
            "product.prices[0].price.currency",
        ),
        (
            {"prices": (SalePrice("TH", "", Money(0, "THB")),)},
            "OUT_OF_RANGE",
            "product.prices[0].price.amount_minor",
        ),
    ],
)
def test_products_that_are_refused(change: dict[str, Any], reason: str, field: str) -> None:
    error = refused(validate_product, replace(PRODUCT, **change))
    assert (error.reason, error.field) == (reason, field)


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"hs6": ()}, "MISSING_FIELD", "hs6"),
        ({"lines": ()}, "MISSING_FIELD", "lines"),
        (
            {"lines": (ProductionLine("one", 10**15),)},
            "OUT_OF_RANGE",
            "lines[0].day_capacity_units",
        ),
        ({"lines": (ProductionLine("one", 1), ProductionLine("one", 2))}, "DUPLICATE", "lines[1]"),
        ({"moq_units": -5}, "OUT_OF_RANGE", "moq_units"),
        ({"first_batch_days": DaysRange(5, 3)}, "OUT_OF_RANGE", "first_batch_days.p90_days"),
        ({"price_breaks": (PriceBreak(10, cny(1)),)}, "OUT_OF_RANGE", "price_breaks[0].min_units"),
        (
            {"price_breaks": (PriceBreak(0, cny(2)), PriceBreak(0, cny(1)))},
            "OUT_OF_RANGE",
            "price_breaks[1].min_units",
        ),
        (
            {"price_breaks": (PriceBreak(0, Money(2, "XYZ")),)},
            "UNKNOWN_CURRENCY",
            "price_breaks[0].unit_price.currency",
        ),
        ({"first_pass_yield_bp": 10_001}, "OUT_OF_RANGE", "first_pass_yield_bp"),
        ({"incoterms": ("DAF",)}, "MALFORMED_VALUE", "incoterms[0]"),
    ],
)
def test_mills_that_are_refused(change: dict[str, Any], reason: str, field: str) -> None:
    error = refused(validate_node, node(replace(MADE, **change)), NOW)
    assert (error.reason, error.field) == (reason, f"node.manufacturing.{field}")


@pytest.mark.parametrize(
    ("moved", "reason", "field"),
    [
        (Logistics(), "MISSING_FIELD", "lanes"),
        (Logistics(lanes=(LANE, LANE)), "DUPLICATE", "lanes[1]"),
        (Logistics(lanes=(replace(LANE, origin="NGB"),)), "MALFORMED_LOCODE", "lanes[0].origin"),
        (
            Logistics(lanes=(replace(LANE, departure_weekdays=(0,)),)),
            "OUT_OF_RANGE",
            "lanes[0].departure_weekdays[0]",
        ),
        (
            Logistics(lanes=(replace(LANE, customs_modes=("9999",)),)),
            "MALFORMED_VALUE",
            "lanes[0].customs_modes[0]",
        ),
        (
            Logistics(
                warehouses=(
                    replace(HOUSE, stock=(replace(STOCK, as_of_time=NOW + timedelta(hours=1)),)),
                )
            ),
            "OUT_OF_RANGE",
            "warehouses[0].stock[0].as_of_time",
        ),
        (
            Logistics(warehouses=(replace(HOUSE, stock=(STOCK, STOCK)),)),
            "DUPLICATE",
            "warehouses[0].stock[1]",
        ),
    ],
)
def test_forwarders_that_are_refused(moved: Logistics, reason: str, field: str) -> None:
    error = refused(validate_node, node(moved), NOW)
    assert (error.reason, error.field) == (reason, f"node.logistics.{field}")


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"accounts": ()}, "MISSING_FIELD", "accounts"),
        ({"languages": ("Thai",)}, "MALFORMED_VALUE", "languages[0]"),
        ({"categories": ("62", "621")}, "MALFORMED_HS6", "categories[1]"),
        ({"commission_bp": 20_000}, "OUT_OF_RANGE", "commission_bp"),
        ({"ai_label_method": "me@mail.example"}, "PERSONAL_DATA", "ai_label_method"),
    ],
)
def test_agencies_that_are_refused(change: dict[str, Any], reason: str, field: str) -> None:
    error = refused(validate_node, node(replace(SHOWN, **change)), NOW)
    assert (error.reason, error.field) == (reason, f"node.marketing.{field}")


@pytest.mark.parametrize(
    ("calendar", "field"),
    [
        (Calendar("Asia/Atlantis"), "time_zone"),
        (Calendar("../etc/passwd"), "time_zone"),
        (Calendar(""), "time_zone"),
        (Calendar("Asia/Shanghai", (8,)), "working_weekdays[0]"),
        (Calendar("Asia/Shanghai", (1, 1)), "working_weekdays[1]"),
        (Calendar("Asia/Shanghai", (), (date(2026, 5, 1),) * 2), "closed_dates[1]"),
    ],
)
def test_calendars_that_are_refused(calendar: Calendar, field: str) -> None:
    error = refused(validate_node, replace(MILL, calendar=calendar), NOW)
    assert error.field == f"node.calendar.{field}"


@given(st.integers())
def test_the_bounds_of_capacity(units: int) -> None:
    mill = node(replace(MADE, lines=(ProductionLine("one", units),)))
    if 0 <= units <= MAX_UNITS:
        assert validate_node(mill, NOW) is mill
    else:
        assert refused(validate_node, mill, NOW).reason == "OUT_OF_RANGE"


@given(st.text(max_size=400))
def test_only_short_printable_text_without_personal_data_gets_in(text: str) -> None:
    with suppress(Rejected):
        validate_firm(replace(FIRM, name_en=text))
        assert len(text) <= 200
        assert text.isprintable()


def test_keys_and_roles() -> None:
    assert validate_public_key(b"k" * 32, "public_key") == b"k" * 32
    assert refused(validate_public_key, b"", "public_key").reason == "MISSING_FIELD"
    assert refused(validate_public_key, b"k" * 31, "public_key").reason == "MALFORMED_VALUE"
    validate_office_roles((PrincipalRole.OPERATOR,), "roles")
    assert refused(validate_office_roles, (), "roles").field == "roles"
    mixed = (PrincipalRole.OPERATOR, PrincipalRole.FIRM)
    assert refused(validate_office_roles, mixed, "roles").field == "roles[1]"


def test_a_certificate_covers_its_scope_while_it_is_valid() -> None:
    narrow = replace(GRS, scope_hs6=("621430",), scope_materials=("rPET",), markets=("TH",))
    firm = replace(FIRM, certificates=(narrow,))
    day = date(2026, 3, 2)
    assert firm.holds("GRS", "621430", ("rPET",), "TH", day)
    assert not firm.holds("GRS", "611710", ("rPET",), "TH", day)
    assert not firm.holds("GRS", "621430", ("rPET", "cotton"), "TH", day)
    assert not firm.holds("GRS", "621430", ("rPET",), "VN", day)
    assert not firm.holds("GRS", "621430", ("rPET",), "TH", date(2027, 1, 1))
    assert not firm.holds("OEKO-TEX100", "621430", ("rPET",), "TH", day)
