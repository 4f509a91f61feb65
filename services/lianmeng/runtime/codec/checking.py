"""Checks that a dataclass and a message fit, field by field, in both directions."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from lianmeng.runtime.codec.shapes import Count, Kind, Shape, enum_prefix, shapes_of, snake

_INTEGERS = frozenset(
    getattr(FieldDescriptor, f"TYPE_{name}")
    for name in (
        "INT32", "INT64", "UINT32", "UINT64", "SINT32", "SINT64",
        "FIXED32", "FIXED64", "SFIXED32", "SFIXED64",
    )
)  # fmt: skip

_SCALAR_TYPES: dict[type[Any], frozenset[int]] = {
    str: frozenset({FieldDescriptor.TYPE_STRING}),
    bytes: frozenset({FieldDescriptor.TYPE_BYTES}),
    bool: frozenset({FieldDescriptor.TYPE_BOOL}),
    int: _INTEGERS,
    float: frozenset({FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT}),
}

_MESSAGE_KINDS = {
    Kind.TIME: "google.protobuf.Timestamp",
    Kind.SPAN: "google.protobuf.Duration",
}


def check(data_class: type[Any], message_class: type[Message]) -> list[str]:
    """Every mismatch between the two classes and all that they contain; empty when they fit."""
    checker = _Checker()
    checker.messages(data_class, message_class.DESCRIPTOR)
    return checker.found


class _Checker:
    def __init__(self) -> None:
        self.found: list[str] = []
        self._seen: set[tuple[type[Any], str]] = set()

    def messages(self, cls: type[Any], descriptor: Any) -> None:
        if (cls, descriptor.full_name) in self._seen:
            return
        self._seen.add((cls, descriptor.full_name))
        where = f"{cls.__name__} / {descriptor.full_name}"
        wanted = _field_names(descriptor)
        try:
            shapes = {shape.name: shape for shape in shapes_of(cls)}
        except (TypeError, NameError) as error:
            self.found.append(f"{where}: {error}")
            return
        self.found += [f"{where}: only the message has {name}" for name in wanted - shapes.keys()]
        self.found += [f"{where}: only the dataclass has {name}" for name in shapes.keys() - wanted]
        for name in sorted(wanted & shapes.keys()):
            self._field(f"{cls.__name__}.{name}", shapes[name], descriptor)

    def _field(self, where: str, shape: Shape, descriptor: Any) -> None:
        oneof = descriptor.oneofs_by_name.get(shape.name)
        if oneof is not None and shape.name not in descriptor.fields_by_name:
            if shape.kind is Kind.UNION and shape.count is Count.ONE:
                self._branches(where, shape, {field.name: field for field in oneof.fields})
            else:
                self.found.append(f"{where}: a oneof needs a union of dataclasses")
            return
        field = descriptor.fields_by_name[shape.name]
        self._count(where, shape, field)
        if shape.count is Count.MAP and _is_map(field):
            self._value(where, shape, field.message_type.fields_by_name["value"])
            self._key(where, shape, field.message_type.fields_by_name["key"])
        elif shape.count is not Count.MAP and not _is_map(field):
            self._value(where, shape, field)

    def _count(self, where: str, shape: Shape, field: Any) -> None:
        actual = Count.MAP if _is_map(field) else Count.MANY if field.is_repeated else Count.ONE
        if shape.count is not actual:
            self.found.append(f"{where}: {shape.count.name} in the dataclass, {actual.name} here")
        elif _is_scalar(shape) and shape.optional != field.has_presence:
            self.found.append(f"{where}: `| None` and `optional` go together")

    def _key(self, where: str, shape: Shape, field: Any) -> None:
        wanted = _INTEGERS if shape.key is int else _SCALAR_TYPES[str]
        if field.type not in wanted:
            self.found.append(f"{where}: keys of another type")

    def _value(self, where: str, shape: Shape, field: Any) -> None:
        if shape.kind is Kind.SCALAR or shape.kind is Kind.DATE:
            wanted = _SCALAR_TYPES[str if shape.kind is Kind.DATE else shape.type]
            if field.type not in wanted:
                self.found.append(f"{where}: {shape.type.__name__} has another proto type")
        elif shape.kind is Kind.ENUM:
            self._enum(where, shape, field)
        elif field.message_type is None:
            self.found.append(f"{where}: the proto field is not a message")
        elif shape.kind in _MESSAGE_KINDS:
            if field.message_type.full_name != _MESSAGE_KINDS[shape.kind]:
                self.found.append(f"{where}: wants {_MESSAGE_KINDS[shape.kind]}")
        elif shape.kind is Kind.MESSAGE:
            self.messages(shape.type, field.message_type)
        else:
            self._wrapper(where, shape, field.message_type)

    def _enum(self, where: str, shape: Shape, field: Any) -> None:
        if field.enum_type is None:
            self.found.append(f"{where}: the proto field is not an enum")
            return
        prefix = enum_prefix(field.enum_type.name)
        ours = {prefix + member.value for member in shape.type}
        theirs = {value.name for value in field.enum_type.values if value.number != 0}
        for name in sorted(ours ^ theirs):
            side = "dataclass" if name in ours else "proto"
            self.found.append(f"{where}: only the {side} has the value {name}")
        if field.enum_type.values_by_number[0].name != prefix + "UNSPECIFIED":
            self.found.append(f"{where}: value 0 is not {prefix}UNSPECIFIED")

    def _wrapper(self, where: str, shape: Shape, descriptor: Any) -> None:
        if len(descriptor.oneofs) != 1 or len(descriptor.oneofs[0].fields) != len(
            descriptor.fields
        ):
            self.found.append(f"{where}: {descriptor.full_name} is not a single oneof")
            return
        self._branches(where, shape, dict(descriptor.fields_by_name))

    def _branches(self, where: str, shape: Shape, fields: dict[str, Any]) -> None:
        classes = {snake(cls.__name__): cls for cls in shape.types}
        for name in sorted(classes.keys() ^ fields.keys()):
            side = "dataclass" if name in classes else "proto"
            self.found.append(f"{where}: only the {side} has the branch {name}")
        for name in sorted(classes.keys() & fields.keys()):
            if fields[name].message_type is None:
                self.found.append(f"{where}.{name}: the branch is not a message")
            else:
                self.messages(classes[name], fields[name].message_type)


def _is_scalar(shape: Shape) -> bool:
    return shape.kind is Kind.SCALAR and shape.count is Count.ONE


def _is_map(field: Any) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _field_names(descriptor: Any) -> set[str]:
    """The names that a dataclass must have: a oneof counts as one, under its own name."""
    names = set()
    for field in descriptor.fields:
        oneof = field.containing_oneof
        synthetic = oneof is not None and len(oneof.fields) == 1 and oneof.name[:1] == "_"
        names.add(field.name if oneof is None or synthetic else oneof.name)
    return names
