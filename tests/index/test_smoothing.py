"""Smoothed rows: what is kept of them gives the cosines that the rows themselves would."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.index import smoothing
from lookalike.index.smoothing import Smoothing, expanded, nearest_rows


def rows_of(n, d=8, seed=0):
    rows = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def written_down(rows, k=10):
    """The smoothed rows themselves, in float64, by the formula: (n, d)."""
    rows = rows.astype(np.float64)
    near = rows @ rows.T
    np.fill_diagonal(near, -np.inf)
    smoothed = rows.copy()
    for row in range(len(rows)):
        for other in np.argsort(-near[row], kind="stable")[: min(k, len(rows) - 1)]:
            smoothed[row] += max(near[row, other], 0) ** 3 * rows[other]
    return smoothed / np.linalg.norm(smoothed, axis=1, keepdims=True)


def test_three_rows_by_hand():
    rows = np.array([[1, 0], [0.8, 0.6], [-1, 0]], np.float32)
    made = Smoothing.of(rows)
    assert made.neighbors.tolist() == [[1, 2], [0, 2], [1, 0]]
    assert made.cosines == pytest.approx(np.array([[0.8, -1], [0.8, -0.8], [-0.8, -1]]))
    # 0.8³ = 0.512; the third has nothing on its side, and stays as it is.
    first = np.array([1 + 0.512 * 0.8, 0.512 * 0.6])
    assert made.lengths == pytest.approx([np.linalg.norm(first), np.linalg.norm([0.8 + 0.512, 0.6]), 1])
    question = np.array([0, 1], np.float32)
    assert made.smoothed(rows @ question)[0] == pytest.approx(first[1] / np.linalg.norm(first))


@given(n=st.integers(2, 60), d=st.integers(2, 12), seed=st.integers(0, 9))
@settings(max_examples=30)
def test_cosines_are_those_of_rows_written_down(n, d, seed):
    rows, questions = rows_of(n, d, seed), rows_of(3, d, seed + 100)
    found = Smoothing.of(rows).smoothed(questions @ rows.T)
    assert found == pytest.approx(questions @ written_down(rows).T, abs=1e-5)


def test_a_question_is_drawn_to_the_nearest_as_a_row_is():
    rows = rows_of(40)
    near = rows @ rows[7]
    nearest = rows[np.argsort(-near)[1:11]]
    assert expanded(rows[7], nearest) == pytest.approx(written_down(rows)[7], abs=1e-6)


def test_nothing_and_one_row_stay_as_they_are():
    assert len(Smoothing.of(rows_of(0))) == 0
    assert Smoothing.of(rows_of(1)).smoothed(np.array([0.5], np.float32)) == pytest.approx([0.5])


def test_copies_are_each_others_nearest_and_as_near_to_all():
    rows = rows_of(30)
    rows[4] = rows[11]
    made = Smoothing.of(rows)
    assert (made.neighbors[4, 0], made.neighbors[11, 0]) == (11, 4)
    found = made.smoothed(rows @ rows[0])
    assert found[4] == pytest.approx(found[11])


def test_many_rows_are_found_by_a_tree_as_by_products(monkeypatch):
    rows = rows_of(500, 24)
    expected = Smoothing.of(rows)
    monkeypatch.setattr(smoothing, "_MOST_COMPARED", 100)
    found = Smoothing.of(rows)
    pairs = zip(expected.neighbors, found.neighbors, strict=True)
    agree = np.mean([len(np.intersect1d(*pair)) / 10 for pair in pairs])
    assert agree >= 0.98  # asked for 0.99
    assert found.lengths == pytest.approx(expected.lengths, rel=0.02)


@given(
    n=st.integers(12, 60),
    gone=st.sets(st.integers(0, 59), max_size=20),
    n_come=st.integers(0, 12),
    seed=st.integers(0, 5),
)
@settings(max_examples=60)
def test_mended_is_what_is_made_anew(n, gone, n_come, seed):
    every = rows_of(n + n_come, 6, seed)
    order = np.random.default_rng(seed).permutation(n + n_come)  # what comes lies between what is there
    before = np.where(order < n, order, -1)
    before = before[~np.isin(order, list(gone)) | (order >= n)]
    rows = every[order][~np.isin(order, list(gone)) | (order >= n)]
    mended = Smoothing.of(every[:n]).updated(before, rows)
    if len(rows) < 11:
        assert mended is None  # fewer neighbors than before
        return
    anew = Smoothing.of(rows)
    assert mended.neighbors.tolist() == anew.neighbors.tolist()
    assert mended.cosines == pytest.approx(anew.cosines, abs=1e-6)
    assert mended.lengths == pytest.approx(anew.lengths, rel=1e-5)


def test_nearest_rows_are_asked_for_some_alone():
    rows = rows_of(200)
    every, its = nearest_rows(rows, rows, 5, own=np.arange(200))
    some, their = nearest_rows(rows[[3, 150]], rows, 5, own=np.array([3, 150]))
    assert some.tolist() == every[[3, 150]].tolist()
    assert their == pytest.approx(its[[3, 150]])
    with_itself, _ = nearest_rows(rows[[3]], rows, 6)
    assert with_itself.tolist() == [[3, *every[3]]]
