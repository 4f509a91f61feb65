"""Messages of the contract to records of the pool, as callers send them.

What only the platform sets (state, reliability) is not read; `version` is: it says which version
was edited.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

from google.protobuf.message import Message

from lianmeng.kernel.errors import Rejected
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Node
from lianmeng.pool.products import Product
from lianmeng.runtime.codec import decode
from lianmeng.v1 import registry_pb2

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


def read(message: Message, kind: type[T], field: str) -> T:
    """`message` as a `kind`; refusals carry the path from `field` on."""
    try:
        return decode(message, kind)
    except Rejected as refusal:
        refusal.field = f"{field}.{refusal.field}" if refusal.field else field
        raise


def read_firm(message: registry_pb2.Firm, field: str) -> Firm:
    """A firm as its owner sends it."""
    message.state = registry_pb2.FIRM_STATE_PENDING_VERIFICATION
    message.state_reason, message.reliability_bp = "", 0
    return read(message, Firm, field)


def read_node(message: registry_pb2.Node, field: str) -> Node:
    """A node as its owner sends it."""
    message.state = registry_pb2.NODE_STATE_ACTIVE
    return read(message, Node, field)


def read_product(message: registry_pb2.Product, field: str) -> Product:
    """A product as the association sends it."""
    message.state = registry_pb2.PRODUCT_STATE_ACTIVE
    return read(message, Product, field)


def without_prices(node: registry_pb2.Node, viewer_firm_id: str) -> registry_pb2.Node:
    """The node as other firms see it: no prices, fees or sales; of stock, the viewer's own."""
    match node.WhichOneof("capability"):
        case "manufacturing":
            _clear(node.manufacturing, "price_breaks", "setup_fee", "overtime_premium_bp")
        case "logistics":
            for lane in node.logistics.lanes:
                _clear(lane, "price", "minimum_charge", "pickup_price_per_kg")
            for warehouse in node.logistics.warehouses:
                _clear(warehouse, "handling_fee", "last_mile_fee")
                own = [one for one in warehouse.stock if one.owner_firm_id == viewer_firm_id]
                _clear(warehouse, "stock")
                warehouse.stock.extend(own)
        case "marketing":
            _clear(node.marketing, "fixed_fee", "video_fee", "hour_fee", "commission_bp")
            for account in node.marketing.accounts:
                _clear(account, "gmv_30d")
    return node


def _clear(message: Message, *names: str) -> None:
    for name in names:
        message.ClearField(name)


def read_enum(number: int, kind: type[E], prefix: str, wire: Any, field: str) -> E:
    """The value of an enum field that must be set. `prefix` is that of the wire's names."""
    names = dict(zip(wire.values(), wire.keys(), strict=True))
    name = names.get(number, "").removeprefix(prefix)
    if number and name in kind.__members__:
        return kind(name)
    raise Rejected(
        reason="OUT_OF_RANGE" if number else "MISSING_FIELD",
        field=field,
        message=f"{number} is not a value of this field" if number else "this field is required",
        hint="use one of " + ", ".join(kind),
        message_zh=f"该字段没有取值 {number}" if number else "缺少必填字段",
        hint_zh="请使用：" + "、".join(kind),
    )


def require_unset(message: Message, names: tuple[str, ...], field: str) -> None:
    """Refuses fields that only the platform sets."""
    for name in names:
        if getattr(message, name):
            raise Rejected(
                reason="OUT_OF_RANGE",
                field=f"{field}.{name}",
                message="only the platform sets this field",
                hint="leave it unset",
                message_zh="该字段只能由平台设置",
                hint_zh="请勿填写",
            )
