"""The nearest images, laid on the query: those that show the same thing come first.

A vector tells what a picture is like, and not whether it is the very thing: the same facade photographed
again, or the picture itself, cropped and lighter. So the thumbnails of the nearest are laid on that of the
query, as those of pairs are to find duplicates: see `lookalike.duplicates.verifying`. What comes first:

1. pictures that are rather the query's, edited or not, than none: the surest first;
2. pictures that fit on it as photographs of one thing do, that were taken seconds apart: the best fit first;
3. all others, as they came.

Cost: some 2 ms an image that is laid, of which there are 100 at most.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from lookalike.collection.thumbnails import query_thumbnails, thumbnails
from lookalike.duplicates.evidence import Evidence, detail
from lookalike.duplicates.kinds import KINDS
from lookalike.duplicates.looks import Look
from lookalike.duplicates.verdicts import verdicts
from lookalike.duplicates.verifying import verify
from lookalike.errors import InvalidInputError
from lookalike.query.embedding import EmbeddedQuery
from lookalike.store import Store
from lookalike.system.cores import usable_cores
from lookalike.system.progress import Progress, Watch
from lookalike.types import Ids, ImageId, Near

N_LAID = 100
"""How many of the nearest are laid on the query."""

_RATHER = 0.5
_FITS = 0.65  # of frames a second apart, 0.73 to 0.87; of strangers 0.6, but for few

Rows = npt.NDArray[np.intp]


def same_first(nearest: Callable[[int], Near], order: Callable[[Ids], Rows]) -> Callable[[int], Near]:
    """Return what gives the nearest images with the first of them in another order.

    Parameters
    ----------
    nearest : callable
        Gives so many of the nearest images, and how far they are.
    order : callable
        Gives the order of some images, (n,) int64 row numbers.
    """
    first: list[Near] = []

    def found(n: int) -> Near:
        if not first:
            ids, distances = nearest(N_LAID)
            rows = order(ids)
            first.append((ids[rows], distances[rows]))
        ids, distances = first[0]
        if n <= len(ids):
            return ids[:n], distances[:n]
        more, its = nearest(n)
        is_new = ~np.isin(more, ids)
        return np.concatenate([ids, more[is_new]]), np.concatenate([distances, its[is_new]])

    return found


def order_by_laying(store: Store, query: EmbeddedQuery, ids: Ids, watch: Watch) -> Rows:
    """Return the order of some images once they are laid on a query, (n,) int64 row numbers; see above.

    Raises
    ------
    InvalidInputError
        If the query is no picture.
    """
    (picture,) = query_thumbnails(store, [query])
    if picture is None:
        raise InvalidInputError(
            f"verify lays pictures on each other, and {query.name} is none", field="verify"
        )
    asked, pictures = Look.of(picture), thumbnails(store, ids.tolist())

    def lay(row: int) -> Evidence | None:
        thumbnail = pictures.get(ImageId(int(ids[row])))
        try:
            return None if thumbnail is None else verify(asked, Look.of(thumbnail), ids=(0, row + 1))
        except OSError:  # one that is damaged is as if it were not there
            return None

    found = []
    with ThreadPoolExecutor(usable_cores()) as pool:
        try:
            for row, evidence in enumerate(pool.map(lay, range(len(ids)))):
                watch(Progress("laying", row, len(ids), "laying images on the query", unit="images"))
                if evidence is not None and len(evidence):
                    found.append(evidence)
        finally:
            pool.shutdown(cancel_futures=True)
    return _order(len(ids), np.concatenate(found) if found else None)


def _order(n: int, evidence: Evidence | None) -> Rows:
    """Return the order of n images by what was found of some of them; `b` of each is its row and 1."""
    group, value = np.full(n, 2), np.zeros(n)
    if evidence is not None:
        said = verdicts(evidence)
        rows = evidence["b"].astype(np.intp) - 1
        fit = np.maximum(evidence["score"], detail(evidence, "coarse_score"))
        is_one = (said.probabilities >= _RATHER) & (said.kinds != KINDS.index("series"))
        group[rows] = np.where(is_one, 0, np.where(fit >= _FITS, 1, 2))
        value[rows] = np.where(is_one, said.probabilities, np.where(fit >= _FITS, fit, 0))
    return np.lexsort((np.arange(n), -value, group))
