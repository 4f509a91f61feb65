"""The shape of a dataclass field: what the codec needs to know of its type annotation.

A shape says how many values there are (one, many, a map), whether the one may be absent, and
of which kind a value is. Both the codec and its checker work from shapes, so they cannot differ.
"""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, StrEnum, auto
from operator import attrgetter
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

Convert = Callable[[Any], Any]


class Count(Enum):
    """How many values a field holds."""

    ONE = auto()
    MANY = auto()
    MAP = auto()


class Kind(Enum):
    """Of which kind a value is; it decides the protobuf type."""

    SCALAR = auto()
    ENUM = auto()
    TIME = auto()
    SPAN = auto()
    DATE = auto()
    MESSAGE = auto()
    UNION = auto()


@dataclass(frozen=True, slots=True)
class Shape:
    """A field's shape. `types` are the classes of a value: several only for a union."""

    name: str
    count: Count
    optional: bool
    kind: Kind
    types: tuple[type[Any], ...]
    key: type[Any] | None = None

    @property
    def is_plain(self) -> bool:
        """Whether dataclass and message hold the very same value."""
        return self.kind is Kind.SCALAR and self.count is Count.ONE and not self.optional

    @property
    def type(self) -> Any:
        """The class of a value that is not a union."""
        return self.types[0]


SCALARS = (str, int, bool, float, bytes)


def shapes_of(cls: Any) -> tuple[Shape, ...]:
    """The shapes of all fields of a dataclass. Raises `TypeError` for what has no shape."""
    if not dataclasses.is_dataclass(cls):
        raise TypeError(f"{cls!r} is not a dataclass")
    hints = get_type_hints(cls)
    return tuple(_shape(cls, f.name, hints[f.name]) for f in dataclasses.fields(cls))


def _shape(cls: Any, name: str, hint: Any) -> Shape:
    try:
        return _shape_of_hint(name, hint)
    except TypeError as error:
        raise TypeError(f"{cls.__qualname__}.{name}: {error}") from error


def _shape_of_hint(name: str, hint: Any) -> Shape:
    hint = _plain(hint)
    origin, args = get_origin(hint), get_args(hint)
    if origin in (tuple, Sequence) and (origin is Sequence or args[1:] == (Ellipsis,)):
        kind, classes = _kind(_plain(args[0]))
        return Shape(name, Count.MANY, False, kind, classes)
    if origin in (dict, Mapping):
        key = _plain(args[0])
        if not (key in (str, int, date) or _is_enum(key)):
            raise TypeError(f"a map cannot have keys of type {key!r}")
        kind, classes = _kind(_plain(args[1]))
        return Shape(name, Count.MAP, False, kind, classes, key)
    optional = _is_union(hint) and type(None) in args
    kind, classes = _kind(_without_none(hint) if optional else hint)
    return Shape(name, Count.ONE, optional, kind, classes)


def _plain(hint: Any) -> Any:
    while isinstance(hint, NewType):
        hint = hint.__supertype__
    return hint


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)


def _without_none(hint: Any) -> Any:
    rest = tuple(arg for arg in get_args(hint) if arg is not type(None))
    return _plain(rest[0]) if len(rest) == 1 else Union[rest]  # noqa: UP007 - built at run time


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, StrEnum)


def _kind(hint: Any) -> tuple[Kind, tuple[type[Any], ...]]:
    if _is_union(hint):
        members = tuple(_plain(arg) for arg in get_args(hint))
        if all(dataclasses.is_dataclass(member) for member in members):
            return Kind.UNION, members
    elif _is_enum(hint):
        return Kind.ENUM, (hint,)
    elif hint in SCALARS:
        return Kind.SCALAR, (hint,)
    elif hint in _TIMES:
        return _TIMES[hint], (hint,)
    elif dataclasses.is_dataclass(hint):
        return Kind.MESSAGE, (hint,)  # type: ignore[return-value]  # a class, not an instance
    raise TypeError(f"no protobuf type for {hint!r}")


_TIMES = {datetime: Kind.TIME, timedelta: Kind.SPAN, date: Kind.DATE}


def snake(name: str) -> str:
    """`DemandAccepted` → `demand_accepted`, `QCFailed` → `qc_failed`."""
    return _WORD_START.sub("_", name).lower()


_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def enum_prefix(enum_name: str) -> str:
    """The prefix of the values of a proto enum: `SizeClass` → `SIZE_CLASS_`."""
    return snake(enum_name.rsplit(".", 1)[-1]).upper() + "_"


def field_of(descriptor: Any, shape: Shape) -> Any:
    """The proto field of a shape; the oneof where the parent holds one of that name."""
    field = descriptor.fields_by_name.get(shape.name) or descriptor.oneofs_by_name.get(shape.name)
    if field is None:
        raise TypeError(f"{descriptor.full_name} has no field {shape.name!r}")
    return field


def enum_numbers(cls: Any, field: Any) -> dict[Any, int]:
    """The proto number of each member of a StrEnum."""
    prefix = enum_prefix(field.enum_type.name)
    values = field.enum_type.values_by_name
    return {member: values[prefix + member.value].number for member in cls}


def getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Reads several attributes at once, as fast as the interpreter can."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda obj: tuple(getattr(obj, name) for name in names)


def same(value: Any) -> Any:
    """The conversion of what needs none."""
    return value
