"""The connection to working memory: Redis or Valkey, by URL."""

from __future__ import annotations

from asyncio import timeout
from collections.abc import Awaitable
from typing import TypeVar

from redis.asyncio import Redis

T = TypeVar("T")

ANSWER_WITHIN_S = 2.0
"""Seconds that Redis gets to answer."""


def connect_memory(url: str) -> Redis:
    """A client; it connects when it is first used, and again whenever it has to.

    It has no time-out of its own for answers: the client's makes a task forget that it was
    cancelled (in Python 3.11), so the task would never end. Use `in_time` instead.
    """
    return Redis.from_url(url, socket_timeout=None, socket_connect_timeout=ANSWER_WITHIN_S)


async def in_time(answer: Awaitable[T], within_s: float = ANSWER_WITHIN_S) -> T:
    """An answer of Redis. Raises `TimeoutError` (an `OSError`) when it does not come in time."""
    async with timeout(within_s):
        return await answer
