"""Clusters of a collection's vectors: found, and before that, tried."""

from __future__ import annotations

import contextlib
import datetime
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.cluster.algorithms import (
    ALGORITHMS,
    DEFAULT_ALGORITHM,
    MIN_SAMPLES,
    Algorithm,
    algorithms_that_take,
    get_algorithm,
)
from lookalike.cluster.defaults import ToCluster, complete
from lookalike.collection.clusterings.centers import measured, recentered
from lookalike.collection.clusterings.describing import describe_clustering
from lookalike.collection.embedded import Embedded
from lookalike.collection.folding import Copies, folded_ids
from lookalike.collection.resources import Resources
from lookalike.collection.stored.clusterings import (
    NOISE,
    StoredClustering,
    StoredClusterings,
)
from lookalike.collection.stored.named_folders import check_name
from lookalike.embed import Model
from lookalike.errors import CollectionConflictError, CollectionResourceError, InvalidInputError
from lookalike.hints import Hint
from lookalike.results.clusterings import Clustering
from lookalike.system.chance import RANDOM_STATE, check_seed
from lookalike.system.checked_calls import shown
from lookalike.system.memory import free_memory
from lookalike.system.progress import Progress, Watch
from lookalike.types import Metric, Vectors

if TYPE_CHECKING:
    from lookalike.cluster import Choice, KDistances

_TRIED_VALUES = 1 << 25  # numbers in the vectors that several k are tried on: 128 MB
_TRIED_PER_CLUSTER = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteringRequest:
    """What clusters are to be made, checked as far as it can be without the images; see `Clusterings.make`.

    Attributes
    ----------
    algorithm : str
        A row of `lookalike.cluster.algorithms`.
    name : str or None
        Under which it is kept; the algorithm's by default.
    model : str or None
        As the user called it, if at all.
    parameters : mapping of str to value
        What the user says of the algorithm; None stands for what nobody said.
    random_state : int
    in_batches : bool or None
        Whether to read the vectors in batches; by default where they would not fit into memory.
    fold : bool
        Whether each picture counts once, however many near-duplicates it has.

    Raises
    ------
    InvalidInputError
        If there is no such algorithm, it does not take what was given, or something cannot be what it is.
    """

    algorithm: str = DEFAULT_ALGORITHM
    name: str | None = None
    model: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    random_state: int = RANDOM_STATE
    in_batches: bool | None = None
    fold: bool = False

    def __post_init__(self) -> None:
        row = get_algorithm(self.algorithm)
        for name, value in self.given.items():
            if name not in row.takes:
                raise InvalidInputError(
                    f"{name} is {shown(value)}, but {row.name} takes {' and '.join(row.takes)};"
                    f" {name} is for {', '.join(algorithms_that_take([name]))}",
                    field=name,
                )
        _ = self.kept_as  # which is checked
        check_seed(self.random_state)
        if self.in_batches and row.in_batches is None:
            raise InvalidInputError(
                f"{row.name} cannot read the vectors in batches; {_which_read_batches()} can"
            )

    @property
    def kept_as(self) -> str:
        """The name under which it is kept."""
        return check_name("clustering", self.algorithm if self.name is None else self.name)

    @property
    def given(self) -> dict[str, Any]:
        """What the user said of the algorithm; numbers of numpy's own, which JSON knows not, as Python's."""
        return {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in self.parameters.items()
            if value is not None
        }


def make_clustering(resources: Resources, request: ClusteringRequest, watch: Watch) -> Clustering:
    """Cluster the images that a model has embedded, and keep that; see `Clusterings.make`."""
    _check_replaceable(resources.clusterings, request.kept_as)
    model, embedded = resources.some_embedded(request.model)
    copies = Copies.needed(resources) if request.fold else None
    found = find_clusters(request, model, embedded, watch, copies)
    with resources.clusterings.lock():
        _check_replaceable(resources.clusterings, request.kept_as)
        watch.check()
        resources.clusterings.write(found)
    return describe_clustering(resources, found, model)


def _check_replaceable(clusterings: StoredClusterings, name: str) -> None:
    if name in clusterings.names() and clusterings.read(name).is_edited:
        raise CollectionConflictError(
            f"clusters of {name!r} were named or changed by hand, which would be lost",
            hint=Hint("named_clusters", name=name),
        )


def find_clusters(
    request: ClusteringRequest, model: Model, embedded: Embedded, watch: Watch, copies: Copies | None = None
) -> StoredClustering:
    """Cluster the vectors of a model; of images that are one picture, one stands for all."""
    if copies is None:
        labels, parameters = _fit(request, model, embedded, watch)
    else:
        ids, places = folded_ids(copies, embedded.ids)
        labels, parameters = _fit(request, model, replace(embedded, ids=ids), watch)
        labels = labels[places]
    clusters = _number_by_size(labels)
    stored = StoredClustering(
        name=request.kept_as,
        model=model.name,
        algorithm=request.algorithm,
        parameters=parameters,
        random_state=int(request.random_state),
        made=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        n_images=len(embedded),
        names={},
        is_edited=False,
        ids=embedded.ids,
        clusters=clusters,
        distances=np.empty(0, np.float32),
        margins=np.empty(0, np.float32),
        centers=np.full((int(clusters.max()) + 1, embedded.dimension), np.nan, np.float32),
    )
    watch.say("measuring", f"measuring {len(embedded):,} images")
    return measured(recentered(stored, embedded, stored.there), embedded, model.metric)


def _fit(
    request: ClusteringRequest, model: Model, embedded: Embedded, watch: Watch
) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    """Return the cluster of each image, as the algorithm numbers them, and the parameters that were used."""
    from lookalike.cluster.base import check_count

    n, row = len(embedded), get_algorithm(request.algorithm)
    _check_differ(embedded, model.name)
    if "k" in request.given:
        check_count(request.given["k"], "k", 1, n, things="images")
    in_batches = request.in_batches
    if in_batches is None:
        in_batches = row.in_batches is not None and not _fits(embedded, row)
    if not in_batches:
        _check_fits(embedded, row)
    watch.say("clustering", f"clustering {n:,} images")
    images = ToCluster(n, None if in_batches else embedded.take(), model.metric, watch)
    found = complete((*row.parameters, *row.settled), request.given, images)
    estimator = _make_estimator(row, found, request, model.metric, in_batches)
    with _quiet_about_empty_clusters():
        if in_batches:
            labels = _fit_batches(estimator, embedded, watch)
        else:
            labels = estimator.fit(images.vectors, **watch.told).labels_
    parameters = {name: found[name] for name in row.takes}
    for name, is_so in (("in_batches", in_batches), ("fold", request.fold)):
        parameters |= {name: True} if is_so else {}
    return labels, parameters


def _make_estimator(
    row: Algorithm, found: Mapping[str, Any], request: ClusteringRequest, metric: Metric, in_batches: bool
) -> Any:
    """Return an algorithm's estimator with its parameters, those that were not given found."""
    arguments: dict[str, Any] = {
        parameter.argument: found[parameter.name] for parameter in (*row.parameters, *row.settled)
    }
    if row.has_chance:
        arguments["random_state"] = request.random_state
    if row.by_neighbors:
        arguments["metric"] = metric
    if in_batches:
        arguments |= dict(row.in_batches or ())
    return row.load()(**arguments)


def try_ks(
    model: str, embedded: Embedded, ks: Iterable[int] | None, random_state: int, watch: Watch
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
    watch.say("reading", f"reading {n_tried:,} images")
    choice = choose_k(
        embedded.take(np.sort(embedded.ids[sample])),
        wanted,
        random_state=random_state,
        **watch.told,
    )
    return replace(choice, n_given=n)


def try_distances(
    model: str, metric: Metric, embedded: Embedded, min_samples: int | None, watch: Watch
) -> KDistances:
    """Find out what DBSCAN makes of all distances; see `Clusterings.try_distances`."""
    from lookalike.cluster import suggest_eps

    _check_differ(embedded, model)
    _check_fits(embedded, get_algorithm("dbscan"))
    wanted = min(MIN_SAMPLES, len(embedded)) if min_samples is None else min_samples
    return suggest_eps(embedded.take(), wanted, metric, **watch.told)


def _check_differ(embedded: Embedded, model: str) -> None:
    """Raise InvalidInputError unless there are at least two images that differ."""
    from lookalike.cluster.base import check_differ

    batches = (vectors for _, vectors in embedded.blocks())
    check_differ(batches, "images", f"have the same vector of {model}")


def _fits(embedded: Embedded, row: Algorithm) -> bool:
    """Tell whether vectors, and what an algorithm takes beside them, fit into memory."""
    return row.times_vectors * embedded.n_bytes <= free_memory()


def _check_fits(embedded: Embedded, row: Algorithm) -> None:
    if not _fits(embedded, row):
        taken, free = row.times_vectors * embedded.n_bytes, free_memory()
        raise CollectionResourceError(
            f"{row.name} would take about {taken / 1e9:,.1f} GB of memory for {len(embedded):,} images, and"
            f" {free / 1e9:,.1f} GB are free",
            hint=Hint("reduce", reader=_which_read_batches()),
        )


def _which_read_batches() -> str:
    return " and ".join(row.name for row in ALGORITHMS if row.in_batches is not None)


def _fit_batches(estimator: Any, embedded: Embedded, watch: Watch) -> npt.NDArray[Any]:
    """Return the cluster of each image, without holding all vectors in memory."""
    n = len(embedded)
    order = np.empty(n, np.intp)  # which image each row of the batches is
    n_rounds = 0

    def batches() -> Iterator[Vectors]:
        nonlocal n_rounds
        words = "choosing a sample" if n_rounds == 0 else f"round {n_rounds}"
        n_rounds, done = n_rounds + 1, 0
        for rows, vectors in embedded.blocks():
            order[done : done + len(rows)] = rows
            done += len(rows)
            watch(Progress("batches", done, n, f"clustering in batches, {words}", unit="images"))
            yield vectors

    found: npt.NDArray[Any] = estimator.fit_batches(batches, **watch.quiet().told).labels_
    labels = np.empty_like(found)
    labels[order] = found
    return labels


@contextlib.contextmanager
def _quiet_about_empty_clusters() -> Iterator[None]:
    """Leave out the warning that fewer images differ than there are clusters: empty ones are left out."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def _number_by_size(labels: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Number clusters from 0, by falling size; those of a size by their first image."""
    found, first, rows, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    order = [at for at in np.lexsort((first, -sizes)) if found[at] != NOISE]
    numbers = np.full(len(found), NOISE, np.int32)
    numbers[order] = np.arange(len(order), dtype=np.int32)
    return numbers[rows]
