"""The client side of gRPC: a channel, a fresh token per call, and the server's own errors.

Used by the command line, by agents and by services that call each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import TypeVar

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from lianmeng.kernel.clock import Clock
from lianmeng.runtime.auth import mint
from lianmeng.runtime.keys import Signer
from lianmeng.runtime.statuses import error_of

Request = TypeVar("Request")
Answer = TypeVar("Answer")

MAX_ANSWER_BYTES = 64 * 1024 * 1024
CALL_WITHIN_S = 15.0
"""Seconds that a unary call gets: a stalled log answers after about eight."""


def channel(address: str, authority: Path | None = None) -> grpc.aio.Channel:
    """A channel to host:port; over TLS when the authority's PEM file is given.

    It connects when it is first used and again whenever the connection breaks.
    """
    options = [
        ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        ("grpc.keepalive_time_ms", 10_000),
        ("grpc.keepalive_timeout_ms", 5_000),
    ]
    if authority is None:
        return grpc.aio.insecure_channel(address, options)
    credentials = grpc.ssl_channel_credentials(authority.read_bytes())
    return grpc.aio.secure_channel(address, credentials, options)


async def is_serving(address: str, authority: Path | None = None) -> bool:
    """Whether a server answers there and its health says SERVING; False for any failure."""
    async with channel(address, authority) as way:
        stub = health_pb2_grpc.HealthStub(way)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=1.0)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


class Client:
    """Calls one service as one principal. All methods raise `Rejected` and `Transient`.

    `audience` is the service's short name (`registry`). A retry is a new call with the same
    request: it carries a new token and the same command id.
    """

    def __init__(self, signer: Signer, audience: str, clock: Clock) -> None:
        """The channel belongs to the stub whose methods are given to the calls."""
        self._signer = signer
        self._audience = audience
        self._clock = clock

    async def call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Answer],
        request: Request,
        *,
        within_s: float = CALL_WITHIN_S,
    ) -> Answer:
        """A unary call: `await client.call(stub.GetFirm, GetFirmRequest(…))`."""
        try:
            return await method(request, metadata=self._metadata(), timeout=within_s)
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error

    async def watch(
        self, method: grpc.aio.UnaryStreamMultiCallable[Request, Answer], request: Request
    ) -> AsyncGenerator[Answer, None]:
        """The answers of a server stream, as they come. Close it with `contextlib.aclosing`."""
        answers = method(request, metadata=self._metadata())
        try:
            async for answer in answers:
                yield answer
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error
        finally:
            answers.cancel()

    async def send(
        self,
        method: grpc.aio.StreamUnaryMultiCallable[Request, Answer],
        requests: AsyncIterator[Request],
        *,
        within_s: float | None = None,
    ) -> Answer:
        """A client stream: sends all `requests` and returns the one answer.

        What `requests` raises is raised here.
        """
        failed: list[Exception] = []

        async def noted() -> AsyncIterator[Request]:
            try:
                async for request in requests:
                    yield request
            except Exception as error:
                failed.append(error)
                raise

        try:
            return await method(noted(), metadata=self._metadata(), timeout=within_s)
        except asyncio.CancelledError:  # grpc cancels the call when its requests fail
            if failed:
                raise failed[0] from None
            raise
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        token = mint(self._signer, self._audience, self._clock.wall())
        return (("authorization", f"Bearer {token}"),)
