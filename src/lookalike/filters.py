"""Which images a search is about: by size, shape, sharpness, format, label, folder, split."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from lookalike.errors import InvalidInputError, QueryError
from lookalike.images.formats import FORMATS
from lookalike.images.spelling import as_typed, composed, label_spellings
from lookalike.store import Store, sql_literal
from lookalike.types import Ids

Shape = Literal["landscape", "portrait", "square"]

SQUARE = 1.05
"""Up to this ratio of the longer side to the shorter an image is square: 1000 × 1003 is, to the eye."""

_BOUNDED = {
    "size": "CAST(least(width, height) AS DOUBLE)",
    "width": "CAST(width AS DOUBLE)",
    "height": "CAST(height AS DOUBLE)",
    "megapixels": "(CAST(width AS DOUBLE) * height / 1e6)",
    "aspect": "(CAST(width AS DOUBLE) / height)",
    "sharpness": "sharpness",
}
"""What has a least and a largest value, as SQL over the table of images; Lance compares like types only."""

_LANDSCAPE, _PORTRAIT = f"width > height * {SQUARE}", f"height > width * {SQUARE}"
_SHAPES = {
    "landscape": _LANDSCAPE,
    "portrait": _PORTRAIT,
    "square": f"NOT ({_LANDSCAPE}) AND NOT ({_PORTRAIT})",
}
_FORMATS = {ending.lstrip("."): row.name for row in FORMATS for ending in row.extensions} | {
    name.lower(): name for name in (*(row.name for row in FORMATS), "PIXELS")
}
_SPLITS = ("train", "test")
_NOTHING: Mapping[str, Ids] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which images may be hits; all of it must hold, and what is not given holds for all.

    Attributes
    ----------
    min_size, max_size : float
        Of the shorter side, pixels.
    min_width, max_width, min_height, max_height : float
        Pixels.
    min_megapixels, max_megapixels : float
    min_aspect, max_aspect : float
        Width over height.
    shape : {"landscape", "portrait", "square"}
        Square is what has sides within 5 % of each other.
    min_sharpness, max_sharpness : float
        See `lookalike.images.sharpness`: the variance of the Laplacian.
    formats : sequence of str
        Any of these: ``jpeg``, ``png``, …; upper or lower case, file name endings too.
    labels : sequence of str
        Any of these: labels of folders and data sets, and names that the user gave to clusters.
    folders : sequence of path
        Below any of these; for a data set ``mnist:test`` or ``mnist``.
    split : {"train", "test"}
        Of a data set.

    Raises
    ------
    InvalidInputError
        If no image could ever pass, or a word is not known.

    Examples
    --------
    >>> Filter(min_size=600, shape="portrait").of_images
    'CAST(least(width, height) AS DOUBLE) >= 600.0 AND height > width * 1.05'
    >>> Filter(labels=["dog's"]).of_files
    "label IN ('dog''s')"
    """

    min_size: float | None = None
    max_size: float | None = None
    min_width: float | None = None
    max_width: float | None = None
    min_height: float | None = None
    max_height: float | None = None
    min_megapixels: float | None = None
    max_megapixels: float | None = None
    min_aspect: float | None = None
    max_aspect: float | None = None
    shape: Shape | None = None
    min_sharpness: float | None = None
    max_sharpness: float | None = None
    formats: Sequence[str] = ()
    labels: Sequence[str] = ()
    folders: Sequence[str | os.PathLike[str]] = ()
    split: str | None = None

    def __post_init__(self) -> None:
        for name in _BOUNDED:
            low = _check_bound(f"the least {name} (min_{name})", getattr(self, f"min_{name}"))
            high = _check_bound(f"the greatest {name} (max_{name})", getattr(self, f"max_{name}"))
            if low is not None and high is not None and low > high:
                raise InvalidInputError(
                    f"the least {name} (min_{name}) is {low:g} and the greatest (max_{name}) {high:g}:"
                    " no image can be both"
                )
        _check_word("shape", self.shape, get_args(Shape))
        _check_word("split", self.split, _SPLITS)
        object.__setattr__(self, "formats", tuple(map(_check_format, _words("formats", self.formats))))
        object.__setattr__(self, "labels", tuple(map(as_typed, _words("labels", self.labels))))
        object.__setattr__(self, "folders", _paths("folders", self.folders))

    @property
    def of_images(self) -> str | None:
        """What must hold for a row of the table of images, as SQL; None if anything may."""
        conditions = [
            f"{column} {comparison} {float(bound)!r}"
            for name, column in _BOUNDED.items()
            for end, comparison in (("min", ">="), ("max", "<="))
            if (bound := getattr(self, f"{end}_{name}")) is not None
        ]
        if self.shape is not None:
            conditions.append(_SHAPES[self.shape])
        if self.formats:
            conditions.append(_among("format", self.formats))
        return " AND ".join(conditions) or None

    @property
    def of_files(self) -> str | None:
        """What must hold for a row of the table of files, but its folder, as SQL; None if anything may."""
        return self.of_files_below(())

    def of_files_below(self, beginnings: Sequence[str]) -> str | None:
        """Return what must hold for a row of the table of files, as SQL; None if anything may.

        Parameters
        ----------
        beginnings : sequence of str
            What stored paths in `folders` begin with, any of these; none, if there is no such condition.
        """
        spellings = [each for label in self.labels for each in label_spellings(label)]
        conditions = [_among("label", spellings)] if spellings else []
        if beginnings:
            below = " OR ".join(f"starts_with(path, {sql_literal(start)})" for start in beginnings)
            conditions.append(f"({below})")
        if self.split is not None:
            conditions.append(f"split = {sql_literal(self.split)}")
        return " AND ".join(conditions) or None

    @property
    def needs_sharpness(self) -> bool:
        """Whether it asks for what collections of format 1 do not know."""
        return self.min_sharpness is not None or self.max_sharpness is not None

    def with_split(self, split: str | None) -> Filter:
        """Return a filter that also asks for a split.

        Raises
        ------
        InvalidInputError
            If there is no such split, or this filter asks for the other one.
        """
        if split is None:
            return self
        if self.split not in (None, split):
            raise InvalidInputError(f"split is {split!r}, but the filter's is {self.split!r}; name one")
        return replace(self, split=split)


def find_passing(
    store: Store,
    wanted: Filter,
    beginnings: Sequence[str] = (),
    in_clusters: Mapping[str, Ids] = _NOTHING,
    names: Iterable[str] = (),
) -> Ids | None:
    """Return the ids of the images that pass a filter, each once; None if all do.

    Parameters
    ----------
    beginnings : sequence of str
        What stored paths in the filter's folders begin with.
    in_clusters : mapping of str to (n,) int64
        Of those of its labels that clusters are named with, the images in these.
    names : iterable of str
        The names of all clusters.

    Raises
    ------
    QueryError
        If no file and no cluster has one of the labels.
    """
    found: list[Ids] = []
    if wanted.of_images is not None:
        found.append(store.images.read(["id"], wanted.of_images)["id"].to_numpy())
    of_files = wanted.of_files_below(beginnings)
    if of_files is not None:
        rows = store.files.read(["id", "label"], of_files)
        there = set(rows["label"].unique().to_pylist())
        missing = {
            label
            for label in set(wanted.labels).difference(in_clusters)
            if there.isdisjoint(label_spellings(label))
        }
        if missing:
            _check_labels(store, missing, names)
        ids = np.unique(rows["id"].to_numpy())
        if in_clusters:
            anywhere = replace(wanted, labels=()).of_files_below(beginnings)
            there = store.files.read(["id"], anywhere)["id"].to_numpy()
            ids = np.union1d(ids, there[np.isin(there, np.concatenate(list(in_clusters.values())))])
        found.append(ids)
    if not found:
        return None
    return found[0] if len(found) == 1 else np.intersect1d(found[0], found[1])


def _check_labels(store: Store, labels: set[str], names: Iterable[str]) -> None:
    """Raise QueryError for a label that no file has; one that other splits and folders have is no mistake."""
    of_files = store.files.read(["label"])["label"].unique().to_pylist()
    there = {composed(label) for label in of_files if label is not None}.union(names)
    for label in sorted(labels - there):
        close = difflib.get_close_matches(label, there, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(close)}?" if close else "`lookalike info` lists the labels"
        raise QueryError(f"no image here is labelled {label!r}; {hint}")


def _among(column: str, words: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(map(sql_literal, words))})"


def _check_bound(name: str, value: Any) -> float | None:
    if value is None:
        return None
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not is_number or not 0 <= value < math.inf:
        raise InvalidInputError(f"{name} is {value!r}; expected a number, 0 or more")
    return float(value)


def _check_word(name: str, value: str | None, words: Sequence[str]) -> None:
    if value is not None and value not in words:
        raise InvalidInputError(f"the {name} is {value!r}; expected {' or '.join(words)}")


def _words(name: str, value: object) -> tuple[str, ...]:
    words = (value,) if isinstance(value, str) else value
    if not isinstance(words, Sequence) or not all(isinstance(word, str) for word in words):
        raise InvalidInputError(f"{name} is {value!r}; expected a list of words")
    return tuple(words)


def _paths(name: str, value: object) -> tuple[str, ...]:
    paths = (value,) if isinstance(value, str | os.PathLike) else value
    if not isinstance(paths, Sequence) or not all(isinstance(path, str | os.PathLike) for path in paths):
        raise InvalidInputError(f"{name} is {value!r}; expected a list of paths")
    return tuple(map(os.fspath, paths))


def _check_format(word: str) -> str:
    name = _FORMATS.get(word.lower().lstrip("."))
    if name is None:
        known = ", ".join(dict.fromkeys(name.lower() for name in _FORMATS.values()))
        raise InvalidInputError(f"there is no format {word!r}; expected one of {known}")
    return name
