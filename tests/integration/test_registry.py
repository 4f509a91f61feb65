from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import redis.asyncio

from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.roles import Role
from lianmeng.pool.firms import Firm
from lianmeng.registry.log import subject_of
from lianmeng.registry.picture import Kind
from lianmeng.runtime.auth import mint
from lianmeng.runtime.codec import encode
from lianmeng.runtime.deadletters import dead_letters
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.keys import new_signer
from lianmeng.runtime.writes import Write
from lianmeng.v1 import registry_pb2 as pb
from lianmeng.v1 import types_pb2
from lianmeng.world.firms import example_pool
from lianmeng.world.identity import demo_uscc
from tests.integration.registry_world import (
    CLOCK,
    RegistryWorld,
    User,
    command_id,
    running_registry,
    wire_firm,
    wire_node,
)
from tests.unit.test_pool_validation import FIRM, GRS, HUB, MILL, PRODUCT, STUDIO

pytestmark = pytest.mark.integration

OTHER = replace(FIRM, firm_id="ningbo-b", uscc=demo_uscc(2, 1), name_zh="宁波乙厂")


@pytest.fixture
async def world(log: Log, memory: redis.asyncio.Redis, zone: str) -> AsyncIterator[RegistryWorld]:
    async with running_registry(log, memory, zone) as running:
        yield running


async def rejected(awaitable: object) -> Rejected:
    with pytest.raises(Rejected) as caught:
        await awaitable  # type: ignore[misc]
    assert caught.value.message_zh
    return caught.value


# --- firms


async def test_a_firm_registers_with_its_own_key_and_waits(world: RegistryWorld) -> None:
    user = world.user("keqiao-a")
    answer = await user.register(FIRM)
    assert answer.firm.state == pb.FIRM_STATE_PENDING_VERIFICATION
    assert answer.firm.version == 1
    assert answer.key_id == user.signer.key_id
    got = await user.call(
        "GetFirm", pb.GetFirmRequest(firm_id="keqiao-a", min_revision=answer.revision)
    )
    assert got.firm == answer.firm
    me = await user.call("GetPrincipal", pb.GetPrincipalRequest(min_revision=answer.revision))
    assert [key.key_id for key in me.principal.keys] == [user.signer.key_id]


async def test_only_the_association_activates(world: RegistryWorld) -> None:
    user = world.user("keqiao-a")
    await user.register(FIRM)
    error = await rejected(user.activate("keqiao-a"))
    assert error.reason == "NOT_YOURS"
    answer = await world.association.activate("keqiao-a")
    assert (answer.firm.state, answer.firm.version) == (pb.FIRM_STATE_ACTIVE, 2)
    again = await rejected(world.association.activate("keqiao-a"))
    assert again.reason == "WRONG_STATE"


async def test_a_repeated_command_gets_its_first_result(world: RegistryWorld) -> None:
    user = world.user("keqiao-a")
    request = pb.RegisterFirmRequest(
        command_id="once", firm=wire_firm(FIRM), public_key=user.signer.public_key
    )
    first = await user.call("RegisterFirm", request)
    await world.association.activate("keqiao-a")
    assert await user.call("RegisterFirm", request) == first
    node = pb.PutNodeRequest(command_id="twice", node=wire_node(MILL))
    one = await user.call("PutNode", node)
    await user.put(replace(MILL, name="新名称"))
    assert await user.call("PutNode", node) == one
    node.command_id = "once"
    assert (await rejected(user.call("PutNode", node))).reason == "COMMAND_REUSED"


async def test_a_taken_id_a_foreign_key_and_a_stolen_name(world: RegistryWorld) -> None:
    await world.user("keqiao-a").register(FIRM)
    assert (await rejected(world.user("keqiao-a").register(FIRM))).reason == "ALREADY_EXISTS"
    assert (await rejected(world.user("somebody").register(FIRM))).reason == "NOT_YOURS"
    thief = world.user("ningbo-b")
    request = pb.RegisterFirmRequest(
        command_id=command_id(),
        firm=wire_firm(OTHER),
        public_key=new_signer("x").public_key,
    )
    assert (await rejected(thief.call("RegisterFirm", request))).reason == "TOKEN_UNKNOWN_KEY"
    operator = replace(OTHER, firm_id="operator")
    assert (await rejected(world.user("operator").register(operator))).reason == "ALREADY_EXISTS"


async def test_one_active_firm_per_code(world: RegistryWorld) -> None:
    await world.firm(FIRM)
    await world.user("copycat").register(replace(FIRM, firm_id="copycat"))
    error = await rejected(world.association.activate("copycat"))
    assert (error.reason, error.field) == ("DUPLICATE", "firm.uscc")


async def test_bad_firms_are_refused_at_the_door(world: RegistryWorld) -> None:
    user = world.user("keqiao-a")
    error = await rejected(user.register(replace(FIRM, uscc="91350100M000100Y44")))
    assert (error.reason, error.field) == ("USCC_CHECK_CHARACTER", "firm.uscc")
    assert "3" in error.hint
    message = wire_firm(FIRM)
    message.certificates.add(type="GRS", number="1", valid_from="2026-02-30", valid_to="2026-03-01")
    request = pb.RegisterFirmRequest(
        command_id=command_id(), firm=message, public_key=user.signer.public_key
    )
    error = await rejected(user.call("RegisterFirm", request))
    assert (error.reason, error.field) == ("MALFORMED_DATE", "firm.certificates[0].valid_from")
    claimed = wire_firm(FIRM)
    claimed.state = pb.FIRM_STATE_ACTIVE
    request.firm.CopyFrom(claimed)
    assert (await rejected(user.call("RegisterFirm", request))).field == "firm.state"
    assert (await rejected(user.call("GetFirm", pb.GetFirmRequest(firm_id="x")))).reason == (
        "TOKEN_UNKNOWN_KEY"
    )


async def test_updates_know_the_version_that_was_edited(world: RegistryWorld) -> None:
    user = await world.firm(FIRM)
    edited = wire_firm(replace(FIRM, name_en="A", version=2))
    answer = await user.call(
        "UpdateFirm", pb.UpdateFirmRequest(command_id=command_id(), firm=edited)
    )
    assert (answer.firm.version, answer.firm.state) == (3, pb.FIRM_STATE_ACTIVE)
    stale = pb.UpdateFirmRequest(command_id=command_id(), firm=edited)
    assert (await rejected(user.call("UpdateFirm", stale))).reason == "VERSION_CONFLICT"
    renamed = wire_firm(replace(FIRM, name_zh="绍兴丙厂"))
    answer = await user.call(
        "UpdateFirm", pb.UpdateFirmRequest(command_id=command_id(), firm=renamed)
    )
    assert answer.firm.state == pb.FIRM_STATE_PENDING_VERIFICATION


async def test_many_at_once_lose_nothing(world: RegistryWorld) -> None:
    user = await world.firm(FIRM)
    nodes = [replace(MILL, name=f"n{index}") for index in range(12)]
    answers = await asyncio.gather(*(user.put(node) for node in nodes), return_exceptions=True)
    versions = sorted(a.node.version for a in answers if not isinstance(a, BaseException))
    assert versions == list(range(1, len(versions) + 1))
    assert len(versions) >= 6


# --- nodes and products


async def test_nodes_belong_to_registered_firms(world: RegistryWorld) -> None:
    user = world.user("keqiao-a")
    lost = await rejected(world.association.put(MILL))
    assert (lost.reason, lost.field) == ("NOT_FOUND", "node.firm_id")
    await user.register(FIRM)
    answer = await user.put(MILL)
    assert (answer.node.version, answer.node.state) == (1, pb.NODE_STATE_ACTIVE)
    stranger = await world.firm(OTHER)
    assert (await rejected(stranger.put(MILL))).reason == "NOT_YOURS"
    stolen = replace(MILL, firm_id="ningbo-b")
    assert (await rejected(stranger.put(stolen))).reason == "NOT_YOURS"


async def test_a_node_withdraws_and_comes_back(world: RegistryWorld) -> None:
    user = await world.firm(FIRM)
    await user.put(MILL)
    for state in (pb.NODE_STATE_WITHDRAWN, pb.NODE_STATE_ACTIVE):
        request = pb.SetNodeStateRequest(command_id=command_id(), node_id="n", state=state)
        answer = await user.call("SetNodeState", request)
        assert answer.node.state == state
    assert answer.node.version == 3
    request = pb.SetNodeStateRequest(command_id=command_id(), node_id="n")
    assert (await rejected(user.call("SetNodeState", request))).reason == "MISSING_FIELD"


async def test_a_firm_that_left_registers_nothing(world: RegistryWorld) -> None:
    user = await world.firm(FIRM)
    gone = pb.SetFirmStateRequest(
        command_id=command_id(), firm_id="keqiao-a", state=pb.FIRM_STATE_WITHDRAWN
    )
    await user.call("SetFirmState", gone)
    assert (await rejected(user.put(MILL))).reason == "FIRM_NOT_ACTIVE"


async def test_products_are_found_by_alias_and_names_are_unique(world: RegistryWorld) -> None:
    answer = await world.association.put(replace(PRODUCT, aliases=("防晒披肩",)))
    got = await world.operator.call(
        "GetProduct", pb.GetProductRequest(product_id="防晒披肩", min_revision=answer.revision)
    )
    assert got.product.product_id == "shawl"
    twin = replace(PRODUCT, product_id="cape", aliases=("防晒披肩",))
    error = await rejected(world.association.put(twin))
    assert (error.reason, error.field) == ("DUPLICATE", "product.aliases[0]")
    firm = await world.firm(FIRM)
    assert (await rejected(firm.put(PRODUCT))).reason == "ROLE_MISSING"


async def test_search_by_role_goods_market_certificate_and_place(world: RegistryWorld) -> None:
    user = await world.firm(replace(FIRM, certificates=(GRS,)))
    other = await world.firm(OTHER)
    await user.put(MILL)
    await user.put(replace(HUB, node_id="hub"))
    last = await other.put(replace(STUDIO, node_id="studio", firm_id="ningbo-b", locode="CNNBO"))

    async def found(**criteria: Any) -> list[str]:
        request = pb.SearchNodesRequest(min_revision=last.revision, **criteria)
        answer = await world.operator.call("SearchNodes", request)
        return [node.node_id for node in answer.nodes]

    assert await found() == ["hub", "n", "studio"]
    assert await found(role=types_pb2.ROLE_MANUFACTURING) == ["n"]
    assert await found(hs6_prefix="6214") == ["n"]
    assert await found(market="TH") == ["hub", "studio"]
    assert await found(market="TH", role=types_pb2.ROLE_MARKETING) == ["studio"]
    assert await found(certificate_type="GRS") == ["hub", "n"]
    assert await found(certificate_type="OEKO") == []
    assert await found(locode="CNNBO") == ["studio"]
    assert await found(firm_id="ningbo-b") == ["studio"]
    assert await found(state=pb.NODE_STATE_WITHDRAWN) == []
    error = await rejected(found(hs6_prefix="6x"))
    assert error.field == "hs6_prefix"
    firms = await world.operator.call(
        "SearchFirms",
        pb.SearchFirmsRequest(division_prefix="3306", state=pb.FIRM_STATE_ACTIVE),
    )
    assert {firm.firm_id for firm in firms.firms} == {"keqiao-a", "ningbo-b"}


async def test_pages(world: RegistryWorld) -> None:
    user = await world.firm(FIRM)
    for index in range(5):
        last = await user.put(replace(MILL, node_id=f"n{index}"))
    seen: list[str] = []
    token = ""
    while True:
        request = pb.SearchNodesRequest(page_size=2, page_token=token, min_revision=last.revision)
        answer = await user.call("SearchNodes", request)
        seen += [node.node_id for node in answer.nodes]
        token = answer.next_page_token
        if not token:
            break
    assert seen == ["n0", "n1", "n2", "n3", "n4"]


async def test_competitors_see_no_prices(world: RegistryWorld) -> None:
    owner, rival = await world.firm(FIRM), await world.firm(OTHER)
    await owner.put(MILL)
    last = await owner.put(replace(HUB, node_id="hub"))

    async def mill(user: User) -> pb.Node:
        request = pb.GetNodeRequest(node_id="n", min_revision=last.revision)
        node: pb.Node = (await user.call("GetNode", request)).node
        return node

    assert len((await mill(owner)).manufacturing.price_breaks) == 2
    assert len((await mill(world.operator)).manufacturing.price_breaks) == 2
    assert not (await mill(rival)).manufacturing.price_breaks
    assert not (await mill(world.association)).manufacturing.price_breaks
    answer = await rival.call("SearchNodes", pb.SearchNodesRequest(role=types_pb2.ROLE_LOGISTICS))
    (hub,) = answer.nodes
    assert not hub.logistics.lanes[0].HasField("price")
    assert not hub.logistics.warehouses[0].stock


# --- keys and principals


async def test_keys_are_added_and_closed(world: RegistryWorld) -> None:
    user = await world.firm(FIRM)
    fresh = world.user("keqiao-a")
    add = pb.AddKeyRequest(
        command_id=command_id(), principal_id="keqiao-a", public_key=fresh.signer.public_key
    )
    await user.call("AddKey", add)
    await fresh.put(MILL)
    close = pb.CloseKeyRequest(
        command_id=command_id(), principal_id="keqiao-a", key_id=user.signer.key_id
    )
    await fresh.call("CloseKey", close)
    await asyncio.sleep(0.2)
    assert (await rejected(user.put(MILL))).reason == "TOKEN_UNKNOWN_KEY"
    again = pb.AddKeyRequest(
        command_id=command_id(), principal_id="keqiao-a", public_key=user.signer.public_key
    )
    assert (await rejected(fresh.call("AddKey", again))).reason == "ALREADY_EXISTS"
    foreign = pb.AddKeyRequest(
        command_id=command_id(), principal_id="operator", public_key=b"x" * 32
    )
    assert (await rejected(fresh.call("AddKey", foreign))).reason == "NOT_YOURS"


async def test_the_operator_creates_a_manager(world: RegistryWorld) -> None:
    manager = world.user("manager")
    request = pb.CreatePrincipalRequest(
        command_id=command_id(),
        principal_id="manager",
        roles=[types_pb2.PRINCIPAL_ROLE_ZONE_MANAGER],
        public_key=manager.signer.public_key,
        display_name="园区管理者",
    )
    answer = await world.operator.call("CreatePrincipal", request)
    assert answer.principal.display_name == "园区管理者"
    await manager.call("SearchFirms", pb.SearchFirmsRequest())
    error = await rejected(world.association.call("CreatePrincipal", request))
    assert error.reason == "ROLE_MISSING"
    request.command_id, request.roles[:] = command_id(), [types_pb2.PRINCIPAL_ROLE_FIRM]
    assert (await rejected(world.operator.call("CreatePrincipal", request))).field == "roles[0]"


async def test_a_token_for_another_service_is_refused(world: RegistryWorld) -> None:
    token = mint(world.operator.signer, "lifecycle", CLOCK.wall())
    with pytest.raises(Exception, match="not made for registry"):
        await world.stub.SearchFirms(
            pb.SearchFirmsRequest(), metadata=(("authorization", f"Bearer {token}"),)
        )


# --- bulk


def firm_row(firm: Firm, row: str = "") -> pb.PutManyRow:
    request = pb.RegisterFirmRequest(
        firm=encode(firm, pb.Firm), public_key=new_signer(firm.firm_id).public_key
    )
    return pb.PutManyRow(row=row, firm=request)


async def test_a_pool_over_one_stream(world: RegistryWorld) -> None:
    now = datetime.now(UTC)
    pool = example_pool(now.date(), now)
    rows = [
        *(pb.PutManyRow(product=encode(product, pb.Product)) for product in pool.products),
        *(firm_row(firm) for firm in pool.firms),
        *(pb.PutManyRow(node=encode(node, pb.Node)) for node in pool.nodes),
    ]
    answer = await world.association.put_many(*rows)
    assert (answer.kept_count, answer.refused_count) == (len(rows), 0)
    found = await world.operator.call(
        "SearchNodes", pb.SearchNodesRequest(min_revision=answer.revision)
    )
    assert [node.node_id for node in found.nodes] == sorted(node.node_id for node in pool.nodes)
    assert all(node.version == 1 for node in found.nodes)

    again = await world.association.put_many(*rows[-len(pool.nodes) :])
    assert (again.kept_count, again.revision) == (len(pool.nodes), "")


async def test_bad_rows_are_named_and_good_ones_kept(world: RegistryWorld) -> None:
    bad = replace(MILL, node_id="bad", locode="SXG")
    rows = [
        firm_row(FIRM, "firms.csv:2"),
        pb.PutManyRow(row="factories.csv:2", node=wire_node(MILL)),
        pb.PutManyRow(row="factories.csv:3", node=wire_node(bad)),
        pb.PutManyRow(node=wire_node(replace(MILL, node_id="lost", firm_id="nobody"))),
        pb.PutManyRow(),
        pb.PutManyRow(node=wire_node(replace(MILL, name="改名"))),
        firm_row(replace(FIRM, name_en="Renamed")),
        pb.PutManyRow(row="old", node=wire_node(replace(MILL, version=1))),
    ]
    answer = await world.association.put_many(*rows, chunk=3)
    assert (answer.kept_count, answer.refused_count) == (4, 4)
    told = [(error.row, error.reason, error.field) for error in answer.errors]
    assert told == [
        ("factories.csv:3", "MALFORMED_LOCODE", "node.locode"),
        ("4", "NOT_FOUND", "node.firm_id"),
        ("5", "MISSING_FIELD", "record"),
        ("old", "VERSION_CONFLICT", "node.version"),
    ]
    assert all(error.message_zh and error.hint_zh for error in answer.errors)
    node = await world.operator.call("GetNode", pb.GetNodeRequest(node_id="n"))
    assert (node.node.version, node.node.name) == (2, "改名")
    firm = await world.operator.call("GetFirm", pb.GetFirmRequest(firm_id="keqiao-a"))
    assert (firm.firm.version, firm.firm.name_en) == (2, "Renamed")


async def test_names_and_keys_are_unique_within_one_batch_too(world: RegistryWorld) -> None:
    cape = replace(PRODUCT, product_id="cape", aliases=("wrap",))
    stole = replace(PRODUCT, product_id="stole", aliases=("wrap",))
    same_key = firm_row(OTHER)
    same_key.firm.public_key = (one := firm_row(FIRM)).firm.public_key
    answer = await world.association.put_many(
        pb.PutManyRow(product=encode(cape, pb.Product)),
        pb.PutManyRow(product=encode(stole, pb.Product)),
        one,
        same_key,
    )
    assert answer.kept_count == 2
    assert [(error.row, error.reason) for error in answer.errors] == [
        ("2", "DUPLICATE"),
        ("4", "ALREADY_EXISTS"),
    ]


async def test_a_firm_sends_its_own_rows_only(world: RegistryWorld) -> None:
    user = await world.firm(FIRM)
    answer = await user.put_many(
        pb.PutManyRow(node=wire_node(MILL)),
        firm_row(OTHER),
        pb.PutManyRow(product=encode(PRODUCT, pb.Product)),
        firm_row(replace(FIRM, name_en="Mine")),
    )
    assert answer.kept_count == 2
    assert [error.reason for error in answer.errors] == ["NOT_YOURS", "ROLE_MISSING"]


# --- watch, faults


async def watched(world: RegistryWorld, count: int, after: str = "") -> list[str]:
    found: list[str] = []
    request = pb.WatchRegistryRequest(after_revision=after)
    versions = world.operator.client.watch(world.stub.WatchRegistry, request)
    async with aclosing(versions), asyncio.timeout(10):
        async for version in versions:
            kind = version.WhichOneof("record")
            record = getattr(version, kind)
            found.append(kind if kind == "caught_up" else f"{kind} {record.version}")
            if len(found) == count:
                break
    return found


async def test_watch_tells_what_is_current_then_what_happens(world: RegistryWorld) -> None:
    user = await world.firm(FIRM)
    await user.put(MILL)
    second = await user.put(replace(MILL, name="b"))
    watching = asyncio.create_task(watched(world, 4))
    await asyncio.sleep(0.3)
    await user.put(replace(MILL, name="c"))
    assert await watching == ["firm 2", "node 2", "caught_up", "node 3"]
    assert await watched(world, 2, second.revision) == ["node 3", "caught_up"]


async def test_the_read_model_survives_flushall(
    world: RegistryWorld, memory: redis.asyncio.Redis
) -> None:
    user = await world.firm(FIRM)
    answer = await user.put(MILL)
    for key in await memory.keys(f"*{world.zone}*"):
        await memory.delete(key)
    async with asyncio.timeout(5):
        got = await user.call(
            "GetNode", pb.GetNodeRequest(node_id="n", min_revision=answer.revision)
        )
    assert got.node.version == 1


async def test_a_second_registry_knows_what_the_first_wrote(
    world: RegistryWorld, memory: redis.asyncio.Redis
) -> None:
    user = await world.firm(FIRM)
    await user.put(MILL)
    async with running_registry(world.log, memory, world.zone) as second:
        same = second.user_of(user.signer)
        answer = await same.put(replace(MILL, name="x"))
        assert answer.node.version == 2
        answer = await user.put(replace(MILL, name="y"))
        assert answer.node.version == 3
        request = pb.PutNodeRequest(command_id="shared", node=wire_node(MILL))
        first = await same.call("PutNode", request)
        assert await user.call("PutNode", request) == first


async def test_a_corrupt_record_is_put_aside_once_and_stops_nobody(
    world: RegistryWorld, memory: redis.asyncio.Redis
) -> None:
    await world.log.publish(Write(subject_of(world.zone, Kind.NODE, "odd"), b"\xff\xff"))
    user = await world.firm(FIRM)
    assert (await user.put(MILL)).node.version == 1
    async with running_registry(world.log, memory, world.zone):
        letters = [letter async for letter in dead_letters(world.log, world.zone, "registry")]
    assert [letter.reason for letter in letters] == ["CORRUPT_PAYLOAD"]


async def test_roles_of_the_pool_are_those_of_the_contract(world: RegistryWorld) -> None:
    user = await world.firm(replace(FIRM, roles=tuple(Role)))
    last = await user.put(MILL)
    for number in types_pb2.Role.values()[1:]:
        answer = await user.call(
            "SearchFirms",
            pb.SearchFirmsRequest(role=number, min_revision=last.revision),
        )
        assert len(answer.firms) == 1
