"""Searches for what is of the same kind, measured: each query as if it had never been there."""

import numpy as np
import pytest

from lookalike.evaluate import rank_all
from lookalike.evaluate.retrieval import Relevance
from lookalike.evaluate.same_kind import rank_all_of_kind, rank_others_of_kind
from lookalike.system.progress import UNWATCHED

KS = (1, 5)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def scene(n, d=6, seed=0):
    """Unit rows of three classes that overlap."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, n)
    centers = random.normal(size=(3, d))
    return unit(centers[labels] + 1.5 * random.normal(size=(n, d))).astype(np.float32), labels


def drawn(asked, rows, own=None):
    """Rows drawn to their ten nearest, in float64."""
    asked, rows = asked.astype(np.float64), rows.astype(np.float64)
    near = asked @ rows.T
    if own is not None:
        near[np.arange(len(asked)), own] = -np.inf
    made = asked.copy()
    for at, each in enumerate(near):
        found = [row for row in np.argsort(-each, kind="stable")[:10] if each[row] > -np.inf]
        made[at] += np.maximum(each[found], 0) ** 3 @ rows[found]
    return unit(made)


@pytest.mark.parametrize("n", [4, 11, 12, 13, 60])
def test_each_query_is_as_if_it_had_never_been_there(n):
    rows, labels = scene(n)
    own = np.arange(n)
    found = rank_others_of_kind(rows, Relevance(labels, labels, own), (1, 3), UNWATCHED)
    for query in range(n):
        others = np.delete(rows, query, axis=0)
        scores = drawn(others, others, np.arange(n - 1)) @ drawn(rows[[query]], others)[0]
        expected = np.delete(own, query)[np.argsort(-scores, kind="stable")[:3]]
        assert found.hits[query].tolist() == expected.tolist()


def test_some_queries_find_what_they_find_among_all():
    rows, labels = scene(50)
    every = rank_others_of_kind(rows, Relevance(labels, labels, np.arange(50)), KS, UNWATCHED)
    some = np.array([4, 17, 40])
    found = rank_others_of_kind(rows, Relevance(labels[some], labels, some), KS, UNWATCHED)
    assert found.hits.tolist() == every.hits[some].tolist()
    assert found.values["mAP"] == pytest.approx(every.values["mAP"][some])


def test_queries_from_elsewhere_draw_nothing():
    rows, labels = scene(70)
    queries, gallery = rows[:20], rows[20:]
    found = rank_all_of_kind(queries, gallery, Relevance(labels[:20], labels[20:]), KS, UNWATCHED)
    scores = drawn(queries, gallery) @ drawn(gallery, gallery, np.arange(50)).T
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :5]
    assert found.hits.tolist() == expected.tolist()


def test_copies_are_no_nearer_than_each_other():
    rows, labels = scene(40)
    rows[7] = rows[3]
    found = rank_others_of_kind(rows, Relevance(labels, labels, np.arange(40)), KS, UNWATCHED)
    assert found.hits[3, 0] == 7 and found.hits[7, 0] == 3


def test_more_of_a_class_is_found():
    rows, labels = scene(400, d=12, seed=3)
    plain = rank_all(rows[:100], rows[100:], labels[:100], labels[100:], KS).means()["mAP"]
    kinds = rank_all_of_kind(rows[:100], rows[100:], Relevance(labels[:100], labels[100:]), KS, UNWATCHED)
    assert kinds.means()["mAP"] > plain + 0.02  # 0.05 more
