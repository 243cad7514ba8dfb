"""The nearest rows are those of all against all, or nearly; whitening brings edits nearer than strangers."""

import numpy as np
import pytest

from lookalike.duplicates import nearest_rows as nearest_rows_module
from lookalike.duplicates.nearest_rows import N_ALWAYS, N_NEAREST, Whitening, nearest_rows
from lookalike.errors import CancelledError
from lookalike.system.progress import CancelToken, Watch

EVERYTHING = (-1.0, -1.0)


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def clusters(n, d, seed, spread=0.5):
    random = np.random.default_rng(seed)
    centers = random.standard_normal((n // 10, d))
    return unit(centers[random.integers(0, len(centers), n)] + spread * random.standard_normal((n, d)))


def plainly(rows, asked, least):
    cosines = rows[asked].astype(np.float64) @ rows.T.astype(np.float64)
    cosines[np.arange(len(asked)), asked] = -np.inf
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :N_NEAREST]
    values = np.take_along_axis(cosines, order, axis=1)
    is_near = values >= np.where(np.arange(order.shape[1]) < N_ALWAYS, *least)
    return np.where(is_near, order, -1), np.where(is_near, values, 0)


def test_by_hand():
    rows = unit(np.array([[1, 0], [1, 0.1], [0, 1], [-1, 0]]))
    found = nearest_rows(rows, np.array([0, 3]), (0.0, 0.9))
    assert found.rows[:, :3].tolist() == [[1, 2, -1], [2, -1, -1]]
    assert (found.rows[:, 3:] == -1).all()
    np.testing.assert_allclose(found.cosines[:, 0], [1 / np.sqrt(1.01), 0], atol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 3, 9, 11, 12, 300])
@pytest.mark.parametrize("least", [EVERYTHING, (0.3, 0.7)])
def test_all_are_compared_where_they_are_few(n, least):
    rows = clusters(max(n, 20), 24, n)[:n]
    asked = np.arange(0, n, 2)
    found = nearest_rows(rows, asked, least)
    others, cosines = plainly(rows, asked, least)
    width = others.shape[1]
    is_other = others != asked[:, None]  # a row alone has no other
    np.testing.assert_array_equal(found.rows[:, :width][is_other], others[is_other])
    np.testing.assert_allclose(found.cosines[:, :width][is_other], cosines[is_other], atol=1e-5)


def test_by_cells_nearly_all_are_found_and_none_is_made_up():
    rows = clusters(6_000, 48, 1)
    asked = np.arange(6_000)
    found = nearest_rows(rows, asked, EVERYTHING, by_cells=True)
    exact = nearest_rows(rows, asked, EVERYTHING, by_cells=False)
    assert (found.rows[:, 0] == exact.rows[:, 0]).mean() > 0.97  # 0.998
    assert (found.rows != asked[:, None]).all()
    there = found.rows >= 0
    cosines = np.einsum("ijk,ik->ij", rows[found.rows], rows)
    np.testing.assert_allclose(found.cosines[there], cosines[there], atol=1e-5)
    assert all(len(set(some)) == len(some) for some in found.rows[there.all(axis=1)].tolist())


def test_by_cells_the_same_is_found_each_time():
    rows = clusters(5_000, 32, 3)
    one, again = (nearest_rows(rows, np.arange(5_000), (0.3, 0.7), by_cells=True) for _ in range(2))
    np.testing.assert_array_equal(one.rows, again.rows)
    np.testing.assert_array_equal(one.cosines, again.cosines)


def test_a_crowd_of_equal_rows_is_compared_in_parts(monkeypatch):
    monkeypatch.setattr(nearest_rows_module, "_MOST_A_CELL", 50)
    rows = clusters(4_000, 32, 6)
    rows[:2_000] = rows[0]
    found = nearest_rows(rows, np.arange(4_000), (0.3, 0.7), by_cells=True)
    np.testing.assert_allclose(found.cosines[:2_000], 1, atol=1e-5)
    assert (found.rows[:2_000] < 2_000).all()
    assert (found.rows != np.arange(4_000)[:, None]).all()


def test_rows_of_nothing_are_near_to_nothing():
    rows = clusters(200, 16, 4)
    rows[::3] = 0
    found = nearest_rows(rows, np.arange(200), (0.3, 0.7))
    assert (found.rows[::3] == -1).all()
    assert not np.isin(found.rows[found.rows >= 0] % 3, 0).any()


def test_whitening_takes_away_what_all_have_in_common():
    random = np.random.default_rng(0)
    directions = random.standard_normal((8, 256))
    shown = 10 * random.standard_normal((2_000, 8)) @ directions
    own = random.standard_normal((2_000, 100)) @ random.standard_normal((100, 256))
    pictures = 20 + shown + own
    edits = pictures[:100] + 10 * random.standard_normal((100, 8)) @ directions
    vectors = np.concatenate([pictures, edits]).astype(np.float32)
    whitening = Whitening.of(vectors, len(vectors))
    rows = whitening.rows(vectors)
    assert rows.shape == (2_100, whitening.n_axes)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    asked = np.arange(2_000, 2_100)
    plain = nearest_rows(unit(vectors), asked, EVERYTHING).rows[:, 0]
    whitened = nearest_rows(rows, asked, EVERYTHING).rows[:, 0]
    assert (whitened == np.arange(100)).mean() > 0.95
    assert (plain == np.arange(100)).mean() < 0.6


@pytest.mark.parametrize("n", [1, 2, 100])
def test_few_vectors_are_taken_as_they_are(n):
    vectors = np.random.default_rng(1).standard_normal((n, 200)).astype(np.float32)
    whitening = Whitening.of(vectors, n)
    np.testing.assert_allclose(whitening.rows(vectors), unit(vectors), atol=1e-6)


def test_equal_vectors_are_no_trouble():
    vectors = np.ones((1_000, 300), np.float32)
    whitening = Whitening.of(vectors, 1_000)
    assert np.isfinite(whitening.rows(vectors)).all()


@pytest.mark.parametrize("by_cells", [False, True])
def test_there_is_an_end_to_it_when_it_is_cancelled(by_cells):
    token = CancelToken()
    token.cancel()
    rows = clusters(4_000, 16, 2)
    with pytest.raises(CancelledError):
        nearest_rows(rows, np.arange(4_000), EVERYTHING, by_cells=by_cells, watch=Watch(cancel=token))
