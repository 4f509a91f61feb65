"""Names and codes of demo firms: invented, unique, and recognisable as such.

Their 统一社会信用代码 are valid but carry the division 3399xx, which does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from random import Random

from lianmeng.kernel.codes import USCC_ALPHABET, uscc_check_character

FICTIONAL_DIVISION = "3399"
"""First four digits of the division in demo codes."""

FIRST = {
    "云": "yun", "锦": "jin", "蓝": "lan", "青": "qing", "禾": "he", "川": "chuan", "柏": "bai",
    "瑞": "rui", "沐": "mu", "晨": "chen", "竹": "zhu", "溪": "xi", "宁": "ning", "海": "hai",
    "松": "song", "遥": "yao", "乔": "qiao", "映": "ying", "初": "chu", "柔": "rou",
}  # fmt: skip
"""First characters of brands, with their readings."""

SECOND = {
    "帆": "fan", "舟": "zhou", "澜": "lan", "木": "mu", "丰": "feng", "泽": "ze", "原": "yuan",
    "织": "zhi", "野": "ye", "谷": "gu", "星": "xing", "辰": "chen", "朗": "lang", "山": "shan",
    "月": "yue", "禧": "xi", "林": "lin", "庭": "ting", "白": "bai", "石": "shi",
}  # fmt: skip
"""Second characters of brands, with their readings."""

_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ALL_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand of two characters and its slug."""

    zh: str
    slug: str

    @property
    def title(self) -> str:
        """The slug as a name: `Yunfan`."""
        return self.slug.capitalize()


def brands(rng: Random) -> Iterator[Brand]:
    """Invented brands in seeded order; no slug comes twice. Several hundred, then it ends."""
    pairs = list(product(FIRST, SECOND))
    rng.shuffle(pairs)
    seen: set[str] = set()
    for first, second in pairs:
        slug = FIRST[first] + SECOND[second]
        if slug not in seen:
            seen.add(slug)
            yield Brand(first + second, slug)


def demo_uscc(number: int, district: int) -> str:
    """A valid code for the firm of that number; `district` (0 to 99) ends its division."""
    rng = Random(number)
    organisation = "MA" + "".join(rng.choice(USCC_ALPHABET) for _ in range(2)) + _base(number)
    organisation += _organisation_check(organisation)
    body = f"91{FICTIONAL_DIVISION}{district:02d}{organisation}"
    return body + uscc_check_character(body)


def _base(number: int) -> str:
    """Four characters that differ for each number below 31⁴."""
    digits = ""
    for _ in range(4):
        number, rest = divmod(number, len(USCC_ALPHABET))
        digits = USCC_ALPHABET[rest] + digits
    return digits


def _organisation_check(code: str) -> str:
    """The check character of a Chinese organisation code (GB 11714)."""
    pairs = zip(code, _ORGANISATION_WEIGHTS, strict=True)
    value = -sum(_ALL_CHARACTERS.index(char) * weight for char, weight in pairs) % 11
    return "X" if value == 10 else str(value)
