"""The basic color terms of English, by the nearest of a few colors that are called so.

References
----------
B. Berlin, P. Kay, "Basic Color Terms", 1969: the eleven terms.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.images.palette import rgb_to_lab

# Of most terms a light and a dark one, as people call both so.
_CALLED_SO: dict[str, tuple[str, ...]] = {
    "black": ("000000", "1c1c1c"),
    "gray": ("555555", "808080", "aaaaaa"),
    "white": ("ffffff", "eeeeee"),
    "red": ("dd1111", "8b1a1a", "b22222"),
    "orange": ("ff8c00", "e8702a", "f4a460"),
    "yellow": ("ffe11a", "d4b82a", "f5eb8a"),
    "green": ("1e9e1e", "14532d", "8fce6b", "6b7a2f"),
    "blue": ("1f5fd0", "102a6b", "87bdeb", "4f7f9f", "22b8cf"),
    "purple": ("7d26cd", "4b0f6b", "b48ad8"),
    "pink": ("ff69b4", "ffb6c1", "d8487a"),
    "brown": ("7b4a1e", "4a2c10", "a67b4b"),
}
COLOR_NAMES = tuple(_CALLED_SO)
_AT_ONCE = 1 << 14


def name_by_number(colors: npt.NDArray[np.floating]) -> npt.NDArray[np.int8]:
    """Return which of `COLOR_NAMES` colors are called.

    Parameters
    ----------
    colors : (n, 3) array of float
        L*, a*, b*; NaN for none.

    Returns
    -------
    (n,) int8
        -1 for none.

    Examples
    --------
    >>> [COLOR_NAMES[code] for code in name_by_number(rgb_to_lab([[200, 20, 30], [250, 250, 248]]))]
    ['red', 'white']
    """
    named = [(code, text) for code, texts in enumerate(_CALLED_SO.values()) for text in texts]
    rgb = [[int(text[at : at + 2], 16) for at in (0, 2, 4)] for _, text in named]
    anchors = rgb_to_lab(rgb).astype(np.float32)
    codes = np.array([code for code, _ in named], np.int8)
    found = np.full(len(colors), -1, np.int8)
    for start in range(0, len(colors), _AT_ONCE):
        some = np.asarray(colors[start : start + _AT_ONCE], np.float32)
        # Half the squares of the distances, less what is the same for all colors.
        apart = (anchors**2).sum(axis=1) / 2 - some @ anchors.T
        found[start : start + _AT_ONCE] = np.where(
            np.isnan(some).any(axis=1), -1, codes[apart.argmin(axis=1)]
        )
    return found
