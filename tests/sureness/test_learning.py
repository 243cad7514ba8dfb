"""What is learned of vectors: probabilities that come true, and what is strange."""

import numpy as np
import pytest

from lookalike.index import Exact
from lookalike.sureness.calibration_error import expected_calibration_error
from lookalike.sureness.familiarity import ALARM, CANDIDATES, Familiarity, Space, nearness
from lookalike.sureness.learning import FEWEST, Learnable, learn
from lookalike.sureness.likelihood import (
    USUAL,
    Pairs,
    learn_likelihood,
    similarities_between,
    similarity_of,
)

N_KINDS, N_EACH, D = 30, 40, 48


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def kinds(seed, noise=1.1, n_kinds=N_KINDS, first=0):
    """Clusters of unit vectors: the centers of a seed's own, around them what another drew."""
    centers = np.random.default_rng(1).normal(size=(200, D))[first : first + n_kinds]
    random = np.random.default_rng(seed)
    codes = np.repeat(np.arange(n_kinds), N_EACH)
    return unit(centers[codes] + noise * random.normal(size=(len(codes), D))), codes


def learnable(vectors, metric="cosine"):
    ids = np.arange(len(vectors)) * 7 + 3
    index = Exact(metric).build(vectors, ids)

    def take(some):
        return vectors[np.searchsorted(ids, some)]

    return Learnable(ids, vectors.shape[1], take, lambda queries, k: index.search(queries, k, 1.0), metric)


@pytest.fixture(scope="module")
def known():
    vectors, codes = kinds(seed=2)
    collection = learnable(vectors)
    return vectors, codes, collection, learn(collection, collection.ids, codes)


def look(learned, collection, queries):
    """Return similarities, codes' rows and shares of familiarity of some queries."""
    found = collection.search(queries, CANDIDATES)
    similar = similarity_of(found.distances, collection.metric)
    space = learned.familiarity.space
    dense = [
        space.relative_density(query, space.into(collection.take(ids)), ids)
        for query, ids in zip(space.into(queries), found.ids, strict=True)
    ]
    near = [nearness(row) for row in similar]
    return similar, (found.ids - 3) // 7, learned.familiarity.share(near, dense)


def test_probabilities_come_true_for_queries_that_are_not_in_the_collection(known):
    _, codes, collection, learned = known
    queries, wanted = kinds(seed=9)
    similar, rows, _ = look(learned, collection, queries)
    said = learned.likelihood.of(similar, similar[:, :10].mean(axis=1, keepdims=True))
    are_same = codes[rows] == wanted[:, None]
    assert 0.2 < are_same.mean() < 0.95
    assert expected_calibration_error(said.ravel(), are_same.ravel()) < 0.05  # 0.012 when this was written


def test_probabilities_of_one_query_rise_with_similarity(known):
    learned = known[3]
    said = learned.likelihood.of(np.linspace(-1, 1, 200), 0.6)
    assert (np.diff(said) >= 0).all() and said[0] < 0.05 and said[-1] > 0.8


def test_chance_is_how_often_two_share_a_label(known):
    learned = known[3]
    assert learned.likelihood.is_of_labels
    assert learned.likelihood.chance == pytest.approx((N_EACH - 1) / (N_KINDS * N_EACH - 1))


def test_few_are_called_strange_that_are_like_the_others(known):
    _, _, collection, learned = known
    share = look(learned, collection, kinds(seed=9)[0])[2]
    assert (
        np.mean(share < ALARM) <= 0.08
    )  # 0.05 is what is promised, of 1,200 queries and as many that taught it


def test_what_is_of_no_kind_that_is_there_is_strange(known):
    _, _, collection, learned = known
    others = kinds(seed=9, first=100)[0]
    noise = unit(np.random.default_rng(3).normal(size=(300, D)))
    assert np.mean(look(learned, collection, others)[2] < ALARM) > 0.9
    assert np.mean(look(learned, collection, noise)[2] < ALARM) > 0.9


def test_without_labels_the_usual_curve_holds(known):
    _, _, collection, _ = known
    learned = learn(collection, collection.ids, np.full(len(collection.ids), -1))
    assert not learned.likelihood.is_of_labels
    assert learned.likelihood.curve is USUAL


def test_few_labels_tell_nothing(known):
    _, codes, collection, _ = known
    few = np.where(np.arange(len(codes)) < 20, codes, -1)
    learned = learn(collection, collection.ids, few)
    assert not learned.likelihood.is_of_labels


def test_too_few_pictures_and_equal_ones_tell_nothing():
    few = kinds(seed=2)[0][: FEWEST - 1]
    assert learn(learnable(few), np.arange(3), np.full(3, -1)) is None
    equal = np.tile(unit(np.ones((1, D))), (FEWEST, 1))
    assert learn(learnable(equal), np.arange(3), np.full(3, -1)) is None


def test_euclidean_models_are_learned_too():
    vectors, codes = kinds(seed=2)
    collection = learnable(vectors * 50, "euclidean")
    learned = learn(collection, collection.ids, codes)
    queries, wanted = kinds(seed=9)
    similar, rows, share = look(learned, collection, queries * 50)
    said = learned.likelihood.of(similar, similar[:, :10].mean(axis=1, keepdims=True))
    assert expected_calibration_error(said.ravel(), (codes[rows] == wanted[:, None]).ravel()) < 0.05
    assert np.mean(share < ALARM) <= 0.08


def test_the_same_is_learned_each_time(known):
    _, codes, collection, learned = known
    again = learn(collection, collection.ids, codes)
    assert (again.likelihood.curve.values == learned.likelihood.curve.values).all()
    assert (again.familiarity.least == learned.familiarity.least).all()


def test_euclidean_similarities_are_distances_with_a_minus():
    found = similarities_between(
        np.array([[0, 0]], np.float32), np.array([[3, 4], [0, 0]], np.float32), "euclidean"
    )
    assert found.tolist() == [[-5.0, 0.0]]


def test_nothing_is_learned_where_all_similarities_are_equal():
    assert learn_likelihood(np.ones(5, np.float32), np.ones(1), None) is None


def test_a_pair_of_itself_teaches_nothing():
    similarities = np.full((60, 60), 0.2, np.float32)
    np.fill_diagonal(similarities, -np.inf)
    are_same = np.ones((60, 60), bool)
    np.fill_diagonal(are_same, False)
    pairs = Pairs(similarities, np.full(60, 0.2), are_same)
    learned = learn_likelihood(np.array([0.1, 0.2, 0.3], np.float32), np.array([0.2]), pairs)
    assert learned.chance == 1
    assert learned.of([0.2], 0.2)[0] > 0.95


def test_density_leaves_the_picture_itself_out():
    rows = unit(np.array([[1, 0], [0, 1], [1, 1]], float))
    space = Space(np.zeros(2, np.float32), np.eye(2, dtype=np.float32), rows, np.array([5, 6, 7]))
    # Of five nearest there are three at most, the picture's own counts as -1: (0 + 0.7071 - 1) / 3.
    assert space.density(rows[:1], np.array([5]))[0] == pytest.approx((0 + 0.5**0.5 - 1) / 3, abs=1e-6)
    assert space.density(rows[:1], np.array([9]))[0] == pytest.approx((0 + 0.5**0.5 + 1) / 3, abs=1e-6)


def test_a_share_is_of_the_pictures_that_are_as_strange_or_stranger():
    space = Space(
        np.zeros(1, np.float32), np.eye(1, dtype=np.float32), np.ones((1, 1), np.float32), np.array([1])
    )
    familiarity = Familiarity.of(space, np.arange(1.0, 101), np.arange(1.0, 101))
    assert familiarity.share([0.0], [0.0])[0] == 0
    assert familiarity.share([100.0], [3.5])[0] == pytest.approx(0.03)
    assert familiarity.share([50.0, 50.0], [4.0, 6.0]).tolist() == [0.04, 0.06]
