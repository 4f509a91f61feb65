"""The pool's words and the contract's are the same, and so are the reasons of refusals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

import lianmeng
from lianmeng.kernel.calendar import Calendar
from lianmeng.kernel.roles import PrincipalRole, Role
from lianmeng.kernel.signals import SignalBatch
from lianmeng.pool.firms import Firm, FirmState, SizeClass
from lianmeng.pool.nodes import FreightBasis, LaneMode, Node, NodeState
from lianmeng.pool.principals import Principal
from lianmeng.pool.products import Product, ProductState
from lianmeng.pool.records import Registered, RegistryRecord
from lianmeng.runtime.codec import check, decode, encode
from lianmeng.v1 import errors_pb2, registry_pb2, trend_pb2, types_pb2
from lianmeng.world.firms import build_pool

PAIRS: tuple[tuple[type, type[Message]], ...] = (
    (Firm, registry_pb2.Firm),
    (Node, registry_pb2.Node),
    (Product, registry_pb2.Product),
    (Principal, registry_pb2.Principal),
    (RegistryRecord, registry_pb2.RegistryRecord),
    (Calendar, types_pb2.Calendar),
    (SignalBatch, trend_pb2.SignalBatch),
)

ENUMS = (
    (Role, types_pb2.Role, "ROLE_"),
    (PrincipalRole, types_pb2.PrincipalRole, "PRINCIPAL_ROLE_"),
    (FirmState, registry_pb2.FirmState, "FIRM_STATE_"),
    (NodeState, registry_pb2.NodeState, "NODE_STATE_"),
    (ProductState, registry_pb2.ProductState, "PRODUCT_STATE_"),
    (SizeClass, registry_pb2.SizeClass, "SIZE_CLASS_"),
    (LaneMode, registry_pb2.LaneMode, "LANE_MODE_"),
    (FreightBasis, registry_pb2.FreightBasis, "FREIGHT_BASIS_"),
)

REASON = re.compile(r"""(?:reason=|(?:Rejected|Transient|Poison)\(\s*)"([A-Z][A-Z0-9_]+)\"""")


@pytest.mark.parametrize(("data_class", "message"), PAIRS, ids=lambda one: one.__name__)
def test_records_and_messages_have_the_same_fields(
    data_class: type, message: type[Message]
) -> None:
    assert check(data_class, message) == []


@pytest.mark.parametrize(("members", "wire", "prefix"), ENUMS, ids=str)
def test_enums_have_the_same_values(members: Iterable[str], wire: Any, prefix: str) -> None:
    names = {name.removeprefix(prefix) for name in _names(wire)} - {"UNSPECIFIED"}
    assert {str(member) for member in members} == names


def test_the_whole_demonstration_pool_survives_the_wire() -> None:
    now = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
    pool = build_pool(11, now.date(), now)
    records: list[Registered] = [*pool.firms, *pool.nodes, *pool.products]
    for record in records:
        version = RegistryRecord(record=record, written_by="association", written_time=now)
        data = encode(version, registry_pb2.RegistryRecord).SerializeToString()
        assert decode(registry_pb2.RegistryRecord.FromString(data), RegistryRecord) == version


def test_every_reason_is_one_of_the_contract() -> None:
    known = {name.removeprefix("ERROR_REASON_") for name in _names(errors_pb2.ErrorReason)}
    root = Path(lianmeng.__file__).parent
    used = {
        (path.name, reason)
        for package in ("kernel", "pool", "registry")
        for path in (root / package).glob("*.py")
        for reason in REASON.findall(path.read_text(encoding="utf-8"))
    }
    assert len(used) > 20
    assert sorted(pair for pair in used if pair[1] not in known) == []


def _names(wire: Any) -> list[str]:
    names: list[str] = wire.keys()
    return names
