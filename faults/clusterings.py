"""Clusterings and measures of ours beside scikit-learn's, in configurations drawn at random.

Small data of every unpleasant kind: copies, parallel rows, lattices where all is tied, one dimension and
many, float32 and float64, rows far from the origin. Where the two differ, it has to be a tie, decided so:

- k-means, from the same centres: after as many rounds the inertia is the same. Where it is not, some row on
  the way had two centres equally near, to one part in a million; that is looked for in the rounds themselves.
- DBSCAN: core images are the same, and so are their clusters. A border image may be given to any cluster that
  has a core image within eps. Where a distance is eps to one part in a million, the configuration is drawn
  again: both are right then.
- HDBSCAN and single linkage: the weights of the spanning trees are the same, sorted; where two weights are
  alike, trees may differ, and labels with them. Labels are compared where no two weights are.
- agglomerative and spectral: from the same graph; where all pairwise distances differ, the labels are the
  same but for their numbers.
- measures, PCA and neighbours: numbers to one part in a thousand or ten thousand, as said beside them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from faults.report import Asked, Report

TRIED = 480  # configurations at share 1
_TIE = 1e-6
_STARTS = 50  # of k-means in both spectral clusterings: with few, either may end in the worse of two

Rows = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Data:
    """Rows that were drawn, and how."""

    words: str
    rows: Rows

    @property
    def has_ties(self) -> bool:
        """Whether two of all distances between rows are the same, to rounding."""
        return _are_tied(_distances(self.rows, "euclidean"))


def main(options: Sequence[str]) -> int:
    """Run the campaign."""
    report = Report("clusterings", Asked.read("clusterings", options))
    compare(report)
    return report.end()


def compare(report: Report) -> None:
    """Try configurations, and write to the report what no tie explains."""
    chance = np.random.default_rng(report.asked.seed)
    ties: dict[str, int] = {}
    for number in range(report.asked.of(TRIED)):
        kind = list(KINDS)[number % len(KINDS)]
        data = draw(chance)
        words = f"{kind} of {data.words}"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # scikit-learn's; ours are those of `absurd_calls`
                found = KINDS[kind](data, chance)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        report.counts[kind] += 1
        if found.startswith("tie"):
            ties[kind] = ties.get(kind, 0) + 1
        elif found:
            report.faults.append(f"{words} (configuration {number}, seed {report.asked.seed}): {found}")
    report.figures["decided_by_ties"] = dict(sorted(ties.items()))


def draw(chance: np.random.Generator) -> Data:
    """Return rows of a kind that is unpleasant in some way."""
    n, d = int(chance.integers(4, 60)), int(chance.choice([1, 2, 3, 8, 50]))
    kind = chance.choice(
        ["noise", "groups", "lattice", "whole", "copies", "far", "small", "long", "parallel"]
    )
    rows = chance.normal(size=(n, d))
    if kind == "groups":
        rows += 8 * chance.normal(size=(4, d))[chance.integers(0, 4, n)]
    elif kind == "lattice":
        rows = chance.integers(0, 3, (n, d)).astype(float)
    elif kind == "whole":
        rows = chance.integers(-200, 200, (n, d)).astype(float)
    elif kind == "copies":
        rows = rows[chance.integers(0, max(2, n // 3), n)]
    elif kind == "far":
        rows += 1_000
    elif kind == "parallel":
        rows = rows[chance.integers(0, min(3, n), n)] * chance.uniform(0.5, 2, (n, 1))
    elif kind == "small":
        rows *= 1e-6
    elif kind == "long":
        rows *= 10 ** chance.uniform(-3, 3, (n, 1))
    if not (rows != rows[0]).any():
        rows[0] += 1
    rows[~rows.any(axis=1)] = 1  # which have no cosine
    dtype = chance.choice([np.float32, np.float64])
    return Data(f"{kind}, {n} × {d}, {np.dtype(dtype).name}", rows.astype(dtype))


def kmeans(data: Data, chance: np.random.Generator) -> str:
    """Compare k-means from the same centres, round by round."""
    from sklearn import cluster

    from lookalike.cluster import KMeans

    rows = data.rows.astype(np.float64)
    k = int(chance.integers(1, min(8, len(rows)) + 1))
    init = rows[chance.choice(len(rows), k, replace=False)] + 1e-3 * rows.std() * chance.normal(size=(k, 1))
    rounds = int(chance.integers(1, 12))
    ours = KMeans(k, init=init, max_iter=rounds, tol=0).fit(rows)
    theirs = cluster.KMeans(k, init=init, n_init=1, max_iter=rounds, tol=0, algorithm="lloyd").fit(rows)
    scale = float(np.square(rows - rows.mean(axis=0)).sum()) + 1e-300
    if abs(ours.inertia_ - theirs.inertia_) <= 1e-5 * max(theirs.inertia_, 1e-6 * scale):
        return ""
    return (
        _tied_or_empty(rows, init, rounds) or f"inertia {ours.inertia_:.9g} and {theirs.inertia_:.9g}, k {k}"
    )


def _tied_or_empty(rows: Rows, centers: Rows, rounds: int) -> str:
    """Return "tie" if a row has two nearest centres within the rounds, or a centre has no row."""
    for _ in range(rounds + 1):
        squares = np.square(rows[:, None] - centers[None]).sum(axis=2)
        ordered = np.sort(squares, axis=1)
        labels = squares.argmin(axis=1)
        if len(centers) > 1 and (ordered[:, 1] - ordered[:, 0] <= _TIE * (ordered[:, 1] + 1e-300)).any():
            return "tie: two centres as near"
        if len(np.unique(labels)) < len(centers):
            return "tie: a centre without rows"
        centers = np.array([rows[labels == label].mean(axis=0) for label in range(len(centers))])
    return ""


def dbscan(data: Data, chance: np.random.Generator) -> str:
    """Compare DBSCAN: core images, their clusters, and where border images went."""
    from sklearn import cluster

    from lookalike.cluster import DBSCAN

    metric = str(chance.choice(["euclidean", "cosine"]))
    distances = _distances(data.rows, metric)
    apart = distances[np.triu_indices(len(distances), 1)]
    rising = np.unique(apart.round(9))
    at = int(chance.uniform(0.02, 0.5) * len(rising))  # between two distances, where that can be
    eps = float(rising[at : at + 2].mean()) * 1.000001 + 1e-9
    is_tied = bool((np.abs(apart - eps) <= 1e-4 * eps + 1e-7).any())
    least = int(chance.integers(1, min(8, len(data.rows)) + 1))
    ours = DBSCAN(eps, least, metric).fit(data.rows)
    theirs = cluster.DBSCAN(eps=eps, min_samples=least, metric="precomputed").fit(distances)
    core = theirs.core_sample_indices_
    if not np.array_equal(ours.core_sample_indices_, core):
        return (
            _tie(is_tied, "a distance is eps")
            or f"other core images, eps {eps:g}, min_samples {least}, {metric}"
        )
    if not _same_groups(ours.labels_[core], theirs.labels_[core]):
        return (
            _tie(is_tied, "a distance is eps")
            or f"other clusters of core images, eps {eps:g}, min_samples {least}, {metric}"
        )
    for row in np.setdiff1d(np.arange(len(data.rows)), core):
        near = set(ours.labels_[core[distances[row, core] <= eps]].tolist())
        if (ours.labels_[row] == -1) != (not near) or (near and ours.labels_[row] not in near):
            return (
                _tie(is_tied, "a distance is eps")
                or f"border image {row} in {ours.labels_[row]}, not in {near}"
            )
    return ""


def hdbscan(data: Data, chance: np.random.Generator) -> str:
    """Compare HDBSCAN; without ties, labels and probabilities."""
    from sklearn import cluster

    from lookalike.cluster import HDBSCAN
    from lookalike.errors import InvalidInputError

    n = len(data.rows)
    metric = str(chance.choice(["euclidean", "cosine"]))
    size = int(chance.integers(2, max(3, n // 3)))
    least = int(chance.integers(1, max(2, min(8, n - 1))))
    method = str(chance.choice(["eom", "leaf"]))
    distances = _distances(data.rows, metric)
    try:
        ours = HDBSCAN(size, least, metric, method).fit(data.rows)
    except InvalidInputError as error:  # a refusal is right where nothing tells the rows apart
        return "" if float(distances.max()) <= 1e-6 else f"refused: {error}"
    if (
        not np.isfinite(ours.probabilities_).all()
        or not ((ours.probabilities_ > 0) >= (ours.labels_ >= 0)).all()
    ):
        return "probabilities that are none"
    reach = _reachability(distances, least)
    weights = _tree_weights(reach)
    mine = np.sort(_our_tree_weights(data.rows, least, metric))
    if not np.allclose(mine, weights, 1e-3, 1e-6 + 1e-4 * float(distances.max())):
        return f"another spanning tree: {mine[:3]} and {weights[:3]}, min_samples {least}, {metric}"
    is_tied = bool((np.diff(weights) <= 1e-5 * weights[1:] + 1e-7).any() or weights[0] <= 1e-7)
    theirs = cluster.HDBSCAN(
        min_cluster_size=size,
        min_samples=least,
        metric="precomputed",
        cluster_selection_method=method,
        copy=True,
    ).fit(distances)
    if not _same_groups(ours.labels_, theirs.labels_):
        return (
            _tie(is_tied, "two edges of one weight")
            or f"other clusters: {ours.labels_.tolist()} and {theirs.labels_.tolist()}, {metric}, {size}"
        )
    return ""


def agglomerative(data: Data, chance: np.random.Generator) -> str:
    """Compare agglomerative clustering on the complete graph with scikit-learn's without one."""
    from sklearn import cluster

    from lookalike.cluster import AgglomerativeClustering

    rows = data.rows.astype(np.float64)
    n = len(rows)
    k, linkage = (
        int(chance.integers(1, min(8, n) + 1)),
        str(chance.choice(["ward", "complete", "average", "single"])),
    )
    ours = AgglomerativeClustering(k, linkage, n - 1).fit(data.rows)
    if len(np.unique(ours.labels_)) != k:
        return f"{len(np.unique(ours.labels_))} clusters in place of {k}"
    theirs = cluster.AgglomerativeClustering(n_clusters=k, linkage=linkage).fit(rows)
    if _same_groups(ours.labels_, theirs.labels_):
        return ""
    return "tie: two distances the same" if data.has_ties else f"other clusters, {linkage}, k {k}"


def spectral(data: Data, chance: np.random.Generator) -> str:
    """Compare spectral clustering: as many clusters, and the cut of a connected graph as small as theirs."""
    from sklearn import cluster
    from sklearn.neighbors import kneighbors_graph

    from lookalike.cluster import SpectralClustering

    rows = data.rows.astype(np.float64)
    n = len(rows)
    k = int(chance.integers(1, min(5, n - 1) + 1))
    near = int(chance.integers(2, min(12, n) + 1))
    ours = SpectralClustering(k, near, n_init=_STARTS, random_state=1).fit(data.rows)
    if not np.isfinite(ours.embedding_).all():
        return "an embedding with NaN"
    graph = kneighbors_graph(rows, near, include_self=True)
    links = (graph + graph.T) / 2
    from scipy.sparse.csgraph import connected_components

    if connected_components(links)[0] > 1:
        return "tie: the graph is not connected, and ours is joined"
    values = np.linalg.eigvalsh(_normalized(links.toarray()))[::-1]
    theirs = cluster.SpectralClustering(
        n_clusters=k, affinity="precomputed", random_state=1, n_init=_STARTS, assign_labels="kmeans"
    ).fit(links.toarray())
    if _same_groups(ours.labels_, theirs.labels_):
        return ""
    if data.has_ties:
        return "tie: two neighbours as near"
    if k < n and values[k - 1] - values[k] < 1e-3:
        return "tie: two eigenvalues the same"
    a, b = (_scatter(ours.embedding_, labels) for labels in (ours.labels_, theirs.labels_))
    return (
        "tie: two k-means of the embedding" if a <= b * 1.05 + 1e-9 else f"a worse k-means: {a:.4g}, {b:.4g}"
    )


def measures(data: Data, chance: np.random.Generator) -> str:
    """Compare silhouette, Rand index, mutual information and purity with scikit-learn's; to 1e-6."""
    from sklearn import metrics

    from lookalike.evaluate import compare_with_labels, silhouette

    rows = data.rows.astype(np.float64)
    n = len(rows)
    a, b = (chance.integers(0, int(chance.integers(1, 6)), n) for _ in range(2))
    found = compare_with_labels(a, b)
    table = metrics.cluster.contingency_matrix(b, a)
    expected = (
        metrics.normalized_mutual_info_score(b, a), metrics.adjusted_rand_score(b, a),
        table.max(axis=0).sum() / n,
    )  # fmt: skip
    if not np.allclose([found.nmi, found.ari, found.purity], expected, 1e-9, 1e-9):
        return f"{found} and {expected}"
    if 2 <= len(np.unique(a)) < n:
        metric = str(chance.choice(["euclidean", "cosine"]))
        ours, theirs = silhouette(rows, a, metric, n), metrics.silhouette_score(rows, a, metric=metric)
        if abs(ours - theirs) > 1e-6:
            return f"silhouette {ours} and {theirs}, {metric}"
    return ""


def pca(data: Data, chance: np.random.Generator) -> str:
    """Compare principal components: variances to 1e-4 of the largest, and what is left of rows put back."""
    from sklearn import decomposition

    from lookalike.pca import PCA

    rows = data.rows.astype(np.float64)
    most = min(len(rows) - 1, rows.shape[1])
    m = int(chance.integers(1, most + 1))
    ours, theirs = PCA(m).fit(rows), decomposition.PCA(m, svd_solver="full").fit(rows)
    largest = theirs.explained_variance_[0]
    if not np.allclose(ours.explained_variance_, theirs.explained_variance_, 1e-6, 1e-7 * largest):
        return f"variances {ours.explained_variance_[:3]} and {theirs.explained_variance_[:3]}"
    left = [np.linalg.norm(rows - made) for made in (
        ours.inverse_transform(ours.transform(rows)), theirs.inverse_transform(theirs.transform(rows))
    )]  # fmt: skip
    if abs(left[0] - left[1]) > 1e-4 * left[1] + 1e-5 * np.linalg.norm(rows):
        return f"rows put back miss by {left}"
    return ""


def neighbors(data: Data, chance: np.random.Generator) -> str:
    """Compare a neighbour graph, and all kinds of index, with distances measured one by one, to 1e-4."""
    from lookalike.index import Exact, KDTree, KMeansTree, neighbor_graph

    n = len(data.rows)
    metric = str(chance.choice(["euclidean", "cosine"]))
    k = int(chance.integers(1, n))
    distances = _distances(data.rows, metric)
    allowed = np.sort(chance.choice(n, int(chance.integers(1, n + 1)), replace=False))
    np.fill_diagonal(distances, np.inf)
    graph = neighbor_graph(data.rows, k, metric).toarray()
    there = np.sort(distances, axis=1)[:, :k]
    loose = 1e-4 * float(distances[np.isfinite(distances)].max()) + 1e-6
    found = np.sort(np.where(graph != 0, graph, np.inf), axis=1)[:, :k]
    found[~np.isfinite(found)] = 0  # copies, whose edges are 0
    if not np.allclose(
        np.sort(found, axis=1), np.where(there <= loose, np.sort(found, axis=1), there), 1e-3, loose
    ):
        return f"other neighbours, k {k}, {metric}"
    np.fill_diagonal(distances, 0)
    kind: Any = [Exact, KDTree, KMeansTree][int(chance.integers(3))]
    index = kind(metric).build(data.rows)
    hits = index.search(data.rows, len(allowed), 1.0, allowed=allowed)
    expected = np.sort(distances[:, allowed], axis=1)
    if not np.allclose(hits.distances, expected, 1e-3, loose):
        return f"{kind.__name__}: other distances, {metric}"
    measured = np.take_along_axis(distances, hits.ids, axis=1)
    if not np.allclose(measured, hits.distances, 1e-3, loose) or not np.isin(hits.ids, allowed).all():
        return f"{kind.__name__}: ids that are not at their distances, {metric}"
    return ""


KINDS: dict[str, Callable[[Data, np.random.Generator], str]] = {
    "k-means": kmeans,
    "DBSCAN": dbscan,
    "HDBSCAN": hdbscan,
    "agglomerative": agglomerative,
    "spectral": spectral,
    "measures": measures,
    "PCA": pca,
    "neighbours": neighbors,
}
"""What is compared."""


def _distances(rows: Rows, metric: str) -> npt.NDArray[np.float64]:
    """Return all distances, each measured by itself."""
    exact = rows.astype(np.float32).astype(np.float64)
    if metric == "cosine":
        exact = exact / np.linalg.norm(exact, axis=1, keepdims=True)
    squares = np.square(exact[:, None] - exact[None]).sum(axis=2)
    return squares / 2 if metric == "cosine" else np.sqrt(squares)


def _are_tied(distances: npt.NDArray[np.float64]) -> bool:
    apart = np.sort(distances[np.triu_indices(len(distances), 1)])
    return bool((np.diff(apart) <= _TIE * apart[1:]).any())


def _tie(is_tied: bool, words: str) -> str:
    return f"tie: {words}" if is_tied else ""


def _same_groups(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    """Tell whether two labelings are the same but for the numbers; -1 is noise in both."""
    if not np.array_equal(a == -1, b == -1):
        return False
    pairs = {(int(x), int(y)) for x, y in zip(a, b, strict=True)}
    return len(pairs) == len({x for x, _ in pairs}) == len({y for _, y in pairs})


def _reachability(distances: npt.NDArray[np.float64], least: int) -> npt.NDArray[np.float64]:
    cores = np.sort(distances, axis=1)[:, least - 1]
    return np.maximum(distances, np.maximum(cores[:, None], cores[None]))


def _tree_weights(distances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the weights of the minimum spanning tree, rising, by Prim's algorithm."""
    nearest, is_out = distances[0].copy(), np.ones(len(distances), bool)
    is_out[0], weights = False, []
    for _ in range(len(distances) - 1):
        row = int(np.where(is_out, nearest, np.inf).argmin())
        weights.append(nearest[row])
        is_out[row] = False
        nearest = np.minimum(nearest, distances[row])
    return np.sort(weights)


def _our_tree_weights(rows: Rows, least: int, metric: Any) -> npt.NDArray[np.float32]:
    from lookalike.cluster.density import _reachability
    from lookalike.index.contract import check_vectors
    from lookalike.system.progress import UNWATCHED

    return _reachability(check_vectors(rows, metric), least, metric, 1.0, UNWATCHED)[1].weights


def _normalized(links: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    root = np.sqrt(links.sum(axis=1))
    return links / root[:, None] / root[None]


def _scatter(points: npt.NDArray[np.float64], labels: npt.NDArray[Any]) -> float:
    return sum(
        float(np.square(points[labels == label] - points[labels == label].mean(axis=0)).sum())
        for label in np.unique(labels)
    )
