"""Vectors and seeds that are none, at every estimator: an error of ours, and nothing else."""

import numpy as np
import pytest

from lookalike.cluster import (
    DBSCAN,
    HDBSCAN,
    AgglomerativeClustering,
    HierarchicalKMeans,
    KMeans,
    SpectralClustering,
    choose_k,
    suggest_eps,
)
from lookalike.errors import InvalidInputError, InvalidTypeError

ROWS = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
MASKED = np.ma.MaskedArray(ROWS, np.arange(80).reshape(20, 4) == 7)
FITS = {
    "DBSCAN": lambda rows: DBSCAN(1.0).fit(rows),
    "HDBSCAN": lambda rows: HDBSCAN().fit(rows),
    "agglomerative": lambda rows: AgglomerativeClustering(2, n_neighbors=3).fit(rows),
    "hierarchical": lambda rows: HierarchicalKMeans(2).fit(rows),
    "k-means": lambda rows: KMeans(2).fit(rows),
    "spectral": lambda rows: SpectralClustering(2, 3).fit(rows),
    "choose_k": lambda rows: choose_k(rows, [2]),
    "suggest_eps": lambda rows: suggest_eps(rows),
}
NONE = {
    "complex": ROWS.astype(complex),
    "words": ROWS.astype(str),
    "bytes": ROWS.astype("S9"),
    "dates": ROWS.astype("i8").astype("M8[s]"),
    "spans": ROWS.astype("i8").astype("m8[s]"),
    "masked": MASKED,
    "ragged": [[1.0, 2.0], [3.0]],
    "objects": np.full((20, 4), object()),
    "words among objects": np.array([["1", 2], [3, 4]], object),
    "huge": np.full((20, 4), 10**400, object),
    "a set": {1.0, 2.0},
    "None": None,
    "no rows": ROWS[:0],
    "no columns": ROWS[:, :0],
    "NaN": np.where(np.arange(80).reshape(20, 4) == 3, np.nan, ROWS),
}


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("kind", NONE)
def test_what_is_no_vectors_is_refused(name, kind):
    with pytest.raises(InvalidInputError):
        FITS[name](NONE[kind])


def test_objects_that_are_no_numbers_are_a_type_error_too():
    with pytest.raises(InvalidTypeError) as caught:
        KMeans(2).fit(NONE["objects"])
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("name", ["DBSCAN", "HDBSCAN", "agglomerative", "spectral"])
def test_a_mask_that_hides_nothing_changes_nothing(name):
    plain, masked = FITS[name](ROWS), FITS[name](np.ma.MaskedArray(ROWS))
    assert np.array_equal(plain.labels_, masked.labels_)


@pytest.mark.parametrize(
    "seed", [True, -1, 2**32, 1.5, "1", [1], np.array([1]), np.random.default_rng(0), object()]
)
@pytest.mark.parametrize("kind", [KMeans, HierarchicalKMeans, SpectralClustering])
def test_seeds_that_are_none_are_refused(kind, seed):
    with pytest.raises(InvalidInputError, match="random_state"):
        kind(2, random_state=seed).fit(ROWS)


@pytest.mark.parametrize("seed", [None, np.random.RandomState(3), np.uint32(3)])
def test_seeds_as_scikit_learn_takes_them_are_taken(seed):
    assert KMeans(2, random_state=seed).fit(ROWS).labels_.shape == (20,)


def test_rows_that_all_point_the_same_way_have_no_groups_by_density():
    rows = np.outer([1, 2, 4, 8, 16, 32], [1, 0, 0]).astype(np.float32)
    with pytest.raises(InvalidInputError, match="point the same way"):
        HDBSCAN(2, metric="cosine").fit(rows)
    assert DBSCAN(0.1, 2, metric="cosine").fit(rows).labels_.tolist() == [0] * 6


def test_parallel_rows_are_copies_by_cosine():
    way = np.array([[1, 0], [0, 1], [1, 1]])[np.arange(15) % 3]
    found = HDBSCAN(3, metric="cosine").fit(way * np.linspace(1, 9, 15)[:, None])
    assert [len(set(found.labels_[start::3])) for start in range(3)] == [1, 1, 1]
    assert np.isfinite(found.probabilities_).all()


def test_values_too_far_for_their_distances_are_refused():
    model = KMeans(2).fit(ROWS.astype(float))
    with pytest.raises(InvalidInputError, match="too far"):
        model.transform(np.full((2, 4), 1e300))
