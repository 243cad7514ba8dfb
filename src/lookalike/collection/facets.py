"""How many images there are of each kind, all kinds at once.

Each column is turned into small numbers once, and these are counted: words are so already, dates are days,
and what is measured falls into a few parts. What a filter would let pass is counted, so that who takes a
value of a facet into his filter finds as many images as it says; an image that lies in two folders is one of
each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.coding import Coded, CodedLists, Counts, Mask, count_codes, small_codes
from lookalike.collection.columns import NO_RATING
from lookalike.collection.places import Places
from lookalike.collection.selecting import Selection, numbers_of
from lookalike.collection.snapshot import Snapshot
from lookalike.errors import InvalidInputError
from lookalike.images.color_names import COLOR_NAMES, name_by_number
from lookalike.query.checking import near_misses
from lookalike.query.filter import SQUARE
from lookalike.query.sorts import FIELD
from lookalike.results.browsing import Facet

CLUSTER = "cluster:"
MOST = 1_000  # values of a facet
_BY_DAYS, _BY_MONTHS = 62, 3 * 366  # days that a histogram of days, and of months, may span
_LETTERS = {"year": "Y", "month": "M", "day": "D"}
_PARTS = 12  # of what is measured, about

_OF_IMAGES = ("formats", "shapes", "cameras", "lenses", "keywords", "ratings", "colors", "sizes", "sharpness")
FACETS = ("labels", "folders", "splits", *_OF_IMAGES, "dates", "sets", "tags", "clusters", "fields")
"""What is counted; clusters by clustering, fields by column, or one of them as cluster:NAME or field:NAME."""


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Numbers in parts of a range: which of them each row is in, and where they end."""

    coded: Coded
    ends: tuple[float, ...]


def check_facets(names: object) -> tuple[str, ...]:
    """Return the names of facets, checked; all, for None.

    Raises
    ------
    InvalidInputError
    """
    if names is None:
        return FACETS
    given = (names,) if isinstance(names, str) else names
    if not isinstance(given, Sequence):
        raise InvalidInputError(
            f"facets is {names!r}; expected a list of {', '.join(FACETS)}", field="facets"
        )
    for name in given:
        is_one = isinstance(name, str) and name.startswith((FIELD, CLUSTER))
        if name not in FACETS and not is_one:
            close = near_misses(str(name), FACETS)
            expected = f"did you mean {' or '.join(close)}?" if close else f"expected {', '.join(FACETS)}"
            raise InvalidInputError(f"there is no facet {name!r}; {expected}", field="facets")
    return tuple(dict.fromkeys(given))


def count_facets(places: Places, selection: Selection, names: Sequence[str]) -> tuple[int, dict[str, Facet]]:
    """Return how many images are selected, and the facets of some names.

    Raises
    ------
    QueryError
        If there is no field of a name.
    CollectionError
        If there is no clustering of a name.
    """
    counting = _Counting(places, selection)
    return counting.total, {name: facet for asked in names for name, facet in counting.facets(asked)}


class _Counting:
    """Counts what is selected."""

    def __init__(self, places: Places, selection: Selection) -> None:
        self.places = places
        self.snapshot = places.snapshot
        self.joined = self.snapshot.joined
        rows = selection.rows()
        self.total = int(np.count_nonzero(rows))
        self.rows: npt.NDArray[np.intp] | None = None if self.total == len(rows) else np.flatnonzero(rows)
        self.mask = rows
        self.files = selection.rows_of_files()

    def facets(self, name: str) -> Iterator[tuple[str, Facet]]:
        """Give facets and their names: several, where one name stands for these."""
        snapshot = self.snapshot
        if name in _OF_IMAGES:
            yield name, self._of_images(name)
        elif name == "clusters":
            for each in snapshot.clustering_names():
                yield f"{CLUSTER}{each}", self._clusters(each)
        elif name == "fields":
            for each in snapshot.own.names:
                yield f"{FIELD}{each}", self._field(each)
        elif name.startswith(CLUSTER):
            yield name, self._clusters(name.removeprefix(CLUSTER))
        elif name.startswith(FIELD):
            yield name, self._field(name.removeprefix(FIELD))
        elif name == "labels":
            yield name, self._labels()
        elif name == "folders":
            yield name, self._folders()
        elif name == "splits":
            yield name, self._of_files(snapshot.files.splits)
        elif name == "dates":
            days = snapshot.joined.keep("days", lambda: _days(snapshot.images.taken))
            yield name, self._dates(days, self._count(days))
        elif name == "sets":
            yield name, self._sets()
        elif name == "tags":
            yield name, self._of_files(snapshot.own.all_tags)

    def _of_images(self, name: str) -> Facet:
        images = self.snapshot.images
        if name in ("cameras", "lenses", "keywords", "formats"):
            column: Coded | CodedLists = images.coded_formats if name == "formats" else getattr(images, name)
            if isinstance(column, CodedLists):
                counts = column.count(None if self.rows is None else self.mask)
                return _of_words(column.values, counts, self._without(column))
            return _of_words(column.values, *self._counted(column))
        if name == "sizes":
            return self._measured(
                self.joined.keep(name, lambda: _in_parts(numbers_of(images, "size"), is_even=False))
            )
        if name == "sharpness":
            return self._measured(self.joined.keep(name, lambda: _in_parts(images.sharpness, is_even=False)))
        make = {"shapes": _shapes, "ratings": _ratings, "colors": _colors}[name]
        column = self.joined.keep(name, lambda: make(self.snapshot))
        counts, missing = self._counted(column)
        if name == "ratings":
            stars = {
                int(value): int(count) for value, count in zip(column.values, counts, strict=True) if count
            }
            return Facet(dict(sorted(stars.items(), reverse=True)), missing, len(stars))
        return _of_words(column.values, counts, missing)

    def _labels(self) -> Facet:
        """Count labels and names of clusters, as the filter by labels takes them."""
        of_files, clusters = self.snapshot.file_labels, self.snapshot.named_clusters
        counts = dict(zip(of_files.values, self.joined.count(of_files, self.files).tolist(), strict=True))
        has_label = self._images_with(of_files)
        several: set[str] = set()
        for named in clusters:
            for name, count in zip(named.values, self._count(named).tolist(), strict=True):
                if counts.get(name):
                    several.add(name)
                else:
                    counts[name] = count
            has_label = has_label | (named.codes >= 0)
        for name in several:  # an image that is called so twice is one
            called = np.zeros(len(self.mask), bool)
            if name in of_files.values:
                is_called = of_files.codes == of_files.values.index(name)
                called |= self.joined.of_files(is_called if self.files is None else is_called & self.files)
            for named in clusters:
                if name in named.values:
                    called |= named.codes == named.values.index(name)
            counts[name] = int(np.count_nonzero(called & self.mask))
        missing = self.total - int(np.count_nonzero(has_label & self.mask))
        return _of_words(tuple(counts), np.array([*counts.values()], np.int64), missing)

    def _folders(self) -> Facet:
        """Count the images below each folder, at whatever depth."""
        tree = self.joined.keep("folders", lambda: _FolderTree.of(self.snapshot))
        files, others = self.files, self.joined.has_others
        codes = self.snapshot.files.folder_codes
        alone = ~others if files is None else files & ~others
        counts = tree.sum(count_codes(codes[alone], tree.n_folders))
        rest = np.flatnonzero(others if files is None else files & others)
        if len(rest):
            counts = counts + tree.count_images(self.joined.images_of_files[rest], codes[rest])
        names = [self.snapshot.folder_path(start) for start in tree.folders]
        return _of_words(names, counts, 0)

    def _of_files(self, column: Coded | CodedLists) -> Facet:
        missing = self.total - int(np.count_nonzero(self._images_with(column) & self.mask))
        return _of_words(column.values, self.joined.count(column, self.files), missing)

    def _images_with(self, column: Coded | CodedLists) -> Mask:
        """Return which images have any value of a column of files in a place that counts."""
        has_any = column.codes >= 0 if isinstance(column, Coded) else ~column.has_none()
        return self.joined.of_files(has_any if self.files is None else has_any & self.files)

    def _dates(self, days: Coded, counts: Counts) -> Facet:
        return _of_days(np.array(days.values, np.int64), counts, self.total - int(counts.sum()))

    def _sets(self) -> Facet:
        counts: dict[str, int] = {}
        is_in_any = np.zeros(len(self.mask), bool)
        for name, ids in self.snapshot.said.sets.items():
            rows = np.unique(self.snapshot.images.rows_of(np.asarray(ids, np.int64)))
            rows = rows[rows >= 0]
            counts[name] = int(np.count_nonzero(self.mask[rows]))
            is_in_any[rows] = True
        missing = self.total - int(np.count_nonzero(is_in_any & self.mask))
        return _of_words(tuple(counts), np.array([*counts.values()], np.int64), missing)

    def _clusters(self, name: str) -> Facet:
        clusters = self.snapshot.clustering(name)
        counts, missing = self._counted(clusters.coded)
        sizes = {int(number): int(count) for number, count in zip(clusters.coded.values, counts, strict=True)}
        ordered = sorted(((n, c) for n, c in sizes.items() if c), key=lambda item: (-item[1], item[0]))
        return Facet(dict(ordered[:MOST]), missing, len(ordered))

    def _field(self, name: str) -> Facet:
        own = self.snapshot.own
        kind = own.kind(name)
        if kind in ("text", "tags", "boolean"):
            return self._of_files(own.words(name))
        if kind == "date":
            days = self.snapshot.keep(("days", name), lambda: _days(own.moments(name)))
            counts = self.joined.count(days, self.files)
            missing = self.total - int(np.count_nonzero(self._images_with(days) & self.mask))
            return _of_days(np.array(days.values, np.int64), counts, missing)
        parts = self.snapshot.keep(("parts", name), lambda: _in_parts(own.numbers(name), is_even=True))
        missing = self.total - int(np.count_nonzero(self._images_with(parts.coded) & self.mask))
        return _of_parts(parts, self.joined.count(parts.coded, self.files), missing)

    def _measured(self, parts: _Parts) -> Facet:
        return _of_parts(parts, *self._counted(parts.coded))

    def _counted(self, column: Coded) -> tuple[Counts, int]:
        counts = self._count(column)
        return counts, self.total - int(counts.sum())

    def _count(self, column: Coded) -> Counts:
        codes = column.codes if self.rows is None else column.codes[self.rows]
        return count_codes(codes, len(column.values))

    def _without(self, column: CodedLists) -> int:
        return int(np.count_nonzero(column.has_none() & self.mask))


@dataclass(frozen=True, slots=True, eq=False)
class _FolderTree:
    """The folders that files lie in, and those around these, up to their roots.

    Attributes
    ----------
    folders : tuple of str
        As stored paths begin.
    n_folders : int
        How many of them, the first, have files themselves.
    above : (m,) int32
        For each of these in turn itself and the folders around it, as numbers of `folders`.
    ends : (n_folders + 1,) int64
        Where those of each begin and end.
    """

    folders: tuple[str, ...]
    n_folders: int
    above: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, snapshot: Snapshot) -> _FolderTree:
        """Return those of a snapshot."""
        there: list[str] = snapshot.files.folders.to_pylist()
        number_of = {folder: number for number, folder in enumerate(there)}
        above: list[int] = []
        ends = [0]
        for folder in there:
            above += [number_of.setdefault(around, len(number_of)) for around in _around(folder)]
            ends.append(len(above))
        return cls(tuple(number_of), len(there), np.array(above, np.int32), np.array(ends, np.int64))

    def sum(self, counts: Counts) -> Counts:
        """Return the counts of all folders, with what lies below them, from those of the folders alone."""
        each = np.repeat(counts, np.diff(self.ends))
        return np.bincount(self.above, weights=each, minlength=len(self.folders)).astype(np.int64)

    def count_images(self, images: npt.NDArray[np.int32], codes: npt.NDArray[Any]) -> Counts:
        """Count images that lie in several places once for each folder that they are below."""
        sizes = np.diff(self.ends)[codes]
        starts = np.repeat(self.ends[:-1][codes] - np.cumsum(sizes) + sizes, sizes)
        folders = self.above[starts + np.arange(len(starts))]
        pairs = np.sort(np.repeat(images, sizes).astype(np.int64) * len(self.folders) + folders)
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]
        return count_codes(pairs % len(self.folders), len(self.folders))


def _around(folder: str) -> Iterator[str]:
    """Give a folder, as stored paths begin, and those around it up to the root.

    >>> list(_around("photos:2019/lake/"))
    ['photos:2019/lake/', 'photos:2019/', 'photos:']
    """
    yield folder
    while folder.endswith("/"):
        cut = max(folder.rfind("/", 0, -1), folder.find(":"))
        folder = folder[: cut + 1]
        yield folder


def _of_words(values: Sequence[str], counts: Counts, missing: int) -> Facet:
    rows = np.flatnonzero(counts)
    ordered = sorted(rows.tolist(), key=lambda row: (-int(counts[row]), values[row]))
    return Facet({values[row]: int(counts[row]) for row in ordered[:MOST]}, missing, len(ordered))


def _of_days(days: npt.NDArray[np.int64], counts: Counts, missing: int) -> Facet:
    """Return a histogram of days since 1970, by the year, month or day, as fits the time that they span."""
    days, counts = days[counts > 0], counts[counts > 0]
    if not len(days):
        return Facet({}, missing, 0, unit="year")
    span = int(days.max() - days.min())
    unit = "day" if span <= _BY_DAYS else "month" if span <= _BY_MONTHS else "year"
    dates = days.astype("datetime64[D]").astype(f"datetime64[{_LETTERS[unit]}]")
    values, inverse = np.unique(dates, return_inverse=True)
    sums = np.bincount(inverse, weights=counts, minlength=len(values)).astype(np.int64)
    by_date = dict(zip(values.astype(str).tolist(), sums.tolist(), strict=True))
    return Facet(by_date, missing, len(values), unit=unit)


def _of_parts(parts: _Parts, counts: Counts, missing: int) -> Facet:
    by_start = dict(zip(parts.ends[:-1], counts.tolist(), strict=True))
    return Facet(by_start, missing, len(by_start), ends=parts.ends)


def _days(moments: npt.NDArray[np.datetime64]) -> Coded:
    """Return the days of moments, as days since 1970 in text; NaT is none."""
    is_known = ~np.isnat(moments)
    days = moments.astype("datetime64[D]").astype(np.int64)
    values, inverse = np.unique(days[is_known], return_inverse=True)
    codes = np.full(len(days), -1, np.int32)
    codes[is_known] = inverse
    return Coded(tuple(map(str, values.tolist())), small_codes(codes, len(values)))


def _in_parts(numbers: npt.NDArray[Any], is_even: bool) -> _Parts:
    """Return numbers in parts of about a dozen that begin at round numbers.

    Parameters
    ----------
    numbers : (n,) array
        NaN for none.
    is_even : bool
        Whether the parts are of one size; else each is about twice as large as the one before, as suits sizes
        that are above 0.
    """
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return _Parts(Coded((), np.full(len(numbers), -1, np.int8)), (0.0,))
    low, high = float(known.min()), float(known.max())
    ends = _even_ends(low, high) if is_even else _doubling_ends(low, high)
    codes = np.searchsorted(np.array(ends), numbers, side="right") - 1
    codes = np.minimum(codes, len(ends) - 2)  # the last part has both its ends
    codes[~np.isfinite(numbers)] = -1
    values = tuple(f"{end:g}" for end in ends[:-1])
    return _Parts(Coded(values, small_codes(codes, len(values))), ends)


def _even_ends(low: float, high: float) -> tuple[float, ...]:
    """Return round numbers, evenly apart, from below the least to above the greatest.

    >>> _even_ends(0.5, 9.7)
    (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0)
    """
    if low == high:
        return low, low
    power = 10.0 ** math.floor(math.log10((high - low) / _PARTS))
    step = next(power * each for each in (1, 2, 5, 10) if (high - low) / (power * each) <= _PARTS)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    return tuple(float(f"{number * step:.12g}") for number in range(first, last + 1))


def _doubling_ends(low: float, high: float) -> tuple[float, ...]:
    """Return 1, 2, 5, 10, … from below the least to above the greatest; 0 before them where need be.

    >>> _doubling_ends(3, 70)
    (2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
    """
    least = max(low, high / 1e6, 1e-9)
    powers = range(math.floor(math.log10(least)), math.ceil(math.log10(max(high, least))) + 1)
    marks = [float(f"{factor * 10.0**power:.12g}") for power in powers for factor in (1, 2, 5)]
    first = max((mark for mark in marks if mark <= least), default=marks[0])
    last = min((mark for mark in marks if mark >= high and mark > first), default=marks[-1])
    within = [mark for mark in marks if first <= mark <= last]
    return tuple(within if low >= first else [0.0, *within])


def _shapes(snapshot: Snapshot) -> Coded:
    widths, heights = snapshot.images.widths, snapshot.images.heights
    codes = np.full(len(widths), 2, np.int8)
    codes[widths > heights * SQUARE] = 0
    codes[heights > widths * SQUARE] = 1
    return Coded(("landscape", "portrait", "square"), codes)


def _ratings(snapshot: Snapshot) -> Coded:
    ratings = snapshot.images.ratings
    codes = np.where(ratings == NO_RATING, -1, ratings + 1)
    return Coded(("-1", "0", "1", "2", "3", "4", "5"), small_codes(codes, 7))


def _colors(snapshot: Snapshot) -> Coded:
    return Coded(COLOR_NAMES, name_by_number(snapshot.images.colors))
