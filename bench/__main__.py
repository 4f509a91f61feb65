"""`make bench`: measures, prints a table, or with `--json` one object per line.

`python -m bench NAME …` runs some of the benchmarks only.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping

from rich.console import Console

from bench import formations, latency, matches, registrations, transitions
from bench.figures import Figure, table

BENCHMARKS: Mapping[str, Callable[[], Awaitable[list[Figure]]]] = {
    "latency": latency.measure,
    "matches": matches.measure,
    "transitions": transitions.measure,
    "formations": formations.measure,
    "registrations": registrations.measure,
}


async def _run(names: list[str]) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        print(f"measuring {name} …", file=sys.stderr)
        figures += await BENCHMARKS[name]()
    return figures


def main(arguments: list[str]) -> int:
    """Run what is named, or all. Returns the exit code: 2 for a name that is none."""
    names = [word for word in arguments if not word.startswith("-")] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    figures = asyncio.run(_run(names))
    if "--json" in arguments:
        for figure in figures:
            print(json.dumps(figure.row()))
    else:
        Console().print(table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
