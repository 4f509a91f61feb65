"""How a write to the log ends: acknowledged, in conflict, unknown, or never sent."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from datetime import timedelta

from nats.aio.msg import Msg

from lianmeng.kernel.errors import Transient
from lianmeng.runtime.messages import status_of
from lianmeng.runtime.metrics import LOG_WRITE_SECONDS, LOG_WRITES

_WRONG_SEQUENCE = (10071, 10164)
_BUSY = (10176, 10210, 10211)


class Conflict(Transient):
    """A subject has a newer message than expected, or the batch stands already: read again."""

    def __init__(self, message: str) -> None:
        super().__init__("CONFLICT", message, timedelta(milliseconds=20), "日志中已有更新的版本")


class Unknown(Transient):
    """No definite answer to a write; it may stand, now or a little later. `code` 0 = no answer."""

    def __init__(self, message: str, code: int = 0) -> None:
        pause = timedelta(milliseconds=250 if code in _BUSY else 100)
        super().__init__("LOG_UNAVAILABLE", message, pause, "写入结果尚不确定，请用同一命令重试")
        self.code = code


def unavailable(message: str) -> Transient:
    """The log cannot be reached; nothing was written."""
    return Transient("LOG_UNAVAILABLE", message, timedelta(seconds=1), "日志（NATS）暂时不可用")


def acknowledged(msg: Msg) -> int:
    """The sequence in the server's answer to a write. Raises `Conflict` or `Unknown`."""
    if status_of(msg) == "503":
        raise Unknown("no stream takes this subject now")
    content = json.loads(msg.data)
    if "error" not in content:
        return int(content["seq"])
    code, text = int(content["error"].get("err_code", 0)), content["error"]["description"]
    if code in _WRONG_SEQUENCE:
        raise Conflict(text)
    raise Unknown(f"{text} ({code})", code)


@contextlib.contextmanager
def measured(kind: str) -> Iterator[None]:
    """Count and time one write by how it ends."""
    started = time.perf_counter()
    outcome = "stands"
    try:
        yield
    except Conflict:
        outcome = "conflict"
        raise
    except Unknown:
        outcome = "unknown"
        raise
    except Transient:
        outcome = "unavailable"
        raise
    finally:
        LOG_WRITES.labels(kind, outcome).inc()
        LOG_WRITE_SECONDS.labels(kind).observe(time.perf_counter() - started)
