"""What a search starts from, made into one vector."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast

import numpy as np

from lookalike.embed import MODELS, Embedder, Model, TextEmbedder, base_name, incomparable, unit_rows
from lookalike.errors import (
    FetchError,
    ImageError,
    QueryConflictError,
    QueryInputError,
    QueryNotFoundError,
    QueryUnreachableError,
)
from lookalike.hints import Hint
from lookalike.images import content_id, decode, make_thumbnail
from lookalike.images.decode import read_file
from lookalike.images.finding.spelling import as_spelled_file
from lookalike.images.rgb import to_small_rgb
from lookalike.query.reading import IMAGE_ENDINGS
from lookalike.query.terms import (
    Example,
    ImageFile,
    ImageRef,
    PictureTerm,
    Pixels,
    Region,
    Term,
    Url,
    Vector,
    Words,
)
from lookalike.types import ImageId, Metric, Vectors, format_id

if TYPE_CHECKING:
    from PIL.Image import Image

NEGATIVE_WEIGHT = 0.5
"""How hard what is not wanted pushes, against how hard what is wanted pulls, at equal weights."""

Source: TypeAlias = Literal["picture", "thumbnail"]
"""What a region is cut from: the picture as it is, or the thumbnail that the collection has of it."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedQuery:
    """A query, ready to search with.

    Attributes
    ----------
    name : str
        What to call it: a file name, a URL, the words, "pixels", or "vector".
    vector : (d,) float32
    id : ImageId or None
        Of its content; None for pixels, words and vectors.
    thumbnail : PIL.Image.Image or None
        None where the collection has one, and for words and vectors.
    is_text : bool
        Whether it is words.
    weight : float
        How much it counts beside others.
    cut_from : {"picture", "thumbnail"} or None
        What its region was cut from; None where the whole picture was asked for. It is the thumbnail for an
        image of the collection whose file is not there any more, and for one of a data set.
    """

    name: str
    vector: Vectors = field(repr=False)
    id: ImageId | None = None
    thumbnail: Image | None = field(default=None, repr=False)
    is_text: bool = False
    weight: float = 1.0
    cut_from: Source | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON, without the vector and the picture."""
        return {
            "name": self.name,
            "id": None if self.id is None else format_id(self.id),
            "weight": self.weight,
            "cut_from": self.cut_from,
        }

    def __eq__(self, other: object) -> bool:
        """Tell whether the same was asked."""
        if not isinstance(other, EmbeddedQuery):
            return NotImplemented
        return self._facts() == other._facts() and np.array_equal(self.vector, other.vector)

    def __hash__(self) -> int:
        return hash(self._facts())

    def _facts(self) -> tuple[object, ...]:
        return self.name, self.id, self.is_text, self.weight, self.cut_from


class StoredImages(Protocol):
    """The images that a collection has embedded with a model."""

    @property
    def models(self) -> Iterable[str]:
        """The names of all models that these images are embedded with."""
        ...

    def vector_of(self, image: ImageId) -> Vectors | None:
        """Return the vector of an image, (d,) float32; None if there is none."""
        ...

    def find(self, term: ImageRef | Example) -> tuple[ImageId, str]:
        """Return the image that is meant, and what to call it.

        Raises
        ------
        QueryError
            If there is no such image.
        """
        ...

    def picture_of(self, image: ImageId) -> tuple[Image, Source]:
        """Return the picture from its file, where that is there, else its thumbnail; and which."""
        ...


def embed_query(
    term: Term,
    model: Model,
    load_embedder: Callable[[], Embedder],
    stored: StoredImages,
    allow_private: bool = False,
) -> EmbeddedQuery:
    """Turn a query into a vector.

    Parameters
    ----------
    term : Term
    model : Model
    load_embedder : callable
        Gives the model, loaded; not called where the collection has the image, and all of it is meant.
    stored : StoredImages
    allow_private : bool
        Whether a URL may name an address of the local network.

    Raises
    ------
    QueryError
        If it is no image, no file, not in the collection, a vector of another dimension, or words that the
        model does not know.
    """
    if isinstance(term, Words):
        _check_words(term, model, stored.models)
        knows_text = cast(TextEmbedder, load_embedder())
        vector = knows_text.embed_text([term.words])[0]
        return EmbeddedQuery(term.words, vector, is_text=True, weight=term.weight)
    if isinstance(term, Vector):
        return EmbeddedQuery("vector", _fit_vector(term, model), weight=term.weight)
    if isinstance(term, ImageRef | Example):
        return _embed_stored(term, model, load_embedder, stored)
    if isinstance(term, Pixels) and term.file is None:
        return _embed_picture(_as_decoded(term, model), "pixels", None, term, load_embedder)
    if not isinstance(term, ImageFile | Url | Pixels):
        raise TypeError(f"there is no way to embed {term!r}")
    return _embed_file(term, model, load_embedder, stored, allow_private)


def _embed_file(
    term: ImageFile | Url | Pixels,
    model: Model,
    load_embedder: Callable[[], Embedder],
    stored: StoredImages,
    allow_private: bool,
) -> EmbeddedQuery:
    """Embed a picture from the bytes of its file; the collection may have it."""
    if isinstance(term, Pixels):
        location = name = "pixels"
    else:
        location = os.fspath(term.path) if isinstance(term, ImageFile) else term.url
        name = os.path.basename(location) or location
    try:
        data = read_file_of(term, allow_private)
        image, _ = content_id(data)
        found = stored.vector_of(image) if term.region is None else None
        if found is not None:
            return EmbeddedQuery(name, found, image, weight=term.weight)
        picture = decode(data, location, _side(term, model)).image
    except FetchError as error:
        raise QueryUnreachableError(f"the query cannot be fetched: {error}", hint=error.hint) from error
    except ImageError as error:
        if isinstance(term, ImageFile) and not os.path.lexists(location):
            raise QueryNotFoundError(f"there is no file {location!r}") from error
        raise QueryInputError(f"the query cannot be read: {error}") from error
    return _embed_picture(picture, name, image, term, load_embedder)


def _side(term: PictureTerm, model: Model) -> int | None:
    """Return how much of a picture is wanted, as `decode` has it: all of it, where a region is cut out."""
    return model.decode_side if term.region is None else None


def _as_decoded(term: Pixels, model: Model) -> Image:
    """Return pixels as their file would be decoded: one picture has one vector, however it is given."""
    from PIL import Image as Pillow

    return to_small_rgb(Pillow.fromarray(term.array), _side(term, model))


def combine(
    wanted: Sequence[EmbeddedQuery], unwanted: Sequence[EmbeddedQuery] = (), metric: Metric = "cosine"
) -> Vectors:
    """Make several queries one: the mean of what is wanted, moved away from the mean of what is not.

    The means are by weight, and the heavier what is not wanted is on average, against what is, the farther it
    moves.

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
    if len(wanted) == 1 and not unwanted and wanted[0].vector.any():
        alone = wanted[0].vector[None]
        return unit_rows(alone) if metric == "cosine" else alone
    weighted, weight = _weigh(wanted)
    vector = np.mean(weighted, axis=0)
    if unwanted:
        against, its_weight = _weigh(unwanted)
        push = np.mean(against, axis=0)
        strength = NEGATIVE_WEIGHT * its_weight / weight
        vector = vector - strength * (push if metric == "cosine" else push - vector)
    if metric == "euclidean":
        return np.asarray(vector[None], np.float32)
    longest = np.linalg.norm(weighted, axis=1).max()
    if np.linalg.norm(vector) <= 1e-5 * longest:  # what is left is rounding
        raise QueryInputError("the queries cancel each other out", hint="search for them one by one")
    return unit_rows(vector[None])


def _weigh(queries: Sequence[EmbeddedQuery]) -> tuple[Vectors, float]:
    """Return (n, d) vectors times their weights, which are 1 on average, and what they were on average."""
    weights = np.array([query.weight for query in queries])
    mean = float(weights.mean())
    shares = (weights / mean).astype(np.float32)  # of equal weights exactly 1
    return np.array([query.vector for query in queries]) * shares[:, None], mean


def cut(picture: Image, region: Region) -> Image:
    """Cut a region out of a picture; at least one pixel.

    >>> from PIL import Image
    >>> cut(Image.new("RGB", (200, 100)), (0.5, 0, 0.25, 1)).size
    (50, 100)
    """
    x, y, width, height = region
    left, right = _between(x, width, picture.width)
    top, bottom = _between(y, height, picture.height)
    return picture.crop((left, top, right, bottom))


def _between(start: float, length: float, n: int) -> tuple[int, int]:
    first = min(round(start * n), n - 1)
    return first, min(max(round((start + length) * n), first + 1), n)


def _embed_stored(
    term: ImageRef | Example, model: Model, load_embedder: Callable[[], Embedder], stored: StoredImages
) -> EmbeddedQuery:
    image, name = stored.find(term)
    if term.region is not None:
        picture, source = stored.picture_of(image)
        return _embed_picture(picture, name, image, term, load_embedder, source)
    vector = stored.vector_of(image)
    if vector is None:
        raise QueryConflictError(f"{name} is not embedded with {model.name} yet", hint="index it first")
    return EmbeddedQuery(name, vector, image, weight=term.weight)


def _embed_picture(
    picture: Image,
    name: str,
    image: ImageId | None,
    term: PictureTerm,
    load_embedder: Callable[[], Embedder],
    source: Source = "picture",
) -> EmbeddedQuery:
    """Embed a picture, or its region; `source` is what the picture is."""
    if term.region is not None:
        picture = cut(picture, term.region)
    embedder = load_embedder()
    vectors = embedder.embed(embedder.prepare(picture)[None])
    reasons = incomparable(vectors, embedder.model)
    if reasons:
        raise QueryInputError(f"{name} cannot be searched for: {reasons[0]}")
    cut_from = None if term.region is None else source
    return EmbeddedQuery(
        name, vectors[0], image, make_thumbnail(picture), weight=term.weight, cut_from=cut_from
    )


def _fit_vector(term: Vector, model: Model) -> Vectors:
    """Return a vector as the model would give it."""
    vector = term.array
    if len(vector) != model.dimension:
        raise QueryInputError(
            f"the vector has {len(vector):,} dimensions; the model {model.name} has {model.dimension:,}",
            field="vector",
        )
    if model.metric == "euclidean":
        return vector
    if not vector.any():
        raise QueryInputError("the vector is all zeros, which is no direction", field="vector")
    # In float64, where the square of no float32 is too large or too small.
    lengths = np.linalg.norm(vector.astype(np.float64))
    return np.asarray(vector / lengths, np.float32)


def _check_words(term: Words, model: Model, models: Iterable[str]) -> None:
    """Refuse words that the model does not know, and what was hardly meant as words.

    A slip of the pen must not get an answer.
    """
    if not model.has_text:
        raise _no_words(term, model.name, models)
    check_meant(term)


def check_meant(term: Words) -> None:
    """Refuse what was hardly meant as words: nothing, or what is called like a file.

    Raises
    ------
    QueryError
    """
    if not term.words.strip():
        raise QueryInputError("the query is empty; expected an image file, a URL, or words")
    if term.is_guess and term.words.lower().endswith(IMAGE_ENDINGS):
        raise QueryNotFoundError(
            f"there is no file {term.words!r}; what ends like an image file is taken for one"
        )


def _no_words(term: Words, model: str, models: Iterable[str]) -> QueryInputError:
    with_text = [row.name for row in MODELS if row.has_text]
    here = [name for name in models if (base_name(name) or name) in with_text]
    if here:
        hint = Hint("take_model", models=", ".join(here), model=here[0])
    else:
        hint = Hint("models_with_text", models=", ".join(with_text))
    no_file = f"there is no file {term.words!r}, and " if term.is_guess else ""
    return QueryInputError(
        f"{no_file}words cannot be searched for: the model {model} knows only images", hint=hint
    )


def read_file_of(term: ImageFile | Url | Pixels, allow_private: bool) -> bytes:
    """Read the file of a picture, from wherever it is; of pixels a PNG.

    Raises
    ------
    QueryInputError
        If it is a folder.
    ImageError, FetchError
        If it cannot be read.
    """
    if isinstance(term, Pixels):
        return term.as_file()
    if isinstance(term, Url):
        from lookalike.images.fetch import fetch

        return fetch(term.url, allow_private=allow_private)
    path = os.fspath(term.path)
    if os.path.isdir(path):  # not Path.is_dir, which raises where words are longer than a name can be
        raise QueryInputError(f"the query {path} is a folder; expected an image file or a URL")
    return read_file(Path(as_spelled_file(path)))
