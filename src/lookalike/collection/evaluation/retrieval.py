"""A collection measured against labels: how well its images find their like."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lookalike.collection.embedded import nothing_embedded, vector_table
from lookalike.collection.evaluation.ground_truth import GroundTruth, read_ground_truth
from lookalike.collection.evaluation.image_vectors import ImageVectors
from lookalike.collection.evaluation.indexes import is_in_split
from lookalike.collection.evaluation.without_duplicates import Apart, measure_apart
from lookalike.collection.folding import Copies
from lookalike.collection.places import FileLocation, Places, make_hit
from lookalike.collection.resources import Resources
from lookalike.collection.same_kind import check_has_kinds
from lookalike.collection.searchers import SAME_KIND, choose_kind
from lookalike.embed import Model, unit_rows
from lookalike.errors import CollectionConflictError, InvalidInputError
from lookalike.evaluate import (
    MEAN_AP,
    Retrieval,
    bootstrap_means,
    compare_paired,
    confuse,
    measure_hits,
    rank_all,
    rank_others,
    score_classes,
)
from lookalike.evaluate.measures import DEFAULT_KS
from lookalike.evaluate.retrieval import Relevance, check_ks, rank
from lookalike.evaluate.same_kind import rank_all_of_kind, rank_others_of_kind
from lookalike.hints import Hint
from lookalike.index import Exact
from lookalike.index.kinds import AUTO, is_kind
from lookalike.results.evaluation import Evaluation, QueryScores, SearchComparison
from lookalike.results.lookup import NOTHING
from lookalike.system.chance import check_seed
from lookalike.system.progress import Progress, Watch
from lookalike.types import Hit, Ids, ImageId

_ASKED_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class RetrievalRequest:
    """What is measured, against what, and how; see `Evaluations.retrieval`."""

    ks: Sequence[int] | None
    model: str | None
    index: str
    recall: float
    compare: Sequence[str]
    same_kind: bool
    labels: str | os.PathLike[str] | None
    query_split: str | None
    gallery_split: str | None
    n_queries: int
    n_worst: int
    random_state: int


@dataclass(frozen=True, slots=True)
class _Contender:
    """What is measured.

    Attributes
    ----------
    model : Model
    asked : str or None
        What the user called the model, if anything.
    index : str
        "exact" ranks all images; what another index finds is known up to the largest k only.
    is_same_kind : bool
        Whether what is of the same kind is sought; all images are ranked then, whatever `index` says.
    """

    model: Model
    asked: str | None
    index: str
    is_same_kind: bool = False


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
    left_out : tuple of n_queries (m,) int64, or None
        Rows of the gallery that each query does not find.
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
    left_out: tuple[npt.NDArray[np.int64], ...] | None = None

    def apart(self, apart: Apart) -> _Task:
        """Return the task of the queries that have duplicates, without these."""
        queries, codes = self.queries[apart.queries], self.query_codes[apart.queries]
        return replace(self, queries=queries, query_codes=codes, left_out=apart.duplicates)


def evaluate_retrieval(resources: Resources, request: RetrievalRequest, watch: Watch) -> Evaluation:
    """Measure how well images find others of their label; see `Evaluations.retrieval`."""
    base = _Contender(resources.model(request.model), request.model, request.index)
    others = [
        replace(base, index=name) if is_kind(name) else _Contender(resources.model(name), name, base.index)
        for name in request.compare
    ]
    if request.same_kind:
        check_has_kinds(base.model)
        others.append(replace(base, is_same_kind=True))
    locations = resources.places.of_images()
    truth = read_ground_truth(resources.places, locations, request.labels)
    return _compare(resources, locations, truth, [base, *others], request, watch)


def _compare(
    resources: Resources,
    locations: Mapping[int, list[FileLocation]],
    truth: GroundTruth,
    contenders: Sequence[_Contender],
    asked: RetrievalRequest,
    watch: Watch,
) -> Evaluation:
    """Measure the first contender, and compare the others with it."""
    _check_others(resources, contenders)
    task = _set_task(resources.places, locations, truth, contenders, asked)
    to_depth = any(contender.index != Exact.kind for contender in contenders)
    first, *others = contenders
    own = ImageVectors.read(resources, first.model)
    base, index = _measure(resources, first, own, task, asked, to_depth, watch)
    copies, without = Copies.found(resources), None
    if copies.are_known:

        def measure(apart: Apart) -> Retrieval:
            return _measure(resources, first, own, task.apart(apart), asked, to_depth, watch)[0]

        without = measure_apart(
            base, Apart.of(task.queries, task.gallery, copies), measure, asked.random_state
        )
    lookup = resources.places.lookup()
    worst = _worst(locations, truth, first.model, own, task, base, asked.n_worst)
    comparisons = []
    for contender in others:
        is_own = contender.model.name == first.model.name
        rows = own if is_own else ImageVectors.read(resources, contender.model)
        found, kind = _measure(resources, contender, rows, task, asked, to_depth, watch)
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
        worst=tuple(replace(each, lookup=lookup) for each in worst),
        comparisons=tuple(comparisons),
        ids=task.queries,
        values=dict(base.values),
        lookup=lookup,
        without_duplicates=without,
    )


def _check_others(resources: Resources, contenders: Sequence[_Contender]) -> None:
    """Raise InvalidInputError if what is measured would be compared with itself, whatever it is called."""

    def known(contender: _Contender) -> tuple[str, str]:
        model, index = contender.model, contender.index
        return model.name, choose_kind(vector_table(resources.store, model)) if index == AUTO else index

    (model, index), *others = map(known, (each for each in contenders if not each.is_same_kind))
    if (model, index) in others:
        raise InvalidInputError(
            f"compare names what is measured itself, {model} by the index {index}; expected another model,"
            " or another kind of index"
        )


def _set_task(
    places: Places,
    locations: Mapping[int, list[FileLocation]],
    truth: GroundTruth,
    contenders: Sequence[_Contender],
    asked: RetrievalRequest,
) -> _Task:
    """Choose queries and images to search, and see to it that there is something to measure."""
    store = places.store
    of_models = []
    for contender in contenders:
        ids = vector_table(store, contender.model).read(["id"])["id"].to_numpy()
        if not len(ids):
            raise nothing_embedded(store, contender.model.name, contender.asked)
        of_models.append(ids[np.isin(ids, list(locations))])
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
        random = np.random.default_rng(check_seed(asked.random_state))
        drawn = np.sort(random.choice(counted, asked.n_queries, replace=False))
    what = "the number of other images with a label" if own else "the number of images to find"
    usual = [min(k, depth) for k in DEFAULT_KS]
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
    resources: Resources,
    contender: _Contender,
    rows: ImageVectors,
    task: _Task,
    asked: RetrievalRequest,
    to_depth: bool,
    watch: Watch,
) -> tuple[Retrieval, str]:
    """Return what the queries find, and the kind of index that found it."""
    model = contender.model
    if contender.is_same_kind:
        return _measure_kinds(rows, task, to_depth, watch), SAME_KIND
    if not to_depth:
        gallery = rows.of(task.gallery)
        if task.own:
            own = np.searchsorted(task.gallery, task.queries)
            how = {"without": task.left_out, **watch.told}
            found = rank_others(gallery, task.codes, task.ks, model.metric, own, **how)
        else:
            queries = rows.of(task.queries)
            codes = task.query_codes, task.codes
            if task.left_out is None:
                return rank_all(queries, gallery, *codes, task.ks, model.metric, **watch.told), Exact.kind
            found = rank(
                queries, gallery, Relevance(*codes, None, task.left_out), task.ks, model.metric, watch
            )
        return found, Exact.kind
    queries = rows.of(task.queries)
    table = vector_table(resources.store, model)
    index = resources.searchers.open(table, model.name, model.metric, contender.index, watch)
    k = task.ks[-1] + task.own + max(map(len, task.left_out or ()), default=0)
    allowed = None if len(index) == len(task.gallery) else task.gallery
    k = min(k, len(index))
    hits = np.empty((len(queries), k), np.int64)
    for start in range(0, len(queries), _ASKED_AT_ONCE):
        watch(Progress("asking", start, len(queries), f"asking the {index.kind} index", unit="queries"))
        block = slice(start, start + _ASKED_AT_ONCE)
        hits[block] = index.search(queries[block], k, recall=asked.recall, allowed=allowed).ids
    if task.own:  # the query itself goes, or where it was not found, the last hit
        is_itself = hits == task.queries[:, None]
        is_itself[~is_itself.any(axis=1), -1] = True
        hits = hits[~is_itself].reshape(len(hits), -1)
    at = np.minimum(np.searchsorted(task.gallery, hits), len(task.gallery) - 1)
    at[task.gallery[at] != hits] = -1
    own_relevant = np.full(len(queries), int(task.own))
    for query, left_out in enumerate(task.left_out or ()):
        found_ones = at[query][~np.isin(at[query], left_out)]
        at[query] = -1
        at[query, : len(found_ones)] = found_ones
        own_relevant[query] += np.count_nonzero(task.codes[left_out] == task.query_codes[query])
    return measure_hits(at, task.query_codes, task.codes, task.ks, own_relevant), index.kind


def _measure_kinds(rows: ImageVectors, task: _Task, to_depth: bool, watch: Watch) -> Retrieval:
    """Return what the queries find where what is of the same kind is sought."""
    gallery = unit_rows(rows.of(task.gallery))
    if task.own:
        own = np.searchsorted(task.gallery, task.queries)
        found = rank_others_of_kind(gallery, Relevance(task.query_codes, task.codes, own), task.ks, watch)
    else:
        queries = unit_rows(rows.of(task.queries))
        found = rank_all_of_kind(queries, gallery, Relevance(task.query_codes, task.codes), task.ks, watch)
    if not to_depth:
        return found
    own_relevant = np.full(len(task.queries), int(task.own))
    return measure_hits(found.hits, task.query_codes, task.codes, task.ks, own_relevant)


def _worst(
    locations: Mapping[int, list[FileLocation]],
    truth: GroundTruth,
    model: Model,
    rows: ImageVectors,
    task: _Task,
    found: Retrieval,
    n: int,
) -> tuple[QueryScores, ...]:
    """Return the queries of least average precision, ties by path, with what they found."""
    (precision,) = (values for name, values in found.values.items() if name.startswith(MEAN_AP))
    paths = [locations[image][0].path for image in task.queries.tolist()]
    order = sorted(range(len(paths)), key=lambda at: (precision[at], paths[at]))

    def hit(rank: int, image: int, distance: float) -> Hit:
        score = 1 - distance if model.metric == "cosine" and rank else None
        made = make_hit(rank, ImageId(image), distance, score, locations[image], NOTHING)
        return replace(made, label=truth.labels[image])

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
