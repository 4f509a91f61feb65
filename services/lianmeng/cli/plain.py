"""Protobuf messages as plain data for JSON: names of the contract, real numbers, short enums.

Every field is present: absent messages are null, zeros are zeros. Enum values lose their prefix,
times are ISO 8601 in UTC, documents (canonical JSON in bytes) are JSON, other bytes are hex.
"""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp


def plain(message: Message) -> dict[str, Any]:
    """A message as plain data."""
    return {field.name: _field(message, field) for field in message.DESCRIPTOR.fields}


Field = Any
"""A field's descriptor: its class differs between the implementations of protobuf."""


def short(message: Message, field: str) -> str:
    """Name of an enum field's value without its prefix; "" when it is not set."""
    descriptor = message.DESCRIPTOR.fields_by_name[field]
    return _enum(descriptor, getattr(message, field))


def _field(message: Message, field: Field) -> Any:
    value = getattr(message, field.name)
    if field.is_repeated:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            of_value = field.message_type.fields_by_name["value"]
            return {str(key): _value(of_value, value[key]) for key in sorted(value)}
        return [_value(field, one) for one in value]
    if field.message_type is not None and not message.HasField(field.name):
        return None
    return _value(field, value)


def _value(field: Field, value: Any) -> Any:
    if isinstance(value, Timestamp):
        return value.ToJsonString()
    if isinstance(value, Duration):
        return value.ToTimedelta().total_seconds()
    if isinstance(value, Message):
        return plain(value)
    if field.enum_type is not None:
        return _enum(field, value)
    return _bytes(value) if isinstance(value, bytes) else value


def _enum(field: Field, number: int) -> str:
    kind = field.enum_type
    assert kind is not None, "asked for enums only"
    prefix = kind.values_by_number[0].name.removesuffix("UNSPECIFIED")
    name = str(kind.values_by_number[number].name).removeprefix(prefix)
    return "" if name == "UNSPECIFIED" else name


def _bytes(value: bytes) -> Any:
    if value.startswith(b"{"):
        try:
            return json.loads(value)
        except ValueError:  # not a document after all
            return value.hex()
    return value.hex()
