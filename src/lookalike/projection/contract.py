"""What every projection gives, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from lookalike.system.progress import Watch
from lookalike.system.wording import count_of
from lookalike.types import Metric, Vectors


@dataclass(frozen=True, slots=True)
class ProjectionRequest:
    """What is asked of a projection, checked; each method takes of it what it knows.

    Attributes
    ----------
    metric : {"euclidean", "cosine"}
    perplexity : float or None
        About how many neighbours count as near.
    random_state : int
    n_jobs : int or None
        Threads; None for all cores.
    watch : Watch
    """

    metric: Metric
    perplexity: float | None
    random_state: int
    n_jobs: int | None
    watch: Watch


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Points in the plane, one a vector, and how they were found.

    Attributes
    ----------
    points : (n, 2) float32
    method : str
        A row of `methods.MAP_METHODS`: tsne, pca, ….
    parameters : mapping of str to float
        As used, those included that were found: the perplexity, the number of iterations.
    figures : mapping of str to float
        What tells how good the map is: ``kl_divergence`` of t-SNE, the shares of the variance
        ``explained_variance_1`` and ``explained_variance_2`` of PCA.
    state : mapping of str to arrays
        What placing new vectors needs beside the old ones and their points: ``mean`` and ``components``
        of PCA. May be empty.
    """

    points: Vectors
    method: str
    parameters: Mapping[str, float]
    figures: Mapping[str, float]
    state: Mapping[str, npt.NDArray[Any]]

    def __repr__(self) -> str:
        return f"<Projection: {count_of(len(self.points), 'point')}, {self.method}>"
