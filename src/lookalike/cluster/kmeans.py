"""k-means: each vector in the group whose mean is nearest.

A start is made by greedy k-means++ (`seeding`); then Lloyd's rounds, exactly but without most of their
distances (`pruned_lloyd`). For rows that do not fit into memory, `KMeans.fit_batches` makes the same rounds
over batches, and `KMeans.partial_fit` learns from one batch after the other.

Rows are float32. Those given in float64, and those far from the origin, have their mean taken from them
first, so that float32 tells them apart; centres are float64.

References
----------
S. Lloyd, "Least squares quantization in PCM", 1957, published 1982.
D. Arthur and S. Vassilvitskii, "k-means++: The Advantages of Careful Seeding", 2007.
D. Sculley, "Web-Scale K-Means Clustering", 2010: learning from batches.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from lookalike.as_numbers import as_numbers
from lookalike.cluster.batch_round import BatchRound
from lookalike.cluster.pruned_lloyd import Doubles, Labels, PrunedLloyd, Rows, Workers, find_lift, working
from lookalike.cluster.scaling import Scaling, check_rows, find_scaling, mean_variance
from lookalike.cluster.seeding import start
from lookalike.errors import InvalidInputError
from lookalike.system.chance import RANDOM_STATE, check_random
from lookalike.system.checked_calls import checked, shown
from lookalike.system.cores import usable_cores
from lookalike.system.memory import rows_at_once
from lookalike.system.progress import (
    UNWATCHED,
    CancelToken,
    Progress,
    ProgressReport,
    Watch,
)
from lookalike.system.watching import watching
from lookalike.types import Vectors

_BLOCK_ROWS = 8_192
_ONCE_ROWS = 1 << 16  # that are given to centres at a time
_SAMPLE = 65_536  # rows of all batches that a start is made from
_SAMPLE_PER_CENTER = 32
_SAMPLE_VALUES = 1 << 28  # of that sample, at most, as long as it has two rows for each centre: 1 GB
_SAMPLE_ROUNDS = 10
_MOST_JOBS = 1_024

Batches = Callable[[], Iterable[npt.ArrayLike]]


@checked
class KMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """k-means clustering.

    Parameters
    ----------
    n_clusters : int
    init : {"k-means++", "random"} or (n_clusters, d) array-like
        Where centres start: spread out, and settled by some rounds on the rows' principal axes; on random
        rows; or as given. From given centres, labels are those of the plain algorithm in float64.
    n_init : int
        How many starts are made, of which the best is kept; 1 for given centres.
    max_iter : int
        Rounds at most.
    tol : float
        A round that moves the centres by less ends the run: the sum of their squared ways, in units of the
        mean variance of a dimension. With 0, it goes on until no row changes its centre.
    random_state : int, numpy.random.RandomState or None
        The same vectors and number give the same clusters, whatever `n_jobs`.
    n_jobs : int, optional
        Threads; all cores by default.

    Attributes
    ----------
    cluster_centers_ : (n_clusters, d) float64
    labels_ : (n,) int32
        The cluster of each row; those of the last batch after `partial_fit`.
    inertia_ : float
        The distortion: the sum of squared distances of rows to their centres.
    inertia_history_ : list of float
        The same after each round, the last being `inertia_`.
    n_iter_ : int
        How often the centres were moved to the means of their rows.
    n_features_in_ : int

    Examples
    --------
    >>> model = KMeans(n_clusters=2).fit([[0, 0], [0, 2], [10, 0], [10, 2]])
    >>> bool(model.labels_[0] == model.labels_[1] != model.labels_[2]), model.inertia_
    (True, 4.0)
    """

    cluster_centers_: Doubles
    labels_: Labels
    inertia_: float
    inertia_history_: list[float]
    n_iter_: int
    n_features_in_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Literal["k-means++", "random"] | npt.ArrayLike = "k-means++",
        n_init: int = 1,
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: Any = RANDOM_STATE,
        n_jobs: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: npt.ArrayLike,
        y: object = None,
        *,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> Self:
        """Find the clusters of vectors.

        Parameters
        ----------
        X : (n, d) array-like
            float32 is not copied, memory-mapped or not.
        y : ignored
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Raises
        ------
        InvalidInputError
            If there are fewer rows than clusters, a value is not finite, or a parameter makes no sense.
        """
        self._check_parameters()
        vectors = check_rows(self, X)
        self._check_count(len(vectors))
        random = self._random()
        scaling = find_scaling(vectors)
        values = scaling.rows(vectors)
        given = self._given_centers()
        with watching(report, cancel) as watch, working(self.n_jobs or usable_cores(), watch) as workers:
            scaling = Scaling(scaling.origin, scaling.scale, find_lift(values, random))
            rows = Rows.of(values, scaling.lift, workers)
            tolerance = self.tol * mean_variance(values) if self.tol else 0.0
            best = None
            for _ in range(1 if given is not None else self.n_init):
                centers = (
                    self._first_centers(rows, random, workers) if given is None else scaling.inside(given)
                )
                run = self._run(scaling, rows, centers, tolerance, workers)
                if best is None or run[2][-1] < best[2][-1]:
                    best = run
        assert best is not None
        self._scaling = scaling
        self.cluster_centers_, self.labels_, history, self.n_iter_ = best
        self.inertia_history_ = [square / scaling.scale**2 for square in history]
        self.inertia_ = self.inertia_history_[-1]
        self._counts = np.bincount(self.labels_, minlength=self.n_clusters)
        self._warn_of_empty()
        return self

    def fit_predict(self, X: npt.ArrayLike, y: object = None) -> Labels:
        """Find the clusters of vectors, and return the cluster of each; (n,) int32."""
        return self.fit(X).labels_

    def fit_batches(
        self,
        batches: Batches,
        *,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> Self:
        """Find the clusters of vectors that come in batches, with the rounds that `fit` makes.

        The start is made on a sample of the rows, by `fit`. Besides one batch, that sample and the labels
        are held in memory.

        Parameters
        ----------
        batches : callable
            Called once a round, and once before; returns an iterator of (m, d) arrays, each time the same.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Raises
        ------
        InvalidInputError
            As for `fit`, and if the batches of two rounds differ in length.
        """
        self._check_parameters()
        with watching(report, cancel) as watch:
            return self._fit_batches(batches, watch)

    def _fit_batches(self, batches: Batches, watch: Watch) -> Self:
        random = self._random()
        sample, n = self._sample(batches, random, watch)
        self._check_count(n)
        given = self._given_centers()
        scaling = find_scaling(sample)
        values = scaling.rows(sample)
        scaling = Scaling(scaling.origin, scaling.scale, find_lift(values, random))
        tolerance = self.tol * mean_variance(values)
        if given is None:
            few = KMeans(**{**self.get_params(), "max_iter": _SAMPLE_ROUNDS})
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                given = few.fit(sample, **watch.quiet().told).cluster_centers_
        del sample, values
        centers, labels = scaling.inside(given), np.full(n, -1, np.int32)
        history: list[float] = []
        with working(self.n_jobs or usable_cores(), watch) as workers:
            for n_moves in range(self.max_iter + 1):
                watch(Progress("clustering", n_moves, words=f"clustering in batches, round {n_moves + 1}"))
                found = self._pass(batches, scaling, centers, labels, workers)
                history.append(found.inertia)
                if not found.n_changed or n_moves == self.max_iter:
                    break
                moved = found.means(centers)
                way = float(np.square(moved - centers).sum())
                if way == 0:
                    break
                given = scaling.outside(moved)
                centers = scaling.inside(given)
                if way <= tolerance:
                    n_moves += 1
                    history.append(self._pass(batches, scaling, centers, labels, workers).inertia)
                    break
        self._scaling = scaling
        self.cluster_centers_, self.labels_, self.n_iter_ = given, labels, n_moves
        self.inertia_history_ = [square / scaling.scale**2 for square in history]
        self.inertia_ = self.inertia_history_[-1]
        self._counts = np.bincount(labels, minlength=self.n_clusters)
        self._warn_of_empty()
        return self

    def partial_fit(self, X: npt.ArrayLike, y: object = None) -> Self:
        """Learn from one batch: its rows pull their centres, each by one part in all the rows it has seen.

        The first batch needs at least as many rows as there are clusters. `labels_` and `inertia_` are those
        of the batch, before the centres moved.

        Parameters
        ----------
        X : (m, d) array-like
        y : ignored
        """
        self._check_parameters()
        is_first = not hasattr(self, "cluster_centers_")
        vectors = check_rows(self, X, is_first)
        if is_first:
            self._check_count(len(vectors))
            random = self._random()
            scaling = find_scaling(vectors)
            values = scaling.rows(vectors)
            self._scaling = Scaling(scaling.origin, scaling.scale, find_lift(values, random))
            given = self._given_centers()
            if given is None:
                with working(self.n_jobs or usable_cores()) as workers:
                    rows = Rows.of(values, self._scaling.lift, workers)
                    given = self._scaling.outside(self._first_centers(rows, random, workers))
            self.cluster_centers_ = given
            self._counts = np.zeros(self.n_clusters, np.int64)
            self.n_iter_, self.inertia_history_ = 0, []
        self.labels_, squares = self._assign(vectors)
        self.inertia_ = float(squares.sum(dtype=np.float64)) / self._scaling.scale**2
        self.inertia_history_.append(self.inertia_)
        order = np.argsort(self.labels_, kind="stable")
        counts = np.bincount(self.labels_, minlength=self.n_clusters)
        filled = np.flatnonzero(counts)
        self._counts = self._counts + counts
        centers = self.cluster_centers_.copy()
        ends = np.cumsum(counts[filled])[:-1]
        for label, members in zip(filled, np.split(order, ends), strict=True):
            mean = vectors[members].mean(axis=0, dtype=np.float64)
            centers[label] += (mean - centers[label]) * (counts[label] / self._counts[label])
        self.cluster_centers_ = centers
        self.n_iter_ += 1
        return self

    def predict(self, X: npt.ArrayLike) -> Labels:
        """Return the nearest cluster of each vector; (n,) int32."""
        check_is_fitted(self)
        return self._assign(check_rows(self, X, is_first=False))[0]

    def transform(self, X: npt.ArrayLike) -> npt.NDArray[np.floating]:
        """Return the distance of each vector to each centre; (n, n_clusters), of X's own type."""
        check_is_fitted(self)
        vectors = check_rows(self, X, is_first=False)
        distances = np.empty((len(vectors), len(self.cluster_centers_)), vectors.dtype)
        scaling = self._scaling
        centers = scaling.inside(self.cluster_centers_)
        squares = np.square(centers).sum(axis=1)
        step = rows_at_once(vectors.shape[1], _BLOCK_ROWS)
        for begin in range(0, len(vectors), step):
            with np.errstate(over="ignore", invalid="ignore"):  # which is refused below
                block = (vectors[begin : begin + step] - scaling.origin) * scaling.scale
                product = squares - 2 * (block @ centers.T) + np.square(block).sum(axis=1)[:, None]
                found = np.sqrt(np.maximum(product, 0)) / scaling.scale
                distances[begin : begin + len(block)] = found
        if not np.isfinite(distances).all():
            raise InvalidInputError("X holds values too far away for their type to hold distances")
        return distances

    def score(self, X: npt.ArrayLike, y: object = None) -> float:
        """Return minus the sum of squared distances of vectors to their centres."""
        check_is_fitted(self)
        squares = self._assign(check_rows(self, X, is_first=False))[1]
        return -float(squares.sum(dtype=np.float64)) / self._scaling.scale**2

    @property
    def _n_features_out(self) -> int:
        return len(self.cluster_centers_)

    def _run(
        self, scaling: Scaling, rows: Rows, centers: Doubles, tolerance: float, workers: Workers
    ) -> tuple[Doubles, Labels, list[float], int]:
        """Make Lloyd's rounds; return centres, labels, what each round left, and how many there were."""
        engine = PrunedLloyd(rows, centers, workers)
        engine.assign()
        history, n_iter = [engine.inertia], 0
        while n_iter < self.max_iter:
            workers.watch(Progress("clustering", n_iter, words=f"clustering, round {n_iter + 1}"))
            way = engine.move()
            if way == 0:
                break
            n_iter += 1
            n_changed = engine.assign()
            history.append(engine.inertia)
            if n_changed == 0 or way <= tolerance:
                break
        # What is given out, `predict` will take back: the labels are those of the centres as they are then.
        final = scaling.outside(engine.centers)
        back = scaling.inside(final)
        if not np.array_equal(back, engine.centers):
            engine.put(back)
            engine.assign()
            history[-1] = engine.inertia
        return final, engine.labels, history, n_iter

    def _first_centers(self, rows: Rows, random: np.random.Generator, workers: Workers) -> Doubles:
        if isinstance(self.init, str) and self.init == "random":
            chosen = random.choice(len(rows.values), self.n_clusters, replace=False)
            return rows.values[chosen].astype(np.float64)
        return start(rows, int(self.n_clusters), random, workers)

    def _assign(self, vectors: npt.NDArray[Any]) -> tuple[Labels, Vectors]:
        return assign(vectors, self.cluster_centers_, self._scaling, self.n_jobs)

    def _sample(
        self, batches: Batches, random: np.random.Generator, watch: Watch
    ) -> tuple[npt.NDArray[Any], int]:
        """Return rows taken from all batches with equal chance, and how many rows there are."""
        n, sample, room = 0, None, max(_SAMPLE, _SAMPLE_PER_CENTER * int(self.n_clusters))
        for given in watch.each(batches()):
            batch = check_rows(self, given, is_first=n == 0)
            if sample is None:
                room = min(room, max(_SAMPLE_VALUES // batch.shape[1], 2 * int(self.n_clusters)))
                sample = np.empty((room, batch.shape[1]), batch.dtype)
            n_first = min(max(room - n, 0), len(batch))
            sample[n : n + n_first] = batch[:n_first]
            rest = batch[n_first:]
            # Row number i takes the place of one in the sample with a chance of room in i + 1.
            places = random.integers(0, np.arange(n + n_first, n + len(batch)) + 1)
            kept = places < room
            sample[places[kept]] = rest[kept]
            n += len(batch)
        if sample is None:
            raise InvalidInputError("there are no batches; expected an iterator of (m, d) arrays")
        return sample[:n], n

    def _pass(
        self, batches: Batches, scaling: Scaling, centers: Doubles, labels: Labels, workers: Workers
    ) -> BatchRound:
        """Give all rows to their nearest centres, writing labels."""
        found = BatchRound(np.zeros(centers.shape), np.zeros(len(centers), np.int64))
        done = 0
        for given in batches():
            vectors = check_rows(self, given, is_first=False)
            if done + len(vectors) > len(labels):
                raise InvalidInputError(
                    f"batches hold more rows than before, {len(labels)}; expected the same ones each time"
                )
            rows = Rows.of(scaling.rows(vectors), scaling.lift, workers)
            engine = PrunedLloyd(rows, centers, workers, once=True)
            engine.assign()
            part = slice(done, done + len(vectors))
            found.add(rows.values, labels[part], engine, workers)
            labels[part] = engine.labels
            done += len(vectors)
        if done != len(labels):
            raise InvalidInputError(
                f"batches hold {done} rows, and {len(labels)} before; expected the same ones each time"
            )
        return found

    def _random(self) -> np.random.Generator:
        return np.random.default_rng(check_random(self.random_state).randint(np.iinfo(np.int32).max))

    def _check_count(self, n: int) -> None:
        if self.n_clusters > n:
            raise InvalidInputError(
                f"{shown(self.n_clusters)} clusters cannot be made of n_samples={n} rows; expected n_clusters"
                f" from 1 to {n}"
            )

    def _check_parameters(self) -> None:
        for name, least in (("n_clusters", 1), ("n_init", 1), ("max_iter", 1)):
            value = getattr(self, name)
            if not _is_whole(value) or value < least:
                raise InvalidInputError(
                    f"{name} is {shown(value)}; expected a whole number from {least}", field=name
                )
        if self.n_jobs is not None and (not _is_whole(self.n_jobs) or not 1 <= self.n_jobs <= _MOST_JOBS):
            raise InvalidInputError(
                f"n_jobs is {shown(self.n_jobs)}; expected 1 to {_MOST_JOBS:,}, or None for all cores",
                field="n_jobs",
            )
        is_number = isinstance(self.tol, int | float | np.integer | np.floating)
        if not is_number or isinstance(self.tol, bool) or not 0 <= self.tol <= sys.float_info.max:
            raise InvalidInputError(f"tol is {shown(self.tol)}; expected 0 or more", field="tol")
        if isinstance(self.init, str) and self.init not in ("k-means++", "random"):
            raise InvalidInputError(
                f"init is {shown(self.init)}; expected 'k-means++', 'random' or an array", field="init"
            )

    def _given_centers(self) -> Doubles | None:
        if isinstance(self.init, str):
            return None
        centers = np.array(as_numbers(self.init, "init"), np.float64)
        if centers.shape != (self.n_clusters, self.n_features_in_) or not np.isfinite(centers).all():
            raise InvalidInputError(
                f"init has shape {centers.shape}; expected finite numbers of shape"
                f" ({self.n_clusters}, {self.n_features_in_})"
            )
        return centers

    def _warn_of_empty(self) -> None:
        n_empty = int(np.count_nonzero(self._counts == 0))
        if n_empty:
            warnings.warn(
                f"{n_empty} of {self.n_clusters} clusters are empty: there are no more rows that differ",
                ConvergenceWarning,
                stacklevel=3,
            )


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def assign(
    vectors: npt.NDArray[Any],
    centers: Doubles,
    scaling: Scaling,
    n_jobs: int | None,
    watch: Watch = UNWATCHED,
) -> tuple[Labels, Vectors]:
    """Return the nearest centre of each vector, (n,), and the squared distance as rows see it, (n,)."""
    inside = scaling.inside(centers)
    labels, squares = np.empty(len(vectors), np.int32), np.empty(len(vectors), np.float32)
    with working(n_jobs or usable_cores(), watch) as workers:
        for begin in range(0, len(vectors), _ONCE_ROWS):
            part = slice(begin, begin + _ONCE_ROWS)
            rows = Rows.of(scaling.rows(vectors[part]), scaling.lift, workers)
            engine = PrunedLloyd(rows, inside, workers, once=True)
            engine.assign()
            labels[part], squares[part] = engine.labels, engine.squares
    return labels, squares
