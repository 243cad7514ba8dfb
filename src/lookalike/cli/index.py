"""``lookalike index``: make a collection of a folder of images, or bring it up to date."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.cli.console import announce, complain, how_long, print_json, relative, say, watched
from lookalike.cli.hints import advise
from lookalike.cli.options import (
    CollectionOption,
    DeviceOption,
    JobsOption,
    Output,
    PictureSecondsOption,
    WaitOption,
    argument,
    given,
    option,
    spelled,
)
from lookalike.errors import (
    CancelledError,
    CollectionNotFoundError,
    InvalidInputError,
    LockedError,
    LookalikeError,
)
from lookalike.system.limits import LEAST_THUMBNAIL_SIDE, MOST_THUMBNAIL_SIDE, THUMBNAIL_SIDE
from lookalike.system.wording import count_images, count_of

if TYPE_CHECKING:
    from lookalike.collection import Collection
    from lookalike.results.adding import FieldReport
    from lookalike.results.sync import SyncReport

_FAILURES_SHOWN = 20
_UNKNOWN_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Syncing:
    """How a collection is brought up to date."""

    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Let images go although their folder is missing, or lost most of them."),
    ] = False
    reread: Annotated[
        bool, typer.Option("--reread", help="Read everything again, also what shows no sign of a change.")
    ] = False
    jobs: JobsOption = None
    picture_seconds: PictureSecondsOption = None
    device: DeviceOption = None
    no_duplicates: Annotated[
        bool,
        typer.Option(
            "--no-duplicates",
            help="Do not compare new images with those that are there, as is done where duplicates were"
            " looked for before, and at most 500 came.",
        ),
    ] = False


def index(
    *,
    paths: Annotated[
        list[str] | None,
        argument(
            "Folders, files or quoted globs. By default the whole collection that this folder is in, or else"
            " this folder.",
            "PATH",
        ),
    ] = None,
    dataset: Annotated[
        list[str] | None,
        option("A data set known by name (see lookalike datasets); may be repeated.", metavar="NAME"),
    ] = None,
    collection: CollectionOption = None,
    model: Annotated[
        str | None,
        option(
            "Embed with this model: that of a new collection, or one more beside those that are there.",
            metavar="NAME|FILE.onnx",
        ),
    ] = None,
    labels: Annotated[
        str | None,
        option(
            "Where labels come from: the last folder's name, that of the one above it, all of them, a table"
            " with columns path and label, or a glob with one {label}. By default folders, if images of one"
            " look alike. Remembered; nothing is embedded again.",
            metavar="folders|folders:1|path|FILE.csv|PATTERN|none",
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        option(
            "Names or relative paths to pass over, too; may be repeated. Remembered: see lookalike info."
            " Hidden ones always are.",
            "--exclude",
            "--exclude-dir",
            metavar="GLOB",
        ),
    ] = None,
    no_exclude: Annotated[
        bool,
        typer.Option("--no-exclude", help="Take up again what was excluded so far."),
    ] = False,
    thumbnails: Annotated[
        int | None,
        option(
            f"Longer side of thumbnails, {LEAST_THUMBNAIL_SIDE} to {MOST_THUMBNAIL_SIDE} pixels;"
            f" {THUMBNAIL_SIDE} by default. Remembered. Images that are there keep theirs until they are"
            " read again: --reread.",
            metavar="SIZE",
        ),
    ] = None,
    fields: Annotated[
        Path | None,
        option(
            "Then read own fields from a table: a column path, file, id or key says which image a row is"
            " about, each other one is a field.",
            metavar="FILE.csv|FILE.parquet",
        ),
    ] = None,
    syncing: Syncing,
    wait: WaitOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if any image cannot be read.")
    ] = False,
    output: Output,
) -> None:
    """Make a folder of images searchable, or bring a collection up to date.

    The collection is kept in PATH/.lookalike, or in DIR/.lookalike with -c DIR. Images that are there
    already, even under another name, are not embedded again; those that are gone leave the collection.
    """
    from lookalike.collection import Collection
    from lookalike.embed import check_device
    from lookalike.images.finding.globs import lies_outside, read_exclude

    if syncing.device is not None:
        check_device(syncing.device)  # before a collection is made
    if fields is not None and syncing.dry_run:
        raise InvalidInputError("--fields writes what the table says; leave out --dry-run")
    if fields is not None and not fields.is_file():
        raise InvalidInputError(f"--fields is {fields}, and there is no such file; expected a table")
    targets, sets = paths or [], dataset or []
    with contextlib.ExitStack() as stack:
        instead = None
        if syncing.dry_run:  # nothing may be left behind, so what would be made is made elsewhere
            instead = stack.enter_context(tempfile.TemporaryDirectory(prefix="lookalike-"))
        watch = stack.enter_context(watched(quiet=output.is_silent))
        chosen = Collection.open_or_create(
            targets,
            collection,
            datasets=sets,
            model=model,
            labels=labels,
            exclude=exclude or (),
            forget_excluded=no_exclude,
            thumbnail_side=thumbnails,
            instead=instead,
            **watch.told,
        )
        if chosen.is_new:
            stack.push(partial(_leave_nothing, chosen))
        if fields is not None:
            chosen.fields.check_table(fields)  # before hours of work
        stack.push(partial(_say_what_is_kept, chosen))
        places = [
            *targets,
            *(str(folder) for name in sets for folder in chosen.add_dataset(name, **watch.told)),
        ]
        arrays = [name for name in sets if name in chosen.datasets] if places or sets else None
        result = chosen.sync(
            places,
            datasets=arrays,
            model=model,
            wait=how_long(wait),
            **watch.told,
            say=announce(quiet=output.quiet),
            **_how(syncing),
        )
        if chosen.is_new and not places and not sets and not result.added + result.failed:
            passed = f" (passed over: {_passed_over(result)})" if result.passed_over else ""
            raise CollectionNotFoundError(
                f"there are no images in {chosen.roots[0]}{passed}; name a folder that has some"
            )
        others = None if thumbnails is None else chosen.count_other_thumbnails(**watch.told)
        said = None if fields is None else chosen.fields.read(fields, wait=how_long(wait), **watch.told)
    if output.json:
        document = result.to_dict(relative, advise)
        document |= {} if said is None else {"fields": said.to_dict()}
        print_json(document | ({} if others is None else {"other_thumbnails": others}))
    elif not output.quiet:
        _print(result, chosen, syncing.dry_run)
        if words := _had_already(result, collection, is_new=chosen.is_new):
            say(words)
        if others:
            remedy = "" if syncing.reread else "; lookalike index --reread makes them anew"
            say(f"{count_images(others)} with thumbnails of another size{remedy}")
        if said is not None:
            _print_fields(said, str(fields))
    for text in exclude or []:
        kept = {read_exclude(text, root) for root in chosen.roots if not lies_outside(text, root)}
        if kept <= result.unmet_excludes:
            complain(f"--exclude {text} passes over nothing; names count anywhere, paths from the root")
    if strict and result.failed:
        raise typer.Exit(1)


def _how(syncing: Syncing) -> dict[str, Any]:
    """Return what was given, as the library takes it."""
    how = given(syncing)
    return how | ({"find_duplicates": False} if how.pop("no_duplicates", False) else {})


def _had_already(result: SyncReport, collection: Path | None, *, is_new: bool) -> str:
    """Say how many of what came are there already, and how to see them; nothing, where none are."""
    n_alike = result.alike or 0
    if not result.copies + n_alike:
        return ""
    show = spelled("duplicates", c=collection, kind=None if n_alike else "identical")
    n = result.copies + n_alike
    if is_new:
        words = f"{count_of(n, 'file is', 'files are')} there more than once"
    else:
        words = f"{n:,} of these you have already"
        if n_alike:
            words += f", {result.copies:,} byte for byte, {n_alike:,} as another picture of the same"
    return f"{words}: {show}"


def _leave_nothing(collection: Collection, kind: type[BaseException] | None, *_: object) -> None:
    """Take back a collection that was made for a request that cannot be met, unless it is another's, too."""
    if kind is not None and issubclass(kind, LookalikeError) and not issubclass(kind, LockedError):
        collection.remove_if_empty()


def _say_what_is_kept(collection: Collection, kind: type[BaseException] | None, *_: object) -> None:
    """Say of a sync that Ctrl-C has stopped how far it came."""
    if kind is not None and issubclass(kind, CancelledError) and len(collection):
        raise CancelledError(
            f"interrupted; {count_images(len(collection))} are in the collection, and the same command goes"
            " on from there"
        )


def _passed_over(result: SyncReport) -> str:
    return ", ".join(each.words for each in result.passed_over.values())


def _print_fields(said: FieldReport, file: str) -> None:
    kinds = ", ".join(f"{name} ({kind})" for name, kind in said.kinds.items())
    say(f"{file}: {count_of(said.files, 'file')}, {said.changed:,} changed; fields: {kinds}")
    if said.unknown:
        some = ", ".join(said.unknown[:_UNKNOWN_SHOWN]) + (
            ", …" if len(said.unknown) > _UNKNOWN_SHOWN else ""
        )
        say(f"{count_of(len(said.unknown), 'row')} about no file of the collection: {some}")


def _print(result: SyncReport, collection: Collection, dry_run: bool) -> None:
    counts = ("added", "changed", "moved", "removed", "unchanged", "failed")
    summary = ", ".join(f"{getattr(result, name):,} {name}" for name in counts if getattr(result, name))
    if dry_run:
        say(f"Would be: {summary or 'nothing to do'}")
        if result.doubtful:
            say(f"To be looked at, as their content may not be what it seems: {result.doubtful:,}")
        if result.refreshed:
            say(f"To be read again: {result.refreshed:,}")
        if result.embedded:
            say(f"To embed, copies included: {result.embedded:,}")
    else:
        say(f"{relative(str(collection.folder))}: {summary or 'no images found'}")
        if result.refreshed:
            say(f"Read again: {result.refreshed:,}")
        if result.embedded:
            rate = result.embedded / max(result.seconds, 1e-9)
            say(f"Embedded {result.embedded:,} images in {result.seconds:.1f} s ({rate:,.0f} images/s)")
    note = None if dry_run else collection.label_note  # whose collection may be gone again
    if note is not None:
        say(advise(note))
    if result.carried:
        say(f"What was said of {count_images(result.carried)} holds after the edit, too")
    if result.replaced:
        files = count_of(result.replaced, "file holds", "files hold")
        say(f"{files} another picture now, and what was said of the old one is not said of that")
    if result.passed_over:
        say(f"Passed over: {_passed_over(result)}")
    new = [row for row in result.failures if row.path not in result.failed_before]
    if new:
        say(f"{len(new):,} could not be read:")
        for row in new[:_FAILURES_SHOWN]:
            say(f"  {relative(row.path)}: {row.reason}")
        if len(new) > _FAILURES_SHOWN:
            say(f"  … and {len(new) - _FAILURES_SHOWN:,} more: lookalike info --failures")
    if result.failed_before:
        fail = count_of(len(result.failed_before), "file fails", "files fail")
        say(f"{fail} as before: lookalike info --failures")
    if result.notes:
        say(f"{count_images(len(result.notes))} searchable with a part missing: lookalike info --notes")
