"""What users name when they say something: images, queries, pairs, sets and labels, checked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.collection.places import Places
from lookalike.collection.stored.edits import PairKey, as_ids
from lookalike.errors import InvalidInputError, QueryNotFoundError
from lookalike.images.finding.spelling import as_typed
from lookalike.query.reading import Query, read_query
from lookalike.query.terms import Example, ImageFile, ImageRef, Pixels, Term, Vector, read_id
from lookalike.results.browsing import BrowseResult
from lookalike.results.hits import Hits
from lookalike.results.search import SearchResult
from lookalike.system.checked_calls import check_path, shown
from lookalike.types import Hit, Ids, ImageId, format_id

ImageName: TypeAlias = "ImageId | int | str | os.PathLike[str] | Hit"
"""An image: its id, as a number or 16 hexadecimal digits; a path, or a name such as mnist:test/42; a hit."""

Images: TypeAlias = "ImageName | Iterable[ImageName] | Ids | Hits | SearchResult | BrowseResult"
"""One image or several, a whole result among them."""

_ID = re.compile("[0-9a-fA-F]{16}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_LONGEST = 200  # letters of a label or of a set's name


def read_images(places: Places, images: Images) -> Ids:
    """Return the images that are named, each once: (n,) int64.

    Ids that are numbers need not be those of images that are in the collection: they may come, or come back.

    Raises
    ------
    InvalidInputError
        If something is no image's name.
    QueryError
        If a text is neither path nor id of an image of the collection, or of one of which something was said.
    """
    if isinstance(images, SearchResult | BrowseResult):
        images = images.hits
    if isinstance(images, Hits):
        return as_ids(images.ids.tolist())
    if isinstance(images, np.ndarray):
        return as_ids(_checked_array(images).tolist())
    if isinstance(images, int | np.integer | str | os.PathLike | Hit):
        images = [images]
    if not isinstance(images, Iterable) or isinstance(images, bytes | bytearray | Mapping):
        raise InvalidInputError(
            f"images is {shown(images)}; expected ids, paths, hits, or a result", field="images"
        )
    named = list(images)
    ids = [_read(places, each) for each in named]
    _check_known(places, {name: image for name, image in zip(named, ids, strict=True) if _is_text(name)})
    return as_ids(ids)


def read_image(places: Places, image: object) -> ImageId:
    """Return the image that is named; see `read_images`."""
    found = _read(places, image)
    _check_known(places, {image: found} if _is_text(image) else {})
    return found


def _is_text(name: object) -> bool:
    return isinstance(name, str | os.PathLike)


def _check_known(places: Places, images: Mapping[object, ImageId]) -> None:
    """Raise QueryError unless images are in the collection, or something was said of them."""
    there = places.of_images(set(images.values())) if images else {}
    missing = {name: image for name, image in images.items() if image not in there}
    said = places.snapshot.said.images if missing else frozenset()
    for name, image in missing.items():
        if image not in said:
            raise QueryNotFoundError(f"{name} is no image of this collection")


def _read(places: Places, image: object) -> ImageId:
    if isinstance(image, Hit):
        return image.id
    if isinstance(image, ImageRef):
        return ImageId(int(image.id))
    if isinstance(image, str | os.PathLike):
        name = check_path("image", image)
        is_id = _ID.fullmatch(name) and not os.path.lexists(name)
        return read_id(name) if is_id else places.find(name)
    return read_id(image)


def _checked_array(ids: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if ids.ndim != 1 or not (np.issubdtype(ids.dtype, np.integer) or not ids.size):
        raise InvalidInputError(
            f"images is an array of {ids.dtype} and shape {ids.shape}; expected (n,) int64 ids",
            field="images",
        )
    if ids.size and (ids.min() < 0 or ids.max() > np.iinfo(np.int64).max):
        raise InvalidInputError("images holds numbers that are no ids of images", field="images")
    return ids


def read_judged_query(places: Places, query: Query) -> Term:
    """Return a query as judgments keep it: files and examples as images of the collection, no weight.

    Raises
    ------
    InvalidInputError
        If it is pixels or a vector: nobody could tell later what they were.
    QueryError
        If it names an image that is not there.
    """
    if isinstance(query, int | np.integer | Hit):
        return ImageRef(read_image(places, query))
    if isinstance(query, str) and _ID.fullmatch(query) and not os.path.lexists(query):
        return ImageRef(query)
    term = read_query(query, places.datasets)
    if isinstance(term, Pixels | Vector):
        raise InvalidInputError(
            f"the query is given by {term.kind}, which is not kept; expected an image, words or a URL",
            field="query",
        )
    if isinstance(term, ImageFile | Example):
        name = term.path if isinstance(term, ImageFile) else term.name
        return ImageRef(places.find(os.fspath(name)), region=term.region)
    return term


def read_pair(places: Places, a: object, b: object) -> tuple[PairKey, str]:
    """Return the key of a pair, and which of the two is its first.

    Two paths of one image are a pair of stored paths; all else are two images.

    Raises
    ------
    InvalidInputError
        If both are the same.
    QueryError
        If a path is that of no image of the collection.
    """
    images = [read_image(places, each) for each in (a, b)]
    names = [format_id(image) for image in images]
    if images[0] == images[1]:
        names = [_stored_path(places, each) for each in (a, b)]
    if names[0] == names[1] or not all(names):
        raise InvalidInputError(
            f"a and b are both {a}; expected two images, or two places of one image", field="b"
        )
    first, second = sorted(names)
    return (first, second), names[0]


def _stored_path(places: Places, name: object) -> str:
    """Return the stored path that a user named; empty if it is none."""
    if not isinstance(name, str | os.PathLike):
        return ""
    text = os.fspath(name)
    return text if text.partition(":")[0] in places.datasets else places.stored(text)


def check_label(name: str, text: object) -> str:
    """Return a label, or the name of a set, checked to be a line of text."""
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST or _CONTROL.search(text):
        raise InvalidInputError(
            f"{name} is {shown(text)}; expected a line of text, up to {_LONGEST} letters", field=name
        )
    return as_typed(text.strip())


def check_models(models: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of models, checked to be texts; they need not be there any more."""
    names = (models,) if isinstance(models, str) else models
    if not isinstance(names, Iterable) or not all(isinstance(name, str) and name for name in names):
        raise InvalidInputError(f"models is {shown(models)}; expected names of models", field="models")
    return tuple(dict.fromkeys(names))


def missing(places: Places, images: Ids) -> int:
    """Return how many images are not in the collection."""
    return int((~np.isin(images, places.snapshot.images.ids)).sum())
