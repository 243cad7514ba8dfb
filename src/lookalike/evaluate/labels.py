"""Labels of any kind, as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError


def as_labels(labels: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return labels of any kind as an array.

    Raises
    ------
    InvalidInputError
        If they are no list of labels, but records, say, or some are masked, which says of no image what it
        shows.
    """
    if np.ma.is_masked(labels):
        raise InvalidInputError("some labels are masked", hint="leave out images without")
    try:
        given = np.asarray(labels)
    except ValueError as error:
        raise InvalidInputError(f"labels are not one each ({error})") from error
    if given.dtype.kind == "V":
        raise InvalidInputError(f"labels are records, {given.dtype}; expected one label each")
    return given


def number_labels(labels: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return labels as numbers, the same for the same label: (n,)."""
    given = as_labels(labels)
    if given.ndim != 1:
        raise InvalidInputError(f"labels have shape {given.shape}; expected (n,)")
    try:
        return np.unique(given, return_inverse=True)[1]
    except TypeError as error:
        raise InvalidInputError(
            f"labels are not of one kind ({error})", hint="leave out images without"
        ) from error
