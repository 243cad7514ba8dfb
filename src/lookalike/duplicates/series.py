"""Which pairs are of a series: documents of one template, which align as well as edits do.

A letter and another letter on the same paper differ where all letters do: in the words. A letter and the
same with a stamp on it differ where the stamp is. So it is asked of each picture in which cells, of 16 × 16,
it differs from others that it aligns with. Where those cells *coincide* with the ones of two more pairs of
the same picture (what both have is 0.6 of the smaller set and 0.24 of all), the pair is of a series.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from lookalike.duplicates.evidence import Evidence, detail

LEAST_SCORE = 0.68
"""Pairs of a series fit at least so well."""

_DIFFER = 0.8  # what the worst hundredth of the blocks of pairs that differ fits, at most
_OTHERS = 2  # pairs of the picture that differ likewise, at least
_OF_SMALLER, _OF_ALL = 0.6, 0.24
_MOST = 512  # pairs of a picture that are looked at


def in_series(evidence: Evidence) -> npt.NDArray[np.bool_]:
    """Return which pairs differ where other pairs of one of their pictures do, (n,)."""
    found = np.zeros(len(evidence), bool)
    differs = (evidence["score"] >= LEAST_SCORE) & (detail(evidence, "worst_1") < _DIFFER)
    pairs = np.flatnonzero(differs)
    cells = np.concatenate([evidence["cells_a"][pairs], evidence["cells_b"][pairs]])
    pictures = np.concatenate([evidence["a"][pairs], evidence["b"][pairs]])
    pairs = np.concatenate([pairs, pairs])
    for rows in _of_each(pictures):
        found[pairs[rows[_coincide(cells[rows])]]] = True
    return found


def _of_each(pictures: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.intp]]:
    """Give the rows of each picture that has more than enough."""
    order = np.argsort(pictures, kind="stable")
    cuts = np.flatnonzero(np.diff(pictures[order])) + 1
    for rows in np.split(order, cuts):
        if len(rows) > _OTHERS:
            yield rows[:_MOST]


def _coincide(cells: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Return which sets of cells, (n, 32) bytes, coincide with enough others, (n,)."""
    bits = np.unpackbits(cells, axis=1).astype(np.float32)
    sizes = bits.sum(axis=1)
    shared = bits @ bits.T
    smaller = np.minimum(sizes[:, None], sizes[None])
    either = sizes[:, None] + sizes[None] - shared
    alike = (shared >= _OF_SMALLER * smaller) & (shared >= _OF_ALL * either) & (shared > 0)
    np.fill_diagonal(alike, False)
    found: npt.NDArray[np.bool_] = alike.sum(axis=1) >= _OTHERS
    return found
