"""`lianmeng trend`: what takes off where, and signals from a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from lianmeng.cli.desk import OPERATOR, Desk, desk
from lianmeng.cli.options import As, Home, Json
from lianmeng.cli.pictures import LOCAL, at, facts, percent, table, when
from lianmeng.cli.plain import short
from lianmeng.kernel.signals import SignalBatch
from lianmeng.pool.csv_files import read_signals
from lianmeng.runtime.codec import encode
from lianmeng.v1 import trend_pb2 as pb
from lianmeng.world.callers import Caller, Services, follow

app = typer.Typer(no_args_is_help=True, help="Trends: what takes off where.")


@app.command("list")
def list_trends(
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    market: Annotated[str, typer.Option(help="Only this market, as ISO 3166-1: TH.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")] = 100,
) -> None:
    """Show trends, newest first: product, market, phase, expected demand.

    For example:

        lianmeng trend list --market TH
    """
    here = desk(home, as_json)

    async def work(services: Services, caller: Caller) -> pb.ListTrendsResponse:
        request = pb.ListTrendsRequest(market=market, page_size=limit)
        return await caller.trend.call(services.trend.ListTrends, request)

    found = here.call(principal, work).trends
    rows = (
        (
            trend.trend_id,
            trend.term,
            trend.product_id or short(trend, "mapping"),
            trend.market,
            short(trend, "phase"),
            trend.demand_window.p50_units,
            trend.creator_count,
            percent(trend.confidence_bp),
            when(trend.start_time),
        )
        for trend in found
    )
    columns = ("trend", "term", "product", "market", "phase", "P50", "creators", "sure", "since")
    here.show(found, table(*columns, rows=rows))


@app.command("show")
def show_trend(
    trend_id: Annotated[str, typer.Argument(metavar="TREND", help="Id of the trend: t-…")],
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
) -> None:
    """Show one trend with its evidence, and what is missing to serve it."""
    here = desk(home, as_json)

    async def work(services: Services, caller: Caller) -> pb.GetTrendResponse:
        request = pb.GetTrendRequest(trend_id=trend_id)
        return await caller.trend.call(services.trend.GetTrend, request)

    trend = here.call(principal, work).trend
    here.show(trend, _picture(trend))


def _picture(trend: pb.Trend) -> Group:
    band = trend.demand_window
    head = facts(
        (
            ("trend", trend.trend_id),
            ("term", trend.term),
            ("product", trend.product_id or short(trend, "mapping")),
            ("missing", ", ".join(trend.missing)),
            ("market", trend.market),
            ("phase", short(trend, "phase")),
            ("since", when(trend.start_time)),
            ("as of", when(trend.as_of_time)),
            ("window ends", when(trend.window_end_time)),
            (
                "views per hour",
                f"{trend.velocity_per_hour:,} of usually {trend.baseline_per_hour:,}",
            ),
            ("creators", f"{trend.creator_count:,}, top {percent(trend.top_account_bp)} of views"),
            ("P10 / P50 / P90", f"{band.p10_units:,} / {band.p50_units:,} / {band.p90_units:,}"),
            ("confidence", percent(trend.confidence_bp)),
            ("thresholds", trend.thresholds_version),
        )
    )
    return Group(head, Text(), _evidence(trend))


def _evidence(trend: pb.Trend) -> Table:
    rows = (
        (
            short(one, "family").lower(),
            "missing" if one.missing else f"{one.score_milli / 1_000:.1f} σ",
            "" if one.missing else f"{one.age_s // 60} min ago",
            percent(one.weight_bp),
        )
        for one in trend.evidence
    )
    return table("evidence", "score", "last heard", "weight", rows=rows)


@app.command("watch")
def watch_trends(home: Home = None, principal: As = OPERATOR, as_json: Json = False) -> None:
    """Show current trends, then every change as it happens; Ctrl-C ends it."""
    here = desk(home, as_json)

    async def work(services: Services, caller: Caller) -> None:
        await follow(
            lambda after: caller.trend.watch(
                services.trend.WatchTrends, pb.WatchTrendsRequest(after_revision=after)
            ),
            lambda answer: here.print_line(answer.trend, _line(answer.trend)),
        )

    here.call(principal, work)


def _line(trend: pb.Trend) -> Text:
    return Text.assemble(
        (f"{at(trend.as_of_time).astimezone(LOCAL):%m-%d %H:%M} ", "dim"),
        f"{trend.trend_id} ",
        (f"{short(trend, 'event').lower():<9} ", "bold"),
        f"{trend.term} in {trend.market}, {short(trend, 'phase')}, ",
        f"P50 {trend.demand_window.p50_units:,}",
    )


@app.command("ingest")
def ingest_signals(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A signals.csv.")],
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    source: Annotated[str, typer.Option(help="Who measured; numbers batches with it.")] = "csv",
    salt: Annotated[
        str, typer.Option(help="Accounts are hashed with it before they leave this machine.")
    ] = "lianmeng",
) -> None:
    """Send the signals of a CSV file. Sent again under the same source, it counts once.

    For example:

        lianmeng trend ingest signals.csv --source shop-th-2026-03
    """
    here = desk(home, as_json)
    read = read_signals(file, source, salt)
    if not as_json:
        _tell_errors(here, read.errors)

    async def work(services: Services, caller: Caller) -> pb.IngestSignalsResponse:
        return await caller.trend.send(services.trend.IngestSignals, requests(read.batches))

    with here.busy(f"sending {read.row_count:,} signals …"):
        answer = here.call(principal, work)
    here.show(
        answer,
        f"{answer.kept_signal_count:,} signals kept, {read.refused_row_count:,} rows and "
        f"{answer.refused_batch_count:,} batches refused",
        *(f"{one.field}: {one.message} {one.message_zh}" for one in answer.errors),
    )


def _tell_errors(here: Desk, errors: Iterable[object]) -> None:
    for error in list(errors)[:20]:
        here.console.print(str(error), style="red", highlight=False)


async def requests(batches: Iterable[SignalBatch]) -> AsyncIterator[pb.IngestSignalsRequest]:
    """Batches as the messages of a client stream."""
    for batch in batches:
        yield pb.IngestSignalsRequest(batch=encode(batch, pb.SignalBatch))
