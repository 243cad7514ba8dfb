"""Measures of retrieval and of clusterings: worked by hand, then against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.metrics import average_precision_score
from unit_rows import at_angles, random_rows

from lookalike.errors import InvalidInputError
from lookalike.evaluate import compare_with_labels, leave_one_out, silhouette


def test_example_worked_by_hand():
    """Images at 0, 10, 31, 60 degrees, labelled a b a b.

    From  0: 10 b, 31 a, 60 b: the relevant one at rank 2: AP 1/2.  P@1 0, P@2 1/2, P@3 1/3
    From 10:  0 a, 31 a, 60 b: the relevant one at rank 3: AP 1/3.  P@1 0, P@2 0,   P@3 1/3
    From 31: 10 b, 60 b,  0 a: the relevant one at rank 3: AP 1/3.  P@1 0, P@2 0,   P@3 1/3
    From 60: 31 a, 10 b,  0 a: the relevant one at rank 2: AP 1/2.  P@1 0, P@2 1/2, P@3 1/3
    """
    scores = leave_one_out(at_angles([0, 10, 31, 60]), ["a", "b", "a", "b"], ks=[1, 2, 3])
    assert scores.mean_average_precision == pytest.approx((1 / 2 + 1 / 3 + 1 / 3 + 1 / 2) / 4, abs=1e-12)
    assert scores.precision[1] == 0
    assert scores.precision[2] == pytest.approx((1 / 2 + 0 + 0 + 1 / 2) / 4, abs=1e-12)
    assert scores.precision[3] == pytest.approx(1 / 3, abs=1e-12)
    assert scores.queries == 4


def test_several_relevant_images_worked_by_hand():
    """From 0 the relevant ones, a, lie at ranks 1, 3 and 4: AP = (1/1 + 2/3 + 3/4) / 3."""
    scores = leave_one_out(at_angles([0, 1, 3, 7, 15]), ["a", "a", "b", "a", "a"], ks=[1, 4])
    by_query = [
        (1 / 1 + 2 / 3 + 3 / 4) / 3,  # from 0: 1 a, 3 b, 7 a, 15 a
        (1 / 1 + 2 / 3 + 3 / 4) / 3,  # from 1: 0 a, 3 b, 7 a, 15 a
        (1 / 2 + 2 / 3 + 3 / 4) / 3,  # from 7: 3 b, 1 a, 0 a, 15 a
        (1 / 1 + 2 / 3 + 3 / 4) / 3,  # from 15: 7 a, 3 b, 1 a, 0 a
    ]
    assert scores.mean_average_precision == pytest.approx(np.mean(by_query), abs=1e-12)
    assert scores.precision == {1: pytest.approx(3 / 4), 4: pytest.approx(3 / 4)}
    assert scores.queries == 4  # b has nobody to find


@pytest.mark.parametrize(("n", "d", "classes"), [(60, 8, 3), (700, 16, 20)])
def test_average_precision_is_that_of_scikit_learn(n, d, classes):
    vectors = random_rows(n, d)
    labels = np.random.default_rng(1).integers(0, classes, n)
    similarity = vectors @ vectors.T
    expected, first = [], []
    for query in range(n):
        others = np.arange(n) != query
        relevant = labels[others] == labels[query]
        expected.append(average_precision_score(relevant, similarity[query, others]))
        first.append(relevant[np.argmax(similarity[query, others])])
    scores = leave_one_out(vectors, labels)
    assert scores.mean_average_precision == pytest.approx(np.mean(expected), abs=1e-9)
    assert scores.precision[1] == pytest.approx(np.mean(first), abs=1e-9)


def test_order_of_the_images_does_not_change_the_scores():
    vectors, labels = random_rows(600, 8), np.arange(600) % 7
    shuffled = np.random.default_rng(2).permutation(600)
    straight, other = leave_one_out(vectors, labels), leave_one_out(vectors[shuffled], labels[shuffled])
    # Not to the last digit: similarities that differ by less than a rounding may change places.
    assert straight.mean_average_precision == pytest.approx(other.mean_average_precision, abs=1e-6)


def test_of_equally_similar_images_the_earlier_row_comes_first():
    vectors = np.array([[1, 0], [0, 1], [0, 1], [0, 1]], np.float32)
    for labels, precision in ((["a", "a", "b", "c"], 1), (["a", "b", "a", "c"], 0)):
        scores = leave_one_out(vectors, labels, ks=[1])
        assert scores.queries == 2
        # The first row finds rows 1, 2, 3 in this order. The other a finds the other b or c before it.
        assert scores.precision[1] == precision / 2


def test_image_itself_is_never_its_own_hit_even_among_copies():
    scores = leave_one_out(np.tile(np.float32([[1, 0]]), (4, 1)), ["a", "a", "b", "b"], ks=[1, 3])
    # All are equal, so each finds the others by row: row 0 finds row 1 first, the others row 0.
    assert scores.precision[1] == pytest.approx(2 / 4)
    assert scores.precision[3] == pytest.approx(1 / 3)


def test_perfect_and_worst_retrieval_are_one_and_the_floor():
    vectors = at_angles([0, 1, 90, 91])
    assert leave_one_out(vectors, [0, 0, 1, 1], ks=[1]).mean_average_precision == 1
    assert leave_one_out(vectors, [0, 1, 0, 1], ks=[1]).precision[1] == 0


def test_label_with_a_single_image_is_not_counted_but_can_be_in_the_way():
    vectors = at_angles([0, 1, 3, 90])
    scores = leave_one_out(vectors, ["a", "alone", "a", "a"], ks=[1])
    assert scores.queries == 3
    # From 0: alone, a, a. From 3: alone, a, a. From 90: a, alone, a.
    assert scores.mean_average_precision == pytest.approx(
        (2 * (1 / 2 + 2 / 3) / 2 + (1 + 2 / 3) / 2) / 3, abs=1e-12
    )
    assert scores.precision[1] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "labels", [["x", "y", "x"], [1.5, 2.0, 1.5], [True, False, True], np.array(["x", "y", "x"])]
)
def test_labels_are_of_any_kind(labels):
    assert leave_one_out(at_angles([0, 5, 90]), labels, ks=[1]).queries == 2


def test_inputs_are_not_modified():
    vectors, labels = random_rows(20, 4), np.arange(20) % 3
    before = vectors.copy(), labels.copy()
    leave_one_out(vectors, labels)
    assert (vectors == before[0]).all()
    assert (labels == before[1]).all()


@pytest.mark.parametrize(
    ("vectors", "labels", "ks", "words"),
    [
        (at_angles([0, 1, 2]), ["a", "a"], [1], "2 labels for 3 vectors"),
        (at_angles([0, 1, 2]), ["a"] * 3, [3], "expected 1 to 2"),
        (at_angles([0, 1, 2]), ["a"] * 3, [1, 0], "expected 1 to 2"),
        (at_angles([0, 1, 2]), ["a"] * 3, [1.0], r"ks is \[1.0\]; expected a list of whole number"),
        (at_angles([0, 1, 2]), ["a"] * 3, [True], r"ks is \[True\]; expected a list of whole number"),
        (at_angles([0, 1, 2]), ["a", "b", "c"], [1], "nothing to retrieve"),
        (at_angles([0]), ["a"], [], "expected at least 2"),
        (np.empty((0, 4), np.float32), [], [], "expected at least 2"),
        (at_angles([0, 1, 2]), ["a", None, "a"], [1], "not of one kind"),
        (at_angles([0, 1, 2]), [["a"], ["b"], ["a"]], [1], r"expected \(n,\)"),
        (at_angles([0, 1, 2])[0], ["a", "a"], [1], r"expected floats, \(n, d\)"),
        (np.eye(3, dtype=int), ["a"] * 3, [1], r"expected floats, \(n, d\)"),
        (at_angles([0, 1, 2]) * 2, ["a"] * 3, [1], "row 0 of the vectors has length 2; expected 1"),
        (np.float32([[1, 0], [0, 0]]), ["a", "a"], [1], "row 1 of the vectors has length 0"),
        (np.float32([[1, 0], [np.nan, 0]]), ["a", "a"], [1], "row 1 of the vectors has length nan"),
    ],
)
def test_what_cannot_be_measured_is_an_error(vectors, labels, ks, words):
    with pytest.raises(InvalidInputError, match=words):
        leave_one_out(vectors, labels, ks)


def test_clusters_against_labels_by_hand():
    # Clusters {a a b}, {b b}, noise {a}: the most frequent labels are 2 + 2 + 1 of 6.
    scores = compare_with_labels([0, 0, 0, 1, 1, -1], list("aabbba"))
    assert scores.purity == pytest.approx(5 / 6)
    assert (scores.n_clusters, scores.noise) == (2, pytest.approx(1 / 6))
    # Pairs together in both: aa, bb. In clusters: 3 + 1; in labels: 3 + 3; of 15.
    expected = 4 * 6 / 15
    assert scores.ari == pytest.approx((2 - expected) / ((4 + 6) / 2 - expected))


@pytest.mark.parametrize("seed", range(5))
def test_measures_of_clusters_are_scikit_learns(seed):
    random = np.random.default_rng(seed)
    clusters, labels = random.integers(-1, 6, 200), random.integers(0, 4, 200)
    scores = compare_with_labels(clusters, labels)
    assert scores.nmi == pytest.approx(metrics.normalized_mutual_info_score(labels, clusters), abs=1e-9)
    assert scores.ari == pytest.approx(metrics.adjusted_rand_score(labels, clusters), abs=1e-9)
    table = metrics.cluster.contingency_matrix(labels, clusters)
    assert scores.purity == pytest.approx(table.max(axis=0).sum() / 200, abs=1e-9)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_silhouette_of_all_images_is_scikit_learns(metric):
    random = np.random.default_rng(0)
    rows, clusters = random.standard_normal((400, 5)), random.integers(0, 5, 400)
    clusters[0] = 9  # alone
    expected = metrics.silhouette_score(rows, clusters, metric=metric)
    assert silhouette(rows, clusters, metric) == pytest.approx(expected, abs=1e-9)
    noisy = np.concatenate([rows, 100 * rows[:50]]), np.concatenate([clusters, np.full(50, -1)])
    assert silhouette(*noisy, metric) == pytest.approx(expected, abs=1e-9)


def test_sampled_silhouette_is_near_that_of_all_and_repeatable():
    random = np.random.default_rng(0)
    clusters = np.repeat([0, 1, 2], 300)
    rows = random.standard_normal((900, 4)) + 2 * clusters[:, None]
    whole = silhouette(rows, clusters)
    sampled = silhouette(rows, clusters, n_sampled=300)
    assert sampled == silhouette(rows, clusters, n_sampled=300)
    assert 0 < abs(sampled - whole) < 0.05


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda: compare_with_labels([0, 1], ["a"]), "2 clusters for 1 labels"),
        (lambda: compare_with_labels([], []), "0 clusters for 0 labels"),
        (lambda: compare_with_labels([0.5], ["a"]), "clusters are not whole numbers .*float64"),
        (lambda: silhouette([[1], [2], [3]], [0, 0, 0]), "there are 1 clusters of 3 images"),
        (lambda: silhouette([[1], [2], [3]], [0, 1, 2]), "there are 3 clusters of 3 images"),
        (lambda: silhouette([[1], [np.nan], [3]], [0, 1, 1]), "expected finite numbers"),
        (lambda: silhouette([[1], [2]], [0, 1, 1]), "for 3 clusters"),
    ],
)
def test_measures_of_clusters_say_what_is_wrong(work, message):
    with pytest.raises(InvalidInputError, match=message):
        work()
