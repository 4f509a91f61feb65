"""Messages of the contract to records of the pool, as callers send them.

What only the platform sets (state, reliability) is not read; `version` is: it says which version
was edited.
"""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import Message

from lianmeng.kernel.errors import Rejected
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Node
from lianmeng.pool.products import Product
from lianmeng.runtime.codec import decode
from lianmeng.v1 import registry_pb2

T = TypeVar("T")


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
