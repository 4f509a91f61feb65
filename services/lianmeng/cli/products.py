"""`lianmeng product`: the catalogue, without which a trend is only a word."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.json import JSON

from lianmeng.cli.desk import OPERATOR, desk
from lianmeng.cli.options import As, Home, Json
from lianmeng.cli.pictures import table
from lianmeng.cli.plain import plain
from lianmeng.kernel.money import Money
from lianmeng.v1 import registry_pb2 as pb
from lianmeng.world.callers import Caller, Services

app = typer.Typer(
    no_args_is_help=True,
    help="Products of the catalogue. `lianmeng firm import` reads products.csv as well.",
)


@app.command("list")
def list_products(
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
    hs6: Annotated[str, typer.Option(help="Prefix of the HS6 code: 6214.")] = "",
    market: Annotated[str, typer.Option(help="Market with a sale price: TH.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")] = 100,
) -> None:
    """Show the catalogue.

    What can be sold in Thailand:

        lianmeng product list --market TH
    """
    here = desk(home, as_json)

    async def work(services: Services, caller: Caller) -> pb.SearchProductsResponse:
        request = pb.SearchProductsRequest(hs6_prefix=hs6, market=market, page_size=limit)
        return await caller.registry.call(services.registry.SearchProducts, request)

    found = here.call(principal, work).products
    rows = (
        (
            product.product_id,
            product.name_zh,
            product.hs6,
            product.uom,
            ", ".join(_price(sale) for sale in product.prices),
            ",".join(product.required_certificates),
            ", ".join(product.aliases),
        )
        for product in found
    )
    columns = ("product", "name", "HS6", "unit", "prices", "needs", "also called")
    here.show(found, table(*columns, rows=rows))


def _price(sale: pb.SalePrice) -> str:
    amount = Money(sale.price.amount_minor, sale.price.currency)
    return " ".join(part for part in (sale.market, sale.channel, str(amount)) if part)


@app.command("show")
def show_product(
    product_id: Annotated[
        str, typer.Argument(metavar="PRODUCT", help="Id of the product, or another name of it.")
    ],
    home: Home = None,
    principal: As = OPERATOR,
    as_json: Json = False,
) -> None:
    """Show all of one product."""
    here = desk(home, as_json)

    async def work(services: Services, caller: Caller) -> pb.GetProductResponse:
        request = pb.GetProductRequest(product_id=product_id)
        return await caller.registry.call(services.registry.GetProduct, request)

    product = here.call(principal, work).product
    here.show(product, JSON.from_data(plain(product), ensure_ascii=False))
