"""The first principals: without them nobody could create any.

`<home>/keys/bootstrap.json` lists who may call from the first moment on: the operator and the
services. Whoever can write into the home directory is trusted with that. A principal of the file
that is not on the log is written there; a key of the file that its principal lacks is added.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.ids import require_id
from lianmeng.kernel.roles import PrincipalRole
from lianmeng.pool.principals import Key, Principal
from lianmeng.pool.records import RegistryRecord
from lianmeng.pool.validation import validate_office_roles, validate_public_key
from lianmeng.registry.picture import Kind
from lianmeng.registry.ports import Entry, Records, Stored
from lianmeng.runtime.jetstream import Conflict
from lianmeng.runtime.keys import key_id_of
from lianmeng.runtime.logs import log as line


@dataclass(frozen=True, slots=True)
class First:
    """A principal as the file names it."""

    principal_id: str
    roles: tuple[PrincipalRole, ...]
    public_key: bytes

    def principal(self, now: datetime) -> Principal:
        """The principal with its one key."""
        return Principal(principal_id=self.principal_id, roles=self.roles, keys=(self.key(now),))

    def key(self, now: datetime) -> Key:
        """The key, open from `now`."""
        identity = key_id_of(self.public_key)
        return Key(key_id=identity, public_key=self.public_key, opened_time=now)


def bootstrap_file(home: Path) -> Path:
    """Where the first principals are listed."""
    return home / "keys" / "bootstrap.json"


def read_first(path: Path) -> list[First]:
    """The principals of the file; none if there is no file. Raises `Rejected` for a bad one."""
    if not path.exists():
        return []
    try:
        return [_first(item, index) for index, item in enumerate(json.loads(path.read_bytes()))]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Rejected(
            reason="MALFORMED_VALUE",
            field=str(path),
            message=f"this is no list of principals: {error}",
            hint="delete it, and `lianmeng up` writes it anew from the keys beside it",
            message_zh="该文件不是合法的主体列表",
            hint_zh="请删除该文件，lianmeng up 会按同目录下的密钥重新生成",
        ) from error


async def ensure_principals(records: Records, clock: Clock, first: Sequence[First]) -> int:
    """Write what is missing on the log; returns how many. Raises `Transient`."""
    written = 0
    for one in first:
        while True:
            try:
                written += await _ensure(records, clock.now(), one)
                break
            except Conflict:  # another registry does the same at this moment
                continue
    return written


async def _ensure(records: Records, now: datetime, one: First) -> bool:
    stored = await records.last(Kind.PRINCIPAL, one.principal_id)
    principal = _completed(stored, now, one)
    if principal is None:
        return False
    record = RegistryRecord(record=principal, written_time=now)
    expected = 0 if stored is None else stored.sequence
    await records.commit([Entry(Kind.PRINCIPAL, one.principal_id, record, expected)])
    line.info("registry.principal_registered", principal=one.principal_id)
    return True


def _completed(stored: Stored | None, now: datetime, one: First) -> Principal | None:
    """The principal as it should be; None if it is so already."""
    if stored is None:
        return one.principal(now)
    present = stored.record.record
    assert isinstance(present, Principal)
    key = one.key(now)
    if present.key(key.key_id) is not None:
        return None
    return replace(present, keys=(*present.keys, key))


def _first(item: dict[str, Any], index: int) -> First:
    roles = tuple(PrincipalRole(role) for role in item["roles"])
    validate_office_roles(roles, f"[{index}].roles")
    try:
        public_key = base64.b64decode(item["public_key_b64"], validate=True)
    except binascii.Error as error:
        raise ValueError(f"[{index}].public_key_b64: {error}") from error
    validate_public_key(public_key, f"[{index}].public_key_b64")
    return First(require_id(item["principal_id"], f"[{index}].principal_id"), roles, public_key)
