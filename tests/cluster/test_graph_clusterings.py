"""Spectral and agglomerative clustering on our own graph, next to scikit-learn's."""

import numpy as np
import pytest
from sklearn import cluster
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import kneighbors_graph

from lookalike.cluster import AgglomerativeClustering, SpectralClustering
from lookalike.errors import InvalidInputError

BLOBS, TRUTH = make_blobs(700, 6, centers=4, cluster_std=2.5, random_state=1)


@pytest.mark.parametrize("n", [300, 700])  # all eigenvectors at once, and the leading ones
def test_spectral_has_scikit_learns_clusters(n):
    theirs = cluster.SpectralClustering(
        4, affinity="nearest_neighbors", n_neighbors=15, random_state=0
    ).fit_predict(BLOBS[:n])
    ours = SpectralClustering(4, n_neighbors=15).fit_predict(BLOBS[:n])
    assert adjusted_rand_score(theirs, ours) > 0.98


def test_spectral_tells_half_moons_apart():
    rows, truth = make_moons(600, noise=0.05, random_state=0)
    assert adjusted_rand_score(truth, SpectralClustering(2).fit_predict(rows)) > 0.98


@pytest.mark.parametrize("linkage", ["ward", "complete", "average", "single"])
def test_agglomerative_has_scikit_learns_clusters(linkage):
    rows = BLOBS.astype(np.float32)
    theirs = cluster.AgglomerativeClustering(
        4, linkage=linkage, connectivity=kneighbors_graph(rows, 12)
    ).fit_predict(rows)
    ours = AgglomerativeClustering(4, linkage, n_neighbors=12).fit_predict(rows)
    assert adjusted_rand_score(theirs, ours) == 1


@pytest.mark.parametrize("make", [SpectralClustering, AgglomerativeClustering])
def test_groups_that_no_neighbour_joins_are_still_clustered(make):
    group = np.random.default_rng(0).normal(size=(60, 3))
    rows = np.concatenate([group + 1_000 * i for i in range(5)])
    labels = make(5, n_neighbors=5).fit_predict(rows)
    assert adjusted_rand_score(np.repeat(np.arange(5), 60), labels) == 1
    assert len(set(make(2, n_neighbors=5).fit_predict(rows))) == 2


@pytest.mark.parametrize("make", [SpectralClustering, AgglomerativeClustering])
def test_cosine_does_not_see_lengths(make):
    random = np.random.default_rng(0)
    angles = np.repeat([0.2, 1.3], 100) + random.normal(0, 0.05, 200)
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1) * random.uniform(1, 50, (200, 1))
    labels = make(2, metric="cosine").fit_predict(rows)
    assert adjusted_rand_score(np.repeat([0, 1], 100), labels) == 1


@pytest.mark.parametrize("make", [SpectralClustering, AgglomerativeClustering])
def test_two_runs_agree(make):
    assert make(4).fit_predict(BLOBS).tolist() == make(4).fit_predict(BLOBS).tolist()


@pytest.mark.parametrize("make", [SpectralClustering, AgglomerativeClustering])
@pytest.mark.parametrize("k", [1, 6])
def test_any_number_of_clusters_can_be_had(make, k):
    rows = [[0.0], [1.0], [2.5], [7.0], [9.0], [30.0]]
    assert len(set(make(k, n_neighbors=3).fit_predict(rows))) == k


ROWS = [[0.0], [1.0], [5.0]]


@pytest.mark.parametrize("make", [SpectralClustering, AgglomerativeClustering])
@pytest.mark.parametrize(
    ("k", "neighbors", "rows", "message"),
    [
        (0, 2, ROWS, "n_clusters is 0; expected a whole number from 1 to 3"),
        (4, 2, ROWS, "n_clusters is 4; expected a whole number from 1 to 3"),
        (2, 4, ROWS, "n_neighbors is 4"),
        (1, 2, [[1.0]], "only 1 vector"),
        (2, 2, [[1.0], [1.0], [1.0]], "all 3 vectors are equal"),
        (2, 2, [[1.0], [np.nan], [1.0]], "NaN"),
        (2.0, 2, ROWS, "n_clusters is 2.0"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(make, k, neighbors, rows, message):
    with pytest.raises(InvalidInputError, match=message) as raised:
        make(k, n_neighbors=neighbors).fit(rows)
    assert "\n" not in str(raised.value)


def test_unknown_linkage_is_refused():
    with pytest.raises(InvalidInputError, match="linkage is 'nearest'; expected one of ward"):
        AgglomerativeClustering(2, "nearest", n_neighbors=1).fit(ROWS)
