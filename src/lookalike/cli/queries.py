"""What a command searches for: queries as they are typed, their weights and regions, or a whole request."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from lookalike.cli.console import complain
from lookalike.cli.options import argument, option
from lookalike.errors import InvalidInputError, QueryNotFoundError
from lookalike.system.plain_files import read_named, read_stdin

if TYPE_CHECKING:
    from lookalike.query.request import SearchRequest
    from lookalike.query.terms import Term

_QUERY = "Query"
_WHOLE = "all"
_LONGEST = 1 << 26  # bytes of a request
_ID = re.compile("[0-9a-fA-F]{16}", re.ASCII)

QueriesArgument = Annotated[
    list[str] | None,
    argument(
        "Image files, URLs, mnist:test/42, or words; several make one query. A folder is the collection, or"
        " the part of it. None is needed with filters.",
        "QUERY",
    ),
]


def _option(help: str, *names: str, metavar: str) -> Any:  # noqa: A002
    return option(help, *names, metavar=metavar, rich_help_panel=_QUERY)


@dataclass(frozen=True, slots=True)
class Queries:
    """What is searched for beside the queries that need no option."""

    like: Annotated[
        list[str] | None,
        _option(
            "An image of the collection by its id, 16 digits, as --json and info show it; or as QUERY."
            " May be repeated.",
            metavar="ID|QUERY",
        ),
    ] = None
    without: Annotated[
        list[str] | None,
        _option(
            "An image, by its id, too, or words whose likes are not wanted; may be repeated.",
            "--not",
            "--unlike",
            "--without",
            metavar="QUERY",
        ),
    ] = None
    words: Annotated[
        list[str] | None,
        _option("Words, also where a file is called so; may be repeated.", metavar="TEXT"),
    ] = None
    weight: Annotated[
        list[float] | None,
        _option(
            "How much a query counts beside the others, 1 by default: once for each, in the order QUERY,"
            " --like, --words.",
            metavar="NUMBER",
        ),
    ] = None
    region: Annotated[
        list[str] | None,
        _option(
            "Only a part of the picture, from the left and the top, as shares of it: 0.5,0,0.5,1 is the"
            " right half, 0,0,1,1 all of it, to be looked for inside of others. Of several pictures once for"
            f" each, or {_WHOLE}.",
            metavar="X,Y,W,H",
        ),
    ] = None
    request: Annotated[
        str | None,
        _option(
            "A whole search, as --json shows it under request: a file, or - for standard input.",
            metavar="FILE",
        ),
    ] = None

    def places(self, queries: Sequence[str] | None) -> list[str]:
        """Return what may name a file beside which the collection lies."""
        return [*(queries or ()), *(self.like or ())]

    def told(self, queries: Sequence[str] | None) -> list[str]:
        """Return the queries as they were typed."""
        return [*self.places(queries), *(self.words or ())]

    def terms(self, queries: Sequence[str] | None, datasets: Sequence[str]) -> list[Term]:
        """Return what is searched for, with its weights and regions."""
        from lookalike.query.reading import read_query
        from lookalike.query.terms import Words

        found = [read_query(query, datasets) for query in queries or ()]
        found += [_read(query, datasets) for query in self.like or ()]
        found += [Words(text) for text in self.words or ()]
        return self._weighted(self._cut(found))

    def unwanted(self, datasets: Sequence[str]) -> list[Term]:
        """Return what is not wanted."""
        return [_read(query, datasets) for query in self.without or ()]

    def _weighted(self, terms: list[Term]) -> list[Term]:
        if not self.weight:
            return terms
        if len(self.weight) != len(terms):
            raise InvalidInputError(
                f"--weight is given {_times(len(self.weight))} and there are {len(terms)} queries;"
                " expected one for each"
            )
        return [replace(term, weight=weight) for term, weight in zip(terms, self.weight, strict=True)]

    def _cut(self, terms: list[Term]) -> list[Term]:
        if not self.region:
            return terms
        from lookalike.query.terms import PictureTerm

        pictures = [at for at, term in enumerate(terms) if isinstance(term, PictureTerm)]
        if len(self.region) != len(pictures):
            raise InvalidInputError(
                f"--region is given {_times(len(self.region))} and {len(pictures)} of the queries are"
                f" pictures; expected one for each, or {_WHOLE}"
            )
        cut = list(terms)
        for at, region in zip(pictures, self.region, strict=True):
            if region != _WHOLE:
                changes: dict[str, Any] = {"region": _read_region(region)}
                cut[at] = replace(terms[at], **changes)
        return cut


def say_files_win(queries: Sequence[str]) -> None:
    """Say on standard error which words are taken for the files of that name."""
    for query in queries:
        if os.path.isfile(query):
            say_what_wins(query, "file")


def say_what_wins(query: str, kind: str) -> None:
    """Say on standard error what a text is taken for, if it reads like words, and not like a path."""
    if re.fullmatch(r"[\w' -]+", query):
        complain(f"{query} is taken for the {kind} of that name; for the word: --words {shlex.quote(query)}")


def read_request(name: str) -> SearchRequest:
    """Read a whole search from a file, or from standard input; a search's ``--json`` has one, too."""
    from lookalike.query.request import SearchRequest

    where = "standard input" if name == "-" else name
    try:
        data = read_stdin(_LONGEST) if name == "-" else read_named(name, _LONGEST)
        document = json.loads(data.decode("utf-8-sig"))
    except InvalidInputError:
        raise
    except OSError as error:
        raise QueryNotFoundError(f"the request {where} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise InvalidInputError(f"the request in {where} is no JSON: {error}") from error
    if isinstance(document, dict) and "hits" in document:
        document = document.get("request")
    return SearchRequest.from_dict(document)


def _read(query: str, datasets: Sequence[str]) -> Term:
    """Return a query, which may be an id; a file that is there wins."""
    from lookalike.query.reading import read_query
    from lookalike.query.terms import ImageRef, Words

    term = read_query(query, datasets)
    return ImageRef(query) if isinstance(term, Words) and _ID.fullmatch(query) else term


def _read_region(words: str) -> tuple[float, ...]:
    try:
        return tuple(float(number) for number in words.split(","))
    except ValueError:
        raise InvalidInputError(
            f"--region is {words!r}; expected left, top, width and height as shares of the picture, as in"
            " 0.5,0,0.5,1"
        ) from None


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"
