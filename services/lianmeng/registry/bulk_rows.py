"""A checked row of a bulk stream against all other records: the version that it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lianmeng.kernel.errors import Rejected, Status
from lianmeng.pool.firms import Firm
from lianmeng.pool.records import RegistryRecord
from lianmeng.pool.validation import validate_public_key
from lianmeng.registry import decisions, refusals
from lianmeng.registry.actors import Actor
from lianmeng.registry.crosschecks import CrossChecks
from lianmeng.registry.log import Owned, digest_of
from lianmeng.registry.messages import read_firm, read_product
from lianmeng.registry.picture import Current, Kind, Picture
from lianmeng.runtime.keys import key_id_of
from lianmeng.v1 import registry_pb2


@dataclass(frozen=True, slots=True)
class Draft:
    """A row that is in order. `said` is the record as it will be stored, but for its version.

    `edited` is the version that the caller edited, 0 = whatever is current. `firm` and
    `public_key` are set for a firm. `unique` are values that nobody else may have.
    """

    row: str
    kind: Kind
    id: str
    owner: str
    said: Owned
    digest: int
    edited: int = 0
    firm: Firm | None = None
    public_key: bytes = b""
    unique: frozenset[str | bytes] = frozenset()


class RowReader:
    """Makes drafts of one caller's rows. All refusals name the field by its path in the row."""

    def __init__(self, actor: Actor, picture: Picture) -> None:
        self._actor = actor
        self._others = CrossChecks(picture)

    def read(self, said: registry_pb2.PutManyRow, row: str) -> Draft:
        """The draft of a checked row. Raises `Rejected`."""
        match said.WhichOneof("record"):
            case "node":
                return self._node(said.node, row)
            case "product":
                return self._product(said.product, row)
            case _:
                return self._firm(said.firm, row)

    def _node(self, node: registry_pb2.Node, row: str) -> Draft:
        self._actor.require_firm(node.firm_id, "firm", node.firm_id, "node.firm_id")
        self._others.firm_takes_part(node.firm_id, "node.firm_id")
        digest = digest_of(node)
        return Draft(row, Kind.NODE, node.node_id, node.firm_id, node, digest, node.version)

    def _product(self, said: registry_pb2.Product, row: str) -> Draft:
        if not self._actor.is_trustee:
            raise _for_trustees()
        product = read_product(said, "product")
        self._others.terms_are_free(product)
        return Draft(
            row, Kind.PRODUCT, said.product_id, "", said, digest_of(said), said.version,
            unique=frozenset(product.terms()),
        )  # fmt: skip

    def _firm(self, said: registry_pb2.RegisterFirmRequest, row: str) -> Draft:
        firm = read_firm(said.firm, "firm.firm")
        self._actor.require_firm(firm.firm_id, "firm", firm.firm_id, "firm.firm.firm_id")
        return Draft(
            row, Kind.FIRM, firm.firm_id, firm.firm_id, said.firm, digest_of(said.firm),
            firm.version, firm, said.public_key, frozenset({said.public_key}),
        )  # fmt: skip

    def new_firm(self, draft: Draft, now: datetime) -> tuple[Firm, RegistryRecord]:
        """The first version of a firm and the record of its principal. Raises `Rejected`."""
        assert draft.firm is not None
        if not self._actor.is_trustee:
            raise _for_trustees()
        key_id = key_id_of(validate_public_key(draft.public_key, "firm.public_key"))
        self._others.principal_is_free(draft.id, "firm.firm.firm_id")
        self._others.key_is_free(key_id, "firm.public_key")
        principal = decisions.firm_principal(draft.id, key_id, draft.public_key, now)
        return decisions.new_firm(draft.firm), RegistryRecord(
            record=principal, written_by=self._actor.principal_id, written_time=now
        )

    def version_after(self, draft: Draft, current: Current | None) -> int:
        """The number of the version that the draft becomes. Raises `Rejected`."""
        version = 0 if current is None else current.version
        if draft.edited not in (0, version):
            raise refusals.version_conflict(draft.edited, version, f"{_field(draft.kind)}.version")
        if current is not None and current.owner != draft.owner:
            raise refusals.not_yours("node", draft.id, "node.firm_id")
        return version + 1


def _field(kind: Kind) -> str:
    return kind.removesuffix("s")


def _for_trustees() -> Rejected:
    return Rejected(
        reason="ROLE_MISSING",
        field="record",
        message="your roles do not include this kind of row",
        hint="firms register themselves; products are written by the association",
        message_zh="您的角色无权写入此类记录",
        hint_zh="企业请自行注册；产品目录由协会维护",
        status=Status.PERMISSION_DENIED,
    )
