"""The gRPC server and client: errors there and back, tokens, odd requests, health."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import redis.asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from lianmeng.kernel.errors import Poison, Rejected, Status, Transient
from lianmeng.kernel.roles import PrincipalRole
from lianmeng.runtime.auth import KeyRecord, Seen, current_caller, mint
from lianmeng.runtime.client import Client, channel, is_serving
from lianmeng.runtime.keys import Signer, new_signer
from lianmeng.runtime.rpc import Door, RpcServer, Tls
from lianmeng.runtime.storytime import RealClock
from lianmeng.v1 import registry_pb2, registry_pb2_grpc

pytestmark = pytest.mark.integration

SERVICE = registry_pb2.DESCRIPTOR.services_by_name["RegistryService"].full_name
REJECTION = Rejected(
    reason="USCC_CHECK_CHARACTER",
    field="firm.uscc",
    message="the check character is wrong",
    hint="the last character should be Y",
    message_zh="校验码不正确",
    hint_zh="最后一位应为 Y",
    status=Status.FAILED_PRECONDITION,
)


class Registry(registry_pb2_grpc.RegistryServiceServicer):
    """Raises what the request asks for."""

    async def GetFirm(self, request: Any, context: Any) -> registry_pb2.GetFirmResponse:
        _raise(request.firm_id)
        caller = current_caller()
        return registry_pb2.GetFirmResponse(revision=f"{caller.principal_id} {caller.firm_id}")

    async def RegisterFirm(self, request: Any, context: Any) -> registry_pb2.RegisterFirmResponse:
        caller = current_caller()
        return registry_pb2.RegisterFirmResponse(key_id=f"{caller.key_id} {len(caller.roles)}")

    async def CreatePrincipal(self, request: Any, context: Any) -> Any:
        return registry_pb2.CreatePrincipalResponse()

    async def PutMany(self, requests: Any, context: Any) -> registry_pb2.PutManyResponse:
        count = 0
        async for _ in requests:
            count += 1
        return registry_pb2.PutManyResponse(revision=str(count))

    async def WatchRegistry(
        self, request: Any, context: Any
    ) -> AsyncIterator[registry_pb2.WatchRegistryResponse]:
        for number in range(3):
            yield registry_pb2.WatchRegistryResponse(revision=str(number))
        _raise(request.after_revision)
        await asyncio.sleep(60)


def _raise(what: str) -> None:
    errors: dict[str, Exception] = {
        "rejected": REJECTION,
        "transient": Transient("VIEW_LAGS", "3 behind", timedelta(seconds=2), "读模型滞后"),
        "poison": Poison("CORRUPT_PAYLOAD", "secret detail"),
        "bug": RuntimeError("secret detail"),
    }
    if what in errors:
        raise errors[what]


@dataclass
class Book:
    signers: tuple[Signer, ...]

    async def find(self, key_id: str) -> KeyRecord | None:
        for signer in self.signers:
            if signer.key_id == key_id:
                roles = frozenset({PrincipalRole.FIRM})
                return KeyRecord(key_id, signer.public_key, signer.principal_id, roles, "mill-3")
        return None


@dataclass
class Place:
    """A running server, a known signer, and the way there."""

    server: RpcServer
    signer: Signer
    channel: grpc.aio.Channel
    port: int

    @property
    def client(self) -> Client:
        return Client(self.signer, "registry", RealClock())

    @property
    def stub(self) -> registry_pb2_grpc.RegistryServiceAsyncStub:
        return registry_pb2_grpc.RegistryServiceStub(self.channel)


@pytest.fixture
async def place(memory: redis.asyncio.Redis, zone: str) -> AsyncIterator[Place]:
    signer = new_signer("p-mill")
    door = Door("registry", Book((signer,)), Seen(memory, zone), RealClock())
    server = RpcServer(door, [SERVICE])
    servicer = Registry()  # type: ignore[abstract]
    registry_pb2_grpc.add_RegistryServiceServicer_to_server(servicer, server.server)
    port = await server.start("127.0.0.1", 0)
    await server.set_serving(True)
    way = channel(f"127.0.0.1:{port}")
    yield Place(server, signer, way, port)
    await way.close()
    await server.stop(0.1)


async def _get(place: Place, firm: str) -> registry_pb2.GetFirmResponse:
    return await place.client.call(place.stub.GetFirm, registry_pb2.GetFirmRequest(firm_id=firm))


async def test_the_handler_knows_its_caller(place: Place) -> None:
    assert (await _get(place, "mill")).revision == "p-mill mill-3"


async def test_a_rejection_arrives_as_it_was_raised(place: Place) -> None:
    with pytest.raises(Rejected) as caught:
        await _get(place, "rejected")
    assert vars(caught.value) == vars(REJECTION)


async def test_a_transient_arrives_with_its_pause(place: Place) -> None:
    with pytest.raises(Transient) as caught:
        await _get(place, "transient")
    assert (caught.value.reason, caught.value.retry_after) == ("VIEW_LAGS", timedelta(seconds=2))
    assert caught.value.message_zh == "读模型滞后"


@pytest.mark.parametrize("what", ["poison", "bug"])
async def test_a_bug_tells_the_caller_nothing_inside(place: Place, what: str) -> None:
    with pytest.raises(Transient) as caught:
        await _get(place, what)
    assert caught.value.reason == "INTERNAL"
    assert "secret" not in str(caught.value)


async def test_a_stream_gives_what_it_has_and_then_the_error(place: Place) -> None:
    request = registry_pb2.WatchRegistryRequest(after_revision="rejected")
    answers = place.client.watch(place.stub.WatchRegistry, request)
    assert [(await anext(answers)).revision for _ in range(3)] == ["0", "1", "2"]
    with pytest.raises(Rejected) as caught:
        await anext(answers)
    assert caught.value.reason == "USCC_CHECK_CHARACTER"


async def test_a_watcher_may_leave(place: Place) -> None:
    request = registry_pb2.WatchRegistryRequest()
    async with aclosing(place.client.watch(place.stub.WatchRegistry, request)) as answers:
        assert (await anext(answers)).revision == "0"


async def test_a_client_stream_is_counted(place: Place) -> None:
    async def requests() -> AsyncIterator[registry_pb2.PutManyRequest]:
        for _ in range(50):
            yield registry_pb2.PutManyRequest()

    answer = await place.client.send(place.stub.PutMany, requests())
    assert answer.revision == "50"


async def test_what_the_requests_raise_is_raised(place: Place) -> None:
    async def requests() -> AsyncIterator[registry_pb2.PutManyRequest]:
        yield registry_pb2.PutManyRequest()
        raise OSError("the file is gone")

    with pytest.raises(OSError, match="the file is gone"):
        await place.client.send(place.stub.PutMany, requests())


async def _raw(place: Place, call: str, request: bytes, token: str | None = None) -> bytes:
    method: Any = place.channel.unary_unary(f"/{SERVICE}/{call}")
    signed = token if token is not None else mint(place.signer, "registry", RealClock().wall())
    answer: bytes = await method(request, metadata=(("authorization", f"Bearer {signed}"),))
    return answer


async def test_tokens_are_required_and_work_once(place: Place) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="no token"):
        await _raw(place, "GetFirm", b"", "")
    token = mint(place.signer, "registry", RealClock().wall())
    await _raw(place, "GetFirm", b"", token)
    with pytest.raises(grpc.aio.AioRpcError, match="used before") as caught:
        await _raw(place, "GetFirm", b"", token)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_roles_are_required(place: Place) -> None:
    with pytest.raises(Rejected) as caught:
        await place.client.call(
            place.stub.CreatePrincipal, registry_pb2.CreatePrincipalRequest(principal_id="x")
        )
    assert (caught.value.reason, caught.value.status) == ("ROLE_MISSING", Status.PERMISSION_DENIED)


async def test_a_self_signed_call_comes_through_without_roles(place: Place) -> None:
    stranger = new_signer("p-new")
    client = Client(stranger, "registry", RealClock())
    answer = await client.call(place.stub.RegisterFirm, registry_pb2.RegisterFirmRequest())
    assert answer.key_id == f"{stranger.key_id} 0"


async def test_corrupt_bytes_are_refused(place: Place) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _raw(place, "GetFirm", b"\xff\xff\xff")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "not a message" in str(caught.value.details())


async def test_unknown_fields_are_named(place: Place) -> None:
    firm = registry_pb2.Firm(firm_id="m").SerializeToString() + b"\xfa\x3e\x01x"  # field 1007
    request = b"\x12" + bytes([len(firm)]) + firm  # field 2: firm
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _raw(place, "RegisterFirm", request)
    assert caught.value.details() == "the contract has no field firm.1007"


async def test_a_message_of_ten_megabytes_is_refused(place: Place) -> None:
    request = registry_pb2.GetFirmRequest(firm_id="x" * 10_000_000)
    with pytest.raises(Rejected) as caught:
        await place.client.call(place.stub.GetFirm, request)
    assert caught.value.status is Status.RESOURCE_EXHAUSTED


async def test_an_unknown_method_and_a_dead_server(place: Place) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _raw(place, "Nothing", b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    await place.server.stop(0)
    with pytest.raises(Transient):
        await _get(place, "mill")


async def test_health_and_reflection_need_no_token(place: Place) -> None:
    health = health_pb2_grpc.HealthStub(place.channel)
    request = health_pb2.HealthCheckRequest(service=SERVICE)
    status = health_pb2.HealthCheckResponse.ServingStatus
    assert (await health.Check(request)).status == status.SERVING
    await place.server.set_serving(False)
    assert (await health.Check(request)).status == status.NOT_SERVING
    stub = reflection_pb2_grpc.ServerReflectionStub(place.channel)

    async def ask() -> AsyncIterator[Any]:
        yield reflection_pb2.ServerReflectionRequest(list_services="")

    async for answer in stub.ServerReflectionInfo(ask()):
        names = {service.name for service in answer.list_services_response.service}
        assert SERVICE in names


async def test_a_taken_port_is_said(place: Place) -> None:
    door = Door("registry", Book(()), Seen(None, "zj"), RealClock())
    other = RpcServer(door, [SERVICE])
    with pytest.raises(Rejected, match="is taken"):
        await other.start("127.0.0.1", place.port)
    await other.stop(0)


def _self_signed(directory: Path) -> Tls:
    """A certificate for 127.0.0.1 that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lianmeng test")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    tls = Tls(directory / "cert.pem", directory / "key.pem")
    tls.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    tls.key.write_bytes(pem)
    return tls


async def test_calls_over_tls(tmp_path: Path) -> None:
    tls = _self_signed(tmp_path)
    door = Door("registry", Book(()), Seen(None, "zj"), RealClock())
    server = RpcServer(door, [SERVICE])
    port = await server.start("127.0.0.1", 0, tls)
    await server.set_serving(True)
    address = f"127.0.0.1:{port}"
    assert await is_serving(address, tls.certificate)
    assert not await is_serving(address), "without TLS nobody answers"
    await server.stop(0)
