"""The gRPC server of a service: every call is authenticated, permitted, logged and measured.

Handlers raise the platform's errors; here is the one place that turns them into statuses.
Health and reflection need no token.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from lianmeng.kernel.clock import Clock
from lianmeng.kernel.errors import Rejected, Transient
from lianmeng.runtime.auth import (
    Caller,
    KeyBook,
    Seen,
    authenticate,
    caller_context,
    unverified_caller,
)
from lianmeng.runtime.logs import log as line
from lianmeng.runtime.metrics import CALL_SECONDS, CALLS
from lianmeng.runtime.permissions import is_self_signed, require_role
from lianmeng.runtime.requests import careful
from lianmeng.runtime.statuses import abort_of

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Largest request; a larger one is answered with RESOURCE_EXHAUSTED."""

_OPEN = ("/grpc.health.", "/grpc.reflection.")

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Door:
    """What the server needs to know who calls. `audience` is the service's short name."""

    audience: str
    book: KeyBook
    seen: Seen
    clock: Clock

    async def admit(self, call: str, context: Context) -> Caller:
        """The caller, if it may make this call. Raises `Rejected`."""
        metadata = dict(context.invocation_metadata() or ())
        token = str(metadata.get("authorization", "")).removeprefix("Bearer ")
        if is_self_signed(call):
            return unverified_caller(token)
        caller = await authenticate(token, self.audience, self.clock.wall(), self.book, self.seen)
        require_role(call, caller.roles)
        return caller


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files of the server's certificate and key."""

    certificate: Path
    key: Path


class RpcServer:
    """A server with health and reflection; NOT_SERVING until `set_serving(True)`."""

    def __init__(self, door: Door, services: Sequence[str]) -> None:
        """`services` are the full names of the proto services that it will serve."""
        self._closing = asyncio.get_running_loop().create_future()
        self.server = grpc.aio.server(
            interceptors=[_Guard(door, self._closing)],
            options=[
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                ("grpc.so_reuseport", 0),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
            ],
        )
        self._services = (*services, "")
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.server)
        names = (*services, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self.server)

    async def start(self, host: str, port: int, tls: Tls | None = None) -> int:
        """Bind and start; port 0 = any free one. Returns the port; raises `Rejected` if taken."""
        address = f"{host}:{port}"
        await self.set_serving(False)
        try:
            if tls is None:
                bound = self.server.add_insecure_port(address)
            else:
                pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
                credentials = grpc.ssl_server_credentials([pair])
                bound = self.server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise port_taken(address) from error
        await self.server.start()
        return bound

    async def set_serving(self, serving: bool) -> None:
        """What the health service answers."""
        status = health_pb2.HealthCheckResponse.ServingStatus
        value = status.SERVING if serving else status.NOT_SERVING
        for name in self._services:
            await self._health.set(name, value)

    async def stop(self, grace_s: float) -> None:
        """Take no more calls. Watchers are told to call again; others get `grace_s` seconds."""
        if not self._closing.done():
            self._closing.set_result(None)
        await self._health.enter_graceful_shutdown()
        await self.server.stop(grace_s)


class _Stopping(Transient):
    """What a watcher gets when the server stops."""

    def __init__(self) -> None:
        super().__init__(
            "INTERNAL",
            "the service is stopping; call again",
            timedelta(seconds=1),
            "服务正在停止，请稍后重新连接",
        )


class _Guard(grpc.aio.ServerInterceptor):
    """Wraps the handler of every call."""

    def __init__(self, door: Door, closing: asyncio.Future[None]) -> None:
        self._door = door
        self._closing = closing

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        call = str(handler_call_details.method)
        if handler is None or call.startswith(_OPEN):
            return handler
        make, behaviour = _wrapped(handler, _Call(self._door, call, self._closing))
        return make(
            behaviour,
            request_deserializer=careful(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )


@dataclass(frozen=True, slots=True)
class _Call:
    """One kind of call: how each is let in, timed, and ended."""

    door: Door
    name: str
    closing: asyncio.Future[None]

    @asynccontextmanager
    async def run(self, context: Context) -> AsyncIterator[None]:
        """Answer whatever is raised inside, and account for it."""
        started = time.perf_counter()
        status, short = "OK", self.name.rsplit("/", 1)[-1]
        try:
            yield
        except asyncio.CancelledError:  # the client has heard enough
            status = "CANCELLED"
            raise
        except Exception as error:  # noqa: BLE001 - the edge of the process: all is answered
            status = await self._refuse(context, short, error)
        finally:
            elapsed = time.perf_counter() - started
            CALLS.labels(short, status).inc()
            CALL_SECONDS.labels(short).observe(elapsed)
            caller = caller_context.get(None)
            if caller and status in ("OK", "CANCELLED"):
                who = caller.principal_id
                line.info("call.served", call=short, caller=who, ms=round(elapsed * 1000, 1))

    async def admit(self, context: Context) -> None:
        """Let the caller in: the handler finds it as the current caller. Raises `Rejected`."""
        caller_context.set(await self.door.admit(self.name, context))

    async def _refuse(self, context: Context, short: str, error: Exception) -> str:
        abort = abort_of(error)
        if isinstance(error, Rejected):
            line.info("call.rejected", call=short, reason=error.reason, field=error.field)
        elif isinstance(error, _Stopping):
            line.info("call.served", call=short, reason="stopping")
        elif isinstance(error, Transient):
            line.warning("call.delayed", call=short, reason=error.reason, detail=error.message)
        else:
            line.error("call.failed", call=short, error=repr(error), exc_info=error)
        context.set_trailing_metadata(abort.trailers)
        context.set_code(abort.code)
        context.set_details(abort.message)
        return abort.code.name


def _wrapped(handler: Any, call: _Call) -> tuple[Any, Any]:
    """How to make the handler anew, and its guarded behaviour."""
    if handler.request_streaming:
        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler, _stream(call, handler.stream_stream, True)
        return grpc.stream_unary_rpc_method_handler, _unary(call, handler.stream_unary, True)
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler, _stream(call, handler.unary_stream, False)
    return grpc.unary_unary_rpc_method_handler, _unary(call, handler.unary_unary, False)


def _unary(call: _Call, inner: Any, many: bool) -> Any:
    async def behaviour(request: Any, context: Context) -> Any:
        async with call.run(context):
            await call.admit(context)
            return await inner(_checked(request, many), context)

    return behaviour


def _stream(call: _Call, inner: Any, many: bool) -> Any:
    async def behaviour(request: Any, context: Context) -> AsyncIterator[Any]:
        async with call.run(context):
            await call.admit(context)
            async for answer in _until(call.closing, inner(_checked(request, many), context)):
                yield answer

    return behaviour


async def _until(closing: asyncio.Future[None], answers: Any) -> AsyncIterator[Any]:
    """The answers of a stream, which may be endless, until the server closes."""
    while True:
        coming = asyncio.ensure_future(anext(answers))
        try:
            await asyncio.wait({coming, closing}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                raise _Stopping
            answer = coming.result()
        except StopAsyncIteration:
            return
        finally:
            if not coming.done():
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)
        yield answer


def _checked(request: Any, many: bool) -> Any:
    if many:
        return _checked_stream(request)
    if isinstance(request, Rejected):
        raise request
    return request


async def _checked_stream(requests: Any) -> AsyncIterator[Any]:
    async for request in requests:
        if isinstance(request, Rejected):
            raise request
        yield request


def port_taken(address: str) -> Rejected:
    """The refusal of an address that another process has."""
    return Rejected(
        reason="ALREADY_EXISTS",
        field=address,
        message=f"the address {address} is taken",
        hint="stop the other process, or set another LIANMENG_<SERVICE>_PORT",
        message_zh=f"地址 {address} 已被占用",
        hint_zh="请停止占用该端口的进程，或设置其他 LIANMENG_<SERVICE>_PORT",
    )
