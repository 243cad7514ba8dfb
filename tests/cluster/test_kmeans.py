"""k-means against a plain one written here, its boundaries, and scikit-learn's manners."""

import pickle

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator

from lookalike.cluster import KMeans
from lookalike.errors import InvalidInputError


def blobs(n, d, k, seed=0, spread=1.0):
    random = np.random.default_rng(seed)
    centres = 4 * random.standard_normal((k, d))
    return (centres[random.integers(0, k, n)] + spread * random.standard_normal((n, d))).astype(np.float32)


def plain_lloyd(rows, centres, n_rounds=1_000):
    """Return labels, centres and the inertia of each round; a centre without rows gets the farthest row."""
    rows, centres = rows.astype(np.float64), np.array(centres, np.float64)
    history, labels = [], None
    for number in range(n_rounds + 1):
        squares = cdist(rows, centres, "sqeuclidean")
        before, labels = labels, squares.argmin(axis=1)
        nearest = squares.min(axis=1)
        history.append(nearest.sum())
        if number == n_rounds or (before is not None and (before == labels).all()):
            break
        members = labels.copy()
        counts = np.bincount(members, minlength=len(centres))
        far = iter(np.argsort(-nearest, kind="stable"))
        for empty in np.flatnonzero(counts == 0):
            row = next(row for row in far if counts[members[row]] > 1)
            counts[members[row]] -= 1
            members[row], counts[empty] = empty, 1
        centres = np.array([rows[members == label].mean(axis=0) for label in range(len(centres))])
    return labels, centres, history


def test_four_points_by_hand():
    model = KMeans(2, init=[[1, 1], [9, 1]]).fit([[0, 0], [0, 2], [10, 0], [10, 4]])
    assert model.labels_.tolist() == [0, 0, 1, 1]
    assert model.cluster_centers_.tolist() == [[0, 1], [10, 2]]
    assert model.inertia_ == 10
    assert model.predict([[6, 0], [4, 9]]).tolist() == [1, 0]
    assert model.transform([[0, 4]]).tolist() == [[3, pytest.approx(104**0.5)]]
    assert model.score([[0, 4], [10, 2]]) == -9


# Short rows are compared as they are, long ones by heads; one centre, one group, several groups.
@pytest.mark.parametrize(
    ("n", "d", "k"), [(2_000, 2, 30), (1_500, 100, 1), (1_500, 130, 40), (3_000, 300, 120)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_labels_are_those_of_the_plain_algorithm(n, d, k, dtype):
    rows = blobs(n, d, 20).astype(dtype)
    first = rows[:k]
    model = KMeans(k, init=first, tol=0, n_jobs=2).fit(rows)
    labels, centres, history = plain_lloyd(rows, first)
    assert (model.labels_ == labels).all()
    assert np.allclose(model.cluster_centers_, centres, atol=1e-5)
    assert np.allclose(model.inertia_history_, history[: len(model.inertia_history_)], rtol=1e-5)
    assert model.inertia_ == pytest.approx(history[-1], rel=1e-5)


@pytest.mark.parametrize("n_rounds", [1, 2, 3, 5, 8])
def test_every_round_is_that_of_the_plain_algorithm(n_rounds):
    rows = blobs(2_000, 150, 5, spread=4.0)
    model = KMeans(64, init=rows[:64], tol=0, max_iter=n_rounds).fit(rows)
    labels, _, history = plain_lloyd(rows, rows[:64], n_rounds)
    assert model.n_iter_ == n_rounds
    assert (model.labels_ == labels).all()
    assert np.allclose(model.inertia_history_, history, rtol=1e-5)


def test_whole_numbers_with_many_equal_distances_are_given_to_the_first_centre():
    random = np.random.default_rng(0)
    rows = random.integers(0, 4, (600, 3)).astype(np.float32)
    first = np.unique(rows, axis=0)[::5]
    model = KMeans(len(first), init=first, tol=0, max_iter=1).fit(rows)
    assert (model.labels_ == plain_lloyd(rows, first, 1)[0]).all()


@pytest.mark.parametrize("scale", [1e-100, 1e-25, 1.0, 1e25])
@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_neither_offset_nor_scale_changes_the_labels(offset, scale):
    rows = ((blobs(800, 5, 6).astype(np.float64) + offset) * scale).astype(np.float64)
    model = KMeans(6, init=rows[:6], tol=0).fit(rows)
    unscaled = rows / scale - offset
    assert (model.labels_ == plain_lloyd(unscaled, unscaled[:6])[0]).all()
    assert model.inertia_ == pytest.approx(plain_lloyd(unscaled, unscaled[:6])[2][-1] * scale**2, rel=1e-4)


def test_rows_far_from_the_origin_in_float32_are_told_apart():
    rows = (blobs(800, 120, 6).astype(np.float64) + 5e4).astype(np.float32)
    model = KMeans(6, init=rows[:6], tol=0).fit(rows)
    assert (model.labels_ == plain_lloyd(rows, rows[:6])[0]).all()


def test_centre_without_rows_is_put_onto_the_farthest_row():
    rows = np.array([[0, 0], [1, 0], [2, 0], [50, 0]], np.float32)
    model = KMeans(3, init=[[1, 0], [900, 0], [901, 0]], tol=0).fit(rows)
    assert model.labels_[3] == 1  # which lay farthest from the one centre that had rows
    assert sorted(np.bincount(model.labels_)) == [1, 1, 2]


def test_several_empty_centres_go_where_the_plain_algorithm_puts_them():
    rows = blobs(500, 110, 12)
    first = np.concatenate([rows[:20], rows[:5] + 1_000])
    model = KMeans(25, init=first, tol=0).fit(rows)
    assert (model.labels_ == plain_lloyd(rows, first)[0]).all()


def test_a_start_beats_random_rows():
    rows = blobs(4_000, 120, 40, spread=0.5)
    model = KMeans(40).fit(rows)
    at_random = KMeans(40, init="random").fit(rows)
    assert (
        model.inertia_ < 1.05 * 4_000 * 120 * 0.25
    )  # every blob found: what is left is the blobs' own spread
    assert at_random.inertia_ > 1.5 * model.inertia_


def test_more_starts_keep_the_best():
    rows = blobs(600, 4, 30)
    one = KMeans(30, init="random").fit(rows)
    many = KMeans(30, init="random", n_init=8).fit(rows)
    assert many.inertia_ < one.inertia_
    assert many.inertia_ == pytest.approx(-many.score(rows))


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_same_number_same_clusters_whatever_the_threads(init):
    rows = blobs(9_000, 110, 30, spread=3.0)
    models = [KMeans(30, init=init, random_state=3, n_jobs=n_jobs).fit(rows) for n_jobs in (1, 2, 3)]
    for model in models[1:]:
        assert (model.labels_ == models[0].labels_).all()
        assert (model.cluster_centers_ == models[0].cluster_centers_).all()
    other = KMeans(30, init=init, random_state=4).fit(rows)
    assert (other.labels_ != models[0].labels_).any()


def test_predict_of_the_same_rows_gives_the_labels():
    for rows in (blobs(900, 3, 8).astype(np.float64), np.arange(300.0)[:, None], blobs(900, 140, 8)):
        model = KMeans(7, max_iter=3).fit(rows)
        assert (model.predict(rows) == model.labels_).all()
        assert (model.transform(rows).argmin(axis=1) == model.labels_).mean() > 0.99
        assert model.score(rows) == pytest.approx(-model.inertia_)


def test_inertia_never_rises_and_tol_ends_early():
    rows = blobs(3_000, 120, 10, spread=4.0)
    full = KMeans(30, init="random", tol=0).fit(rows)
    early = KMeans(30, init="random", tol=1e-1).fit(rows)
    assert len(full.inertia_history_) == full.n_iter_ + 1
    assert (np.diff(full.inertia_history_) <= 1e-6 * full.inertia_).all()
    assert early.n_iter_ < full.n_iter_


def test_as_many_clusters_as_rows():
    rows = blobs(50, 7, 3)
    model = KMeans(50).fit(rows)
    assert sorted(model.labels_) == list(range(50))
    assert model.inertia_ == 0


def test_equal_rows_leave_clusters_empty_with_a_warning():
    with pytest.warns(ConvergenceWarning, match="2 of 3 clusters are empty"):
        model = KMeans(3).fit(np.ones((10, 4)))
    assert len(set(model.labels_)) == 1
    assert model.inertia_ == 0
    with pytest.warns(ConvergenceWarning, match="2 of 5 clusters are empty"):
        assert KMeans(5).fit(np.repeat(np.eye(3), 4, axis=0)).inertia_ == 0


def test_pixels_are_taken_as_they_are():
    rows = np.random.default_rng(0).integers(0, 256, (300, 100), dtype=np.uint8)
    model = KMeans(5).fit(rows)
    assert (model.predict(rows) == model.labels_).all()
    assert (model.labels_ == KMeans(5).fit(rows.astype(np.float32)).labels_).all()


def batches_of(rows, size):
    return lambda: (rows[start : start + size] for start in range(0, len(rows), size))


@pytest.mark.parametrize("d", [3, 120])
def test_batches_give_what_all_rows_at_once_give(d):
    rows = blobs(3_000, d, 12, spread=2.0)
    first = np.concatenate([rows[:28], rows[:2] + 500])  # two of them empty
    whole = KMeans(30, init=first, tol=0).fit(rows)
    parts = KMeans(30, init=first, tol=0).fit_batches(batches_of(rows, 700))
    assert (parts.labels_ == whole.labels_).all()
    assert np.allclose(parts.inertia_history_, whole.inertia_history_, rtol=1e-6)
    assert parts.n_iter_ == whole.n_iter_


def test_batches_without_given_centres_start_from_a_sample(monkeypatch):
    monkeypatch.setattr("lookalike.cluster.kmeans._SAMPLE", 500)
    rows = np.sort(blobs(4_000, 6, 10, spread=0.3), axis=0)
    model = KMeans(10).fit_batches(batches_of(rows, 90))
    whole = KMeans(10, n_init=5).fit(rows)
    assert model.inertia_ < 1.5 * whole.inertia_
    assert (model.predict(rows) == model.labels_).all()


def test_batches_that_change_are_an_error():
    rows = blobs(100, 3, 3)
    calls = iter([rows, rows[:60], rows])
    with pytest.raises(InvalidInputError, match="batches hold 60 rows, and 100 before"):
        KMeans(3).fit_batches(lambda: [next(calls)])
    calls = iter([rows[:60], rows])
    with pytest.raises(InvalidInputError, match="more rows than before, 60"):
        KMeans(3).fit_batches(lambda: [next(calls)])
    with pytest.raises(InvalidInputError, match="no batches"):
        KMeans(3).fit_batches(list)


def test_learning_from_batches_comes_near_to_the_clusters():
    rows = blobs(6_000, 10, 8, spread=0.5)
    model = KMeans(8)
    for batch in batches_of(rows, 500)():
        model.partial_fit(batch)
    assert model.n_iter_ == 12
    assert -model.score(rows) < 1.05 * KMeans(8).fit(rows).inertia_


def test_one_batch_moves_centres_to_the_means_of_its_rows():
    rows = blobs(300, 4, 3)
    model = KMeans(3, init=rows[:3]).partial_fit(rows)
    labels = plain_lloyd(rows, rows[:3], 0)[0]
    assert (model.labels_ == labels).all()
    means = [rows[labels == label].mean(axis=0) for label in range(3)]
    assert np.allclose(model.cluster_centers_, means, atol=1e-5)
    # A second row for a cluster of 1 pulls by a half.
    model = KMeans(2, init=[[0.0], [9.0]]).partial_fit([[0.0], [9.0]]).partial_fit([[4.0]])
    assert model.cluster_centers_.tolist() == [[2.0], [9.0]]


@pytest.mark.parametrize(
    ("parameters", "rows", "message"),
    [
        ({"n_clusters": 5}, np.eye(3), "5 clusters cannot be made of n_samples=3 rows"),
        ({"n_clusters": 0}, np.eye(3), "n_clusters is 0; expected a whole number from 1"),
        ({"n_clusters": 2.5}, np.eye(3), "n_clusters is 2.5"),
        ({"n_clusters": 1}, [[np.nan, 1.0]], "NaN.*Expected finite numbers"),
        ({"n_clusters": 1}, [[np.inf, 1.0]], "infinity"),
        ({"n_clusters": 1}, np.ones(3), r"X has shape \(3,\); expected \(n, d\)"),
        ({"n_clusters": 1}, np.empty((0, 3)), "0 sample"),
        ({"n_clusters": 2, "init": "best"}, np.eye(3), "init is 'best'; expected"),
        ({"n_clusters": 2, "init": np.eye(3)}, np.eye(3), r"init has shape \(3, 3\); expected .* \(2, 3\)"),
        ({"n_clusters": 2, "n_init": 0}, np.eye(3), "n_init is 0"),
        ({"n_clusters": 2, "max_iter": 0}, np.eye(3), "max_iter is 0"),
        ({"n_clusters": 2, "tol": -1}, np.eye(3), "tol is -1"),
        ({"n_clusters": 2, "n_jobs": 0}, np.eye(3), "n_jobs is 0"),
        ({"n_clusters": 2}, np.array([[1e308], [-1e308], [3.0]]), "as far apart as .*; expected less than"),
    ],
)
def test_bad_requests_are_one_clear_line(parameters, rows, message):
    for call in (KMeans(**parameters).fit, KMeans(**parameters).partial_fit):
        with pytest.raises(InvalidInputError, match=message) as caught:
            call(rows)
        assert "\n" not in str(caught.value)


def test_vectors_of_another_dimension_are_refused():
    model = KMeans(2).fit(np.eye(4))
    with pytest.raises(InvalidInputError, match="3 features"):
        model.predict(np.eye(3))


@pytest.mark.parametrize("d", [2, 120])
def test_rows_beyond_all_measure_are_refused(d):
    model = KMeans(2).fit(blobs(50, d, 2))
    for far in (1e60, 1e30, np.float32(1e30)):
        with pytest.raises(InvalidInputError, match="too far from those that the clusters were made of"):
            model.predict(np.full((1, d), far))


def test_a_fitted_model_survives_pickling():
    rows = blobs(300, 120, 4)
    model = KMeans(4).fit(rows)
    assert (pickle.loads(pickle.dumps(model)).predict(rows) == model.labels_).all()


@pytest.mark.filterwarnings("ignore")  # scikit-learn's checks bring warnings of their own
def test_scikit_learn_accepts_it():
    check_estimator(KMeans())
