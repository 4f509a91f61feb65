"""Principals: who may call, with which keys. Keys are closed, never deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lianmeng.kernel.roles import PrincipalRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A raw Ed25519 public key of 32 bytes, valid from `opened_time` until `closed_time`."""

    key_id: str
    public_key: bytes
    opened_time: datetime
    closed_time: datetime | None = None

    def open_at(self, moment: datetime) -> bool:
        """Whether what it signs at `moment` counts."""
        closed = self.closed_time
        return self.opened_time <= moment and (closed is None or moment < closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A firm, a person with an office, or a service. `firm_id` "" acts for no firm.

    `keys` are all that it ever had, oldest first.
    """

    principal_id: str
    roles: tuple[PrincipalRole, ...] = ()
    firm_id: str = ""
    keys: tuple[Key, ...] = ()
    display_name: str = ""

    def key(self, key_id: str) -> Key | None:
        """Its key of that id, open or closed."""
        return next((key for key in self.keys if key.key_id == key_id), None)
