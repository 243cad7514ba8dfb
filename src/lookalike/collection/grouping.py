"""Clusters of a collection's vectors: found, measured, and changed as their user wishes."""

from __future__ import annotations

import datetime
import math
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.choices import ALGORITHMS
from lookalike.collection.clusterings import NOISE, StoredClustering
from lookalike.errors import InvalidInputError
from lookalike.types import Ids, ImageId, Metric, Vectors

if TYPE_CHECKING:
    from lookalike.cluster import Choice, KDistances

Report = Callable[[str], None]

_MOST_BY_DEFAULT = 100
_MIN_SAMPLES = 5
_N_NEIGHBORS = 10
_BLOCK_ROWS = 4_096
_TRIED_VALUES = 1 << 25  # numbers in the vectors that several k are tried on: 128 MB
_TRIED_PER_CLUSTER = 32
_LONGEST_NAME = 80


def check_algorithm(algorithm: str, given: Mapping[str, object]) -> None:
    """Raise InvalidInputError unless there is such an algorithm, and it takes what was given."""
    if algorithm not in ALGORITHMS:
        raise InvalidInputError(
            f"there is no algorithm {algorithm!r}; expected one of {', '.join(ALGORITHMS)}"
        )
    for name, value in given.items():
        if value is not None and name not in ALGORITHMS[algorithm]:
            others = [each for each, takes in ALGORITHMS.items() if name in takes]
            raise InvalidInputError(
                f"{name} is {value!r}, but {algorithm} takes {' and '.join(ALGORITHMS[algorithm])};"
                f" {name} is for {', '.join(others)}"
            )


def default_k(n: int) -> int:
    """Return the root of half the number of images, 2 to 100.

    >>> default_k(3), default_k(5_000), default_k(1_000_000)
    (2, 50, 100)
    """
    return min(max(2, round(math.sqrt(n / 2))), _MOST_BY_DEFAULT, n)


def find_clusters(
    name: str,
    model: str,
    metric: Metric,
    ids: Ids,
    vectors: Vectors,
    algorithm: str,
    given: Mapping[str, Any],
    random_state: int,
    report: Report,
) -> StoredClustering:
    """Cluster vectors; see `Collection.cluster`."""
    n = len(ids)
    _check_differ(vectors, model)
    k = given.get("k")
    if k is not None and (isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= n):
        raise InvalidInputError(f"k is {k!r}; expected a whole number from 1 to {n:,}, the number of images")
    _check_seed(random_state)
    report(f"clustering {n:,} images")
    labels, parameters = _fit(vectors, metric, algorithm, given, random_state, report)
    clusters = _number_by_size(labels)
    stored = StoredClustering(
        name=name,
        model=model,
        algorithm=algorithm,
        parameters=parameters,
        random_state=int(random_state),
        made=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        n_images=n,
        names={},
        is_edited=False,
        ids=ids,
        clusters=clusters,
        distances=np.empty(0, np.float32),
        margins=np.empty(0, np.float32),
        centres=np.full((int(clusters.max()) + 1, vectors.shape[1]), np.nan, np.float32),
    )
    return _measured(_recentred(stored, vectors, stored.there), vectors, metric)


def try_ks(
    model: str, vectors: Vectors, ks: Iterable[int] | None, random_state: int, report: Report
) -> Choice:
    """Try several numbers of clusters; see `Collection.try_ks`."""
    from lookalike.cluster import choose_k

    _check_differ(vectors, model)
    _check_seed(random_state)
    n, d = vectors.shape
    if n < 3:
        raise InvalidInputError(
            "there are only 2 images; expected at least 3, to choose a number of clusters"
        )
    wanted = None if ks is None else list(ks)
    largest = max((k for k in wanted or () if isinstance(k, int)), default=1)
    # Enough for the largest clusters to be told from each other, however few values that would be.
    n_rows = max(_TRIED_VALUES // d, _TRIED_PER_CLUSTER * largest, 3)
    return choose_k(
        vectors,
        wanted,
        n_rows=min(n, n_rows),
        random_state=random_state,
        report=lambda done, total: report(f"trying numbers of clusters, {done + 1} of {total}"),
    )


def try_distances(
    model: str, metric: Metric, vectors: Vectors, min_samples: int | None, report: Report
) -> KDistances:
    """Find out what DBSCAN makes of all distances; see `Collection.try_distances`."""
    from lookalike.cluster import suggest_eps

    _check_differ(vectors, model)
    n = len(vectors)
    return suggest_eps(
        vectors, min(_MIN_SAMPLES, n) if min_samples is None else min_samples, metric, _looking(report)
    )


def _check_differ(vectors: Vectors, model: str) -> None:
    """Raise InvalidInputError unless there are at least two images that differ."""
    if len(vectors) < 2:
        raise InvalidInputError("there is only 1 image; expected at least 2, to find groups among")
    if (vectors == vectors[0]).all():
        raise InvalidInputError(
            f"all {len(vectors):,} images have the same vector of {model}; expected two that differ, to find"
            " groups among"
        )


def _check_seed(random_state: Any) -> None:
    is_number = isinstance(random_state, int | np.integer) and not isinstance(random_state, bool)
    if not is_number or not 0 <= random_state < 2**32:
        raise InvalidInputError(
            f"random_state is {random_state!r}; expected a whole number from 0 to 2^32 - 1"
        )


def _looking(report: Report) -> Callable[[int, int], None]:
    """Return a report for those who look for neighbours."""
    return lambda done, total: report(f"looking for neighbours, {done / max(total, 1):.0%}")


def _fit(
    vectors: Vectors,
    metric: Metric,
    algorithm: str,
    given: Mapping[str, Any],
    random_state: int,
    report: Report,
) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    """Return the cluster of each row, and the parameters, those that were not given found."""
    from sklearn.exceptions import ConvergenceWarning

    from lookalike import cluster

    told = _looking(report)
    n = len(vectors)
    # Numbers of numpy's own cannot be written as JSON.
    asked = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in given.items()
        if value is not None
    }
    estimator: Any
    if "k" in ALGORITHMS[algorithm]:
        k = int(asked.get("k", default_k(n)))
        parameters: dict[str, Any] = {"k": k}
        if algorithm in ("kmeans", "hierarchical"):
            estimator = (cluster.KMeans if algorithm == "kmeans" else cluster.HierarchicalKMeans)(
                k, random_state=random_state
            )
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore", ConvergenceWarning
                )  # fewer that differ: empty ones are left out
                return estimator.fit(vectors).labels_, parameters
        if algorithm == "spectral":
            estimator = cluster.SpectralClustering(
                k, min(_N_NEIGHBORS, n), random_state=random_state, metric=metric
            )
        else:
            estimator = cluster.AgglomerativeClustering(
                k, n_neighbors=min(_N_NEIGHBORS, n - 1), metric=metric
            )
        return estimator.fit(vectors, report=told).labels_, parameters
    if algorithm == "hdbscan":
        size = asked.get("min_cluster_size", min(_MIN_SAMPLES, n))
        parameters = {"min_cluster_size": size, "min_samples": asked.get("min_samples", size)}
        estimator = cluster.HDBSCAN(**parameters, metric=metric)
    else:
        min_samples = asked.get("min_samples", min(_MIN_SAMPLES, n))
        eps = asked.get("eps")
        if eps is None:
            eps = cluster.suggest_eps(vectors, min_samples, metric, told).eps
        parameters = {"eps": eps, "min_samples": min_samples}
        estimator = cluster.DBSCAN(**parameters, metric=metric)
    return estimator.fit(vectors, report=told).labels_, parameters


def _number_by_size(labels: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Number clusters from 0, by falling size; those of a size by their first image."""
    found, first, rows, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    order = [at for at in np.lexsort((first, -sizes)) if found[at] != NOISE]
    numbers = np.full(len(found), NOISE, np.int32)
    numbers[order] = np.arange(len(order), dtype=np.int32)
    return numbers[rows]


def assign_new(
    stored: StoredClustering, ids: Ids, vectors: Vectors, metric: Metric, report: Report
) -> tuple[StoredClustering, int]:
    """Put images that are in no cluster yet into those that are there; return how many found one."""
    stored = _without_gone(stored, ids)
    is_new = ~np.isin(ids, stored.ids)
    if not is_new.any():
        return stored, 0
    report(f"assigning {int(is_new.sum()):,} images")
    if "k" in ALGORITHMS[stored.algorithm]:
        new = vectors[is_new]
        blocks = range(0, len(new), _BLOCK_ROWS)
        clusters = np.concatenate(
            [_nearest(new[begin : begin + _BLOCK_ROWS], stored.centres)[0] for begin in blocks]
        )
    else:
        clusters = _near_members(stored, vectors[~is_new], vectors[is_new], metric)
    everything = _with_images(stored, ids[is_new], clusters)
    return _measured(everything, vectors, metric), int((clusters != NOISE).sum())


def _near_members(
    stored: StoredClustering, old: Vectors, new: Vectors, metric: Metric
) -> npt.NDArray[np.int32]:
    """Return the cluster of the nearest image that has one, or noise where that is too far.

    For DBSCAN, farther than eps; for HDBSCAN, than any of that cluster's images is from its nearest fellow.
    """
    from lookalike.index import Exact

    found = np.full(len(new), NOISE, np.int32)
    in_cluster = np.flatnonzero(stored.clusters != NOISE)
    if not len(in_cluster):
        return found
    index = Exact(metric)
    index.build(old[in_cluster])
    nearest = index.search(new, k=1)
    clusters = stored.clusters[in_cluster][nearest.ids[:, 0]]
    reach = np.zeros(len(stored.centres), np.float32)
    if stored.algorithm == "dbscan":
        reach[:] = stored.parameters["eps"]
    else:
        for number in np.unique(clusters):
            members = old[stored.clusters == number]
            if len(members) > 1:
                fellows = Exact(metric)
                fellows.build(members)
                reach[number] = fellows.search(members, k=2).distances[:, 1].max()
    is_near = nearest.distances[:, 0] <= reach[clusters]
    found[is_near] = clusters[is_near]
    return found


def find_cluster(stored: StoredClustering, cluster: int | str, noise: bool = False) -> int:
    """Return the number of a cluster that was named, by its number or the user's name for it.

    Raises
    ------
    InvalidInputError
        If there is none. Noise is one only where it may be.
    """
    by_name = {name: number for number, name in stored.names.items()}
    if isinstance(cluster, str):
        word = cluster.strip()
        number = by_name.get(word, NOISE if word == "noise" else None)
        if number is None and word.removeprefix("-").isdecimal():
            number = int(word)
    else:
        number = cluster if isinstance(cluster, int | np.integer) and not isinstance(cluster, bool) else None
    if number is not None and (number in stored.there or (noise and number == NOISE)):
        return int(number)
    there = stored.there
    names = ", ".join(sorted(by_name)[:10])
    raise InvalidInputError(
        f"there is no cluster {cluster!r} in the clustering {stored.name!r}; expected a number"
        f" from {there[0]} to {there[-1]}{f', or a name: {names}' if names else ''}"
        if there
        else f"there is no cluster {cluster!r}: the clustering {stored.name!r} is all noise"
    )


def rename_cluster(stored: StoredClustering, cluster: int | str, to: str) -> StoredClustering:
    """Give a cluster a name; an empty one takes it back."""
    number = find_cluster(stored, cluster)
    names = {each: name for each, name in stored.names.items() if each != number}
    if to:
        names[number] = _check_name(to, names)
    return replace(stored, names=names, is_edited=True)


def _check_name(name: str, taken: Mapping[int, str]) -> str:
    """Return a name that can be told from numbers, and be that of a folder."""
    is_number = name.removeprefix("-").isdecimal()
    if (
        not name.isprintable()
        or name != name.strip(" .")
        or len(name) > _LONGEST_NAME
        or set(name) & set('/\\:*?"<>|,=')
        or is_number
        or name.casefold() == "noise"
        or re.fullmatch("cluster[- ][0-9]+", name.casefold())  # what an unnamed one is called
    ):
        raise InvalidInputError(
            f"a cluster cannot be named {name!r}; expected up to {_LONGEST_NAME} characters, none of"
            ' / \\ : * ? " < > | , =, and neither a number nor noise nor cluster-3'
        )
    if name.casefold() in map(str.casefold, taken.values()):
        raise InvalidInputError(
            f"another cluster is named {name!r} already; merge the two, or choose another"
        )
    return name


def merge_clusters(
    stored: StoredClustering, clusters: Sequence[int | str], ids: Ids, vectors: Vectors, metric: Metric
) -> StoredClustering:
    """Make clusters one, of the first one's number and the first name that there is."""
    numbers = list(dict.fromkeys(find_cluster(stored, cluster) for cluster in clusters))
    if len(numbers) < 2:
        raise InvalidInputError(f"there is {len(numbers)} cluster to merge; expected two or more")
    first, *others = numbers
    rows, vectors = _rows_of(stored, ids, vectors)
    given = [stored.names[number] for number in numbers if number in stored.names]
    names = {number: name for number, name in stored.names.items() if number not in numbers}
    names |= {first: given[0]} if given else {}
    merged = np.where(np.isin(rows.clusters, others), np.int32(first), rows.clusters)
    merged_rows = replace(rows, clusters=merged, names=names, is_edited=True)
    return _measured(_recentred(merged_rows, vectors, numbers), vectors, metric)


def move_images(
    stored: StoredClustering,
    images: Sequence[ImageId],
    to: int | str,
    ids: Ids,
    vectors: Vectors,
    metric: Metric,
) -> StoredClustering:
    """Put images into another cluster, or among the noise; those that came later, too."""
    target = find_cluster(stored, to, noise=True)
    wanted = np.unique(np.asarray(images, np.int64))
    rows = _without_gone(stored, ids)
    new = np.setdiff1d(wanted, rows.ids)
    rows = _with_images(rows, new, np.full(len(new), target, np.int32))
    vectors = vectors[np.isin(ids, rows.ids)]
    is_moved = np.isin(rows.ids, wanted)
    touched = {target, *rows.clusters[is_moved].tolist()} - {NOISE}
    clusters = np.where(is_moved, np.int32(target), rows.clusters)
    left = set(clusters.tolist())
    names = {number: name for number, name in rows.names.items() if number in left}
    moved = replace(rows, clusters=clusters, names=names, is_edited=True)
    return _measured(_recentred(moved, vectors, sorted(touched)), vectors, metric)


def _without_gone(stored: StoredClustering, ids: Ids) -> StoredClustering:
    """Leave out images that have left the collection."""
    kept = np.isin(stored.ids, ids)
    columns = ("ids", "clusters", "distances", "margins")
    return replace(stored, **{name: getattr(stored, name)[kept] for name in columns})


def _with_images(stored: StoredClustering, ids: Ids, clusters: npt.NDArray[np.int32]) -> StoredClustering:
    """Take in images; distances and margins are no longer right."""
    everything = np.concatenate([stored.ids, ids])
    order = np.argsort(everything)
    return replace(stored, ids=everything[order], clusters=np.concatenate([stored.clusters, clusters])[order])


def _rows_of(stored: StoredClustering, ids: Ids, vectors: Vectors) -> tuple[StoredClustering, Vectors]:
    """Return a clustering without images that have left, and the vectors of its images."""
    stored = _without_gone(stored, ids)
    return stored, vectors[np.isin(ids, stored.ids)]  # both rising


def _recentred(stored: StoredClustering, vectors: Vectors, numbers: Sequence[int]) -> StoredClustering:
    """Take as the centres of some clusters the means of their images."""
    centres = stored.centres.copy()
    order = np.argsort(stored.clusters, kind="stable")
    for number in numbers:
        begin, end = np.searchsorted(stored.clusters, [number, number + 1], sorter=order)
        members = vectors[order[begin:end]]
        centres[number] = members.mean(axis=0, dtype=np.float64) if len(members) else np.nan
    return replace(stored, centres=centres)


def nearest_cluster(stored: StoredClustering, vector: Vectors) -> int:
    """Return the number of the cluster whose centre is nearest to a vector, (1, d)."""
    return int(_nearest(vector, stored.centres)[0][0])


def _nearest(vectors: Vectors, centres: Vectors) -> tuple[npt.NDArray[np.int32], Vectors]:
    """Return the nearest centre to each row, (n,), -1 if there is none, and all distances, (n, n_clusters).

    Euclidean, as k-means counts, whatever the metric; infinite for clusters that have no images.
    """
    distances = np.full((len(vectors), len(centres)), np.inf, np.float32)
    there = np.flatnonzero(np.isfinite(centres).all(axis=1))
    if not len(there):
        return np.full(len(vectors), NOISE, np.int32), distances
    some = centres[there].astype(np.float64)
    squares = np.einsum("kd,kd->k", some, some)
    rows = vectors.astype(np.float64)
    gaps = np.einsum("nd,nd->n", rows, rows)[:, None] + squares - 2 * (rows @ some.T)
    distances[:, there] = np.sqrt(np.maximum(gaps, 0))
    return distances.argmin(axis=1).astype(np.int32), distances


def _measured(stored: StoredClustering, vectors: Vectors, metric: Metric) -> StoredClustering:
    """Measure how far each image is from its centre, and from the next."""
    n = len(stored.ids)
    distances, margins = np.full(n, np.inf, np.float32), np.full(n, np.nan, np.float32)
    for begin in range(0, n if stored.there else 0, _BLOCK_ROWS):
        part = slice(begin, begin + _BLOCK_ROWS)
        rows, clusters = vectors[part], stored.clusters[part]
        nearest, gaps = _nearest(rows, stored.centres)
        own = np.where(clusters == NOISE, nearest, clusters)
        each = np.arange(len(rows))
        to_own = gaps[each, own]
        gaps[each, own] = np.inf
        margins[part] = np.where(clusters == NOISE, np.nan, gaps.min(axis=1) - to_own)
        if metric == "cosine":
            centres = stored.centres[own]
            lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(centres, axis=1)
            to_own = 1 - np.einsum("nd,nd->n", rows, centres) / np.maximum(lengths, 1e-30)
        distances[part] = to_own
    return replace(stored, distances=distances, margins=margins)
