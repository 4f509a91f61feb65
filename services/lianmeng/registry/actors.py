"""Who asks for a change, and whose record it is."""

from __future__ import annotations

from dataclasses import dataclass

from lianmeng.kernel.roles import PrincipalRole
from lianmeng.registry import refusals

TRUSTEES = frozenset({PrincipalRole.ASSOCIATION, PrincipalRole.OPERATOR})
"""Roles that verify firms, keep the catalogue and may write in a firm's name."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A principal that asks for something. `firm_id` "" acts for no firm."""

    principal_id: str
    firm_id: str = ""
    roles: frozenset[PrincipalRole] = frozenset()

    @property
    def is_trustee(self) -> bool:
        """Whether it acts for the pool as a whole."""
        return not self.roles.isdisjoint(TRUSTEES)

    @property
    def is_operator(self) -> bool:
        """Whether it runs the platform."""
        return PrincipalRole.OPERATOR in self.roles

    def sees_prices_of(self, firm_id: str) -> bool:
        """Whether it is shown prices of this firm: its own; the operator and services all."""
        inside = {PrincipalRole.OPERATOR, PrincipalRole.SERVICE}
        return self.firm_id == firm_id or not self.roles.isdisjoint(inside)

    def require_firm(self, firm_id: str, kind: str, identity: str, field: str) -> None:
        """Refuses unless it acts for this firm or for the pool as a whole."""
        if not self.is_trustee and self.firm_id != firm_id:
            raise refusals.not_yours(kind, identity, field)

    def require_self(self, principal_id: str, field: str) -> None:
        """Refuses unless it is this principal or an operator."""
        if not self.is_operator and self.principal_id != principal_id:
            raise refusals.not_yours("principal", principal_id, field)
