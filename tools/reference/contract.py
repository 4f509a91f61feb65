"""The pages of the contract: one per proto file, each part with its comment."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

from lianmeng.runtime.permissions import PERMISSIONS, is_self_signed
from tools.reference.markdown import ROOT, anchor, code, page, table

PACKAGE = "lianmeng.v1"
FOLDER = "proto/lianmeng/v1"

_SYNTAX, _MESSAGES, _ENUMS, _SERVICES = 12, 4, 5, 6
"""Numbers of the fields of FileDescriptorProto, of which the paths of comments are made."""

_MEMBERS = 2
"""Number of the field that holds the fields, values or methods of a message, enum or service."""

_SCALARS = {
    number: name.removeprefix("TYPE_").lower() for name, number in FieldDescriptorProto.Type.items()
}


@dataclass(frozen=True, slots=True)
class File:
    """One proto file with the comments of its parts, by their paths."""

    proto: FileDescriptorProto
    comments: Mapping[tuple[int, ...], str]

    @property
    def name(self) -> str:
        """`alliance` of `lianmeng/v1/alliance.proto`."""
        return Path(self.proto.name).stem

    def comment(self, *path: int) -> str:
        """The comment before a part."""
        return self.comments.get(path, "")


def contract_files() -> list[File]:
    """All files of the contract, by name."""
    protos = sorted((ROOT / FOLDER).glob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "contract.binpb")
        command = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={ROOT / 'proto'}"]
        command += ["--include_source_info", f"--descriptor_set_out={target}", *map(str, protos)]
        subprocess.run(command, check=True)  # noqa: S603  # our own command, no input of anybody's
        found = FileDescriptorSet.FromString(target.read_bytes())
    return [File(proto, _comments(proto)) for proto in found.file]


def _comments(proto: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    return {
        tuple(location.path): "\n\n".join(
            " ".join(paragraph.split())
            for paragraph in re.split(r"\n\s*\n", location.leading_comments.strip())
        )
        for location in proto.source_code_info.location
        if location.leading_comments
    }


def contract_pages(files: list[File]) -> dict[str, str]:
    """Path below docs/reference → page."""
    homes = {name: file.name for file in files for name in _names(file)}
    return {f"contract/{file.name}.md": _page(file, homes) for file in files}


def _names(file: File) -> Iterator[str]:
    yield from (message.name for message in file.proto.message_type)
    yield from (enum.name for enum in file.proto.enum_type)


def _page(file: File, homes: Mapping[str, str]) -> str:
    blocks = [_opening(file)]
    for i, service in enumerate(file.proto.service):
        blocks.append(_service(file, i, service, homes))
    if file.proto.message_type:
        blocks.append("## Messages")
    for i, message in enumerate(file.proto.message_type):
        blocks.append(_message(file, i, message, homes))
    if file.proto.enum_type:
        blocks.append("## Enums")
    for i, enum in enumerate(file.proto.enum_type):
        blocks.append(_enum(file, i, enum))
    origins = [f"{FOLDER}/{file.name}.proto"]
    if file.proto.service:
        origins.append("services/lianmeng/runtime/permissions.py")
    return page(f"{file.name}.proto", origins, *blocks)


def _opening(file: File) -> str:
    """What the file says of itself, before its package or its syntax."""
    return file.comment(2) or file.comment(_SYNTAX)


def _service(
    file: File, index: int, service: ServiceDescriptorProto, homes: Mapping[str, str]
) -> str:
    rows = []
    for i, call in enumerate(service.method):
        takes = _link(call.input_type, homes, stream=call.client_streaming)
        gives = _link(call.output_type, homes, stream=call.server_streaming)
        who = _who(f"/{PACKAGE}.{service.name}/{call.name}")
        what = file.comment(_SERVICES, index, _MEMBERS, i)
        rows.append((code(call.name), takes, gives, what, who))
    comment = file.comment(_SERVICES, index)
    head = ("call", "takes", "gives", "what it does", "who may call it")
    return f"## {service.name}\n\n{comment}\n\n{table(head, rows)}"


def _who(call: str) -> str:
    if is_self_signed(call):
        return "whoever brings a key"
    roles = sorted(role.value for role in PERMISSIONS[call])
    return "any principal" if len(roles) > 4 else ", ".join(roles)


def _link(full_name: str, homes: Mapping[str, str], *, stream: bool = False) -> str:
    name = full_name.rsplit(".", 1)[-1]
    home = homes.get(name) if full_name.startswith(f".{PACKAGE}.") else None
    shown = f"[{name}]({home}.md#{anchor(name)})" if home else code(full_name.lstrip("."))
    return f"stream of {shown}" if stream else shown


def _message(file: File, index: int, message: DescriptorProto, homes: Mapping[str, str]) -> str:
    path = (_MESSAGES, index)
    rows = [
        (
            code(field.name),
            str(field.number),
            _type(message, field, homes),
            file.comment(*path, _MEMBERS, i),
        )
        for i, field in enumerate(message.field)
    ]
    text = f"### {message.name}\n\n{file.comment(*path)}"
    if not rows:
        return f"{text}\n\nIt has no fields."
    return f"{text}\n\n{table(('field', 'no.', 'type', 'meaning'), rows)}"


def _type(message: DescriptorProto, field: FieldDescriptorProto, homes: Mapping[str, str]) -> str:
    entry = next((n for n in message.nested_type if field.type_name.endswith(f".{n.name}")), None)
    if entry is not None and entry.options.map_entry:
        key, value = (_plain(part, homes) for part in entry.field)
        return f"map from {key} to {value}"
    shown = _plain(field, homes)
    if field.HasField("oneof_index") and not field.proto3_optional:
        return f"{shown}, one of `{message.oneof_decl[field.oneof_index].name}`"
    if field.proto3_optional:
        return f"{shown}, optional"
    repeated = field.label == FieldDescriptorProto.LABEL_REPEATED
    return f"list of {shown}" if repeated else shown


def _plain(field: FieldDescriptorProto, homes: Mapping[str, str]) -> str:
    if field.type_name:
        return _link(field.type_name, homes)
    return code(_SCALARS[field.type])


def _enum(file: File, index: int, enum: EnumDescriptorProto) -> str:
    path = (_ENUMS, index)
    rows = [
        (code(value.name), str(value.number), file.comment(*path, _MEMBERS, i))
        for i, value in enumerate(enum.value)
    ]
    comment = file.comment(*path)
    return f"### {enum.name}\n\n{comment}\n\n{table(('name', 'no.', 'meaning'), rows)}"
