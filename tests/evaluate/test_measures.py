"""The table of measures of retrieval: light, whole, and all that a new one takes."""

import subprocess
import sys

import numpy as np
import pytest

from lookalike.evaluate import MEASURES, Measure, measure_hits, measures, rank_others
from lookalike.evaluate.measures import MEAN_AP, columns
from lookalike.evaluate.ranking import Ranking
from lookalike.system.on_demand import load


def test_table_is_at_hand_without_numpy():
    code = "import lookalike.evaluate.measures, sys; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


@pytest.mark.parametrize("row", MEASURES, ids=lambda row: row.name)
def test_measure_is_1_for_the_best_ranking_and_0_for_none(row):
    measure, k = load(row.function), None if row.is_of_whole else 3
    assert measure(Ranking(np.array([1, 2, 3]), 3), k) == 1
    assert measure(Ranking(np.array([], np.int64), 3), k) == 0
    assert 0 < measure(Ranking(np.array([2]), 3), 3) < 1


def test_columns_are_told_measure_by_measure():
    names = [name for name, _, _ in columns([1, 10], is_whole=True)]
    assert names == ["P@1", "P@10", "R@1", "R@10", "nDCG@1", "nDCG@10", MEAN_AP]
    assert [k for _, _, k in columns([1, 10], is_whole=True)][-1] is None
    assert "mAP@10" in [name for name, _, _ in columns([1, 10], is_whole=False)]


def reciprocal_rank(ranking, k):
    ranks = ranking.up_to(k)
    return 1 / ranks[0] if len(ranks) else 0.0


def test_row_is_all_that_a_measure_takes(monkeypatch):
    row = Measure("MRR", "mean reciprocal rank", f"{__name__}:reciprocal_rank", is_of_whole=True)
    monkeypatch.setattr(measures, "MEASURES", (*MEASURES, row))
    vectors = [[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]]
    found = rank_others(vectors, ["cup", "owl", "owl", "cup"], ks=[1])
    # Cups at 0° and 53°, owls at 37° and 90°: the two in the middle find both of the others first.
    assert found.values["MRR"].tolist() == pytest.approx([1 / 2, 1 / 3, 1 / 2, 1 / 3])
    known = measure_hits([[1, 3]], ["cup"], ["cup", "owl", "owl", "cup"], ks=[2], own=True)
    assert known.means()["MRR@2"] == 1 / 2


@pytest.mark.parametrize("rows", [[4], [-1], [[0]]])
def test_queries_that_are_no_rows_are_told(rows):
    vectors = [[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]]
    with pytest.raises(ValueError, match="expected row numbers of 4 vectors"):
        rank_others(vectors, ["a", "b", "b", "a"], ks=[1], rows=rows)
