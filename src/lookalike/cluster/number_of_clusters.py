"""Help in choosing the number of clusters: what k-means leaves for each, and how well its clusters are apart.

The distortion falls with every cluster more; where it stops falling fast, a bend, further clusters only cut
through what belongs together. The silhouette of a row is (b - a) / max(a, b), a being its mean distance to
the other rows of its cluster, b to those of the nearest other cluster: 1 is well within, 0 on the border,
below 0 in the wrong one. Its mean is largest for a number of clusters that suits the rows. It takes the
distances of all pairs, so it is measured on a sample.

Neither is a law. In image collections the silhouette is often small everywhere, and falls from the fewest
clusters on: then it says nothing (Kaufman and Rousseeuw read up to 0.25 as "no substantial structure"), and
the bend is suggested instead, the point of the inertia that lies farthest below its chord. The number that is
useful is a person's to say.

References
----------
R. L. Thorndike, "Who Belongs in the Family?", 1953: the bend.
P. J. Rousseeuw, "Silhouettes: A Graphical Aid to the Interpretation and Validation of Cluster Analysis",
1987.
L. Kaufman, P. J. Rousseeuw, "Finding Groups in Data", 1990, table 4 of chapter 2: what a silhouette says.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances, silhouette_score

from lookalike.as_numbers import as_numbers
from lookalike.cluster.kmeans import KMeans
from lookalike.errors import InvalidInputError
from lookalike.system.chance import RANDOM_STATE, check_seed
from lookalike.system.checked_calls import checked, shown
from lookalike.system.progress import CancelToken, Progress, ProgressReport, Watch
from lookalike.system.tables import Columns, Table
from lookalike.system.watching import watching

_SAMPLE = 2_000
_LARGEST = 128
_STEP = 2**0.5
_NO_STRUCTURE = 0.25  # a silhouette that says nothing


@checked
@dataclass(frozen=True, slots=True)
class Choice(Table):
    """What was found for each number of clusters; as a table it has a row each.

    Attributes
    ----------
    ks : tuple of int
        Rising.
    inertias : tuple of float
        The distortion: sums of squared distances.
    silhouettes : tuple of float
        Of the sample, from -1 to 1; NaN where the sample lies in one cluster.
    seconds : tuple of float
        What each took.
    suggested : int
        The k of the largest silhouette; where that is the smallest k, and up to 0.25, `bend`.
    bend : int
        Where the inertia stops falling fast, within the range that was tried.
    n_rows, n_given : int
        How many rows were clustered, and how many there are: more, where a collection was sampled.
    reason : str
        What speaks for the suggestion.
    """

    ks: tuple[int, ...]
    inertias: tuple[float, ...]
    silhouettes: tuple[float, ...]
    seconds: tuple[float, ...]
    suggested: int
    bend: int
    n_rows: int
    n_given: int

    reason: str

    def __repr__(self) -> str:
        return f"<Choice: {self.suggested} clusters suggested, {self.ks[0]} to {self.ks[-1]} tried>"

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON; a silhouette is None where the sample lies in one cluster."""
        columns = {name: list(values) for name, values in self._columns().items()}
        return {
            "images": self.n_given,
            "tried_images": self.n_rows,
            "tried": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)],
            "suggested": self.suggested,
            "reason": self.reason,
        }

    def _columns(self) -> Columns:
        return {
            "k": list(self.ks),
            "inertia": list(self.inertias),
            "silhouette": [None if value != value else round(value, 6) for value in self.silhouettes],  # NaN
            "seconds": [round(seconds, 3) for seconds in self.seconds],
        }

    def __str__(self) -> str:
        lines = ["     k     inertia  silhouette"]
        for k, inertia, silhouette in zip(self.ks, self.inertias, self.silhouettes, strict=True):
            mark = f"  suggested: {self.reason}" if k == self.suggested else ""
            lines.append(f"{k:6}  {inertia:10.4g}  {silhouette:10.3f}{mark}")
        return "\n".join(lines)


@checked
def choose_k(
    X: npt.ArrayLike,
    ks: Iterable[int] | None = None,
    *,
    n_sample: int = _SAMPLE,
    random_state: int = RANDOM_STATE,
    n_jobs: int | None = None,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> Choice:
    """Cluster vectors into several numbers of clusters, and say how good each is.

    Parameters
    ----------
    X : (n, d) array-like
    ks : iterable of int, optional
        Numbers from 2 to n - 1; by default 2, 3, 4, 6, 8, 11, 16 … up to twice the root of half the rows,
        and at most 128.
    n_sample : int
        Rows that silhouettes are measured on.
    random_state : int
    n_jobs : int, optional
        Threads; all cores by default.
    report, cancel : optional
        Who is told how far it has come, and may stop it; see `Collection.sync`.

    Raises
    ------
    InvalidInputError
        If there are fewer than 3 rows, a number is out of range, or a value is not finite.

    Examples
    --------
    >>> rows = [[0, 0], [0, 1], [9, 0], [9, 1], [0, 50], [1, 50]]
    >>> print(choose_k(rows, [2, 3, 4]))
         k     inertia  silhouette
         2        82.5       0.908
         3         1.5       0.919  suggested: largest silhouette
         4           1       0.623
    """
    rows = as_numbers(X, "X")
    n = len(rows) if rows.ndim else 0
    if n < 3:
        raise InvalidInputError(f"there are {n} rows; expected 3 or more, to choose a number of clusters")
    if n_sample < 3:
        raise InvalidInputError(f"n_sample is {shown(n_sample)}; expected 3 or more", field="n_sample")
    wanted: list[Any] = sorted(set(_usual(n) if ks is None else ks))
    for k in wanted:
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 2 <= k < n:
            raise InvalidInputError(
                f"k is {shown(k)}; expected whole numbers from 2 to {n - 1}, one less than the rows"
            )
    if not wanted:
        raise InvalidInputError("there is no k to try; expected whole numbers from 2")
    chosen = np.sort(
        np.random.default_rng(check_seed(random_state)).choice(n, min(n, n_sample), replace=False)
    )
    inertias, silhouettes, seconds = [], [], []
    with watching(report, cancel) as watch:
        for found in _try_each(rows, wanted, chosen, (random_state, n_jobs), watch):
            inertias.append(found[0])
            silhouettes.append(found[1])
            seconds.append(found[2])
    bend = int(wanted[_find_bend(wanted, inertias)])
    values = np.nan_to_num(silhouettes, nan=-1)
    best = int(values.argmax())
    is_told = values[best] > (0 if best else _NO_STRUCTURE)
    return Choice(
        ks=tuple(map(int, wanted)),
        inertias=tuple(inertias),
        silhouettes=tuple(silhouettes),
        seconds=tuple(seconds),
        suggested=int(wanted[best]) if is_told else bend,
        bend=bend,
        n_rows=n,
        n_given=n,
        reason="largest silhouette" if is_told else "bend of the inertia",
    )


def _try_each(
    rows: npt.NDArray[Any],
    ks: Sequence[int],
    chosen: npt.NDArray[np.int64],
    run: tuple[int, int | None],
    watch: Watch,
) -> Iterator[tuple[float, float, float]]:
    """Yield inertia, silhouette of the chosen rows, and seconds of each k; `run` is seed and threads."""
    random_state, n_jobs = run
    distances = None
    for number, k in enumerate(ks):
        watch(Progress("trying", number, len(ks), f"trying {k} clusters"))
        started = time.perf_counter()
        model = KMeans(int(k), random_state=random_state, n_jobs=n_jobs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the table shows what more clusters bring
            labels = model.fit(rows, **watch.quiet().told).labels_[chosen]
        seconds = time.perf_counter() - started
        if distances is None:  # now the rows are known to be finite
            distances = pairwise_distances(rows[chosen])
        watch.check()
        can_tell = 2 <= len(np.unique(labels)) < len(chosen)
        yield (
            model.inertia_,
            float(silhouette_score(distances, labels, metric="precomputed")) if can_tell else float("nan"),
            seconds,
        )


def _find_bend(ks: Sequence[int], inertias: Sequence[float]) -> int:
    """Return where a falling curve is farthest below its chord.

    >>> _find_bend([2, 4, 8, 16], [100, 40, 30, 20])
    1
    """
    chord = np.interp(ks, [ks[0], ks[-1]], [inertias[0], inertias[-1]])
    return int(np.argmax(chord - inertias))


def _usual(n: int) -> list[int]:
    """Return numbers that grow by the root of 2.

    >>> _usual(5), _usual(600)
    ([2, 3, 4], [2, 3, 4, 6, 8, 11, 16, 23, 32])
    """
    most = min(max(4, round((2 * n) ** 0.5)), _LARGEST, n - 1)
    return sorted({round(2 * _STEP**step) for step in range(20)} & set(range(2, most + 1)))
