"""The read model: firms, nodes, products and principals, with the terms to find them by.

Each kind has a view of its own in Redis, built from the stream and rebuilt at any time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator

from google.protobuf.message import DecodeError
from redis.asyncio import Redis

from lianmeng.kernel.errors import Poison
from lianmeng.pool import checks
from lianmeng.registry.log import subject_of
from lianmeng.registry.picture import Kind
from lianmeng.registry.queries import Query
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.messages import Message
from lianmeng.runtime.views import MAX_PAGE, Page, Put, View
from lianmeng.v1 import registry_pb2, types_pb2


def _state(enum_name: str, prefix: str) -> str:
    return "state:" + enum_name.removeprefix(prefix)


def _prefixes(code: str) -> Iterator[str]:
    return (code[:length] for length in range(2, len(code) + 1))


def firm_terms(firm: registry_pb2.Firm) -> Iterator[str]:
    """By role, state, division and its prefixes, certificate type."""
    yield _state(registry_pb2.FirmState.Name(firm.state), "FIRM_STATE_")
    for role in firm.roles:
        yield "role:" + types_pb2.Role.Name(role).removeprefix("ROLE_")
    for prefix in _prefixes(firm.division):
        yield f"division:{prefix}"
    for certificate in firm.certificates:
        yield f"certificate:{certificate.type}"


def node_terms(node: registry_pb2.Node) -> Iterator[str]:
    """By role, state, owner, place, HS6 and its prefixes, market."""
    yield _state(registry_pb2.NodeState.Name(node.state), "NODE_STATE_")
    yield f"firm:{node.firm_id}"
    yield f"locode:{node.locode}"
    kind = node.WhichOneof("capability")
    yield f"role:{(kind or '').upper()}"
    if kind == "manufacturing":
        for hs6 in node.manufacturing.hs6:
            for prefix in _prefixes(hs6):
                yield f"hs6:{prefix}"
    for market in _markets(node):
        yield f"market:{market}"


def _markets(node: registry_pb2.Node) -> set[str]:
    lanes = {lane.market for lane in node.logistics.lanes}
    houses = {warehouse.market for warehouse in node.logistics.warehouses}
    return lanes | houses | {account.market for account in node.marketing.accounts}


def product_terms(product: registry_pb2.Product) -> Iterator[str]:
    """By name and alias, HS6 and its prefixes, market."""
    for term in (product.product_id, *product.aliases):
        yield f"term:{term}"
    for prefix in _prefixes(product.hs6):
        yield f"hs6:{prefix}"
    for price in product.prices:
        yield f"market:{price.market}"


def _project(message: Message) -> Iterable[Put]:
    try:
        record = registry_pb2.RegistryRecord.FromString(message.data)
    except DecodeError as error:
        raise Poison("CORRUPT_PAYLOAD", str(error)) from error
    match record.WhichOneof("record"):
        case "firm":
            return [_put(record.firm.firm_id, record.firm, firm_terms(record.firm))]
        case "node":
            return [_put(record.node.node_id, record.node, node_terms(record.node))]
        case "product":
            product = record.product
            return [_put(product.product_id, product, product_terms(product))]
        case "principal":
            return [_put(record.principal.principal_id, record.principal, ())]
    raise Poison("CORRUPT_PAYLOAD", "there is no record in it")


def _put(identity: str, said: Said, terms: Iterable[str]) -> Put:
    return Put(identity, said.SerializeToString(), tuple(dict.fromkeys(terms)))


Said = registry_pb2.Firm | registry_pb2.Node | registry_pb2.Product | registry_pb2.Principal


class RegistryViews:
    """The four views of a zone. Start `tasks` beside the server."""

    def __init__(self, memory: Redis, log: Log, zone: str) -> None:
        self._views = {
            kind: View(memory, log, f"registry.{kind}", [subject_of(zone, kind, "*")], _project)
            for kind in Kind
        }

    def tasks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What has to run until the process stops, by name."""
        return {f"view {kind}": view.run for kind, view in self._views.items()}

    async def get(self, kind: Kind, identity: str, min_revision: str) -> tuple[bytes | None, str]:
        """A record as bytes and the view's revision. Raises `Transient`, `Rejected`."""
        return await self._views[kind].get(identity, min_revision)

    async def find(self, kind: Kind, query: Query) -> Page:
        """A page of records in the order of their ids. Raises as `get`."""
        return await self._views[kind].find(
            *query.terms, after=query.after, limit=query.limit, min_revision=query.min_revision
        )

    async def wait_for(self, kind: Kind, min_revision: str) -> str:
        """Return when the view holds `min_revision`, with its own revision. Raises as `get`."""
        return await self._views[kind].wait_for(min_revision)

    async def product_called(self, name: str, min_revision: str) -> tuple[bytes | None, str]:
        """A product by id or alias."""
        term = f"term:{checks.text(name, 'product_id', needed=True)}"
        page = await self.find(Kind.PRODUCT, Query((term,), "", 1, min_revision))
        return (page.documents[0] if page.documents else None), page.revision

    async def firms_with(self, certificate_type: str) -> tuple[str, ...]:
        """Ids of all firms that hold a certificate of this type, valid or not."""
        term = f"certificate:{checks.text(certificate_type, 'certificate_type')}"
        found: list[str] = []
        after = ""
        while True:
            page = await self.find(Kind.FIRM, Query((term,), after, MAX_PAGE, ""))
            found += [registry_pb2.Firm.FromString(data).firm_id for data in page.documents]
            if not page.next:
                return tuple(found)
            after = page.next
