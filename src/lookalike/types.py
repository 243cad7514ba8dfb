"""The words that every module shares."""

from __future__ import annotations

import datetime
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Literal, NewType, NoReturn, Self, TypeVar

import numpy as np
import numpy.typing as npt

from lookalike.system.checked_calls import checked
from lookalike.system.short_reprs import repr_of_given

ImageId = NewType("ImageId", int)
"""An image is its content: the first 63 bits of the sha256 of its bytes."""

Vectors = npt.NDArray[np.float32]
"""(n, d) float32, one row an image."""

PixelArray = npt.NDArray[np.uint8]
"""(height, width, 3) uint8, RGB."""

Metric = Literal["cosine", "euclidean"]
"""How vectors are compared. Distances are 1 - cosine, or true euclidean; never squared."""

Ids = npt.NDArray[np.int64]
"""(n,) int64 image ids, or row numbers where no ids were given."""

Near = tuple[Ids, npt.NDArray[np.floating]]
"""Images, the nearest first, and how far each is from the query."""

FieldKind = Literal["number", "text", "date", "boolean", "tags"]
"""What a column of the user's holds."""

FieldValue = float | str | datetime.datetime | bool | list[str]
"""What stands in a column of the user's: a number, a text, a date, yes or no, or tags."""


K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A dict that nobody changes, as many share it; it can be pickled, copied, and written as JSON.

    >>> names = FrozenDict({"kmeans": "owls"})
    >>> names["kmeans"] = "cats"
    Traceback (most recent call last):
    ...
    TypeError: this dict cannot be changed; dict(it) is a copy that can
    """

    __slots__ = ()

    def _refuse(self, *given: object, **named: object) -> NoReturn:
        raise TypeError("this dict cannot be changed; dict(it) is a copy that can")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


def format_id(image_id: int) -> str:
    """Write an id as people and JSON see it: 16 hexadecimal digits.

    >>> format_id(255)
    '00000000000000ff'
    """
    return f"{image_id:016x}"


@dataclass(frozen=True, slots=True)
class Neighbors:
    """The nearest rows to each query, nearest first.

    Attributes
    ----------
    ids : (n_queries, k) int64
        Ids of the hits. A row with fewer than k hits ends in -1.
    distances : (n_queries, k) float32
        True euclidean distances, or 1 - cosine; never squared. Infinite where the id is -1.
    """

    ids: Ids
    distances: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Neighborhoods:
    """All rows within a radius of each query, in compressed form: the counts differ from query to query.

    Attributes
    ----------
    indptr : (n_queries + 1,) int64
        The hits of query i lie at ``indptr[i]:indptr[i + 1]``.
    ids : (n_hits,) int64
    distances : (n_hits,) float32
        Nearest first within each query.
    """

    indptr: npt.NDArray[np.int64]
    ids: Ids
    distances: npt.NDArray[np.float32]

    @classmethod
    def join(cls, hits: Sequence[tuple[Ids, npt.NDArray[np.float32]]]) -> Self:
        """Return the ids and distances of one query after another as one."""
        counts = [0, *(len(ids) for ids, _ in hits)]
        return cls(
            np.cumsum(counts, dtype=np.int64),
            np.concatenate([np.empty(0, np.int64), *(ids for ids, _ in hits)]),
            np.concatenate([np.empty(0, np.float32), *(distances for _, distances in hits)]),
        )

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def __getitem__(self, query: int) -> tuple[Ids, npt.NDArray[np.float32]]:
        query = operator.index(query)
        if not -len(self) <= query < len(self):
            raise IndexError(f"there are only {len(self)} queries")
        query %= len(self)
        hits = slice(self.indptr[query], self.indptr[query + 1])
        return self.ids[hits], self.distances[hits]


def choose_label(given: str | None, clusters: Mapping[str, str], without: str | None = None) -> str | None:
    """Return the label that an image was given if there is one; else the first name of a cluster.

    Parameters
    ----------
    given : str or None
        By hand, or by a folder or data set.
    clusters : mapping of str to str
        Clustering to name, the one changed last first.
    without : str, optional
        A clustering that does not count.

    Examples
    --------
    >>> choose_label(None, {"by-shade": "night", "kmeans": "owls"}, without="by-shade")
    'owls'
    """
    if given is not None:
        return given
    return next((name for clustering, name in clusters.items() if clustering != without), None)


class Pictured:
    """What a notebook shows by a picture, if whoever made it left a way to that: no part of what it says."""

    __slots__ = ("_show",)

    _show: Callable[[Any], str]

    def _repr_html_(self) -> str | None:
        show = getattr(self, "_show", None)
        return None if show is None else show(self)


P = TypeVar("P", bound=Pictured)


def shown_by(thing: P, show: Callable[[P], str]) -> P:
    """Return what notebooks then show by a function that gives HTML; copies of it are not shown so."""
    object.__setattr__(thing, "_show", show)
    return thing


@checked
@dataclass(frozen=True, slots=True, repr=False)
class Hit(Pictured):
    """One answer of a search.

    Attributes
    ----------
    rank : int
        1 for the nearest.
    id : ImageId
    paths : tuple of str
        Every place where this image lies; absolute for files.
    distance : float
        1 - cosine, or euclidean where the model is compared so.
    score : float or None
        The cosine similarity; None for models that are not compared by cosine.
    label : str or None
        The one that was given by hand; else that of the first path's folder, or of the data set; if it has
        none, the name of the cluster that the image is in: of several, in the clustering whose clusters were
        named, merged or changed last.
    folder_label : str or None
        That of the folder or data set alone.
    clusters : mapping of str to str
        The clusters with a name that the image is in: clustering to name, the one changed last first.
    hand_label : str or None
        The one that was given by hand.
    fields : mapping of str to FieldValue
        What the user says of the file at the first path in columns of his own: number, text, datetime, bool,
        or list of tags, by name. They are read when somebody looks.
    keys : tuple of str
        Those that it was added under by call; see `Collection.add`.
    folded : int
        How many near-duplicates were folded into it; see `Collection.search`.
    box : (float, float, float, float) or None
        Where in the picture the region of the query was found: left, top, width and height, as shares of it,
        upright; None where there was none, or the model knows only whole pictures.
    probability : float or None
        How likely it is of the query's kind; see `SearchResult.probabilities`. None where that is not known.
    """

    rank: int
    id: ImageId
    paths: tuple[str, ...]
    distance: float
    score: float | None
    label: str | None
    folder_label: str | None = None
    clusters: Mapping[str, str] = field(default_factory=dict, hash=False)
    hand_label: str | None = None
    fields: Mapping[str, FieldValue] = field(default_factory=dict, hash=False)
    keys: tuple[str, ...] = ()
    folded: int = 0
    box: tuple[float, float, float, float] | None = None
    probability: float | None = None

    def __repr__(self) -> str:
        return repr_of_given(self)

    def label_without(self, clustering: str) -> str | None:
        """Return the label that it would have without a clustering, whose own names say nothing of it."""
        given = self.folder_label if self.hand_label is None else self.hand_label
        return choose_label(given, self.clusters, clustering)

    @property
    def labels(self) -> tuple[str, ...]:
        """Its label, and the names of its clusters, each once."""
        return tuple(dict.fromkeys(([self.label] if self.label else []) + list(self.clusters.values())))

    @property
    def hex_id(self) -> str:
        """The id as people and JSON see it."""
        return format_id(self.id)

    @property
    def path(self) -> str:
        """The first place where this image lies."""
        return self.paths[0]

    @property
    def kept_key(self) -> str | None:
        """The first of its keys, where the file at `path` is the collection's own; else None."""
        file = PurePath(self.path)
        is_kept = file.stem == self.hex_id and file.parts[-4:-2] == (".lookalike", "added")
        return self.keys[0] if self.keys and is_kept else None

    def to_dict(self, path: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON.

        Parameters
        ----------
        path : callable, optional
            Writes a path; as it is, by default.

        Returns
        -------
        dict
            ``probability`` and ``box`` are None where nothing tells how likely it is a look-alike, and where
            in the picture.

        Examples
        --------
        >>> import os
        >>> Hit(1, ImageId(255), ("/photos/a.png",), 0.25, 0.75, "cats").to_dict(os.path.basename)["path"]
        'a.png'
        """
        return {
            "rank": self.rank,
            "path": path(self.path),
            "score": _rounded(self.score),
            "distance": _rounded(self.distance),
            "label": self.label,
            "id": self.hex_id,
            "clusters": dict(self.clusters),
            "paths": [path(each) for each in self.paths],
            "fields": field_documents(self.fields),
            "keys": list(self.keys),
            "probability": _rounded(self.probability),
            "box": None if self.box is None else [round(share, 6) for share in self.box],
            "folded": self.folded,
        }


def field_documents(fields: Mapping[str, FieldValue]) -> dict[str, Any]:
    """Return what the user says of an image as JSON has it: dates as ISO 8601 writes them.

    >>> field_documents({"price": 2.5, "sold": datetime.datetime(2024, 5, 1)})
    {'price': 2.5, 'sold': '2024-05-01T00:00:00'}
    """
    return {
        name: value.isoformat() if isinstance(value, datetime.datetime) else value
        for name, value in fields.items()
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
