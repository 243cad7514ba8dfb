"""From a recall to the effort that reaches it."""

import numpy as np
import pytest

from lookalike.index import tuning
from lookalike.index.tuning import EXACT, Effort, Efforts


def test_cheapest_effort_that_reaches_the_recall_is_taken():
    # Each query's neighbours lie in cells 0 to 3, a quarter each, and none looks farther than the fifth.
    cells = np.tile(np.repeat([0, 1, 2, 3], 25), (400, 1))
    rows = np.tile(np.arange(100) % 5, (400, 1))
    rows[:, :10] = 0
    efforts = tuning.measure(cells, rows, cell_cost=1, row_cost=1)
    assert efforts.find(100, 0.7) == Effort(3, 100)
    assert efforts.find(100, 0.98) == Effort(4, 100)
    assert efforts.find(10, 0.98) == Effort(1, 10)


def test_recall_that_so_few_queries_cannot_show_is_searched_exactly():
    nothing_missed = np.zeros((50, 100), np.int64)
    efforts = tuning.measure(nothing_missed, nothing_missed, 1, 1)
    assert efforts.find(10, 0.95) == Effort(1, 10)
    assert efforts.find(10, 0.9999) == EXACT
    assert efforts.find(10, 1.0) == EXACT
    assert Efforts().find(1, 0.5) == EXACT


def test_effort_between_two_that_were_measured_lies_between_them():
    table = np.zeros((3, len(tuning.RECALLS), 2), np.int64)
    table[:, :] = [[[4, 2]], [[8, 30]], [[40, 200]]]
    efforts = Efforts(table)
    assert efforts.find(1, 0.9) == (4, 2)
    assert efforts.find(10, 0.9) == (8, 30)
    assert efforts.find(100, 0.9) == (40, 200)
    for k in range(2, 100):
        effort = efforts.find(k, 0.93)
        assert 4 <= effort.n_cells <= 40
        assert effort.n_rows >= 2 * k
    assert efforts.find(200, 0.9) == (80, 400)


def test_lower_bound_is_below_the_mean_and_nears_it_with_more_queries():
    random = np.random.default_rng(0)
    reaches = []
    for n in (50, 500, 5000):
        recalls = random.binomial(10, 0.95, n) / 10
        reaches.append(recalls.mean() - tuning.lower_bound(recalls, 10))
    assert reaches[0] > reaches[1] > reaches[2] > 0
    # By hand: a deviation of one query is 0.069, so that of the mean of 5,000 is 0.00097.
    assert reaches[2] == pytest.approx(0.00097, rel=0.1)


def test_queries_that_miss_all_together_tell_less():
    together, apart = np.repeat([0.0, 1.0], [50, 950]), np.full(1000, 0.95)
    apart[::2], apart[1::2] = 0.9, 1.0
    assert tuning.lower_bound(together, 10) < tuning.lower_bound(apart, 10)
