"""All pages of the reference."""

from __future__ import annotations

from tools.reference import matching, processes, wire
from tools.reference.alliance import alliance_pages
from tools.reference.command import command_page
from tools.reference.contract import contract_files, contract_pages
from tools.reference.diagram import PICTURE, draw


def pages() -> dict[str, str]:
    """Path below docs/reference → content."""
    files = contract_files()
    return {
        **contract_pages(files),
        **alliance_pages(),
        PICTURE: draw(),
        "cli.md": command_page(),
        "csv.md": matching.csv_files(),
        "eligibility.md": matching.eligibility_page(),
        "errors.md": processes.errors(files),
        "landed-cost.md": matching.landed_cost(),
        "log-events.md": processes.log_events(),
        "metrics.md": processes.metrics(),
        "permissions.md": wire.permissions(),
        "settings.md": processes.settings(),
        "streams.md": wire.streams(),
        "thresholds.md": processes.thresholds(),
    }
