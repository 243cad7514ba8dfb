"""From queries to hits: embed, ask an index, and leave word of where what it names lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from lookalike.collection.clusterings.centers import nearest_cluster
from lookalike.collection.columns import are_in, common
from lookalike.collection.embedded import nothing_embedded, vector_table
from lookalike.collection.folding import Copies, Fold
from lookalike.collection.places import FileLocation, Found, Places, make_hit
from lookalike.collection.regions import Regions, load_with_cells, model_of_cells, says_whole_only
from lookalike.collection.resources import Resources
from lookalike.collection.same_kind import open_same_kind
from lookalike.collection.searching_words import are_words, find_worded
from lookalike.collection.selecting import Passing, pass_filter
from lookalike.collection.shown import shown_by
from lookalike.collection.stored.clusterings import NOISE, StoredClustering
from lookalike.collection.stored_images import StoredImages
from lookalike.collection.sureness import Embeddings, Judge, Shown
from lookalike.collection.verified import order_by_laying, same_first
from lookalike.embed import Compute, Model
from lookalike.errors import (
    InvalidInputError,
    QueryConflictError,
    QueryInputError,
    QueryNotFoundError,
)
from lookalike.hints import Sentence
from lookalike.index.contract import Searcher
from lookalike.index.kinds import find_kind
from lookalike.query.appearance import LEAST_SCORE, score_colors
from lookalike.query.embedding import EmbeddedQuery, combine, embed_query
from lookalike.query.filter import ANYTHING
from lookalike.query.request import SearchRequest
from lookalike.query.terms import Region, Term, Vector, Words
from lookalike.results.hits import NOT_KNOWN, Hits, Sure
from lookalike.results.search import HitCluster, SearchResult
from lookalike.store import Store
from lookalike.sureness.familiarity import CANDIDATES
from lookalike.system.cores import usable_cores
from lookalike.system.progress import Watch
from lookalike.types import Hit, Ids, ImageId, Near, Vectors

_ASKED_MORE = 4  # times as many, where too few of the nearest are hits
_FEW = 1_000  # images, which are looked for in the table where that is the quicker way


@dataclass(frozen=True, slots=True)
class Run:
    """How a search is carried out, whatever it is for; see `Collection.search`."""

    device: str
    allow_private: bool
    watch: Watch


def search(resources: Resources, request: SearchRequest, run: Run) -> SearchResult:
    """Find the images most like the queries, or those of a colour; see `Collection.search`."""
    places, colors = resources.places, tuple(request.colors)
    if not request.like and not colors:
        is_filtered = request.where != ANYTHING
        raise QueryInputError(
            "there is nothing to search for"
            + (": filters choose among what a query or a colour finds" if is_filtered else ""),
            hint="name an image file, a URL or a colour",
        )
    passing = pass_filter(places, request.where)
    if not request.like:
        if request.unlike:
            raise QueryInputError("what is not wanted is taken from a query", hint="name an image that is")
        if request.same_cluster is not None:
            raise QueryInputError("the cluster searched in is that of a query", hint="name an image")
        _check_thorough(request, "a colour is all that is searched for")
        if request.model is not None:
            resources.models.get(request.model)  # not needed, but a slip of the pen is one here, too
        return _search_colors(resources, request, passing)
    if colors:
        passing = replace(passing, ids=_ids_of_colors(places.store, colors, passing.ids)[0])
    kept_to = request.same_cluster
    stored = None if kept_to is None else places.snapshot.stored_clustering(kept_to.clustering)
    model = resources.model(request.model)
    if stored is not None and model.name != stored.model:
        if request.model is not None:
            raise InvalidInputError(
                f"the clustering {stored.name!r} is of the model {stored.model}, not {model.name}",
                hint="leave the model out, or cluster with that one",
            )
        model = resources.model(stored.model)
    if not model.has_text and are_words((*request.like, *request.unlike)) and stored is None:
        _check_thorough(request, f"{model.name} has no vectors of words")
        return _search_words(resources, request, model, passing)
    return _search_vectors(resources, request, run, model, passing, stored)


def _check_thorough(request: SearchRequest, why_not: str) -> None:
    """Raise InvalidInputError if what can be done with the vector or picture of a query is asked for."""
    for name in ("same_kind", "verify"):
        if getattr(request, name):
            raise InvalidInputError(
                f"{name} is given, but {why_not}", field=name, hint="name an image, or leave it out"
            )


def _search_words(
    resources: Resources, request: SearchRequest, model: Model, passing: Passing
) -> SearchResult:
    """Find the images that words are about, without a model that knows text; see `searching_words`."""
    places = resources.places
    wanted, unwanted = cast(Sequence[Words], request.like), cast(Sequence[Words], request.unlike)
    shown = shown_by(places.snapshot, model.name, or_others=request.model is None)
    found = find_worded(resources, wanted, unwanted, model, shown)
    passes = np.ones(len(found.ids), bool) if passing.ids is None else np.isin(found.ids, passing.ids)
    ids, scores = found.ids[passes], found.scores[passes]
    copies = Copies.found(resources) if request.fold else None
    fold = None if copies is None else Fold(copies, lambda images: np.isin(images, ids))
    describer = Describer(places, passing, has_scores=True)
    describer.take(request, Shown())

    def nearest(n: int) -> Near:
        return ids[:n], 1 - scores[:n]

    return SearchResult(
        _nearest_hits(nearest, len(ids), request.n_hits, (), describer, fold),
        "words",
        "words",
        tuple(map(_named_query, wanted)),
        tuple(map(_named_query, unwanted)),
        colors=tuple(request.colors),
        warnings=(
            *(*places.labels.damaged, *passing.warnings, *found.warnings),
            *([] if copies is None else copies.notes()),
        ),
        request=request,
        is_proved=True,
        total=len(ids),
        understood=found.understood,
        lookup=places.lookup(),
    )


def _named_query(term: Words) -> EmbeddedQuery:
    return EmbeddedQuery(term.words, np.empty(0, np.float32), is_text=True, weight=term.weight)


def _search_vectors(
    resources: Resources,
    request: SearchRequest,
    run: Run,
    model: Model,
    passing: Passing,
    same_cluster: StoredClustering | None,
) -> SearchResult:
    """Find the images most like the queries, perhaps only among those of their cluster."""
    places, store = resources.places, resources.store
    table = vector_table(store, model)
    if not table.count():
        raise nothing_embedded(store, model.name, request.model)

    stored = StoredImages(places, table, model.name, resources.searchers)
    compute = Compute(usable_cores(), run.device)
    load = partial(resources.models.load, model.name, compute, watch=run.watch)

    cells_of = model_of_cells(resources, model, request.like)
    load_cells = (
        None if cells_of is None else partial(load_with_cells, resources, cells_of, compute, run.watch)
    )

    def embed(term: Term) -> EmbeddedQuery:
        return embed_query(term, model, load, stored, run.allow_private, load_cells)

    wanted = tuple(map(embed, request.like))
    unwanted = tuple(map(embed, request.unlike))
    asked = {query.id for query in (*wanted, *unwanted) if query.id is not None}
    own: set[int] = set() if request.include_self else set(asked)
    vector = combine(wanted, unwanted, model.metric)
    index: Searcher
    if request.same_kind:
        index = open_same_kind(resources, model, asked, run.watch)
    else:
        index = resources.searchers.open(table, model.name, model.metric, request.index, run.watch)
    if not len(index):
        raise nothing_embedded(store, model.name, request.model)
    cluster = None
    if same_cluster is not None:
        number = None if request.same_cluster is None else request.same_cluster.number
        cluster = _cluster_of(same_cluster, number, wanted, unwanted, vector)
        members = same_cluster.ids[same_cluster.clusters == cluster.number]
        passing = replace(
            passing, ids=members if passing.ids is None else np.intersect1d(members, passing.ids)
        )
    # What a recall takes was measured with images; words, and what is far from something, lie elsewhere, and
    # vectors may lie anywhere.
    is_unlike_images = bool(unwanted) or any(isinstance(term, Words | Vector) for term in request.like)
    mode: dict[str, Any] = {} if request.mode is None else {"mode": request.mode}

    near = index.search(
        vector,
        k=min(max(CANDIDATES, request.n_hits) + len(asked), len(index)),
        recall=1.0 if is_unlike_images else request.recall,
        **mode,
    )

    def by_whole(n: int, among: Ids | None) -> Near:
        neighbors = near
        if passing.ids is not None or among is not None or n > near.ids.shape[1]:
            neighbors = index.search(
                vector,
                k=min(n, len(index)),
                recall=1.0 if is_unlike_images or among is not None else request.recall,
                allowed=passing.ids if among is None else among,
                **(mode if among is None else {}),
            )
        is_found = neighbors.ids[0] >= 0
        return neighbors.ids[0][is_found][:n], neighbors.distances[0][is_found][:n]

    regions = None
    if cells_of is not None:
        side = places.snapshot.side(cells_of.name, "cells")
        regions = Regions.of(side, request.like, wanted, bool(unwanted), passing.ids)

    def in_order(n: int) -> Near:
        return by_whole(n, None) if regions is None else regions.nearest(n, by_whole)

    nearest: Callable[[int], Near] = in_order
    if request.verify:
        nearest = same_first(in_order, partial(order_by_laying, store, wanted[0], watch=run.watch))
    judge = None
    is_judged = regions is None and not unwanted and not request.same_kind
    if is_judged and not any(isinstance(term, Words) for term in request.like):
        seen = Embeddings(places, table, model, index)
        judge = resources.judges.of_query(seen, resources.searchers, vector, near, sorted(asked), run.watch)
    n_most = len(index) if passing.ids is None else len(passing.ids)
    describer = Describer(places, passing, has_scores=model.metric == "cosine")
    describer.take(request, judge)
    describer.boxes = {} if regions is None else regions.boxes
    total = _count(places, index, model.name, passing, own)
    copies = Copies.found(resources) if request.fold else None
    fold = None if copies is None else _fold(copies, _searched(places, index, model.name), passing, own)
    hits = _nearest_hits(nearest, n_most, min(request.n_hits, total), own, describer, fold)
    is_proved = (
        regions is None
        and not request.verify
        and find_kind(index.kind).is_proved(
            1.0 if is_unlike_images or passing.ids is not None else request.recall, request.mode
        )
    )
    searched_as = says_whole_only(model, cells_of, request.like)
    if regions is not None:
        searched_as = regions.say_without_cells(_searched(places, index, model.name))
    return SearchResult(
        hits,
        model.name,
        index.kind,
        wanted,
        unwanted,
        colors=tuple(request.colors),
        cluster=cluster,
        warnings=(
            *(*places.labels.damaged, *passing.warnings, *_cut_small((*wanted, *unwanted))),
            *searched_as,
            *([] if judge is None or request.min_probability is None else judge.notes()),
            *([] if copies is None else copies.notes()),
        ),
        request=request,
        is_proved=is_proved,
        total=total,
        lookup=places.lookup(),
    )


def _count(places: Places, index: Searcher, model: str, passing: Passing, own: Iterable[int]) -> int:
    """Return how many images could be hits: those of the index that lie anywhere and pass, without its own.

    An index also holds vectors of images that lie nowhere, see `_nearest_hits`; unless all was swept up.
    """
    snapshot = places.snapshot
    if snapshot.is_swept and (passing.ids is None or len(index) >= snapshot.store.images.count()):
        meant = passing.ids
        own_there = [
            image for image in own if (meant is None or image in meant) and index.vector_of(image) is not None
        ]
        return (len(index) if meant is None else len(meant)) - len(own_there)
    searched = _searched(places, index, model)
    left_out = np.array([image for image in own if passing.ids is None or image in passing.ids], np.int64)
    n = len(searched) if passing.ids is None else len(common(searched, passing.ids))
    return n - len(common(searched, left_out))


def _searched(places: Places, index: Searcher, model: str) -> Ids:
    """Return the images of an index that lie anywhere, rising."""
    snapshot = places.snapshot
    return snapshot.keep(("searched", model, index.kind), lambda: common(snapshot.files.images, index.ids))


def _fold(copies: Copies, searched: Ids, passing: Passing, own: Iterable[int]) -> Fold:
    """Return what folds copies into hits; only those are counted that could be hits themselves."""
    left_out = list(own)

    def could_be(ids: Ids) -> npt.NDArray[np.bool_]:
        found = are_in(ids, searched) & ~np.isin(ids, left_out)
        return found if passing.ids is None else found & np.isin(ids, passing.ids)

    return Fold(copies, could_be)


def _cut_small(queries: Iterable[EmbeddedQuery]) -> list[Sentence]:
    """Say which regions were cut from thumbnails."""
    return [
        Sentence(f"the region of {query.name} is one of its thumbnail, as its file is not at hand")
        for query in queries
        if query.cut_from == "thumbnail"
    ]


def _nearest_hits(
    nearest: Callable[[int], Near],
    n_most: int,
    k: int,
    own: Iterable[int],
    describer: Describer,
    fold: Fold | None,
) -> Hits:
    """Return the k nearest that lie anywhere and pass, fewer only where there are no more.

    An image is written before the files that hold it, and swept away after them. So where one writes, or was
    killed while it wrote, there are vectors and colors of images that lie nowhere: then more is asked for.

    Parameters
    ----------
    nearest : callable
        Gives so many of the nearest images, and how far they are.
    n_most : int
        How many may be hits, at most.
    own : iterable of int
        The images that the query is made of, which are no hits.
    fold : Fold or None
        Folds copies into hits, of which k are to be left.
    """
    left_out = set(own)
    n = max(1, k + len(left_out))  # an index is asked where nothing passes, too: it knows what it refuses
    while True:
        ids, distances = nearest(n)
        is_hit = describer.are_there(ids)
        for image in left_out:
            is_hit &= ids != image
        hits = np.flatnonzero(is_hit)
        if fold is None:
            hits = hits[:k]
        else:
            chosen, describer.folded = fold.choose(ids[hits], k)
            hits = hits[chosen]
        if len(hits) >= k or n >= n_most or len(ids) < n:
            ids, distances = ids[hits], distances[hits]
            return describer.hits(ids, distances)
        n *= _ASKED_MORE


class Describer:
    """Says where images lie that were found, and what they are called there; of one committed state.

    Parameters
    ----------
    places : Places
    passing : Passing
        Which of their places are meant.
    has_scores : bool
        Whether 1 less the distance is a score.

    Attributes
    ----------
    folded : mapping of int to int
        How many copies are folded into which hit.
    boxes : mapping of int to Region
        Where in an image a region was found.
    """

    def __init__(self, places: Places, passing: Passing, has_scores: bool) -> None:
        self.has_scores = has_scores
        self.folded: Mapping[int, int] = {}
        self.boxes: Mapping[int, Region] = {}
        self._judge: Judge | Shown | None = None
        self._min_probability: float | None = None
        self._min_score: float | None = None
        self._is_by_distance = True
        self.places = places
        self.lookup = places.lookup()
        self._passing = passing
        self._known: dict[int, list[FileLocation]] = {}  # where the table has been asked already

    def take(self, request: SearchRequest, judge: Judge | Shown | None) -> None:
        """Take who says how likely hits are, and what they are to have, at least.

        Raises
        ------
        QueryConflictError
            If that cannot be told.
        """
        if request.min_score is not None and not self.has_scores:
            raise QueryConflictError(
                "hits have no scores here, as the model is not compared by cosine",
                hint="leave out the least score; a least probability there is",
            )
        if request.min_probability is not None and judge is None:
            raise QueryConflictError(
                "how likely hits are is not known here: it is of whole pictures, asked of fifty images or"
                " more, with nothing that is unwanted",
                hint="leave out the least probability",
            )
        self._judge = judge
        self._min_probability, self._min_score = request.min_probability, request.min_score
        self._is_by_distance = not request.verify

    def hits(self, ids: Ids, distances: npt.NDArray[np.floating]) -> Hits:
        """Return those of some hits, nearest first, that have what they are to have."""
        enough = np.ones(len(ids), bool)
        if self._min_score is not None:
            enough &= 1 - distances >= self._min_score
        sure = NOT_KNOWN
        if self._judge is not None:
            probabilities = self._judge.probabilities(distances)
            if self._min_probability is not None:
                enough &= probabilities >= self._min_probability
            n_beyond = self._judge.n_beyond_chance(distances[enough])
            below = n_beyond + 1 if n_beyond < enough.sum() or self._judge.is_strange else None
            sure = Sure(probabilities[enough], below if self._is_by_distance else None)
        return Hits(ids[enough], distances[enough], self.describe, self.has_scores, self.lookup, sure)

    def are_there(self, ids: Ids) -> npt.NDArray[np.bool_]:
        """Tell which of some images lie anywhere; all of them pass."""
        snapshot = self.places.snapshot
        files = snapshot.files_if_soon() if len(ids) <= _FEW else snapshot.files
        if files is not None:
            return files.have(ids)
        self._known |= self._locations(ids)
        return np.fromiter((image in self._known for image in ids.tolist()), bool, len(ids))

    def describe(self, ranks: range, ids: Ids, distances: npt.NDArray[np.float64]) -> Sequence[Hit]:
        """Describe hits."""
        images = ids.tolist()
        likely: list[float | None] = [None] * len(images)
        if self._judge is not None:
            likely = self._judge.probabilities(distances).tolist()
        known = self._known
        locations = known if known.keys() >= set(images) else self._locations(ids)
        return tuple(
            make_hit(
                rank,
                ImageId(image),
                distance,
                1 - distance if self.has_scores else None,
                locations[image],
                self.lookup,
                Found(self.folded.get(image, 0), self.boxes.get(image), probability),
            )
            for rank, image, distance, probability in zip(
                ranks, images, distances.tolist(), likely, strict=True
            )
        )

    def _locations(self, ids: Ids) -> dict[int, list[FileLocation]]:
        return self.places.of_images(ids.tolist(), self._passing.files)


def _cluster_of(
    stored: StoredClustering,
    number: int | None,
    wanted: Sequence[EmbeddedQuery],
    unwanted: Sequence[EmbeddedQuery],
    vector: Vectors,
) -> HitCluster:
    """Return the cluster of a number; or that which an image is in, else the one whose centre is nearest."""
    if number is not None:
        if number not in stored.clusters:
            raise QueryNotFoundError(f"the clustering {stored.name!r} has no cluster {number}")
        return HitCluster(stored.name, number, stored.names.get(number))
    number = NOISE
    if len(wanted) == 1 and not unwanted:
        number = int(next(iter(stored.clusters[stored.ids == (wanted[0].id or -1)]), NOISE))
    if number == NOISE:
        number = nearest_cluster(stored, vector)
    if number == NOISE:
        raise QueryConflictError(
            f"the clustering {stored.name!r} has no clusters, only noise", hint="make another"
        )
    return HitCluster(stored.name, number, stored.names.get(number))


def _search_colors(resources: Resources, request: SearchRequest, passing: Passing) -> SearchResult:
    """Find the images that have most of some colours."""
    places, store, colors = resources.places, resources.store, tuple(request.colors)
    if not store.images.count():
        raise nothing_embedded(store, places.manifest.model, None)
    ids, scores = _ids_of_colors(store, colors, passing.ids)
    is_there = are_in(ids, places.snapshot.files.images)
    ids, scores = ids[is_there], scores[is_there]
    best = np.lexsort((ids, -scores))  # ties by id, so that the answer is the same each time

    def nearest(n: int) -> Near:
        return ids[best[:n]], 1 - scores[best[:n]]

    copies = Copies.found(resources) if request.fold else None
    fold = None if copies is None else Fold(copies, lambda images: np.isin(images, ids))
    describer = Describer(places, passing, has_scores=True)
    describer.take(request, None)
    hits = _nearest_hits(nearest, len(ids), request.n_hits, (), describer, fold)
    return SearchResult(
        hits,
        "color",
        "color",
        (),
        colors=colors,
        warnings=(*places.labels.damaged, *passing.warnings, *([] if copies is None else copies.notes())),
        request=request,
        is_proved=True,
        total=len(ids),
        lookup=places.lookup(),
    )


def all_with_vectors(resources: Resources, model: Model) -> tuple[list[Hit], Vectors]:
    """Return every image with its vector; see `Collection.vectors`."""
    table = vector_table(resources.store, model)
    ids, vectors = resources.searchers.read_vectors(table, model.name, model.metric)
    locations = resources.places.of_images()
    rows = [row for row in np.argsort(ids).tolist() if int(ids[row]) in locations]
    images = [ImageId(int(ids[row])) for row in rows]
    lookup = resources.places.lookup()
    return [make_hit(0, image, 0.0, None, locations[image], lookup) for image in images], vectors[rows]


def _ids_of_colors(
    store: Store, colors: Sequence[str], passing: Ids | None
) -> tuple[Ids, npt.NDArray[np.float64]]:
    """Return the images that have all of some colours, of those that pass, with their scores."""
    ids, scores = score_colors(store, colors)
    has_them = scores >= LEAST_SCORE
    if passing is not None:
        has_them &= np.isin(ids, passing)
    return ids[has_them], scores[has_them]
