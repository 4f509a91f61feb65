"""One whole version of something registered: what a message of the REGISTRY stream says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lianmeng.pool.firms import Firm
from lianmeng.pool.nodes import Node
from lianmeng.pool.principals import Principal
from lianmeng.pool.products import Product

Registered = Firm | Node | Product | Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryRecord:
    """A version with who wrote it and why.

    `written_by` is a principal id, "" the platform itself at its first start. `command_id` is
    "" for bulk and for the platform itself. `written_time` is story time.
    """

    record: Firm | Node | Product | Principal
    written_by: str = ""
    command_id: str = ""
    written_time: datetime
