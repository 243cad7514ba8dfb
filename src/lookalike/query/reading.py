"""What was given as a query, plainly, made one of its kinds: the one place where a string is understood.

A file or folder that is there wins, then an image of a data set or one that was added by call, then a URL;
all else is words.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, TypeAlias, Union, cast

import numpy as np

from lookalike.errors import InvalidInputError
from lookalike.images.finding.spelling import as_spelled_file
from lookalike.images.formats import FORMATS
from lookalike.query.terms import Example, ImageFile, Pixels, Term, Url, Words
from lookalike.store.schema import ADDED
from lookalike.types import PixelArray

if TYPE_CHECKING:
    from PIL.Image import Image

Query: TypeAlias = Union[Term, str, os.PathLike[str], PixelArray, "Image"]
"""One of the kinds of query; or a file, a URL, words, (height, width, 3) uint8 pixels, or Pillow's image."""

_ADDED = re.compile(rf"{ADDED}:\S")  # a key begins with no blank

IMAGE_ENDINGS = tuple(ending for row in FORMATS for ending in row.extensions)


def read_query(query: Query, datasets: Container[str] = ()) -> Term:
    """Return what was given as the kind of query that it is.

    Parameters
    ----------
    query : Term, path, text, pixels or image
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
    """
    if isinstance(query, Term):
        return query
    if isinstance(query, os.PathLike):
        return ImageFile(query)
    if not isinstance(query, str):
        return Pixels(query)
    if os.path.lexists(as_spelled_file(query)):
        return ImageFile(query)
    if query.partition(":")[0] in datasets or _ADDED.match(query):
        return Example(query)
    if "://" in query:
        return Url(query)
    if _looks_like_example(query):
        return Example(query)
    return Words(query, is_guess=True)


def read_queries(
    name: str, value: Query | Iterable[Query] | None, datasets: Container[str] = ()
) -> tuple[Term, ...]:
    """Return what was given as queries, be it one, several or none.

    Raises
    ------
    InvalidInputError
        If it is neither; `name` is what the caller calls it.
    """
    from PIL import Image as Pillow

    if value is None:
        return ()
    is_pixels = isinstance(value, np.ndarray) and value.ndim <= 3
    if is_pixels or isinstance(value, Term | str | os.PathLike | Pillow.Image):
        return (read_query(cast(Query, value), datasets),)
    if not isinstance(value, Iterable):
        raise InvalidInputError(
            f"{name} is {value!r}; expected an image, words, or a list of them", field=name
        )
    return tuple(read_query(each, datasets) for each in value)


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
