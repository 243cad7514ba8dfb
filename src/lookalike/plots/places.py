"""The points of a map, as all that draws one takes them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.as_numbers import as_numbers
from lookalike.errors import InvalidInputError

_FARTHEST = 1e150
"""Squares of what is farther from 0 are not finite."""


def as_places(points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return points as (n, 2) float64; none, given as an empty list, as (0, 2).

    Raises
    ------
    InvalidInputError
        If they are not finite numbers of that shape, or their distances are not.
    """
    places = np.asarray(as_numbers(points, "the points of the map"), np.float64)
    if not places.size:
        return places.reshape(-1, 2)
    if places.ndim != 2 or places.shape[1] != 2 or not (np.abs(places) < _FARTHEST).all():
        raise InvalidInputError(
            f"the points of the map have the shape {places.shape}; expected (n, 2), all finite, and less than"
            f" {_FARTHEST:g}"
        )
    return places
