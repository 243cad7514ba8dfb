"""The table of ways to cluster: light, whole, and all that a new one takes."""

import inspect
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClusterMixin

from lookalike.cluster import algorithms
from lookalike.cluster.algorithms import (
    ALGORITHMS,
    DEFAULT_ALGORITHM,
    MIN_SAMPLES,
    Algorithm,
    Parameter,
    algorithm_names,
    algorithms_that_take,
    get_algorithm,
)
from lookalike.cluster.base import NeighborClustering
from lookalike.cluster.defaults import ToCluster, complete
from lookalike.collection.clusterings.making import ClusteringRequest, find_clusters
from lookalike.collection.embedded import Embedded
from lookalike.errors import InvalidInputError
from lookalike.system.on_demand import load
from lookalike.system.progress import UNWATCHED

EVERY = pytest.mark.parametrize("row", ALGORITHMS, ids=lambda row: row.name)


def two_groups(n=20):
    rows = np.random.default_rng(0).normal(0, 0.1, (n, 3)).astype(np.float32)
    rows[: n // 2] += 5
    return rows


def embedded(rows):
    ids = np.arange(len(rows))
    return Embedded(ids, rows.shape[1], lambda: iter([(ids, rows)]))


def cluster(rows, **asked):
    model = SimpleNamespace(name="test", metric="euclidean")
    return find_clusters(ClusteringRequest(**asked), model, embedded(rows), UNWATCHED)


def test_table_is_at_hand_without_numpy_or_sklearn():
    code = (
        "import lookalike.cluster.algorithms as table, sys; table.get_algorithm('kmeans').takes\n"
        "print('numpy' in sys.modules, 'sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@EVERY
def test_row_says_of_the_class_what_is_so(row):
    kind = row.load()
    arguments = inspect.signature(kind.__init__).parameters
    told = [parameter.argument for parameter in (*row.parameters, *row.settled)]
    assert set(told) <= set(arguments)
    assert issubclass(kind, NeighborClustering) == row.by_neighbors
    assert ("metric" in arguments) == row.by_neighbors
    assert ("random_state" in arguments) == row.has_chance
    assert hasattr(kind, "fit_batches") == (row.in_batches is not None)
    assert {name for name, _ in row.in_batches or ()} <= set(arguments)


@EVERY
def test_every_parameter_has_a_default_that_the_class_takes(row):
    rows = two_groups()
    images = ToCluster(len(rows), rows, "euclidean", UNWATCHED)
    parameters = (*row.parameters, *row.settled)
    found = complete(parameters, {}, images)
    assert list(found) == [parameter.name for parameter in parameters]
    row.load()(**{each.argument: found[each.name] for each in parameters}).fit(rows)


@EVERY
def test_two_images_can_be_clustered_by_all_that_nobody_says(row):
    assert len(cluster(two_groups(2), algorithm=row.name).clusters) == 2


@EVERY
def test_what_is_given_is_kept_and_the_rest_is_found(row):
    for parameter in row.parameters:
        kept = cluster(two_groups(), algorithm=row.name, parameters={parameter.name: np.int64(3)}).parameters
        assert list(kept) == list(row.takes)
        assert kept[parameter.name] == 3
        assert type(kept[parameter.name]) is int  # as JSON knows it


def test_default_follows_from_what_is_given():
    images = ToCluster(100, None, "euclidean", UNWATCHED)
    rows = get_algorithm("hdbscan").parameters
    assert complete(rows, {"min_cluster_size": 7}, images) == {"min_cluster_size": 7, "min_samples": 7}
    assert complete(rows, {}, images) == {"min_cluster_size": MIN_SAMPLES, "min_samples": MIN_SAMPLES}


def test_usual_way_is_the_first():
    assert algorithm_names()[0] == DEFAULT_ALGORITHM == "kmeans"
    assert algorithms_that_take(["eps"]) == ("dbscan",)
    assert {row.name for row in ALGORITHMS if row.is_by_density} == {"dbscan", "hdbscan"}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            {"algorithm": "meanshift"},
            "there is no algorithm 'meanshift'; expected one of kmeans, hierarchical",
        ),
        ({"parameters": {"eps": 1}}, "eps is 1, but kmeans takes k; eps is for dbscan"),
        ({"algorithm": "dbscan", "parameters": {"k": 2}}, "but dbscan takes eps and min_samples; k is for"),
        (
            {"algorithm": "spectral", "in_batches": True},
            "spectral cannot read the vectors in batches; kmeans",
        ),
        ({"random_state": -1}, "random_state is -1; expected a whole number from 0"),
        ({"name": "a/b"}, "clustering"),
    ],
)
def test_request_that_cannot_be_met_is_told_before_anything_is_read(asked, words):
    with pytest.raises(InvalidInputError, match=words):
        ClusteringRequest(**asked)


class Halves(ClusterMixin, BaseEstimator):
    """Images below and above a value."""

    def __init__(self, value=0.0):
        self.value = value

    def fit(self, X, y=None, report=None, cancel=None):
        self.labels_ = (X[:, 0] > self.value).astype(int)
        return self


def middle(images, value):
    return float(np.median(images.vectors[:, 0]))


def test_row_is_all_that_a_way_to_cluster_takes(monkeypatch):
    row = Algorithm(
        "halves",
        "Halves",
        f"{__name__}:Halves",
        (Parameter("at", "value", f"{__name__}:middle"),),
        times_vectors=1,
        by_neighbors=False,
        has_chance=False,
    )
    monkeypatch.setattr(algorithms, "ALGORITHMS", (*ALGORITHMS, row))
    rows = two_groups()
    made = cluster(rows, algorithm="halves")
    assert (made.name, made.algorithm) == ("halves", "halves")
    assert made.parameters == {"at": pytest.approx(np.median(rows[:, 0]))}
    assert len(np.unique(made.clusters[:10])) == 1 != len(np.unique(made.clusters))
    assert cluster(rows, algorithm="halves", parameters={"at": 99.0}).parameters == {"at": 99.0}
    with pytest.raises(InvalidInputError, match=r"expected one of kmeans, .*, halves"):
        ClusteringRequest(algorithm="thirds")
    with pytest.raises(InvalidInputError, match="at is 1, but kmeans takes k; at is for halves"):
        ClusteringRequest(parameters={"at": 1})
    assert load(row.estimator) is Halves
