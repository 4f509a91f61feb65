"""Codes of public standards: whether a code is well formed, and what to do if it is not.

Each `require_…` returns the code that is to be stored, or raises `Rejected` with the path of the
field and a hint. The lists are those of what the platform serves, not whole standards, except
for ISO 3166-1.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.money import EXPONENTS, unknown_currency

MARKETS: Mapping[str, str] = {
    "TH": "THB", "VN": "VND", "ID": "IDR", "MY": "MYR", "SG": "SGD", "PH": "PHP", "US": "USD",
    "DE": "EUR", "FR": "EUR", "GB": "GBP", "ES": "EUR", "BR": "BRL", "SA": "SAR", "AE": "AED",
    "JP": "JPY", "KR": "KRW",
}  # fmt: skip
"""ISO 3166-1 alpha-2 code of each market served → ISO 4217 code of its currency."""

UNITS: Mapping[str, str] = {"H87": "piece", "MTR": "metre", "NPR": "pair", "KGM": "kilogram"}
"""UN/ECE Rec 20 units in which goods are counted → name."""

CUSTOMS_MODES = ("9610", "9710", "9810", "1210", "0110", "1039")
"""Chinese customs supervision modes that a lane may use."""

INCOTERMS = ("EXW", "FCA", "CPT", "CIP", "DAP", "DPU", "DDP", "FAS", "FOB", "CFR", "CIF")
"""Incoterms 2020."""

BATTERY_CLASSES = ("UN3480", "UN3481", "UN3090", "UN3091")
"""UN numbers of lithium batteries, alone and with equipment."""

SEA_ALIASES: Mapping[str, str] = {"CNNGB": "CNNBG", "IDTPP": "IDJKT"}
"""What carriers write for a sea port → its code here. CNNGB is Ningbo's *airport* elsewhere."""

COUNTRIES = frozenset(
    re.findall(
        r"[A-Z]{2}",
        """AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ
    BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO
    DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU
    GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW
    KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU
    MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF
    TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA
    ZM ZW""",
    )
)
"""ISO 3166-1 alpha-2 codes."""

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100: digits and capitals without I, O, S, V, Z."""

_USCC = re.compile(rf"[{USCC_ALPHABET}]{{2}}[0-9]{{6}}[{USCC_ALPHABET}]{{9}}")
_LOCODE = re.compile(r"[A-Z]{2}[A-Z2-9]{3}")
_HS6 = re.compile(r"[0-9]{6}")
_DIVISION = re.compile(r"[1-8][0-9]{5}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?")


def uscc_check_character(body: str) -> str:
    """The 18th character of a 统一社会信用代码 whose first 17 are `body` (GB 32100).

    Raises `ValueError` for characters outside of the alphabet.
    """
    total = sum(USCC_ALPHABET.index(char) * pow(3, i, 31) for i, char in enumerate(body))
    return USCC_ALPHABET[-total % 31]


def require_uscc(value: str, field: str) -> str:
    """`value`, if it is a 统一社会信用代码 with the right check character."""
    if len(value) != 18 or not _USCC.fullmatch(value[:17]):
        raise _uscc_rejected(
            field,
            f"{value[:24]!r} is not a unified social credit code",
            f"{value[:24]!r} 不是统一社会信用代码",
            "write 18 characters: 2, then 6 digits of the division, then 10; no I, O, S, V, Z",
            "请填 18 位：前 2 位，6 位数字的行政区划，后 10 位；不含 I、O、S、V、Z",
        )
    wanted = uscc_check_character(value[:17])
    if value[17] != wanted:
        raise _uscc_rejected(
            field,
            f"the check character of {value!r} is wrong",
            f"{value!r} 的校验码不对",
            f"the last character should be {wanted}, or another character is mistyped",
            f"最后一位应为 {wanted}，或者前面有一位打错了",
        )
    return value


def _uscc_rejected(field: str, message: str, message_zh: str, hint: str, hint_zh: str) -> Rejected:
    return Rejected(
        reason="USCC_CHECK_CHARACTER",
        field=field,
        message=message,
        hint=hint,
        message_zh=message_zh,
        hint_zh=hint_zh,
    )


def require_hs6(value: str, field: str) -> str:
    """`value`, if it is six digits in a chapter of the Harmonized System (01 to 97, not 77)."""
    if _HS6.fullmatch(value) and 1 <= int(value[:2]) <= 97 and value[:2] != "77":
        return value
    raise Rejected(
        reason="MALFORMED_HS6",
        field=field,
        message=f"{value[:16]!r} is not an HS6 code",
        hint="write the first six digits of the HS code, such as 621430",
        message_zh=f"{value[:16]!r} 不是 HS 六位编码",
        hint_zh="请填 HS 编码的前六位数字，例如 621430",
    )


def require_locode(value: str, field: str, *, by_sea: bool = False) -> str:
    """`value`, if it has the form of a UN/LOCODE; `by_sea` replaces carriers' aliases of ports."""
    if _LOCODE.fullmatch(value) and value[:2] in COUNTRIES:
        return SEA_ALIASES.get(value, value) if by_sea else value
    raise Rejected(
        reason="MALFORMED_LOCODE",
        field=field,
        message=f"{value[:16]!r} is not a UN/LOCODE",
        hint="write the country's two letters and the place's three, such as CNNBG or THBKK",
        message_zh=f"{value[:16]!r} 不是联合国口岸代码 (UN/LOCODE)",
        hint_zh="请填两位国家代码加三位地点代码，例如 CNNBG、THBKK",
    )


def require_division(value: str, field: str) -> str:
    """`value`, if it has the form of a GB/T 2260 division: six digits."""
    if _DIVISION.fullmatch(value):
        return value
    raise Rejected(
        reason="MALFORMED_VALUE",
        field=field,
        message=f"{value[:16]!r} is not a GB/T 2260 division",
        hint="write six digits, such as 330603 for 绍兴柯桥",
        message_zh=f"{value[:16]!r} 不是行政区划代码 (GB/T 2260)",
        hint_zh="请填六位数字，例如绍兴柯桥 330603",
    )


def require_market(value: str, field: str) -> str:
    """`value`, if it is a market that the platform serves."""
    return _one_of(value, MARKETS, field, "UNKNOWN_MARKET", ("a market served", "可服务的市场"))


def require_currency(value: str, field: str) -> str:
    """`value`, if it is a currency that the platform knows."""
    if value in EXPONENTS:
        return value
    raise unknown_currency(value, field)


def require_unit(value: str, field: str) -> str:
    """`value`, if goods are counted in it."""
    return _one_of(value, UNITS, field, "UNKNOWN_UNIT", ("a unit of goods", "货物计量单位"))


def require_customs_mode(value: str, field: str) -> str:
    """`value`, if it is a customs supervision mode known here."""
    words = ("a customs mode", "海关监管方式")
    return _one_of(value, CUSTOMS_MODES, field, "MALFORMED_VALUE", words)


def require_incoterm(value: str, field: str) -> str:
    """`value`, if it is a term of Incoterms 2020."""
    words = ("an Incoterms 2020 term", "Incoterms 2020 术语")
    return _one_of(value, INCOTERMS, field, "MALFORMED_VALUE", words)


def require_battery_class(value: str, field: str) -> str:
    """`value`, if it is the UN number of a lithium battery."""
    words = ("a lithium battery's UN number", "锂电池 UN 编号")
    return _one_of(value, BATTERY_CLASSES, field, "MALFORMED_VALUE", words)


def require_language(value: str, field: str) -> str:
    """`value`, if it has the form of a BCP 47 tag: language, script, region."""
    if _LANGUAGE.fullmatch(value):
        return value
    raise Rejected(
        reason="MALFORMED_VALUE",
        field=field,
        message=f"{value[:16]!r} is not a language tag",
        hint="write a BCP 47 tag, such as th, pt-BR or zh-Hans",
        message_zh=f"{value[:16]!r} 不是语言代码",
        hint_zh="请填 BCP 47 语言代码，例如 th、pt-BR、zh-Hans",
    )


def _one_of(
    value: str, known: Collection[str], field: str, reason: str, words: tuple[str, str]
) -> str:
    if value in known:
        return value
    raise Rejected(
        reason=reason,
        field=field,
        message=f"{value[:16]!r} is not {words[0]}",
        hint="use one of " + ", ".join(known),
        message_zh=f"{value[:16]!r} 不是{words[1]}",
        hint_zh="请用：" + "、".join(known),
    )
