"""A collection measured against labels: how well its images find their like, how good its clusterings are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lookalike.answers import ClusteringEvaluation, Evaluation, QueryScores, SearchComparison
from lookalike.collection.describing import agreement
from lookalike.collection.embedded import nothing_embedded, vector_table
from lookalike.collection.evaluation.ground_truth import GroundTruth
from lookalike.collection.evaluation.indexes import is_in_split
from lookalike.collection.places import FileLocation, Places
from lookalike.collection.searchers import AUTO, Searchers, choose_kind
from lookalike.collection.searching import make_hit
from lookalike.collection.stored.clusterings import NOISE, StoredClustering
from lookalike.embed import Model
from lookalike.errors import CollectionConflictError, InvalidInputError
from lookalike.evaluate import (
    MEAN_AP,
    Retrieval,
    bootstrap_means,
    compare_paired,
    confuse,
    measure_hits,
    rank_all,
    score_classes,
    silhouette,
)
from lookalike.evaluate.retrieval import check_ks
from lookalike.hints import Hint
from lookalike.index import Exact
from lookalike.types import Hit, Ids, ImageId, Vectors

MOST_QUERIES = 10_000
_USUAL_KS = (1, 10)


@dataclass(frozen=True, slots=True)
class Contender:
    """What is measured.

    Attributes
    ----------
    model : Model
    asked : str or None
        What the user called the model, if anything.
    index : str
        "exact" ranks all images; what another index finds is known up to the largest k only.
    """

    model: Model
    asked: str | None
    index: str


@dataclass(frozen=True, slots=True)
class Asked:
    """How it is measured; see `Collection.evaluate`."""

    ks: Sequence[int] | None
    recall: float
    query_split: str | None
    gallery_split: str | None
    n_queries: int
    n_worst: int
    random_state: int
    report: Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """The same queries and images for all contenders.

    Attributes
    ----------
    labels : tuple of str
        Sorted.
    gallery, queries : (n,) and (n_queries,) int64
        Image ids, rising.
    codes, query_codes : (n,) and (n_queries,) int64
        Their labels, as numbers of `labels`.
    own : bool
        Whether the queries are images of the gallery, each searched among the others.
    ks : tuple of int
    n_drawn_from, n_without_relevant, n_unlabelled, n_not_in_all : int
        See `Evaluation`.
    """

    labels: tuple[str, ...]
    gallery: Ids
    queries: Ids
    codes: npt.NDArray[np.int64]
    query_codes: npt.NDArray[np.int64]
    own: bool
    ks: tuple[int, ...]
    n_drawn_from: int
    n_without_relevant: int
    n_unlabelled: int
    n_not_in_all: int


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The vectors of a model, to be taken by image.

    Attributes
    ----------
    ids : (n,) int64
        Rising.
    places : (n,) int64
        The row of each.
    vectors : (n, d) float32
        Perhaps memory-mapped.
    """

    ids: Ids
    places: npt.NDArray[np.intp]
    vectors: Vectors

    @classmethod
    def read(cls, places: Places, indexes: Searchers, model: Model) -> _Rows:
        ids, vectors = indexes.read_vectors(vector_table(places.store, model), model.name, model.metric)
        order = np.argsort(ids)
        return cls(ids[order], order, vectors)

    def of(self, images: Ids) -> Vectors:
        return np.asarray(self.vectors[self.places[np.searchsorted(self.ids, images)]], np.float32)


def evaluate_retrieval(
    places: Places,
    there: Mapping[int, list[FileLocation]],
    indexes: Searchers,
    truth: GroundTruth,
    contenders: Sequence[Contender],
    asked: Asked,
) -> Evaluation:
    """Measure the first contender, and compare the others with it; see `Collection.evaluate`."""
    _check_others(places, contenders)
    task = _set_task(places, there, truth, contenders, asked)
    to_depth = any(contender.index != Exact.kind for contender in contenders)
    first, *others = contenders
    own = _Rows.read(places, indexes, first.model)
    base, index = _measure(places, indexes, first, own, task, asked, to_depth)
    worst = _worst(there, truth, first.model, own, task, base, asked.n_worst)
    comparisons = []
    for contender in others:
        is_own = contender.model.name == first.model.name
        rows = own if is_own else _Rows.read(places, indexes, contender.model)
        found, kind = _measure(places, indexes, contender, rows, task, asked, to_depth)
        measures = compare_paired(base.values, found.values, random_state=asked.random_state)
        comparisons.append(SearchComparison(contender.model.name, kind, measures))
    return Evaluation(
        model=first.model.name,
        index=index,
        metric=first.model.metric,
        ks=task.ks,
        labels_from=truth.source,
        unknown=truth.unknown,
        query_split=asked.query_split,
        gallery_split=asked.gallery_split,
        n_images=len(task.gallery),
        n_queries=len(task.queries),
        n_drawn_from=task.n_drawn_from,
        n_without_relevant=task.n_without_relevant,
        n_unlabelled=task.n_unlabelled,
        n_not_in_all=task.n_not_in_all,
        scores=bootstrap_means(base.values, random_state=asked.random_state),
        classes=score_classes(base, task.query_codes, task.codes, task.labels),
        confusions=confuse(base, task.query_codes, task.codes, task.labels),
        worst=worst,
        comparisons=tuple(comparisons),
        ids=task.queries,
        values=dict(base.values),
    )


def _check_others(places: Places, contenders: Sequence[Contender]) -> None:
    """Raise InvalidInputError if what is measured would be compared with itself, whatever it is called."""

    def known(contender: Contender) -> tuple[str, str]:
        model, index = contender.model, contender.index
        return model.name, choose_kind(vector_table(places.store, model)) if index == AUTO else index

    (model, index), *others = map(known, contenders)
    if (model, index) in others:
        raise InvalidInputError(
            f"compare names what is measured itself, {model} by the index {index}; expected another model,"
            " or another kind of index"
        )


def _set_task(
    places: Places,
    there: Mapping[int, list[FileLocation]],
    truth: GroundTruth,
    contenders: Sequence[Contender],
    asked: Asked,
) -> _Task:
    """Choose queries and images to search, and see to it that there is something to measure."""
    store = places.store
    of_models = []
    for contender in contenders:
        ids = vector_table(store, contender.model).read(["id"])["id"].to_numpy()
        if not len(ids):
            raise nothing_embedded(store, contender.model.name, contender.asked)
        of_models.append(ids[np.isin(ids, list(there))])
    common = np.sort(of_models[0])
    for ids in of_models[1:]:
        common = common[np.isin(common, ids)]
    if not len(common):
        raise CollectionConflictError(
            f"no image is embedded with all of {', '.join(each.model.name for each in contenders)}",
            hint=Hint("sync", then=" first"),
        )
    ids = common[np.isin(common, list(truth.labels))]
    if not len(ids):
        raise CollectionConflictError(
            f"no image that is embedded with {contenders[0].model.name} has a label (from {truth.source})"
        )
    labels, codes = np.unique([truth.labels[image] for image in ids.tolist()], return_inverse=True)
    if len(labels) == 1 and len(ids) > 1:
        raise InvalidInputError(
            f"all {len(ids):,} images with a label are {str(labels[0])!r}, so whatever is found is right;"
            " expected two labels or more"
        )
    query_split, gallery_split = asked.query_split, asked.gallery_split
    own = query_split in (None, gallery_split)
    if own:
        is_searched = is_query = is_in_split(places, ids, gallery_split)
    else:
        is_query = is_in_split(places, ids, query_split)
        is_searched = is_in_split(places, ids, gallery_split) & ~is_query
    gallery, depth = ids[is_searched], int(is_searched.sum()) - own
    if not depth:
        raise InvalidInputError(
            "there is only 1 image with a label, copies being one; expected 2, to find one by another"
            if own
            else f"no image is left to be searched: all are queries, of the split {query_split!r}"
        )
    n_relevant = np.bincount(codes[is_searched], minlength=len(labels))[codes[is_query]] - own
    counted = np.flatnonzero(is_query)[n_relevant > 0]
    if not len(counted):
        raise InvalidInputError(
            f"no image has another of its label: {len(gallery):,} images, {len(labels):,} labels; there is"
            " nothing to retrieve"
            if own
            else "no image that is searched has the label of a query; there is nothing to retrieve"
        )
    drawn = counted
    if asked.n_queries < len(counted):
        random = np.random.default_rng(asked.random_state)
        drawn = np.sort(random.choice(counted, asked.n_queries, replace=False))
    what = "the number of other images with a label" if own else "the number of images to find"
    usual = [min(k, depth) for k in _USUAL_KS]
    return _Task(
        labels=tuple(labels.tolist()),
        gallery=gallery,
        queries=ids[drawn],
        codes=codes[is_searched],
        query_codes=codes[drawn],
        own=own,
        ks=check_ks(usual if asked.ks is None else asked.ks, depth, what),
        n_drawn_from=len(counted),
        n_without_relevant=int((n_relevant == 0).sum()),
        n_unlabelled=len(common) - len(ids),
        n_not_in_all=len(of_models[0]) - len(common),
    )


def _measure(
    places: Places,
    indexes: Searchers,
    contender: Contender,
    rows: _Rows,
    task: _Task,
    asked: Asked,
    to_depth: bool,
) -> tuple[Retrieval, str]:
    """Return what the queries find, and the kind of index that found it."""
    model, queries = contender.model, rows.of(task.queries)
    if not to_depth:
        gallery = rows.of(task.gallery)
        own = np.searchsorted(task.gallery, task.queries) if task.own else None

        def tell(done: float) -> None:
            asked.report(f"ranking {len(gallery):,} images for {len(queries):,} queries: {done:.0%}")

        tell(0)
        found = rank_all(queries, gallery, task.query_codes, task.codes, task.ks, model.metric, own, tell)
        return found, Exact.kind
    table = vector_table(places.store, model)
    index = indexes.open(table, model.name, model.metric, contender.index, asked.report)
    asked.report(f"asking the {index.kind} index {len(queries):,} queries")
    k = task.ks[-1] + task.own
    allowed = None if len(index) == len(task.gallery) else task.gallery
    hits = index.search(queries, min(k, len(index)), recall=asked.recall, allowed=allowed).ids
    if task.own:  # the query itself goes, or where it was not found, the last hit
        is_itself = hits == task.queries[:, None]
        is_itself[~is_itself.any(axis=1), -1] = True
        hits = hits[~is_itself].reshape(len(hits), -1)
    at = np.minimum(np.searchsorted(task.gallery, hits), len(task.gallery) - 1)
    at[task.gallery[at] != hits] = -1
    return measure_hits(at, task.query_codes, task.codes, task.ks, task.own), index.kind


def _worst(
    there: Mapping[int, list[FileLocation]],
    truth: GroundTruth,
    model: Model,
    rows: _Rows,
    task: _Task,
    found: Retrieval,
    n: int,
) -> tuple[QueryScores, ...]:
    """Return the queries of least average precision, ties by path, with what they found."""
    (precision,) = (values for name, values in found.values.items() if name.startswith(MEAN_AP))
    paths = [there[image][0].path for image in task.queries.tolist()]
    order = sorted(range(len(paths)), key=lambda at: (precision[at], paths[at]))

    def hit(rank: int, image: int, distance: float) -> Hit:
        score = 1 - distance if model.metric == "cosine" and rank else None
        return replace(
            make_hit(rank, ImageId(image), distance, score, there[image]), label=truth.labels[image]
        )

    worst = []
    for query in order[:n]:
        image = int(task.queries[query])
        hits = task.gallery[found.hits[query][found.hits[query] >= 0]]
        vectors = rows.of(np.array([image, *hits])).astype(np.float64)
        own, others = vectors[0], vectors[1:]
        distances = 1 - others @ own if model.metric == "cosine" else np.linalg.norm(others - own, axis=1)
        worst.append(
            QueryScores(
                hit(0, image, 0.0),
                tuple(
                    hit(rank, each, distance)
                    for rank, (each, distance) in enumerate(
                        zip(hits.tolist(), distances.tolist(), strict=True), start=1
                    )
                ),
                {name: float(values[query]) for name, values in found.values.items()},
            )
        )
    return tuple(worst)


def evaluate_clustering(
    places: Places,
    there: Mapping[int, list[FileLocation]],
    indexes: Searchers,
    stored: StoredClustering,
    model: Model,
    truth: GroundTruth | None,
    random_state: int,
) -> ClusteringEvaluation:
    """Measure a clustering of the images that are still there."""
    rows = _Rows.read(places, indexes, model)
    kept = np.isin(stored.ids, rows.ids) & np.isin(stored.ids, list(there))
    members, numbers = stored.ids[kept], stored.clusters[kept]
    is_in = numbers != NOISE
    n_clusters = len(np.unique(numbers[is_in]))
    labels = [truth.labels.get(image) if truth else None for image in members.tolist()]
    return ClusteringEvaluation(
        name=stored.name,
        model=stored.model,
        algorithm=stored.algorithm,
        n_images=len(members),
        n_clusters=n_clusters,
        noise=float((~is_in).mean()) if len(members) else 0.0,
        scores=agreement(numbers, labels),
        silhouette=silhouette(rows.of(members), numbers, model.metric, random_state=random_state)
        if 2 <= n_clusters < is_in.sum()
        else None,
    )
