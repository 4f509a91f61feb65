"""`RegistryService` on the wire: messages to records and back, and who may see what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, TypeVar

from google.protobuf.message import Message

from lianmeng.kernel.clock import Clock
from lianmeng.kernel.roles import PrincipalRole
from lianmeng.pool.firms import FirmState
from lianmeng.pool.nodes import NodeState
from lianmeng.registry import refusals
from lianmeng.registry.actors import Actor
from lianmeng.registry.bulk import Bulk
from lianmeng.registry.messages import (
    read_enum,
    read_firm,
    read_node,
    read_product,
    require_unset,
    without_prices,
)
from lianmeng.registry.picture import Kind
from lianmeng.registry.ports import Stored
from lianmeng.registry.queries import Query, firm_query, node_query, product_query
from lianmeng.registry.service import Command, Registry
from lianmeng.registry.views import RegistryViews
from lianmeng.registry.watch import Watch
from lianmeng.runtime.auth import current_caller, verify_possession
from lianmeng.runtime.codec import encode
from lianmeng.runtime.keys import key_id_of
from lianmeng.runtime.revisions import revision
from lianmeng.v1 import registry_pb2 as pb
from lianmeng.v1 import types_pb2
from lianmeng.v1.registry_pb2_grpc import RegistryServiceServicer

AUDIENCE = "registry"

M = TypeVar("M", bound=Message)


def _actor() -> Actor:
    caller = current_caller()
    return Actor(caller.principal_id, caller.firm_id, caller.roles)


class RegistryRpc(RegistryServiceServicer):
    """The servicer. Commands go to the registry, reads to the views, watches to the stream."""

    def __init__(
        self,
        registry: Registry,
        bulk: Bulk,
        views: RegistryViews,
        watch: Watch,
        clock: Clock,
        stream: str,
    ) -> None:
        self._registry = registry
        self._bulk = bulk
        self._views = views
        self._watch = watch
        self._clock = clock
        self._stream = stream

    # --- commands

    async def RegisterFirm(
        self, request: pb.RegisterFirmRequest, context: Any
    ) -> pb.RegisterFirmResponse:
        caller = current_caller()
        verify_possession(caller.token, request.public_key, AUDIENCE, self._clock.wall())
        output_only = ("state", "state_reason", "version", "reliability_bp")
        require_unset(request.firm, output_only, "firm")
        firm = read_firm(request.firm, "firm")
        if caller.principal_id != firm.firm_id:
            raise refusals.not_yours("firm", firm.firm_id, "firm.firm_id")
        command = Command(Actor(firm.firm_id, firm.firm_id), request.command_id)
        stored = await self._registry.register_firm(command, firm, request.public_key)
        return pb.RegisterFirmResponse(
            firm=_said(stored, pb.Firm),
            key_id=key_id_of(request.public_key),
            revision=self._revision(stored),
        )

    async def UpdateFirm(
        self, request: pb.UpdateFirmRequest, context: Any
    ) -> pb.UpdateFirmResponse:
        firm = read_firm(request.firm, "firm")
        stored = await self._registry.update_firm(self._command(request), firm)
        return pb.UpdateFirmResponse(firm=_said(stored, pb.Firm), revision=self._revision(stored))

    async def SetFirmState(
        self, request: pb.SetFirmStateRequest, context: Any
    ) -> pb.SetFirmStateResponse:
        state = read_enum(request.state, FirmState, "FIRM_STATE_", pb.FirmState, "state")
        stored = await self._registry.set_firm_state(
            self._command(request), request.firm_id, state, request.reason
        )
        return pb.SetFirmStateResponse(firm=_said(stored, pb.Firm), revision=self._revision(stored))

    async def PutNode(self, request: pb.PutNodeRequest, context: Any) -> pb.PutNodeResponse:
        node = read_node(request.node, "node")
        stored = await self._registry.put_node(self._command(request), node)
        return pb.PutNodeResponse(node=_said(stored, pb.Node), revision=self._revision(stored))

    async def SetNodeState(
        self, request: pb.SetNodeStateRequest, context: Any
    ) -> pb.SetNodeStateResponse:
        state = read_enum(request.state, NodeState, "NODE_STATE_", pb.NodeState, "state")
        command = self._command(request)
        stored = await self._registry.set_node_state(command, request.node_id, state)
        return pb.SetNodeStateResponse(node=_said(stored, pb.Node), revision=self._revision(stored))

    async def PutProduct(
        self, request: pb.PutProductRequest, context: Any
    ) -> pb.PutProductResponse:
        product = read_product(request.product, "product")
        stored = await self._registry.put_product(self._command(request), product)
        return pb.PutProductResponse(
            product=_said(stored, pb.Product), revision=self._revision(stored)
        )

    async def PutMany(
        self, request: AsyncIterator[pb.PutManyRequest], context: Any
    ) -> pb.PutManyResponse:
        outcome = await self._bulk.put_many(_actor(), request)
        place = revision(self._stream, outcome.sequence) if outcome.sequence else ""
        return pb.PutManyResponse(
            kept_count=outcome.kept,
            refused_count=outcome.refused,
            errors=outcome.errors,
            revision=place,
        )

    async def CreatePrincipal(
        self, request: pb.CreatePrincipalRequest, context: Any
    ) -> pb.CreatePrincipalResponse:
        roles = tuple(
            read_enum(
                number,
                PrincipalRole,
                "PRINCIPAL_ROLE_",
                types_pb2.PrincipalRole,
                f"roles[{index}]",
            )
            for index, number in enumerate(request.roles)
        )
        stored = await self._registry.create_principal(
            self._command(request),
            request.principal_id,
            roles,
            request.public_key,
            request.display_name,
        )
        return pb.CreatePrincipalResponse(
            principal=_said(stored, pb.Principal), revision=self._revision(stored)
        )

    async def AddKey(self, request: pb.AddKeyRequest, context: Any) -> pb.AddKeyResponse:
        stored = await self._registry.add_key(
            self._command(request), request.principal_id, request.public_key
        )
        return pb.AddKeyResponse(
            principal=_said(stored, pb.Principal), revision=self._revision(stored)
        )

    async def CloseKey(self, request: pb.CloseKeyRequest, context: Any) -> pb.CloseKeyResponse:
        stored = await self._registry.close_key(
            self._command(request), request.principal_id, request.key_id
        )
        return pb.CloseKeyResponse(
            principal=_said(stored, pb.Principal), revision=self._revision(stored)
        )

    # --- reads

    async def GetFirm(self, request: pb.GetFirmRequest, context: Any) -> pb.GetFirmResponse:
        data, place = await self._views.get(Kind.FIRM, request.firm_id, request.min_revision)
        if data is None:
            raise refusals.not_found("firm", request.firm_id, "firm_id")
        return pb.GetFirmResponse(firm=pb.Firm.FromString(data), revision=place)

    async def SearchFirms(
        self, request: pb.SearchFirmsRequest, context: Any
    ) -> pb.SearchFirmsResponse:
        page = await self._views.find(Kind.FIRM, firm_query(request))
        return pb.SearchFirmsResponse(
            firms=[pb.Firm.FromString(data) for data in page.documents],
            next_page_token=page.next,
            revision=page.revision,
        )

    async def GetNode(self, request: pb.GetNodeRequest, context: Any) -> pb.GetNodeResponse:
        data, place = await self._views.get(Kind.NODE, request.node_id, request.min_revision)
        if data is None:
            raise refusals.not_found("node", request.node_id, "node_id")
        return pb.GetNodeResponse(node=_shown(data, _actor()), revision=place)

    async def SearchNodes(
        self, request: pb.SearchNodesRequest, context: Any
    ) -> pb.SearchNodesResponse:
        query = await self._node_query(request)
        if query is None:
            place = await self._views.wait_for(Kind.NODE, request.min_revision)
            return pb.SearchNodesResponse(revision=place)
        page = await self._views.find(Kind.NODE, query)
        actor = _actor()
        return pb.SearchNodesResponse(
            nodes=[_shown(data, actor) for data in page.documents],
            next_page_token=page.next,
            revision=page.revision,
        )

    async def GetProduct(
        self, request: pb.GetProductRequest, context: Any
    ) -> pb.GetProductResponse:
        data, place = await self._views.product_called(request.product_id, request.min_revision)
        if data is None:
            raise refusals.not_found("product", request.product_id, "product_id")
        return pb.GetProductResponse(product=pb.Product.FromString(data), revision=place)

    async def SearchProducts(
        self, request: pb.SearchProductsRequest, context: Any
    ) -> pb.SearchProductsResponse:
        page = await self._views.find(Kind.PRODUCT, product_query(request))
        return pb.SearchProductsResponse(
            products=[pb.Product.FromString(data) for data in page.documents],
            next_page_token=page.next,
            revision=page.revision,
        )

    async def GetPrincipal(
        self, request: pb.GetPrincipalRequest, context: Any
    ) -> pb.GetPrincipalResponse:
        actor = _actor()
        identity = request.principal_id or actor.principal_id
        actor.require_self(identity, "principal_id")
        data, place = await self._views.get(Kind.PRINCIPAL, identity, request.min_revision)
        if data is None:
            raise refusals.not_found("principal", identity, "principal_id")
        return pb.GetPrincipalResponse(principal=pb.Principal.FromString(data), revision=place)

    async def WatchRegistry(
        self, request: pb.WatchRegistryRequest, context: Any
    ) -> AsyncIterator[pb.WatchRegistryResponse]:
        versions = self._watch.versions(_actor(), request.after_revision)
        async with aclosing(versions):
            async for version in versions:
                yield version

    # --- helpers

    async def _node_query(self, request: pb.SearchNodesRequest) -> Query | None:
        """The query; None where no firm holds the certificate that is asked for."""
        if not request.certificate_type:
            return node_query(request, ())
        firms = await self._views.firms_with(request.certificate_type)
        return node_query(request, firms) if firms else None

    def _command(self, request: Any) -> Command:
        return Command(_actor(), request.command_id)

    def _revision(self, stored: Stored) -> str:
        return revision(self._stream, stored.sequence)


def _said(stored: Stored, kind: type[M]) -> M:
    return encode(stored.record.record, kind)


def _shown(data: bytes, actor: Actor) -> pb.Node:
    node = pb.Node.FromString(data)
    return node if actor.sees_prices_of(node.firm_id) else without_prices(node, actor.firm_id)
