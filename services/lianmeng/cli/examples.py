"""`lianmeng init DIR`: example files of all kinds, which run as they are."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from lianmeng.kernel.signals import SignalKey
from lianmeng.pool.csv_files import write_pool, write_signal_file
from lianmeng.world import signals
from lianmeng.world.firms import example_pool
from lianmeng.world.products import ALIASES, SCARF, SHAWL
from lianmeng.world.script import WARM_UP_DAYS
from lianmeng.world.slices import about

SIGNALS_FILE = "signals.csv"


ABOUT = frozenset(
    SignalKey(term, "TH")
    for term in (signals.BAG, *(name for one in (SHAWL, SCARF) for name in (one, *ALIASES[one])))
)
"""What the example signals are about: few enough for a spreadsheet."""


def write_examples(folder: Path, day0: datetime) -> list[Path]:
    """Write the cast of the story, the catalogue and its signals; returns the paths.

    The product takes off on `day0` (midnight UTC); certificates are valid around it.
    """
    pool = example_pool(day0.date(), day0)
    paths = write_pool(folder, pool.firms, pool.nodes, pool.products)
    told = about(signals.story(day0, background_days=WARM_UP_DAYS), ABOUT)
    return [*paths, write_signal_file(folder / SIGNALS_FILE, told)]
