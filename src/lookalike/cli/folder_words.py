"""A folder among the words of a command is the collection, or the part of it that is meant.

``lookalike cluster photos`` is ``lookalike cluster -c photos``; ``lookalike list photos/2019``, of the
collection in ``photos``, is ``lookalike list -c photos --in photos/2019``. Files stay what they are, and so
does a folder where a command takes one: what is indexed, where a copy goes.
"""

from __future__ import annotations

import copy
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lookalike.cli.console import relative
from lookalike.errors import CollectionConflictError

_COLLECTION = "--collection"
_PART = "--in"
_WORDS = "--words"
_OF_IMAGES = frozenset({"QUERY", "IMAGE"})  # among which a folder is none
_KEPT = frozenset({"PATH", "SOURCE"})  # which may be folders
_MADE = frozenset({"OUT", "DEST"})  # which may be folders, but none that hold a collection


def name_collection(command: Any, ctx: Any, args: list[str]) -> list[str]:
    """Return the words with the folders among them behind the options that they stand for.

    Parameters
    ----------
    command : typer's command
    ctx : its context
    args : list of str
        What was typed behind its name.

    Raises
    ------
    CollectionConflictError
        If a folder is a part of a collection, and the command is about all of it.
    """
    options = {name for each in command.params for name in each.opts}
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    if _COLLECTION not in options or any(each.metavar in _KEPT for each in arguments):
        return args
    given, words = _read(command, ctx, args)
    if given.get("each"):  # of which each folder is many queries
        return args
    is_named = given.get("collection") is not None
    moved: list[str] = []
    while (word := _folder_among(words, arguments, is_named)) is not None:
        if not is_named and _holds_collection(word):
            moved += [_COLLECTION, word]
            is_named = True
        else:
            around = None if is_named else _find(word)
            if around is None and not is_named and _find(".") is None:
                moved += [_COLLECTION, word]  # which says that there is none
                is_named = True
            elif _PART in options:
                moved += [_PART, word]
                if _WORDS in options:
                    _say_what_wins(word)
                if around is not None and around != _find("."):
                    moved += [_COLLECTION, relative(str(around.parent))]
                    is_named = True
            else:
                raise _is_a_part(ctx.command_path, word, around)
        args = _without(command, ctx, args, word)
        words = _read(command, ctx, args)[1]
    return [*moved, *args]


def _say_what_wins(word: str) -> None:
    from lookalike.cli.queries import say_what_wins  # only where there is a folder, for it takes its time

    say_what_wins(word, "folder")


def _is_a_part(command: str, word: str, around: Path | None) -> CollectionConflictError:
    of = "a collection" if around is None else f"the collection in {relative(str(around.parent))}"
    return CollectionConflictError(
        f"{word} is a folder of {of}, and `{command.strip()}` is about all of it; leave it out, or list its"
        f" images: `lookalike list {shlex.quote(word)}`"
    )


def _folder_among(words: Sequence[str], arguments: Sequence[Any], is_named: bool) -> str | None:
    """Return the first word that is a folder, where the command takes none; a collection's goes first."""
    if len(words) <= sum(each.required for each in arguments):
        return None
    fixed = [each for each in arguments if each.nargs == 1]
    several = [each for each in arguments if each.nargs != 1]
    collections = [word for word in words if not is_named and _holds_collection(word)]
    if several:
        is_made = bool(fixed) and fixed[0].metavar in _MADE
        behind = words[len(fixed) :]
        found = [word for word in collections if word in (words if is_made else behind)]
        if several[0].metavar in _OF_IMAGES:
            found += [word for word in behind if os.path.isdir(word)]
    elif len(words) > len(fixed):
        found = collections or [word for word in words if os.path.isdir(word)]
    else:
        found = collections
    return found[0] if found else None


def _read(command: Any, ctx: Any, args: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the options that were given, and all other words in their order."""
    bare = copy.copy(command)
    bare.params = [each for each in command.params if each.param_type_name == "option"]
    given, words, _ = bare.make_parser(ctx).parse_args(args=list(args))
    return given, words


def _without(command: Any, ctx: Any, args: list[str], word: str) -> list[str]:
    """Return what was typed without a word, which may be an option's value elsewhere."""
    given, words = _read(command, ctx, args)
    words.remove(word)
    for at, each in enumerate(args):
        rest = [*args[:at], *args[at + 1 :]]
        if each == word and _read(command, ctx, rest) == (given, words):
            return rest
    return args


def _holds_collection(word: str) -> bool:
    return os.path.isdir(word) and _find(word, above=False) is not None


def _find(folder: str, above: bool = True) -> Path | None:
    from lookalike.collection import Collection  # only where there is a folder, for it takes its time

    return Collection.find(folder, above)
