"""A revision: the opaque string `<stream>:<sequence>` that every write returns.

Whoever has just written gives it to a read as `min_revision`, and reads what it wrote.
"""

from __future__ import annotations

from lianmeng.kernel.errors import Rejected


def revision(stream: str, sequence: int) -> str:
    """The revision of a message."""
    return f"{stream}:{sequence}"


def sequence_of(text: str, stream: str, field: str = "min_revision") -> int:
    """The sequence in a revision of `stream`; 0 for the empty string.

    Raises `Rejected(MALFORMED_VALUE)` for anything else.
    """
    if not text:
        return 0
    name, _, number = text.rpartition(":")
    if name == stream and number.isascii() and number.isdigit() and len(number) < 20:
        return int(number)
    raise Rejected(
        reason="MALFORMED_VALUE",
        field=field,
        message=f"{text[:60]!r} is not a revision of {stream}",
        hint="give the revision that the write returned, as it is, or nothing",
        message_zh=f"{text[:60]!r} 不是 {stream} 的版本号",
        hint_zh="请原样填写写入时返回的 revision，或留空",
    )
