"""What a search asks for, as terms of the views. Bad criteria are refused, not ignored."""

from __future__ import annotations

from dataclasses import dataclass

from lianmeng.kernel.codes import require_locode, require_market
from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.ids import require_id
from lianmeng.kernel.roles import Role
from lianmeng.pool import checks
from lianmeng.pool.checks import Bounds
from lianmeng.pool.firms import FirmState
from lianmeng.pool.nodes import NodeState
from lianmeng.registry.messages import read_enum
from lianmeng.v1 import registry_pb2 as pb
from lianmeng.v1 import types_pb2

DEFAULT_PAGE = 100
PAGE_SIZE = Bounds(0, 1_000)

Term = str | tuple[str, ...]
"""A word that a record must have, or several of which it must have one."""


@dataclass(frozen=True, slots=True)
class Query:
    """All `terms` must be met. `after` is where the page before ended."""

    terms: tuple[Term, ...]
    after: str
    limit: int
    min_revision: str


def firm_query(request: pb.SearchFirmsRequest) -> Query:
    """Firms by role, state, division, certificate type."""
    terms: list[Term] = _role(request.role)
    if request.state:
        state = read_enum(request.state, FirmState, "FIRM_STATE_", pb.FirmState, "state")
        terms.append(f"state:{state}")
    if request.division_prefix:
        terms.append(f"division:{_digits(request.division_prefix, 'division_prefix')}")
    if request.certificate_type:
        terms.append(f"certificate:{checks.text(request.certificate_type, 'certificate_type')}")
    return _query(terms, request)


def node_query(request: pb.SearchNodesRequest, firms: tuple[str, ...]) -> Query:
    """Nodes by role, HS6 prefix, market, place, owner, state; of `firms` only, if there are any."""
    terms: list[Term] = _role(request.role)
    if request.hs6_prefix:
        terms.append(f"hs6:{_digits(request.hs6_prefix, 'hs6_prefix')}")
    if request.market:
        terms.append(f"market:{require_market(request.market, 'market')}")
    if request.locode:
        terms.append(f"locode:{require_locode(request.locode, 'locode')}")
    if request.firm_id:
        terms.append(f"firm:{require_id(request.firm_id, 'firm_id')}")
    if request.state:
        state = read_enum(request.state, NodeState, "NODE_STATE_", pb.NodeState, "state")
        terms.append(f"state:{state}")
    if firms:
        terms.append(tuple(f"firm:{firm}" for firm in firms))
    return _query(terms, request)


def product_query(request: pb.SearchProductsRequest) -> Query:
    """Products by HS6 prefix and market."""
    terms: list[Term] = []
    if request.hs6_prefix:
        terms.append(f"hs6:{_digits(request.hs6_prefix, 'hs6_prefix')}")
    if request.market:
        terms.append(f"market:{require_market(request.market, 'market')}")
    return _query(terms, request)


Request = pb.SearchFirmsRequest | pb.SearchNodesRequest | pb.SearchProductsRequest


def _query(terms: list[Term], request: Request) -> Query:
    size = checks.in_range(request.page_size, PAGE_SIZE, "page_size") or DEFAULT_PAGE
    return Query(tuple(terms), request.page_token, size, request.min_revision)


def _role(number: int) -> list[Term]:
    if not number:
        return []
    return [f"role:{read_enum(number, Role, 'ROLE_', types_pb2.Role, 'role')}"]


def _digits(prefix: str, field: str) -> str:
    if 2 <= len(prefix) <= 6 and prefix.isascii() and prefix.isdigit():
        return prefix
    raise Rejected(
        reason="MALFORMED_VALUE",
        field=field,
        message=f"{prefix[:16]!r} is not a prefix of a code",
        hint="write its first two to six digits",
        message_zh=f"{prefix[:16]!r} 不是编码前缀",
        hint_zh="请填编码的前两到六位数字",
    )
