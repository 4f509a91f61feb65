"""`lianmeng demand`: a demand by hand, and what plan one would get."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.rule import Rule

from lianmeng.cli.desk import OPERATOR, command_id, desk, moment
from lianmeng.cli.options import As, CommandId, Home, Json
from lianmeng.cli.pictures import table
from lianmeng.cli.plans import cost_lines, plan_table
from lianmeng.v1 import matcher_pb2 as pb
from lianmeng.v1 import types_pb2
from lianmeng.world.callers import Caller, Services

app = typer.Typer(no_args_is_help=True, help="Demands: submit one by hand, or ask what-if.")

Product = Annotated[str, typer.Argument(metavar="PRODUCT", help="Product id of the catalogue.")]
Market = Annotated[str, typer.Option("--market", help="ISO 3166-1 market: TH.")]
P10 = Annotated[int, typer.Option("--p10", min=0, help="Units wanted with 90 % probability.")]
P50 = Annotated[int, typer.Option("--p50", min=1, help="Units wanted with 50 % probability.")]
P90 = Annotated[int, typer.Option("--p90", min=0, help="Units wanted with 10 % probability.")]
Days = Annotated[int, typer.Option("--days", min=1, max=120, help="Length of the window from now.")]
Until = Annotated[
    datetime | None, typer.Option("--until", help="End of the window instead of --days.")
]
Budget = Annotated[int, typer.Option("--budget", min=0, help="Most that may be committed, CNY.")]


def _wish(
    now: datetime,
    product: str,
    market: str,
    band: tuple[int, int, int],
    days: int,
    until: datetime | None,
    budget_yuan: int,
) -> pb.DemandWish:
    p10, p50, p90 = band
    wish = pb.DemandWish(product_id=product)
    quantiles = types_pb2.Band(
        p10_units=p10 or p50 // 2, p50_units=p50, p90_units=p90 or p50 * 5 // 3
    )
    wish.markets.append(pb.MarketWish(market=market, band=quantiles))
    wish.window_end_time.FromDatetime(moment(until) if until else now + timedelta(days=days))
    if budget_yuan:
        wish.budget.CopyFrom(types_pb2.Money(amount_minor=budget_yuan * 100, currency="CNY"))
    return wish


@app.command("submit")
def submit(
    product: Product,
    market: Market,
    p50: P50,
    p10: P10 = 0,
    p90: P90 = 0,
    days: Days = 21,
    until: Until = None,
    budget: Budget = 0,
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    command: CommandId = None,
) -> None:
    """Submit a demand: an alliance is looked for. Without --p10 and --p90, half and 5/3 of --p50.

    For example:

        lianmeng demand submit rpet-summer-scarf --market TH --p50 3000
    """
    here = desk(home, as_json)
    wish = _wish(here.now, product, market, (p10, p50, p90), days, until, budget)
    request = pb.SubmitDemandRequest(command_id=command_id(command), demand=wish)

    async def work(services: Services, caller: Caller) -> pb.SubmitDemandResponse:
        return await caller.matcher.call(services.matcher.SubmitDemand, request)

    answer = here.call(principal, work)
    here.show(
        answer,
        f"accepted; follow it: lianmeng alliance watch {answer.alliance_id}",
    )


@app.command("what-if")
def what_if(
    product: Product,
    market: Market,
    p50: P50,
    p10: P10 = 0,
    p90: P90 = 0,
    days: Days = 21,
    until: Until = None,
    budget: Budget = 0,
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
) -> None:
    """Show the plan that a demand would get now; nothing is committed or held."""
    here = desk(home, as_json)
    wish = _wish(here.now, product, market, (p10, p50, p90), days, until, budget)

    async def work(services: Services, caller: Caller) -> pb.WhatIfResponse:
        return await caller.matcher.call(
            services.matcher.WhatIf, pb.WhatIfRequest(demand=wish), within_s=60
        )

    with here.busy("looking for the best plan …"):
        answer = here.call(principal, work)
    if answer.HasField("plan"):
        here.show(answer, plan_table(answer.plan), Rule(style="dim"), cost_lines(answer.plan))
        return
    excluded = ((one.reason, one.count) for one in answer.excluded)
    here.show(
        answer,
        f"no plan now: {answer.reason}",
        *(f"would help: {one}" for one in answer.relaxations),
        table("excluded by", "nodes", rows=excluded),
    )
