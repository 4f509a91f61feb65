"""Factories of the clusters: one firm with one manufacturing node each, seeded.

Capacities, MOQ, lead times and costs lie in the table's ranges; price breaks, set-up fees, lot
multiples, yields and who may export are ours.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random

from lianmeng.kernel.calendar import Calendar
from lianmeng.kernel.codes import MARKETS
from lianmeng.kernel.money import cny, share
from lianmeng.kernel.roles import Role
from lianmeng.pool.firms import Certificate, Firm
from lianmeng.pool.nodes import DaysRange, Manufacturing, Node, PriceBreak, ProductionLine
from lianmeng.pool.products import Material, Product
from lianmeng.world import draws
from lianmeng.world.identity import Brand, demo_uscc
from lianmeng.world.places import TRADES, Trade
from lianmeng.world.tables import Cluster

Pair = tuple[Firm, Node]

REBATES_BP = ((0, 0), (5, 300), (20, 600))
"""Price breaks: from so many MOQs on, so many basis points off."""


def factory(
    rng: Random, cluster: Cluster, brand: Brand, number: int, calendar: Calendar, first: date
) -> Pair:
    """A firm of `cluster` and its node; `first` is the first day of the world."""
    trade = TRADES[cluster.cluster_id]
    slug = f"{trade.slug}-{brand.slug}"
    workers = draws.whole(rng, cluster.workers, 5)
    kinds = (*draws.some(rng, cluster.certificates, 1, 4), *trade.extra_certificates)
    firm = Firm(
        firm_id=slug,
        uscc=demo_uscc(number, int(cluster.division[4:])),
        name_zh=f"{cluster.city_zh}{brand.zh}{trade.suffix_zh}",
        name_en=f"{trade.place_en} {brand.title} {trade.suffix_en}",
        size_class=draws.size_class(workers),
        division=cluster.division,
        roles=(Role.MANUFACTURING,),
        locode=cluster.locode,
        certificates=tuple(draws.certificate(rng, kind, first) for kind in dict.fromkeys(kinds)),
        notice_hours=rng.choice((0, 12, 24)),
        max_concurrent_alliances=rng.choice((0, 2, 3, 5)),
        can_export=rng.random() < 0.6,
        can_sell_in=draws.some(rng, tuple(MARKETS), 0, 2),
    )
    node = Node(
        node_id=f"{slug}-{trade.node_suffix}",
        firm_id=slug,
        name=firm.name_zh,
        locode=cluster.locode,
        calendar=calendar,
        capability=_manufacturing(rng, cluster, trade),
    )
    return firm, node


def _manufacturing(rng: Random, cluster: Cluster, trade: Trade) -> Manufacturing:
    capacity = draws.whole(rng, cluster.day_capacity, 10)
    moq = draws.whole(rng, cluster.moq, trade.lot_units)
    first_batch = draws.whole(rng, cluster.first_batch_days)
    reorder = max(2, first_batch * 6 // 10)
    return Manufacturing(
        hs6=draws.some(rng, cluster.hs6, 2, 4),
        materials=tuple(Material(name) for name in draws.some(rng, trade.materials, 2, 4)),
        processes=draws.some(rng, trade.processes, 1, 3),
        uom=cluster.uom,
        lines=_lines(rng, capacity),
        moq_units=moq,
        lot_multiple_units=trade.lot_units,
        sample_days=DaysRange(2, 4),
        first_batch_days=DaysRange(first_batch, first_batch + rng.randint(1, 3)),
        reorder_days=DaysRange(reorder, reorder + 2),
        price_breaks=price_breaks(_unit_price(rng, cluster), moq),
        setup_fee=draws.yuan(rng, *trade.set_up_yuan),
        overtime_units=capacity // 5,
        overtime_premium_bp=rng.choice((1_500, 2_000, 3_000)),
        carton_units=rng.choice((20, 50, 100)),
        first_pass_yield_bp=rng.randrange(9_500, 9_990, 10),
        incoterms=("EXW", "FCA", "FOB"),
    )


def _lines(rng: Random, capacity: int) -> tuple[ProductionLine, ...]:
    """One to three lines that share the capacity of the firm."""
    count = rng.choice((1, 1, 2, 3))
    each = max(10, capacity // count // 10 * 10)
    return tuple(ProductionLine(f"line-{i}", each) for i in range(1, count + 1))


def _unit_price(rng: Random, cluster: Cluster) -> int:
    """The list price, fen: the middle of the range is likelier than its ends."""
    span = cluster.unit_cost_cny
    price = rng.triangular(span.low, span.high) * draws.FEN
    return max(10, round(price / 5) * 5)


def price_breaks(list_price_fen: int, moq_units: int) -> tuple[PriceBreak, ...]:
    """A scale of prices: the list price, then the rebates of larger orders."""
    return tuple(
        PriceBreak(times * moq_units, cny(list_price_fen - share(list_price_fen, rebate)))
        for times, rebate in REBATES_BP
    )


def specialise(rng: Random, cluster: Cluster, pair: Pair, product: Product) -> Pair:
    """The same firm, able to make `product`: goods, materials, certificates, a keen price."""
    firm, node = pair
    made = node.capability
    assert isinstance(made, Manufacturing)
    held = {certificate.type for certificate in firm.certificates}
    lacking = [kind for kind in product.required_certificates if kind not in held]
    start = firm.certificates[0].valid_from
    certificates = (
        *(_extended(certificate) for certificate in firm.certificates),
        *(_extended(draws.certificate(rng, kind, start)) for kind in lacking),
    )
    known = {material.name for material in made.materials}
    wanted = [Material(m.name) for m in product.materials if m.name not in known]
    low = cluster.unit_cost_cny.low
    price = round(rng.uniform(1.0, 1.3) * low * draws.FEN)
    capability = replace(
        made,
        hs6=tuple(dict.fromkeys((*made.hs6, product.hs6))),
        materials=(*made.materials, *wanted),
        price_breaks=price_breaks(price, made.moq_units),
        battery_class=product.battery_class,
        skus=(product.product_id,),
    )
    return replace(firm, certificates=certificates), replace(node, capability=capability)


def _extended(certificate: Certificate) -> Certificate:
    """The certificate with at least two more years from its start: specialists renew in time."""
    end = certificate.valid_from + timedelta(days=730)
    return replace(certificate, valid_to=max(certificate.valid_to, end))
