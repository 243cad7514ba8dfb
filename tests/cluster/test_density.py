"""DBSCAN and HDBSCAN are scikit-learn's, whatever they are computed on."""

import numpy as np
import pytest
from sklearn import cluster
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from lookalike.cluster import DBSCAN, HDBSCAN, suggest_eps
from lookalike.errors import InvalidInputError

BLOBS = make_blobs(900, 8, centers=5, cluster_std=[0.5, 1, 1.5, 2, 2], random_state=3)[0].astype(np.float32)


def test_dbscan_by_hand():
    # 0 and 2 touch a core image at 1; 5 touches that at 6; 20 touches none.
    rows = [[0], [1], [2], [5], [6], [7], [20]]
    found = DBSCAN(eps=1, min_samples=3).fit(rows)
    assert found.labels_.tolist() == [0, 0, 0, 1, 1, 1, -1]
    assert found.core_sample_indices_.tolist() == [1, 4]


def test_image_between_two_clusters_joins_the_first():
    rows = [[10.0], [11.0], [12.0], [13.5], [15.0], [16.0], [17.0]]
    found = DBSCAN(eps=1.5, min_samples=4).fit_predict(rows)
    assert found.tolist() == cluster.DBSCAN(eps=1.5, min_samples=4).fit_predict(rows).tolist()


@pytest.mark.parametrize("eps", [0.8, 1.5, 2.5, 4.0])
@pytest.mark.parametrize("min_samples", [1, 4, 20])
def test_dbscan_has_scikit_learns_labels(eps, min_samples):
    theirs = cluster.DBSCAN(eps=eps, min_samples=min_samples).fit(BLOBS)
    ours = DBSCAN(eps, min_samples).fit(BLOBS)
    assert ours.labels_.tolist() == theirs.labels_.tolist()
    assert ours.core_sample_indices_.tolist() == theirs.core_sample_indices_.tolist()


def test_dbscan_by_cosine_is_that_on_cosine_distances():
    rows = BLOBS - BLOBS.mean(axis=0)
    theirs = cluster.DBSCAN(eps=0.02, min_samples=5, metric="cosine").fit(rows.astype(np.float64))
    assert DBSCAN(0.02, 5, metric="cosine").fit_predict(rows).tolist() == theirs.labels_.tolist()


@pytest.mark.parametrize(("size", "min_samples"), [(5, None), (15, 3), (30, 10), (5, 1)])
@pytest.mark.parametrize("method", ["eom", "leaf"])
def test_hdbscan_has_scikit_learns_clusters(size, min_samples, method):
    theirs = cluster.HDBSCAN(
        size, min_samples=min_samples, cluster_selection_method=method, copy=True
    ).fit_predict(BLOBS)
    ours = HDBSCAN(size, min_samples, cluster_selection_method=method).fit(BLOBS)
    assert adjusted_rand_score(theirs, ours.labels_) > 0.99
    assert ((ours.labels_ == -1) == (ours.probabilities_ == 0)).all()


def test_hdbscan_takes_more_copies_than_min_samples():
    rows = np.concatenate(
        [np.repeat([[0.0, 0.0]], 12, axis=0), np.repeat([[5.0, 0.0]], 12, axis=0), [[9, 9]]]
    )
    labels = HDBSCAN(5).fit_predict(rows)
    assert len(set(labels[:12])) == len(set(labels[12:24])) == 1
    assert labels[0] != labels[12]


def test_suggestion_is_the_knee_where_that_tells_clusters_apart():
    suggested = suggest_eps(BLOBS, min_samples=5)
    assert suggested.eps == suggested.knee
    labels = DBSCAN(suggested.eps, 5).fit_predict(BLOBS)
    assert np.bincount(labels + 1)[1:].max() <= len(BLOBS) / 2


def test_suggestion_stays_below_where_everything_flows_together():
    # Two groups on a thin mist that joins them long before the knee.
    random = np.random.default_rng(0)
    mist = random.uniform(-6, 12, (400, 2))
    rows = np.concatenate([random.normal(0, 1, (300, 2)), random.normal(6, 1, (300, 2)), mist])
    suggested = suggest_eps(rows, min_samples=8)
    labels = DBSCAN(suggested.eps, 8).fit_predict(rows)
    sizes = np.sort(np.bincount(labels + 1)[1:])[::-1]
    assert suggested.eps < suggested.knee
    assert sizes[1] > 100


def test_curve_is_sorted_and_counts_the_image_itself():
    assert suggest_eps([[0], [1], [3], [7]], min_samples=2).distances.tolist() == [1, 1, 2, 4]


@pytest.mark.parametrize("make", [lambda: DBSCAN(1.2, 4), lambda: HDBSCAN(10)])
def test_two_runs_agree(make):
    assert make().fit_predict(BLOBS).tolist() == make().fit_predict(BLOBS).tolist()


def test_parameters_can_be_got_and_set_as_scikit_learn_does():
    assert DBSCAN(0.3).set_params(min_samples=9).get_params() == {
        "eps": 0.3,
        "min_samples": 9,
        "metric": "euclidean",
    }
    assert HDBSCAN(7).get_params()["min_cluster_size"] == 7


ROWS = [[0.0], [1.0], [5.0]]


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda: DBSCAN(0).fit(ROWS), "eps is 0; expected a distance above 0"),
        (lambda: DBSCAN(-1).fit(ROWS), "eps is -1"),
        (lambda: DBSCAN(float("nan")).fit(ROWS), "eps is nan"),
        (lambda: DBSCAN("1").fit(ROWS), "eps is '1'"),
        (lambda: DBSCAN(1, 4).fit(ROWS), "min_samples is 4; expected a whole number from 1 to 3"),
        (lambda: DBSCAN(1, 0).fit(ROWS), "min_samples is 0"),
        (lambda: DBSCAN(1, 1).fit([[1.0]]), "only 1 vector"),
        (lambda: DBSCAN(1, 1).fit([[2.0], [2.0]]), "all 2 vectors are equal"),
        (lambda: DBSCAN(1, 1).fit([[2.0], [np.nan]]), "NaN"),
        (lambda: DBSCAN(1, 1, metric="cityblock").fit(ROWS), "metric is 'cityblock'"),
        (lambda: HDBSCAN(1).fit(ROWS), "min_cluster_size is 1; expected a whole number from 2 to 3"),
        (lambda: HDBSCAN(4).fit(ROWS), "min_cluster_size is 4"),
        (lambda: HDBSCAN(2, 4).fit(ROWS), "min_samples is 4"),
        (lambda: HDBSCAN(2).fit([[1.0]]), "only 1 vector"),
        (lambda: HDBSCAN(2).fit([[1.0], [1.0]]), "all 2 vectors are equal"),
        (lambda: HDBSCAN(2, cluster_selection_method="best").fit(ROWS), "expected eom or leaf"),
        (lambda: HDBSCAN(2, recall=0).fit(ROWS), "recall is 0"),
        (lambda: suggest_eps(ROWS, 4), "min_samples is 4; expected a whole number from 2 to 3"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(work, message):
    with pytest.raises(InvalidInputError, match=message) as raised:
        work()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("min_samples", [2, 5])
def test_what_is_said_of_a_distance_is_what_dbscan_finds(min_samples):
    rows = np.random.default_rng(3).normal(size=(300, 4)).astype(np.float32)
    found = suggest_eps(rows, min_samples)
    for eps in (*np.quantile(found.distances, [0, 0.1, 0.4, 0.9]) * 1.001, found.eps, found.knee, 0.01, 99.0):
        model = DBSCAN(float(eps), min_samples).fit(rows)
        labels = model.labels_[model.core_sample_indices_]
        at = found.at(float(eps))
        assert at.n_core == len(labels)
        assert at.n_clusters == len(set(labels.tolist()))
        assert at.n_largest == np.bincount(labels, minlength=1).max()
