"""Who does what: roles of members in an alliance and roles of principals on the platform."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a member does in an alliance, and what a firm offers."""

    MANUFACTURING = "MANUFACTURING"
    """Makes the goods."""
    LOGISTICS = "LOGISTICS"
    """Moves and stores the goods."""
    MARKETING = "MARKETING"
    """Makes them known: creators, live streams, shops."""
    STOCK_OWNER = "STOCK_OWNER"
    """Owns stock that is already abroad and is paid for it."""


class PrincipalRole(StrEnum):
    """What a principal may do on the platform."""

    FIRM = "FIRM"
    """Acts for one firm."""
    OPERATOR = "OPERATOR"
    """Runs the platform."""
    ZONE_MANAGER = "ZONE_MANAGER"
    """Decides on major alliances."""
    ASSOCIATION = "ASSOCIATION"
    """Trustee of the pool: verifies firms, keeps the catalogue."""
    REGULATOR = "REGULATOR"
    """Supervises."""
    TAX_AUTHORITY = "TAX_AUTHORITY"
    """Grants tax incentives."""
    RESEARCHER = "RESEARCHER"
    """Reads anonymised episodes."""
    SERVICE = "SERVICE"
    """A service of the platform itself."""
