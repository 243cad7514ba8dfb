"""An index with what has come and gone since: held to the exact index of what is there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import InvalidInputError
from lookalike.index import Exact, KMeansTree
from lookalike.index.patched import Patched


def patched(random, metric, n=60, n_gone=9, n_come=7, kind=Exact):
    """Return a patched index, and the exact one of the same vectors."""
    rows = random.standard_normal((n + n_come, 5)).astype(np.float32)
    ids = random.permutation(1_000)[: n + n_come]
    gone = random.choice(ids[:n], n_gone, replace=False)
    index = kind(metric).build(rows[:n], ids[:n])
    is_there = ~np.isin(ids, gone)
    return Patched(index, gone, ids[n:], rows[n:]), Exact(metric).build(rows[is_there], ids[is_there])


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("kind", [Exact, KMeansTree])
@pytest.mark.parametrize("k", [1, 10, 58])
def test_it_finds_what_the_exact_index_of_all_that_is_there_finds(metric, kind, k):
    random = np.random.default_rng(k)
    searcher, exact = patched(random, metric, kind=kind)
    queries = random.standard_normal((20, 5))
    found, expected = searcher.search(queries, k, recall=1.0), exact.search(queries, k)
    assert len(searcher) == len(exact) == 58
    np.testing.assert_allclose(found.distances, expected.distances, atol=1e-6)
    assert (found.ids == expected.ids).all()
    assert searcher.kind == kind.kind


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 30),
    gone=st.integers(0, 29),
    come=st.integers(0, 20),
    k=st.integers(1, 60),
    share=st.floats(0, 1),
)
def test_whatever_comes_and_goes_hits_are_those_of_the_exact_index(seed, n, gone, come, k, share):
    random = np.random.default_rng(seed)
    searcher, exact = patched(random, "euclidean", n, min(gone, n - 1), come)
    assert sorted(searcher.ids) == sorted(exact.ids)
    k, query = min(k, len(exact)), random.standard_normal(5)
    allowed = random.choice(1_000, int(share * 1_000), replace=False)
    for among in (None, allowed):
        found, expected = (each.search(query, k, allowed=among) for each in (searcher, exact))
        assert found.ids.tolist() == expected.ids.tolist()
        np.testing.assert_allclose(found.distances, expected.distances, atol=1e-6)
    for key in range(0, 1_000, 7):
        found, expected = searcher.vector_of(key), exact.vector_of(key)
        assert (found is None) == (expected is None)
        assert found is None or (found == expected).all()


def test_all_within_a_radius_are_those_of_the_exact_index():
    random = np.random.default_rng(0)
    searcher, exact = patched(random, "euclidean")
    queries = random.standard_normal((5, 5))
    found, expected = searcher.radius(queries, 2.0), exact.radius(queries, 2.0)
    assert expected.indptr[-1] > 10
    assert found.indptr.tolist() == expected.indptr.tolist()
    assert found.ids.tolist() == expected.ids.tolist()


def test_the_nearest_may_all_have_gone():
    rows = np.arange(200, dtype=np.float32)[:, None]
    searcher = Patched(Exact("euclidean").build(rows), np.arange(100), np.empty(0, np.int64), rows[:0])
    assert searcher.search([0.0], 3).ids.tolist() == [[100, 101, 102]]
    assert searcher.search([0.0], 100).ids.tolist() == [list(range(100, 200))]


def test_an_id_that_went_and_came_again_has_its_new_vector():
    rows = np.array([[0.0], [1.0], [2.0]], np.float32)
    searcher = Patched(Exact("euclidean").build(rows), np.array([0]), np.array([0]), rows[2:] + 1)
    assert searcher.search([3.0], 3).ids.tolist() == [[0, 2, 1]]
    assert searcher.vector_of(0).tolist() == [3.0]


@pytest.mark.parametrize("k", [0, 4, True])
def test_k_is_checked_against_what_is_there(k):
    rows = np.array([[0.0], [1.0], [2.0]], np.float32)
    searcher = Patched(Exact("euclidean").build(rows), np.array([0]), np.array([5]), rows[:1])
    with pytest.raises(InvalidInputError, match="expected 1 to 3"):
        searcher.search([0.0], k)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_what_is_as_far_comes_in_the_order_of_one_index_of_all(metric):
    """Vectors of few small numbers: many are as far as float32 can tell, and some of them are as far."""
    random = np.random.default_rng(3)
    for _ in range(60):
        rows = random.integers(0, 3, (40, 4)).astype(np.float32) + np.float32([1, 0, 0, 0])
        ids = random.permutation(1_000)[:40]
        searcher = Patched(Exact(metric).build(rows[:30], ids[:30]), ids[:5], ids[30:], rows[30:])
        exact = Exact(metric).build(rows[5:], ids[5:])
        queries = random.integers(0, 3, (4, 4)) + np.array([1, 0, 0, 0])
        for k in (5, 35):
            assert searcher.search(queries, k).ids.tolist() == exact.search(queries, k).ids.tolist()
        for found, expected in zip(searcher.radius(queries, 0.5), exact.radius(queries, 0.5), strict=True):
            assert found[0].tolist() == expected[0].tolist()
