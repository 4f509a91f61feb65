"""Who may import whom: the layers of import-linter, narrowed to what each package is for."""

from __future__ import annotations

import grimp

from tests.architecture.source_tree import modules

BASE = frozenset({"kernel", "v1", "runtime", "pool"})
SERVICES = frozenset({"registry", "trend", "matcher", "lifecycle", "controller"})

MAY_IMPORT: dict[str, frozenset[str]] = {
    "kernel": frozenset(),
    "runtime": frozenset({"kernel", "v1"}),
    "pool": frozenset({"kernel", "v1", "runtime"}),
    "alliance": BASE,
    "registry": BASE,
    "trend": BASE,
    "matcher": BASE | {"alliance"},
    "lifecycle": BASE | {"alliance"},
    "controller": BASE | {"alliance"},
    "world": BASE,  # a client like any other: it knows the contract, not the services
    "cli": BASE | SERVICES | {"alliance", "world"},
}
"""Package → the packages that its modules may import, besides their own."""


def test_packages_import_only_their_neighbours() -> None:
    graph = grimp.build_graph("lianmeng", cache_dir=None)
    offences = [
        f"{module.name} imports {imported}"
        for module in modules()
        if module.package
        for imported in sorted(graph.find_modules_directly_imported_by(module.name))
        if _package(imported) not in MAY_IMPORT[module.package] | {module.package, ""}
    ]
    assert not offences, "not a neighbour:\n" + "\n".join(offences)


def test_every_module_is_seen() -> None:
    graph = grimp.build_graph("lianmeng", cache_dir=None)
    unseen = [module.at(1) for module in modules() if module.name not in graph.modules]
    assert not unseen, "its package lacks an __init__.py:\n" + "\n".join(unseen)


def _package(name: str) -> str:
    return name.split(".")[1] if "." in name else ""
