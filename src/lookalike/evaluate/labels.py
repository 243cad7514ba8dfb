"""Labels of any kind, as numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError


def number_labels(labels: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return labels as numbers, the same for the same label: (n,)."""
    given = np.asarray(labels)
    if given.ndim != 1:
        raise InvalidInputError(f"labels have shape {given.shape}; expected (n,)")
    try:
        return np.unique(given, return_inverse=True)[1]
    except TypeError as error:
        raise InvalidInputError(
            f"labels are not of one kind ({error})", hint="leave out images without"
        ) from error
