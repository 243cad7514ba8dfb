"""What was given as a query, plainly, made one of its kinds: the one place where a string is understood.

A file or folder that is there wins, then an image of a data set or one that was added by call, then a URL;
all else is words.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, TypeAlias, Union, cast

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError, QueryInputError
from lookalike.images.finding.spelling import as_spelled_file
from lookalike.images.formats import FORMATS
from lookalike.query.checking import is_list, is_number
from lookalike.query.pictures import as_array, describe_kind, is_picture
from lookalike.query.terms import Example, ImageFile, ImageRef, Pixels, Term, Url, Vector, Words
from lookalike.store.schema import ADDED
from lookalike.types import Hit, ImageId

if TYPE_CHECKING:
    from PIL.Image import Image

Query: TypeAlias = Union[
    Term, Hit, str, int, os.PathLike[str], bytes, IO[bytes], npt.NDArray[Any], Sequence[float], "Image"
]
"""One of the kinds of query; or a file, a URL, words, a hit, an id, a picture in memory, or a vector."""

_ADDED = re.compile(rf"{ADDED}:\S")  # a key begins with no blank

IMAGE_ENDINGS = tuple(ending for row in FORMATS for ending in row.extensions)

_EXPECTED = "an image file, a URL, words, a hit, an id, a vector, a picture in memory, or a list of these"


def read_query(query: Query, datasets: Container[str] = ()) -> Term:
    """Return what was given as the kind of query that it is.

    Arrays of one dimension are vectors, all others pictures.

    Parameters
    ----------
    query : Term, path, text, hit, id, picture in memory, or vector
    datasets : container of str
        The names of the data sets of the collection.

    Raises
    ------
    QueryError
        If it is nothing of these.

    Examples
    --------
    >>> read_query("mnist:test/42"), read_query("a red car")
    (Example(weight=1.0, region=None, name='mnist:test/42'), Words(weight=1.0, words='a red car'))
    >>> read_query([0.5, 1]).array
    array([0.5, 1. ], dtype=float32)
    """
    if isinstance(query, Term):
        return query
    if isinstance(query, Hit):
        return ImageRef(query.id)
    if isinstance(query, os.PathLike):
        return ImageFile(query)
    if isinstance(query, str):
        return _read_text(query, datasets)
    if isinstance(query, int | np.integer) and not isinstance(query, bool):
        return ImageRef(ImageId(int(query)))
    if is_picture(query):
        return Pixels(cast(Any, query))
    if not (hasattr(query, "__array__") or _are_numbers(query)):
        raise _refused(query)
    array = as_array(query)
    if array.ndim > 1:
        return Pixels(array)
    if array.ndim != 1 or array.dtype.kind != "f":
        raise _refused(array)
    try:
        return Vector(array)
    except InvalidInputError as error:
        raise QueryInputError(str(error), hint=error.hint, field=error.field) from error


def read_queries(
    name: str, value: Query | Iterable[Query] | None, datasets: Container[str] = ()
) -> tuple[Term, ...]:
    """Return what was given as queries, be it one, several or none.

    Lists, results, arrays of ids and of pictures are several; lists of numbers that are not all whole are a
    vector.

    Raises
    ------
    QueryError
        If it is neither, or one of them is none.
    """
    if value is None:
        return ()
    if _is_one(value):
        return (read_query(cast(Query, value), datasets),)
    if not isinstance(value, Iterable) or isinstance(value, Mapping):
        raise _refused(value, name)
    return tuple(read_query(cast(Query, each), datasets) for each in value)


def _is_one(value: Any) -> bool:
    """Tell whether something is one query, or what can be none, but not several."""
    if isinstance(value, Term | Hit | str | os.PathLike | int | np.generic) or is_picture(value):
        return True
    if not hasattr(value, "__array__"):
        return _are_numbers(value) and not all(isinstance(each, int | np.integer) for each in value)
    array = as_array(value)
    if array.ndim == 1:
        are_ids = array.dtype.kind in "iu" and array.dtype.itemsize >= 4
        return not (are_ids or array.dtype.kind in "OU")
    return array.ndim < 4


def _are_numbers(value: Any) -> bool:
    """Tell whether something is a list of nothing but numbers."""
    return is_list(value) and len(value) > 0 and all(is_number(each) for each in value)


def _refused(value: Any, name: str = "the query") -> QueryInputError:
    return QueryInputError(
        f"{name} is {describe_kind(value)}; expected {_EXPECTED}",
        field=None if name == "the query" else name,
    )


def _read_text(query: str, datasets: Container[str]) -> Term:
    if os.path.lexists(as_spelled_file(query)):
        return ImageFile(query)
    if query.partition(":")[0] in datasets or _ADDED.match(query):
        return Example(query)
    if "://" in query:
        return Url(query)
    if _looks_like_example(query):
        return Example(query)
    return Words(query, is_guess=True)


def names_example(query: str, datasets: Container[str]) -> bool:
    """Tell whether a text names an image of one of these data sets, and no file that is there."""
    term = read_query(query, datasets)
    return isinstance(term, Example) and query.partition(":")[0] in datasets


def names_path(query: str) -> bool:
    """Tell whether a text names a file or folder, or looks as if it did, be that there or not.

    >>> names_path("photos/beach"), names_path("beach.JPG"), names_path("a beach"), names_path("http://a/b.png")
    (True, True, False, False)
    """
    term = read_query(query)
    return isinstance(term, ImageFile) or (isinstance(term, Words) and _looks_like_path(query))


def is_bare_query(word: str) -> bool:
    """Tell whether a word, where a command was expected, can only be a query: a file, or a URL."""
    term = read_query(word)
    return isinstance(term, Url) or (isinstance(term, ImageFile) and os.path.isfile(word))


def _looks_like_path(query: str) -> bool:
    separators = [os.sep, *filter(None, [os.altsep])]
    return query.lower().endswith(IMAGE_ENDINGS) or any(separator in query for separator in separators)


def _looks_like_example(query: str) -> bool:
    return re.fullmatch(r"[\w-]+:\w+/\d+", query) is not None
