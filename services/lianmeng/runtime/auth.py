"""Who calls: a short-lived token per call, signed by the caller, checked against a key book.

The token is a JWT (EdDSA): `kid` the key, `iss` the principal, `aud` the service, `exp` at most
60 s ahead in wall time, `jti` unique. A retry mints a new one. A token that was seen before is
refused as long as Redis remembers it; without Redis the command's own id protects.
"""

from __future__ import annotations

import asyncio
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lianmeng.kernel.errors import Rejected, Status
from lianmeng.kernel.roles import PrincipalRole
from lianmeng.runtime.keys import Signer, key_id_of

if TYPE_CHECKING:
    import redis.asyncio

LIFETIME = timedelta(seconds=60)
"""Longest life of a token."""

SKEW = timedelta(seconds=5)
"""How far two clocks may differ."""

_SEEN_WITHIN_S = 0.5
_ALGORITHM = "EdDSA"


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """An open key of a principal. `firm_id` "" = it acts for no firm."""

    key_id: str
    public_key: bytes
    principal_id: str
    roles: frozenset[PrincipalRole]
    firm_id: str = ""


class KeyBook(Protocol):
    """Knows the keys of all principals."""

    async def find(self, key_id: str) -> KeyRecord | None:
        """The record of an open key; None = unknown or closed. May wait a moment for news."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes the present call. `firm_id` "" = acts for no firm.

    For a self-signed call the token is not verified yet and `roles` is empty.
    """

    principal_id: str
    roles: frozenset[PrincipalRole]
    firm_id: str
    key_id: str
    token: str = ""

    def has(self, *roles: PrincipalRole) -> bool:
        """Whether the caller has one of these roles."""
        return not self.roles.isdisjoint(roles)


caller_context: ContextVar[Caller] = ContextVar("caller")
"""Set by the server for the length of a call."""


def current_caller() -> Caller:
    """Who makes the present call. Raises `LookupError` outside of one."""
    return caller_context.get()


def mint(signer: Signer, audience: str, wall: datetime) -> str:
    """A token for one call to `audience` (a service's name)."""
    claims = {
        "iss": signer.principal_id,
        "aud": audience,
        "exp": int((wall + LIFETIME).timestamp()),
        "jti": secrets.token_urlsafe(12),
    }
    return jwt.encode(claims, signer.key, _ALGORITHM, headers={"kid": signer.key_id})


async def authenticate(
    token: str, audience: str, wall: datetime, book: KeyBook, seen: Seen
) -> Caller:
    """The caller of a token. Raises `Rejected` with one of the TOKEN_… reasons."""
    kid = _header_key(token)
    record = await book.find(kid)
    if record is None:
        raise _unknown_key()
    claims = _verified(token, record.public_key, audience, wall)
    if claims["iss"] != record.principal_id:
        raise _unknown_key()
    if not await seen.first_time(claims["jti"]):
        raise _rejected("TOKEN_REPLAYED", "the token was used before", "令牌已被使用过")
    return Caller(record.principal_id, record.roles, record.firm_id, kid, token)


def unverified_caller(token: str) -> Caller:
    """What a token claims; for calls that bring their own key. Verify it by `verify_possession`."""
    kid = _header_key(token)
    return Caller(_claimed_issuer(token), frozenset(), "", kid, token)


def verify_possession(token: str, public_key: bytes, audience: str, wall: datetime) -> None:
    """Raises `Rejected` unless the token was signed by the key that the call brings."""
    if _header_key(token) != key_id_of(public_key):
        raise _unknown_key()
    _verified(token, public_key, audience, wall)


class Seen:
    """Remembers the tokens of the last minute in Redis. Without Redis it says "first time"."""

    def __init__(self, memory: redis.asyncio.Redis | None, zone: str) -> None:
        self._memory = memory
        self._zone = zone

    async def first_time(self, token_id: str) -> bool:
        """Whether this token was not seen before."""
        if self._memory is None:
            return True
        from redis.exceptions import RedisError  # noqa: PLC0415 - clients start without Redis

        key = f"{{{self._zone}}}:jti:{token_id}"
        try:
            async with asyncio.timeout(_SEEN_WITHIN_S):
                stored = await self._memory.set(key, b"", nx=True, ex=LIFETIME + 2 * SKEW)
        except (RedisError, OSError):
            return True
        return bool(stored)


def _header_key(token: str) -> str:
    if not token:
        raise _rejected("TOKEN_MISSING", "the call has no token", "请求缺少令牌")
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.InvalidTokenError:
        raise _unknown_key() from None
    return _text(kid)


def _claimed_issuer(token: str) -> str:
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise _unknown_key() from None
    return _text(claims.get("iss"))


def _text(value: object) -> str:
    if isinstance(value, str) and value:
        return value
    raise _unknown_key()


def _verified(token: str, public_key: bytes, audience: str, wall: datetime) -> dict[str, Any]:
    """The claims of a token whose signature, audience and times are right."""
    options: Any = {"require": ["iss", "aud", "exp", "jti"], "verify_exp": False}
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        claims: dict[str, Any] = jwt.decode(
            token, key, [_ALGORITHM], audience=audience, options=options
        )
    except jwt.InvalidAudienceError:
        raise _rejected(
            "TOKEN_FOREIGN", f"the token was not made for {audience}", f"令牌不是发给 {audience} 的"
        ) from None
    except (jwt.InvalidTokenError, ValueError):
        raise _unknown_key() from None
    if not (isinstance(claims["exp"], int) and isinstance(claims["jti"], str)):
        raise _unknown_key()
    left = claims["exp"] - wall.timestamp()
    if not -SKEW.total_seconds() <= left <= (LIFETIME + SKEW).total_seconds():
        raise _rejected(
            "TOKEN_EXPIRED",
            "the token has expired, or lives longer than 60 s",
            "令牌已过期或有效期过长",
        )
    return claims


def _unknown_key() -> Rejected:
    return _rejected(
        "TOKEN_UNKNOWN_KEY",
        "the token is not signed by an open key of its issuer",
        "令牌的密钥无效",
    )


def _rejected(reason: str, message: str, message_zh: str) -> Rejected:
    return Rejected(
        reason=reason,
        message=message,
        hint="sign a new token for this call: EdDSA, aud = the service, exp within 60 s, own jti",
        message_zh=message_zh,
        hint_zh="请为本次调用重新签发令牌：EdDSA，aud 为服务名，60 秒内有效，jti 不重复",
        status=Status.UNAUTHENTICATED,
    )
