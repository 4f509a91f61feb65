"""What a firm, a product and a principal must satisfy before they are stored.

Each function returns what is to be stored or raises `Rejected` with the path of the field.
What needs other records (does the firm exist?) is the registry's to check.
"""

from __future__ import annotations

import re

from lianmeng.kernel.codes import (
    COUNTRIES,
    MARKETS,
    require_battery_class,
    require_division,
    require_hs6,
    require_locode,
    require_market,
    require_unit,
    require_uscc,
)
from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.ids import require_id
from lianmeng.kernel.money import BASIS
from lianmeng.kernel.roles import PrincipalRole
from lianmeng.pool import checks
from lianmeng.pool.checks import Bounds
from lianmeng.pool.firms import Certificate, Firm
from lianmeng.pool.products import Material, Product, SalePrice

PUBLIC_KEY_BYTES = 32

NOTICE_HOURS = Bounds(0, 24 * 30)
CONCURRENT_ALLIANCES = Bounds(0, 1_000)
UNIT_WEIGHT_G = Bounds(1, 10**7)
UNIT_VOLUME_CM3 = Bounds(0, 10**8)

_SHA256 = re.compile(r"[0-9a-f]{64}")


def validate_firm(firm: Firm, field: str = "firm") -> Firm:
    """`firm`, if all its own fields are in order."""
    require_id(firm.firm_id, f"{field}.firm_id")
    require_uscc(firm.uscc, f"{field}.uscc")
    checks.text(firm.name_zh, f"{field}.name_zh", needed=True)
    checks.text(firm.name_en, f"{field}.name_en")
    require_division(firm.division, f"{field}.division")
    require_locode(firm.locode, f"{field}.locode")
    checks.unique(firm.roles, f"{field}.roles")
    checks.in_range(firm.notice_hours, NOTICE_HOURS, f"{field}.notice_hours")
    limit = f"{field}.max_concurrent_alliances"
    checks.in_range(firm.max_concurrent_alliances, CONCURRENT_ALLIANCES, limit)
    _affiliates(firm, f"{field}.affiliates")
    _markets(firm.can_sell_in, f"{field}.can_sell_in")
    _markets(firm.can_import_in, f"{field}.can_import_in")
    checks.short_list(firm.certificates, f"{field}.certificates")
    for index, certificate in enumerate(firm.certificates):
        _certificate(certificate, f"{field}.certificates[{index}]")
    return firm


def validate_product(product: Product, field: str = "product") -> Product:
    """`product`, if all its own fields are in order."""
    require_id(product.product_id, f"{field}.product_id")
    checks.text(product.name_zh, f"{field}.name_zh", needed=True)
    checks.text(product.name_en, f"{field}.name_en")
    checks.texts(product.aliases, f"{field}.aliases")
    require_hs6(product.hs6, f"{field}.hs6")
    require_unit(product.uom, f"{field}.uom")
    checks.in_range(product.unit_weight_g, UNIT_WEIGHT_G, f"{field}.unit_weight_g")
    checks.in_range(product.unit_volume_cm3, UNIT_VOLUME_CM3, f"{field}.unit_volume_cm3")
    validate_materials(product.materials, f"{field}.materials", whole=True)
    checks.texts(product.required_certificates, f"{field}.required_certificates")
    if product.battery_class:
        require_battery_class(product.battery_class, f"{field}.battery_class")
    places = [(price.market, price.channel) for price in product.prices]
    checks.unique(places, f"{field}.prices")
    for index, price in enumerate(product.prices):
        _sale_price(price, f"{field}.prices[{index}]")
    return product


def validate_materials(materials: tuple[Material, ...], field: str, *, whole: bool) -> None:
    """Checks a mix; with `whole`, the shares of a mix that has any must sum to 10,000."""
    checks.texts([material.name for material in materials], field)
    for index, material in enumerate(materials):
        checks.in_range(material.share_bp, checks.SHARE, f"{field}[{index}].share_bp")
        checks.in_range(material.recycled_bp, checks.SHARE, f"{field}[{index}].recycled_bp")
    total = sum(material.share_bp for material in materials)
    if whole and materials and total != BASIS:
        raise Rejected(
            reason="OUT_OF_RANGE",
            field=field,
            message=f"the shares sum to {total} basis points",
            hint="make them sum to 10,000 (100 %)",
            message_zh=f"各成分占比合计为 {total} 基点",
            hint_zh="请使合计为 10,000（即 100%）",
        )


def validate_public_key(public_key: bytes, field: str) -> bytes:
    """`public_key`, if it has the length of a raw Ed25519 public key."""
    checks.required(public_key, field)
    if len(public_key) == PUBLIC_KEY_BYTES:
        return public_key
    raise Rejected(
        reason="MALFORMED_VALUE",
        field=field,
        message=f"{len(public_key)} bytes are not an Ed25519 public key",
        hint="send the raw public key, 32 bytes",
        message_zh=f"{len(public_key)} 字节，不是 Ed25519 公钥",
        hint_zh="请提交 32 字节的原始公钥",
    )


def validate_office_roles(roles: tuple[PrincipalRole, ...], field: str) -> None:
    """Roles of a principal that acts for no firm: at least one, and not FIRM."""
    checks.required(roles, field)
    checks.unique(roles, field)
    if PrincipalRole.FIRM in roles:
        raise Rejected(
            reason="OUT_OF_RANGE",
            field=f"{field}[{roles.index(PrincipalRole.FIRM)}]",
            message="the role FIRM is given by RegisterFirm only",
            hint="register the firm, or choose another role",
            message_zh="FIRM 角色只能通过注册企业获得",
            hint_zh="请注册企业，或选择其他角色",
        )


def _affiliates(firm: Firm, field: str) -> None:
    for index, affiliate in enumerate(firm.affiliates):
        require_id(affiliate, f"{field}[{index}]")
        if affiliate == firm.firm_id:
            raise Rejected(
                reason="DUPLICATE",
                field=f"{field}[{index}]",
                message="a firm is not its own affiliate",
                hint="leave it out",
                message_zh="企业不能是自己的关联企业",
                hint_zh="请删除该项",
            )
    checks.unique(firm.affiliates, field)


def _markets(markets: tuple[str, ...], field: str) -> None:
    for index, market in enumerate(markets):
        require_market(market, f"{field}[{index}]")
    checks.unique(markets, field)


def _certificate(certificate: Certificate, field: str) -> None:
    checks.text(certificate.type, f"{field}.type", needed=True)
    checks.text(certificate.number, f"{field}.number", needed=True)
    for index, hs6 in enumerate(certificate.scope_hs6):
        require_hs6(hs6, f"{field}.scope_hs6[{index}]")
    checks.texts(certificate.scope_materials, f"{field}.scope_materials")
    for index, market in enumerate(certificate.markets):
        _country(market, f"{field}.markets[{index}]")
    checks.date_order(certificate.valid_from, certificate.valid_to, f"{field}.valid_to")
    if certificate.document_sha256 and not _SHA256.fullmatch(certificate.document_sha256):
        raise Rejected(
            reason="MALFORMED_VALUE",
            field=f"{field}.document_sha256",
            message="this is not a SHA-256 in hexadecimal",
            hint="send 64 lower-case hex digits, or nothing",
            message_zh="不是十六进制的 SHA-256",
            hint_zh="请填 64 位小写十六进制，或留空",
        )


def _country(code: str, field: str) -> None:
    if code in COUNTRIES:
        return
    raise Rejected(
        reason="UNKNOWN_MARKET",
        field=field,
        message=f"{code[:8]!r} is not a country",
        hint="write an ISO 3166-1 alpha-2 code such as TH",
        message_zh=f"{code[:8]!r} 不是国家代码",
        hint_zh="请填 ISO 3166-1 两位代码，例如 TH",
    )


def _sale_price(price: SalePrice, field: str) -> None:
    require_market(price.market, f"{field}.market")
    checks.text(price.channel, f"{field}.channel")
    checks.money(price.price, f"{field}.price", above_zero=True)
    wanted = MARKETS[price.market]
    if price.price.currency != wanted:
        raise Rejected(
            reason="UNKNOWN_CURRENCY",
            field=f"{field}.price.currency",
            message=f"{price.market} is not priced in {price.price.currency}",
            hint=f"state the price in {wanted}",
            message_zh=f"{price.market} 市场不以 {price.price.currency} 计价",
            hint_zh=f"请以 {wanted} 报价",
        )
