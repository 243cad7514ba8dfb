"""Neighbour graphs hold true distances, all of them, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from lookalike.errors import InvalidInputError
from lookalike.index import graph
from lookalike.index.contract import METRICS
from lookalike.index.graph import neighbor_graph, radius_graph
from lookalike.system.progress import Progress

each_metric = pytest.mark.parametrize("metric", METRICS)


def all_distances(rows, metric):
    """(n, n) float32; a row is infinitely far from itself."""
    rows = np.asarray(rows, np.float32).astype(np.float64)
    if metric == "cosine":
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        found = cdist(rows, rows, "sqeuclidean") / 2
    else:
        found = cdist(rows, rows)
    np.fill_diagonal(found, np.inf)
    return found.astype(np.float32)


def vectors_of(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def entries(sparse):
    """(n, n) float32, infinite where there is no entry; entries of 0 are kept."""
    dense = np.full(sparse.shape, np.inf, np.float32)
    found = sparse.tocoo()
    dense[found.row, found.col] = found.data
    return dense


def test_four_points_on_a_line():
    rows = [[0.0], [1.0], [3.0], [7.0]]
    assert neighbor_graph(rows, 2).indices.tolist() == [1, 2, 0, 2, 1, 0, 2, 1]
    assert neighbor_graph(rows, 2).data.tolist() == [1, 3, 1, 2, 2, 3, 4, 6]
    near = radius_graph(rows, 3)
    assert near.indices.tolist() == [1, 2, 0, 2, 0, 1]
    assert near.data.tolist() == [1, 3, 1, 2, 3, 2]


@each_metric
@pytest.mark.parametrize(("n", "d"), [(2, 3), (65, 2), (1_400, 20), (700, 200)])
def test_radius_graph_has_every_pair_within_reach(n, d, metric):
    rows = vectors_of(n, d) + 1
    truth = all_distances(rows, metric)
    reach = float(np.quantile(truth[np.isfinite(truth)], 0.1))
    found = radius_graph(rows, reach, metric)
    # What rounding moves over the edge may be in or out.
    expected = np.where(truth <= np.float32(reach), truth, np.inf)
    unclear = np.abs(truth - reach) <= 1e-6 * reach
    np.testing.assert_allclose(entries(found)[~unclear], expected[~unclear], rtol=1e-6, atol=1e-15)
    assert found.has_sorted_indices
    assert (found != found.T).nnz == 0


@each_metric
def test_neighbor_graph_has_the_nearest_others_in_order(metric):
    rows = vectors_of(300, 12)
    found = neighbor_graph(rows, 7, metric)
    distances = found.data.reshape(300, 7)
    np.testing.assert_allclose(distances, np.sort(all_distances(rows, metric), axis=1)[:, :7], rtol=1e-6)
    assert (np.diff(distances, axis=1) >= 0).all()
    assert (found.indices.reshape(300, 7) != np.arange(300)[:, None]).all()


def test_copies_are_neighbours_at_distance_0_and_no_row_is_its_own():
    rows = np.repeat(vectors_of(3, 4), 30, axis=0)
    found = neighbor_graph(rows, 5)
    assert (found.data == 0).all()
    assert len(found.data) == 90 * 5
    assert (found.indices.reshape(90, 5) != np.arange(90)[:, None]).all()
    assert np.diff(radius_graph(rows, 0.0).indptr).tolist() == [29] * 90


def test_values_beyond_what_float32_can_square_are_measured():
    rows = vectors_of(200, 3) * np.float32(1e30)
    reach = 1e30
    expected = all_distances(rows, "euclidean") <= np.float32(reach)
    assert (np.isfinite(entries(radius_graph(rows, reach))) == expected).all()


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(2, 40),
    d=st.integers(1, 5),
    seed=st.integers(0, 100),
    scale=st.sampled_from([1e-20, 1.0, 1e12]),
    offset=st.sampled_from([0, 3, 1_000]),
)
def test_whole_numbers_within_reach_are_found(n, d, seed, scale, offset):
    # Whole numbers up to a power of two: distances are exact, many equal the radius.
    power = 2.0 ** round(np.log2(scale))
    rows = (np.random.default_rng(seed).integers(-2, 3, (n, d)) + offset) * power
    expected = all_distances(rows, "euclidean") <= np.float32(2 * power)
    assert (np.isfinite(entries(radius_graph(rows, 2 * power))) == expected).all()


@pytest.mark.parametrize("n_heads", [1, 4, 12])
def test_any_number_of_axes_gives_the_same_graph(n_heads, monkeypatch):
    rows = vectors_of(400, 12)
    before = radius_graph(rows, 3.5)
    monkeypatch.setattr(graph, "_HEADS", (n_heads,))
    after = radius_graph(rows, 3.5)
    assert (before.indices == after.indices).all()
    assert (before.data == after.data).all()


def test_progress_reaches_its_end():
    told = []
    neighbor_graph(vectors_of(50, 3), 2, report=told.append)
    assert (told[0].share, told[-1].share) == (0, 1)
    radius_graph(vectors_of(50, 3), 1, report=told.append)
    assert told[-1] == Progress("neighbors", 1, 1, "looking for neighbours")


@pytest.mark.parametrize(
    ("rows", "k", "message"),
    [
        ([[1.0]], 1, "only 1 vector"),
        ([[1.0], [2.0]], 0, "k is 0; expected 1 to 1"),
        ([[1.0], [2.0]], 2, "k is 2; expected 1 to 1"),
        ([[1.0], [np.nan]], 1, "NaN"),
    ],
)
def test_what_has_no_neighbours_is_refused(rows, k, message):
    with pytest.raises(InvalidInputError, match=message):
        neighbor_graph(rows, k)


@pytest.mark.parametrize("r", [-1.0, np.inf, np.nan, "far"])
def test_radius_that_is_no_distance_is_refused(r):
    with pytest.raises(InvalidInputError, match="r is"):
        radius_graph([[1.0], [2.0]], r)


def test_graph_that_memory_would_not_hold_is_refused(monkeypatch):
    monkeypatch.setattr(graph, "_MOST_ENTRIES", 10_000)
    rows = vectors_of(1_200, 3)
    assert radius_graph(rows, 0.1).nnz < 10_000
    with pytest.raises(InvalidInputError, match=r"a distance of 3 has more than .* neighbours a vector"):
        radius_graph(rows, 3)
