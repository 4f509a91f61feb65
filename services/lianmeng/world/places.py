"""What the tables do not say about a cluster: names, materials, processes, fees. All ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trade:
    """How firms of one cluster are called and what they work with.

    `set_up_yuan` is the range of set-up fees in CNY; `lot_units` what lots are multiples of.
    `extra_certificates` complete the cluster's own list.
    """

    slug: str
    place_en: str
    suffix_zh: str
    suffix_en: str
    node_suffix: str
    materials: tuple[str, ...]
    processes: tuple[str, ...]
    set_up_yuan: tuple[int, int]
    lot_units: int
    extra_certificates: tuple[str, ...] = ()


TRADES = {
    "SX-FAB": Trade(
        "keqiao", "Keqiao", "纺织印染厂", "Textile Mill", "mill",
        ("rPET", "polyester", "viscose", "cotton", "elastane"),
        ("weaving", "knitting", "dyeing", "printing"), (800, 3_000), 100,
    ),
    "SX-MADE": Trade(
        "keqiao", "Keqiao", "围巾家纺厂", "Scarf Workshop", "workshop",
        ("polyester", "cotton", "viscose", "wool"),
        ("cutting", "hemming", "printing"), (300, 1_200), 100,
    ),
    "NB-APP": Trade(
        "ningbo", "Ningbo", "服饰厂", "Garments", "workshop",
        ("cotton", "polyester", "elastane", "rPET"),
        ("knitting", "cutting", "sewing"), (500, 2_000), 50,
    ),
    "NB-APPL": Trade(
        "cixi", "Cixi", "电器厂", "Appliances", "works",
        ("ABS", "PP", "steel", "battery", "glass"),
        ("injection", "assembly", "testing"), (2_000, 6_000), 50,
    ),
    "YW-SMALL": Trade(
        "yiwu", "Yiwu", "饰品日用厂", "Small Wares", "workshop",
        ("PC", "ABS", "PP", "alloy", "polyester"),
        ("injection", "casting", "assembly"), (100, 800), 100, ("REACH",),
    ),
    "YK-HW": Trade(
        "yongkang", "Yongkang", "五金杯业厂", "Hardware", "works",
        ("steel", "PP", "aluminium"),
        ("drawing", "welding", "coating", "engraving"), (800, 3_000), 50, ("LFGB",),
    ),
    "TZ-MOULD": Trade(
        "huangyan", "Huangyan", "塑业厂", "Plastics", "works",
        ("PP", "PE", "PET", "rPET"),
        ("injection", "blow-moulding"), (1_000, 4_000), 100, ("LFGB",),
    ),
    "WZ-SHOE": Trade(
        "wenzhou", "Wenzhou", "鞋业厂", "Footwear", "works",
        ("EVA", "rubber", "PU", "leather", "cotton"),
        ("cutting", "stitching", "injection"), (600, 2_500), 60, ("REACH",),
    ),
    "HN-LEATHER": Trade(
        "haining", "Haining", "皮革厂", "Leather", "workshop",
        ("leather", "fur", "polyester"), ("cutting", "stitching"), (500, 2_000), 10,
    ),
    "ZJ-SOCK": Trade(
        "datang", "Datang", "袜业厂", "Hosiery", "mill",
        ("cotton", "elastane", "polyester", "nylon", "rPET"),
        ("knitting", "linking", "boarding"), (200, 1_000), 100,
    ),
    "ZJ-PEARL": Trade(
        "shanxiahu", "Shanxiahu", "珍珠坊", "Pearls", "workshop",
        ("pearl", "silver", "alloy"), ("drilling", "setting"), (100, 600), 10,
    ),
}  # fmt: skip
"""Cluster id → its trade."""
