"""In what order images are listed: by path, date, color, …; each order is made once, and kept.

An order is of all images that lie anywhere; those that a filter lets pass are taken out of it, which is a
matter of milliseconds. Ties stand by path, and images of which nothing is known last, whichever way round.

- size: the shorter side, as in filters; of two the one whose longer side is.
- color: of the color that there is most of, around the circle of hues from red, by CIELAB; greys, which have
  none, come last, the dark ones first.
- central: by distance to the center of its own cluster, where one clustering is meant; else to the mean of
  all images, or to the direction of it where the model compares by cosine.
- random: by a hash of seed and id, so that what comes or goes leaves the others as they were.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.coding import Coded, Mask, small_codes
from lookalike.collection.columns import NO_RATING
from lookalike.collection.joined import ORDERS, Rows
from lookalike.collection.own_columns import as_moments
from lookalike.collection.resources import Resources
from lookalike.collection.snapshot import Snapshot
from lookalike.errors import QueryInputError
from lookalike.query.sorts import FIELD
from lookalike.system.memo import Recent

_GREY = 10.0  # of less chroma no hue is seen
_FIRST_HUE = np.radians(15)  # red; what lies before it is pink
_UNKNOWN = np.inf


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """An order of all images that lie anywhere.

    Attributes
    ----------
    rows : (n,) int32
        Of `ImageColumns`.
    n_known : int
        How many of these, the first, have what they are sorted by.
    keys : (n,) float32 or None
        What they are sorted by, where that is a distance; NaN where it is not known.
    """

    rows: Rows
    n_known: int
    keys: npt.NDArray[np.float32] | None = None

    @classmethod
    def of_known(cls, rows: Rows) -> Order:
        """Return an order by what is known of all."""
        return cls(rows, len(rows))

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return self.rows.nbytes + (0 if self.keys is None else self.keys.nbytes)

    def among(self, images: Mask | None, is_descending: bool) -> npt.NDArray[np.intp]:
        """Return where in `rows` some images stand, or all; the unknown last.

        Parameters
        ----------
        images : (n_images,) bool, optional
            By row of `ImageColumns`.
        is_descending : bool
        """
        if images is None:
            known, unknown = np.arange(self.n_known), np.arange(self.n_known, len(self.rows))
        else:
            places = np.flatnonzero(images[self.rows])
            cut = int(np.searchsorted(places, self.n_known))
            known, unknown = places[:cut], places[cut:]
        if is_descending:
            known = known[::-1]
        return np.concatenate([known, unknown]) if len(unknown) else known


def order_images(resources: Resources, sort: str, random_state: int, clustering: str | None) -> Order:
    """Return all images in an order.

    Parameters
    ----------
    resources : Resources
    sort : str
        As `lookalike.query.sorts.check_sort` lets pass.
    random_state : int
        For random.
    clustering : str or None
        For central: to the center of whose clusters.

    Raises
    ------
    QueryError
        If there is no such field, or it has no order.
    CollectionError
        For central, if no image is embedded.
    """
    snapshot = resources.places.snapshot
    kept, key = snapshot.orders, (sort, clustering)
    if sort == "central":
        if clustering is None:
            # Kept while neither the images nor their vectors change: it reads all of these, twice.
            vectors = snapshot.store.state.get(f"vectors/{resources.model(None).name}.lance")
            found: Order = snapshot.joined.central.get(
                vectors, lambda: _sorted(snapshot, _from_mean(resources), keeps_keys=True)
            )
            return found
        distances = snapshot.clustering(clustering).distances
        found = kept.get(key, lambda: _sorted(snapshot, distances, keeps_keys=True))
    elif sort == "label":
        found = kept.get(key, lambda: _sorted(snapshot, _label_ranks(snapshot)))
    elif sort.startswith(FIELD):
        kept = snapshot.keep_of_fields("orders", _recent_orders)
        found = kept.get(key, lambda: _sorted(snapshot, _field(snapshot, sort.removeprefix(FIELD))))
    elif sort == "random":
        kept = snapshot.joined.orders
        found = kept.get((sort, random_state), lambda: _sorted(snapshot, _hash(snapshot, random_state)))
    elif sort == "path":
        found = Order.of_known(snapshot.joined.by_path)
    else:
        found = snapshot.joined.orders.get(sort, lambda: _sorted(snapshot, _of_tables(snapshot, sort)))
    return found


def _recent_orders() -> Recent[Hashable, Any]:
    return Recent(ORDERS)


def image_labels(snapshot: Snapshot) -> Coded:
    """Return the label of each image: that of its first place, else the name of a cluster; (n_images,)."""
    return snapshot.keep("image labels", lambda: _label_images(snapshot))


def _label_images(snapshot: Snapshot) -> Coded:
    of_files, first = snapshot.file_labels, snapshot.joined.first_files
    values = list(of_files.values)
    codes = np.where(first >= 0, of_files.codes[first], -1).astype(np.int32)
    for named in snapshot.named_clusters:
        new = {value: code for code, value in enumerate(values)}
        values += [name for name in named.values if name not in new]
        new = {value: code for code, value in enumerate(values)}
        now = np.array([*(new[name] for name in named.values), -1], np.int32)
        codes = np.where(codes < 0, now[named.codes], codes)
    return Coded(tuple(values), small_codes(codes, len(values)))


def values_of(snapshot: Snapshot, sort: str, rows: Rows) -> npt.NDArray[Any] | None:
    """Return what some images are sorted by, where that is a date, a number or a truth value: (n,)."""
    images = snapshot.images
    if sort == "date":
        return images.taken[rows]
    if sort == "size":
        return np.minimum(images.widths[rows], images.heights[rows])
    if sort == "sharpness":
        return images.sharpness[rows]
    if sort == "rating":
        return np.where(images.ratings[rows] == NO_RATING, np.nan, images.ratings[rows])
    if not sort.startswith(FIELD) or snapshot.own.kind(sort.removeprefix(FIELD)) == "text":
        return None
    numbers = _field(snapshot, sort.removeprefix(FIELD))[rows]
    return as_moments(numbers) if snapshot.own.kind(sort.removeprefix(FIELD)) == "date" else numbers


def _of_tables(snapshot: Snapshot, sort: str) -> npt.NDArray[Any]:
    images = snapshot.images
    if sort == "date":
        return images.taken
    if sort == "size":
        shorter, longer = np.minimum(images.widths, images.heights), np.maximum(images.widths, images.heights)
        return np.asarray(shorter.astype(np.int64) << 32 | longer)
    if sort == "sharpness":
        return images.sharpness
    if sort == "rating":
        ratings = images.ratings.astype(np.float32)
        ratings[images.ratings == NO_RATING] = _UNKNOWN
        return ratings
    return _hues(images.colors)


def _sorted(snapshot: Snapshot, keys: npt.NDArray[Any], keeps_keys: bool = False) -> Order:
    """Return the images by keys, (n_images,), ties by path; NaN, NaT and infinite stand for not known."""
    base = snapshot.joined.by_path
    of_base = keys[base]
    order = np.argsort(of_base, kind="stable")
    n_known = len(base)
    if of_base.dtype.kind == "f":
        n_known = int(np.isfinite(of_base).sum())
    elif of_base.dtype.kind == "M":
        n_known -= int(np.isnat(of_base).sum())
    return Order(base[order], n_known, of_base[order].astype(np.float32) if keeps_keys else None)


def _hues(colors: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    lightness, a, b = colors.astype(np.float32).T
    around = np.mod(np.arctan2(b, a) - _FIRST_HUE, 2 * np.pi)
    is_grey = np.hypot(a, b) < _GREY
    keys = np.where(is_grey, 2 * np.pi + 1 + lightness / 100, around)
    return np.asarray(keys, np.float32)


def _hash(snapshot: Snapshot, seed: int) -> npt.NDArray[np.uint64]:
    """Return a number for each image that a seed and its id make (the finisher of splitmix64)."""
    with np.errstate(over="ignore"):
        mixed = snapshot.images.ids.astype(np.uint64) + np.uint64(seed % 2**64) * np.uint64(
            0x9E3779B97F4A7C15
        )
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def _label_ranks(snapshot: Snapshot) -> npt.NDArray[np.float32]:
    labels = image_labels(snapshot)
    return np.asarray(_alphabetical(labels.values)[labels.codes])


def _alphabetical(words: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return where each word stands in the alphabet: (n + 1,), the last for none."""
    ranks = np.full(len(words) + 1, np.nan, np.float32)
    ranks[sorted(range(len(words)), key=lambda code: (words[code].casefold(), words[code]))] = np.arange(
        len(words)
    )
    return ranks


def _field(snapshot: Snapshot, name: str) -> npt.NDArray[np.float64]:
    kind, first = snapshot.own.kind(name), snapshot.joined.first_files
    if kind == "tags":
        raise QueryInputError(f"the field {name!r} holds tags, of which an image may have several: no order")
    if kind == "text":
        words = snapshot.own.words(name)
        values: npt.NDArray[np.floating] = _alphabetical(words.values)[words.codes]
    else:
        values = snapshot.own.numbers(name)
    return np.where(first >= 0, values[first], np.nan) if len(values) else np.full(len(first), np.nan)


def _from_mean(resources: Resources) -> npt.NDArray[np.float32]:
    """Return how far each image is from the mean of all, as the model compares; NaN without a vector."""
    model, embedded = resources.some_embedded(None)
    total = np.zeros(embedded.dimension)
    for _, vectors in embedded.blocks():
        total += vectors.sum(axis=0, dtype=np.float64)
    mean = (total / len(embedded)).astype(np.float32)
    if model.metric == "cosine":
        mean /= np.linalg.norm(mean) or np.float32(1)
    images = resources.places.snapshot.images
    found = np.full(len(images) + 1, np.nan, np.float32)
    of_embedded = images.rows_of(embedded.ids)  # the last is that of those without a row
    for rows, vectors in embedded.blocks():
        found[of_embedded[rows]] = (
            1 - vectors @ mean if model.metric == "cosine" else np.linalg.norm(vectors - mean, axis=1)
        )
    found[-1] = np.nan
    return found[:-1]
