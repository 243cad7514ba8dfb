"""The ways to cluster, as a table. To add one, add a row, and a file with its estimator.

Nothing heavy is imported here, so that a help text or an error can say at once what there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lookalike.system.on_demand import load
from lookalike.system.rows import find_row, names_of

MIN_SAMPLES = 5
"""How many images make a dense place, where nobody says."""

N_NEIGHBORS = 10
"""How many neighbours an image is linked with."""

MOST_CLUSTERS = 100
"""At most, where nobody says how many."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What an estimator is told, and what it is where nobody says.

    Attributes
    ----------
    name : str
        As users know it, and as it is kept with a clustering.
    argument : str
        Of the estimator's constructor.
    default : str
        ``module:function`` of `defaults`' kind, which finds it from the images.
    """

    name: str
    argument: str
    default: str


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One way to cluster.

    Attributes
    ----------
    name, title : str
        What users type, and what it is called.
    estimator : str
        ``module:class``, in scikit-learn's manners.
    parameters : tuple of Parameter
        What users may say of it.
    times_vectors : int
        How much memory it takes at most, the vectors included, in units of these: k-means as measured, the
        others by what they copy (rotated rows of the search tree, rows in float64).
    by_neighbors : bool
        Whether it is a `base.NeighborClustering`: it takes a metric, and tells how far it has come.
    has_chance : bool
        Whether it draws, and takes a ``random_state``.
    settled : tuple of Parameter
        What it is told besides, which no user says and nobody keeps.
    in_batches : tuple of (str, number), or None
        Arguments of the estimator with which it reads vectors in batches, by ``fit_batches``, where they do
        not fit into memory; None if it cannot.
    """

    name: str
    title: str
    estimator: str
    parameters: tuple[Parameter, ...]
    times_vectors: int
    by_neighbors: bool
    has_chance: bool
    settled: tuple[Parameter, ...] = ()
    in_batches: tuple[tuple[str, int], ...] | None = None

    @property
    def takes(self) -> tuple[str, ...]:
        """The names of what users may say of it."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def is_by_density(self) -> bool:
        """Whether it finds the number of clusters itself, where images lie densely, and leaves noise."""
        return "k" not in self.takes

    def load(self) -> Any:
        """Return the estimator's class."""
        return load(self.estimator)


_K = Parameter("k", "n_clusters", "lookalike.cluster.defaults:number_of_clusters")
_EPS = Parameter("eps", "eps", "lookalike.cluster.defaults:distance")
_MIN_SAMPLES = Parameter("min_samples", "min_samples", "lookalike.cluster.defaults:few_images")

ALGORITHMS: tuple[Algorithm, ...] = (
    Algorithm(
        "kmeans",
        "k-means",
        "lookalike.cluster.kmeans:KMeans",
        (_K,),
        times_vectors=3,
        by_neighbors=False,
        has_chance=True,
        in_batches=(("max_iter", 30),),  # each reads all; from the tenth on they gain a thousandth
    ),
    Algorithm(
        "hierarchical",
        "Hierarchical k-means",
        "lookalike.cluster.hierarchical:HierarchicalKMeans",
        (_K,),
        times_vectors=3,
        by_neighbors=False,
        has_chance=True,
    ),
    Algorithm(
        "dbscan",
        "DBSCAN",
        "lookalike.cluster.density:DBSCAN",
        (_EPS, _MIN_SAMPLES),
        times_vectors=4,
        by_neighbors=True,
        has_chance=False,
    ),
    Algorithm(
        "hdbscan",
        "HDBSCAN",
        "lookalike.cluster.density:HDBSCAN",
        (
            Parameter("min_cluster_size", "min_cluster_size", "lookalike.cluster.defaults:few_images"),
            Parameter("min_samples", "min_samples", "lookalike.cluster.defaults:smallest_cluster"),
        ),
        times_vectors=4,
        by_neighbors=True,
        has_chance=False,
    ),
    Algorithm(
        "spectral",
        "Spectral clustering",
        "lookalike.cluster.spectral:SpectralClustering",
        (_K,),
        times_vectors=4,
        by_neighbors=True,
        has_chance=True,
        settled=(Parameter("n_neighbors", "n_neighbors", "lookalike.cluster.defaults:neighbors_and_itself"),),
    ),
    Algorithm(
        "agglomerative",
        "Agglomerative clustering",
        "lookalike.cluster.agglomerative:AgglomerativeClustering",
        (_K,),
        times_vectors=6,
        by_neighbors=True,
        has_chance=False,
        settled=(Parameter("n_neighbors", "n_neighbors", "lookalike.cluster.defaults:neighbors"),),
    ),
)
"""The usual one first."""

DEFAULT_ALGORITHM = ALGORITHMS[0].name
"""The way to cluster where none is named."""


def algorithm_names() -> tuple[str, ...]:
    """Return the names of all ways to cluster, the usual one first."""
    return names_of(ALGORITHMS)


def get_algorithm(name: str) -> Algorithm:
    """Return the row of a way to cluster.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    return find_row(ALGORITHMS, name, f"there is no algorithm {name!r}")


def algorithms_that_take(parameters: Iterable[str]) -> tuple[str, ...]:
    """Return the names of those that take any of some parameters.

    >>> algorithms_that_take(["min_samples"])
    ('dbscan', 'hdbscan')
    """
    wanted = set(parameters)
    return tuple(row.name for row in ALGORITHMS if wanted & set(row.takes))
