"""Measures of retrieval, query by query: worked by hand, then against scikit-learn, then at the edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score, precision_score, recall_score
from unit_rows import at_angles, random_rows

from lookalike.errors import InvalidInputError
from lookalike.evaluate import leave_one_out, measure_hits, rank_all, rank_others, retrieval
from lookalike.evaluate.measures import columns
from lookalike.index import Exact


def test_every_measure_of_one_query_worked_by_hand():
    """The hits of a cup are cup, owl, cup, owl, cup: relevant at ranks 1, 3 and 5 of R = 3.

    P@2 = 1/2, P@5 = 3/5.  R@2 = 1/3, R@5 = 1.  AP = (1/1 + 2/3 + 3/5) / 3 = 34/45.
    nDCG@2: gains 1 + 0 over 1 + 1/log2(3).
    nDCG@5: gains 1 + 1/log2(4) + 1/log2(6) over 1 + 1/log2(3) + 1/log2(4).
    """
    labels = ["cup", "owl", "cup", "owl", "cup"]
    means = rank_all(at_angles([0]), at_angles([1, 3, 7, 15, 31]), ["cup"], labels, ks=[2, 5]).means()
    expected = {
        "P@2": 1 / 2,
        "P@5": 3 / 5,
        "R@2": 1 / 3,
        "R@5": 1,
        "nDCG@2": 1 / (1 + 1 / np.log2(3)),
        "nDCG@5": (1 + 1 / 2 + 1 / np.log2(6)) / (1 + 1 / np.log2(3) + 1 / 2),
        "mAP": 34 / 45,
    }
    assert means == pytest.approx(expected, abs=1e-9)


def test_average_precision_of_the_first_hits_worked_by_hand():
    """Relevant at ranks 1 and 3 of the first 4, R = 5: AP@4 = (1/1 + 2/3) / min(5, 4)."""
    labels = ["cup", "owl", "cup", "owl", "cup", "cup", "cup"]
    found = measure_hits([[0, 1, 2, 3]], ["cup"], labels, ks=[1, 4], own=False)
    assert found.values["mAP@4"][0] == pytest.approx((1 + 2 / 3) / 4, abs=1e-9)
    assert "mAP" not in found.values
    # With the query itself among the images R is 4, with two of them 1 and 2 the AP is over min(2, 4).
    assert measure_hits([[0, 1]], ["cup"], labels, [2], own=True).values["mAP@2"][0] == 1 / 2
    assert measure_hits([[0, 1, 2]], ["owl"], labels, [3], own=False).values["mAP@3"][0] == 1 / 2 / 2


@pytest.mark.parametrize(("n", "d", "classes"), [(50, 8, 3), (150, 16, 20)])
def test_measures_of_every_query_are_those_of_scikit_learn(n, d, classes):
    vectors, random = random_rows(n, d), np.random.default_rng(1)
    labels = random.integers(0, classes, n)
    labels[labels == 0] = np.arange((labels == 0).sum()) + classes  # some images are alone
    ks = [1, 3, 10]
    found = rank_others(vectors, labels, ks)
    similarity = vectors @ vectors.T
    n_alone = 0
    for query in range(n):
        others = np.arange(n) != query
        relevant, scores = labels[others] == labels[query], similarity[query, others]
        values = {name: column[query] for name, column in found.values.items()}
        if not relevant.any():
            n_alone += 1
            assert found.n_relevant[query] == 0
            assert np.isnan(list(values.values())).all()
            continue
        assert found.n_relevant[query] == relevant.sum()
        assert values["mAP"] == pytest.approx(average_precision_score(relevant, scores), abs=1e-9)
        for k in ks:
            is_hit = scores >= np.sort(scores)[-k]
            expected = ndcg_score(relevant[None].astype(int), scores[None], k=k)
            assert values[f"nDCG@{k}"] == pytest.approx(expected, abs=1e-9)
            assert values[f"P@{k}"] == pytest.approx(precision_score(relevant, is_hit), abs=1e-9)
            assert values[f"R@{k}"] == pytest.approx(recall_score(relevant, is_hit), abs=1e-9)
            assert set(np.flatnonzero(others)[is_hit]) == set(found.hits[query, :k])
    assert n_alone > 0
    assert found.counts.sum() == n - n_alone
    assert found.means()["mAP"] == pytest.approx(np.nanmean(found.values["mAP"]), abs=1e-12)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_queries_of_another_set_find_what_exact_search_finds(metric):
    gallery, queries = random_rows(400, 12), random_rows(60, 12, seed=1)
    if metric == "euclidean":
        gallery, queries = gallery * np.linspace(1, 3, 400, dtype=np.float32)[:, None], queries * 2
    labels, wanted = np.arange(400) % 5, np.arange(60) % 6  # nobody has label 5
    exact = Exact(metric).build(gallery).search(queries, k=400).ids
    found = rank_all(queries, gallery, wanted, labels, [1, 10, 400], metric)
    assert (found.hits == exact).all()
    of_index = measure_hits(exact, wanted, labels, [1, 10, 400], own=False)
    for name, row, _ in columns([1, 10, 400], is_whole=False):
        np.testing.assert_allclose(of_index.values[name], found.values[row.name if row.is_of_whole else name])
    assert (~found.counts == (wanted == 5)).all()


def test_some_images_as_queries_find_the_same_as_among_all():
    vectors, labels = random_rows(200, 6), np.arange(200) % 4
    rows = np.array([150, 3, 77])
    some, every = rank_others(vectors, labels, [5], rows=rows), rank_others(vectors, labels, [5])
    assert (some.hits == every.hits[rows]).all()
    assert (some.values["mAP"] == every.values["mAP"][rows]).all()


def test_blocks_and_chunks_do_not_show(monkeypatch):
    vectors, labels = random_rows(150, 6), np.arange(150) % 7
    whole = rank_others(vectors, labels, [1, 9])
    monkeypatch.setattr(retrieval, "_BLOCK_PAIRS", 1000)
    monkeypatch.setattr(retrieval, "_CHUNK_PAIRS", 300)
    done = []
    parts = rank_others(vectors, labels, [1, 9], report=done.append)
    assert (parts.hits == whole.hits).all()
    assert all((parts.values[name] == whole.values[name]).all() for name in whole.values)
    shares = [progress.share for progress in done]
    assert shares == sorted(shares)
    assert len(shares) == 26
    assert shares[-1] == 1


@given(st.lists(st.integers(0, 3), min_size=2, max_size=40), st.integers(0, 2**32 - 1))
def test_equal_rows_are_ranked_by_row_number_whatever_rounding_does(kinds, seed):
    """Rows of a few kinds: with one query, products are rounded in another order than with many."""
    rows = random_rows(4, 33, seed)[kinds]
    labels = np.arange(len(kinds)) % 3
    for queries in (rows, rows[:1]):
        found = rank_all(queries, rows, labels[: len(queries)], labels, [len(kinds)])
        for query, hits in enumerate(found.hits):
            groups = [kinds[hit] for hit in hits]
            assert groups[: kinds.count(kinds[query])] == [kinds[query]] * kinds.count(kinds[query])
            for kind in set(kinds):
                of_kind = [hit for hit in hits if kinds[hit] == kind]
                assert of_kind == sorted(of_kind)


def test_zero_and_minus_zero_are_equally_similar():
    gallery = np.array([[0, 1], [0, -1], [-0.0, 1], [1, 0]], np.float32)
    assert rank_all([[1.0, 0.0]], gallery, ["a"], ["a", "b", "a", "b"], [4]).hits.tolist() == [[3, 0, 1, 2]]


def test_all_images_equal_each_finds_the_others_by_row():
    found = rank_others(np.tile(np.float32([[0.6, 0.8]]), (5, 1)), ["a", "b", "a", "b", "a"], [4])
    assert found.hits.tolist() == [[1, 2, 3, 4], [0, 2, 3, 4], [0, 1, 3, 4], [0, 1, 2, 4], [0, 1, 2, 3]]
    assert found.values["mAP"][0] == (1 / 2 + 2 / 4) / 2


def test_row_named_twice_by_an_index_counts_once_and_missing_hits_are_wrong():
    found = measure_hits([[2, 2, 3, -1]], ["a"], ["a", "b", "a", "b"], [1, 2, 4], own=False)
    assert [found.values[f"P@{k}"][0] for k in (1, 2, 4)] == [1, 1 / 2, 1 / 4]


def test_no_query_with_a_relevant_image_has_no_means():
    found = rank_all(at_angles([0]), at_angles([1, 2]), ["c"], ["a", "b"], [1])
    with pytest.raises(InvalidInputError, match="nothing to retrieve"):
        found.means()


@pytest.mark.parametrize("scale", [1, 1e-12])
def test_euclidean_rows_need_not_be_of_unit_length(scale):
    rows = np.float32([[0], [1], [3], [7]]) * np.float32(scale)
    assert rank_others(rows, [0, 0, 1, 1], [3], "euclidean").hits[2].tolist() == [1, 0, 3]


def test_small_distances_far_from_the_origin_are_told_apart():
    rows = 1000 + np.float32([[0], [0.01], [0.03], [0.07]]) * np.ones(300, np.float32)
    assert rank_others(rows, [0, 0, 1, 1], [3], "euclidean").hits.tolist() == [
        [1, 2, 3],
        [0, 2, 3],
        [1, 0, 3],
        [2, 1, 0],
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((np.eye(2), np.eye(3), "ab", "abc", [1]), "queries have 2 dimensions, the gallery 3"),
        ((np.eye(2), np.eye(2), "abc", "ab", [1]), "3 labels for 2 queries, 2 for 2 images"),
        ((np.eye(2), np.eye(2), "ab", "ab", [3]), "expected 1 to 2, the number of images to find"),
        ((np.eye(2), np.eye(2), "ab", "ab", []), "expected 1 to 2"),
        ((np.eye(2), np.full((2, 2), np.inf), "ab", "ab", [1], "euclidean"), "row 0 .* NaN, infinity"),
        ((np.eye(2), np.full((2, 2), 1e19), "ab", "ab", [1], "euclidean"), "a length below 1e18"),
        ((np.eye(2), np.empty((0, 2)), "ab", "", [1]), "there are no vectors"),
    ],
)
def test_what_cannot_be_ranked_is_an_error(arguments, words):
    queries, gallery, wanted, labels, *others = arguments
    with pytest.raises(InvalidInputError, match=words):
        rank_all(queries, gallery, list(wanted), list(labels), *others)


@pytest.mark.parametrize(
    ("hits", "ks", "words"),
    [([[0, 3]], [1], "not rows of 3 labels"), ([[0, 1]], [3], "hits of each query"), ([0, 1], [1], "shape")],
)
def test_hits_that_cannot_be_measured_are_an_error(hits, ks, words):
    with pytest.raises(InvalidInputError, match=words):
        measure_hits(hits, ["a"], ["a", "b", "a"], ks, own=False)


def test_means_without_cuts_are_those_of_the_whole_ranking():
    vectors, labels = random_rows(30, 4), np.arange(30) % 3
    assert leave_one_out(vectors, labels, ks=[]).precision == {}
    assert (
        leave_one_out(vectors, labels, ks=[]).mean_average_precision
        == rank_others(vectors, labels, [1]).means()["mAP"]
    )
