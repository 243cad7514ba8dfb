"""Maps, as they are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.types import Hit, Metric, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class ImageMap:
    """A map of a collection's images, as they are now.

    Attributes
    ----------
    name, model : str
    method : str
        A row of `lookalike.projection.MAP_METHODS`.
    metric : {"cosine", "euclidean"}
    perplexity : float or None
        As it was asked for; what was used is among the parameters.
    parameters, figures : mapping of str to number
        As used, and how good the map is; see `lookalike.projection.Projection`.
    random_state : int
    made : str
        When, as ISO 8601.
    images : tuple of Hit
        Of rank 0 and distance 0: they answer no query. Those that have left the collection are not among
        them.
    points : (n, 2) float32
        Row i is that of ``images[i]``; x to the right, y upwards.
    is_placed : (n,) bool
        Which images came later, and were placed on the map that was there.
    n_unplaced : int
        Images of the collection that are not on the map yet.
    """

    name: str
    model: str
    method: str
    metric: Metric
    perplexity: float | None
    parameters: Mapping[str, float]
    figures: Mapping[str, float]
    random_state: int
    made: str
    images: tuple[Hit, ...]
    points: Vectors
    is_placed: npt.NDArray[np.bool_]
    n_unplaced: int


@dataclass(frozen=True, slots=True, eq=False)
class MapUpdate:
    """A map that was brought up to date, and how.

    Attributes
    ----------
    map : ImageMap
    is_new : bool
        Whether it was made now.
    n_placed : int
        How many images came later, and were placed on the map that was there.
    replaced : ImageMap or None
        The map of another kind that was there under its name, if it was made anew in place of one.
    """

    map: ImageMap
    is_new: bool
    n_placed: int = 0
    replaced: ImageMap | None = None
