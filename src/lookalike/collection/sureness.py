"""How sure the answers of a collection are: learned when a search first needs it, kept, and learned again.

It is learned again when a tenth of the images have come or gone since, or of those that were looked at a
tenth have another label, or when vectors were written anew. Until then what came later is read by what was
learned. It takes some seconds at 100,000 images, of which the most goes into asking with a thousand of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lookalike.collection.columns import are_in
from lookalike.collection.places import Places
from lookalike.collection.searchers import Searchers, count_rewritten
from lookalike.collection.stored.sureness import Kept, LearnedOf, file_of, read_sureness, write_sureness
from lookalike.embed import Model
from lookalike.errors import ResourceError
from lookalike.hints import Hint, Sentence
from lookalike.index.contract import Searcher
from lookalike.store import Table
from lookalike.sureness.familiarity import ALARM, CANDIDATES, nearness
from lookalike.sureness.learning import SAMPLE, Learnable, Sureness, learn, most_rows
from lookalike.sureness.likelihood import NEAREST, similarity_of
from lookalike.system.memo import Memo
from lookalike.system.progress import Watch
from lookalike.types import Ids, Neighbors, Vectors

MOST_CHANGED = 0.1
"""The share of images, or of labels, that may change before it is learned again."""

_MARKED = 256  # images of which labels are compared
_OF_VECTORS = 16  # of these, of which vectors are

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """The vectors of a model as a search sees them.

    Attributes
    ----------
    places : Places
    table : Table
    model : Model
    index : Searcher
    """

    places: Places
    table: Table
    model: Model
    index: Searcher


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Says of one query how likely its hits are of its kind.

    Attributes
    ----------
    learned : Sureness
    model : Model
    level : float
        The mean similarity of the ten nearest.
    familiarity : float
        What share of the collection's own pictures are as strange as the query, or stranger.
    """

    learned: Sureness
    model: Model
    level: float
    familiarity: float

    @property
    def is_strange(self) -> bool:
        """Whether nothing in the collection is like the query."""
        return self.familiarity < ALARM

    def probabilities(self, distances: npt.ArrayLike) -> Doubles:
        """Return how likely hits are of the query's kind, (n,); they never rise with the distance.

        Labels tell it for queries of kinds that are there. The stranger a query, the less likely it is one.
        """
        likely = self.learned.likelihood.of(similarity_of(distances, self.model.metric), self.level)
        return likely * min(1.0, self.familiarity / ALARM)

    def n_beyond_chance(self, distances: npt.ArrayLike) -> int:
        """Return how many of some hits, nearest first, are more likely than by chance.

        That is, twice as likely as any two pictures of the collection are of one kind; none, where nothing
        is like the query.
        """
        if self.is_strange:
            return 0
        return int(np.count_nonzero(self.probabilities(distances) >= 2 * self.learned.likelihood.chance))

    def notes(self) -> list[Sentence]:
        """Say so where probabilities are only a guess."""
        if self.learned.likelihood.is_of_labels:
            return []
        return [
            Sentence(
                "how likely hits are is only a guess, of other collections, as too few images have labels",
                Hint("give_labels"),
            )
        ]


class Shown:
    """Says of words how likely hits show them: that is what their scores are; none is there by chance."""

    is_strange = False

    def probabilities(self, distances: npt.ArrayLike) -> Doubles:
        """Return how likely hits show the words, (n,)."""
        return 1 - np.asarray(distances, np.float64)

    def n_beyond_chance(self, distances: npt.ArrayLike) -> int:
        """Return how many of some hits are more likely than by chance: all."""
        return np.asarray(distances).size


class Judges:
    """What is known of how sure answers are, by model; learned once for all threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: Memo[str, tuple[str, Kept]] = Memo()

    def of_query(
        self,
        embeddings: Embeddings,
        searchers: Searchers,
        vector: Vectors,
        near: Neighbors,
        own: Sequence[int],
        watch: Watch,
    ) -> Judge | None:
        """Return the judge of a query; None where too little is known.

        Parameters
        ----------
        embeddings : Embeddings
        searchers : Searchers
        vector : (d,) or (1, d) float32
            The query.
        near : Neighbors
            At least `CANDIDATES` of the nearest images beside its own, of (1, k), if there are so many.
        own : sequence of int
            Images that the query is made of.
        """
        learned = self.learned(embeddings, searchers, watch)
        if learned is None:
            return None
        is_other = (near.ids[0] >= 0) & ~np.isin(near.ids[0], list(own))
        ids = near.ids[0][is_other][:CANDIDATES]
        similar = similarity_of(near.distances[0][is_other], embeddings.model.metric)[:CANDIDATES]
        if not len(ids):
            return None
        space = learned.familiarity.space
        found, vectors = _vectors_of(embeddings, ids)
        dense = space.relative_density(space.into(vector.reshape(1, -1))[0], space.into(vectors), found)
        share = float(learned.familiarity.share(nearness(similar), dense))
        return Judge(learned, embeddings.model, float(similar[:NEAREST].mean()), share)

    def learned(self, embeddings: Embeddings, searchers: Searchers, watch: Watch) -> Sureness | None:
        """Return what is known of a model's vectors, as they are now, or were but for few."""
        model, state = embeddings.model.name, _state(embeddings)
        before = self._kept.peek(model)

        def make() -> tuple[str, Kept]:
            file = file_of(self._folder, model)
            for kept in (None if before is None else before[1], read_sureness(file)):
                if kept is not None and self._is_current(kept.of, embeddings):
                    return state, kept
            kept = self._learn(embeddings, searchers, watch)
            write_sureness(file, kept)
            return state, kept

        return self._kept.get(model, make, lambda kept: kept[0] == state)[1].learned

    def _is_current(self, of: LearnedOf, embeddings: Embeddings) -> bool:
        n = embeddings.table.count()
        if abs(n - of.n) > MOST_CHANGED * of.n or of.rewritten != self._count_rewritten(embeddings):
            return False
        there, vectors = embeddings.table.vectors_of(of.ids[:_OF_VECTORS].tolist())
        marks = dict(zip(of.ids.tolist(), of.vectors.tolist(), strict=False))
        if any(marks[i] != mark for i, mark in zip(there.tolist(), _marks(vectors).tolist(), strict=True)):
            return False
        n_gone = min(_OF_VECTORS, len(of.ids)) - len(there)
        changed = int(np.count_nonzero(_sums_of(_labels(embeddings.places, of.ids)) != of.labels))
        return n_gone <= _OF_VECTORS // 4 and changed <= MOST_CHANGED * max(1, len(of.ids))

    def _count_rewritten(self, embeddings: Embeddings) -> int:
        return count_rewritten(self._folder / "indexes", embeddings.model.name)

    def _learn(self, embeddings: Embeddings, searchers: Searchers, watch: Watch) -> Kept:
        rewritten, model = self._count_rewritten(embeddings), embeddings.model
        index = embeddings.index
        ids = np.sort(index.ids)
        ids = ids[are_in(ids, embeddings.places.snapshot.files.images)]
        random = np.random.default_rng(0)
        most = min(2 * SAMPLE, most_rows(model.dimension))
        some = np.sort(random.choice(ids, min(most, len(ids)), replace=False))
        labels = _labels(embeddings.places, some)
        is_labeled = np.array([label is not None for label in labels], bool)
        codes = np.where(is_labeled, np.unique([label or "" for label in labels], return_inverse=True)[1], -1)
        order, rows = np.empty(0, np.int64), None
        if len(ids):
            all_ids, rows = searchers.read_vectors(embeddings.table, model.name, model.metric)
            order = np.argsort(all_ids)
            rising = all_ids[order]

        def take(wanted: Ids) -> Vectors:
            assert rows is not None
            return np.asarray(rows[order[np.searchsorted(rising, wanted)]], np.float32)

        try:
            learned = learn(
                Learnable(
                    ids, model.dimension, take, lambda queries, k: index.search(queries, k, 1.0), model.metric
                ),
                some,
                codes,
                watch=watch,
            )
        except ResourceError:  # little memory: the answers are right without
            learned = None
        shown = random.permutation(len(some))[:_MARKED]
        marked = some[shown]
        looked_at = marked[:_OF_VECTORS]
        marks = _marks(take(looked_at)) if len(looked_at) else np.empty(0, np.uint32)
        sums = _sums_of([labels[row] for row in shown.tolist()])
        return Kept(learned, LearnedOf(embeddings.table.count(), rewritten, marked, sums, marks))


def _vectors_of(embeddings: Embeddings, ids: Ids) -> tuple[Ids, Vectors]:
    """Return the vectors of some images, and which these are; an index has them at hand, or the table has."""
    found = [embeddings.index.vector_of(image) for image in ids.tolist()]
    there = [vector for vector in found if vector is not None]
    if len(there) == len(found):
        return ids, np.array(there, np.float32)
    return embeddings.table.vectors_of(ids.tolist())


def _state(embeddings: Embeddings) -> str:
    """Return what changes whenever vectors, files or what people said do."""
    snapshot = embeddings.places.snapshot
    return f"{embeddings.table.state()} {id(snapshot)}"


def _labels(places: Places, images: Ids) -> list[str | None]:
    """Return the labels of images as `evaluate` counts them, where none is named."""
    locations = places.of_images(images.tolist())
    return [locations[image][0].given_label if image in locations else None for image in images.tolist()]


def _sums_of(labels: Sequence[str | None]) -> npt.NDArray[np.uint32]:
    sums = [0 if label is None else zlib.crc32(label.encode()) or 1 for label in labels]
    return np.array(sums, np.uint32)


def _marks(vectors: Vectors) -> npt.NDArray[np.uint32]:
    return np.array([zlib.crc32(np.ascontiguousarray(row).tobytes()) for row in vectors], np.uint32)
