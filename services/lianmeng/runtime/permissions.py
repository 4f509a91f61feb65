"""Who may call what: every call of the contract with the roles that may make it.

What is not listed is denied; a test holds this table against the contract. That a firm sees
and changes only its own is the service's part: `auth.current_caller().firm_id`.
"""

from __future__ import annotations

from collections.abc import Mapping

from lianmeng.kernel.errors import Rejected, Status
from lianmeng.kernel.roles import PrincipalRole

FIRM = PrincipalRole.FIRM
OPERATOR = PrincipalRole.OPERATOR
ZONE_MANAGER = PrincipalRole.ZONE_MANAGER
ASSOCIATION = PrincipalRole.ASSOCIATION
SERVICE = PrincipalRole.SERVICE

ANYONE = frozenset(PrincipalRole)
"""Whoever has a key."""

SELF_SIGNED: frozenset[PrincipalRole] = frozenset()
"""The call brings its own key and the service verifies its possession."""

OFFICE = frozenset({OPERATOR, ASSOCIATION})

_REGISTRY = "/lianmeng.v1.RegistryService/"
_TREND = "/lianmeng.v1.TrendService/"
_MATCHER = "/lianmeng.v1.MatcherService/"
_LIFECYCLE = "/lianmeng.v1.LifecycleService/"

PERMISSIONS: Mapping[str, frozenset[PrincipalRole]] = {
    _REGISTRY + "RegisterFirm": SELF_SIGNED,
    _REGISTRY + "UpdateFirm": frozenset({FIRM, *OFFICE}),
    _REGISTRY + "SetFirmState": frozenset({FIRM, *OFFICE}),
    _REGISTRY + "GetFirm": ANYONE,
    _REGISTRY + "SearchFirms": ANYONE,
    _REGISTRY + "PutNode": frozenset({FIRM, *OFFICE}),
    _REGISTRY + "SetNodeState": frozenset({FIRM, *OFFICE}),
    _REGISTRY + "GetNode": ANYONE,
    _REGISTRY + "SearchNodes": ANYONE,
    _REGISTRY + "PutProduct": OFFICE,
    _REGISTRY + "GetProduct": ANYONE,
    _REGISTRY + "SearchProducts": ANYONE,
    _REGISTRY + "PutMany": frozenset({FIRM, *OFFICE}),
    _REGISTRY + "WatchRegistry": ANYONE,
    _REGISTRY + "CreatePrincipal": frozenset({OPERATOR}),
    _REGISTRY + "AddKey": ANYONE,
    _REGISTRY + "CloseKey": ANYONE,
    _REGISTRY + "GetPrincipal": ANYONE,
    _TREND + "IngestSignals": frozenset({SERVICE, *OFFICE}),
    _TREND + "GetTrend": ANYONE,
    _TREND + "ListTrends": ANYONE,
    _TREND + "WatchTrends": ANYONE,
    _MATCHER + "SubmitDemand": frozenset({OPERATOR, ZONE_MANAGER, ASSOCIATION}),
    _MATCHER + "WhatIf": frozenset({OPERATOR, ZONE_MANAGER}),
    _LIFECYCLE + "ListAlliances": ANYONE,
    _LIFECYCLE + "GetAlliance": ANYONE,
    _LIFECYCLE + "WatchAlliances": ANYONE,
    _LIFECYCLE + "ListInvitations": frozenset({FIRM, OPERATOR}),
    _LIFECYCLE + "WatchInvitations": frozenset({FIRM, OPERATOR}),
    _LIFECYCLE + "AcceptInvitation": frozenset({FIRM}),
    _LIFECYCLE + "DeclineInvitation": frozenset({FIRM}),
    _LIFECYCLE + "ListTasks": frozenset({FIRM, OPERATOR, ZONE_MANAGER}),
    _LIFECYCLE + "WatchTasks": frozenset({FIRM, OPERATOR, ZONE_MANAGER}),
    _LIFECYCLE + "ReportTask": frozenset({FIRM}),
    _LIFECYCLE + "AcceptTask": frozenset({FIRM}),
    _LIFECYCLE + "Approve": frozenset({ZONE_MANAGER}),
    _LIFECYCLE + "Reject": frozenset({ZONE_MANAGER}),
    _LIFECYCLE + "Dissolve": frozenset({ZONE_MANAGER, OPERATOR}),
    _LIFECYCLE + "GetStatement": frozenset({FIRM, OPERATOR, ZONE_MANAGER, ASSOCIATION}),
}
"""Full name of a call → roles that may make it."""


def require_role(call: str, roles: frozenset[PrincipalRole]) -> None:
    """Raises `Rejected(ROLE_MISSING)` unless one of `roles` may make the call."""
    allowed = PERMISSIONS.get(call, SELF_SIGNED)
    if not allowed.isdisjoint(roles):
        return
    names = ", ".join(sorted(allowed)) or "nobody"
    raise Rejected(
        reason="ROLE_MISSING",
        message=f"your roles do not include {call.rsplit('/', 1)[-1]}",
        hint=f"it is for {names}",
        message_zh=f"您的角色无权调用 {call.rsplit('/', 1)[-1]}",
        hint_zh=f"该操作仅限：{names}",
        status=Status.PERMISSION_DENIED,
    )


def is_self_signed(call: str) -> bool:
    """Whether the call brings its own key."""
    return PERMISSIONS.get(call) == SELF_SIGNED
