"""The zone's catalogue: what can be traded, in which unit, at which sale price."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lianmeng.kernel.money import Money


class ProductState(StrEnum):
    """Whether trends on a product form alliances."""

    ACTIVE = "ACTIVE"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True)
class Material:
    """A part of a mix: `share_bp` of the mass, of which `recycled_bp` is recycled."""

    name: str
    share_bp: int = 0
    recycled_bp: int = 0


@dataclass(frozen=True, slots=True)
class SalePrice:
    """What a consumer pays for one unit. `channel` "" is any channel of the market."""

    market: str
    channel: str
    price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """An entry of the catalogue. Quantities of it are counted in `uom` (UN/ECE Rec 20).

    `unit_weight_g` is grams and `unit_volume_cm3` packed cubic centimetres per unit
    (0: weight alone counts). `state` and `version` are the platform's.
    """

    product_id: str
    name_zh: str
    name_en: str = ""
    aliases: tuple[str, ...] = ()
    hs6: str
    uom: str
    unit_weight_g: int
    unit_volume_cm3: int = 0
    materials: tuple[Material, ...] = ()
    required_certificates: tuple[str, ...] = ()
    prices: tuple[SalePrice, ...] = ()
    battery_class: str = ""
    state: ProductState = ProductState.ACTIVE
    version: int = 0

    def terms(self) -> tuple[str, ...]:
        """All names under which signals may speak of it, its id first."""
        return (self.product_id, *self.aliases)

    def price_in(self, market: str) -> SalePrice | None:
        """The first sale price in `market`, or None."""
        return next((price for price in self.prices if price.market == market), None)
