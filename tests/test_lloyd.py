"""The k-means kernel."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from lookalike import lloyd


def blobs(n, d, k, seed=0):
    random = np.random.default_rng(seed)
    centres = 20 * random.standard_normal((k, d))
    return (centres[np.arange(n) % k] + random.standard_normal((n, d))).astype(np.float32)


def inertia(rows, centroids):
    return float((cdist(rows, centroids, "sqeuclidean").min(axis=1)).sum())


def test_four_points_by_hand():
    rows = np.array([[0, 0], [0, 2], [10, 0], [10, 2]], np.float32)
    centroids = np.array([[1, 1], [9, 1]], np.float32)
    labels = lloyd.assign(rows, centroids)
    assert labels.tolist() == [0, 0, 1, 1]
    assert lloyd.means(rows, labels, centroids).tolist() == [[0, 1], [10, 1]]


def test_rows_go_to_the_nearest_centroid_whatever_the_block(monkeypatch):
    rows = blobs(500, 7, 12)
    centroids = rows[:40]
    expected = cdist(rows, centroids).argmin(axis=1)
    for values in (1, 1_000, 1 << 22):
        monkeypatch.setattr(lloyd, "_BLOCK_VALUES", values)
        assert (lloyd.assign(rows, centroids) == expected).all()


def test_centroid_without_rows_is_put_into_the_largest_cell():
    rows = np.array([[0, 0], [1, 0], [2, 0], [50, 0]], np.float32)
    centroids = np.array([[1, 0], [50, 0], [900, 0], [901, 0]], np.float32)
    moved = lloyd.means(rows, lloyd.assign(rows, centroids), centroids)
    assert moved[:2].tolist() == [[1, 0], [50, 0]]
    assert moved[2].tolist() != moved[3].tolist()
    assert {tuple(row) for row in moved[2:].tolist()} <= {(0, 0), (1, 0), (2, 0)}


def test_rounds_lower_the_inertia():
    rows = blobs(2_000, 10, 30)
    values = [inertia(rows, lloyd.fit(rows, 30, n, np.random.default_rng(0))) for n in (0, 1, 3, 10)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0] / 2


@pytest.mark.parametrize("k", [1, 2, 17, 400])
def test_tree_has_k_centroids_and_is_nearly_as_good(k):
    rows = blobs(3_000, 10, 50)
    tree = lloyd.fit_tree(rows, k, 5, np.random.default_rng(0))
    assert tree.centroids.shape == (k, 10)
    flat = lloyd.fit(rows, k, 5, np.random.default_rng(0))
    assert inertia(rows, tree.centroids) <= 1.3 * inertia(rows, flat)
    nearest = cdist(rows, tree.centroids).argmin(axis=1)
    assert (tree.assign(rows) == nearest).mean() >= 0.99


def test_equal_rows_and_more_centroids_than_rows_work():
    rows = np.ones((5, 3), np.float32)
    assert (lloyd.fit(rows, 8, 3, np.random.default_rng(0)) == 1).all()
    assert (lloyd.fit_tree(rows, 8, 3, np.random.default_rng(0)).centroids == 1).all()
