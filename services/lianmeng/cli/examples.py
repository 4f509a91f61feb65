"""`lianmeng init DIR`: example files of all kinds, which run as they are."""

from __future__ import annotations

from pathlib import Path

from lianmeng.pool.csv_files import write_pool, write_signal_file
from lianmeng.world import signals
from lianmeng.world.firms import example_pool
from lianmeng.world.script import DAY0, WARM_UP_DAYS

SIGNALS_FILE = "signals.csv"


def write_examples(folder: Path) -> list[Path]:
    """Write the cast of the story, the catalogue and its signals; returns the paths."""
    pool = example_pool(DAY0.date(), DAY0)
    paths = write_pool(folder, pool.firms, pool.nodes, pool.products)
    told = signals.story(DAY0, background_days=WARM_UP_DAYS)
    return [*paths, write_signal_file(folder / SIGNALS_FILE, told)]
