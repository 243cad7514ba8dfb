"""Comparing search indexes: the figures are right, and an index that is bad looks bad."""

import time

import numpy as np
import pytest

from lookalike.bench import compare_indexes
from lookalike.errors import InvalidInputError
from lookalike.index import Exact, KMeansTree, kinds
from lookalike.index.kinds import KINDS, IndexKind
from lookalike.types import Neighbors

QUICK = {"seconds": 0.01}


def clouds(n=400, d=12, seed=0):
    random = np.random.default_rng(seed)
    return (random.normal(size=(8, d))[random.integers(8, size=n)] * 3 + random.normal(size=(n, d))).astype(
        np.float32
    )


class Altered(Exact):
    """The right answer, altered."""

    kind = "altered"

    def search(self, queries, k=10, recall=1.0, allowed=None):
        found = super().search(queries, k, recall, allowed)
        return Neighbors(self.alter(found.ids, recall), found.distances)


class OneRight(Altered):
    def alter(self, ids, recall):
        ids = ids.copy()
        ids[:, 1:] = np.argsort(np.isin(np.arange(len(self)), ids))[
            : ids.shape[1] - 1
        ]  # rows that are no hit
        return ids


class NothingFound(Altered):
    def alter(self, ids, recall):
        return np.full_like(ids, -1)


class NoRow(Altered):
    def alter(self, ids, recall):
        return ids + len(self)


class SameAgain(Altered):
    def alter(self, ids, recall):
        return np.repeat(ids[:, :1], ids.shape[1], axis=1)


class Slow(Exact):
    kind = "slow"

    def build(self, vectors, ids=None):
        time.sleep(len(vectors) * 1e-4)
        return super().build(vectors, ids)


class Missing(Exact):
    kind = "missing"

    def build(self, vectors, ids=None):
        raise InvalidInputError("this index needs a library; install it with: pip install it")


def points(found, kind):
    return next(figures.points for figures in found.indexes if figures.index == kind)


def test_figures_are_those_of_every_kind_at_every_recall():
    found = compare_indexes(clouds(), metric="euclidean", k=5, recalls=(1.0, 0.9, 0.9), **QUICK)
    assert (found.n_vectors, found.n_queries, found.dimension, found.k) == (360, 40, 12, 5)
    assert (found.metric, found.cores >= 1) == ("euclidean", True)
    assert {figures.index for figures in found.indexes} | set(found.left_out) == {
        row.name for row in KINDS if not row.is_of_store
    }
    assert [point.asked for point in points(found, "exact")] == [1.0]
    assert [point.asked for point in points(found, "kmeans-tree")] == [0.9, 1.0]
    for figures in found.indexes:
        assert figures.build_seconds > 0
        assert figures.size > 360 * 12 * 4
        for point in figures.points:
            assert point.index == figures.index
            assert min(point.queries_per_second, point.batch_queries_per_second) > 0
            assert point.n_queries == 40


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_exact_and_proved_answers_have_recall_1(metric):
    found = compare_indexes(clouds(), metric=metric, kinds=["exact", KMeansTree], recalls=[1.0], **QUICK)
    assert [point.recall for figures in found.indexes for point in figures.points] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("kind", "recall"), [(OneRight, 0.2), (NothingFound, 0.0), (NoRow, 0.0), (SameAgain, 0.2)]
)
def test_bad_index_shows_its_recall(kind, recall, monkeypatch):
    given = clouds()
    found = compare_indexes(
        given[:300], given[300:320], metric="euclidean", k=5, kinds=["exact", kind], **QUICK
    )
    assert points(found, "altered")[0].recall == pytest.approx(recall)
    assert found.fastest(0.99).index == "exact"


def test_recall_that_was_asked_for_reaches_the_index():
    class Sloppy(KMeansTree):
        kind = "sloppy"

        def search(self, queries, k=10, recall=0.99, allowed=None):
            found = super().search(queries, k, 1.0)
            ids = found.ids.copy()
            ids[:, round(k * recall) :] = -1
            return Neighbors(ids, found.distances)

    found = compare_indexes(clouds(), metric="euclidean", kinds=[Sloppy], recalls=(0.5, 0.9), **QUICK)
    assert [point.recall for point in points(found, "sloppy")] == [0.5, 0.9]
    assert found.fastest(0.95) is None
    assert found.fastest(0.9).asked == 0.9


def test_any_of_equally_near_rows_is_right():
    class Last(Altered):  # the last of them, where Exact takes the first
        def alter(self, ids, recall):
            return np.tile(np.arange(len(self))[::-1][: ids.shape[1]], (len(ids), 1))

    same = np.tile(np.float32([[3, 1, 2]]), (50, 1))
    for metric in ("cosine", "euclidean"):
        found = compare_indexes(same, metric=metric, k=4, kinds=[Last, "kmeans-tree"], **QUICK)
        assert {point.recall for figures in found.indexes for point in figures.points} == {1.0}


def test_queries_are_not_searched_and_the_choice_can_be_repeated():
    rows = clouds(60)
    seen = []

    class Watched(Exact):
        kind = "watched"

        def build(self, vectors, ids=None):
            seen.append(np.asarray(vectors))
            return super().build(vectors, ids)

    for seed in (1, 1, 2):
        compare_indexes(rows, n_queries=7, kinds=[Watched], random_state=seed, **QUICK)
    first, again, other = seen[1::2]  # the first of two is the trial
    assert len(first) == 53
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("n", "n_queries"), [(2, 1), (5, 1), (40, 4)])
def test_few_vectors_and_a_larger_k_are_answered(n, n_queries):
    found = compare_indexes(clouds(n), k=100, **QUICK)
    assert (found.n_queries, found.n_vectors, found.k) == (n_queries, n - n_queries, n - n_queries)
    assert all(point.recall == 1 for figures in found.indexes for point in figures.points if point.asked == 1)


def test_kind_whose_library_is_missing_is_named_with_the_reason():
    found = compare_indexes(clouds(), kinds=["exact", Missing], **QUICK)
    assert [figures.index for figures in found.indexes] == ["exact"]
    assert found.left_out == {"missing": "this index needs a library; install it with: pip install it"}
    with pytest.raises(InvalidInputError, match="no index to compare: missing: this index needs a library"):
        compare_indexes(clouds(), kinds=[Missing], **QUICK)


def test_kind_that_takes_long_to_build_is_left_out_unless_it_is_named(monkeypatch):
    slow = IndexKind("slow", f"{__name__}:Slow", "one that takes its time")
    monkeypatch.setattr(kinds, "KINDS", (*KINDS, slow))
    monkeypatch.setattr("lookalike.bench._LONGEST_BUILD", 0.05)
    monkeypatch.setattr("lookalike.bench._TRIAL_ROWS", 100)
    rows = clouds(1_000)
    found = compare_indexes(rows, recalls=[1.0], **QUICK)
    assert found.left_out["slow"] == "building it would take some 1 seconds"
    assert str(found.left_out["slow"].hint) == "name it to have it built all the same: 'slow'"
    assert {"exact", "kmeans-tree"} <= {figures.index for figures in found.indexes}
    assert not compare_indexes(rows, kinds=["slow"], **QUICK).left_out


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"kinds": ["faiss"]}, "there is no index 'faiss'; expected one of exact"),
        ({"k": 0}, "k is 0; expected a whole number, 1 or more"),
        ({"k": 2.0}, "k is 2.0; expected"),
        ({"recalls": [0.9, 0.0]}, "recall is 0.0; expected above 0 and at most 1"),
        ({"recalls": [1.01]}, "recall is 1.01"),
        ({"recalls": []}, "recalls are empty"),
        ({"n_queries": 0}, "the number of queries is 0; expected 1 to 399"),
        ({"n_queries": 400}, "the number of queries is 400; expected 1 to 399"),
        ({"queries": np.zeros((3, 5))}, "queries have 5 dimensions; expected 12"),
        ({"queries": np.zeros((0, 12))}, "there are no queries"),
        ({"queries": np.ones((3, 12)), "n_queries": 4}, "the number of queries is 4; expected 1 to 3"),
        ({"metric": "hamming"}, "hamming"),
        ({"seconds": 0}, "seconds is 0; expected above 0"),
    ],
)
def test_bad_request_is_refused_in_one_line(request_, words):
    with pytest.raises(InvalidInputError, match=words):
        compare_indexes(clouds(), **{**QUICK, **request_})


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_vectors_are_refused(n):
    with pytest.raises(InvalidInputError, match=f"the number of vectors is {n}; expected at least 2"):
        compare_indexes(np.ones((n, 3), np.float32))
