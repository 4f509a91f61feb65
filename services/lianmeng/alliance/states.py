"""The state table of an alliance: all of it, literally.

`TABLE[fact][state]` lists the states in which a fact may find an alliance and leave it;
None is "not yet". Everything that affects where an alliance can go lives here: `evolve`
refuses what the table does not list, and the state diagram in the docs is drawn from it.
"""

from __future__ import annotations

from lianmeng.alliance.state import State

_ = State
TERMINAL = frozenset({_.DISSOLVED, _.INFEASIBLE, _.REJECTED, _.FORMATION_FAILED})
"""States without a deadline, in which nothing is held and nothing happens any more."""

FORMING = frozenset({_.MATCHING, _.PROPOSED, _.AWAITING_APPROVAL, _.INVITING})
"""States before the first contract; AWAITING_APPROVAL also occurs in the middle of a repair."""

TABLE: dict[str, dict[State | None, tuple[State, ...]]] = {
    "demand_accepted": {None: (_.MATCHING,)},
    "no_plan": {
        _.MATCHING: (_.MATCHING,),
        _.INVITING: (_.INVITING,),
        _.REPAIRING: (_.REPAIRING,),
    },
    "rematch_due": {_.MATCHING: (_.MATCHING,)},
    "infeasible": {_.MATCHING: (_.INFEASIBLE,)},
    "proposed": {_.MATCHING: (_.PROPOSED,)},
    "approval_requested": {
        _.PROPOSED: (_.AWAITING_APPROVAL,),
        _.INVITING: (_.AWAITING_APPROVAL,),
        _.REPAIRING: (_.AWAITING_APPROVAL,),
    },
    "approval_granted": {_.AWAITING_APPROVAL: (_.INVITING, _.REPAIRING)},
    "approval_refused": {_.AWAITING_APPROVAL: (_.REJECTED, _.WINDING_DOWN)},
    "invited": {
        _.PROPOSED: (_.INVITING,),
        _.INVITING: (_.INVITING,),
        _.REPAIRING: (_.REPAIRING,),
    },
    "accepted": {
        _.INVITING: (_.INVITING,),
        _.AWAITING_APPROVAL: (_.AWAITING_APPROVAL,),
        _.REPAIRING: (_.REPAIRING,),
        _.ACTIVE: (_.ACTIVE,),  # late only: the firm becomes a standby
    },
    "declined": {
        _.INVITING: (_.INVITING,),
        _.AWAITING_APPROVAL: (_.AWAITING_APPROVAL,),
        _.REPAIRING: (_.REPAIRING,),
    },
    "expired": {
        _.INVITING: (_.INVITING,),
        _.AWAITING_APPROVAL: (_.AWAITING_APPROVAL,),
        _.REPAIRING: (_.REPAIRING,),
    },
    "reminded": {
        _.INVITING: (_.INVITING,),
        _.AWAITING_APPROVAL: (_.AWAITING_APPROVAL,),
        _.REPAIRING: (_.REPAIRING,),
        _.ACTIVE: (_.ACTIVE,),
        _.WINDING_DOWN: (_.WINDING_DOWN,),
    },
    "repair_requested": {
        _.INVITING: (_.INVITING,),
        _.ACTIVE: (_.REPAIRING,),
        _.REPAIRING: (_.REPAIRING,),
    },
    "repaired": {_.INVITING: (_.INVITING,), _.REPAIRING: (_.REPAIRING,)},
    "activated": {_.INVITING: (_.ACTIVE,), _.REPAIRING: (_.ACTIVE,)},
    "task_reported": {
        _.ACTIVE: (_.ACTIVE,),
        _.REPAIRING: (_.REPAIRING,),
        _.AWAITING_APPROVAL: (_.AWAITING_APPROVAL,),
        _.WINDING_DOWN: (_.WINDING_DOWN,),
    },
    "task_accepted": {
        _.ACTIVE: (_.ACTIVE,),
        _.REPAIRING: (_.REPAIRING,),
        _.AWAITING_APPROVAL: (_.AWAITING_APPROVAL,),
        _.WINDING_DOWN: (_.WINDING_DOWN,),
    },
    "member_at_risk": {
        _.ACTIVE: (_.ACTIVE,),
        _.REPAIRING: (_.REPAIRING,),
        _.AWAITING_APPROVAL: (_.AWAITING_APPROVAL,),
        _.WINDING_DOWN: (_.WINDING_DOWN,),
    },
    "member_failed": {
        _.ACTIVE: (_.ACTIVE,),
        _.REPAIRING: (_.REPAIRING,),
        _.AWAITING_APPROVAL: (_.AWAITING_APPROVAL,),
        _.WINDING_DOWN: (_.WINDING_DOWN,),
    },
    "winding_down": {
        _.ACTIVE: (_.WINDING_DOWN,),
        _.REPAIRING: (_.WINDING_DOWN,),
        _.AWAITING_APPROVAL: (_.WINDING_DOWN,),
    },
    "dissolved": {_.WINDING_DOWN: (_.DISSOLVED,)},
    "formation_failed": {
        _.MATCHING: (_.FORMATION_FAILED,),
        _.PROPOSED: (_.FORMATION_FAILED,),
        _.AWAITING_APPROVAL: (_.FORMATION_FAILED,),
        _.INVITING: (_.FORMATION_FAILED,),
    },
    "fenced": {None: ()} | {state: (state,) for state in State},
}


class IllegalTransition(Exception):
    """A fact met a state in which the table does not allow it, or led where it must not."""

    def __init__(self, alliance_id: str, fact: str, source: State | None, target: State) -> None:
        super().__init__(f"{alliance_id}: {fact} cannot take {source or 'nothing'} to {target}")


def allows(fact: str, state: State | None) -> bool:
    """Whether the table lists `fact` in `state`."""
    return state in TABLE[fact]


def check(alliance_id: str, fact: str, source: State | None, target: State) -> None:
    """Raises `IllegalTransition` unless the table lists `source` → `target` under `fact`."""
    if target not in TABLE[fact].get(source, ()):
        raise IllegalTransition(alliance_id, fact, source, target)
