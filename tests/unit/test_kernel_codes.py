from __future__ import annotations

import csv
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianmeng.kernel import codes
from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.money import EXPONENTS
from lianmeng.kernel.personal_data import refuse_personal_data

DATA = files("lianmeng.world") / "data"

bodies = st.builds(
    lambda head, division, rest: head + division + rest,
    st.text(codes.USCC_ALPHABET, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(codes.USCC_ALPHABET, min_size=9, max_size=9),
)


def test_the_example_of_the_standard() -> None:
    assert codes.require_uscc("91350100M000100Y43", "uscc") == "91350100M000100Y43"


def test_a_wrong_check_character_is_refused_with_the_right_one() -> None:
    with pytest.raises(Rejected) as caught:
        codes.require_uscc("91330621MA2D5E7X1K", "firm.uscc")
    assert caught.value.reason == "USCC_CHECK_CHARACTER"
    assert caught.value.field == "firm.uscc"
    assert "should be 6" in caught.value.hint
    assert "6" in caught.value.hint_zh


@given(bodies)
def test_every_body_has_one_check_character(body: str) -> None:
    right = codes.uscc_check_character(body)
    for char in codes.USCC_ALPHABET:
        if char == right:
            assert codes.require_uscc(body + char, "uscc") == body + char
        else:
            with pytest.raises(Rejected):
                codes.require_uscc(body + char, "uscc")


@given(bodies, st.integers(0, 16), st.sampled_from(codes.USCC_ALPHABET))
def test_one_mistyped_character_is_always_found(body: str, place: int, char: str) -> None:
    code = body + codes.uscc_check_character(body)
    typo = code[:place] + char + code[place + 1 :]
    if typo != code:
        with pytest.raises(Rejected):
            codes.require_uscc(typo, "uscc")


@pytest.mark.parametrize(
    "code", ["", "9133", "91330621ma2d5e7x16", "9133O621MA2D5E7X16", "九" * 18]
)
def test_malformed_codes_of_firms(code: str) -> None:
    with pytest.raises(Rejected, match="USCC_CHECK_CHARACTER"):
        codes.require_uscc(code, "uscc")


@pytest.mark.parametrize("code", ["621430", "010121", "970600"])
def test_hs6(code: str) -> None:
    assert codes.require_hs6(code, "hs6") == code


@pytest.mark.parametrize(
    "code", ["62143", "6214300", "62143x", "６２１４３０", "007000", "770000", "980000"]
)
def test_malformed_hs6(code: str) -> None:
    with pytest.raises(Rejected, match="MALFORMED_HS6"):
        codes.require_hs6(code, "hs6")


def test_ningbo_port_by_its_airports_code_is_an_alias_at_sea_only() -> None:
    assert codes.require_locode("CNNGB", "origin", by_sea=True) == "CNNBG"
    assert codes.require_locode("CNNGB", "origin") == "CNNGB"
    assert codes.require_locode("CNNBG", "origin", by_sea=True) == "CNNBG"


@pytest.mark.parametrize("code", ["CNNB", "cnnbg", "XXNBG", "CN1BG", "CNNBGX", ""])
def test_malformed_locodes(code: str) -> None:
    with pytest.raises(Rejected, match="MALFORMED_LOCODE"):
        codes.require_locode(code, "origin")


@pytest.mark.parametrize("tag", ["th", "pt-BR", "zh-Hans", "zh-Hans-CN", "fil", "es-419"])
def test_languages(tag: str) -> None:
    assert codes.require_language(tag, "languages") == tag


@pytest.mark.parametrize("tag", ["", "TH", "english", "pt_BR", "pt-br"])
def test_malformed_languages(tag: str) -> None:
    with pytest.raises(Rejected):
        codes.require_language(tag, "languages")


def test_the_markets_are_those_of_the_table() -> None:
    with (DATA / "markets.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert dict(codes.MARKETS) == {row["iso2"]: row["currency"] for row in rows}
    for row in rows:
        assert EXPONENTS[row["currency"]] == int(row["iso4217_exponent"])


def test_the_codes_of_the_tables_are_well_formed() -> None:
    with (DATA / "locations.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            codes.require_locode(row["locode"], "locode")
    with (DATA / "hs6_used.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            codes.require_hs6(row["hs6"], "hs6")
    with (DATA / "gbt2260_zhejiang.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            codes.require_division(row["code"], "division")
    with (DATA / "customs_modes.csv").open(encoding="utf-8") as lines:
        assert {next(iter(row.values())) for row in csv.DictReader(lines)} == set(
            codes.CUSTOMS_MODES
        )


@pytest.mark.parametrize(
    "text",
    [
        "联系人 13857512345",
        "call +86 138-5751-2345",
        "0575-84123456",
        "+66 81 234 5678",
        "330621199001011234",
        "33062119900101123X",
        "sales@mill.example",
    ],
)
def test_personal_data_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(Rejected, match="PERSONAL_DATA") as caught:
        refuse_personal_data(text, "firm.name_zh")
    assert text not in str(caught.value)
    assert text not in caught.value.message_zh


@pytest.mark.parametrize(
    "text",
    [
        "绍兴柯桥锦绣围巾厂",
        "GRS-2025-004417",
        "Shaoxing Mill No. 138",
        "2026-03-02",
        "91350100M000100Y43",
    ],
)
def test_ordinary_text_passes(text: str) -> None:
    assert refuse_personal_data(text, "name") == text
