"""Clusters of a collection's vectors: found, and before that, tried."""

from __future__ import annotations

import datetime
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.answers import Clustering
from lookalike.choices import ALGORITHMS
from lookalike.collection.clusterings.centers import measured, recentred
from lookalike.collection.clusterings.describing import describe_clustering
from lookalike.collection.embedded import Embedded
from lookalike.collection.resources import Resources
from lookalike.collection.stored.clusterings import NOISE, StoredClustering, StoredClusterings
from lookalike.embed import Model
from lookalike.errors import CollectionConflictError, CollectionResourceError, InvalidInputError
from lookalike.hints import Hint
from lookalike.system.memory import free_memory
from lookalike.types import Metric, Vectors

if TYPE_CHECKING:
    from lookalike.cluster import Choice, KDistances

Report = Callable[[str], None]

_MOST_BY_DEFAULT = 100
_MIN_SAMPLES = 5
_N_NEIGHBORS = 10
# How much memory each takes at most, the vectors included, in units of these: both k-means as measured, the
# others by what they copy (rotated rows of the search tree, rows in float64).
_TIMES_VECTORS = {
    "kmeans": 3,
    "hierarchical": 3,
    "dbscan": 4,
    "hdbscan": 4,
    "spectral": 4,
    "agglomerative": 6,
}
_ROUNDS_IN_BATCHES = 30  # each reads all vectors, and from the tenth on they gain a thousandth together
_TRIED_VALUES = 1 << 25  # numbers in the vectors that several k are tried on: 128 MB
_TRIED_PER_CLUSTER = 32


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


@dataclass(frozen=True, slots=True)
class ClusteringRequest:
    """What clusters are to be made; see `Clusterings.make`.

    Attributes
    ----------
    model : str or None
        As the user called it, if at all.
    given : mapping of str to number or None
        Parameters of the algorithm.
    """

    name: str
    model: str | None
    algorithm: str
    given: Mapping[str, Any]
    in_batches: bool | None
    random_state: int
    report: Report


def make_clustering(resources: Resources, request: ClusteringRequest) -> Clustering:
    """Cluster the images that a model has embedded, and keep that; see `Clusterings.make`."""
    _check_replaceable(resources.clusterings, request.name)
    model, embedded = resources.some_embedded(request.model)
    found = _find_clusters(request, model, embedded)
    with resources.clusterings.lock():
        _check_replaceable(resources.clusterings, request.name)
        resources.clusterings.write(found)
    return describe_clustering(resources, found, model)


def _check_replaceable(clusterings: StoredClusterings, name: str) -> None:
    if name in clusterings.names() and clusterings.read(name).is_edited:
        raise CollectionConflictError(
            f"clusters of {name!r} were named or changed by hand, which would be lost; choose another"
            " name, or delete that clustering first"
        )


def _find_clusters(request: ClusteringRequest, model: Model, embedded: Embedded) -> StoredClustering:
    """Cluster vectors."""
    from lookalike.cluster.base import check_count

    algorithm, given, in_batches = request.algorithm, request.given, request.in_batches
    random_state, report = request.random_state, request.report
    n = len(embedded)
    _check_differ(embedded, model.name)
    if given.get("k") is not None:
        check_count(given["k"], "k", 1, n, things="images")
    check_seed(random_state)
    if in_batches is None:
        in_batches = algorithm == "kmeans" and not _fits(embedded, algorithm)
    elif in_batches and algorithm != "kmeans":
        raise InvalidInputError(f"{algorithm} cannot read the vectors in batches; kmeans can")
    if not in_batches:
        _check_fits(embedded, algorithm)
    report(f"clustering {n:,} images")
    if in_batches:
        labels, parameters = _fit_batches(embedded, given, random_state, report)
    else:
        labels, parameters = _fit(embedded.take(), model.metric, algorithm, given, random_state, report)
    clusters = _number_by_size(labels)
    stored = StoredClustering(
        name=request.name,
        model=model.name,
        algorithm=algorithm,
        parameters=parameters,
        random_state=int(random_state),
        made=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        n_images=n,
        names={},
        is_edited=False,
        ids=embedded.ids,
        clusters=clusters,
        distances=np.empty(0, np.float32),
        margins=np.empty(0, np.float32),
        centres=np.full((int(clusters.max()) + 1, embedded.dimension), np.nan, np.float32),
    )
    report(f"measuring {n:,} images")
    return measured(recentred(stored, embedded, stored.there), embedded, model.metric)


def try_ks(
    model: str, embedded: Embedded, ks: Iterable[int] | None, random_state: int, report: Report
) -> Choice:
    """Try several numbers of clusters; see `Clusterings.try_ks`."""
    from lookalike.cluster import choose_k
    from lookalike.cluster.base import check_count

    _check_differ(embedded, model)
    check_seed(random_state)
    n = len(embedded)
    if n < 3:
        raise InvalidInputError(
            "there are only 2 images; expected at least 3, to choose a number of clusters"
        )
    wanted = None if ks is None else list(ks)
    for k in wanted or ():
        check_count(k, "k", 2, n - 1, n, "images")
    # Enough for the largest clusters to be told from each other, however few values that would be.
    n_tried = min(n, max(_TRIED_VALUES // embedded.dimension, _TRIED_PER_CLUSTER * max(wanted or [1]), 3))
    sample = np.random.default_rng(random_state).choice(n, n_tried, replace=False)
    report(f"reading {n_tried:,} images")
    choice = choose_k(
        embedded.take(np.sort(embedded.ids[sample])),
        wanted,
        random_state=random_state,
        report=lambda done, total: report(f"trying numbers of clusters, {done + 1} of {total}"),
    )
    return replace(choice, n_given=n)


def try_distances(
    model: str, metric: Metric, embedded: Embedded, min_samples: int | None, report: Report
) -> KDistances:
    """Find out what DBSCAN makes of all distances; see `Clusterings.try_distances`."""
    from lookalike.cluster import suggest_eps

    _check_differ(embedded, model)
    _check_fits(embedded, "dbscan")
    wanted = min(_MIN_SAMPLES, len(embedded)) if min_samples is None else min_samples
    return suggest_eps(embedded.take(), wanted, metric, _looking(report))


def _check_differ(embedded: Embedded, model: str) -> None:
    """Raise InvalidInputError unless there are at least two images that differ."""
    from lookalike.cluster.base import check_differ

    batches = (vectors for _, vectors in embedded.blocks())
    check_differ(batches, "images", f"have the same vector of {model}")


def _fits(embedded: Embedded, algorithm: str) -> bool:
    """Tell whether vectors, and what an algorithm takes beside them, fit into memory."""
    return _TIMES_VECTORS[algorithm] * embedded.n_bytes <= free_memory()


def _check_fits(embedded: Embedded, algorithm: str) -> None:
    if not _fits(embedded, algorithm):
        taken, free = _TIMES_VECTORS[algorithm] * embedded.n_bytes, free_memory()
        raise CollectionResourceError(
            f"{algorithm} would take about {taken / 1e9:,.1f} GB of memory for {len(embedded):,} images, and"
            f" {free / 1e9:,.1f} GB are free",
            hint=Hint("reduce"),
        )


def check_seed(random_state: Any) -> None:
    """Raise InvalidInputError unless it is a whole number that chance can start from."""
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


def _fit_batches(
    embedded: Embedded, given: Mapping[str, Any], random_state: int, report: Report
) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    """Return what `_fit` does for k-means, without holding all vectors in memory."""
    from sklearn.exceptions import ConvergenceWarning

    from lookalike.cluster import KMeans

    k = int(given.get("k") or default_k(len(embedded)))
    order = np.empty(len(embedded), np.intp)  # which image each row of the batches is
    n_rounds = 0

    def batches() -> Iterator[Vectors]:
        nonlocal n_rounds
        words = "choosing a sample" if n_rounds == 0 else f"round {n_rounds}"
        n_rounds, done = n_rounds + 1, 0
        for rows, vectors in embedded.blocks():
            order[done : done + len(rows)] = rows
            done += len(rows)
            report(f"clustering {len(embedded):,} images in batches: {words}, {done / len(embedded):.0%}")
            yield vectors

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # empty clusters are left out
        model = KMeans(k, max_iter=_ROUNDS_IN_BATCHES, random_state=random_state)
        found = model.fit_batches(batches).labels_
    labels = np.empty_like(found)
    labels[order] = found
    return labels, {"k": k, "in_batches": True}


def _number_by_size(labels: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Number clusters from 0, by falling size; those of a size by their first image."""
    found, first, rows, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    order = [at for at in np.lexsort((first, -sizes)) if found[at] != NOISE]
    numbers = np.full(len(found), NOISE, np.int32)
    numbers[order] = np.arange(len(order), dtype=np.int32)
    return numbers[rows]
