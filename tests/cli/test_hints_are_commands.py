"""What a hint tells to type can be typed: the command is there, and takes these options."""

import re
import runpy
from pathlib import Path

import pytest

from lookalike.cli.command_group import load
from lookalike.cli.commands import COMMANDS, Command
from lookalike.cli.hints import COMMANDS as HINTS

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "scripts/write_command_line.py"))
TOLD = sorted({line for words in HINTS.values() for line in re.findall(r"`(lookalike [^`]*)`", words)})


def test_some_hints_name_commands():
    assert len(TOLD) > 10


@pytest.mark.parametrize("line", TOLD)
def test_the_command_of_a_hint_is_there_and_takes_its_options(line):
    _, first, *rest = line.split()
    row = COMMANDS[first]
    if not isinstance(row, Command):
        name = rest[0] if rest and rest[0] in row.commands else None
        row = row.commands[name] if name else row.bare
    options = {each for parameter in load("", row, lambda command: command).params for each in parameter.opts}
    assert set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", " ".join(rest))) <= options
