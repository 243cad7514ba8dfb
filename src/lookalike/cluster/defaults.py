"""What an algorithm is told where nobody says: found from the images, and from what is said of the rest.

Each function of the rows of `algorithms` takes what there is to cluster, and what gives any other parameter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.cluster.algorithms import MIN_SAMPLES, MOST_CLUSTERS, N_NEIGHBORS, Parameter
from lookalike.system.on_demand import load
from lookalike.system.progress import Watch

if TYPE_CHECKING:
    from lookalike.types import Metric, Vectors

Others = Callable[[str], Any]
"""Gives another parameter by its name."""


@dataclass(frozen=True, slots=True, eq=False)
class ToCluster:
    """What there is to cluster.

    Attributes
    ----------
    n : int
        How many images.
    vectors : (n, d) float32, or None
        None where they are read in batches.
    metric : {"cosine", "euclidean"}
    watch : Watch
        Told how far a search for neighbours has come.
    """

    n: int
    vectors: Vectors | None
    metric: Metric
    watch: Watch


def complete(parameters: Iterable[Parameter], given: Mapping[str, Any], images: ToCluster) -> dict[str, Any]:
    """Return all parameters by their names, in their order: as they were given, the others found."""
    rows = {row.name: row for row in parameters}
    found: dict[str, Any] = {}

    def value(name: str) -> Any:
        if name not in found:
            found[name] = given[name] if name in given else load(rows[name].default)(images, value)
        return found[name]

    return {name: value(name) for name in rows}


def default_k(n: int) -> int:
    """Return the root of half the number of images, 2 to 100.

    >>> default_k(3), default_k(5_000), default_k(1_000_000)
    (2, 50, 100)
    """
    return min(max(2, round(math.sqrt(n / 2))), MOST_CLUSTERS, n)


def number_of_clusters(images: ToCluster, value: Others) -> int:
    """Return how many clusters so many images have, if nobody knows."""
    return default_k(images.n)


def few_images(images: ToCluster, value: Others) -> int:
    """Return how many images make a dense place, or a cluster."""
    return min(MIN_SAMPLES, images.n)


def smallest_cluster(images: ToCluster, value: Others) -> int:
    """Return the size of the smallest cluster."""
    size: int = value("min_cluster_size")
    return size


def distance(images: ToCluster, value: Others) -> float:
    """Return how far neighbours may be, by the distances of all images; see `density.suggest_eps`."""
    from lookalike.cluster.density import suggest_eps

    assert images.vectors is not None
    return suggest_eps(images.vectors, value("min_samples"), images.metric, **images.watch.told).eps


def neighbors(images: ToCluster, value: Others) -> int:
    """Return how many neighbours an image is linked with."""
    return min(N_NEIGHBORS, images.n - 1)


def neighbors_and_itself(images: ToCluster, value: Others) -> int:
    """Return the same, where it counts as its own neighbour."""
    return min(N_NEIGHBORS, images.n)
