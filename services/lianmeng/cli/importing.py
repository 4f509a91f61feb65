"""Records from CSV files into the registry: whole folders by the association, one firm by itself.

Every firm gets a key of its own in the home directory. Rows that are refused are told with their
place in the file; the others are kept. Sent again, nothing doubles.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from lianmeng.kernel.ids import derive
from lianmeng.pool.csv_files import PoolFiles
from lianmeng.pool.csv_pool import Item
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Node
from lianmeng.runtime.codec import encode
from lianmeng.runtime.keys import ensure_key
from lianmeng.v1 import registry_pb2 as pb
from lianmeng.world.callers import Caller, Services

ROWS_PER_MESSAGE = 200

MOST_SHOWN = 20
"""Row errors that are shown to people; machines get all."""


def bulk_rows(items: Iterable[Item], keys: Path) -> Iterator[pb.PutManyRow]:
    """Rows of a bulk stream; a firm without a key in `keys` gets one."""
    for item in items:
        match item.record:
            case Firm() as firm:
                request = register_request(firm, ensure_key(key_of(keys, firm), firm.firm_id))
                yield pb.PutManyRow(row=item.label, firm=request)
            case Node() as node:
                yield pb.PutManyRow(row=item.label, node=encode(node, pb.Node))
            case product:
                yield pb.PutManyRow(row=item.label, product=encode(product, pb.Product))


def key_of(keys: Path, firm: Firm) -> Path:
    """Where a firm's private key lies."""
    return keys / f"{firm.firm_id}.pem"


def register_request(firm: Firm, signer: Any) -> pb.RegisterFirmRequest:
    """The registration of a firm with the public key of its signer.

    What only the platform sets is left out: a registration that claims it is refused.
    """
    claimed = encode(firm, pb.Firm)
    for name in ("state", "version", "reliability_bp"):
        claimed.ClearField(name)
    return pb.RegisterFirmRequest(
        command_id=derive("c-", "register", firm.firm_id, firm.uscc),
        firm=claimed,
        public_key=signer.public_key,
    )


async def put_many(
    services: Services, caller: Caller, rows: Iterable[pb.PutManyRow]
) -> pb.PutManyResponse:
    """Send rows over one stream."""
    return await caller.registry.send(services.registry.PutMany, _messages(rows))


async def _messages(rows: Iterable[pb.PutManyRow]) -> AsyncIterator[pb.PutManyRequest]:
    chunk: list[pb.PutManyRow] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == ROWS_PER_MESSAGE:
            yield pb.PutManyRequest(rows=chunk)
            chunk = []
    if chunk:
        yield pb.PutManyRequest(rows=chunk)


async def activate(services: Services, caller: Caller, firm_ids: Iterable[str]) -> int:
    """Verify the firms that wait for it; how many there were."""
    count = 0
    for firm_id in firm_ids:
        answer = await caller.registry.call(
            services.registry.GetFirm, pb.GetFirmRequest(firm_id=firm_id)
        )
        if answer.firm.state != pb.FIRM_STATE_PENDING_VERIFICATION:
            continue
        request = pb.SetFirmStateRequest(
            command_id=derive("c-", "activate", firm_id, str(answer.firm.version)),
            firm_id=firm_id,
            state=pb.FIRM_STATE_ACTIVE,
        )
        await caller.registry.call(services.registry.SetFirmState, request)
        count += 1
    return count


def tell_problems(console: Console, files: PoolFiles, refused: Sequence[pb.RowError] = ()) -> None:
    """Notices and row errors, in both languages; the place in the file comes first."""
    for notice in files.notices:
        text = f"{notice.file}: {notice.message} | {notice.message_zh}"
        console.print(Text(text, style="yellow"))
    lines = [str(error) for error in files.imported.errors] + [refusal(one) for one in refused]
    for line in lines[:MOST_SHOWN]:
        console.print(Text(line, style="red"))
    if len(lines) > MOST_SHOWN:
        console.print(f"… and {len(lines) - MOST_SHOWN} more", style="red")


def refusal(error: pb.RowError) -> str:
    """A row that the registry refused, in one line."""
    return (
        f"{error.row} [{error.field}]: {error.message}; {error.hint} | "
        f"{error.message_zh}；{error.hint_zh}"
    )
