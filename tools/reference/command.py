"""The page of the command line, from the command itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from inspect import cleandoc
from textwrap import dedent
from typing import Any

import typer.main

from lianmeng.cli.main import app
from tools.reference.markdown import CODE, code, page, prose, table

# The types of commands and parameters are private to typer; what is read of them is not.
Command = Any
Parameter = Any

COMMON = 10
"""Commands that have an option, from which on it is told once for all."""


def command_page() -> str:
    """Every command with its arguments and options."""
    root: Command = typer.main.get_command(app)
    found = list(walk("lianmeng", root))
    common = _common(command for _, command in found)
    return page(
        "The command line",
        [f"{CODE}/cli/"],
        "Options that many commands have are told here, and not again below.",
        _table(common.values()),
        *(_about(path, command, common.keys()) for path, command in found),
    )


def _common(found: Iterable[Command]) -> dict[tuple[object, ...], Parameter]:
    """Options that mean the same in most commands, by what they say."""
    options = [one for command in found for one in command.params if one.opts[0].startswith("-")]
    uses = Counter(_said(one) for one in options)
    return {_said(one): one for one in options if uses[_said(one)] >= COMMON}


def _said(one: Parameter) -> tuple[object, ...]:
    return (*one.opts, one.help, str(one.default), one.required)


def walk(path: str, command: Command) -> Iterator[tuple[str, Command]]:
    """A command and all below it, each with the words that call it."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        if not below.hidden:
            yield from walk(f"{path} {name}", below)


def commands() -> dict[str, frozenset[str]]:
    """Words that call a command → the options that it takes."""
    root: Command = typer.main.get_command(app)
    return {
        path: frozenset(
            option for one in command.params for option in (*one.opts, *one.secondary_opts)
        )
        for path, command in walk("lianmeng", root)
    }


def _about(path: str, command: Command, common: Collection[tuple[object, ...]]) -> str:
    below = getattr(command, "commands", {})
    usage = [path, *(_in_usage(one) for one in command.params)]
    if below:
        usage.append("COMMAND ...")
    blocks = [
        f"## {path}",
        *_help(command.help or ""),
        f"```\n{' '.join(usage)}\n```",
        _table(one for one in command.params if _said(one) not in common),
    ]
    return "\n\n".join(block for block in blocks if block)


def _help(text: str) -> Iterator[str]:
    """The paragraphs of a help text; examples in code type."""
    for paragraph in cleandoc(text).split("\n\n"):
        example = paragraph.startswith((" ", "lianmeng ", "export "))
        yield f"```sh\n{dedent(paragraph)}\n```" if example else prose(paragraph)


def _in_usage(one: Parameter) -> str:
    if one.opts[0].startswith("-"):
        word = one.opts[0] if one.is_flag else f"{one.opts[0]} {_metavar(one)}"
        return word if one.required else f"[{word}]"
    word = _metavar(one) + ("..." if one.nargs == -1 else "")
    return word if one.required else f"[{word}]"


def _metavar(one: Parameter) -> str:
    return str(one.metavar or one.name).upper().strip("[]")


def _table(parameters: Iterable[Parameter]) -> str:
    rows = [(_spelled(one), _default(one), one.help or "") for one in parameters]
    return table(("argument or option", "default", "meaning"), rows) if rows else ""


def _spelled(one: Parameter) -> str:
    if not one.opts[0].startswith("-"):
        return code(_metavar(one))
    words = ", ".join(code(word) for word in (*one.opts, *one.secondary_opts))
    return f"{words} (or `{one.envvar}` in the environment)" if one.envvar else words


def _default(one: Parameter) -> str:
    if one.required:
        return "needed"
    shown = one.default is not None and not callable(one.default) and one.default not in (False, ())
    return code(one.default) if shown else ""
