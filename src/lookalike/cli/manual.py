"""The manual page, as ``man`` reads it, from what the commands say of themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from lookalike import __version__
from lookalike.cli.command_group import load
from lookalike.cli.commands import COMMANDS, Command, Group
from lookalike.cli.examples import EXAMPLES

_CODES = (
    ("0", "Done, also where some images could not be read."),
    ("1", "Done, but images could not be read and --strict was given; or a check found damage."),
    ("2", "The request cannot be met; one line says why, and what to do."),
    ("130", "Interrupted; what was done is kept."),
    ("141", "Nobody reads the output on."),
)


def manual_page() -> str:
    """Return the whole page: all commands with their options and examples."""
    lines = [
        f'.TH LOOKALIKE 1 "" "lookalike {__version__}"',
        ".SH NAME",
        r"lookalike \- finds look-alikes, groups and duplicates among images",
        ".SH SYNOPSIS",
        r"\fBlookalike\fR \fICOMMAND\fR [\fIOPTIONS\fR] [\fIFOLDER\fR]",
        ".SH DESCRIPTION",
        "A folder among the words is the collection; a file or URL without a command is a search.",
        ".SH COMMANDS",
    ]
    for words, row in all_commands(COMMANDS):
        lines += _command(words, row)
    lines.append(".SH EXIT STATUS")
    for code, told in _CODES:
        lines += [".TP", rf"\fB{code}\fR", _text(told)]
    return "\n".join(lines) + "\n"


def all_commands(rows: Mapping[str, Command | Group], before: str = "") -> Iterator[tuple[str, Command]]:
    """Give all commands with the words that name them, groups opened."""
    for name, row in rows.items():
        if isinstance(row, Command):
            yield f"{before}{name}", row
        else:
            yield from all_commands(row.commands, f"{before}{name} ")


def _command(words: str, row: Command) -> Iterator[str]:
    command = load(words.rpartition(" ")[2], row, lambda function: function)
    arguments = " ".join(str(each.metavar) for each in command.params if each.param_type_name == "argument")
    yield f'.SS "lookalike {words} {_text(arguments)}"'
    for number, paragraph in enumerate(inspect.cleandoc(command.help or "").split("\n\n")):
        if number:
            yield ".PP"
        yield _text(" ".join(paragraph.split()))
    for each in command.params:
        yield from _parameter(each)
    yield from (".PP", "For example:", ".nf")
    yield from (_text(f"    lookalike {each}") for each in EXAMPLES.get(row.home, ()))
    yield ".fi"


def _parameter(parameter: Any) -> Iterator[str]:
    is_option = parameter.param_type_name == "option"
    names = ", ".join((*parameter.opts, *parameter.secondary_opts)) if is_option else ""
    takes = "" if is_option and parameter.is_flag else str(parameter.metavar)
    if parameter.help:
        yield from (".TP", rf"\fB{_text(names)}\fR \fI{_text(takes)}\fR".strip(), _text(parameter.help))


def _text(words: str) -> str:
    r"""Return words as they are set: what troff would take for its own is escaped.

    >>> print(_text(".lookalike -k"))
    \&.lookalike \-k
    """
    words = words.replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq")
    return rf"\&{words}" if words.startswith((".", "'")) else words
