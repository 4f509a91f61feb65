"""Whose key is it? A table of all keys of all principals, kept up to date by their records."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from lianmeng.pool.principals import Key, Principal


@dataclass(frozen=True, slots=True)
class Holder:
    """A key and the principal that it belongs to."""

    principal: Principal
    key: Key


@dataclass(slots=True)
class KeyTable:
    """All keys, open and closed. A key keeps the principal that had it first."""

    _holders: dict[str, Holder] = field(default_factory=dict)

    def apply(self, principal: Principal) -> None:
        """Take in a newer version of a principal. No version ever loses a key."""
        for key in principal.keys:
            known = self._holders.get(key.key_id)
            if known is None or known.principal.principal_id == principal.principal_id:
                self._holders[key.key_id] = Holder(principal, key)

    def holder(self, key_id: str) -> Holder | None:
        """The key and its principal, whether the key is open or not."""
        return self._holders.get(key_id)

    def open_holder(self, key_id: str, at: datetime | None = None) -> Holder | None:
        """The same, if the key is open at `at` (story time); None = if it is not closed yet."""
        found = self._holders.get(key_id)
        if found is None:
            return None
        is_open = found.key.closed_time is None if at is None else found.key.open_at(at)
        return found if is_open else None
