"""Rankings in which a query does not find some rows: as if these were not there, for that query alone."""

import numpy as np
import pytest
from unit_rows import at_angles, random_rows

from lookalike import InvalidInputError
from lookalike.evaluate import measure_hits, rank_others


def test_what_is_left_out_of_one_query_by_hand():
    rows = at_angles([0, 1, 10, 20])
    found = rank_others(rows, ["cup", "cup", "owl", "cup"], [1, 2], rows=[0, 3], without=[[1], []])
    assert found.hits.tolist() == [[2, 3], [2, 1]]
    assert found.n_relevant.tolist() == [1, 2]
    assert found.values["P@1"].tolist() == [0, 0]
    assert found.values["mAP"][0] == 0.5


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_it_is_as_if_they_were_not_there(metric):
    random = np.random.default_rng(3)
    rows, labels = random_rows(60, 8), random.integers(0, 5, 60)
    for query in range(0, 60, 7):
        without = random.choice(np.delete(np.arange(60), query), 9, replace=False)
        found = rank_others(rows, labels, [1, 5], metric, rows=[query], without=[without])
        kept = np.delete(np.arange(60), without)
        at = int(np.flatnonzero(kept == query)[0])
        expected = rank_others(rows[kept], labels[kept], [1, 5], metric, rows=[at])
        assert kept[expected.hits[0]].tolist() == found.hits[0].tolist()
        for name, values in expected.values.items():
            np.testing.assert_allclose(found.values[name], values)


def test_a_query_that_finds_nothing_has_no_measures():
    rows = random_rows(4, 3)
    found = rank_others(rows, [0, 0, 1, 1], [2], rows=[0, 2], without=[[1, 2, 3], [3]])
    assert np.isnan(found.values["mAP"]).all()
    assert found.hits.tolist()[0] == [-1, -1]


def test_hits_of_which_some_were_left_out_count_fewer_relevant_images():
    found = measure_hits([[2]], ["cup"], ["cup", "owl", "cup", "cup"], [1], own=np.array([2]))
    assert found.n_relevant.tolist() == [1]
    assert found.values["R@1"].tolist() == [1]


@pytest.mark.parametrize("without", [[[1]], [[1], [4]], [[1], [-1]]])
def test_what_is_no_row_of_each_query_is_refused(without):
    with pytest.raises(InvalidInputError, match="without"):
        rank_others(random_rows(4, 3), [0, 0, 1, 1], [1], rows=[0, 1], without=without)
