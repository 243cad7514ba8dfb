"""``lookalike said``, ``changes``, ``undo``: what people said of images, as a file and change by change."""

from __future__ import annotations

import io
import os
from typing import Annotated

import typer

from lookalike.cli.console import STANDARD, print_bytes, print_json, relative, say, tell
from lookalike.cli.locate import open_named
from lookalike.cli.options import CollectionOption, ForceOption, Output, argument, option
from lookalike.cli.sets import tell_change
from lookalike.errors import InvalidInputError
from lookalike.system.plain_files import read_stdin
from lookalike.system.wording import count_of

_LAST = 20


def export(
    *,
    file: Annotated[
        str, typer.Argument(metavar="FILE.jsonl", help="Where to, a new file; - for standard output.")
    ],
    force: ForceOption = False,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Write all sets, labels, judgments and decisions to a file of JSON lines, one a line.

    Images are named by their content, and by a path for people.
    """
    if file == STANDARD and (output.json or force):
        raise InvalidInputError(f"{'--json' if output.json else '--force'} is for a file; leave it out")
    chosen = open_named(collection).said
    if file == STANDARD:
        print_bytes(chosen.to_bytes())
        return
    n = chosen.export(file, force=force)
    output.tell({"file": relative(os.path.abspath(file)), "statements": n}, f"{count_of(n, 'line')} written")


def import_(
    *,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE.jsonl", help="As `lookalike said export` writes it; - for standard input."
        ),
    ],
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Take in what was said in another collection of the same pictures; it is one change.

    What is said here already stays: a label is not exchanged for another, nor a decision. Images that are not
    here yet are kept in mind.
    """
    chosen = open_named(collection).said
    found = chosen.load(io.BytesIO(read_stdin())) if file == STANDARD else chosen.load(file)
    if output.json:
        print_json(found.to_dict())
    elif not output.quiet:
        say(f"{count_of(found.statements, 'line')} read, {found.new:,} of them new")
        if found.kept:
            say(f"{found.kept:,} say something else than is said here, which stays")
        if found.unknown:
            say(f"{found.unknown:,} are about images that are not in this collection; they are kept")
        if found.unmatched:
            say(f"{found.unmatched:,} name a path alone that is not in this collection; they are left out")
        if found.change is not None:
            say(f"to take it back: lookalike undo {found.change.number}")


def changes(
    *,
    last: Annotated[
        int | None, option(f"So many of the last; {_LAST} by default.", "--last", metavar="N", min=1)
    ] = None,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """List what was said of images, change by change, the newest first.

    Sets, labels, judgments and decisions; and what an index carried over to edited files.
    """
    found = open_named(collection).changes.list(_LAST if last is None else last)
    if output.json:
        print_json({"changes": [each.to_dict() for each in found]})
        return
    for each in found:
        time = each.time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        words = each.words if each.undoes is None else f"undid change {each.undoes}: {each.words}"
        undone = [] if each.undone_by is None else [f"(undone by change {each.undone_by})"]
        say(str(each.number), time, words, *undone)
    if not found and not output.quiet:
        tell("nothing was said of any image yet")


def undo(
    *,
    number: Annotated[
        int | None,
        argument("Which, as `lookalike changes` counts them; by default the last that holds.", "NUMBER"),
    ] = None,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Take back a change of sets, labels, judgments or decisions.

    That is a change, too: to undo it is to do the first again.
    """
    tell_change(open_named(collection).changes.undo(number), output)
