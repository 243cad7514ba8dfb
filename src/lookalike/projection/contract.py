"""What every projection gives, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy.typing as npt

from lookalike.types import Vectors

Method = Literal["pca", "tsne", "umap"]
METHODS: tuple[Method, ...] = get_args(Method)

Report = Callable[[str, float], None]
"""Told what is being done, in a few words, and the share of the whole that is done, 0 to 1."""


def silent(words: str, done: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Points in the plane, one a vector, and how they were found.

    Attributes
    ----------
    points : (n, 2) float32
    method : {"pca", "tsne", "umap"}
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
    method: Method
    parameters: Mapping[str, float]
    figures: Mapping[str, float]
    state: Mapping[str, npt.NDArray[Any]]
