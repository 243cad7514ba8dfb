"""Measures of searches for what is of the same kind: see `lookalike.index.smoothing`.

A query that is one of the images searched must not have drawn others to itself: what it measures would be
owed to that. So each is asked as if it had never been there. Of a row that has it among its ten nearest, the
eleventh takes its place; that is some ten rows a query, whose sums are made for it alone.
"""

from __future__ import annotations

import numpy as np

from lookalike.evaluate.retrieval import Relevance, Retrieval, rank
from lookalike.index.smoothing import (
    N_NEAREST,
    Cosines,
    Rows,
    Smoothing,
    lengths_of,
    nearest_rows,
    summed_rows,
    weights_of,
)
from lookalike.system.progress import Watch
from lookalike.types import Vectors

_BLOCK_ROWS = 1_024


def rank_all_of_kind(
    queries: Vectors, gallery: Vectors, relevance: Relevance, ks: tuple[int, ...], watch: Watch
) -> Retrieval:
    """Rank the whole gallery for each query; all is checked.

    Parameters
    ----------
    queries : (n_queries, d) float32
        Unit rows, which are not in the gallery.
    gallery : (n, d) float32
        Unit rows.
    relevance : Relevance
    ks : tuple of int
    watch : Watch
    """
    smoothing = Smoothing.of(gallery, watch)
    neighbors, cosines = nearest_rows(queries, gallery, min(N_NEAREST, len(gallery)), watch)
    drawn = np.empty_like(queries)
    for start in range(0, len(queries), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        drawn[block] = _unit(summed_rows(queries[block], gallery, neighbors[block], cosines[block]))

    def redraw(_: slice, plain: Cosines) -> Cosines:
        return smoothing.smoothed(plain)

    return rank(drawn, gallery, relevance, ks, "cosine", watch, redraw)


def rank_others_of_kind(rows: Vectors, relevance: Relevance, ks: tuple[int, ...], watch: Watch) -> Retrieval:
    """Rank all other rows for some of them, each as if it had never been there; all is checked.

    Parameters
    ----------
    rows : (n, d) float32
        Unit rows.
    relevance : Relevance
        Whose `own` says which rows are queries.
    ks : tuple of int
    watch : Watch
    """
    assert relevance.own is not None
    own = relevance.own
    wider = Smoothing.of(rows, watch, N_NEAREST + 1)
    neighbors, cosines = wider.neighbors[:, :N_NEAREST], wider.cosines[:, :N_NEAREST]
    smoothing = Smoothing(neighbors, cosines, lengths_of(rows, neighbors, cosines))
    drawn = np.empty((len(own), rows.shape[1]), np.float32)
    for start in range(0, len(own), _BLOCK_ROWS):
        some = own[start : start + _BLOCK_ROWS]
        drawn[start : start + _BLOCK_ROWS] = _unit(
            summed_rows(rows[some], rows, neighbors[some], cosines[some])
        )
    # Which rows are drawn to each: those of row r are drawn_to[starts[r] : starts[r + 1]].
    order = np.argsort(neighbors.ravel(), kind="stable")
    drawn_to = order // max(neighbors.shape[1], 1)
    starts = np.searchsorted(neighbors.ravel()[order], np.arange(len(rows) + 1))

    def redraw(block: slice, plain: Cosines) -> Cosines:
        found = smoothing.smoothed(plain)
        for at, query in enumerate(own[block].tolist()):
            some = drawn_to[starts[query] : starts[query + 1]]
            if len(some):
                found[at, some] = _without(rows, wider, some, query) @ drawn[block][at]
            if at % _BLOCK_ROWS == 0:
                watch.check()
        return found

    return rank(drawn, rows, relevance, ks, "cosine", watch, redraw)


def _without(rows: Vectors, wider: Smoothing, some: Rows, query: int) -> Vectors:
    """Return some rows as they are smoothed without one of their nearest: (m, d) float32, unit rows."""
    weights = weights_of(wider.cosines[some])
    weights[wider.neighbors[some] == query] = 0
    return _unit(rows[some] + np.einsum("mk,mkd->md", weights, rows[wider.neighbors[some]]))


def _unit(rows: Vectors) -> Vectors:
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    lengths[lengths == 0] = 1
    found: Vectors = rows / lengths[:, None]
    return found
