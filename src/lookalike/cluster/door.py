"""What every clustering checks at its door."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError
from lookalike.index.contract import METRICS, check_vectors
from lookalike.types import Metric, Vectors


def check_distinct(vectors: npt.ArrayLike, metric: Metric) -> Vectors:
    """Return vectors as (n, d) float32, at least two and not all equal."""
    if metric not in METRICS:
        raise InvalidInputError(f"metric is {metric!r}; expected one of {', '.join(METRICS)}")
    rows = check_vectors(vectors, metric)
    if len(rows) < 2:
        raise InvalidInputError(
            f"there is only {len(rows)} vector; expected at least 2, to find groups among"
        )
    if (rows == rows[0]).all():
        raise InvalidInputError(
            f"all {len(rows)} vectors are equal; expected at least two that differ, to find groups among"
        )
    return rows


def check_count(value: object, name: str, least: int, most: int) -> int:
    """Return a whole number, checked to lie in least..most."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise InvalidInputError(f"{name} is {value!r}; expected {least} to {most}, for {most} vectors")
    return int(value)
