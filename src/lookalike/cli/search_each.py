"""``lookalike search --each``: many queries at once, each a search of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from lookalike.cli.console import is_for_person, say
from lookalike.cli.found import print_hits, print_paths, say_if_nothing, say_where_it_is
from lookalike.cli.hints import advise
from lookalike.cli.saving import Saveable
from lookalike.errors import CancelledError, InvalidInputError, LookalikeError, QueryNotFoundError
from lookalike.system.wording import count_of

if TYPE_CHECKING:
    import pyarrow as pa

    from lookalike.results.search import SearchResult

DocumentOf: TypeAlias = "Callable[[str, SearchResult], dict[str, Any]]"
"""Gives what ``--json`` prints of a search."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What was found for each query, or why nothing could be.

    Attributes
    ----------
    found : sequence of (str, SearchResult)
    failed : sequence of (str, LookalikeError)
    """

    found: Sequence[tuple[str, SearchResult]]
    failed: Sequence[tuple[str, LookalikeError]]

    def saveable(self, document_of: DocumentOf) -> Saveable:
        """Return what can be saved of them, as a table with the query before each of its hits."""
        return Saveable(
            f"{count_of(len(self.found), 'search', 'searches')}",
            lambda: self.document(document_of),
            None,
            self._table,
            self._html,
        )

    def document(self, document_of: DocumentOf) -> dict[str, Any]:
        """Return what ``--json`` prints: a document a query, in the order in which they were asked."""
        queries = [document_of(query, result) for query, result in self.found]
        return {
            "queries": queries,
            "failures": [{"query": query, "reason": advise(error)} for query, error in self.failed],
        }

    def _table(self) -> pa.Table:
        import pyarrow as pa

        tables = []
        for query, result in self.found:
            rows = result.to_arrow()
            name = query.encode("utf-8", "backslashreplace").decode()
            tables.append(rows.add_column(0, "query", pa.array([name] * len(rows), pa.string())))
        return pa.concat_tables(tables, promote_options="permissive")

    def _html(self) -> str:
        return "".join(result._repr_html_() for _, result in self.found)


def each_query(queries: Sequence[str] | None) -> list[str]:
    """Return the queries, a folder as the images in it.

    Raises
    ------
    InvalidInputError
        If there is none.
    QueryNotFoundError
        If a folder holds no images.
    """
    if not queries:
        raise InvalidInputError("--each is for queries, and there is none; expected images, or their folder")
    found: list[str] = []
    for query in queries:
        found += _images_in(query) if os.path.isdir(query) else [query]
    return found


def _images_in(folder: str) -> list[str]:
    from lookalike.images.finding.scan import scan
    from lookalike.system.file_names import unescape

    files = scan(Path(os.path.abspath(folder))).files
    images = [os.path.join(folder, *unescape(path).split("/")) for path in files]
    if not images:
        raise QueryNotFoundError(f"there are no images in {folder} to search for")
    return images


def search_each(queries: Iterable[str], find: Callable[[str], SearchResult]) -> Answers:
    """Search for each query; one that cannot be is left out.

    Raises
    ------
    LookalikeError
        If none of them can be: that of the first.
    """
    found, failed = [], []
    for query in queries:
        try:
            found.append((query, find(query)))
        except CancelledError:
            raise
        except LookalikeError as error:
            failed.append((query, error))
    if not found:
        raise failed[0][1]
    return Answers(found, failed)


def print_answers(answers: Answers, *, filepath_only: bool, is_filtered: bool) -> None:
    """Print a block a query for a person; for a program a row a hit, the query first."""
    for number, (query, result) in enumerate(answers.found):
        if filepath_only:
            print_paths(result.hits)
        else:
            if is_for_person():
                if number:
                    say("")
                say(f"{query}:")
            print_hits(result, [query])
        say_if_nothing(result, is_filtered=is_filtered)
        say_where_it_is(result, [query])
