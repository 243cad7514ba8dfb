"""Search indexes next to each other, on the vectors of a collection and the splits of its data sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from lookalike.bench import IndexComparison, compare_indexes
from lookalike.collection.embedded import nothing_embedded, vector_table
from lookalike.collection.places import Places
from lookalike.collection.searching import pass_filter
from lookalike.embed import Model
from lookalike.errors import CollectionNotFoundError, InvalidInputError
from lookalike.query.filter import Filter
from lookalike.types import Ids


def compare_on_collection(
    places: Places,
    model: Model,
    asked: str | None,
    query_split: str | None,
    gallery_split: str | None,
    k: int,
    kinds: Sequence[str] | None,
    recalls: Sequence[float],
    n_queries: int | None,
    random_state: int,
    report: Callable[[str], None],
) -> IndexComparison:
    """Compare indexes; see `Collection.compare_indexes`. `asked` is what the user called the model."""
    ids, vectors = vector_table(places.store, model).read_vectors()
    if not len(ids):
        raise nothing_embedded(places.store, model.name, asked)
    is_query = is_in_split(places, ids, query_split) & (query_split is not None)
    gallery = vectors[is_in_split(places, ids, gallery_split) & ~is_query]
    queries = vectors[is_query] if query_split is not None else None
    if not len(gallery):
        raise InvalidInputError(
            f"no image is left to be searched: all are queries, of the split {query_split!r}"
        )
    return compare_indexes(
        gallery, queries, model.metric, k, kinds, recalls, n_queries, random_state, report=report
    )


def is_in_split(places: Places, ids: Ids, split: str | None) -> npt.NDArray[np.bool_]:
    """Tell which images are in a split of the data sets; all are, where none is named."""
    passing = pass_filter(places, Filter(split=split)).ids
    if passing is None:
        return np.ones(len(ids), bool)
    found = np.isin(ids, passing)
    if not found.any():
        raise CollectionNotFoundError(
            f"no image of the collection in {places.store.folder} is of the split {split!r}"
        )
    return found
