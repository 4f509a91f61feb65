"""A row of a bulk stream by itself: read and validated, without a look at other records."""

from __future__ import annotations

from datetime import datetime

from lianmeng.kernel.errors import Rejected
from lianmeng.pool import checks
from lianmeng.pool.node_validation import validate_node
from lianmeng.pool.validation import validate_firm, validate_product
from lianmeng.registry.messages import read_firm, read_node, read_product
from lianmeng.runtime.codec import encode
from lianmeng.v1 import registry_pb2 as pb

Checked = tuple[pb.PutManyRequest, dict[int, pb.RowError]]
"""Rows as they are to be stored, and the refusals of the others by their index."""


def check_rows(request: pb.PutManyRequest, now: datetime) -> Checked:
    """All rows of a message; `now` (story time) judges the age of stock counts."""
    refused: dict[int, pb.RowError] = {}
    for index, row in enumerate(request.rows):
        try:
            check_row(row, now)
        except Rejected as refusal:
            refused[index] = row_error(str(index), refusal)
    return request, refused


def check_row(row: pb.PutManyRow, now: datetime) -> None:
    """Bring a row into the form in which it is stored. Raises `Rejected` with the field's path."""
    match row.WhichOneof("record"):
        case "node":
            node = read_node(row.node, "node")
            valid = validate_node(node, now)
            if valid is not node:  # an alias of a port was replaced
                row.node.CopyFrom(encode(valid, pb.Node))
        case "product":
            validate_product(read_product(row.product, "product"))
        case "firm":
            validate_firm(read_firm(row.firm.firm, "firm.firm"), "firm.firm")
        case _:
            checks.required((), "record")


def row_error(row: str, refusal: Rejected) -> pb.RowError:
    """A refusal in the words of the contract."""
    return pb.RowError(
        row=row,
        reason=refusal.reason,
        field=refusal.field,
        message=refusal.message,
        hint=refusal.hint,
        message_zh=refusal.message_zh,
        hint_zh=refusal.hint_zh,
    )
