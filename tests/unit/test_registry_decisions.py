from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianmeng.kernel.errors import Rejected, Status
from lianmeng.kernel.roles import PrincipalRole
from lianmeng.pool.firms import Firm, FirmState
from lianmeng.pool.keybook import KeyTable
from lianmeng.pool.nodes import NodeState
from lianmeng.registry import decisions
from lianmeng.registry.actors import Actor
from lianmeng.registry.crosschecks import CrossChecks
from lianmeng.registry.picture import Current, Kind, Picture
from tests.unit.test_pool_validation import FIRM, MILL, PRODUCT

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ACTIVE = replace(decisions.new_firm(FIRM), state=FirmState.ACTIVE)


def test_a_new_firm_waits_whatever_it_claims() -> None:
    claimed = replace(FIRM, state=FirmState.ACTIVE, version=9, reliability_bp=10_000)
    firm = decisions.new_firm(claimed)
    assert (firm.state, firm.version, firm.reliability_bp) == (FirmState.PENDING_VERIFICATION, 1, 0)


def test_an_update_keeps_what_is_the_platforms() -> None:
    current = replace(ACTIVE, reliability_bp=8_700)
    firm = decisions.next_firm(current, replace(FIRM, name_en="A", state=FirmState.WITHDRAWN))
    assert (firm.state, firm.version, firm.reliability_bp) == (FirmState.ACTIVE, 2, 8_700)
    assert firm.name_en == "A"


def test_a_new_identity_asks_for_a_new_verification() -> None:
    firm = decisions.next_firm(ACTIVE, replace(FIRM, name_zh="绍兴乙厂"))
    assert firm.state is FirmState.PENDING_VERIFICATION
    suspended = replace(ACTIVE, state=FirmState.SUSPENDED)
    assert decisions.next_firm(suspended, replace(FIRM, name_zh="绍兴乙厂")).state is (
        FirmState.SUSPENDED
    )


@pytest.mark.parametrize("edited", [0, 1])
def test_the_version_that_was_edited(edited: int) -> None:
    assert decisions.next_firm(ACTIVE, replace(FIRM, version=edited)).version == 2


def test_an_old_version_is_refused() -> None:
    with pytest.raises(Rejected, match="VERSION_CONFLICT") as caught:
        decisions.next_firm(replace(ACTIVE, version=5), replace(FIRM, version=4))
    assert caught.value.status is Status.ABORTED


@given(st.sampled_from(FirmState), st.sampled_from(FirmState))
def test_moves_between_states(before: FirmState, after: FirmState) -> None:
    firm = replace(ACTIVE, state=before)
    if after in decisions.FIRM_MOVES[before]:
        assert decisions.firm_in_state(firm, after, "x").state is after
    else:
        with pytest.raises(Rejected, match="WRONG_STATE"):
            decisions.firm_in_state(firm, after, "x")


def test_every_state_can_be_left_and_pending_is_never_set() -> None:
    assert decisions.FIRM_MOVES.keys() == set(FirmState)
    assert all(
        FirmState.PENDING_VERIFICATION not in moves for moves in decisions.FIRM_MOVES.values()
    )


def test_a_node_keeps_its_owner_and_its_state() -> None:
    first = decisions.next_node(None, MILL)
    assert (first.version, first.state) == (1, NodeState.ACTIVE)
    gone = decisions.node_in_state(first, NodeState.WITHDRAWN)
    edited = decisions.next_node(gone, replace(MILL, name="x"))
    assert (edited.version, edited.state) == (3, NodeState.WITHDRAWN)
    with pytest.raises(Rejected, match="NOT_YOURS"):
        decisions.next_node(first, replace(MILL, firm_id="other"))


def test_products_count_their_versions() -> None:
    first = decisions.next_product(None, PRODUCT)
    assert decisions.next_product(first, replace(PRODUCT, version=1)).version == 2
    with pytest.raises(Rejected, match="VERSION_CONFLICT"):
        decisions.next_product(None, replace(PRODUCT, version=1))


def test_keys_are_closed_never_deleted_and_one_stays_open() -> None:
    one = decisions.firm_principal("keqiao-a", "k-1", b"1" * 32, NOW)
    assert (one.roles, one.firm_id) == ((PrincipalRole.FIRM,), "keqiao-a")
    with pytest.raises(Rejected, match="last open key"):
        decisions.without_key(one, "k-1", NOW)
    two = decisions.with_key(one, "k-2", b"2" * 32, NOW)
    closed = decisions.without_key(two, "k-1", LATER)
    assert [key.key_id for key in closed.keys] == ["k-1", "k-2"]
    for key_id, reason in (("k-1", "closed already"), ("k-3", "NOT_FOUND")):
        with pytest.raises(Rejected, match=reason):
            decisions.without_key(closed, key_id, LATER)
    with pytest.raises(Rejected, match="ALREADY_EXISTS"):
        decisions.with_key(two, "k-2", b"2" * 32, NOW)


def test_the_key_table_judges_as_of_a_time() -> None:
    table = KeyTable()
    one = decisions.firm_principal("keqiao-a", "k-1", b"1" * 32, NOW)
    two = decisions.with_key(one, "k-2", b"2" * 32, NOW)
    table.apply(two)
    table.apply(decisions.without_key(two, "k-1", LATER))
    assert table.open_holder("k-1") is None
    assert table.open_holder("k-1", NOW) is not None
    assert table.open_holder("k-1", LATER) is None
    assert table.open_holder("k-2", LATER) is not None
    assert table.holder("k-1") is not None


def test_a_key_never_changes_its_principal() -> None:
    table = KeyTable()
    table.apply(decisions.firm_principal("keqiao-a", "k-1", b"1" * 32, NOW))
    table.apply(decisions.firm_principal("thief", "k-1", b"1" * 32, NOW))
    holder = table.open_holder("k-1")
    assert holder is not None
    assert holder.principal.principal_id == "keqiao-a"


def test_who_may_do_what() -> None:
    firm = Actor("keqiao-a", "keqiao-a", frozenset({PrincipalRole.FIRM}))
    association = Actor("assoc", "", frozenset({PrincipalRole.ASSOCIATION}))
    operator = Actor("op", "", frozenset({PrincipalRole.OPERATOR}))
    firm.require_firm("keqiao-a", "node", "n", "node")
    association.require_firm("keqiao-a", "node", "n", "node")
    with pytest.raises(Rejected, match="NOT_YOURS"):
        firm.require_firm("keqiao-b", "node", "n", "node")
    operator.require_self("keqiao-a", "principal_id")
    with pytest.raises(Rejected, match="NOT_YOURS"):
        association.require_self("keqiao-a", "principal_id")
    assert firm.sees_prices_of("keqiao-a")
    assert not firm.sees_prices_of("keqiao-b")
    assert not association.sees_prices_of("keqiao-a")
    assert operator.sees_prices_of("keqiao-a")


def current(kind: Kind, identity: str, sequence: int, **more: object) -> Current:
    return Current(kind, identity, sequence, **more)  # type: ignore[arg-type]


def test_the_picture_never_goes_back_and_forgets_old_names() -> None:
    picture = Picture()
    picture.apply(current(Kind.PRODUCT, "shawl", 5, unique=("shawl", "cape")), "assoc", "c1")
    picture.apply(current(Kind.PRODUCT, "shawl", 9, unique=("shawl", "wrap")), "assoc", "c2")
    picture.apply(current(Kind.PRODUCT, "shawl", 5, unique=("shawl", "cape")), "assoc", "c1")
    assert picture.holder(Kind.PRODUCT, "wrap") == "shawl"
    assert picture.holder(Kind.PRODUCT, "cape") == ""
    done = picture.command("assoc", "c1")
    assert done is not None
    assert done.sequence == 5
    assert picture.command("other", "c1") is None


def test_cross_checks() -> None:
    picture = Picture()
    others = CrossChecks(picture)
    picture.apply(current(Kind.FIRM, "a", 1, state="ACTIVE", uscc=FIRM.uscc))
    picture.apply(current(Kind.FIRM, "gone", 2, state="WITHDRAWN", uscc="x"))
    picture.apply(current(Kind.PRINCIPAL, "a", 3, unique=("k-1",)))
    picture.apply(current(Kind.PRODUCT, "cape", 4, unique=("cape", "wrap")))
    others.firm_takes_part("a", "node.firm_id")
    others.code_is_free(replace(FIRM, firm_id="a"))
    refusals: tuple[tuple[Callable[[], None], str], ...] = (
        (lambda: others.firm_takes_part("b", "f"), "NOT_FOUND"),
        (lambda: others.firm_takes_part("gone", "f"), "FIRM_NOT_ACTIVE"),
        (lambda: others.code_is_free(FIRM), "DUPLICATE"),
        (lambda: others.key_is_free("k-1", "f"), "ALREADY_EXISTS"),
        (lambda: others.principal_is_free("a", "f"), "ALREADY_EXISTS"),
        (lambda: others.terms_are_free(replace(PRODUCT, aliases=("wrap",))), "DUPLICATE"),
    )
    for check, reason in refusals:
        with pytest.raises(Rejected, match=reason):
            check()
    picture.apply(current(Kind.FIRM, "a", 9, state="SUSPENDED", uscc=FIRM.uscc))
    others.code_is_free(FIRM)


def test_a_firm_may_only_leave_by_itself() -> None:
    assert frozenset({FirmState.WITHDRAWN}) == decisions.OWN_MOVES
    assert isinstance(FIRM, Firm)
