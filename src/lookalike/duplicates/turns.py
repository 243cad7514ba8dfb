"""How turns and mirrorings follow one another: EXIF's orientations, 1 to 8."""

from __future__ import annotations

import functools

import numpy as np

from lookalike.registration.registering import turned

INVERSE = (0, 1, 2, 3, 4, 5, 8, 7, 6)
"""By a turn, the one that takes it back."""


def then(first: int, second: int) -> int:
    """Return the turn that does what two do, one after the other.

    >>> then(6, 6), then(6, 8), then(2, 4)
    (3, 1, 3)
    """
    return _table()[first][second]


@functools.cache
def _table() -> tuple[tuple[int, ...], ...]:
    plain = np.arange(6, dtype=np.float32).reshape(2, 3)
    turns = {turn: turned(plain, turn) for turn in range(1, 9)}
    names = {(each.shape, each.tobytes()): turn for turn, each in turns.items()}
    rows: list[tuple[int, ...]] = [(0,) * 9]
    for each in turns.values():
        both = (turned(each, turn) for turn in range(1, 9))
        rows.append((0, *(names[made.shape, made.tobytes()] for made in both)))
    return tuple(rows)
