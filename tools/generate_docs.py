"""Writes the reference in docs/reference from the code.

`make docs` runs it; tests/architecture/test_docs.py fails where the two have drifted apart.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools.reference.markdown import ROOT
from tools.reference.pages import pages

TARGET = ROOT / "docs" / "reference"


def written_pages() -> list[str]:
    """What lies in the folder, as paths below it."""
    found = (path for path in TARGET.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(TARGET)) for path in found)


def main() -> None:
    """Replaces the folder's content; the page of what is gone goes too."""
    fresh = pages()
    for gone in set(written_pages()) - fresh.keys():
        (TARGET / gone).unlink()
    for name, content in fresh.items():
        path = Path(TARGET, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    sys.stdout.write(f"{len(fresh)} pages in docs/reference\n")


if __name__ == "__main__":
    main()
