"""Words of the command line ↔ enum values of the contract."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lianmeng.cli.failures import usage
from lianmeng.v1 import types_pb2

Enum = Any
"""An enum of the generated code; its values are numbers of a type of their own."""


def words_of(kind: Enum) -> dict[str, Any]:
    """Word → number of an enum, without its first value, which means "not set"."""
    prefix = kind.keys()[0].removesuffix("UNSPECIFIED")
    return {name.removeprefix(prefix).lower(): number for name, number in kind.items() if number}


def choice(kind: Enum, word: str, option: str) -> Any:
    """The number that a word of `option` stands for; 0 for the empty word. Raises `Rejected`."""
    known = words_of(kind)
    number = known.get(word.lower().replace("-", "_"))
    if word and number is None:
        names = ", ".join(known)
        raise usage(
            option, f"{word!r} is not one of the choices", f"use one of {names}",
            f"{word!r} 不在可选项中", f"可选：{names}",
        )  # fmt: skip
    return number or 0


def role_words(numbers: Iterable[int]) -> str:
    """Roles of a member in words."""
    words = {number: word for word, number in words_of(types_pb2.Role).items()}
    return ", ".join(words[number].replace("_", " ") for number in numbers)
