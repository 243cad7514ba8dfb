"""What is done to vectors before they are compared in float32: checked, and moved and scaled if need be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import validate_data

from lookalike.as_numbers import as_numbers
from lookalike.cluster.pruned_lloyd import Doubles, Lift
from lookalike.errors import InvalidInputError
from lookalike.system.memory import rows_at_once
from lookalike.types import Vectors

_BLOCK_ROWS = 8_192
_FAR = 4.0  # times their spread: rows so far from the origin are moved to it
_LARGE = 2.0**40  # beyond, and below its inverse, squares in float32 are in danger
_MOST = 500  # as a power of two: squares have to be within float64


@dataclass(frozen=True, slots=True)
class Scaling:
    """How given vectors become rows: (x - origin) · scale, in float32."""

    origin: Doubles  # (d,)
    scale: float  # a power of two
    lift: Lift | None = None

    def rows(self, vectors: npt.NDArray[Any]) -> Vectors:
        """Return rows; those that need no change are not copied."""
        if vectors.dtype == np.float32 and self.scale == 1 and not self.origin.any():
            return np.ascontiguousarray(vectors)
        rows = np.empty(vectors.shape, np.float32)
        step = rows_at_once(vectors.shape[1], _BLOCK_ROWS)
        for begin in range(0, len(rows), step):
            part = slice(begin, begin + step)
            with np.errstate(over="ignore"):  # what is too far away is refused when it is lifted
                rows[part] = (vectors[part] - self.origin) * self.scale
        return rows

    def inside(self, centers: Doubles) -> Doubles:
        """Return centres as rows see them."""
        moved: Doubles = (centers - self.origin) * self.scale
        return moved

    def outside(self, centers: Doubles) -> Doubles:
        """Return centres as the caller sees them."""
        return centers / self.scale + self.origin


def check_rows(estimator: Any, X: npt.ArrayLike, is_first: bool = True) -> npt.NDArray[Any]:
    """Return vectors as (n, d) float32 or float64, finite; the estimator learns their dimension if first."""
    if getattr(X, "ndim", 2) != 2:
        raise InvalidInputError(
            f"X has shape {np.shape(X)}; expected (n, d). Reshape your data: one row is .reshape(1, -1)"
        )
    numbers = as_numbers(X, "X") if not hasattr(X, "toarray") else None  # sparse ones are refused below
    if not hasattr(X, "columns"):  # of which scikit-learn remembers the names
        X = X if numbers is None else numbers
    kind = getattr(X, "dtype", None)
    is_short = isinstance(kind, np.dtype) and kind.kind in "uif" and kind.itemsize <= 2
    try:
        vectors: npt.NDArray[Any] = validate_data(
            estimator,
            X,
            reset=is_first,
            dtype=np.float32 if is_short else [np.float64, np.float32],
            order="C",
        )
    except (TypeError, ValueError, OverflowError) as error:
        what = str(error).split("\n")[0]
        raise InvalidInputError(f"{what} Expected finite numbers" if "NaN" in what else what) from error
    return vectors


def find_scaling(vectors: npt.NDArray[Any]) -> Scaling:
    """Return what to take from vectors, and what to scale them by, for float32 to tell them apart."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _find_scaling(vectors)


def _find_scaling(vectors: npt.NDArray[Any]) -> Scaling:
    n, d = vectors.shape
    step = rows_at_once(d, _BLOCK_ROWS)
    mean, square, largest = np.zeros(d), 0.0, 0.0
    for begin in range(0, n, step):
        block = vectors[begin : begin + step]
        mean += block.sum(axis=0, dtype=np.float64) / n
        largest = max(largest, float(block.max()), -float(block.min()))
        if vectors.dtype == np.float32 and largest < _LARGE:
            square += float(np.vdot(block, block)) / n
    origin = np.zeros(d)
    if vectors.dtype != np.float32 or largest >= _LARGE:
        origin = mean
    else:
        length = float(mean @ mean)
        if length > _FAR**2 * max(square - length, 0):
            origin = mean.astype(np.float32).astype(np.float64)
    if origin.any():
        largest = max(
            float(np.abs(vectors[begin : begin + step] - origin).max()) for begin in range(0, n, step)
        )
    if not largest < 2.0**_MOST:
        raise InvalidInputError(
            f"X holds values as far apart as {largest:.3g}; expected less than {2.0**_MOST:.0e}"
        )
    is_usual = largest == 0 or 1 / _LARGE < largest < _LARGE
    return Scaling(origin, 1.0 if is_usual else float(np.ldexp(1.0, min(-int(np.frexp(largest)[1]), _MOST))))


def mean_variance(values: Vectors) -> float:
    """Return the variance of a dimension, on average."""
    n, d = values.shape
    total, square = np.zeros(d), 0.0
    for begin in range(0, n, _BLOCK_ROWS):
        block = values[begin : begin + _BLOCK_ROWS]
        total += block.sum(axis=0, dtype=np.float64)
        square += float(np.vdot(block, block))
    return float(max(square / n - float(np.square(total / n).sum()), 0.0) / d)
