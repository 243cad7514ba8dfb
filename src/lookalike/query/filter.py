"""Which images a search is about: by how they look, what their files say of them, and where they lie."""

from __future__ import annotations

import datetime
import difflib
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from lookalike.dates import read_period
from lookalike.errors import InvalidInputError, QueryNotFoundError
from lookalike.geography import box_around, distances
from lookalike.hints import Hint
from lookalike.images.finding.spelling import as_typed, composed, label_spellings
from lookalike.images.formats import FORMATS
from lookalike.query.checking import check_document, is_number
from lookalike.query.facts import SAID, which_say
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
    "rating": "CAST(rating AS DOUBLE)",
}
"""What has a least and a largest value, as SQL over the table of images; Lance compares like types only."""

_REJECTED, _MOST_STARS = -1, 5

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

_LISTS = ("labels", "folders", "formats", "keywords", "cameras", "lenses")
_ONE_OF = {"shapes": "shape", "splits": "split"}
_NEAR = ("lat", "lon", "km")
_BOUNDS = tuple(f"{end}_{name}" for name in (*_BOUNDED, "date") for end in ("min", "max"))
_FIELDS = (*_LISTS, *_ONE_OF, "near", *_BOUNDS)
"""What a filter may have in JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which images may be hits; all of it must hold, and what is not given holds for all.

    Where it is asked for when, where or with what images were taken, or for their rating, those whose files
    do not say so do not pass.

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
    min_date, max_date : str, datetime.date or datetime.datetime
        Taken then or later; then or earlier. ``"2019"``, ``"2019-05"``, ``"2019-05-04"`` and
        ``"2019-05-04 12:30"`` are the whole of that year, month, day or minute, from its beginning and to
        its end; a datetime is one moment. As the camera's clock showed it, so without a time zone. Kept as
        datetimes.
    cameras, lenses : sequence of str
        Taken with any of these: part of the name, as in ``"canon"``, in upper or lower case.
    keywords : sequence of str
        With any of these, in upper or lower case.
    min_rating, max_rating : float
        Stars, 1 to 5; -1 is what was rejected.
    near : (float, float, float)
        Taken no farther from a latitude and a longitude, in degrees, north and east positive, than this
        many kilometres.
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
    >>> Filter(min_date="2019-05", max_date="2019").of_images
    "taken >= TIMESTAMP '2019-05-01T00:00:00' AND taken <= TIMESTAMP '2019-12-31T23:59:59.999999'"
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
    min_date: str | datetime.date | datetime.datetime | None = None
    max_date: str | datetime.date | datetime.datetime | None = None
    cameras: Sequence[str] = ()
    lenses: Sequence[str] = ()
    keywords: Sequence[str] = ()
    min_rating: float | None = None
    max_rating: float | None = None
    near: tuple[float, float, float] | None = None
    formats: Sequence[str] = ()
    labels: Sequence[str] = ()
    folders: Sequence[str | os.PathLike[str]] = ()
    split: str | None = None

    def __post_init__(self) -> None:
        for name in _BOUNDED:
            check = _check_rating if name == "rating" else _check_bound
            low = check(f"the least {name} (min_{name})", getattr(self, f"min_{name}"))
            high = check(f"the greatest {name} (max_{name})", getattr(self, f"max_{name}"))
            if low is not None and high is not None and low > high:
                raise InvalidInputError(
                    f"the least {name} (min_{name}) is {low:g} and the greatest (max_{name}) {high:g}:"
                    " no image can be both"
                )
        _check_word("shape", self.shape, get_args(Shape))
        _check_word("split", self.split, _SPLITS)
        self._check_dates()
        object.__setattr__(self, "near", _check_near(self.near))
        for name in SAID:
            object.__setattr__(self, name, _full_words(name, getattr(self, name)))
        object.__setattr__(self, "formats", tuple(map(_check_format, _words("formats", self.formats))))
        object.__setattr__(self, "labels", tuple(map(as_typed, _words("labels", self.labels))))
        object.__setattr__(self, "folders", _paths("folders", self.folders))

    def _check_dates(self) -> None:
        """Turn dates into the first and the last moment that may be."""
        first, last = self.min_date, self.max_date
        if first is not None:
            first = read_period("the earliest date (min_date)", first).first
            object.__setattr__(self, "min_date", first)
        if last is not None:
            last = read_period("the latest date (max_date)", last).last
            object.__setattr__(self, "max_date", last)
        if first is not None and last is not None and first > last:
            raise InvalidInputError(
                f"the earliest date (min_date) is {first} and the latest (max_date) {last}: no image can be"
                " of both"
            )

    @property
    def of_images(self) -> str | None:
        """What must hold for a row of the table of images, as SQL; None if anything may.

        Of cameras, lenses, keywords and places it says what can be said in SQL; `find_passing` does the rest.
        """
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
        conditions += [
            f"taken {comparison} TIMESTAMP {sql_literal(moment.isoformat())}"
            for comparison, moment in ((">=", self.min_date), ("<=", self.max_date))
            if isinstance(moment, datetime.datetime)  # which they are by now, if anything
        ]
        conditions += [f"{said.column} IS NOT NULL" for name, said in SAID.items() if getattr(self, name)]
        if self.near is not None:
            conditions.append(_box(*self.near))
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

    @property
    def needs_metadata(self) -> bool:
        """Whether it asks for what collections before format 3 do not know."""
        bounds = (self.min_date, self.max_date, self.min_rating, self.max_rating, self.near)
        return any(bound is not None for bound in bounds) or any(getattr(self, name) for name in SAID)

    def to_dict(self) -> dict[str, Any]:
        """Return what it asks for as a document of JSON; dates as their first and last moment.

        Examples
        --------
        >>> Filter(min_size=600, shape="portrait", near=(54.4, 18.6, 30)).to_dict()
        {'min_size': 600.0, 'shapes': ['portrait'], 'near': {'lat': 54.4, 'lon': 18.6, 'km': 30.0}}
        """
        document: dict[str, Any] = {
            name: bound.isoformat(timespec="microseconds")
            if isinstance(bound, datetime.datetime)
            else float(bound)
            for name in _BOUNDS
            if (bound := getattr(self, name)) is not None
        }
        document |= {name: list(words) for name in _LISTS if (words := getattr(self, name))}
        document |= {
            name: [word] for name, single in _ONE_OF.items() if (word := getattr(self, single)) is not None
        }
        if self.near is not None:
            document["near"] = dict(zip(_NEAR, self.near, strict=True))
        return document

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Filter:
        """Make a filter of a document of JSON, as `to_dict` writes it.

        Raises
        ------
        InvalidInputError
            If it is none; its `field` is the one that is not known.

        Examples
        --------
        >>> Filter.from_dict({"labels": ["cats"], "min_date": "2019"}).min_date
        datetime.datetime(2019, 1, 1, 0, 0)
        """
        check_document("where", document, _FIELDS)
        given = {name: value for name, value in document.items() if value is not None}
        options: dict[str, Any] = {name: given[name] for name in (*_LISTS, *_BOUNDS) if name in given}
        for name, single in _ONE_OF.items():
            words = _words(name, given.get(name, ()))
            if len(words) > 1:
                raise InvalidInputError(f"{name} is {list(words)}; expected one of them", field=name)
            options[single] = words[0] if words else None
        if "near" in given:
            place = check_document("near", given["near"], _NEAR)
            options["near"] = _check_near([place.get(name) for name in _NEAR])
        return cls(**options)

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
            raise InvalidInputError(
                f"split is {split!r}, but the filter's is {self.split!r}", field="split", hint="name one"
            )
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
        If no file and no cluster has one of the labels, or no image one of the cameras, lenses or keywords.
    """
    found: list[Ids] = []
    if wanted.of_images is not None:
        found.append(_find_images(store, wanted, wanted.of_images))
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


def _find_images(store: Store, wanted: Filter, condition: str) -> Ids:
    """Return the ids of the images whose rows in the table of images pass."""
    asked = {said: words for name, said in SAID.items() if (words := getattr(wanted, name))}
    place = () if wanted.near is None else ("latitude", "longitude")
    rows = store.images.read(["id", *(said.column for said in asked), *place], condition)
    ids: Ids = rows["id"].to_numpy()
    passes = np.ones(len(ids), bool)
    for said, words in asked.items():
        passes &= which_say(store, said, words, rows[said.column])
    if wanted.near is not None:
        latitude, longitude, radius = wanted.near
        there = (rows[column].to_numpy() for column in place)
        passes &= distances(latitude, longitude, *there) <= radius
    return ids[passes]


def _box(latitude: float, longitude: float, radius: float) -> str:
    """Return what holds for the latitude and longitude of what is near a place, as SQL."""
    box = box_around(latitude, longitude, radius)
    ranges = [f"longitude BETWEEN {west!r} AND {east!r}" for west, east in box.longitudes]
    along = f"({' OR '.join(ranges)})" if ranges else "longitude IS NOT NULL"
    return f"latitude BETWEEN {box.south!r} AND {box.north!r} AND {along}"


def _check_labels(store: Store, labels: set[str], names: Iterable[str]) -> None:
    """Raise QueryError for a label that no file has; one that other splits and folders have is no mistake."""
    of_files = store.files.read(["label"])["label"].unique().to_pylist()
    there = {composed(label) for label in of_files if label is not None}.union(names)
    for label in sorted(labels - there):
        close = difflib.get_close_matches(label, there, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(close)}?" if close else Hint("list_labels")
        raise QueryNotFoundError(f"no image here is labelled {label!r}", hint=hint)


def _among(column: str, words: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(map(sql_literal, words))})"


def _check_bound(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if not is_number(value) or not 0 <= value < math.inf:
        raise InvalidInputError(f"{name} is {value!r}; expected a number, 0 or more")
    return float(value)


def _check_rating(name: str, value: Any) -> float | None:
    if value is None or (is_number(value) and _REJECTED <= value <= _MOST_STARS):
        return None if value is None else float(value)
    raise InvalidInputError(f"{name} is {value!r}; expected stars, 1 to 5, or -1 for what was rejected")


def _check_near(value: Any) -> tuple[float, float, float] | None:
    if value is None:
        return None
    numbers = tuple(value) if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) else ()
    if len(numbers) != 3 or not all(map(is_number, numbers)):
        raise InvalidInputError(
            f"near is {value!r}; expected a latitude, a longitude and a distance in kilometres, such as"
            " (48.858, 2.294, 5)"
        )
    latitude, longitude, radius = map(float, numbers)
    for name, degrees, most in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        if not -most <= degrees <= most:
            raise InvalidInputError(f"the {name} of near is {degrees:g}; expected degrees, -{most} to {most}")
    if not 0 <= radius < math.inf:
        raise InvalidInputError(f"the distance of near is {radius:g}; expected kilometres, 0 or more")
    return latitude, longitude, radius


def _full_words(name: str, value: object) -> tuple[str, ...]:
    words = _words(name, value)
    if not all(word.strip() for word in words):
        raise InvalidInputError(f"{name} is {value!r}; expected words that are not empty", field=name)
    return words


def _check_word(name: str, value: str | None, words: Sequence[str]) -> None:
    if value is not None and value not in words:
        raise InvalidInputError(f"the {name} is {value!r}; expected {' or '.join(words)}")


def _words(name: str, value: object) -> tuple[str, ...]:
    words = (value,) if isinstance(value, str) else value
    if not isinstance(words, Sequence) or not all(isinstance(word, str) for word in words):
        raise InvalidInputError(f"{name} is {value!r}; expected a list of words", field=name)
    return tuple(words)


def _paths(name: str, value: object) -> tuple[str, ...]:
    paths = (value,) if isinstance(value, str | os.PathLike) else value
    if not isinstance(paths, Sequence) or not all(isinstance(path, str | os.PathLike) for path in paths):
        raise InvalidInputError(f"{name} is {value!r}; expected a list of paths", field=name)
    return tuple(map(os.fspath, paths))


def _check_format(word: str) -> str:
    name = _FORMATS.get(word.lower().lstrip("."))
    if name is None:
        known = ", ".join(dict.fromkeys(name.lower() for name in _FORMATS.values()))
        raise InvalidInputError(f"there is no format {word!r}; expected one of {known}")
    return name
