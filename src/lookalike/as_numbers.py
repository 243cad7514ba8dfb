"""Whatever is given as vectors, as an array of numbers: the one door of all that takes some."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError

_KINDS = "biuf"  # NumPy would also read dates as numbers, and words that spell one


def as_numbers(values: npt.ArrayLike, what: str = "vectors") -> npt.NDArray[Any]:
    """Return what was given as an array of whole numbers or floats, of the type it has.

    An array, memory-mapped or not, is not copied. Data frames may have columns of nullable types. What is
    missing, ``None``, ``pandas.NA``, or masked, is NaN then, which callers refuse with the infinite.

    Parameters
    ----------
    values : array-like
    what : str
        What the message calls it.

    Raises
    ------
    InvalidInputError
        If it is not numbers, or not of one shape.

    Examples
    --------
    >>> as_numbers([[0, 1], [None, 2]])
    array([[ 0.,  1.],
           [nan,  2.]])
    """
    if type(values) is np.ndarray and values.dtype.kind in _KINDS:  # no other module needs be loaded for it
        return values
    try:
        if np.ma.isMaskedArray(values) and np.ma.is_masked(values):
            return np.asarray(np.ma.filled(np.ma.asarray(values, np.float64), np.nan))
        given = np.asarray(values)
        if given.dtype.kind == "O":
            # A frame of nullable columns: these know what their own missing values are.
            to_numpy = getattr(values, "to_numpy", None)
            given = given.astype(np.float64) if to_numpy is None else _from_frame(to_numpy)
        if given.dtype.kind not in _KINDS:
            raise TypeError(f"got {given.dtype}")
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInputError(f"{what} are not numbers of one shape ({error})") from error
    return given


def _from_frame(to_numpy: Any) -> npt.NDArray[Any]:
    try:
        return np.asarray(to_numpy(dtype=np.float64, na_value=np.nan))
    except TypeError:  # frames other than pandas' know no na_value
        return np.asarray(to_numpy()).astype(np.float64)
