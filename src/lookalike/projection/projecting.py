"""The two calls: make a map, and place new vectors on it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError
from lookalike.index.contract import METRICS, check_vectors
from lookalike.projection.contract import Projection, ProjectionRequest
from lookalike.projection.methods import DEFAULT_METHOD, get_method
from lookalike.system.chance import RANDOM_STATE, check_seed
from lookalike.system.checked_calls import checked, shown
from lookalike.system.on_demand import load
from lookalike.system.progress import CancelToken, ProgressReport
from lookalike.system.watching import watching
from lookalike.types import Metric, Vectors


@checked
def project(
    vectors: npt.ArrayLike,
    method: str = DEFAULT_METHOD,
    *,
    metric: Metric = "euclidean",
    perplexity: float | None = None,
    random_state: int = RANDOM_STATE,
    n_jobs: int | None = None,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> Projection:
    """Make a map: a point in the plane for each vector, near each other where the vectors are.

    Parameters
    ----------
    vectors : (n, d) array-like
        From one vector on.
    method : str
        A row of `methods.MAP_METHODS`: tsne, pca, …. UMAP needs the extra ``umap``.
    metric : {"euclidean", "cosine"}
    perplexity : float, optional
        Of t-SNE: about how many neighbours count as near. 30 by default, and (n - 1) / 3 at most: more is
        lowered.
    random_state : int
        The same vectors and number give the same map.
    n_jobs : int, optional
        Threads that arrange the points of t-SNE; all cores by default. The map does not depend on it.
    report, cancel : optional
        Who is told how far it has come, and may stop it; see `Collection.sync`.

    Returns
    -------
    Projection

    Raises
    ------
    InvalidInputError
        For vectors or parameters that no call can accept, or if UMAP is not installed.

    Examples
    --------
    >>> found = project([[0.0, 0, 0], [1, 1, 0], [2, 2, 0.1]], "pca")
    >>> found.points.shape, found.method
    ((3, 2), 'pca')
    """
    row = get_method(method)
    rows = _check(vectors, metric)
    if not len(rows):
        raise InvalidInputError("there are no vectors; expected at least one, to make a map of")
    if perplexity is not None and not (isinstance(perplexity, int | float) and 0 < perplexity < np.inf):
        raise InvalidInputError(
            f"perplexity is {shown(perplexity)}; expected a number above 0", field="perplexity"
        )
    random_state = check_seed(random_state)
    if n_jobs is not None and (not isinstance(n_jobs, int) or n_jobs < 1):
        raise InvalidInputError(
            f"n_jobs is {shown(n_jobs)}; expected 1 or more, or None for all cores", field="n_jobs"
        )
    with watching(report, cancel) as watch:
        request = ProjectionRequest(metric, perplexity, random_state, n_jobs, watch)
        found: Projection = load(row.project)(rows, request)
    return found


@checked
def place(
    new_vectors: npt.ArrayLike,
    vectors: npt.ArrayLike,
    projection: Projection,
    *,
    metric: Metric = "euclidean",
    random_state: int = RANDOM_STATE,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> Vectors:
    """Place new vectors on a map; the old points stay, and each new one is placed as if it were alone.

    A copy of an old vector gets its point.

    Parameters
    ----------
    new_vectors : (m, d) array-like
    vectors : (n, d) array-like
        Those that the map was made of, in the same order.
    projection : Projection
    metric : {"euclidean", "cosine"}
        As the map was made.
    random_state : int
        Without effect: no method leaves anything to chance here.
    report, cancel : optional
        Who is told how far it has come, and may stop it; see `Collection.sync`.

    Returns
    -------
    (m, 2) float32

    Raises
    ------
    InvalidInputError
        For vectors that are not those of the map, or of another dimension.
    """
    rows = _check(vectors, metric)
    new_rows = _check(new_vectors, metric, rows.shape[1])
    if len(rows) != len(projection.points):
        raise InvalidInputError(
            f"there are {len(rows)} vectors, and {len(projection.points)} points on the map;"
            " expected the vectors that it was made of"
        )
    with watching(report, cancel) as watch:
        placer = load(get_method(projection.method).place)
        placed: Vectors = placer(new_rows, rows, projection, metric, watch)
    return placed


def _check(vectors: npt.ArrayLike, metric: Metric, dimension: int | None = None) -> Vectors:
    if metric not in METRICS:
        raise InvalidInputError(
            f"metric is {shown(metric)}; expected one of {', '.join(METRICS)}", field="metric"
        )
    return check_vectors(vectors, metric, dimension)
