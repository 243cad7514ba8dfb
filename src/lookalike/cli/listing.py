"""``lookalike list``: images in an order, without a query; how many there are, and of what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.cli.console import complain, is_for_person, print_json, relative, say
from lookalike.cli.filters import Filters
from lookalike.cli.found import print_list, print_paths, say_if_none
from lookalike.cli.hints import advise
from lookalike.cli.locate import open_named
from lookalike.cli.options import (
    CollectionOption,
    FilepathOnlyOption,
    JsonOption,
    Picture,
    flag_of,
    given,
    option,
)
from lookalike.cli.saving import Saveable
from lookalike.errors import InvalidInputError
from lookalike.query.sorts import FIELD, SORTS
from lookalike.system.wording import count_images

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lookalike.results.browsing import Facet, Facets

_ON_SHEET = 100  # images of a picture, where nobody says how many
_SHOWN = 12  # values of a facet
_BAR = 24  # letters
_INSTEAD = "Instead of images"


@dataclass(frozen=True, slots=True)
class Listing:
    """Which of the images are listed, and in what order."""

    sort: Annotated[
        str | None,
        option(
            "In what order; by path, by default. Size is the shorter side; color goes by hue; central are"
            " first those nearest to the mean, or to the center of their --cluster.",
            metavar="|".join((*SORTS, f"{FIELD}NAME")),
        ),
    ] = None
    descending: Annotated[
        bool, typer.Option("--descending", help="The other way round: newest, largest, sharpest first.")
    ] = False
    random_state: Annotated[
        int | None, option("random: the same number gives the same order; 0 by default.", metavar="SEED")
    ] = None
    k: Annotated[
        int | None, option("How many to list; all by default.", "-k", "-n", "--limit", metavar="N", min=1)
    ] = None
    offset: Annotated[int | None, option("How many to leave out before.", metavar="N", min=0)] = None


@dataclass(frozen=True, slots=True)
class Counting:
    """What is said instead of images."""

    count: Annotated[
        bool,
        typer.Option("--count", help="Only how many images there are.", rich_help_panel=_INSTEAD),
    ] = False
    facets: Annotated[
        bool,
        typer.Option(
            "--facets",
            help="How many images have each label, folder, format, date, camera, …",
            rich_help_panel=_INSTEAD,
        ),
    ] = False
    facet: Annotated[
        list[str] | None,
        option(
            "Only these of --facets, and all their values: labels, dates, …; may be repeated.",
            metavar="NAME",
            rich_help_panel=_INSTEAD,
        ),
    ] = None


def list_(
    *,
    collection: CollectionOption = None,
    listing: Listing,
    filters: Filters,
    counting: Counting,
    picture: Picture,
    filepath_only: FilepathOnlyOption = False,
    json: JsonOption = False,
) -> None:
    """List images in any order, without a query: all, or those that pass filters.

    Each with what it is sorted by, its label and its path.
    """
    picture.check()
    _check_together(counting, listing, picture, filepath_only)
    if listing.random_state is not None and listing.sort != "random":
        raise InvalidInputError("--random-state is for --sort random; leave it out, or sort so")
    chosen = open_named(collection)
    where = filters.where()
    if counting.count:
        n = chosen.count(where)
        print_json({"count": n}) if json else say(f"{n}")
        return
    if counting.facets or counting.facet:
        found = chosen.facets(where, counting.facet)
        _warn(found.warnings)
        print_json(found.to_dict(relative, advise)) if json else _print_facets(found, bool(counting.facet))
        return
    result = chosen.browse(where=where, **given(listing))
    _warn(result.warnings)

    def document() -> dict[str, Any]:
        return result.to_dict(relative, advise)

    def draw() -> Figure:
        from lookalike.drawing import draw_list

        return draw_list(chosen, result, None if listing.k is not None else _ON_SHEET)

    picture.save(Saveable.of(f"images by {result.sort}", result, document, draw))
    if json:
        print_json(document())
        return
    print_paths(result.hits) if filepath_only else print_list(result)
    say_if_none(result, is_filtered=bool(given(filters)))


def _check_together(counting: Counting, listing: Listing, picture: Picture, filepath_only: bool) -> None:
    """Raise InvalidInputError where what is asked for has no place in what is printed."""
    chosen = [f"--{name}" for name in given(counting)]
    if not chosen:
        return
    ways = {"--facets" if name == "--facet" else name for name in chosen}
    beside = [flag_of(name) for name in given(listing)]
    beside += [f"--{name}" for name in ("plot", "output") if getattr(picture, name) is not None]
    beside += ["--filepath-only"] if filepath_only else []
    if len(ways) > 1 or beside:
        other = beside[0] if beside else "--facets"
        raise InvalidInputError(f"{chosen[0]} prints no images; leave out {other}")


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        complain(warning)


def _print_facets(found: Facets, has_all: bool) -> None:
    """Print each facet with its values, for a person, or a value a line, separated by tabs."""
    if not is_for_person():
        for name, facet in found.items():
            rows: list[tuple[Any, int]] = list(facet.counts.items())
            for value, count in rows:
                say(name, _value(facet, value), str(count))
        return
    say(count_images(found.total))
    for name, facet in found.items():
        if not facet.counts:
            continue
        say("")
        say(f"{name}{'' if not facet.missing else f'  (none: {facet.missing:,})'}")
        shown: list[tuple[Any, int]] = list(facet.counts.items())[: None if has_all else _SHOWN]
        most = max(count for _, count in shown)
        width = max(len(_value(facet, value)) for value, _ in shown)
        digits = max(len(f"{count:,}") for _, count in shown)
        for value, count in shown:
            bar = "█" * round(_BAR * count / most) if most else ""
            say(f"  {_value(facet, value):<{width}}  {count:>{digits},}  {bar}".rstrip())
        if len(shown) < facet.n_values:
            say(f"  and {facet.n_values - len(shown):,} more: --facet {name}")


def _value(facet: Facet, value: Any) -> str:
    """Write a value; of a range of numbers its ends."""
    if facet.ends is None:
        return relative(value) if isinstance(value, str) and value.startswith("/") else str(value)
    end = facet.ends[facet.ends.index(value) + 1]
    return f"{value:g} to {end:g}"
