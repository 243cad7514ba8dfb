"""Which images a search is about: by how they look, what is said of them, and where they lie."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from lookalike.dates import read_period
from lookalike.errors import InvalidInputError
from lookalike.images.finding.spelling import as_typed
from lookalike.query.checking import check_document, check_list, check_object
from lookalike.query.conditions import AskedValue, ClusterRef, FieldCondition, MapPolygon
from lookalike.query.facts import SAID
from lookalike.query.filter_checks import (
    check_bound,
    check_choice,
    check_clusters,
    check_fields,
    check_format,
    check_full_words,
    check_ids,
    check_near,
    check_paths,
    check_rating,
    check_words,
)
from lookalike.system.checked_calls import checked, shown
from lookalike.system.short_reprs import repr_of_given
from lookalike.types import ImageId, format_id

Shape = Literal["landscape", "portrait", "square"]

SQUARE = 1.05
"""Up to this ratio of the longer side to the shorter an image is square: 1000 × 1003 is, to the eye."""

BOUNDED = ("size", "width", "height", "megapixels", "aspect", "sharpness", "rating")
"""What has a least and a largest value, beside dates."""

_SPLITS = ("train", "test")
_LISTS = ("labels", "folders", "formats", "keywords", "cameras", "lenses", "sets", "tags")
_ONE_OF = {"shapes": "shape", "splits": "split"}
_NEAR = ("lat", "lon", "km")
_BOUNDS = tuple(f"{end}_{name}" for name in (*BOUNDED, "date") for end in ("min", "max"))
_FIELDS = (*_LISTS, *_ONE_OF, "ids", "clusters", "fields", "polygon", "near", *_BOUNDS)
"""What a filter may have in JSON, beside what it excludes."""


@checked
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
    shape : {"landscape", "portrait", "square"}, or a sequence of them
        Any of these. Square is what has sides within 5 % of each other.
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
        Any of these: labels that were given by hand, else those of folders and data sets; and names that the
        user gave to clusters.
    folders : sequence of path
        Below any of these; for a data set ``mnist:test`` or ``mnist``.
    split : {"train", "test"}, or a sequence of them
        Of a data set; any of these.
    sets : sequence of str
        In any of these named lists.
    tags : sequence of str
        With any of these in one of the user's own columns of tags, in upper or lower case.
    fields : mapping of str to a value, a list of values or a range; or sequence of FieldCondition
        What is asked of the user's own columns, by name: ``{"shop": "Berlin", "price": {"max": 20}}``. Kept
        as conditions.
    clusters : sequence of ClusterRef
        In any of these clusters.
    polygon : MapPolygon, optional
        Within this outline on a map.
    ids : sequence of ImageId or str
        Any of these; as text 16 hexadecimal digits.
    excluding : Filter, or sequence of Filter
        Images that pass any of these do not pass; for images that lie in several places, in any of them.

    Raises
    ------
    InvalidInputError
        If no image could ever pass, or a word is not known.

    Examples
    --------
    >>> Filter(min_date="2019-05").min_date
    datetime.datetime(2019, 5, 1, 0, 0)
    >>> Filter(labels="dogs", excluding=Filter(max_size=100)).to_dict()
    {'labels': ['dogs'], 'not': {'max_size': 100.0}}
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
    shape: Shape | Sequence[Shape] | None = None
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
    split: str | Sequence[str] | None = None
    sets: Sequence[str] = ()
    tags: Sequence[str] = ()
    fields: (
        Mapping[str, AskedValue | Sequence[AskedValue] | Mapping[str, Any]] | Sequence[FieldCondition]
    ) = ()
    clusters: Sequence[ClusterRef] = ()
    polygon: MapPolygon | None = None
    ids: Sequence[ImageId | str] = ()
    excluding: Filter | Sequence[Filter] = ()

    def __repr__(self) -> str:
        return repr_of_given(self)

    def __post_init__(self) -> None:
        for name in BOUNDED:
            check = check_rating if name == "rating" else check_bound
            low = check(f"the least {name} (min_{name})", getattr(self, f"min_{name}"))
            high = check(f"the greatest {name} (max_{name})", getattr(self, f"max_{name}"))
            if low is not None and high is not None and low > high:
                raise InvalidInputError(
                    f"the least {name} (min_{name}) is {low:g} and the greatest (max_{name}) {high:g}:"
                    " no image can be both"
                )
        self._check_dates()
        if self.polygon is not None and not isinstance(self.polygon, MapPolygon):
            raise InvalidInputError(
                f"polygon is {shown(self.polygon)}; expected a MapPolygon", field="polygon"
            )
        checked = {
            "shape": check_choice("shape", self.shape, get_args(Shape)),
            "split": check_choice("split", self.split, _SPLITS),
            "near": check_near(self.near),
            "formats": tuple(map(check_format, check_words("formats", self.formats))),
            "labels": tuple(map(as_typed, check_words("labels", self.labels))),
            "folders": check_paths("folders", self.folders),
            "fields": check_fields(self.fields),
            "clusters": check_clusters(self.clusters),
            "ids": check_ids(self.ids),
            "excluding": self._check_excluded(),
            **{name: check_full_words(name, getattr(self, name)) for name in (*SAID, "sets", "tags")},
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def _check_excluded(self) -> tuple[Filter, ...]:
        given = (self.excluding,) if isinstance(self.excluding, Filter) else self.excluding
        if not isinstance(given, Sequence) or not all(isinstance(each, Filter) for each in given):
            raise InvalidInputError(
                f"excluding is {shown(self.excluding)}; expected a lookalike.Filter, or a list of them",
                field="excluding",
            )
        for each in given:
            if each.excluding:
                raise InvalidInputError(
                    "a filter that is excluded excludes nothing itself", field="excluding"
                )
            if each == ANYTHING:
                raise InvalidInputError(
                    "a filter that is excluded lets all images pass: none would be left", field="excluding"
                )
        return tuple(given)

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
    def shapes(self) -> tuple[str, ...]:
        """Any of these; none, if it does not ask for them."""
        return check_words("shape", self.shape or ())

    @property
    def splits(self) -> tuple[str, ...]:
        """Any of these; none, if it does not ask for them."""
        return check_words("split", self.split or ())

    @property
    def needs_sharpness(self) -> bool:
        """Whether it asks for what collections of format 1 do not know."""
        is_asked = self.min_sharpness is not None or self.max_sharpness is not None
        return is_asked or any(each.needs_sharpness for each in self.excluded)

    @property
    def needs_metadata(self) -> bool:
        """Whether it asks for what collections before format 3 do not know."""
        bounds = (self.min_date, self.max_date, self.min_rating, self.max_rating, self.near)
        is_asked = any(bound is not None for bound in bounds) or any(getattr(self, name) for name in SAID)
        return is_asked or any(each.needs_metadata for each in self.excluded)

    @property
    def excluded(self) -> tuple[Filter, ...]:
        """What is excluded: images that pass any of these do not pass."""
        return (self.excluding,) if isinstance(self.excluding, Filter) else tuple(self.excluding)

    @property
    def asked_of_fields(self) -> tuple[FieldCondition, ...]:
        """What is asked of the user's own columns."""
        return check_fields(self.fields)

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
        document |= {name: list(words) for name in _ONE_OF if (words := getattr(self, name))}
        if self.near is not None:
            document["near"] = dict(zip(_NEAR, self.near, strict=True))
        if self.ids:
            document["ids"] = [each if isinstance(each, str) else format_id(each) for each in self.ids]
        if self.clusters:
            document["clusters"] = [each.to_dict() for each in self.clusters]
        if self.fields:
            document["fields"] = {each.name: each.to_json() for each in self.asked_of_fields}
        if self.polygon is not None:
            document["polygon"] = self.polygon.to_dict()
        if self.excluding:
            excluded = [each.to_dict() for each in self.excluded]
            document["not"] = excluded if len(excluded) > 1 else excluded[0]
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
        check_document("where", document, (*_FIELDS, "not"))
        given = document.get("not") or ()
        excluded: Sequence[Any] = (
            given if isinstance(given, Sequence) and not isinstance(given, str) else (given,)
        )
        for each in excluded:
            check_document("not", each, _FIELDS)
        return cls._read(document, excluding=[cls._read(each) for each in excluded])

    @classmethod
    def _read(cls, document: Mapping[str, Any], **more: Any) -> Filter:
        given = {name: value for name, value in document.items() if value is not None}
        options: dict[str, Any] = {
            name: given[name] for name in (*_LISTS, *_BOUNDS, "ids", "fields") if name in given
        }
        options |= {single: given[name] for name, single in _ONE_OF.items() if name in given}
        if "fields" in given:
            options["fields"] = dict(check_object("fields", given["fields"]))
        if "near" in given:
            place = check_document("near", given["near"], _NEAR)
            options["near"] = check_near([place.get(name) for name in _NEAR])
        if "clusters" in given:
            clusters = check_list("clusters", given["clusters"])
            options["clusters"] = [ClusterRef.from_dict(each, "a cluster") for each in clusters]
        if "polygon" in given:
            options["polygon"] = MapPolygon.from_dict(given["polygon"])
        return cls(**options, **more)

    def with_split(self, split: str | None) -> Filter:
        """Return a filter that also asks for a split.

        Raises
        ------
        InvalidInputError
            If there is no such split, or this filter asks for the other one.
        """
        if split is None:
            return self
        if split not in (self.splits or _SPLITS):
            if split not in _SPLITS:
                check_choice("split", split, _SPLITS)
            raise InvalidInputError(
                f"split is {shown(split)}, but the filter's is {self.split!r}", field="split", hint="name one"
            )
        return replace(self, split=split)

    def of_columns(self) -> Filter:
        """Return what it asks of how images look and of what their files say, without all the rest."""
        return replace(
            self,
            labels=(),
            folders=(),
            split=None,
            sets=(),
            tags=(),
            fields=(),
            clusters=(),
            polygon=None,
            ids=(),
            excluding=(),
        )

    def within(self, cluster: ClusterRef) -> Filter:
        """Return a filter that also asks for a cluster.

        Raises
        ------
        InvalidInputError
            If this filter asks for others.
        """
        if self.clusters not in ((), (cluster,)):
            raise InvalidInputError(
                "same_cluster and the filter's clusters are not the same",
                field="same_cluster",
                hint="name one",
            )
        return replace(self, clusters=(cluster,))


ANYTHING = Filter()
"""Lets all images pass; made once, as every search without a filter needs it."""
