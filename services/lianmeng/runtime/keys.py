"""Ed25519 keys and what is signed with them apart from tokens: statements that bind a firm.

Private keys are PEM files of mode 600. A public key is its 32 raw bytes; its id is derived
from them, so nobody can give a key the id of another.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from lianmeng.kernel.errors import Rejected, Status
from lianmeng.kernel.ids import derive

PUBLIC_KEY_BYTES = 32

Value = str | int | bool
"""What a field of a statement may be."""


def key_id_of(public_key: bytes) -> str:
    """The id of a public key: `k-` and a hash of its raw bytes."""
    return derive("k-", public_key.hex())


@dataclass(frozen=True, slots=True)
class Signer:
    """A principal with its private key."""

    principal_id: str
    key: Ed25519PrivateKey

    @property
    def public_key(self) -> bytes:
        """The raw public key."""
        return _public_key(self.key)

    @property
    def key_id(self) -> str:
        """The id of the public key."""
        return _key_id(self.key)


@lru_cache(maxsize=1024)
def _public_key(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


@lru_cache(maxsize=1024)
def _key_id(key: Ed25519PrivateKey) -> str:
    return key_id_of(_public_key(key))


def new_signer(principal_id: str) -> Signer:
    """A principal with a fresh key."""
    return Signer(principal_id, Ed25519PrivateKey.generate())


def write_key(path: Path, signer: Signer) -> None:
    """Store the private key for its owner only. Raises `FileExistsError`: no key is replaced."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor, partial = tempfile.mkstemp(dir=path.parent)  # of mode 600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)
    finally:
        Path(partial).unlink()


def read_key(path: Path, principal_id: str) -> Signer:
    """A stored private key. Raises `Rejected` when it is absent, readable by others or no key."""
    if not path.exists():
        raise _bad_key(path, "there is no key file", "没有密钥文件", Status.NOT_FOUND)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise _bad_key(path, "others may read the key file: chmod 600 it", "密钥文件可被他人读取")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise _bad_key(path, "the file is not an Ed25519 private key (PEM)", "不是 Ed25519 私钥")
    return Signer(principal_id, key)


def ensure_key(path: Path, principal_id: str) -> Signer:
    """The stored key; made and stored first when there is none."""
    if not path.exists():
        with contextlib.suppress(FileExistsError):  # another process was faster
            write_key(path, new_signer(principal_id))
    return read_key(path, principal_id)


def statement(type_tag: str, zone: str, **fields: Value) -> bytes:
    """What is signed: canonical JSON, keys sorted, no spaces, UTF-8."""
    content = {"type": type_tag, "zone": zone, **fields}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign_statement(
    signer: Signer, type_tag: str, zone: str, **fields: Value
) -> tuple[bytes, bytes]:
    """The bytes and their signature. `type_tag` keeps a signature from serving as another."""
    signed = statement(type_tag, zone, **fields)
    return signed, signer.key.sign(signed)


def verify_statement(
    public_key: bytes,
    signed: bytes,
    signature: bytes,
    type_tag: str,
    zone: str,
    /,
    field: str = "",
    **fields: Value,
) -> None:
    """Raises `Rejected(BAD_SIGNATURE)` unless `signed` says exactly this and the key signed it.

    `field` is the path of the statement in the request.
    """
    if signed != statement(type_tag, zone, **fields):
        raise _bad_signature(field, "the signed bytes do not say what the command says")
    if not signature_holds(public_key, signed, signature):
        raise _bad_signature(field, "the signature is not one of this key")


def signature_holds(public_key: bytes, signed: bytes, signature: bytes) -> bool:
    """Whether the key signed these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _bad_signature(field: str, message: str) -> Rejected:
    return Rejected(
        reason="BAD_SIGNATURE",
        field=field,
        message=message,
        hint="sign the canonical JSON of exactly these values with the key of the call's token",
        message_zh="签名无效，或签名内容与请求不一致",
        hint_zh="请用本次调用所用的密钥，对规范 JSON 重新签名",
        status=Status.PERMISSION_DENIED,
    )


def _bad_key(
    path: Path, message: str, message_zh: str, status: Status = Status.INVALID_ARGUMENT
) -> Rejected:
    return Rejected(
        reason="NOT_FOUND" if status is Status.NOT_FOUND else "MALFORMED_VALUE",
        field=str(path),
        message=message,
        hint="give the path of your private key, a PEM file of mode 600",
        message_zh=message_zh,
        hint_zh="请提供您的私钥文件路径（PEM 格式，权限 600）",
        status=status,
    )
