"""Clusterings, as they are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.types import Hit, Ids, Metric

if TYPE_CHECKING:
    from lookalike.evaluate import ClusteringScores


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster of a clustering, or its noise.

    Attributes
    ----------
    number : int
        -1 for noise. It stays the same while other clusters are merged.
    name : str or None
        What the user calls it.
    size : int
        Images.
    cohesion : float or None
        How near its images are to its centre, on average: cosine similarity; euclidean distance for models
        that are compared so. None for noise.
    label : str or None
        The most common label, if any image has one; names that come from this clustering do not count.
    label_share : float or None
        The share of the images that have it.
    central : tuple of Hit
        Up to 12 images nearest to the centre, nearest first, with their distances to it; of noise, those
        nearest to any.
    doubtful : tuple of Hit
        Up to 12 images that another centre is nearest to in comparison, the most doubtful first; none of
        noise, or where there is only one cluster.
    """

    number: int
    name: str | None
    size: int
    cohesion: float | None
    label: str | None
    label_share: float | None
    central: tuple[Hit, ...]
    doubtful: tuple[Hit, ...]

    @property
    def is_noise(self) -> bool:
        """Whether it is what is left over."""
        return self.number < 0

    @property
    def title(self) -> str:
        """Its name, or its number in words."""
        return "noise" if self.is_noise else self.name or f"cluster {self.number}"


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """A clustering of a collection's images, as they are now.

    Attributes
    ----------
    name, model, algorithm : str
    metric : {"cosine", "euclidean"}
    parameters : mapping of str to number
        As they were used, those that were found included.
    random_state : int
    made : str
        When, as ISO 8601.
    is_edited : bool
        Whether clusters were named or merged, or images moved.
    clusters : tuple of Cluster
        The largest first, noise last.
    ids : (n,) int64
        Of its images, rising; those that have left the collection are not among them.
    numbers : (n,) int32
        The cluster of each; -1 for noise.
    distances : (n,) float32
        To the centre; of noise, to the nearest one.
    margins : (n,) float32
        How much farther the nearest other centre is, euclidean; NaN for noise.
    n_unassigned : int
        Images of the collection that came later, and are in no cluster yet.
    scores : ClusteringScores or None
        How it agrees with the labels, where there are two or more.
    notes : tuple of str
        Where this is the answer to a change, in words: which names of clusters went by it.
    """

    name: str
    model: str
    algorithm: str
    metric: Metric
    parameters: Mapping[str, float]
    random_state: int
    made: str
    is_edited: bool
    clusters: tuple[Cluster, ...]
    ids: Ids
    numbers: npt.NDArray[np.int32]
    distances: npt.NDArray[np.float32]
    margins: npt.NDArray[np.float32]
    n_unassigned: int
    scores: ClusteringScores | None
    notes: tuple[str, ...] = ()

    @property
    def n_clusters(self) -> int:
        """Without noise."""
        return sum(not cluster.is_noise for cluster in self.clusters)

    @property
    def n_noise(self) -> int:
        """Images in no cluster."""
        return sum(cluster.size for cluster in self.clusters if cluster.is_noise)


@dataclass(frozen=True, slots=True)
class ClusteringInfo:
    """A clustering that is kept, in short.

    Attributes
    ----------
    name, model, algorithm : str
    n_clusters, n_images : int
        As far as its images are still there; without noise.
    n_noise : int
        Images in no cluster.
    named : tuple of str
        The names that the user gave to clusters.
    """

    name: str
    model: str
    algorithm: str
    n_clusters: int
    n_images: int
    n_noise: int
    named: tuple[str, ...]
