"""Duplicates as they are told to whoever folds them: said by hand, without being looked for."""

from collections.abc import Sequence

import numpy as np

from lookalike.collection import folding, newcomers
from lookalike.collection.duplicates.grouping import DuplicatePairs
from lookalike.duplicates.kinds import KINDS


def say_found(monkeypatch, pairs: Sequence[tuple[int, int, str, float]], n_compared: int = 99) -> None:
    """Let these pairs, each of two images, a kind and a probability, be what was found in any collection."""
    a, b = (np.array([pair[at] for pair in pairs], np.int64) for at in (0, 1))
    found = DuplicatePairs(
        np.minimum(a, b),
        np.maximum(a, b),
        np.array([KINDS.index(pair[2]) for pair in pairs], np.uint8),
        np.array([pair[3] for pair in pairs], np.float32),
        np.ones(len(pairs), np.uint8),
        n_compared,
    )
    for module in (folding, newcomers):
        monkeypatch.setattr(module, "near_of", lambda resources: found)
