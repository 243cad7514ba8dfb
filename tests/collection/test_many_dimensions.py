"""Few images of very many dimensions: right, without a matrix of dimensions by dimensions."""

import tracemalloc

import numpy as np
import pytest

from lookalike import cluster, evaluate, pca
from lookalike.cluster import kmeans
from lookalike.errors import TooLittleMemoryError
from lookalike.evaluate.clusterings import silhouette
from lookalike.index import Exact, KDTree, KMeansTree
from lookalike.index.graph import radius_graph
from lookalike.pca import PCA, principal_axes
from lookalike.projection import place, project
from lookalike.system import memory

N, D = 14, 12_000
SQUARE = 8 * D * D  # what a matrix of dimensions by dimensions would take: 1.2 GB
OWN_KINDS = {kind.kind: kind for kind in (Exact, KDTree, KMeansTree)}


def long_rows(n=N, d=D, seed=0):
    """Two groups."""
    found = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    found[n // 2 :] += 0.5
    return found


def degenerate(kind, n=N, d=D):
    found = long_rows(n, d)
    if kind == "duplicates":
        found[::2] = found[0]
    elif kind == "one direction":
        found = np.outer(np.arange(n), found[0]).astype(np.float32)
    elif kind == "far from the origin":
        found = found / 1_000 + 100
    return found


DEGENERATE = ["plain", "duplicates", "one direction", "far from the origin"]

USES = {
    **{kind: lambda X, kind=kind: OWN_KINDS[kind]("euclidean").build(X).search(X, 3) for kind in OWN_KINDS},
    "PCA": lambda X: PCA(3).fit_transform(X),
    "KMeans": lambda X: cluster.KMeans(2).fit(X),
    "HierarchicalKMeans": lambda X: cluster.HierarchicalKMeans(2).fit(X),
    "DBSCAN": lambda X: cluster.DBSCAN(eps=150).fit(X),
    "HDBSCAN": lambda X: cluster.HDBSCAN(2).fit(X),
    "SpectralClustering": lambda X: cluster.SpectralClustering(2, n_neighbors=4).fit(X),
    "AgglomerativeClustering": lambda X: cluster.AgglomerativeClustering(2, n_neighbors=3).fit(X),
    "suggest_eps": lambda X: cluster.suggest_eps(X, 2),
    "choose_k": lambda X: cluster.choose_k(X, [2, 3]),
    "silhouette": lambda X: silhouette(X, np.arange(len(X)) % 2),
    "t-SNE": lambda X: place(X[:2] + 1, X, project(X)),
    "the map by PCA": lambda X: place(X[:2] + 1, X, project(X, "pca"), metric="euclidean"),
    "rank_others": lambda X: evaluate.rank_others(X, np.arange(len(X)) % 2, [1], metric="euclidean"),
}


@pytest.mark.parametrize("name", USES)
def test_nothing_takes_the_square_of_the_dimensions(name):
    rows = long_rows()
    USES[name](rows)  # what is compiled and imported does not count
    tracemalloc.start()
    USES[name](rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < SQUARE / 10  # 71 MB at most when this was written


def test_the_sample_of_batches_is_bounded_in_numbers_too():
    rows = long_rows()
    tracemalloc.start()
    cluster.KMeans(2).fit_batches(lambda: [rows])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * kmeans._SAMPLE_VALUES * 1.2  # 65,536 rows would be 3 GB


@pytest.mark.parametrize("kind", OWN_KINDS)
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("data", DEGENERATE)
def test_every_index_answers_as_exact_search_does(kind, metric, data):
    rows = degenerate(data)
    if metric == "cosine":
        rows = rows[rows.any(axis=1)]
    queries = np.concatenate([rows, long_rows(3, seed=1)])
    truth = Exact(metric).build(rows).search(queries, 5)
    index = OWN_KINDS[kind](metric).build(rows)
    found = index.search(queries, 5, recall=1.0)
    np.testing.assert_array_equal(found.ids, truth.ids)
    np.testing.assert_array_equal(found.distances, truth.distances)
    # Rows that come later lie outside of all axes.
    index.add(np.arange(100, 103), queries[-3:])
    truth = Exact(metric).build(np.concatenate([rows, queries[-3:]])).search(queries, 5)
    found = index.search(queries, 5, recall=1.0)
    np.testing.assert_array_equal(found.distances, truth.distances)


@pytest.mark.parametrize("data", DEGENERATE)
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_pairs_within_a_distance_are_those_of_exact_search(data, metric):
    rows = degenerate(data)
    rows = rows[rows.any(axis=1)]
    distances = Exact(metric).build(rows).search(rows, len(rows)).distances
    r = float(np.median(distances))
    graph = radius_graph(rows, r, metric)
    expected = Exact(metric).build(rows).radius(rows, r)
    np.testing.assert_array_equal(np.diff(graph.indptr) + 1, np.diff(expected.indptr))


@pytest.mark.parametrize("n_components", [1, 5, N - 1, 0.5, 0.95])
@pytest.mark.parametrize("data", ["plain", "duplicates"])
def test_components_of_few_long_rows_are_those_of_scikit_learn(n_components, data):
    from sklearn import decomposition

    rows = degenerate(data, d=400)
    rank = np.linalg.matrix_rank(rows - rows.mean(axis=0))
    ours = PCA(n_components).fit(rows)
    reference = decomposition.PCA(n_components, svd_solver="full").fit(rows.astype(np.float64))
    assert ours.n_components_ == reference.n_components_
    np.testing.assert_allclose(ours.explained_variance_, reference.explained_variance_, rtol=1e-9, atol=1e-12)
    known = min(ours.n_components_, rank)
    agreement = np.abs((ours.components_ * reference.components_).sum(axis=1))[:known]
    np.testing.assert_allclose(agreement, 1, atol=1e-9)
    np.testing.assert_allclose(ours.components_ @ ours.components_.T, np.eye(ours.n_components_), atol=1e-12)
    assert len(ours.shares_) == N - 1
    assert ours.shares_.sum() == pytest.approx(1)


@pytest.mark.parametrize("n_components", [3, 0.9])
@pytest.mark.parametrize("shape", [(90, 60), (60, 90)])
def test_where_both_are_large_as_many_axes_as_are_kept_are_found_by_iteration(
    monkeypatch, shape, n_components
):
    random = np.random.default_rng(0)
    rows = random.normal(size=shape) * np.geomspace(1, 1e-3, shape[1]) + 5
    exact = PCA(n_components).fit(rows)
    monkeypatch.setattr(pca, "_MOST_EXACT", 10)
    found = PCA(n_components).fit(rows)
    assert found.n_components_ == exact.n_components_
    np.testing.assert_allclose(found.explained_variance_ratio_, exact.explained_variance_ratio_, rtol=1e-6)
    np.testing.assert_allclose(found.components_, exact.components_, atol=1e-3)


@pytest.mark.parametrize("data", [*DEGENERATE, "constant"])
@pytest.mark.parametrize("shape", [(5, 300), (40, 300), (200, 300), (300, 40)])
def test_axes_are_orthonormal_whatever_the_rank(data, shape):
    rows = degenerate(data, *shape).astype(np.float64)
    if data == "constant":
        rows[:] = rows[0]
    axes = principal_axes(rows - rows.mean(axis=0), 64, np.random.default_rng(0))
    assert axes.shape[1] <= 64
    np.testing.assert_allclose(axes.T @ axes, np.eye(axes.shape[1]), atol=1e-12)


def test_blocks_of_long_rows_give_what_one_block_gives(monkeypatch):
    rows = long_rows(d=1_000)
    rows[N // 2 :] += 5
    whole = PCA(3).fit(rows)
    monkeypatch.setattr(memory, "_BLOCK_VALUES", 3_000)
    np.testing.assert_allclose(PCA(3).fit(rows).components_, whole.components_, atol=1e-9)
    np.testing.assert_allclose(PCA(3).fit_transform(rows), whole.transform(rows), atol=1e-4)
    truth = Exact("euclidean").build(rows).search(rows, 3)
    for kind in OWN_KINDS:
        found = OWN_KINDS[kind]("euclidean").build(rows).search(rows, 3, recall=1.0)
        np.testing.assert_array_equal(found.ids, truth.ids)
    labels = cluster.KMeans(2).fit_batches(lambda: [rows[:7], rows[7:]]).labels_
    assert len(set(labels[: N // 2])) == len(set(labels[N // 2 :])) == 1


@pytest.mark.parametrize("name", ["PCA", "kdtree", "kmeans-tree", "silhouette"])
def test_too_little_memory_is_known_before_it_is_taken(monkeypatch, name):
    monkeypatch.setattr(memory, "_ALWAYS", 0)
    monkeypatch.setattr(memory, "_most_memory", lambda: 1_000)
    with pytest.raises(TooLittleMemoryError, match=r"needs about .* GiB of memory, and 0\.0 GiB are free\n"):
        USES[name](long_rows())
