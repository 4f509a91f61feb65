"""From a trend or a wish to a demand: what is wanted, checked, with the product pinned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lianmeng.alliance.demand import Demand, DemandOrigin, Limits, MarketDemand, ProductSnapshot
from lianmeng.kernel.codes import require_market
from lianmeng.kernel.errors import Rejected, Status
from lianmeng.kernel.ids import alliance_id_of_command, alliance_id_of_trend
from lianmeng.kernel.money import FxRate, Money, to_fen, unknown_currency
from lianmeng.kernel.quantities import Band
from lianmeng.kernel.thresholds import Thresholds
from lianmeng.kernel.trends import Trend, TrendKind, TrendMapping, TrendPhase
from lianmeng.pool.products import Product, ProductState

MAX_UNITS = 10_000_000
"""Most units that one demand may name."""

MAX_WINDOW = timedelta(days=120)
"""Longest window of a demand: an alliance is temporary."""

LANGUAGES: Mapping[str, str] = {
    "TH": "th", "VN": "vi", "ID": "id", "MY": "ms", "SG": "en", "PH": "fil", "US": "en",
    "DE": "de", "FR": "fr", "GB": "en", "ES": "es", "BR": "pt-BR", "SA": "ar", "AE": "ar",
    "JP": "ja", "KR": "ko",
}  # fmt: skip
"""Market → BCP 47 language in which goods are sold there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketWish:
    """Demand in one market as a caller says it."""

    market: str
    channel: str = ""
    band: Band | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandWish:
    """A demand as a caller says it. Field meanings: `proto/lianmeng/v1/matcher.proto`."""

    product_id: str
    markets: tuple[MarketWish, ...] = ()
    window_start_time: datetime | None = None
    window_end_time: datetime | None = None
    budget: Money | None = None
    max_members: int = 0
    uom: str = ""


def forms_alliance(trend: Trend) -> bool:
    """Whether a trend fact asks for an alliance: FLASH, mapped, alive."""
    return (
        trend.kind is TrendKind.FLASH
        and trend.mapping is TrendMapping.MAPPED
        and trend.phase is not TrendPhase.OVER
    )


def of_trend(trend: Trend, product: Product) -> Demand:
    """The demand of a trend: one market, its own window and band."""
    sale = product.price_in(trend.market)
    if sale is None:
        raise _unmapped(trend.product_id, trend.market)
    wanted = MarketDemand(
        market=trend.market,
        channel=sale.channel,
        language=LANGUAGES[trend.market],
        band=trend.demand_window,
        sale_price=sale.price,
    )
    return Demand(
        demand_id=alliance_id_of_trend(trend.trend_id),
        origin=DemandOrigin.TREND,
        trend_id=trend.trend_id,
        forecast_version=trend.forecast_version,
        product=snapshot_of(product),
        markets=(wanted,),
        window_start_time=trend.as_of_time,
        window_end_time=trend.window_end_time,
    )


def of_wish(
    wish: DemandWish,
    product: Product | None,
    zone: str,
    principal: str,
    command_id: str,
    now: datetime,
    rates: Mapping[str, FxRate],
) -> Demand:
    """The demand of a call. Raises `Rejected` that names the field."""
    known = _product(wish, product)
    start, end = _window(wish, now)
    if wish.max_members < 0:
        raise _rejected(
            "OUT_OF_RANGE",
            "demand.max_members",
            ("the number of members is below 0", "成员数不能为负数"),
            ("leave it out for no limit", "不限制时请不填"),
        )
    return Demand(
        demand_id=alliance_id_of_command(zone, principal, command_id),
        origin=DemandOrigin.MANUAL,
        requested_by=principal,
        command_id=command_id,
        product=snapshot_of(known),
        markets=_markets(wish, known),
        window_start_time=start,
        window_end_time=end,
        budget_fen=_budget(wish.budget, rates),
        max_members=wish.max_members,
    )


def _product(wish: DemandWish, product: Product | None) -> Product:
    """The product, if it is in the catalogue and counted as the caller counts."""
    if product is None or product.state is not ProductState.ACTIVE:
        raise _rejected(
            "UNMAPPED_PRODUCT",
            "demand.product_id",
            (f"{wish.product_id!r} is not in the catalogue", f"产品目录中没有 {wish.product_id!r}"),
            ("choose one of `lianmeng product list`", "请从 lianmeng product list 中选择"),
            Status.NOT_FOUND,
        )
    if wish.uom and wish.uom != product.uom:
        raise _rejected(
            "UNIT_MISMATCH",
            "demand.uom",
            (
                f"{product.product_id} is counted in {product.uom}, not {wish.uom[:8]}",
                f"{product.product_id} 的计量单位是 {product.uom}",
            ),
            (f"count in {product.uom}", f"请按 {product.uom} 填写数量"),
        )
    return product


def _markets(wish: DemandWish, product: Product) -> tuple[MarketDemand, ...]:
    if not wish.markets:
        raise _rejected(
            "MISSING_FIELD",
            "demand.markets",
            ("no market is named", "没有写明市场"),
            ("name at least one market, such as TH", "请至少填写一个市场，例如 TH"),
        )
    markets = tuple(_market(index, market, product) for index, market in enumerate(wish.markets))
    if len({market.market for market in markets}) < len(markets):
        raise _rejected(
            "DUPLICATE",
            "demand.markets",
            ("a market comes twice", "市场重复"),
            ("name each market once, with its whole quantity", "每个市场只填一次，数量合并"),
        )
    return markets


def _window(wish: DemandWish, now: datetime) -> tuple[datetime, datetime]:
    start, end = wish.window_start_time or now, wish.window_end_time
    field = "demand.window_end_time"
    later = ("name a time after now", "请填写将来的时间")
    if end is None:
        raise _rejected("MISSING_FIELD", field, ("the end is missing", "缺少截止时间"), later)
    if end <= now:
        raise _rejected("PAST_DATE", field, ("the window has ended", "截止时间已过"), later)
    if end <= start:
        raise _rejected(
            "DATE_ORDER",
            field,
            ("the window ends before it starts", "截止早于开始"),
            ("put the end after the start", "截止时间须晚于开始时间"),
        )
    if end - start > MAX_WINDOW:
        days = MAX_WINDOW.days
        raise _rejected(
            "OUT_OF_RANGE",
            field,
            (f"the window is longer than {days} days", f"时间窗口超过 {days} 天"),
            ("an alliance is temporary: shorten the window", "联盟是临时的，请缩短时间窗口"),
        )
    return start, end


def _market(index: int, wish: MarketWish, product: Product) -> MarketDemand:
    path = f"demand.markets[{index}]"
    require_market(wish.market, f"{path}.market")
    sale = product.price_in(wish.market)
    if sale is None or wish.market not in LANGUAGES:
        raise _unmapped(product.product_id, wish.market, f"{path}.market")
    band = wish.band
    if band is None or band.p50_units == 0:
        raise _rejected(
            "MISSING_FIELD",
            f"{path}.band.p50_units",
            ("how many units is missing", "缺少需求数量"),
            ("name P10, P50 and P90", "请填写 P10、P50、P90"),
        )
    if band.p90_units > MAX_UNITS:
        raise _rejected(
            "OUT_OF_RANGE",
            f"{path}.band.p90_units",
            (
                f"{band.p90_units:,} units is more than {MAX_UNITS:,}",
                f"{band.p90_units} 件超过上限 {MAX_UNITS}",
            ),
            ("check the number, or split the demand", "请核对数量，或拆分需求"),
        )
    return MarketDemand(
        market=wish.market,
        channel=wish.channel or sale.channel,
        language=LANGUAGES[wish.market],
        band=band,
        sale_price=sale.price,
    )


def _budget(budget: Money | None, rates: Mapping[str, FxRate]) -> int:
    if budget is None:
        return 0
    if budget.amount_minor <= 0:
        raise _rejected(
            "OUT_OF_RANGE",
            "demand.budget",
            ("the budget is not above 0", "预算必须大于零"),
            ("leave it out for no limit", "不限制时请不填"),
        )
    if budget.currency != "CNY" and budget.currency not in rates:
        raise unknown_currency(budget.currency, "demand.budget")
    return to_fen(budget, dict(rates))


def _unmapped(product: str, market: str, field: str = "market") -> Rejected:
    return _rejected(
        "UNMAPPED_PRODUCT",
        field,
        (f"{product} has no sale price in {market}", f"{product} 在 {market} 没有销售价格"),
        ("ask the association to add a sale price", "请联系协会添加该市场的销售价格"),
    )


def _rejected(
    reason: str,
    field: str,
    message: tuple[str, str],
    hint: tuple[str, str],
    status: Status = Status.INVALID_ARGUMENT,
) -> Rejected:
    """A refusal; `message` and `hint` in English and Chinese."""
    return Rejected(
        reason=reason,
        field=field,
        message=message[0],
        message_zh=message[1],
        hint=hint[0],
        hint_zh=hint[1],
        status=status,
    )


def snapshot_of(product: Product) -> ProductSnapshot:
    """The product as it stands, pinned into a demand."""
    return ProductSnapshot(
        product_id=product.product_id,
        version=product.version,
        name_zh=product.name_zh,
        name_en=product.name_en,
        hs6=product.hs6,
        uom=product.uom,
        unit_weight_g=product.unit_weight_g,
        unit_volume_cm3=product.unit_volume_cm3,
        materials=tuple(material.name for material in product.materials),
        required_certificates=product.required_certificates,
        battery_class=product.battery_class,
    )


def limits_of(thresholds: Thresholds) -> Limits:
    """The limits of today, pinned for the life of an alliance."""
    formation, execution = thresholds.formation, thresholds.execution
    return Limits(
        thresholds_version=thresholds.version,
        invitation_hours=formation.invitation_hours,
        max_rounds=formation.max_rounds,
        formation_hours=formation.limit_hours,
        approval_hours=formation.approval_hours,
        rematch_max=formation.rematch_max,
        rematch_gap_minutes=formation.rematch_gap_minutes,
        major_value_fen=thresholds.approval.major_value_fen,
        approval_tolerance_bp=thresholds.approval.tolerance_bp,
        silence_accepts_hours=execution.silence_accepts_hours,
        remind_hours=execution.remind_hours,
        at_risk_hours=execution.at_risk_hours,
        failed_hours=execution.failed_hours,
        residual_days=execution.residual_days,
    )
