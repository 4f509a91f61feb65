"""The codec: every shape there and back, refusals with paths, and the checker."""

from __future__ import annotations

import subprocess
import sys
import timeit
from dataclasses import dataclass, field, make_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, NewType

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from lianmeng.kernel.errors import Rejected
from lianmeng.runtime.codec import check, decode, encode

Name = NewType("Name", str)


class Colour(StrEnum):
    RED = "RED"
    DEEP_BLUE = "DEEP_BLUE"


@dataclass(frozen=True, slots=True)
class Leaf:
    name: Name
    units: int


@dataclass(frozen=True, slots=True)
class DemandAccepted:
    demand: Leaf


@dataclass(frozen=True, slots=True)
class QcFailed:
    pass


@dataclass(frozen=True, slots=True)
class Tree:
    text: str
    number: int
    ratio: float
    flag: bool
    raw: bytes
    colour: Colour
    maybe_colour: Colour | None
    at: datetime
    maybe_at: datetime | None
    span: timedelta
    day: date
    maybe_day: date | None
    leaf: Leaf
    maybe_leaf: Leaf | None
    texts: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    colours: tuple[Colour, ...]
    times: tuple[datetime, ...]
    days: tuple[date, ...]
    counts: dict[str, int]
    leaf_by_day: dict[date, Leaf]
    maybe_number: int | None
    maybe_text: str | None
    inner: DemandAccepted | QcFailed
    outer: DemandAccepted | QcFailed
    maybe_outer: DemandAccepted | QcFailed | None
    events: tuple[DemandAccepted | QcFailed, ...]
    children: tuple[Tree, ...] = ()


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return _compiled(Path(__file__).with_name("codec_shapes.proto"), tmp_path_factory)


def _compiled(source: Path, factory: pytest.TempPathFactory) -> Any:
    out = factory.mktemp("protos") / "set.bin"
    # In a process of its own: protoc's library aborts where ortools' copy of it is loaded.
    arguments = ["-m", "grpc_tools.protoc", f"-I{source.parent}", "--include_imports"]
    arguments += [f"--descriptor_set_out={out}", source.name]
    subprocess.run([sys.executable, *arguments], check=True)
    files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    names = pool.FindFileByName(source.name).message_types_by_name
    classes = {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.{name}"))
        for name in names
    }
    return type("Shapes", (), classes)


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_ints = st.integers(-(2**31), 2**31 - 1)
_times = st.datetimes(
    datetime(1, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(9999, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
_spans = st.timedeltas(timedelta(days=-99_999), timedelta(days=99_999))
_leaves = st.builds(Leaf, _texts.map(Name), _ints)
_events: st.SearchStrategy[DemandAccepted | QcFailed] = st.one_of(
    st.builds(DemandAccepted, _leaves), st.builds(QcFailed)
)
_colours = st.sampled_from(Colour)


def _few(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=3).map(tuple)


_trees = st.builds(
    Tree,
    text=_texts,
    number=_ints,
    ratio=st.floats(allow_nan=False),
    flag=st.booleans(),
    raw=st.binary(max_size=8),
    colour=_colours,
    maybe_colour=st.none() | _colours,
    at=_times,
    maybe_at=st.none() | _times,
    span=_spans,
    day=st.dates(),
    maybe_day=st.none() | st.dates(),
    leaf=_leaves,
    maybe_leaf=st.none() | _leaves,
    texts=_few(_texts),
    leaves=_few(_leaves),
    colours=_few(_colours),
    times=_few(_times),
    days=_few(st.dates()),
    counts=st.dictionaries(_texts, _ints, max_size=3),
    leaf_by_day=st.dictionaries(st.dates(), _leaves, max_size=3),
    maybe_number=st.none() | _ints,
    maybe_text=st.none() | _texts,
    inner=_events,
    outer=_events,
    maybe_outer=st.none() | _events,
    events=_few(_events),
)


def _tree() -> Tree:
    day = date(2026, 3, 9)
    at = datetime(2026, 3, 9, 8, 30, 0, 125, tzinfo=UTC)
    leaf = Leaf(Name("keqiao"), 2000)
    return Tree(
        "a", 1, 0.5, True, b"\x00", Colour.RED, None, at, None, timedelta(hours=-1), day, None,
        leaf, None, ("x",), (leaf, leaf), (Colour.DEEP_BLUE,), (at,), (day,), {"k": 1},
        {day: leaf}, 0, "", QcFailed(), DemandAccepted(leaf), None, (QcFailed(),),
    )  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(tree=_trees, child=st.none() | _trees)
def test_every_shape_survives_the_wire(shapes: Any, tree: Tree, child: Tree | None) -> None:
    whole = replace(tree, children=(child,)) if child else tree
    wire = encode(whole, shapes.Tree).SerializeToString()
    assert decode(shapes.Tree.FromString(wire), Tree) == whole


def test_the_classes_fit(shapes: Any) -> None:
    assert check(Tree, shapes.Tree) == []


def test_absent_and_zero_differ_where_the_type_says_so(shapes: Any) -> None:
    message = encode(_tree(), shapes.Tree)
    assert message.HasField("maybe_number")
    assert not message.HasField("maybe_at")
    assert message.maybe_colour == 0
    assert message.WhichOneof("inner") == "qc_failed"


@pytest.mark.parametrize(
    ("clear", "path", "reason"),
    [
        ("colour", "colour", "MISSING_FIELD"),
        ("at", "at", "MISSING_FIELD"),
        ("day", "day", "MISSING_FIELD"),
        ("leaf", "leaf", "MISSING_FIELD"),
        ("qc_failed", "inner", "MISSING_FIELD"),
        ("outer", "outer", "MISSING_FIELD"),
    ],
)
def test_a_required_field_that_is_absent_is_named(
    shapes: Any, clear: str, path: str, reason: str
) -> None:
    message = encode(_tree(), shapes.Tree)
    message.ClearField(clear)
    with pytest.raises(Rejected) as caught:
        decode(message, Tree)
    assert (caught.value.reason, caught.value.field) == (reason, path)


def _break_nested_day(message: Any) -> None:
    message.children[1].days[0] = "2026-02-30"


def _break_enum(message: Any) -> None:
    message.children[1].colours[0] = 77


def _break_event(message: Any) -> None:
    message.children[1].events[0].demand_accepted.ClearField("demand")


def _break_map_key(message: Any) -> None:
    message.children[1].leaf_by_day["soon"].units = 1


def _break_time(message: Any) -> None:
    message.children[1].times[0].seconds = 10**15


@pytest.mark.parametrize(
    ("damage", "path", "reason"),
    [
        (_break_nested_day, "children[1].days[0]", "MALFORMED_DATE"),
        (_break_enum, "children[1].colours[0]", "OUT_OF_RANGE"),
        (_break_event, "children[1].events[0].demand_accepted.demand", "MISSING_FIELD"),
        (_break_map_key, "children[1].leaf_by_day[soon]", "MALFORMED_DATE"),
        (_break_time, "children[1].times[0]", "MALFORMED_DATE"),
    ],
)
def test_a_refusal_carries_the_path(shapes: Any, damage: Any, path: str, reason: str) -> None:
    child = replace(_tree(), events=(DemandAccepted(Leaf(Name("m"), 1)),))
    message = encode(replace(_tree(), children=(_tree(), child)), shapes.Tree)
    damage(message)
    with pytest.raises(Rejected) as caught:
        decode(message, Tree)
    assert (caught.value.reason, caught.value.field) == (reason, path)
    assert caught.value.message_zh
    assert caught.value.hint


@dataclass(frozen=True, slots=True)
class Checked:
    name: str
    units: int

    def __post_init__(self) -> None:
        if self.units < 0:
            raise ValueError("negative")


def test_a_class_that_checks_itself_is_built_by_its_constructor(shapes: Any) -> None:
    assert decode(shapes.Leaf(name="a", units=1), Checked) == Checked("a", 1)
    with pytest.raises(ValueError, match="negative"):
        decode(shapes.Leaf(name="a", units=-1), Checked)


def test_a_naive_time_is_a_bug(shapes: Any) -> None:
    naive = replace(_tree(), at=datetime(2026, 3, 9))  # noqa: DTZ001
    with pytest.raises(ValueError, match="no time zone"):
        encode(naive, shapes.Tree)


def test_the_checker_names_each_mismatch(shapes: Any) -> None:
    wrong = make_dataclass("Wrong", [("name", str | None), ("units", int), ("more", str)])
    found = "\n".join(check(wrong, shapes.Wrong))
    assert "only the message has extra" in found
    assert "only the dataclass has more" in found
    assert "Wrong.units: int has another proto type" in found
    assert "Wrong.name: `| None` and `optional` go together" in found


def test_the_checker_compares_enums_and_branches(shapes: Any) -> None:
    class Small(StrEnum):
        RED = "RED"
        GREEN = "GREEN"

    other = make_dataclass("Other", [])
    cls = make_dataclass("Part", [("colour", Small), ("inner", DemandAccepted | other)])
    found = "\n".join(check(cls, shapes.Tree))
    assert "only the dataclass has the value COLOUR_GREEN" in found
    assert "only the proto has the value COLOUR_DEEP_BLUE" in found
    assert "only the dataclass has the branch other" in found
    assert "only the proto has the branch qc_failed" in found


def test_a_hundred_scalars_take_no_more_than_a_moment() -> None:
    proto = descriptor_pb2.FileDescriptorProto(name="wide.proto", package="w", syntax="proto3")
    names = [f"f{i}" for i in range(100)]
    message = proto.message_type.add(name="Wide")
    for number, name in enumerate(names, 1):
        message.field.add(name=name, number=number, type=[9, 3][number % 2], label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(proto)
    wide: type[Message] = message_factory.GetMessageClass(pool.FindMessageTypeByName("w.Wide"))
    kinds = [[str, int][number % 2] for number in range(1, 101)]
    cls = make_dataclass(
        "Wide",
        [(n, k, field()) for n, k in zip(names, kinds, strict=True)],
        frozen=True,
        slots=True,
    )
    obj = cls(*[kind(7) for kind in kinds])
    message_of = encode(obj, wide)
    assert decode(message_of, cls) == obj

    def both() -> None:
        decode(encode(obj, wide), cls)

    microseconds = min(timeit.repeat(both, number=100, repeat=5)) / 100 * 1e6
    assert microseconds < 600, "about 100 µs there and back on an idle core"
