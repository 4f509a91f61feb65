"""Who asks, and for what: the caller as a viewer, and requests narrowed to what it may list."""

from __future__ import annotations

from typing import Any, TypeVar

from lianmeng.alliance import facts as f
from lianmeng.alliance.state import State
from lianmeng.kernel.errors import Rejected, Status
from lianmeng.kernel.roles import PrincipalRole
from lianmeng.lifecycle import views
from lianmeng.lifecycle.visibility import ALL_SEEING, Viewer
from lianmeng.runtime.auth import Caller, current_caller
from lianmeng.v1 import alliance_pb2
from lianmeng.v1 import lifecycle_pb2 as pb

PAGE = 100
"""Alliances of a page when the caller does not say."""

MAX_PAGE = 1_000
"""Most alliances of a page."""

E = TypeVar("E", State, f.ReportKind)


def viewer_of(caller: Caller) -> Viewer:
    """Whose eyes the caller looks with."""
    return Viewer(caller.principal_id, caller.firm_id, sees_all=caller.has(*ALL_SEEING))


def watcher() -> Viewer:
    """Whose invitations or tasks are watched. Raises `Rejected` for those that have none."""
    own_firm()
    return viewer_of(current_caller())


def own_firm() -> str:
    """The caller's firm; "" = all firms, for those who see all."""
    caller = current_caller()
    if caller.firm_id or caller.has(*ALL_SEEING):
        return caller.firm_id
    raise no_firm()


def no_firm() -> Rejected:
    """The refusal of a call that only a firm can make."""
    return Rejected(
        reason="NOT_YOURS",
        message="you act for no firm",
        hint="call with the key of the firm",
        message_zh="您不代表任何企业",
        hint_zh="请使用企业的密钥调用",
        status=Status.PERMISSION_DENIED,
    )


def list_terms(request: pb.ListAlliancesRequest, caller: Caller) -> list[str | list[str]] | None:
    """What the list is narrowed to; None = the caller can see none."""
    terms: list[str | list[str]] = []
    if request.states:
        wanted = [
            read_enum(State, alliance_pb2.State, number, "states") for number in request.states
        ]
        terms.append([views.of_state(state) for state in wanted])
    if not caller.has(*ALL_SEEING):
        if not caller.firm_id:
            return None
        terms.append(views.of_firm(caller.firm_id))
    if request.awaiting_me:
        terms.append(_awaiting(caller))
    return terms


def _awaiting(caller: Caller) -> list[str]:
    """Terms of alliances that wait for this caller: a decision, an answer, or work."""
    terms = []
    if caller.has(PrincipalRole.ZONE_MANAGER):
        terms.append(views.of_state(State.AWAITING_APPROVAL))
    if caller.firm_id:
        terms += [views.asking(caller.firm_id), views.working(caller.firm_id)]
    return terms or ["nothing-waits"]


def page_size(wanted: int) -> int:
    """The size of a page; 0 = the usual one. Raises `Rejected(OUT_OF_RANGE)`."""
    if 0 <= wanted <= MAX_PAGE:
        return wanted or PAGE
    raise Rejected(
        reason="OUT_OF_RANGE",
        field="page_size",
        message=f"{wanted} is not a page size",
        hint=f"send 1 to {MAX_PAGE}, or 0 for {PAGE}",
        message_zh=f"每页数量 {wanted} 不正确",
        hint_zh=f"请填 1 到 {MAX_PAGE}，0 表示 {PAGE}",
    )


def read_enum(kind: type[E], wire: Any, number: int, field: str) -> E:
    """The domain's value of a number on the wire. Raises `Rejected` for 0 and unknown ones."""
    name = wire.Name(number) if number in wire.values() else ""
    for member in kind:
        if name.endswith(f"_{member}"):
            return member
    names = ", ".join(kind.__members__)
    raise Rejected(
        reason="MISSING_FIELD",
        field=field,
        message=f"{field} is not set, or not to a known value",
        hint=f"use one of {names}",
        message_zh=f"未填写 {field}，或取值未知",
        hint_zh=f"请从中选择：{names}",
    )
