"""Firms: who takes part, what they are allowed to be, what they can prove."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from lianmeng.kernel.roles import Role


class FirmState(StrEnum):
    """Whether a firm may be matched. Only ACTIVE firms are."""

    PENDING_VERIFICATION = "PENDING_VERIFICATION"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    WITHDRAWN = "WITHDRAWN"


class SizeClass(StrEnum):
    """Workers: MICRO below 20, SMALL to 299, MEDIUM to 999, LARGE from 1,000."""

    MICRO = "MICRO"
    SMALL = "SMALL"
    MEDIUM = "MEDIUM"
    LARGE = "LARGE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate. An empty scope (goods, materials, markets) means all of them."""

    type: str
    number: str
    scope_hs6: tuple[str, ...] = ()
    scope_materials: tuple[str, ...] = ()
    markets: tuple[str, ...] = ()
    valid_from: date
    valid_to: date
    document_sha256: str = ""

    def covers(self, hs6: str, materials: tuple[str, ...], market: str, day: date) -> bool:
        """Whether it is valid on `day` for goods `hs6` of these materials in `market`."""
        return (
            self.valid_from <= day <= self.valid_to
            and (not self.scope_hs6 or hs6 in self.scope_hs6)
            and (not self.scope_materials or set(materials) <= set(self.scope_materials))
            and (not self.markets or market in self.markets)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """A registered firm. `state`, `state_reason`, `version`, `reliability_bp` are the platform's.

    `notice_hours` lie between acceptance and the start of work. `max_concurrent_alliances` = 0
    is no limit. Markets are ISO 3166-1 alpha-2. `reliability_bp` = 0 is not yet known.
    """

    firm_id: str
    uscc: str
    name_zh: str
    name_en: str = ""
    size_class: SizeClass
    division: str
    roles: tuple[Role, ...] = ()
    locode: str
    certificates: tuple[Certificate, ...] = ()
    notice_hours: int = 0
    max_concurrent_alliances: int = 0
    affiliates: tuple[str, ...] = ()
    can_sell_in: tuple[str, ...] = ()
    can_export: bool = False
    can_import_in: tuple[str, ...] = ()
    state: FirmState = FirmState.PENDING_VERIFICATION
    state_reason: str = ""
    version: int = 0
    reliability_bp: int = 0

    def holds(
        self, certificate: str, hs6: str, materials: tuple[str, ...], market: str, day: date
    ) -> bool:
        """Whether it holds a valid certificate of type `certificate` for these goods."""
        return any(
            held.type == certificate and held.covers(hs6, materials, market, day)
            for held in self.certificates
        )
