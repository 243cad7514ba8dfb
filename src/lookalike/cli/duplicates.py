"""``lookalike duplicates``: pictures that are there twice, compared, shown, decided.

What is done about them is in `duplicate_plans`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.cli.console import (
    complain,
    in_short,
    is_for_person,
    print_json,
    print_raw,
    relative,
    say,
    tell,
    watched,
)
from lookalike.cli.hints import advise
from lookalike.cli.locate import open_named, open_near
from lookalike.cli.options import CollectionOption, Output, Picture, option, picture_of
from lookalike.cli.saving import Saveable
from lookalike.cli.sets import tell_change
from lookalike.duplicates.keeping import RULES, USUAL_ORDER
from lookalike.duplicates.kinds import KINDS
from lookalike.errors import InvalidInputError
from lookalike.system.wording import count_images, count_of

if TYPE_CHECKING:
    from lookalike.collection import Collection
    from lookalike.results.duplicates import (
        DuplicateFile,
        DuplicateGroup,
        DuplicateGroups,
        DuplicateImage,
        DuplicatesReport,
    )

_SHOWN = 20  # groups, for a person
_FILES = 12  # of a group, for a person
_DECISIONS = "keep|remove|not_duplicate|alternates"
_RULES = ",".join(f"{each.name}={each.takes}" if each.takes else each.name for each in RULES)
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


@dataclass(frozen=True, slots=True)
class Choosing:
    """Which groups are meant, and what is kept of each."""

    kind: Annotated[
        list[str] | None,
        option(
            "Only these; may be repeated. By default all but series, which are no duplicates.",
            metavar="|".join(KINDS),
        ),
    ] = None
    min_probability: Annotated[
        float | None,
        option("How sure it has to be; by default 0.25, of what a plan puts away 0.9.", metavar="SHARE"),
    ] = None
    in_: Annotated[str | None, option("Only files below this folder.", "--in", metavar="FOLDER")] = None
    against: Annotated[
        str | None,
        option(
            "Only what lies below this folder as well, where it is kept; the others are those of --in, or all"
            " that lie elsewhere.",
            metavar="FOLDER",
        ),
    ] = None
    across_splits: Annotated[
        bool,
        typer.Option(
            "--across-splits",
            help="Only groups that lie in several splits: of data sets, or folders called train, val, test.",
        ),
    ] = False
    prefer: Annotated[
        str | None,
        option(
            f"What decides which is kept: rules in their order, with commas in between. By default"
            f" {','.join(USUAL_ORDER)}.",
            metavar=_RULES,
        ),
    ] = None
    decided: Annotated[bool, typer.Option("--decided", help="Also groups of which all was decided.")] = False

    def at_least(self, probability: float) -> Choosing:
        """Return the same, with a probability where none was given."""
        return self if self.min_probability is not None else replace(self, min_probability=probability)

    def arguments(self) -> dict[str, Any]:
        """Return what was given, as `Duplicates.groups` takes it."""
        asked = {
            "kinds": self.kind or None,
            "min_probability": self.min_probability,
            "folder": self.in_,
            "against": self.against,
            "across_splits": self.across_splits or None,
            "prefer": self.prefer,
            "decided": self.decided or None,
        }
        return {name: value for name, value in asked.items() if value is not None}


Sheet = Annotated[Picture, picture_of("Save a contact sheet of the groups, what is kept of each framed")]


def show(
    *,
    choosing: Choosing,
    limit: Annotated[
        int | None,
        option(f"So many groups at most; for a person {_SHOWN} by default.", "--limit", metavar="N", min=1),
    ] = None,
    filepath_only: Annotated[
        bool,
        typer.Option(
            "-f",
            "--filepath-only",
            help="Print only the paths of what need not be kept, one a line, for other programs.",
        ),
    ] = False,
    picture: Sheet,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Compare the images that are new with all others, and show what is there twice, and what to keep of it.

    Nothing is changed, moved or deleted.
    """
    if filepath_only and output.json:
        raise InvalidInputError("-f and --json are two ways to print it; leave one out")
    picture.check()
    chosen = open_named(collection)
    groups = found(chosen, choosing, output)
    total = len(groups)
    if limit is not None:
        from dataclasses import replace

        groups = replace(groups, groups=groups.groups[:limit])
    document = _document(groups)
    picture.save(Saveable.of("duplicates", groups, lambda: document, lambda: _drawn(chosen, groups)))
    if output.json:
        print_json(document)
    elif filepath_only:
        for group in groups:
            for file in group.files:
                if not file.keep:
                    print_raw(relative(file.path))
    elif is_for_person():
        _print_for_person(groups, total, limit, output)
    else:
        _print_rows(groups)
        _say_summary(groups, total, tell if not output.quiet else _nothing)


def decide(
    *,
    a: Annotated[str, typer.Argument(metavar="A", help="An image: its file or id.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another; or another file of the same image.")],
    decision: Annotated[
        str,
        typer.Argument(
            metavar=_DECISIONS,
            help="Keep A rather than B; remove A, and keep B; they are no duplicates; both are wanted.",
        ),
    ],
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Decide on a pair; it is remembered, whatever its files are called later.

    Nothing is moved or deleted.
    """
    chosen = open_near([a, b], collection)
    change = chosen.duplicates.decide(a, b, decision.replace("-", "_"))  # type: ignore[arg-type]  # it checks
    tell_change(change, output)


def found(chosen: Collection, choosing: Choosing, output: Output) -> DuplicateGroups:
    """Compare what is new, say so, and return the groups that are asked for."""
    _check(chosen, choosing)
    with watched(quiet=output.is_silent) as watch:
        compared = chosen.duplicates.find(**watch.told)
    if not output.is_silent:
        _tell_compared(compared)
    return chosen.duplicates.groups(**choosing.arguments())


def _check(chosen: Collection, choosing: Choosing) -> None:
    """Raise what is wrong with what is asked for: before images are compared, which may take a while."""
    from lookalike.collection.duplicates.asked import GroupsRequest
    from lookalike.query.filter import Filter

    GroupsRequest.of(**choosing.arguments())
    for folder in (choosing.in_, choosing.against):
        if folder is not None:
            chosen.browse(where=Filter(folders=(folder,)), k=1)


def _tell_compared(compared: DuplicatesReport) -> None:
    for reason in compared.anew:
        complain(f"what was kept of duplicates is made anew: {reason}")
    if compared.n_new:
        tell(f"compared {count_images(compared.n_new)} with all others ({compared.seconds:.1f} s)")
    if compared.n_left_out:
        tell(
            f"{count_images(compared.n_left_out)} had so many look-alikes that only the closest were compared"
        )
    if compared.failures:
        named = in_short([f"{relative(each.path)}: {each.reason}" for each in compared.failures])
        complain(f"{count_images(len(compared.failures))} could not be compared ({named})")


def _document(groups: DuplicateGroups) -> dict[str, Any]:
    return groups.to_dict(relative, advise)


def _drawn(chosen: Collection, groups: DuplicateGroups) -> Any:
    from lookalike.drawing import draw_duplicates

    return draw_duplicates(chosen, groups)


def _print_for_person(groups: DuplicateGroups, total: int, limit: int | None, output: Output) -> None:
    shown = groups.groups if limit is not None else groups.groups[:_SHOWN]
    for group in shown:
        say(f"{group.kind}, {_percent(group.probability)}: {_of_what(group)}; kept is {_why(group)}")
        rows = [(image, file) for image in group.images for file in image.files]
        for image, file in rows[:_FILES]:
            say(f"  {_line(group, image, file)}")
        if len(rows) > _FILES:
            say(f"  … and {count_of(len(rows) - _FILES, 'file')} more")
        say("")
    if total > len(shown):
        say(f"… and {count_of(total - len(shown), 'group')} more: --limit {total} shows all")
    if not output.quiet:
        _say_summary(groups, total, say)


def _of_what(group: DuplicateGroup) -> str:
    n = len(group.files)
    return (
        count_of(n, "file")
        if len(group.images) == n
        else f"{count_of(n, 'file')} of {count_images(len(group.images))}"
    )


def _why(group: DuplicateGroup) -> str:
    name = os.path.basename(group.files[0].path)
    return f"{name} ({group.because})" if group.because else name


def _line(group: DuplicateGroup, image: DuplicateImage, file: DuplicateFile) -> str:
    size = f"{image.width}×{image.height}"
    words = ["keep" if file.keep else "    ", f"{size:>11}", f"{in_bytes(file.size):>8}", relative(file.path)]
    if image is not group.images[0]:
        turned = "" if image.turn == 1 else ", turned" if image.turn in (3, 6, 8) else ", mirrored"
        words.append(f"({image.kind}, {_percent(image.probability)}{turned})")
    elif file is not image.files[0]:
        words.append("(identical)")
    return "  ".join(words)


def _print_rows(groups: DuplicateGroups) -> None:
    """Print a line a file, separated by tabs, for programs."""
    for number, group in enumerate(groups, start=1):
        for image in group.images:
            for file in image.files:
                size = f"{image.width}x{image.height}"
                kept = "keep" if file.keep else "-"
                cells = [str(number), group.kind, f"{image.probability:.4f}", kept, size, str(file.size)]
                say(*cells, relative(file.path))


def _say_summary(groups: DuplicateGroups, total: int, speak: Any) -> None:
    decided = groups.n_decided
    left_out = f"; {count_of(decided, 'group')} decided already: --decided shows them too" if decided else ""
    if not total:
        speak(f"no duplicates among {count_images(groups.n_compared)}{left_out}")
        return
    files = sum(len(group.files) for group in groups)
    freed = in_bytes(groups.n_bytes_freed)
    some = "" if total == len(groups) else f"{len(groups):,} of "
    speak(f"{some}{count_of(total, 'group')}, {count_of(files, 'file')}; {freed} could be freed{left_out}")


def _nothing(words: str) -> None:
    pass


def _percent(probability: float) -> str:
    """Say how sure something is, never surer than it is.

    >>> _percent(1.0), _percent(0.9996), _percent(0.937)
    ('100 %', '99.9 %', '93.7 %')
    """
    share = int(probability * 1000) / 10
    return "100 %" if probability >= 1 else f"{share:.1f} %"


def in_bytes(n: int) -> str:
    """Say how many bytes.

    >>> in_bytes(512), in_bytes(20_480), in_bytes(3_450_000_000)
    ('512 bytes', '20 kB', '3.5 GB')
    """
    value, unit = float(n), _UNITS[0]
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            break
        value /= 1000
    return (
        f"{n} {unit}" if unit == _UNITS[0] else f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    )
