"""Whatever is given as vectors, ids or numbers of clusters, as an array: the one door of all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError, InvalidTypeError

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
            given = _of_objects(given) if to_numpy is None else _from_frame(to_numpy)
        if given.dtype.kind == "c":
            raise ValueError("Complex data not supported")  # in scikit-learn's words, who looks for them
        if given.dtype.kind not in _KINDS:
            raise TypeError(f"got {given.dtype}")
    except TypeError as error:
        raise InvalidTypeError(f"{what} are not numbers of one shape ({error})") from error
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(f"{what} are not numbers of one shape ({error})") from error
    return given


def as_finite(values: npt.ArrayLike, what: str = "vectors") -> npt.NDArray[Any]:
    """Return the same, float64, checked to be finite: for what is not compared in float32.

    Raises
    ------
    InvalidInputError
        If it is not numbers, not of one shape, or one is NaN or infinite.
    """
    given = np.asarray(as_numbers(values, what), np.float64)
    if not np.isfinite(given).all():
        raise InvalidInputError(f"{what} hold NaN or infinity; expected finite numbers")
    return given


def as_whole_numbers(values: npt.ArrayLike, what: str = "ids") -> npt.NDArray[np.int64]:
    """Return what was given as int64, of the shape it has: ids, row numbers, numbers of clusters.

    Raises
    ------
    InvalidInputError
        If something is no whole number, is masked, or has more than 63 bits.

    Examples
    --------
    >>> as_whole_numbers([3, 1]), as_whole_numbers([])
    (array([3, 1]), array([], dtype=int64))
    """
    if type(values) is np.ndarray and values.dtype == np.int64:
        return values
    try:
        if np.ma.is_masked(values):
            raise TypeError("some are masked")
        given = np.asarray(list(values) if isinstance(values, set | frozenset) else values)
        if given.dtype.kind == "O" and all(_is_whole(each) for each in given.flat):
            if any(not -(2**63) <= each < 2**63 for each in given.flat):
                raise OverflowError("one has more than 63 bits")
            given = given.astype(np.int64)
        if given.size and given.dtype.kind not in "iu":
            raise TypeError(f"they are {given.dtype} of shape {given.shape}")
        if given.size and given.dtype.kind == "u" and given.max() >= 2**63:
            raise OverflowError(f"{given.max()} has more than 63 bits")
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInputError(f"{what} are not whole numbers of one shape ({error})") from error
    return given.astype(np.int64)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _of_objects(given: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return objects as float64; words that spell numbers are none."""
    if any(isinstance(each, str | bytes | np.datetime64 | np.timedelta64) for each in given.flat):
        raise TypeError("some are words")
    return given.astype(np.float64)


def _from_frame(to_numpy: Any) -> npt.NDArray[Any]:
    try:
        return np.asarray(to_numpy(dtype=np.float64, na_value=np.nan))
    except TypeError:  # frames other than pandas' know no na_value
        return np.asarray(to_numpy()).astype(np.float64)
