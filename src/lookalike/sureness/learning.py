"""What is learned of a collection and a model, to tell how sure an answer is: all of it, from vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.sureness.familiarity import CANDIDATES, Familiarity, Space, nearness
from lookalike.sureness.likelihood import (
    NEAREST,
    Likelihood,
    Pairs,
    learn_likelihood,
    similarities_between,
    similarity_of,
)
from lookalike.system.progress import UNWATCHED, Progress, Watch
from lookalike.types import Ids, Metric, Neighbors, Vectors

FEWEST = 50
"""Of fewer pictures nothing is learned."""

ASKING = 1_000
"""So many of the collection's own pictures ask the others: a share of 5 % of them is known within 0.7 %."""

SAMPLE = 4_096
"""So many tell its statistics; of labels, twice as many."""

_MOST_NUMBERS = 1 << 24  # of a sample: very long vectors have fewer rows
_AT_ONCE = 32
_FEWEST_ASKING = 250  # of those with labels

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Sureness:
    """What was learned.

    Attributes
    ----------
    likelihood : Likelihood
    familiarity : Familiarity
    """

    likelihood: Likelihood
    familiarity: Familiarity


@dataclass(frozen=True, slots=True, eq=False)
class Learnable:
    """A collection's vectors of one model.

    Attributes
    ----------
    ids : (n,) int64
    dimension : int
    take : callable
        Gives the vectors of some of these, (m, d) float32.
    search : callable
        Gives the k nearest of all to some vectors, true ones.
    metric : {"cosine", "euclidean"}
    """

    ids: Ids
    dimension: int
    take: Callable[[Ids], Vectors]
    search: Callable[[Vectors, int], Neighbors]
    metric: Metric


def learn(
    collection: Learnable, some: Ids, codes: Numbers, seed: int = 0, watch: Watch = UNWATCHED
) -> Sureness | None:
    """Learn how sure answers are; None of a collection of which nothing can be told.

    Parameters
    ----------
    collection : Learnable
    some : (m,) int64
        Images drawn at random, or all.
    codes : (m,) int64
        Their labels, as numbers; -1 for none.
    seed : int
        Which pictures are drawn comes from it.
    """
    if len(collection.ids) < FEWEST:
        return None
    random = np.random.default_rng(seed)
    sample = _draw(random, collection.ids, min(SAMPLE, most_rows(collection.dimension)))
    vectors = collection.take(sample)
    space = Space.of(vectors, sample)
    if space is None:
        return None
    asking = random.choice(len(some), min(ASKING, len(some)), replace=False)
    asked = _ask(collection, space, some[asking], watch)
    random.shuffle(vectors)
    half = len(vectors) // 2
    strangers = similarities_between(vectors[:half], vectors[half:], collection.metric).ravel()
    queries, levels = asking[codes[asking] >= 0], asked.levels[codes[asking] >= 0]
    labeled = np.flatnonzero(codes >= 0)
    if len(queries) < _FEWEST_ASKING and len(queries) < len(labeled):  # few are labeled: others ask, too
        queries = random.choice(labeled, min(_FEWEST_ASKING, len(labeled)), replace=False)
        levels = _ask(collection, None, some[queries], watch).levels
    pairs = None
    if len(labeled) > 1:
        own = collection.take(some[queries])
        between = similarities_between(own, collection.take(some[labeled]), collection.metric)
        is_self = queries[:, None] == labeled[None]
        between[is_self] = -np.inf
        pairs = Pairs(between, levels, (codes[queries][:, None] == codes[labeled][None]) & ~is_self)
    likelihood = learn_likelihood(strangers, asked.levels, pairs)
    if likelihood is None:
        return None
    return Sureness(likelihood, Familiarity.of(space, asked.near, asked.dense))


def most_rows(dimension: int) -> int:
    """Return how many vectors may be taken at once."""
    return max(FEWEST, _MOST_NUMBERS // dimension)


class _Asked(NamedTuple):
    """What some pictures found: nearness, relative density and level, (q,) each."""

    near: npt.NDArray[np.float64]
    dense: npt.NDArray[np.float64]
    levels: npt.NDArray[np.float64]


def _ask(collection: Learnable, space: Space | None, asking: Ids, watch: Watch) -> _Asked:
    """Ask with some pictures among all others."""
    k = min(CANDIDATES + 1, len(collection.ids))
    rows = []
    for start in range(0, len(asking), _AT_ONCE):
        watch(Progress("asking", start, len(asking), "learning how sure answers are", unit="images"))
        some = asking[start : start + _AT_ONCE]
        vectors = collection.take(some)
        found = collection.search(vectors, k)
        inside = None if space is None else space.into(vectors)
        for row, image in enumerate(some.tolist()):
            is_other = (found.ids[row] != image) & (found.ids[row] >= 0)
            ids = found.ids[row][is_other][:CANDIDATES]
            similar = similarity_of(found.distances[row][is_other], collection.metric)
            density = 0.0
            if space is not None and inside is not None:
                density = space.relative_density(inside[row], space.into(collection.take(ids)), ids)
            rows.append((nearness(similar), density, float(similar[:NEAREST].mean())))
    return _Asked(*np.array(rows, np.float64).reshape(-1, 3).T)


def _draw(random: np.random.Generator, ids: Ids, n: int) -> Ids:
    drawn: Ids = np.sort(random.choice(ids, min(n, len(ids)), replace=False))
    return drawn
