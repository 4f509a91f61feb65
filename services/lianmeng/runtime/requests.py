"""Requests as they arrive: bytes that are no message, and fields that the contract lacks.

A deserializer cannot refuse a call with a reason, so it hands on the refusal in place of the
message; the server raises it inside the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from lianmeng.kernel.errors import Rejected


def careful(deserialize: Callable[[bytes], Message]) -> Callable[[bytes], Message | Rejected]:
    """`deserialize`, which refuses corrupt bytes and unknown fields instead of passing them."""

    def read(raw: bytes) -> Message | Rejected:
        try:
            message = deserialize(raw)
        except DecodeError:
            return _corrupt()
        size = message.ByteSize()
        message.DiscardUnknownFields()
        if message.ByteSize() == size:
            return message
        return _unknown(next(_unknown_fields(deserialize(raw), ""), ""))

    return read


def _unknown_fields(message: Any, path: str) -> Iterator[str]:
    unknown: Any = UnknownFieldSet(message)
    for field in unknown:
        yield f"{path}{field.field_number}"
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        where = f"{path}{descriptor.name}"
        if descriptor.message_type.GetOptions().map_entry:
            inner = descriptor.message_type.fields_by_name["value"]
            items = value.items() if inner.message_type is not None else ()
            for key, item in items:
                yield from _unknown_fields(item, f"{where}[{key}].")
        elif descriptor.is_repeated:
            for index, item in enumerate(value):
                yield from _unknown_fields(item, f"{where}[{index}].")
        else:
            yield from _unknown_fields(value, f"{where}.")


def _corrupt() -> Rejected:
    return Rejected(
        reason="CORRUPT_PAYLOAD",
        message="the bytes are not a message of the expected type",
        hint="encode the request with the published contract (server reflection shows it)",
        message_zh="请求内容不是合法的消息",
        hint_zh="请按公开的接口契约编码请求",
    )


def _unknown(path: str) -> Rejected:
    return Rejected(
        reason="UNKNOWN_FIELD",
        field=path,
        message=f"the contract has no field {path}",
        hint="leave it out, or use a server of your client's version",
        message_zh=f"接口契约中没有字段 {path}",
        hint_zh="请去掉该字段，或连接与客户端同版本的服务",
    )
