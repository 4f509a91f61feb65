"""Encoding: a dataclass becomes a tree of plain values, and one constructor call takes it.

`Lowering` is compiled once per pair of classes. Building the tree first is twice as fast as
building nested messages, since a protobuf message copies each message that it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from lianmeng.runtime.codec.shapes import (
    Convert,
    Count,
    Kind,
    Shape,
    enum_numbers,
    field_of,
    getter,
    same,
    shapes_of,
    snake,
)

M = TypeVar("M", bound=Message)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Named = Callable[[Any], "tuple[str, Any] | None"]
"""A value → the name of its proto field and the plain value; None leaves the field out."""


def encode(obj: Any, message_class: type[M]) -> M:
    """`obj` as a message. Raises `TypeError` or `ValueError` where the classes do not match."""
    return message_class(**_lowering(type(obj), message_class.DESCRIPTOR).lower(obj))


class Lowering:
    """How objects of one class become the arguments of one message's constructor."""

    __slots__ = ("_lowers", "_names", "_values")

    def fill(self, cls: type[Any], descriptor: Any) -> None:
        """Compile. Apart from the constructor, so that a recursive type finds itself."""
        shapes = shapes_of(cls)
        self._names = tuple(shape.name for shape in shapes)
        self._values = getter(self._names)
        named = [(shape.name, _lower(shape, field_of(descriptor, shape))) for shape in shapes]
        self._lowers = tuple((name, lower) for name, lower in named if lower is not None)

    def lower(self, obj: Any) -> dict[str, Any]:
        """The arguments of the message's constructor."""
        plain = dict(zip(self._names, self._values(obj), strict=True))
        for name, lower in self._lowers:
            lowered = lower(plain.pop(name))
            if lowered is not None:
                plain[lowered[0]] = lowered[1]
        return plain


_lowerings: dict[tuple[type[Any], str], Lowering] = {}


def _lowering(cls: type[Any], descriptor: Any) -> Lowering:
    key = (cls, descriptor.full_name)
    found = _lowerings.get(key)
    if found is None:
        found = _lowerings[key] = Lowering()
        try:
            found.fill(cls, descriptor)
        except BaseException:
            del _lowerings[key]
            raise
    return found


def _lower(shape: Shape, field: Any) -> Named | None:
    if shape.kind is Kind.SCALAR and shape.count is not Count.MAP:
        return None
    if shape.kind is Kind.UNION and not isinstance(field, FieldDescriptor):
        return _lower_into_parent(shape, field)
    name = shape.name
    if shape.count is Count.MANY:
        each = _lower_one(shape, field)
        return lambda values: (name, [each(value) for value in values])
    if shape.count is Count.MAP:
        key = _lower_key(shape.key)
        each = _lower_one(shape, field.message_type.fields_by_name["value"])
        return lambda values: (name, {key(k): each(v) for k, v in values.items()})
    one = _lower_one(shape, field)
    if shape.optional:
        return lambda value: None if value is None else (name, one(value))
    return lambda value: (name, one(value))


def _lower_into_parent(shape: Shape, oneof: Any) -> Named:
    choose = _lower_union(shape, {field.name: field for field in oneof.fields})

    def lower(value: Any) -> tuple[str, Any] | None:
        return None if value is None and shape.optional else next(iter(choose(value).items()))

    return lower


def _lower_one(shape: Shape, field: Any) -> Convert:
    match shape.kind:
        case Kind.SCALAR:
            return same
        case Kind.ENUM:
            return enum_numbers(shape.type, field).__getitem__
        case Kind.TIME:
            return _lower_time
        case Kind.SPAN:
            return _lower_span
        case Kind.DATE:
            return date.isoformat
        case Kind.MESSAGE:
            return _lowering(shape.type, field.message_type).lower
        case Kind.UNION:
            return _lower_union(shape, field.message_type.fields_by_name)


def _lower_union(shape: Shape, fields: Any) -> Convert:
    branches = {
        cls: (name, _lowering(cls, fields[name].message_type).lower)
        for cls in shape.types
        if (name := snake(cls.__name__)) in fields
    }

    def lower(value: Any) -> dict[str, Any]:
        name, into = branches[type(value)]
        return {name: into(value)}

    return lower


def _lower_time(value: datetime) -> dict[str, int]:
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    span = value - EPOCH
    return {
        "seconds": span.days * 86_400 + span.seconds,
        "nanos": span.microseconds * 1_000,
    }


def _lower_span(value: timedelta) -> dict[str, int]:
    micros = value // timedelta(microseconds=1)
    seconds = abs(micros) // 1_000_000 * (1 if micros >= 0 else -1)
    return {"seconds": seconds, "nanos": (micros - seconds * 1_000_000) * 1_000}


def _lower_key(key: Any) -> Convert:
    return date.isoformat if key is date else same
