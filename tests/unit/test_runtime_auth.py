"""Tokens, keys on disk, signed statements, permissions."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from lianmeng.kernel.errors import Rejected, Status
from lianmeng.kernel.roles import PrincipalRole
from lianmeng.runtime.auth import (
    KeyRecord,
    Seen,
    authenticate,
    mint,
    unverified_caller,
    verify_possession,
)
from lianmeng.runtime.keys import (
    Signer,
    ensure_key,
    key_id_of,
    new_signer,
    read_key,
    sign_statement,
    verify_statement,
    write_key,
)
from lianmeng.runtime.permissions import PERMISSIONS, is_self_signed, require_role
from lianmeng.v1 import lifecycle_pb2, matcher_pb2, registry_pb2, trend_pb2

NOW = datetime(2026, 3, 9, 8, tzinfo=UTC)
NOBODY_SEEN = Seen(None, "zj")


class Book:
    """Knows the given signers."""

    def __init__(self, *signers: Signer) -> None:
        self._signers = {signer.key_id: signer for signer in signers}

    async def find(self, key_id: str) -> KeyRecord | None:
        signer = self._signers.get(key_id)
        if signer is None:
            return None
        roles = frozenset({PrincipalRole.FIRM})
        return KeyRecord(key_id, signer.public_key, signer.principal_id, roles, "mill-3")


class OnceSeen(Seen):
    """Every token was seen before."""

    async def first_time(self, token_id: str) -> bool:
        return False


@pytest.fixture
def signer() -> Signer:
    return new_signer("p-mill")


async def _reason(token: str, book: Book, **changes: Any) -> str:
    given: dict[str, Any] = {"audience": "lifecycle", "wall": NOW, "seen": NOBODY_SEEN, **changes}
    with pytest.raises(Rejected) as caught:
        await authenticate(token, given["audience"], given["wall"], book, given["seen"])
    assert caught.value.status is Status.UNAUTHENTICATED
    return caught.value.reason


async def test_a_good_token_names_its_caller(signer: Signer) -> None:
    token = mint(signer, "lifecycle", NOW)
    caller = await authenticate(token, "lifecycle", NOW, Book(signer), NOBODY_SEEN)
    assert (caller.principal_id, caller.firm_id) == ("p-mill", "mill-3")
    assert caller.key_id == signer.key_id
    assert caller.has(PrincipalRole.FIRM, PrincipalRole.OPERATOR)
    assert not caller.has(PrincipalRole.OPERATOR)


async def test_each_bad_token_has_its_reason(signer: Signer) -> None:
    book = Book(signer)
    good = mint(signer, "lifecycle", NOW)
    assert await _reason("", book) == "TOKEN_MISSING"
    assert await _reason("nonsense", book) == "TOKEN_UNKNOWN_KEY"
    assert await _reason(good[:-4] + "AAAA", book) == "TOKEN_UNKNOWN_KEY"
    assert await _reason(good, Book()) == "TOKEN_UNKNOWN_KEY"
    assert await _reason(good, book, audience="registry") == "TOKEN_FOREIGN"
    assert await _reason(good, book, wall=NOW + timedelta(seconds=66)) == "TOKEN_EXPIRED"
    assert await _reason(good, book, wall=NOW - timedelta(seconds=30)) == "TOKEN_EXPIRED"
    assert await _reason(good, book, seen=OnceSeen(None, "zj")) == "TOKEN_REPLAYED"


async def test_a_token_cannot_name_another_principal(signer: Signer) -> None:
    thief = Signer("p-rival", signer.key)
    assert await _reason(mint(thief, "lifecycle", NOW), Book(signer)) == "TOKEN_UNKNOWN_KEY"


async def test_a_token_of_another_algorithm_is_refused(signer: Signer) -> None:
    claims = {
        "iss": "p-mill",
        "aud": "lifecycle",
        "exp": int(NOW.timestamp()) + 30,
        "jti": "x",
    }
    secret = signer.public_key
    confused = jwt.encode(claims, secret, "HS256", headers={"kid": signer.key_id})
    unsigned = jwt.encode(claims, "", "none", headers={"kid": signer.key_id})
    assert await _reason(confused, Book(signer)) == "TOKEN_UNKNOWN_KEY"
    assert await _reason(unsigned, Book(signer)) == "TOKEN_UNKNOWN_KEY"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("exp", None),
        ("exp", "soon"),
        ("exp", [1]),
        ("jti", None),
        ("jti", [1]),
        ("aud", None),
        ("aud", 7),
        ("iss", "somebody"),
        ("iss", ""),
    ],
)
async def test_malformed_claims_are_refused(signer: Signer, claim: str, value: Any) -> None:
    good = {"iss": "p-mill", "aud": "lifecycle", "exp": int(NOW.timestamp()) + 30, "jti": "x"}
    token = jwt.encode({**good, claim: value}, signer.key, "EdDSA", {"kid": signer.key_id})
    assert (await _reason(token, Book(signer))).startswith("TOKEN_")


def test_possession_of_a_new_key_is_proved_by_the_token(signer: Signer) -> None:
    token = mint(signer, "registry", NOW)
    assert unverified_caller(token).principal_id == "p-mill"
    verify_possession(token, signer.public_key, "registry", NOW)
    with pytest.raises(Rejected, match="TOKEN_UNKNOWN_KEY"):
        verify_possession(token, new_signer("x").public_key, "registry", NOW)
    with pytest.raises(Rejected, match="TOKEN_UNKNOWN_KEY"):
        verify_possession(token, b"short", "registry", NOW)


def test_a_key_file_is_for_its_owner_only(tmp_path: Path, signer: Signer) -> None:
    path = tmp_path / "keys" / "mill.pem"
    with pytest.raises(Rejected, match="no key file"):
        read_key(path, "p-mill")
    write_key(path, signer)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key(path, "p-mill").public_key == signer.public_key
    with pytest.raises(FileExistsError):
        write_key(path, new_signer("p-mill"))
    assert ensure_key(path, "p-mill").key_id == signer.key_id
    assert list(path.parent.iterdir()) == [path]
    path.chmod(0o640)
    with pytest.raises(Rejected, match="chmod 600"):
        read_key(path, "p-mill")
    path.write_text("not a key")
    path.chmod(0o600)
    with pytest.raises(Rejected, match="not an Ed25519"):
        read_key(path, "p-mill")


def test_a_key_id_is_a_slug_of_the_public_key(signer: Signer) -> None:
    assert signer.key_id == key_id_of(signer.public_key)
    assert signer.key_id.startswith("k-")
    assert len(signer.key_id) == 22


def test_a_statement_is_canonical_and_bound_to_every_field(signer: Signer) -> None:
    signed, signature = sign_statement(signer, "accept-invitation", "zj", version=2, id="i-1")
    assert signed == b'{"id":"i-1","type":"accept-invitation","version":2,"zone":"zj"}'
    public = signer.public_key
    verify_statement(public, signed, signature, "accept-invitation", "zj", version=2, id="i-1")
    for changed in ({"version": 3, "id": "i-1"}, {"version": 2, "id": "i-2"}, {"version": 2}):
        with pytest.raises(Rejected, match="BAD_SIGNATURE"):
            verify_statement(public, signed, signature, "accept-invitation", "zj", **changed)
    with pytest.raises(Rejected, match="not one of this key"):
        verify_statement(
            new_signer("x").public_key,
            signed,
            signature,
            "accept-invitation",
            "zj",
            field="acceptance",
            version=2,
            id="i-1",
        )


def test_every_call_of_the_contract_has_an_entry_and_no_other() -> None:
    files = (registry_pb2, trend_pb2, matcher_pb2, lifecycle_pb2)
    calls = {
        f"/{service.full_name}/{method.name}"
        for file in files
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert calls == PERMISSIONS.keys()
    assert [call for call in calls if is_self_signed(call)] == [
        "/lianmeng.v1.RegistryService/RegisterFirm"
    ]


def test_default_is_to_deny() -> None:
    approve = "/lianmeng.v1.LifecycleService/Approve"
    require_role(approve, frozenset({PrincipalRole.ZONE_MANAGER}))
    for call in (approve, "/lianmeng.v1.LifecycleService/Unheard"):
        with pytest.raises(Rejected, match="ROLE_MISSING") as caught:
            require_role(call, frozenset({PrincipalRole.FIRM}))
        assert caught.value.status is Status.PERMISSION_DENIED
