"""Search indexes next to each other, on the vectors of a collection and the splits of its data sets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lookalike.bench import IndexComparison, SameKindFigures, compare_indexes
from lookalike.collection.columns import are_in
from lookalike.collection.embedded import Embedded, nothing_embedded, vector_table
from lookalike.collection.places import Places
from lookalike.collection.resources import Resources
from lookalike.collection.same_kind import SameKind, check_has_kinds
from lookalike.collection.selecting import pass_filter
from lookalike.embed import unit_rows
from lookalike.errors import CollectionNotFoundError, InvalidInputError
from lookalike.index.smoothing import Smoothing
from lookalike.query.filter import Filter
from lookalike.system.chance import check_seed
from lookalike.system.progress import Watch
from lookalike.types import Ids, Vectors

_FEWEST_TIMED, _SECONDS = 5, 0.5


@dataclass(frozen=True, slots=True)
class IndexRequest:
    """What indexes are to be compared, and how; see `Evaluations.indexes`."""

    model: str | None
    k: int
    kinds: Sequence[str] | None
    recalls: Sequence[float]
    n_queries: int | None
    query_split: str | None
    gallery_split: str | None
    random_state: int
    same_kind: bool = False


def compare_on_collection(resources: Resources, request: IndexRequest, watch: Watch) -> IndexComparison:
    """Compare indexes; see `Evaluations.indexes`."""
    places, model, query_split = resources.places, resources.model(request.model), request.query_split
    if request.same_kind:
        check_has_kinds(model)
    ids, vectors = vector_table(places.store, model).read_vectors()
    is_there = are_in(ids, places.snapshot.files.images)
    if not is_there.all():  # somebody writes, or was killed while he wrote
        ids, vectors = ids[is_there], vectors[is_there]
    if not len(ids):
        raise nothing_embedded(places.store, model.name, request.model)
    is_query = is_in_split(places, ids, query_split) & (query_split is not None)
    gallery = vectors[is_in_split(places, ids, request.gallery_split) & ~is_query]
    queries = vectors[is_query] if query_split is not None else None
    if not len(gallery):
        raise InvalidInputError(
            f"no image is left to be searched: all are queries, of the split {query_split!r}"
        )
    found = compare_indexes(
        gallery,
        queries,
        metric=model.metric,
        k=request.k,
        kinds=request.kinds,
        recalls=request.recalls,
        n_queries=request.n_queries,
        random_state=request.random_state,
        **watch.told,
    )
    if request.same_kind:
        watch.say("comparing", "searching for the same kind")
        found = replace(found, same_kind=_time_same_kind(unit_rows(gallery), request, watch))
    return found


def _time_same_kind(gallery: Vectors, request: IndexRequest, watch: Watch) -> SameKindFigures:
    """Return what it takes to find what is of the same kind; each query is a row, as if it were another's."""
    ids = np.arange(len(gallery))
    began = time.perf_counter()
    smoothing = Smoothing.of(gallery, watch)
    built = time.perf_counter() - began
    searcher = SameKind(Embedded(ids, gallery.shape[1], lambda: iter([(ids, gallery)])), smoothing)
    random = np.random.default_rng(check_seed(request.random_state))
    done, began = 0, time.perf_counter()
    while done < _FEWEST_TIMED or time.perf_counter() - began < _SECONDS:
        watch.check()
        searcher.search(gallery[random.integers(len(gallery))], k=min(request.k, len(gallery)))
        done += 1
    rate = done / (time.perf_counter() - began)
    kept = (ids, smoothing.neighbors, smoothing.cosines, smoothing.lengths)
    return SameKindFigures(built, sum(array.nbytes for array in kept), rate)


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
