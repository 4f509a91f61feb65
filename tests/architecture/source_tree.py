"""The source tree as the architecture tests see it: modules, their roles, their syntax."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "services"

PURE_PACKAGES = (
    "kernel",
    "pool",
    "alliance",
    "registry",
    "trend",
    "matcher",
    "lifecycle",
    "controller",
)
"""Packages whose modules are pure unless their name is in `IMPURE_NAMES`."""

IMPURE_NAMES = frozenset(
    {
        "agents",
        "automation",
        "bootstrap",
        "bulk",
        "bulk_checker",
        "bulk_checks",
        "bulk_rows",
        "bulk_worker",
        "consumer",
        "consumers",
        "csv_files",
        "door",
        "follow",
        "living",
        "log",
        "messages",
        "ports",
        "queries",
        "rematching",
        "rpc",
        "server",
        "service",
        "sweeping",
        "views",
        "watch",
        "watching",
        "wire",
        "wiring",
    }
)
"""Modules that touch the world: input, output, the generated code, the event loop."""


@dataclass(frozen=True, slots=True)
class Module:
    """One module of ours: its dotted name and where it lies."""

    name: str
    path: Path

    @property
    def package(self) -> str:
        """The layer or service that it belongs to; empty for `lianmeng` itself."""
        return self.name.split(".")[1] if "." in self.name else ""

    @property
    def is_pure(self) -> bool:
        """Whether it has to be free of input, output, time and chance."""
        last = self.name.rsplit(".", 1)[-1]
        return self.package in PURE_PACKAGES and last not in IMPURE_NAMES

    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.path.read_text(encoding="utf-8"), filename=str(self.path))

    def at(self, line: int) -> str:
        """A place in it that an editor can jump to."""
        return f"{self.path.relative_to(ROOT)}:{line}"


def modules() -> list[Module]:
    """All modules under `lianmeng`, without the generated ones, sorted by name."""
    found = []
    for path in sorted((SOURCE / "lianmeng").rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        if parts[1] == "v1":
            continue
        found.append(Module(".".join(part for part in parts if part != "__init__"), path))
    return found
