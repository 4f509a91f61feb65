"""The time of a match: from a snapshot of the pool to a checked plan, in one process.

Seeded pools of mills that all can make the goods, with scales of prices, least orders and lots;
six forwarders by road and air, eight agencies, stock abroad. Processor time, since that is what
a match costs; a wall clock on a busy machine tells of the others.
"""

from __future__ import annotations

import time
from dataclasses import replace
from random import Random

from bench.figures import Figure, percentile
from lianmeng.alliance.plan import Plan
from lianmeng.kernel.money import cny
from lianmeng.matcher.matching import match
from lianmeng.matcher.outcome import Found
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.nodes import LaneMode, Node
from tests.pools import (
    IMPORTER,
    ROAD,
    SELLER,
    agency,
    bangkok,
    demand,
    firm,
    forwarder,
    lane,
    mill,
    pool,
    question,
)

SEEDS = 12
MILLS = (3, 10, 30)
AIR = lane("air", LaneMode.AIR, (3, 5), 2_400, volumetric_divisor=6_000)


async def measure() -> list[Figure]:
    """Milliseconds per match by the number of mills, and the worst gap that was left."""
    figures = []
    for mills in MILLS:
        found = [_timed(seeded_pool(seed, mills)) for seed in range(SEEDS)]
        times = [milliseconds for milliseconds, _ in found]
        gaps = [plan.solve.gap_bp for _, plan in found]
        name, note = f"match, {mills} mills", f"{SEEDS} seeds, processor time"
        figures += [
            Figure(f"{name}, p50", percentile(times, 0.5), "ms", at_most=True, note=note),
            Figure(f"{name}, worst", max(times), "ms", at_most=True, note=note),
            Figure(f"{name}, worst gap", max(gaps), "bp", 100, at_most=True, note=note),
        ]
    return figures


def _timed(snapshot: Snapshot) -> tuple[float, Plan]:
    started = time.process_time()
    outcome = match(question(demand()), snapshot)
    milliseconds = (time.process_time() - started) * 1000
    assert isinstance(outcome, Found), "the seeded pools can serve the demand"
    return milliseconds, outcome.plan


def seeded_pool(seed: int, mills: int) -> Snapshot:
    """A pool with as many eligible mills; the same seed gives the same pool."""
    rng = Random(seed)
    nodes = [
        *(_mill(rng, number) for number in range(mills)),
        *(_forwarder(rng, number) for number in range(6)),
        *(_agency(rng, number) for number in range(8)),
    ]
    return pool(nodes, [firm("trader", **SELLER, **IMPORTER)])


def _mill(rng: Random, number: int) -> Node:
    price, least = rng.randrange(800, 1_300), rng.randrange(100, 1_000, 50)
    return mill(
        f"mill-{number}",
        per_day=rng.randrange(300, 2_500, 10),
        price_fen=price,
        lead=rng.randrange(3, 9),
        breaks=((5 * least, price * 97 // 100), (20 * least, price * 94 // 100)),
        lines=rng.choice((1, 1, 2, 3)),
        moq_units=least,
        lot_multiple_units=rng.choice((1, 10, 50, 100)),
        setup_fee=cny(rng.randrange(20_000, 100_000)),
        first_pass_yield_bp=rng.randrange(9_500, 9_990),
    )


def _forwarder(rng: Random, number: int) -> Node:
    least = cny(rng.randrange(8_000, 30_000))
    road = replace(
        ROAD,
        price=cny(rng.randrange(800, 1_400)),
        capacity_kg=rng.randrange(500, 8_000),
        minimum_charge=least,
        departure_weekdays=rng.choice(((), (1, 2, 3, 4, 5, 6), (1, 3, 5))),
        pickup_price_per_kg=cny(30),
    )
    air = replace(
        AIR,
        price=cny(rng.randrange(2_200, 3_800)),
        capacity_kg=rng.randrange(200, 2_000),
        minimum_charge=least,
    )
    return forwarder(f"forwarder-{number}", (road, air), (bangkok(),) if number == 0 else ())


def _agency(rng: Random, number: int) -> Node:
    return agency(
        f"agency-{number}",
        fixed_fee=cny(rng.randrange(300_000, 4_000_000)),
        creator_hours_per_day=rng.randrange(10, 100),
        units_per_creator_hour=rng.randrange(8, 20),
        hour_fee=cny(rng.randrange(1_500, 5_000)),
        commission_bp=rng.randrange(600, 1_000),
    )
