"""``lookalike duplicates plan``, ``apply``, ``undo`` and ``export``: what is done about duplicates."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.cli.console import (
    complain,
    how_long,
    is_for_person,
    print_json,
    refuse_standard,
    relative,
    say,
    tell,
    watched,
)
from lookalike.cli.duplicates import Choosing, found, in_bytes
from lookalike.cli.hints import advise
from lookalike.cli.locate import open_named
from lookalike.cli.options import CollectionOption, ForceOption, Output, WaitOption, option
from lookalike.errors import InvalidInputError
from lookalike.results.duplicate_plans import DuplicatePlan
from lookalike.system.wording import count_of

if TYPE_CHECKING:
    from lookalike.results.duplicate_acts import ActedFile, ActReport
    from lookalike.results.duplicate_plans import LeftFile

_SHOWN = 20  # files, for a person
_FORMS = "csv|json|sh"
_WORDS = {
    "trash": "into the trash",
    "move": "into {to}",
    "hardlink": "become names of the files that are kept",
}


def plan(
    *,
    file: Annotated[
        Path,
        option("The plan, a document of JSON to be read, and edited.", "-o", "--output", metavar="PLAN.json"),
    ],
    choosing: Choosing,
    force: ForceOption = False,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Write down which files go, what stays for each, and what goes along; nothing is moved.

    With each file goes what belongs to it: XMP and other side files, a Live Photo's film. What was only taken
    together goes if that is asked for: --kind together. Then: lookalike duplicates apply PLAN.json --trash
    """
    from lookalike.collection.duplicates.asked import PLANNED_PROBABILITY
    from lookalike.collection.duplicates.planning import PLANNED
    from lookalike.system.output import check_output

    refuse_standard(file, "a plan", "the name of a file")
    check_output(file, force=force)
    chosen = open_named(collection)
    groups = found(chosen, choosing.at_least(PLANNED_PROBABILITY), output)
    kinds = choosing.kind or PLANNED
    with watched(quiet=output.is_silent) as watch:
        made = chosen.duplicates.plan(groups, kinds=kinds, **watch.told)
    made.save(file, force=force)
    if output.json:
        print_json({"plan": relative(str(file)), **made.to_dict(relative)})
        return
    if output.quiet:
        return
    say(f"{file}: {_summary(made)}")
    _say_left("left out", made.left_out)
    if made.rows:
        tell(f"look through it; then: lookalike duplicates apply {file} --trash")


def apply(
    *,
    file: Annotated[Path, typer.Argument(metavar="PLAN.json", help="What `plan` wrote, or you have edited.")],
    trash: Annotated[bool, typer.Option("--trash", help="Into the trash of the system.")] = False,
    move: Annotated[
        Path | None, option("Into this folder, in the tree that they lie in.", "--move", metavar="DIR")
    ] = None,
    hardlink: Annotated[
        bool,
        typer.Option(
            "--hardlink", help="Of identical files, make names of one; the others stay as they are."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done, file by file.")
    ] = False,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask before.")] = False,
    wait: WaitOption = None,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Follow a plan: into the trash, into a folder, or as hard links; `undo` takes it back.

    Both files are read again before each act; what is not as the plan says stays, with the reason. Nothing is
    deleted for good. Labels, sets, judgments and fields of what goes stand for what stays. On a terminal it
    asks before.
    """
    ways = [name for name, is_asked in (("trash", trash), ("move", move), ("hardlink", hardlink)) if is_asked]
    if len(ways) != 1:
        raise InvalidInputError("say what is to be done: one of --trash, --move DIR and --hardlink")
    made = DuplicatePlan.load(file)
    chosen = open_named(Path(made.collection).parent if collection is None else collection)
    way = ways[0]
    if not output.is_silent and not dry_run:
        words = _WORDS[way].format(to=move)
        tell(f"{_summary(made)}, {words}")
    is_asked = not (yes or dry_run or output.json) and is_for_person() and _has_person()
    if is_asked and made.rows and not typer.confirm("Go on?", default=False):
        tell("nothing was done")
        return
    with watched(quiet=output.is_silent) as watch:
        done = chosen.duplicates.apply(made, way, move, dry_run=dry_run, wait=how_long(wait), **watch.told)
    _tell_done(done, output)


def undo(
    *,
    act: Annotated[
        int | None,
        option(
            "Which act, by its number; by default the last that was not undone.",
            "--act",
            metavar="NUMBER",
            min=1,
        ),
    ] = None,
    wait: WaitOption = None,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Put back what `apply` took away; nothing that is there now is written over.

    Links, moves and, on Linux, the trash are put back; elsewhere it names what is to be put back by hand.
    """
    chosen = open_named(collection)
    with watched(quiet=output.is_silent) as watch:
        done = chosen.duplicates.undo(act, wait=how_long(wait), **watch.told)
    _tell_done(done, output)


def export(
    *,
    file: Annotated[Path, option("The list: .csv, .json or .sh.", "-o", "--output", metavar="FILE")],
    form: Annotated[
        str | None, option("The form, where the ending does not say it.", "--form", metavar=_FORMS)
    ] = None,
    choosing: Choosing,
    force: ForceOption = False,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Write a list of duplicates, a table, a document or a shell script; nothing is moved.

    The script moves what need not be kept into a folder, and does nothing until one is named.
    """
    from lookalike.collection.duplicates.lists import choose_form
    from lookalike.system.output import check_output

    refuse_standard(file, "a list", "the name of a file")
    choose_form(file, form)
    check_output(file, force=force)
    chosen = open_named(collection)
    groups = found(chosen, choosing, output)
    n = chosen.duplicates.export(groups, file, form, force=force)
    document = {"exported": n, "groups": len(groups), "to": relative(str(file))}
    output.tell(document, f"wrote {count_of(len(groups), 'group')}, {count_of(n, 'file')}, to {file}")


def _has_person() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _summary(made: DuplicatePlan) -> str:
    """Say how many files go, of what kinds, and how much that is."""
    if not made.rows:
        return "nothing goes"
    kinds = Counter(row.kind for row in made.rows)
    named = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
    along = made.n_files - len(made.rows)
    words = f"{count_of(len(made.rows), 'file')} ({named})"
    words += (
        f" and {count_of(along, 'file')} that {'belong' if along > 1 else 'belongs'} to them" if along else ""
    )
    behind = sum(len(row.stays) for row in made.rows)
    words += f", {in_bytes(made.size)}"
    return f"{words}; {count_of(behind, 'file')} of theirs left behind" if behind else words


def _say_left(what: str, files: Iterable[LeftFile]) -> None:
    """Say what stays, and why, by reason."""
    left = list(files)
    for each in left[:_SHOWN]:
        say(f"  {what}: {relative(each.path)}: {each.why}")
    if len(left) > _SHOWN:
        say(f"  … and {count_of(len(left) - _SHOWN, 'file')} more, which the plan names")


def _tell_done(done: ActReport, output: Output) -> None:
    """Say what was done, and what was not."""
    if output.json:
        print_json(done.to_dict(relative, advise))
        return
    if output.quiet:
        return
    is_undo = done.how == "undo"
    if done.is_dry_run:
        for each in done.done:
            say(_line(each, done.how))
    shown = done.skipped[:_SHOWN]
    for each in shown:
        say(f"  left: {relative(each.path)}: {each.why}")
    if len(done.skipped) > len(shown):
        say(f"  … and {count_of(len(done.skipped) - len(shown), 'file')} more: --json names all")
    verb = "put back" if is_undo else "would be put away" if done.is_dry_run else "put away"
    left = f"; {len(done.skipped):,} left" if done.skipped else ""
    act = "" if done.act is None or is_undo else f" (act {done.act}; lookalike duplicates undo takes it back)"
    say(f"{count_of(len(done.done), 'file')} {verb}, {in_bytes(done.size)}{left}{act}")
    for note in done.notes:
        complain(note)


def _line(each: ActedFile, how: str) -> str:
    to = "" if each.to is None else f" → {relative(each.to)}"
    return f"  {how}: {relative(each.path)}{to}"
