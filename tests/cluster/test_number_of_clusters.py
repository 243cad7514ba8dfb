"""Help in choosing k."""

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from lookalike.cluster import KMeans, choose_k
from lookalike.errors import InvalidInputError


def blobs(n, k):
    random = np.random.default_rng(0)
    return 6 * random.standard_normal((k, 5))[np.arange(n) % k] + random.standard_normal((n, 5))


def test_the_number_of_blobs_is_suggested():
    rows = blobs(600, 8)
    choice = choose_k(rows)
    assert choice.suggested == 8
    assert choice.ks == (2, 3, 4, 6, 8, 11, 16, 23, 32)
    assert len(choice.seconds) == len(choice.ks)
    assert all(np.diff(choice.inertias) < 0)


def test_figures_are_those_of_k_means_and_of_scikit_learn():
    rows = blobs(300, 4)
    choice = choose_k(rows, [5, 3])
    for k, inertia, silhouette in zip(choice.ks, choice.inertias, choice.silhouettes, strict=True):
        model = KMeans(k).fit(rows)
        assert inertia == model.inertia_
        assert silhouette == pytest.approx(silhouette_score(rows, model.labels_))


def test_a_sample_comes_near_to_the_whole():
    rows = blobs(3_000, 4)
    whole, sampled = choose_k(rows, [4], n_sample=3_000), choose_k(rows, [4], n_sample=500)
    assert whole.silhouettes != sampled.silhouettes
    assert whole.silhouettes[0] == pytest.approx(sampled.silhouettes[0], abs=0.02)


@pytest.mark.parametrize(("n", "ks"), [(3, (2,)), (5, (2, 3, 4)), (20, (2, 3, 4, 6))])
def test_few_rows_are_tried_with_few_clusters(n, ks):
    assert choose_k(blobs(n, 3)).ks == ks


def test_where_no_silhouette_says_anything_the_bend_is_suggested():
    choice = choose_k(np.random.default_rng(0).normal(size=(400, 20)) * [3, *19 * [1]])
    assert max(choice.silhouettes) == choice.silhouettes[0] < 0.25
    assert choice.suggested == choice.bend
    # By hand: how far each point of the curve lies below the line from its first to its last.
    (first, last), (high, low) = (choice.ks[0], choice.ks[-1]), (choice.inertias[0], choice.inertias[-1])
    line = [high + (k - first) / (last - first) * (low - high) for k in choice.ks]
    below = [point - inertia for point, inertia in zip(line, choice.inertias, strict=True)]
    assert choice.bend == choice.ks[below.index(max(below))] > 2
    assert choice.reason == "bend of the inertia"
    assert str(choice).count("suggested: bend of the inertia") == 1


def test_equal_rows_have_no_silhouette():
    choice = choose_k(np.ones((10, 2)), [2, 3])
    assert np.isnan(choice.silhouettes).all()
    assert choice.suggested == 2


@pytest.mark.parametrize(
    ("rows", "ks", "message"),
    [
        (np.eye(2), None, "there are 2 rows; expected 3 or more"),
        (np.eye(4), [1], "k is 1; expected whole numbers from 2 to 3"),
        (np.eye(4), [2, 4], "k is 4; expected whole numbers from 2 to 3"),
        (np.eye(4), [], "no k to try"),
        (np.full((4, 1), np.nan), [2], "NaN"),
    ],
)
def test_bad_requests_are_one_clear_line(rows, ks, message):
    with pytest.raises(InvalidInputError, match=message):
        choose_k(rows, ks)
