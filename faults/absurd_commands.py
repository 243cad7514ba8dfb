"""Every command of the terminal, with absurd words behind each of its options."""

from __future__ import annotations

import os
import random
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.report import Asked, Report
from faults.scene import Scene
from faults.within import TooLongError, within

CALLS = 1_500  # at share 1
_SECONDS = 40  # of processor time, that a command may take
_LONGEST = 20_000  # letters of a complaint, which may quote one
_MOST_LINES = 4  # of complaint, where a request cannot be met

WORDS = (
    "", " ", "a\udcffb", "\u202egnp.", "\x1b[31m\x9bx\r\n", "x" * 5_000, "-1", "0", "1e300", "-1e-310", "nan",
    "inf", "1" * 400, "9223372036854775808", "0x10", "1,2", "[]", "{}", "true", "None", ".././..", ".",
    "~nobody/x", "**", "=1+1", "a=b", "--", "-", "@x", "%s{0}", "2020-13-45", "ü", "http://[::1",
    "fifo", "loop",
    "no/x", "device",
)  # fmt: skip

# Not tried, and why.
LEFT_OUT = {
    "demo": "takes minutes, and shows what it draws",
    "train": "takes minutes; its settings are those of `absurd_calls`",
}

# What a command needs beside, so that it comes as far as the option.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "search": ("cats/0.png",),
    "add": ("cats/0.png",),
    "similar": ("cats/0.png",),
    "cluster show": ("groups",),
    "cluster edit": ("groups", "--rename", "1=owls"),
    "cluster export": ("groups", "--to", "out.csv"),
    "export": ("out.csv",),
    "labels give": ("cats/0.png", "owl"),
    "labels remove": ("cats/0.png",),
    "map delete": ("map",),
    "remove": ("none",),
    "said export": ("said.jsonl",),
    "said import": ("said.jsonl",),
    "sets add": ("set", "cats/0.png"),
    "sets delete": ("set",),
    "sets remove": ("set", "cats/0.png"),
    "sets rename": ("set", "other"),
    "sets show": ("set",),
    "cluster delete": ("groups",),
    "map draw": ("map",),
    "reduce": ("2",),
}


@dataclass(frozen=True, slots=True)
class CommandDoor:
    """An option of a command, or its arguments.

    Attributes
    ----------
    command : str
    option : str
        How it is spelled; empty for what stands without one.
    takes_value : bool
    """

    command: str
    option: str
    takes_value: bool


def command_doors() -> list[CommandDoor]:
    """Return all options of all commands, from the table and the functions that the program parses by."""
    from lookalike.cli.command_group import load

    found: list[CommandDoor] = []
    for words, row in _commands():
        loaded = load("", row, lambda function: function)
        found.append(CommandDoor(words, "", True))
        for each in loaded.params:
            if each.param_type_name == "option":
                takes = not getattr(each, "is_flag", False)
                found += [CommandDoor(words, name, takes) for name in (*each.opts, *each.secondary_opts)]
    return found


def _commands() -> Iterator[tuple[str, Any]]:
    from lookalike.cli.commands import COMMANDS, Command

    for name, row in COMMANDS.items():
        if isinstance(row, Command):
            yield name, row
            continue
        for each, inner in row.commands.items():
            yield f"{name} {each}", inner
        if row.bare is not None:
            yield name, row.bare


def try_commands(asked: Asked, scene: Scene, report: Report) -> None:
    """Run commands, and write what was wrong to the report."""
    chance = random.Random(asked.seed)
    tried = [door for door in command_doors() if door.command.split()[0] not in LEFT_OUT]
    calls = [(door, word) for door in tried for word in (WORDS if door.takes_value else ("",))]
    chosen = chance.sample(calls, min(asked.of(CALLS), len(calls)))
    if asked.share >= 1:  # each option once at least
        there = {door for door, _ in chosen}
        chosen += [(door, chance.choice(WORDS)) for door in tried if door not in there]
    for door, word in chosen:
        wrong = try_command(door, word, scene)
        report.counts["command"] += 1
        if wrong:
            report.faults.append(f"lookalike {door.command} {door.option} {word[:40]!r}: {wrong}")


def try_command(door: CommandDoor, word: str, scene: Scene) -> str:
    """Run a command with one absurd word; return what was wrong, or nothing."""
    _strange(scene.photos)
    os.chdir(scene.photos)
    words = [*door.command.split(), *NEEDS.get(door.command, ())]
    if door.option:
        words.append(door.option)
    if door.takes_value:
        words.append(word)
    try:
        code, complaint = _run(words)
    finally:
        os.chdir("/")
        scene.renew()
    lines = [line for line in complaint.split("\n") if line.strip()]
    if "Traceback" in complaint or code not in (0, 1, 2):
        return f"exit code {code}: {complaint[-300:]}"
    if len(complaint) > _LONGEST:
        return f"a complaint of {len(complaint):,} letters"
    if code == 2 and not 1 <= len(lines) <= _MOST_LINES:
        return f"{len(lines)} lines of complaint: {complaint[:200]!r}"
    if "Warning" in complaint and "Warning:" in complaint:
        return f"a warning: {complaint[:200]!r}"
    return ""


def _strange(folder: Path) -> None:
    """Put things that are no files where words name them."""
    for name, make in (("fifo", os.mkfifo), ("loop", lambda place: os.symlink(place, place))):
        if not os.path.lexists(folder / name):
            make(folder / name)


def _run(words: list[str]) -> tuple[Any, str]:
    """Run the command line in this process; return the exit code, and what it said on standard error."""
    from lookalike.cli import main

    kept = [os.dup(number) for number in (0, 1, 2)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, open(os.devnull, "rb") as nothing:
        sys.stdout.flush()
        for number, stream in enumerate((nothing, out, err)):
            os.dup2(stream.fileno(), number)
        code: Any = 0
        before_it = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = (
            open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
            for number in (1, 2)
        )
        try:
            with within(_SECONDS):
                main(words)
        except SystemExit as left:
            code = left.code or 0
        except TooLongError:
            code = f"none within {_SECONDS} s of processor time"
        except BaseException:
            traceback.print_exc()
            code = "a traceback"
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            sys.stdout, sys.stderr = before_it
            for number, before in enumerate(kept):
                os.dup2(before, number)
                os.close(before)
        err.seek(0)
        return code, err.read().decode(errors="replace")
