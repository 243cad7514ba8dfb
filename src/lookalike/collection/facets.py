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
from heapq import nsmallest
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.coding import (
    Chosen,
    Coded,
    CodedLists,
    Counts,
    Mask,
    count_codes,
    count_values,
    small_codes,
)
from lookalike.collection.columns import NO_RATING
from lookalike.collection.places import Places
from lookalike.collection.selecting import Selection, numbers_of
from lookalike.collection.shown import code_shown
from lookalike.collection.snapshot import Snapshot
from lookalike.errors import InvalidInputError, StoreError
from lookalike.hints import Sentence
from lookalike.images.color_names import COLOR_NAMES, name_by_number
from lookalike.query.checking import near_misses
from lookalike.query.filter import SQUARE
from lookalike.query.sorts import FIELD
from lookalike.results.browsing import Facet, Facets
from lookalike.system.checked_calls import shown

CLUSTER = "cluster:"
MOST = 1_000  # values of a facet
_BY_DAYS, _BY_MONTHS = 62, 3 * 366  # days that a histogram of days, and of months, may span
_LETTERS = {"year": "Y", "month": "M", "day": "D"}
_PARTS = 12  # of what is measured, about
_LEAST_SPAN = 1e-12  # of numbers in parts, by the greatest of them
_LEAST = 1e-290

_OF_IMAGES = (
    "formats",
    "shapes",
    "cameras",
    "lenses",
    "keywords",
    "ratings",
    "colors",
    "sizes",
    "sharpness",
    "shows",
)
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
            f"facets is {shown(names)}; expected a list of {', '.join(FACETS)}", field="facets"
        )
    for name in given:
        is_one = isinstance(name, str) and name.startswith((FIELD, CLUSTER))
        if name not in FACETS and not is_one:
            close = near_misses(str(name), FACETS)
            expected = f"did you mean {' or '.join(close)}?" if close else f"expected {', '.join(FACETS)}"
            raise InvalidInputError(f"there is no facet {name!r}; {expected}", field="facets")
    return tuple(dict.fromkeys(given))


def count_facets(places: Places, selection: Selection, names: Sequence[str]) -> Facets:
    """Return how many images are selected, and the facets of some names.

    Where all clusterings are asked for, those that cannot be read are left out, and it says so.

    Raises
    ------
    QueryError
        If there is no field of a name.
    CollectionError
        If there is no clustering of a name.
    """
    counting = _Counting(places, selection)
    by_name = {name: facet for asked in names for name, facet in counting.facets(asked)}
    warnings = dict.fromkeys((*places.labels.damaged, *counting.damaged, *selection.warnings))
    return Facets(counting.total, by_name, tuple(warnings))


class _Counting:
    """Counts what is selected.

    What files say is counted by image: at once where an image lies in one place, and for the few that lie in
    several apart, once for each value.
    """

    def __init__(self, places: Places, selection: Selection) -> None:
        self.snapshot = places.snapshot
        self.damaged: list[Sentence] = []
        self.joined = self.snapshot.joined
        self.mask = selection.rows()
        self.total = int(np.count_nonzero(self.mask))
        self.chosen = Chosen.of(self.mask)
        files = self.joined.in_many_places
        is_chosen = self.mask[self.joined.images_of_files[files]]
        self.others = files[is_chosen if selection.files is None else is_chosen & selection.files[files]]

    def facets(self, name: str) -> Iterator[tuple[str, Facet]]:
        """Give facets and their names: several, where one name stands for these."""
        snapshot = self.snapshot
        if name == "clusters":
            for each in sorted(snapshot.seen.clusterings):
                facet = self._clusters_if_whole(each)
                if facet is not None:
                    yield f"{CLUSTER}{each}", facet
        elif name == "fields":
            for each in snapshot.own.names:
                yield f"{FIELD}{each}", self._field(each)
        elif name.startswith(CLUSTER):
            yield name, self._clusters(name.removeprefix(CLUSTER))
        elif name.startswith(FIELD):
            yield name, self._field(name.removeprefix(FIELD))
        else:
            yield name, getattr(self, f"_{name}")()

    def _formats(self) -> Facet:
        return self._words(self.snapshot.images.coded_formats)

    def _cameras(self) -> Facet:
        return self._words(self.snapshot.images.cameras)

    def _lenses(self) -> Facet:
        return self._words(self.snapshot.images.lenses)

    def _keywords(self) -> Facet:
        return self._words(self.snapshot.images.keywords)

    def _shows(self) -> Facet:
        return self._words(self.snapshot.keep("shows", lambda: code_shown(self.snapshot)))

    def _shapes(self) -> Facet:
        return self._words(self.joined.keep("shapes", lambda: _shapes(self.snapshot)))

    def _colors(self) -> Facet:
        return self._words(self.joined.keep("colors", lambda: _colors(self.snapshot)))

    def _ratings(self) -> Facet:
        column = self.joined.keep("ratings", lambda: _ratings(self.snapshot))
        counts, n_any = count_values(column, self.chosen)
        stars = {int(value): int(count) for value, count in zip(column.values, counts, strict=True) if count}
        return Facet(dict(sorted(stars.items(), reverse=True)), self.total - n_any, len(stars))

    def _sizes(self) -> Facet:
        images = self.snapshot.images
        return self._parts(self.joined.keep("sizes", lambda: _in_parts(numbers_of(images, "size"), False)))

    def _sharpness(self) -> Facet:
        images = self.snapshot.images
        return self._parts(self.joined.keep("sharpness", lambda: _in_parts(images.sharpness, False)))

    def _dates(self) -> Facet:
        days = self.joined.keep("days", lambda: _days(self.snapshot.images.taken))
        counts, n_any = count_values(days, self.chosen)
        return _of_days(days, counts, self.total - n_any)

    def _clusters_if_whole(self, name: str) -> Facet | None:
        try:
            return self._clusters(name)
        except StoreError as error:
            self.damaged.append(error.told)
            return None

    def _clusters(self, name: str) -> Facet:
        column = self.snapshot.clustering(name).coded
        counts, n_any = count_values(column, self.chosen)
        sizes = {
            int(number): int(count) for number, count in zip(column.values, counts, strict=True) if count
        }
        ordered = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
        return Facet(dict(ordered[:MOST]), self.total - n_any, len(ordered))

    def _sets(self) -> Facet:
        rows_of_sets = self.snapshot.keep("sets", lambda: _rows_of_sets(self.snapshot))
        counts = [int(np.count_nonzero(self.mask[rows])) for rows in rows_of_sets.values()]
        is_in_any = np.zeros(len(self.mask), bool)
        for rows in rows_of_sets.values():
            is_in_any[rows] = True
        missing = self.total - int(np.count_nonzero(is_in_any & self.mask)) if rows_of_sets else self.total
        return _of_words(tuple(rows_of_sets), np.array(counts, np.int64), missing)

    def _labels(self) -> Facet:
        """Count labels and names of clusters, as the filter by labels takes them."""
        of_files, clusters = self.snapshot.file_labels, self.snapshot.named_clusters
        some, n_any = self._count_files("labels", of_files)
        counts = dict(zip(of_files.values, some.tolist(), strict=True))
        if not clusters:
            return _of_words(of_files.values, some, self.total - n_any)
        several: set[str] = set()
        for named in clusters:
            for name, count in zip(named.values, count_values(named, self.chosen)[0].tolist(), strict=True):
                if counts.get(name):
                    several.add(name)
                else:
                    counts[name] = count
        for name in several:  # an image that is called so twice is one
            is_called = self._images_with(of_files, name)
            for named in clusters:
                if name in named.values:
                    is_called |= named.codes == named.values.index(name)
            counts[name] = int(np.count_nonzero(is_called & self.mask))
        has_label = np.logical_or.reduce(
            [self._images_with(of_files), *(named.codes >= 0 for named in clusters)]
        )
        missing = self.total - int(np.count_nonzero(has_label & self.mask))
        return _of_words(tuple(counts), np.array([*counts.values()], np.int64), missing)

    def _images_with(self, labels: Coded, name: str | None = None) -> Mask:
        """Return which images have a label, or any, in a place that counts: (n_images,)."""
        by_image = self._by_image("labels", labels)
        assert isinstance(by_image, Coded)
        codes = labels.codes[self.others]
        if name is None:
            found, others = by_image.codes >= 0, codes >= 0
        elif name in labels.values:
            code = labels.values.index(name)
            found, others = by_image.codes == code, codes == code
        else:
            return np.zeros(len(self.mask), bool)
        found[self.joined.images_of_files[self.others[others]]] = True
        return np.asarray(found)

    def _folders(self) -> Facet:
        """Count the images below each folder, at whatever depth."""
        tree = self.snapshot.keep("folders", lambda: _FolderTree.of(self.snapshot))
        column = self.joined.files.coded_folders
        counts, _ = count_values(self._by_image("folders", column), self.chosen)
        sums = tree.sum(counts)
        if len(self.others):
            sums = sums + tree.count_images(
                self.joined.images_of_files[self.others], column.codes[self.others].astype(np.intp)
            )
        return _of_words(tree.names, sums, 0)

    def _splits(self) -> Facet:
        return self._file_words("splits", self.snapshot.files.splits)

    def _tags(self) -> Facet:
        tags = self.snapshot.own.all_tags
        return self._file_words("tags", tags) if tags.values else Facet({}, self.total)

    def _field(self, name: str) -> Facet:
        own, key = self.snapshot.own, f"{FIELD}{name}"
        kind = own.kind(name)
        if kind in ("text", "tags", "boolean"):
            return self._file_words(key, own.words(name))
        if kind == "date":
            days = self.snapshot.keep_of_fields(("days", name), lambda: _days(own.moments(name)))
            counts, n_any = self._count_files(key, days)
            return _of_days(days, counts, self.total - n_any)
        parts = self.snapshot.keep_of_fields(("parts", name), lambda: _in_parts(own.numbers(name), True))
        counts, n_any = self._count_files(key, parts.coded)
        return _of_parts(parts, counts, self.total - n_any)

    def _words(self, column: Coded | CodedLists) -> Facet:
        counts, n_any = count_values(column, self.chosen)
        return _of_words(column.values, counts, self.total - n_any)

    def _parts(self, parts: _Parts) -> Facet:
        counts, n_any = count_values(parts.coded, self.chosen)
        return _of_parts(parts, counts, self.total - n_any)

    def _file_words(self, key: str, column: Coded | CodedLists) -> Facet:
        counts, n_any = self._count_files(key, column)
        return _of_words(column.values, counts, self.total - n_any)

    def _by_image(self, key: str, column: Coded | CodedLists) -> Coded | CodedLists:
        keep = self.snapshot.keep  # for as long as the column stays
        if key in ("folders", "splits"):
            keep = self.joined.keep
        elif key != "labels":
            keep = self.snapshot.keep_of_fields
        return keep(("by image", key), lambda: self.joined.by_image(column))

    def _count_files(self, key: str, column: Coded | CodedLists) -> tuple[Counts, int]:
        """Return how many images have each value of a column of files, and how many have any."""
        counts, n_any = count_values(self._by_image(key, column), self.chosen)
        if not len(self.others):
            return counts, n_any
        if isinstance(column, Coded):
            rows, codes = self.others, column.codes[self.others]
        else:
            at = column.at(self.others)
            rows, codes = column.rows[at].astype(np.intp), column.codes[at]
        images = self.joined.images_of_files[rows[codes >= 0]]
        n = max(1, len(column.values))
        pairs = np.sort(images.astype(np.int64) * n + codes[codes >= 0])
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]
        n_others = int(np.count_nonzero(np.diff(pairs // n, prepend=-1)))
        return counts + count_codes(pairs % n, len(column.values)), n_any + n_others


def _rows_of_sets(snapshot: Snapshot) -> dict[str, npt.NDArray[np.int32]]:
    found = {}
    for name, ids in snapshot.said.sets.items():
        rows = np.sort(snapshot.images.rows_of(np.unique(np.asarray(ids, np.int64))))
        found[name] = rows[rows >= 0]
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _FolderTree:
    """The folders that files lie in, and those around these, up to their roots.

    Attributes
    ----------
    names : tuple of str
        Their absolute paths; first those that have files themselves.
    above : (m,) int32
        For each of those in turn itself and the folders around it, as numbers of `names`.
    ends : (n + 1,) int64
        Where these begin and end.
    """

    names: tuple[str, ...]
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
        names = tuple(map(snapshot.folder_path, number_of))
        return cls(names, np.array(above, np.int32), np.array(ends, np.int64))

    def sum(self, counts: Counts) -> Counts:
        """Return the counts of all folders, with what lies below them, from those of the folders alone."""
        each = np.repeat(counts, np.diff(self.ends))
        return np.bincount(self.above, weights=each, minlength=len(self.names)).astype(np.int64)

    def count_images(self, images: npt.NDArray[np.int32], codes: npt.NDArray[Any]) -> Counts:
        """Count images that lie in several places once for each folder that they are below."""
        sizes = np.diff(self.ends)[codes]
        starts = np.repeat(self.ends[:-1][codes] - np.cumsum(sizes) + sizes, sizes)
        folders = self.above[starts + np.arange(len(starts))]
        pairs = np.sort(np.repeat(images, sizes).astype(np.int64) * len(self.names) + folders)
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]
        return count_codes(pairs % len(self.names), len(self.names))


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
    there = np.flatnonzero(counts)
    rows: list[int] = there.tolist()
    if len(rows) > MOST:  # to sort a hundred thousand takes as long as all the rest
        some = counts[there]
        least = np.partition(some, -MOST)[-MOST]
        rows = there[some > least].tolist()
        rows += nsmallest(MOST - len(rows), there[some == least].tolist(), key=values.__getitem__)
    ordered = sorted(rows, key=lambda row: (-int(counts[row]), values[row]))
    return Facet({values[row]: int(counts[row]) for row in ordered}, missing, len(there))


def _of_days(column: Coded, counts: Counts, missing: int) -> Facet:
    """Return a histogram of days, by the year, month or day, as fits the time that they span."""
    days, counts = np.array(column.values, "datetime64[D]")[counts > 0], counts[counts > 0]
    if not len(days):
        return Facet({}, missing, 0, unit="year")
    span = int((days[-1] - days[0]).astype(np.int64))
    unit = "day" if span <= _BY_DAYS else "month" if span <= _BY_MONTHS else "year"
    dates = days.astype(f"datetime64[{_LETTERS[unit]}]")
    starts = np.flatnonzero(np.concatenate([[True], dates[1:] != dates[:-1]]))
    sums = np.add.reduceat(counts, starts)
    by_date = dict(zip(dates[starts].astype(str).tolist(), sums.tolist(), strict=True))
    return Facet(by_date, missing, len(by_date), unit=unit)


def _of_parts(parts: _Parts, counts: Counts, missing: int) -> Facet:
    by_start = dict(zip(parts.ends[:-1], counts.tolist(), strict=True))
    return Facet(by_start, missing, len(by_start), ends=parts.ends)


def _days(moments: npt.NDArray[np.datetime64]) -> Coded:
    """Return the days of moments, rising, as ISO 8601 writes them; NaT is none."""
    is_known = ~np.isnat(moments)
    days = moments.astype("datetime64[D]")
    values, inverse = np.unique(days[is_known], return_inverse=True)
    codes = np.full(len(days), -1, np.int32)
    codes[is_known] = inverse
    return Coded(tuple(values.astype(str).tolist()), small_codes(codes, len(values)))


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
    span = high - low
    if not _LEAST_SPAN * max(abs(low), abs(high), _LEAST) < span < math.inf:
        return low, high  # they are as good as one, or too far apart to be told from each other
    power = 10.0 ** math.floor(math.log10(span / _PARTS))
    step = next(power * each for each in (1, 2, 5, 10) if (high - low) / (power * each) <= _PARTS)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    return tuple(float(f"{number * step:.15g}") for number in range(first, last + 1))


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
