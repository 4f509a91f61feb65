"""The demo catalogue: the table's products with the terms under which signals speak of them.

Aliases and battery classes are ours; the table has none.
"""

from __future__ import annotations

from itertools import groupby

from lianmeng.kernel.money import BASIS, Money
from lianmeng.pool.products import Material, Product, SalePrice
from lianmeng.world.tables import ProductRow, product_rows

SHAWL = "rpet-cooling-shawl"
"""The product that goes viral in the story."""

SCARF = "rpet-summer-scarf"
"""The smaller product that wants the same mills."""

ALIASES = {
    SHAWL: ("cooling shawl", "ผ้าคลุมกันแดด", "防晒披肩"),
    SCARF: ("summer scarf", "ผ้าพันคอบาง", "薄围巾"),
    "cotton-crew-tee": ("crew tee", "เสื้อยืดคอกลม"),
    "vacuum-tumbler": ("tumbler", "แก้วเก็บความเย็น"),
    "mini-blender": ("portable blender", "blender mini"),
    "hair-claw": ("claw clip", "鲨鱼夹"),
    "foam-slides": ("cloud slides",),
    "crew-socks-5pk": ("crew socks",),
    "lunch-box": ("bento box", "bekas makanan"),
}

BATTERIES = {"mini-blender": "UN3481"}


def catalogue() -> tuple[Product, ...]:
    """All products of the demo world."""
    by_product = groupby(product_rows(), key=lambda row: row.product_id)
    return tuple(_product(tuple(rows)) for _, rows in by_product)


def _product(rows: tuple[ProductRow, ...]) -> Product:
    first = rows[0]
    return Product(
        product_id=first.product_id,
        name_zh=first.name_zh,
        name_en=first.name_en,
        aliases=ALIASES.get(first.product_id, ()),
        hs6=first.hs6,
        uom=first.uom,
        unit_weight_g=first.unit_g,
        unit_volume_cm3=first.unit_cm3,
        materials=tuple(_material(text) for text in first.materials),
        required_certificates=first.certificates,
        prices=tuple(
            SalePrice(row.market, row.channel, Money(row.price_minor, row.currency)) for row in rows
        ),
        battery_class=BATTERIES.get(first.product_id, ""),
    )


def _material(text: str) -> Material:
    name, percent = text.split(":")
    recycled = BASIS if name.startswith("r") and name[1:].isupper() else 0
    return Material(name, int(percent) * BASIS // 100, recycled)
