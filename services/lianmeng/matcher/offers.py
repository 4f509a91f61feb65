"""What all options of a problem have in common: an offer, and the count of who is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from lianmeng.matcher.problem import Offer
from lianmeng.matcher.question import Question
from lianmeng.matcher.rates import risk_microfen
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Node


@dataclass(slots=True)
class Tally:
    """Nodes counted under the first rule that excluded them."""

    eligible: int = 0
    by_role: dict[str, Counter[str]] = field(
        default_factory=lambda: {"factory": Counter(), "forwarder": Counter(), "agency": Counter()}
    )

    def excluded(self, left_out: Iterable[tuple[str, int]]) -> dict[str, int]:
        """How many nodes each rule excluded, in all roles, `left_out` by the index included."""
        total: Counter[str] = Counter(dict(left_out))
        for counts in self.by_role.values():
            total += counts
        return dict(sorted(total.items()))


def offer_of(question: Question, pool: Snapshot, firm: Firm, node: Node) -> Offer:
    """Where an option comes from, and the price of its firm's unreliability."""
    return Offer(
        firm_id=firm.firm_id,
        node_id=node.node_id,
        node_version=node.version,
        risk_microfen=risk_microfen(question, pool, firm.firm_id),
    )
