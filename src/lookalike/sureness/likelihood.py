"""How likely a hit is of the query's kind: probabilities of similarities, for a model and a collection.

The idea
--------
A cosine of 0.5 means much among photos of everything, and nothing among passport photos; and some queries lie
where all is dense. So a similarity s is read as

    u = (s - mean - 0.5 × (level - mean)) / spread

where mean and spread are of similarities among the collection's own pictures, and the level is the mean
similarity of the ten nearest to this query. To its own query u rises with s, so hits keep their order. What
share of pairs are of one label at each u is learned by isotonic regression: from the collection's own
labels, each picture asking the others; where it has none, by a curve learned on other collections (`USUAL`),
which knows nothing of how finely somebody would label this one.

Pairs are drawn by rank, all of the first thirty and then ever fewer, each with a weight of one by its rank:
the first hits, which people look at, count as much as all the many behind them.

Cost: one product of some hundred pictures with some thousand.

References
----------
B. Zadrozny, C. Elkan, "Transforming classifier scores into accurate multiclass probability estimates", KDD
2002.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.sureness.isotonic import Curve, fit_isotonic
from lookalike.types import Metric, Vectors

NEAREST = 10
"""So many of the nearest make the level of a query."""

LEVEL_SHARE = 0.5  # chosen on CIFAR-10, Fashion-MNIST and clip art
FEWEST_LABELED = 40
"""With fewer pictures that have a mate of their label, labels say nothing."""

_USUAL_WEIGHT = 1.0  # queries that the usual curve counts for, where no pair has been seen
_ALL_OF = 30  # of the first ranks
_SOME_OF = 200  # of the others

Doubles = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]

_USUAL_KNOTS = (
    (-2.2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5),
    (17, 20, 25, 32, 40, 51, 62, 69, 71, 85, 88, 90),
)
USUAL = Curve(np.array(_USUAL_KNOTS[0], np.float64), np.array(_USUAL_KNOTS[1]) / 100)
"""Learned on CIFAR-10, Fashion-MNIST and clip art by category, by `benchmarks/sureness.py`."""


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """Probabilities of similarities.

    Attributes
    ----------
    mean, spread : float
        Of similarities among the collection's own pictures.
    curve : Curve
        From u to probability.
    chance : float
        How likely two pictures of the collection are of one kind, taken at random.
    is_of_labels : bool
        Whether the collection's own labels told; else it is `USUAL`.
    """

    mean: float
    spread: float
    curve: Curve
    chance: float
    is_of_labels: bool

    def of(self, similarities: npt.ArrayLike, level: npt.ArrayLike) -> Doubles:
        """Return the probabilities of hits.

        Parameters
        ----------
        similarities : (…,) float
            As `similarity_of` gives them.
        level : float, or (…,) float
            The mean of the ten largest, of the query.
        """
        return self.curve.at(_place(np.asarray(similarities), np.asarray(level), self.mean, self.spread))


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pictures that ask others whose labels are known.

    Attributes
    ----------
    similarities : (n_queries, n) float32
        -inf between a picture and itself.
    levels : (n_queries,) float
        Of the queries, each among all others of the collection.
    are_same : (n_queries, n) bool
        Whether both have the same label.
    """

    similarities: Matrix
    levels: Doubles
    are_same: npt.NDArray[np.bool_]


def similarity_of(distances: npt.ArrayLike, metric: Metric) -> Doubles:
    """Return cosines of cosine distances, and of others their negative."""
    found = np.asarray(distances, np.float64)
    return 1 - found if metric == "cosine" else -found


def similarities_between(queries: Vectors, rows: Vectors, metric: Metric) -> Matrix:
    """Return the similarity of each query to each row, (n_queries, n) float32; of cosine, of unit rows."""
    products: Matrix = queries @ rows.T
    if metric == "cosine":
        return products
    squares = (queries**2).sum(1)[:, None] + (rows**2).sum(1)[None] - 2 * products
    distances: Matrix = np.sqrt(np.maximum(squares, 0))
    return -distances


def learn_likelihood(
    strangers: Matrix, levels: Doubles, pairs: Pairs | None, usual: Curve = USUAL
) -> Likelihood | None:
    """Learn what similarities mean; None where all are equal.

    Parameters
    ----------
    strangers : (m,) float32
        Similarities of pairs of pictures of the collection, taken at random.
    levels : (q,) float
        Of some of its pictures.
    pairs : Pairs, optional
        What labels tell, if there are enough.
    usual : Curve
        What is known without.
    """
    mean, spread = float(strangers.mean()), float(strangers.std())
    if not spread > 0:
        return None
    if pairs is None or np.count_nonzero(pairs.are_same.any(axis=1)) < FEWEST_LABELED:
        chance = float(usual.at(_place(strangers, levels.mean(), mean, spread)).mean())
        return Likelihood(mean, spread, usual, chance, False)
    n_queries, n = pairs.similarities.shape
    ranks = _ranks(n - 1)
    order = np.argsort(-pairs.similarities, axis=1)[:, ranks]
    places = _place(
        np.take_along_axis(pairs.similarities, order, axis=1), pairs.levels[:, None], mean, spread
    ).ravel()
    are_same = np.take_along_axis(pairs.are_same, order, axis=1).ravel()
    weights = np.broadcast_to(1 / (ranks + 1), order.shape).ravel()
    weights = weights / weights.sum() * n_queries
    inside = np.linspace(places.min(), places.max(), 100)
    curve = fit_isotonic(
        np.concatenate([places, inside]),
        np.concatenate([are_same, usual.at(inside)]),
        np.concatenate([weights, np.full(len(inside), _USUAL_WEIGHT / len(inside))]),
    )
    return Likelihood(mean, spread, curve, float(pairs.are_same.sum() / (n_queries * (n - 1))), True)


def _place(
    similarities: npt.NDArray[np.floating], level: Doubles | np.float64, mean: float, spread: float
) -> Doubles:
    found: Doubles = (similarities - mean - LEVEL_SHARE * (level - mean)) / spread
    return found


def _ranks(n: int) -> npt.NDArray[np.intp]:
    """Return the ranks that are looked at, from 0: all of the first, then ever fewer."""
    last = np.geomspace(min(_ALL_OF, n), n, _SOME_OF).astype(np.intp) - 1
    return np.unique(np.concatenate([np.arange(min(_ALL_OF, n)), last]))
