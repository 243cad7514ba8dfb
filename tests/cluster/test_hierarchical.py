"""The tree of clusters, against Ward's tree of SciPy and against its own definition."""

import json

import numpy as np
import pytest
from scipy.cluster.hierarchy import cut_tree, ward
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import check_estimator

from lookalike.cluster import HierarchicalKMeans, KMeans
from lookalike.errors import InvalidInputError
from lookalike.index import KMeansTree


def blobs(n, d, k, seed=0, spread=1.0):
    random = np.random.default_rng(seed)
    centres = 4 * random.standard_normal((k, d))
    return (centres[np.arange(n) % k] + spread * random.standard_normal((n, d))).astype(np.float32)


def distortion(rows, labels):
    rows = rows.astype(np.float64)
    return sum(((rows[labels == n] - rows[labels == n].mean(axis=0)) ** 2).sum() for n in np.unique(labels))


def test_three_pairs_by_hand():
    tree = HierarchicalKMeans(2, n_cells=6).fit([[0], [1], [10], [11], [40], [43]])
    assert tree.costs_.tolist() == pytest.approx([0.5, 0.5, 4.5, 100, 16 / 12 * 36**2], rel=1e-12)
    assert tree.labels_.tolist() == [0, 0, 0, 0, 1, 1]
    assert tree.cut(1).tolist() == [0] * 6
    assert tree.inertias_[:2].tolist() == pytest.approx([105.5 + 1728, 105.5])
    assert tree.cut(depth=0).tolist() == [0] * 6
    assert tree.cut(depth=1).tolist() == [0, 0, 0, 0, 1, 1]
    assert tree.cut(depth=2)[:4].tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])
    assert len(set(tree.cut(depth=2))) == 4
    assert tree.predict([[5], [60]]).tolist() == [0, 1]


def test_with_a_cell_for_each_row_it_is_the_tree_of_ward():
    rows = np.random.default_rng(0).standard_normal((300, 4))
    tree = HierarchicalKMeans(2).fit(rows, cells=np.arange(300))
    # SciPy's heights are the roots of twice what a merge adds.
    assert np.allclose(tree.costs_, ward(rows)[:, 2] ** 2 / 2)
    for k in (2, 3, 10, 77):
        assert adjusted_rand_score(tree.cut(k), cut_tree(ward(rows), k)[:, 0]) == 1


def test_distortion_of_every_cut_is_the_one_that_is_said():
    rows = blobs(1_000, 6, 9)
    tree = HierarchicalKMeans(9, n_cells=60).fit(rows)
    for k in (1, 2, 9, 30, 60):
        assert len(set(tree.cut(k))) == k
        assert tree.inertias_[k - 1] == pytest.approx(distortion(rows, tree.cut(k)), rel=1e-6)


def test_every_cut_lies_within_the_next():
    rows = blobs(800, 5, 7, spread=3.0)
    tree = HierarchicalKMeans(3, n_cells=40).fit(rows)
    for coarse, fine in ((tree.cut(5), tree.cut(23)), (tree.cut(depth=2), tree.cut(depth=4))):
        assert all(len(set(coarse[fine == label])) == 1 for label in np.unique(fine))


def test_blobs_are_found_nearly_as_well_as_by_k_means():
    rows = blobs(3_000, 20, 12)
    tree = HierarchicalKMeans(12).fit(rows)
    assert adjusted_rand_score(tree.labels_, np.arange(3_000) % 12) > 0.99
    assert tree.inertias_[11] < 1.01 * KMeans(12, n_init=3).fit(rows).inertia_


def test_clusters_are_numbered_by_falling_size():
    rows = np.concatenate([blobs(20, 3, 1), blobs(200, 3, 1) + 90, blobs(70, 3, 1) - 90])
    labels = HierarchicalKMeans(3, n_cells=12).fit(rows).labels_
    assert np.bincount(labels).tolist() == [200, 70, 20]


def test_nodes_know_their_rows():
    rows = blobs(500, 4, 5)
    tree = HierarchicalKMeans(5, n_cells=30).fit(rows)
    seen = list(tree.root.walk())
    assert len(seen) == 2 * tree.n_cells_ - 1
    assert seen[0][0] == 0 and seen[0][1].size == 500
    for _, node in seen[::7]:
        members = rows[node.rows].astype(np.float64)
        assert len(members) == node.size
        assert np.allclose(members.mean(axis=0), node.center)
        assert node.inertia == pytest.approx(((members - members.mean(axis=0)) ** 2).sum(), abs=1e-6)
        assert not node.children or sum(child.size for child in node.children) == node.size


def test_json_has_every_node_after_its_parent():
    tree = HierarchicalKMeans(4, n_cells=20).fit(blobs(300, 3, 4))
    nodes = json.loads(tree.to_json())
    assert len(nodes) == 39
    seen = {}
    for node in nodes:
        if node["parent"] is not None:
            assert node["id"] in seen[node["parent"]]["children"]
            assert node["depth"] == seen[node["parent"]]["depth"] + 1
        seen[node["id"]] = node
    cut = json.loads(tree.to_json(n_clusters=4, with_centres=False))
    leaves = [node for node in cut if not node["children"]]
    assert sorted(node["size"] for node in leaves) == sorted(np.bincount(tree.labels_))
    assert "centre" not in cut[0]


def test_it_stands_on_the_cells_of_the_search_tree():
    rows = blobs(2_000, 12, 10)
    index = KMeansTree("euclidean").build(rows)
    tree = HierarchicalKMeans(10).fit(rows, cells=index.cells)
    assert tree.n_cells_ == index.n_cells
    assert adjusted_rand_score(tree.labels_, np.arange(2_000) % 10) > 0.99


def test_same_number_same_tree():
    rows = blobs(700, 6, 5, spread=3.0)
    one, other = HierarchicalKMeans(6, n_jobs=1).fit(rows), HierarchicalKMeans(6, n_jobs=2).fit(rows)
    assert (one.children_ == other.children_).all()


def test_equal_rows_are_one_cell():
    tree = HierarchicalKMeans(1, n_cells=3).fit(np.ones((5, 2)))
    assert tree.n_cells_ == 1
    assert tree.cut(1).tolist() == [0] * 5
    assert tree.root.children == ()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: HierarchicalKMeans(5).fit(np.eye(3)), "5 clusters cannot be made of n_samples=3 rows"),
        (lambda: HierarchicalKMeans(0).fit(np.eye(3)), "n_clusters is 0"),
        (
            lambda: HierarchicalKMeans(1, n_cells=9).fit(np.eye(3)),
            "n_cells is 9; expected from n_clusters, 1",
        ),
        (lambda: HierarchicalKMeans(2).fit([[1.0], [np.nan]]), "NaN"),
        (lambda: HierarchicalKMeans(2).fit(np.eye(3), cells=[0, 1]), "cells are int64 of shape"),
        (lambda: HierarchicalKMeans(3).fit(np.eye(3), cells=[0, 1, 1]), "into 3 clusters: it has 2 cells"),
        (lambda: HierarchicalKMeans(2).fit(np.eye(3)).cut(4), "cannot be cut into 4 clusters"),
        (lambda: HierarchicalKMeans(2).fit(np.eye(3)).cut(), "either n_clusters or depth"),
        (lambda: HierarchicalKMeans(2).fit(np.eye(3)).cut(depth=-1), "depth is -1"),
    ],
)
def test_bad_requests_are_one_clear_line(call, message):
    with pytest.raises(InvalidInputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore")  # scikit-learn's checks bring warnings of their own
def test_scikit_learn_accepts_it():
    check_estimator(HierarchicalKMeans())


def test_british_names_go_on_working_and_say_what_is_theirs_now():
    tree = HierarchicalKMeans(n_clusters=2, n_cells=3).fit([[0, 0], [0, 1], [5, 0], [5, 1], [90, 0], [90, 1]])
    with pytest.warns(DeprecationWarning, match="centers_"):
        assert tree.centres_ is tree.centers_
    with pytest.warns(DeprecationWarning, match=r"Node\.center"):
        assert tree.root.centre.tolist() == tree.root.center.tolist()
