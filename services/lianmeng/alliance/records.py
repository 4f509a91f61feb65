"""A message of an alliance's subject: a fact together with the state that results."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lianmeng.alliance.facts import Fact
from lianmeng.alliance.state import AllianceState


@dataclass(frozen=True, slots=True, kw_only=True)
class AllianceRecord:
    """What happened, when (story time), by whom, in which attempt, and the state after it.

    The state is None only under a fence before the first fact.
    """

    alliance_id: str
    attempt_id: str
    time: datetime
    by: str
    fact: Fact
    state: AllianceState | None
