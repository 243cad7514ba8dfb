"""What a search may start from, made into one vector."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union, cast

import numpy as np

from lookalike.embed import MODELS, Embedder, Model, TextEmbedder, base_name, unit_rows
from lookalike.errors import (
    FetchError,
    ImageError,
    InvalidInputError,
    QueryInputError,
    QueryNotFoundError,
    QueryUnreachableError,
)
from lookalike.hints import Hint
from lookalike.images import content_id, decode, make_thumbnail
from lookalike.images.decode import read_file, upright_rgb
from lookalike.images.finding.spelling import as_spelled_file
from lookalike.images.formats import FORMATS
from lookalike.types import ImageId, Metric, Pixels, Vectors

if TYPE_CHECKING:
    from PIL.Image import Image

Query: TypeAlias = Union[str, os.PathLike[str], Pixels, "Image"]
"""A file, a URL, words, (height, width, 3) uint8 pixels, or an image of Pillow's."""

NEGATIVE_WEIGHT = 0.5
"""How hard what is not wanted pushes, against how hard what is wanted pulls."""

_IMAGE_ENDINGS = tuple(ending for row in FORMATS for ending in row.extensions)


@dataclass(frozen=True, slots=True)
class EmbeddedQuery:
    """A query, ready to search with.

    Attributes
    ----------
    name : str
        What to call it: a file name, a URL, the words, or "pixels".
    vector : (d,) float32
    id : ImageId or None
        Of its content; None for pixels and words.
    thumbnail : PIL.Image.Image or None
        None where the collection has one, and for words.
    is_text : bool
        Whether it is words.
    """

    name: str
    vector: Vectors
    id: ImageId | None = None
    thumbnail: Image | None = None
    is_text: bool = False


def embed_query(
    query: Query,
    model: Model,
    load_embedder: Callable[[], Embedder],
    stored: Callable[[ImageId], Vectors | None],
    allow_private: bool = False,
    models: Iterable[str] = (),
) -> EmbeddedQuery:
    """Turn a query into a vector.

    Parameters
    ----------
    query : path, URL, words, pixels or image
        Words are what names no file, and does not look as if it were to; an empty text is none.
    model : Model
    load_embedder : callable
        Gives the model, loaded; not called where the collection has the image already.
    stored : callable
        Gives the vector that the collection has of an image, or None.
    allow_private : bool
        Whether a URL may name an address of the local network.
    models : iterable of str
        The names of all models that the images searched among are embedded with: what to name where this
        one does not know words.

    Raises
    ------
    QueryError
        If it is no image, no file, or words that the model does not know.
    """
    if isinstance(query, str) and _is_text(query):
        if names_dataset_image(query):
            raise QueryNotFoundError(f"there is no image {query}: the data set is not in this collection")
        if not model.has_text:
            raise _no_words(query, model.name, models)
        _check_words(query)
        knows_text = cast(TextEmbedder, load_embedder())
        return EmbeddedQuery(query, knows_text.embed_text([query])[0], is_text=True)
    if not isinstance(query, str | os.PathLike):
        picture, name, image = _from_memory(query), "pixels", None
    else:
        name = os.path.basename(os.fspath(query)) or os.fspath(query)
        try:
            data = _read(os.fspath(query), allow_private)
            image, _ = content_id(data)
            vector = stored(image)
            if vector is not None:
                return EmbeddedQuery(name, vector, image)
            picture = decode(data, os.fspath(query), model.decode_side).image
        except FetchError as error:
            raise QueryUnreachableError(f"the query cannot be fetched: {error}", hint=error.hint) from error
        except ImageError as error:
            raise QueryInputError(f"the query cannot be read: {error}") from error
    embedder = load_embedder()
    vector = embedder.embed(embedder.prepare(picture)[None])[0]
    return EmbeddedQuery(name, vector, image, make_thumbnail(picture))


def combine(
    wanted: Sequence[EmbeddedQuery], unwanted: Sequence[EmbeddedQuery] = (), metric: Metric = "cosine"
) -> Vectors:
    """Make several queries one: the mean of what is wanted, moved away from the mean of what is not.

    Returns
    -------
    (1, d) float32
        A unit row for cosine: directions are subtracted. For euclidean distances the point moves on the line
        between the two means.

    References
    ----------
    J. Rocchio, "Relevance feedback in information retrieval", 1971; C. Manning, P. Raghavan, H. Schütze,
    "Introduction to Information Retrieval", 2008, section 9.1.1.
    """
    if not wanted:
        raise QueryInputError("there is nothing to search for")
    vector = np.mean([query.vector for query in wanted], axis=0)
    if unwanted:
        push = np.mean([query.vector for query in unwanted], axis=0)
        vector = vector - NEGATIVE_WEIGHT * (push if metric == "cosine" else push - vector)
    if metric == "euclidean":
        return np.asarray(vector[None], np.float32)
    longest = max(np.linalg.norm(query.vector) for query in wanted)
    if np.linalg.norm(vector) <= 1e-5 * longest:  # what is left is rounding
        raise QueryInputError("the queries cancel each other out", hint="search for them one by one")
    return unit_rows(vector[None])


def several_queries(name: str, value: Query | Iterable[Query] | None) -> tuple[Query, ...]:
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
    if is_pixels or isinstance(value, str | os.PathLike | Pillow.Image):
        return (cast(Query, value),)
    if not isinstance(value, Iterable):
        raise InvalidInputError(
            f"{name} is {value!r}; expected an image, words, or a list of them", field=name
        )
    return tuple(value)


def names_file(query: str) -> bool:
    """Tell whether a query looks as if it named a file, whether that is there or not.

    >>> names_file("photos/beach"), names_file("beach.JPG"), names_file("a beach"), names_file("http://a/b.png")
    (True, True, False, False)
    """
    separators = [os.sep, *filter(None, [os.altsep])]
    is_path = query.lower().endswith(_IMAGE_ENDINGS) or any(separator in query for separator in separators)
    return is_path and "://" not in query


def names_dataset_image(query: str) -> bool:
    """Tell whether a query has the form of an image of a data set.

    >>> names_dataset_image("fashion-mnist:test/42"), names_dataset_image("photos/42")
    (True, False)
    """
    return re.fullmatch(r"[\w-]+:\w+/\d+", query) is not None


def _from_memory(query: Pixels | Image) -> Image:
    from PIL import Image as Pillow

    if isinstance(query, Pillow.Image):
        if 0 in query.size:
            raise QueryInputError(
                f"the query has {query.width} × {query.height} pixels; expected at least one"
            )
        try:
            return upright_rgb(query)
        except Exception as error:  # Pillow reads a file only now, and raises nearly anything where it is bad
            raise QueryInputError(f"the query cannot be read: {error}") from error
    pixels = np.asarray(query)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise QueryInputError(
            f"the query is {pixels.dtype} of shape {pixels.shape}; expected uint8 of shape (height, width, 3)"
        )
    return Pillow.fromarray(pixels)


def _is_text(query: str) -> bool:
    """Tell whether a query is to be understood as words."""
    return "://" not in query and not os.path.lexists(as_spelled_file(query))


def _check_words(query: str) -> None:
    """Refuse what was hardly meant as words: a slip of the pen must not get an answer."""
    if not query.strip():
        raise QueryInputError("the query is empty; expected an image file, a URL, or words")
    if query.lower().endswith(_IMAGE_ENDINGS):
        raise QueryNotFoundError(f"there is no file {query!r}; what ends like an image file is taken for one")


def _no_words(query: str, model: str, models: Iterable[str]) -> QueryInputError:
    with_text = [row.name for row in MODELS if row.has_text]
    here = [name for name in models if (base_name(name) or name) in with_text]
    if here:
        hint = Hint("take_model", models=", ".join(here), model=here[0])
    else:
        hint = Hint("models_with_text", models=", ".join(with_text))
    return QueryInputError(
        f"there is no file {query!r}, and words cannot be searched for: the model {model} knows only images",
        hint=hint,
    )


def _read(query: str, allow_private: bool) -> bytes:
    if "://" in query:
        from lookalike.images.fetch import fetch

        return fetch(query, allow_private=allow_private)
    if os.path.isdir(query):  # not Path.is_dir, which raises where words are longer than a name can be
        raise QueryInputError(f"the query {query} is a folder; expected an image file or a URL")
    return read_file(Path(as_spelled_file(query)))
