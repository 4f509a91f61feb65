"""The page itself: what is told in which order."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lianmeng.v1 import alliance_pb2 as pb
from lianmeng.v1 import trend_pb2 as tpb
from lianmeng.world.page import capacity, flow, tables, timeline, trends, work
from lianmeng.world.page.story import Alliance, Told
from lianmeng.world.page.style import CSS
from lianmeng.world.page.svg import el, text

TITLE = "Lianmeng 联盟: the story of a run"

LEAD = """A product takes off on a social platform (爆红). No single firm can serve the demand: a
factory has machines, a forwarder has lanes and stock abroad, an agency has creators. Lianmeng
matches registered firms into a modular temporary alliance (模块化临时联盟), sized to the demand;
the members sign, do their tasks and are paid, and it dissolves by itself when its tasks are done
(任务完成后自动解散)."""

NOTE = """Servers, services, keys, signatures, the optimiser and the log are real; the firms and the
market are invented, and time runs faster."""


def page(told: Told) -> str:
    """One HTML file, complete in itself."""
    body = el(
        "main",
        _head(told),
        _trends(told),
        *([_timeline(told), *(_alliance(told, one) for one in told.alliances)]
          if told.alliances else [el("p", "No alliance was formed.")]),
        _capacity(told),
        _judgements(told),
        _facts(told),
        _go_on(told),
    )  # fmt: skip
    head = el(
        "head",
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        el("title", text(TITLE)),
        el("style", CSS),
    )
    return "<!doctype html>\n" + el("html", head, el("body", body), lang="en")


def write_page(path: Path, told: Told) -> Path:
    """Write the page; returns where it is."""
    path.write_text(page(told), encoding="utf-8")
    return path


def _figure(picture: str, caption: str = "") -> str:
    return el("figure", picture, el("figcaption", text(caption)) if caption else "")


def _key(pairs: Iterable[tuple[str, str]]) -> str:
    """Colours and what they mean."""
    items = (
        el("li", el("i", style=f"background:{colour}"), text(meaning)) for colour, meaning in pairs
    )
    return el("ul", *items, class_="key")


def _head(told: Told) -> str:
    states = [alliance.state for alliance in told.alliances]
    invited = {i.firm_id for state in states for i in state.invitations}
    landed = sum(flow.landed_units(state) for state in states)
    numbers = (
        (f"{told.firm_count:,}", "firms registered"),
        (f"{told.node_count:,}", "capabilities"),
        (f"{told.signal_count:,}", "signals heard"),
        (f"{len(trends.episodes(told)):,}", "trends found"),
        (f"{len(states):,}", "alliances formed"),
        (f"{len(invited):,}", "firms invited"),
        (f"{landed:,}", "units landed"),
        (f"{told.wall_s:.0f} s", "for all of it"),
    )
    strip = "".join(el("div", el("b", text(a)), el("span", text(b))) for a, b in numbers)
    return (
        el("h1", text(TITLE))
        + el("p", text(LEAD), class_="lead")
        + el("p", text(NOTE), class_="soft")
        + el("div", strip, class_="numbers")
    )


def _trends(told: Told) -> str:
    parts = [el("h2", "What the market said")]
    for facts in trends.episodes(told):
        first = facts[0]
        heading = el("h3", text(f"“{first.term}” in {first.market}"))
        parts += [heading, _figure(trends.episode(told, facts), _about(first))]
    return el("section", *parts)


def _about(trend: tpb.Trend) -> str:
    times = trend.velocity_per_hour / max(trend.baseline_per_hour, 1)
    said = (
        f"Found when {trend.velocity_per_hour:,} views an hour were {times:,.0f} times what is "
        f"usual at that hour, carried by {trend.creator_count} independent creators. The line is "
        f"the median of units still expected in the window, the band reaches from P10 to P90."
    )
    if trend.mapping == tpb.TREND_MAPPING_UNMAPPED:
        said += f" UNMAPPED: {', '.join(trend.missing)} missing, so it forms no alliance."
    return said


def _timeline(told: Told) -> str:
    colours = _key(
        (
            ("#9b59b6", "awaiting approval"),
            ("#d08700", "inviting"),
            ("#2e8b57", "active"),
            ("#c0392b", "repairing"),
            ("#4a7fb5", "winding down"),
        )
    )
    marks = _key(
        (
            ("var(--good)", "accepts, approved"),
            ("var(--bad)", "declines, does not answer, fails"),
            ("var(--warn)", "repaired"),
            ("var(--w2)", "task done and accepted"),
        )
    )
    return el(
        "section",
        el("h2", "The life of the alliances"),
        colours,
        marks,
        _figure(timeline.formation(told), "How they formed, hour by hour (Asia/Shanghai)."),
        _figure(timeline.whole(told), "From the first plan to dissolution, day by day."),
    )


def _alliance(told: Told, alliance: Alliance) -> str:
    state, plan = alliance.state, alliance.state.plan
    name = f"{state.demand.product.name_zh} {state.demand.product.name_en}".strip()
    parts = [el("h2", text(name)), el("p", text(_summary(told, alliance)))]
    if plan.version and state.tasks:
        waves = (
            ("var(--w0)", "W0: stock abroad"),
            ("var(--w1)", "W1: first quick lots"),
            ("var(--w2)", "W2: later lots"),
        )
        parts += [
            el("h3", "Flow of goods"),
            _key(waves),
            _figure(flow.flow(told, alliance)),
            el("h3", "Who did what, when"),
            _figure(work.work(told, alliance), _WORK),
        ]
    if plan.version:
        parts += [el("h3", "Landed cost"), el("p", text(_solve(plan))), tables.cost(alliance)]
    parts += [el("h3", "Members"), tables.members(told, alliance)]
    if state.HasField("statement"):
        statement = tables.statement(told, alliance)
        parts += [el("h3", "Statement"), el("details", el("summary", "all lines"), statement)]
    return el("section", *parts, class_=f"card {alliance.css}h")


_WORK = """Bars run from the opening of a task to its report, then to its acceptance by its
receiver; the thick tick is the day it was due. Struck through: a part that was lost and matched
again."""


def _summary(told: Told, alliance: Alliance) -> str:
    state, plan = alliance.state, alliance.state.plan
    wanted = sum(market.band.p50_units for market in state.demand.markets)
    reason = pb.DissolutionReason.Name(state.dissolution_reason)
    end = reason.removeprefix("DISSOLUTION_REASON_").lower().replace("_", " ")
    how = pb.State.Name(state.state).removeprefix("STATE_").lower().replace("_", " ")
    approved = ", approved by the zone manager" if state.HasField("approval") else ", minor"
    worth = f"{tables.yuan(plan.committed_value_fen)} committed{approved}. " if plan.version else ""
    landed = flow.landed_units(state)
    markets = ", ".join(market.market for market in state.demand.markets)
    versions = f"{len(alliance.plans)} version{'s' if len(alliance.plans) > 1 else ''}"
    return (
        f"Wanted (P50): {wanted:,} units in {markets}. "
        f"Planned: {plan.planned_units:,}. Landed: {landed:,}. {worth}"
        f"{how.capitalize()}{f', {end}' if state.dissolution_reason else ''}. "
        f"{versions} of the plan, {len(alliance.records)} facts, "
        f"{state.alliance_id}."
    )


def _solve(plan: pb.Plan) -> str:
    solve = plan.solve
    return (
        f"{tables.yuan(solve.objective_fen)} minimised; proven bound "
        f"{tables.yuan(solve.bound_fen)}, gap {solve.gap_bp / 100:.2f} % ({solve.status}, "
        f"{solve.solver}). Expected sales {tables.yuan(plan.cost.revenue_fen)}, margin "
        f"{tables.yuan(plan.cost.margin_fen)}."
    )


def _capacity(told: Told) -> str:
    found = capacity.resources(told)
    charts = (_figure(capacity.chart(one)) for _, one in sorted(found.items()))
    colours = [(f"var(--{one.css})", one.product) for one in told.alliances]
    return el(
        "section",
        el("h2", "Capacity: what was taken, what was given back"),
        el("p", text(_CAPACITY), class_="soft"),
        _key([*colours, ("var(--faint)", "capacity of the day"), ("var(--line)", "given back")]),
        el("div", *charts, class_="pair"),
    )


_CAPACITY = """One chart for each book that an alliance drew on. Bars are what was used, the pale
column is the capacity it was judged against, dashed is what was held and given back: by a firm that
was lost, or when a repair moved it."""


def _judgements(told: Told) -> str:
    items = (
        el(
            "li",
            text(one.text + (f": {one.detail}" if one.detail else "")),
            class_=None if one.holds else "broken",
        )
        for one in told.judgements
    )
    return el(
        "section",
        el("h2", "What must hold, and whether it does"),
        el("ul", *items, class_="checks"),
    )


def _facts(told: Told) -> str:
    summary = el("summary", text(f"all {len(told.records):,} facts of the log"))
    return el("section", el("h2", "The log"), el("details", summary, tables.all_facts(told)))


def _go_on(told: Told) -> str:
    lines = "\n".join(f"{command}   # {what}" for what, command in told.commands)
    return el("section", el("h2", "Go on"), el("pre", el("code", text(lines))))
