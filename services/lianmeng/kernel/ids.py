"""Identifiers: readable slugs for registered things, derived hashes for what follows from facts.

A derived id is `<prefix><base32(sha256(parts))[:20]>` in lower case: whoever knows the parts
computes the same id, so a repeated command or a redelivered fact finds the first result.
"""

from __future__ import annotations

import base64
import hashlib
import re

from lianmeng.kernel.errors import Rejected

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MAX_LENGTH = 64


def derive(prefix: str, *parts: str) -> str:
    """A stable id from `parts`. They are framed by length: ("ab", "c") differs from ("a", "bc")."""
    digest = hashlib.sha256(b"".join(_framed(part) for part in parts)).digest()
    return prefix + base64.b32encode(digest).decode("ascii").lower()[:20]


def _framed(part: str) -> bytes:
    raw = part.encode("utf-8")
    return len(raw).to_bytes(4, "big") + raw


def trend_id(zone: str, product: str, market: str, start_bucket: str) -> str:
    """Id of an episode: product (or unmapped term) × market × bucket of its first alarm."""
    return derive("t-", zone, product, market, start_bucket)


def alliance_id_of_trend(trend: str) -> str:
    """A trend forms one alliance, however often its fact is delivered."""
    return derive("a-", trend)


def alliance_id_of_command(zone: str, principal: str, command_id: str) -> str:
    """A manual demand forms one alliance, however often the command is sent."""
    return derive("a-", zone, principal, command_id)


def require_id(value: str, field: str) -> str:
    """`value`, if it is a slug of lower-case letters, digits and single hyphens, 1 to 64 long.

    Raises `Rejected(MALFORMED_ID)`. Double hyphens are for resource ids.
    """
    if len(value) <= MAX_LENGTH and _ID.fullmatch(value):
        return value
    raise Rejected(
        reason="MALFORMED_ID",
        field=field,
        message=f"{value[:80]!r} is not an id",
        hint="use lower-case letters, digits and single hyphens, at most 64 characters",
        message_zh=f"{value[:80]!r} 不是合法的编号",
        hint_zh="请用小写字母、数字和单个连字符，最多 64 个字符",
    )


def resource_id(node: str, part: str) -> str:
    """The book of one line, lane, stock or agency of a node: `<node>--<part>`."""
    return f"{node}--{part}"
