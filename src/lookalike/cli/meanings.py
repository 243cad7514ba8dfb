"""What people mean by words that are no command: other programs call things otherwise.

The words stand beside the commands that do it, in `commands`; here is what no single command does.
"""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Collection, Mapping
from types import MappingProxyType

from lookalike.cli.commands import COMMANDS, Command, Group

_WINDOW = (
    "there is no window: `lookalike search IMAGE --plot found.png` draws what is found, `lookalike map -o"
    " map.png` a map, `lookalike demo FOLDER` leaves a page of a folder"
)
_SETTINGS = (
    "there are no settings but a collection's: `lookalike info` shows them, `lookalike index --exclude GLOB`,"
    " `lookalike index --labels KIND` and `lookalike models --default NAME` change them"
)
_GONE = (
    "`lookalike index` lets go of files that are gone, `lookalike index --exclude GLOB` of some that are"
    " there, `lookalike remove KEY` of what was added; files themselves are never deleted"
)
_FILES = "files stay where they are: `lookalike search IMAGE -f` prints paths, for `xargs`"

ELSEWHERE: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        ("gui", "ui", "app", "serve", "server", "web", "window", "open", "view", "browser"), _WINDOW
    )
    | dict.fromkeys(
        ("config", "configure", "settings", "set", "options", "preferences", "exclude"), _SETTINGS
    )
    | dict.fromkeys(("delete", "rm", "del", "forget", "drop", "prune", "clean", "purge", "unindex"), _GONE)
    | dict.fromkeys(("organize", "organise", "rename", "mv"), _FILES)
)
"""What is said of words that mean something which is done otherwise."""

_MANY = "--top"
_CUT_OFF = "how like a hit has to be is said with --min-score, and how likely with --min-probability"
_OPTIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    dict.fromkeys(
        ("-n", "--n", "--limit", "--count", "--num", "--max", "--max-results", "--results"),
        (_MANY, "how many is said with -k"),
    )
    | dict.fromkeys(
        ("--threshold", "--min-similarity", "--similarity", "--cutoff", "--max-distance"),
        ("--min-score", _CUT_OFF),
    )
    | dict.fromkeys(("--out", "--save", "--to", "--csv", "--html"), ("--output", "a file is said with -o"))
)
"""What is meant by options that are none, where a command has the one that stands first."""

_LIKE = 0.75  # how alike a slip of the pen is to what was meant, 0 to 1


def explain(word: str, rows: Mapping[str, Command | Group], path: str) -> str:
    """Say that there is no such command, and which one is meant.

    Parameters
    ----------
    word : str
        What was typed.
    rows : mapping
        The commands that it could have been.
    path : str
        What stands before it, as in ``lookalike cluster``.
    """
    is_first = rows is COMMANDS
    said = f"No such command {word!r}"
    if os.path.isdir(word):
        folder = shlex.quote(word)
        if is_first:
            return (
                f"{word} is a folder, and no command: `lookalike index {folder}` makes it searchable,"
                f" `lookalike list {folder}` then lists its images"
            )
        line = f"{path} {next(iter(rows))} {folder}"
        return f"{word} is a folder, and no command: it goes behind one, as in `{line}`"
    meant = _meant(word.lower(), rows, path, is_first)
    if meant:
        return f"{said}; {meant}"
    if not is_first and os.path.splitext(word)[1]:
        return f"{said}; a file to be written goes behind -o"
    if is_first and " " in word.strip():
        return f"{said}; for words: `lookalike search {shlex.quote(word)}`"
    matches = difflib.get_close_matches(word, rows, cutoff=_LIKE)
    if matches:
        return f"{said}. Did you mean {', '.join(map(repr, matches))}?"
    others = [*_synonyms(rows), *(ELSEWHERE if is_first else ())]
    (close,) = difflib.get_close_matches(word.lower(), others, 1, cutoff=_LIKE) or [""]
    return f"{said}; {_meant(close, rows, path, is_first)}" if close else said


def explain_option(name: str, options: Collection[str]) -> str:
    """Say what is meant by an option that a command does not have; nothing if that is not known.

    >>> explain_option("--limit", ["--top", "--output"])
    'how many is said with -k'
    """
    needed, meant = _OPTIONS.get(name, ("", ""))
    return meant if needed in options else ""


def _meant(word: str, rows: Mapping[str, Command | Group], path: str, is_first: bool) -> str:
    """Say what is meant by a word; nothing if that is not known."""
    commands = [f"`{path} {name}`" for name in _synonyms(rows).get(word, ())]
    if commands:
        return f"that is {' or '.join(commands)} here"
    if is_first:
        return ELSEWHERE.get(word, "")
    return f"that is `lookalike {word}`" if word in COMMANDS else ""


def _synonyms(rows: Mapping[str, Command | Group]) -> dict[str, list[str]]:
    """Return the names of commands by the words that other programs have for them."""
    found: dict[str, list[str]] = {}
    for name, row in rows.items():
        for word in row.also.split():
            found.setdefault(word, []).append(name)
    return found
