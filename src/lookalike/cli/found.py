"""How what was found is printed: hits of a search, images of a list."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lookalike.cli.console import (
    complain,
    in_short,
    is_for_person,
    is_kept,
    place_of,
    print_raw,
    relative,
    say,
    tell,
)
from lookalike.query.sorts import FIELD
from lookalike.system.wording import count_images, field_words

if TYPE_CHECKING:
    from lookalike.results.browsing import BrowseResult
    from lookalike.results.hits import Hits
    from lookalike.results.search import SearchResult
    from lookalike.types import Hit


def print_paths(hits: Hits) -> None:
    """Print paths alone, for other programs."""
    for hit in hits:
        print_raw(relative(hit.path))


def print_hits(result: SearchResult, before: Sequence[str] = ()) -> None:
    """Print columns for a person, or the same separated by tabs for a program.

    Of folded hits, how many; and where in a hit a region was found: to a person in words, to a program as
    --region has it.

    Parameters
    ----------
    before : sequence of str
        What stands in every row before these, for a program.
    """
    rows = [(str(hit.rank), _likeness(hit), " · ".join(hit.labels), place_of(hit)) for hit in result.hits]
    line = None if result.is_nothing_like_it else result.below_chance
    is_folded = result.request is not None and result.request.fold
    if not is_for_person():
        for row, hit in zip(rows, result.hits, strict=True):
            box = [] if hit.box is None else [",".join(f"{share:.3f}" for share in hit.box)]
            say(*before, *row, *([str(hit.folded)] if is_folded else []), *box)
        return
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for (rank, score, label, path), hit in zip(rows, result.hits, strict=True):
        more = f"  ({_where(hit.box)})" if hit.box else ""
        more += f"  and {hit.folded:,} more like it" if hit.folded else ""
        likely = "" if hit.probability is None else f"  {hit.probability:>4.0%}"
        if hit.rank == line:
            say("── from here on no nearer than chance ──")
        say(f"{rank:>{widths[0]}}  {score}{likely}  {label:<{widths[2]}}  {path}{more}")


def _where(box: tuple[float, float, float, float]) -> str:
    """Say where in a picture something is.

    >>> _where((0.5, 0, 0.5, 0.4)), _where((0.3, 0.3, 0.4, 0.4)), _where((0.3, 0.6, 0.4, 0.4))
    ('top right', 'middle', 'bottom')
    """
    x, y = (min(int(3 * (start + length / 2)), 2) for start, length in (box[::2], box[1::2]))
    words = " ".join(filter(None, [("top", "", "bottom")[y], ("left", "", "right")[x]]))
    return words or "middle"


def say_if_nothing(result: SearchResult, *, is_filtered: bool) -> None:
    """Say on standard error that nothing was found, and why, or nothing that is like the query."""
    if result.is_nothing_like_it:
        tell("nothing here looks like this" + ("; these come nearest" if len(result) else ""))
        return
    if not len(result) and result.is_cut_off:
        tell("no image is as likely, or as near, as was asked for")
    elif not len(result) and result.understood is not None:
        tell("no image shows that, or is called so")
    elif not len(result):
        tell("no image passes the filters" if is_filtered else "no other images in the collection")


def say_where_it_is(result: SearchResult, typed: Sequence[str]) -> None:
    """Say on standard error which queries are in the collection under other names, too.

    Parameters
    ----------
    typed : sequence of str
        The queries, as they were typed.
    """
    for paths, name in zip(places_of_queries(result), typed, strict=False):
        others = [path for path in paths if path != relative(name) and _place(path) != _place(name)]
        if others:
            word = "already" if len(others) == len(paths) else "also"
            places = dict.fromkeys("one that was added" if is_kept(path) else path for path in others)
            complain(f"{name} is {word} here as {in_short([*places])}")


def _place(path: str) -> str:
    """Return a path by the real name of its folder, which links may lead to under others."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


def _likeness(hit: Hit) -> str:
    return f"{hit.distance if hit.score is None else hit.score:.3f}"


def places_of_queries(result: SearchResult | BrowseResult) -> list[list[str]]:
    """Return of each query where the very same image lies in the collection."""
    asked = [query.id for query in getattr(result, "queries", ())]
    found = result.lookup.paths([image for image in asked if image is not None])
    return [[] if image is None else [*map(relative, found.get(image, ()))] for image in asked]


def print_list(result: BrowseResult) -> None:
    """Print columns for a person, or the same separated by tabs for a program."""
    values: Iterable[Any] = [None] * len(result) if result.values is None else result.values
    field = result.sort.removeprefix(FIELD) if result.sort.startswith(FIELD) else ""  # which none is called
    rows = (
        (
            str(hit.rank),
            field_words(hit.fields[field]) if field in hit.fields else _text(value),
            " · ".join(hit.labels),
            place_of(hit),
        )
        for hit, value in zip(result.hits, values, strict=True)
    )
    if not is_for_person():
        for row in rows:
            say(*row)
        return
    shown = list(rows)
    if not shown:
        return
    widths = [max(len(row[column]) for row in shown) for column in range(3)]
    for rank, value, label, path in shown:
        parts = [f"{rank:>{widths[0]}}", f"{value:>{widths[1]}}", f"{label:<{widths[2]}}", path]
        say("  ".join(part for part, width in zip(parts, [*widths, 1], strict=True) if width))
    if len(result) < result.total:
        say(f"{len(result):,} of {count_images(result.total)}")


def say_if_none(result: BrowseResult, *, is_filtered: bool) -> None:
    """Say on standard error that nothing is listed, and why."""
    if not len(result):
        nothing = "no image passes the filters" if is_filtered else "the collection holds no images"
        tell(f"there are only {count_images(result.total)}" if result.total else nothing)


def _text(value: Any) -> str:
    """Return what an image is sorted by, for a person; nothing where it is not known."""
    from lookalike.results.documents import plain_value

    plain = plain_value(value)
    if plain is None:
        return ""
    if isinstance(plain, bool | str):
        return field_words(value.item())  # of dates a datetime
    return f"{plain:.6g}" if plain < 1e6 else f"{plain:.0f}"
