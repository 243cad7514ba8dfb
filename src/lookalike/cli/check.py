"""``lookalike check``: whether all that a collection keeps is what was written, and its repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.cli.console import how_long, print_json, relative, say, watched
from lookalike.cli.hints import advise
from lookalike.cli.options import CollectionOption, Output, WaitOption
from lookalike.system.wording import count_of

if TYPE_CHECKING:
    from lookalike.results.checking import CheckReport, Damage

_SHOWN = 5  # images that are named


def check(
    *,
    collection: CollectionOption = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended; the damaged files are kept aside.")
    ] = False,
    wait: WaitOption = None,
    output: Output,
) -> None:
    """Read all files of the collection through, and say what is damaged; with --repair, mend it.

    Tables, thumbnails, indexes, clusterings, maps, models and what people said are compared with their
    checksums, and with one another. A repair makes again what can be made from the images, keeps what can
    still be read, and moves what was damaged to .lookalike/damaged. The exit code is 0 if all is whole,
    or has been brought back, and else 1. For example: lookalike check; lookalike check --repair
    """
    from lookalike.collection import Collection

    with watched(quiet=output.is_silent) as watch:
        found = Collection.check_at(
            "." if collection is None else collection,
            collection is None,
            repair=repair,
            wait=how_long(wait),
            **watch.told,
        )
    if output.json:
        print_json(found.to_dict(relative, advise))
    elif not output.quiet:
        _print(found)
    if not found.is_whole:
        raise typer.Exit(1)


def _print(found: CheckReport) -> None:
    for each in found:
        _print_damage(each, found.is_repair)
    read = f"{count_of(found.files, 'file')}, {found.size / 1e6:,.1f} MB, read in {found.seconds:.1f} s"
    unverified = (
        f" ({found.unverified:,} of an earlier version, without checksums)" if found.unverified else ""
    )
    if not found.damages:
        say(f"whole: {read}{unverified}")
        return
    n_mended = sum(each.is_mended for each in found)
    mended = f", {n_mended:,} mended" if found.is_repair else ""
    say(f"{count_of(len(found), 'damage')}{mended}: {read}{unverified}")


def _print_damage(damage: Damage, is_repair: bool) -> None:
    say(f"{damage.place}: {advise(damage.reason)}")
    say(f"  costs: {damage.costs}")
    for path in damage.images[:_SHOWN]:
        say(f"    {path}")
    if len(damage.images) > _SHOWN:
        say(f"    … and {len(damage.images) - _SHOWN:,} more")
    if not is_repair:
        say(f"  repair: {advise(damage.remedy)}")
    else:
        say(f"  {'mended' if damage.is_mended else 'not mended'}: {advise(damage.remedy)}")
