"""Which services there are, and how each is connected; imported only when it is served."""

from __future__ import annotations

from importlib import import_module

from lianmeng.kernel.errors import Rejected
from lianmeng.runtime.process import Wire
from lianmeng.runtime.settings import SERVICES


def wire_of(name: str) -> Wire:
    """How the service `name` is connected. Raises `Rejected(NOT_FOUND)`."""
    if name not in SERVICES:
        raise Rejected(
            reason="NOT_FOUND",
            field="NAME",
            message=f"there is no service {name!r}",
            hint="use one of " + ", ".join(SERVICES),
            message_zh=f"没有名为 {name!r} 的服务",
            hint_zh="请用：" + "、".join(SERVICES),
        )
    wire: Wire = import_module(f"lianmeng.{name}.wiring").wire
    return wire
