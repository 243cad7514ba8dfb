"""The KD-tree: its codes, its leaves, and three ways to ask."""

import copy
import itertools
import pickle
import subprocess
import sys

import numpy as np
import pytest

from lookalike.errors import InvalidInputError
from lookalike.index import Exact, KDTree

SEVEN = [[-6, 0], [-5, 1], [-4, -1], [0, 0], [4, 2], [5, -2], [6, 0]]


def vectors_of(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def clusters_of(n, d, seed=0):
    random = np.random.default_rng(seed)
    centres = 5 * random.standard_normal((40, d))
    return (centres[random.integers(0, 40, n)] + random.standard_normal((n, d))).astype(np.float32)


def recall_of(found, truth):
    return np.mean([np.isin(row, right).mean() for row, right in zip(found.ids, truth.ids, strict=True)])


def test_codes_of_seven_points_worked_by_hand():
    """The first axis is x, or -x: points spread from -6 to 6 along it. Its median is the fourth point.

    Four points are the lower half, by x or by -x, three the upper. The halves split along x again: two and
    two, two and one.
    """
    index = KDTree(leaf_size=2).build(SEVEN)
    assert index.depth_ == 2
    assert index.n_leaves_ == 4
    paths = [index.path_of(code) for code in index.codes_]
    if paths[0] == "00":
        assert paths == ["00", "00", "01", "01", "10", "10", "11"]
    else:
        assert paths == ["11", "10", "10", "01", "01", "00", "00"]
    assert index.leaf_of(SEVEN).tolist() == index.codes_.tolist()
    assert (
        sorted(index.ids_in(index.codes_[0]).tolist())
        == np.flatnonzero(index.codes_ == index.codes_[0]).tolist()
    )


def test_leaf_alone_misses_what_lies_behind_the_border_and_best_bin_first_finds_it():
    index = KDTree(leaf_size=2).build(SEVEN)
    exact = index.search([[2.2, 0]], k=3, mode="exact")
    assert exact.ids.tolist() == [[3, 4, 5]]
    leaf = index.search([[2.2, 0]], k=3, mode="leaf")
    inside = index.ids_in(index.leaf_of([2.2, 0])[0]).tolist()
    assert set(leaf.ids[0].tolist()) - {-1} == set(inside)
    assert leaf.ids[0, -1] == -1
    assert np.isinf(leaf.distances[0, -1])
    assert index.search([[2.2, 0]], k=3, n_leaves=4).ids.tolist() == [[3, 4, 5]]


@pytest.mark.parametrize("leaf_size", [1, 2, 7, 64, 1000])
@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 500])
def test_leaves_hold_at_most_leaf_size_and_differ_by_one_row(leaf_size, n):
    vectors = vectors_of(n, 6)
    index = KDTree(leaf_size=leaf_size).build(vectors)
    sizes = np.bincount(index.codes_, minlength=index.n_leaves_)
    assert sizes.max() <= leaf_size
    assert sizes.max() - sizes.min() <= 1
    assert index.n_leaves_ == 2**index.depth_
    assert (index.leaf_of(vectors) == index.codes_).all()
    together = [index.ids_in(code) for code in range(index.n_leaves_)]
    assert sorted(np.concatenate(together).tolist()) == list(range(n))


@pytest.mark.parametrize(
    ("metric", "d"),
    [("euclidean", 1), *itertools.product(["euclidean", "cosine"], [2, 95, 96, 97, 300])],
)
def test_exact_search_finds_the_ids_of_exact(metric, d):
    vectors, queries = clusters_of(3000, d) + 1e-3, clusters_of(40, d, seed=1)
    truth = Exact(metric).build(vectors).search(queries, k=10)
    for parameters in ({"leaf_size": 1}, {"leaf_size": 30}, {"n_trees": 3}):
        found = KDTree(metric, **parameters).build(vectors).search(queries, k=10, mode="exact")
        assert found.ids.tolist() == truth.ids.tolist()
        assert found.distances.tobytes() == truth.distances.tobytes()


def test_copies_of_one_vector_fill_leaves_and_come_in_order():
    index = KDTree(leaf_size=4).build(np.ones((50, 3)))
    assert np.bincount(index.codes_).max() <= 4
    for mode in ("exact", "bbf"):
        assert index.search([1, 1, 1], k=6, mode=mode).ids.tolist() == [[0, 1, 2, 3, 4, 5]]
    assert sorted(index.search([1, 1, 1], k=50, n_leaves=1).ids[0].tolist()) == list(range(50))
    assert index.radius([1, 1, 1], 0).ids.tolist() == list(range(50))


def test_more_leaves_find_more_and_all_leaves_find_all():
    vectors, queries = clusters_of(6000, 20), clusters_of(100, 20, seed=1)
    index = KDTree(leaf_size=16).build(vectors)
    truth = index.search(queries, k=10, mode="exact")
    recalls = [
        recall_of(index.search(queries, k=10, n_leaves=n), truth) for n in (1, 4, 16, 64, index.n_leaves_)
    ]
    assert recalls == sorted(recalls)
    assert recalls[-1] > 0.999


@pytest.mark.parametrize("n_trees", [1, 4])
@pytest.mark.parametrize("recall", [0.8, 0.95, 0.99])
def test_recall_that_was_asked_for_is_reached_on_new_queries(n_trees, recall):
    both = clusters_of(9000, 30)
    vectors, queries = both[:8000], both[8000:]
    index = KDTree(n_trees=n_trees, leaf_size=32).build(vectors)
    assert index.efforts.table[1].any()
    truth = Exact("euclidean").build(vectors).search(queries, k=10)
    assert recall_of(index.search(queries, k=10, recall=recall), truth) > recall - 0.01
    assert index.search(queries, k=10, recall=1.0).ids.tolist() == truth.ids.tolist()


def test_forest_finds_more_than_a_tree_in_as_many_leaves_of_one_query():
    vectors, queries = clusters_of(8000, 30), clusters_of(300, 30, seed=1)
    truth = Exact("euclidean").build(vectors).search(queries, k=10)
    tree, forest = (KDTree(n_trees=n, leaf_size=32).build(vectors) for n in (1, 4))
    one = recall_of(tree.search(queries, k=10, n_leaves=1), truth)
    four = recall_of(forest.search(queries, k=10, n_leaves=4), truth)
    assert four > one
    assert all(len(set(row)) == 10 for row in forest.search(queries, k=10, n_leaves=4).ids.tolist())


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("share", [0.01, 0.3])
def test_filter_is_exact_however_few_pass(metric, share):
    vectors, queries = clusters_of(6000, 12), clusters_of(30, 12, seed=1)
    allowed = np.flatnonzero(np.random.default_rng(2).random(6000) < share)
    truth = Exact(metric).build(vectors).search(queries, k=10, allowed=allowed)
    index = KDTree(metric, n_trees=2).build(vectors)
    assert index.search(queries, k=10, recall=0.5, allowed=allowed).ids.tolist() == truth.ids.tolist()
    bins = index.search(queries, k=10, n_leaves=1, allowed=allowed)
    assert np.isin(bins.ids, allowed).all()
    leaf = index.search(queries, k=10, mode="leaf", allowed=allowed)
    assert np.isin(leaf.ids, [-1, *allowed]).all()


def test_same_vectors_and_number_give_the_same_trees_and_another_number_others():
    vectors = clusters_of(5000, 8)
    one, same, other = (KDTree(n_trees=3, random_state=seed).build(vectors) for seed in (1, 1, 2))
    assert (one.codes_ == same.codes_).all()
    assert (one._forest.members == same._forest.members).all()
    assert (one.efforts.table == same.efforts.table).all()
    assert (one._forest.members[1:] != other._forest.members[1:]).any()


@pytest.mark.parametrize("n_trees", [1, 3])
def test_grown_and_thinned_forest_answers_as_one_that_is_built_so(n_trees, tmp_path):
    vectors, queries = clusters_of(5000, 100), clusters_of(30, 100, seed=1)
    index = KDTree(n_trees=n_trees).build(vectors[:3000])
    index.add(np.arange(3000, 4000), vectors[3000:4000])
    index.remove(np.arange(0, 4000, 3))
    index.add(np.arange(4000, 5000), 30 * vectors[4000:])  # far from all that the axes were made for
    grown = vectors.copy()
    grown[4000:] *= 30
    left = np.setdiff1d(np.arange(5000), np.arange(0, 4000, 3))
    truth = Exact("euclidean").build(grown[left], left)
    index.save(tmp_path / "index")
    for same in (index, KDTree.load(tmp_path / "index")):
        assert same.ids.tolist() == left.tolist()
        assert len(same.codes_) == len(left)
        for q in (queries, 30 * queries):
            found = truth.search(q, k=10)
            assert same.search(q, k=10, mode="exact").ids.tolist() == found.ids.tolist()
            assert recall_of(same.search(q, k=10, n_leaves=same.n_leaves_ * n_trees), found) > 0.99
            within = truth.radius(q[:5], float(found.distances[0, -1]))
            assert same.radius(q[:5], float(found.distances[0, -1])).ids.tolist() == within.ids.tolist()


def test_tree_is_built_again_at_twice_its_rows():
    index = KDTree(leaf_size=4).build(vectors_of(40, 3))
    assert index.depth_ == 4
    index.add(np.arange(40, 200), vectors_of(160, 3, seed=1))
    assert index.depth_ == 6
    assert np.bincount(index.codes_).max() <= 4


def test_query_far_beyond_all_rows_is_answered_exactly():
    vectors = vectors_of(300, 5)
    queries = vectors_of(4, 5, seed=1) * np.float32(1e9)
    truth = Exact("euclidean").build(vectors).search(queries, k=5)
    index = KDTree(leaf_size=8).build(vectors)
    assert index.search(queries, k=5, mode="exact").ids.tolist() == truth.ids.tolist()
    assert index.search(queries, k=5, n_leaves=2).ids.shape == (4, 5)
    assert (index.search(queries, k=5, mode="leaf").ids >= 0).all()


def test_bins_and_leaf_refuse_nan_and_another_dimension():
    index = KDTree(leaf_size=2).build(SEVEN)
    for ask in ({"mode": "leaf"}, {"mode": "bbf"}, {"n_leaves": 2}, {"mode": "exact"}):
        with pytest.raises(InvalidInputError, match="NaN or infinity"):
            index.search(np.array([[np.nan, 0]], np.float32), k=1, **ask)
        with pytest.raises(InvalidInputError, match="have 3 dimensions; expected 2"):
            index.search([[1, 2, 3]], k=1, **ask)
    with pytest.raises(InvalidInputError, match="NaN or infinity"):
        index.leaf_of([np.nan, 0])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"mode": "best"}, "mode is 'best'; expected one of leaf, bbf, exact"),
        ({"n_leaves": 0}, "n_leaves is 0; expected a whole number of at least 1"),
        ({"n_leaves": 2.0}, "n_leaves is 2.0"),
        ({"n_leaves": 2, "mode": "leaf"}, "it is for mode 'bbf'"),
    ],
)
def test_ways_to_ask_that_do_not_exist_are_errors(asked, words):
    with pytest.raises(InvalidInputError, match=words):
        KDTree().build(SEVEN).search([0, 0], k=1, **asked)


@pytest.mark.parametrize("name", ["leaf_size", "n_trees", "n_jobs"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "2"])
def test_counts_below_one_are_errors(name, value):
    with pytest.raises(InvalidInputError, match=f"{name} is .*expected a whole number of at least 1"):
        KDTree(**{name: value})


@pytest.mark.parametrize("code", [-1, 4, 1.0, True])
def test_code_of_no_leaf_is_an_error(code):
    index = KDTree(leaf_size=2).build(SEVEN)
    for ask in (index.path_of, index.ids_in):
        with pytest.raises(InvalidInputError, match=r"code is .*; expected (0 to 3|a whole number)"):
            ask(code)
        with pytest.raises(InvalidInputError, match=r"the index is empty|expected a whole number"):
            getattr(KDTree(), ask.__name__)(code)


def test_importing_the_indexes_imports_no_other_library():
    code = "import lookalike.index, sys; print({'annoy', 'hnswlib', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda index: pickle.loads(pickle.dumps(index))])
def test_copy_of_an_index_answers_from_its_own_arrays(copied):
    vectors = vectors_of(300, 20)
    index = KDTree("cosine", leaf_size=16).build(vectors)
    expected = index.search(vectors[:5], k=3)
    other = copied(index)
    assert other._frame.address != index._frame.address
    del index
    assert (other.search(vectors[:5], k=3).ids == expected.ids).all()
