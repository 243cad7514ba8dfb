"""The tree grown from neighbours is that of all pairs."""

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial.distance import cdist

from lookalike.cluster.spanning_tree import joined, spanning_tree
from lookalike.index.graph import neighbor_graph


def blobs(n, d, centres, seed=0):
    random = np.random.default_rng(seed)
    rows = random.standard_normal((n, d))
    return (rows + 12 * np.arange(n)[:, None] % (12 * centres)).astype(np.float32)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("min_samples", [1, 5])
@pytest.mark.parametrize("centres", [1, 4])
def test_weights_are_those_of_the_complete_graph(metric, min_samples, centres):
    rows = blobs(600, 10, centres)
    doubles = rows.astype(np.float64)
    if metric == "cosine":
        doubles /= np.linalg.norm(doubles, axis=1, keepdims=True)
    distances = (
        cdist(doubles, doubles) if metric == "euclidean" else cdist(doubles, doubles, "sqeuclidean") / 2
    )
    cores = np.sort(distances, axis=1)[:, min_samples - 1] if min_samples > 1 else np.zeros(600)
    weights = np.maximum(distances, np.maximum(cores[:, None], cores))
    np.fill_diagonal(weights, 0)
    truth = np.sort(minimum_spanning_tree(weights).data)
    # As few neighbours as core distances take: nearly everything is left to the further looks.
    graph = neighbor_graph(rows, max(1, min_samples - 1), metric)
    found = spanning_tree(rows, graph, metric, cores.astype(np.float32))
    np.testing.assert_allclose(found.weights, truth, rtol=1e-5)


def test_components_are_joined_by_their_shortest_edges():
    rows = np.array([[0.0], [1.0], [10.0], [11.0], [30.0], [31.0]], np.float32)
    links = joined(rows, neighbor_graph(rows, 1), "euclidean")
    assert connected_components(links)[0] == 1
    found = sorted(zip(*(part.tolist() for part in links.nonzero()), strict=True))
    assert found == [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2), (3, 4), (4, 3), (4, 5), (5, 4)]


def test_copies_make_a_tree_too():
    rows = np.repeat(np.array([[0.0], [5.0]], np.float32), 20, axis=0)
    found = spanning_tree(rows, neighbor_graph(rows, 3), "euclidean")
    assert found.weights.tolist() == [0.0] * 38 + [5.0]
