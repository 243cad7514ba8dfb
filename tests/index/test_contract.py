"""What every kind of index promises. A new kind joins by a row of OURS, or of ALL."""

import importlib.util
import inspect
import json
import os
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from index_kinds import LIBRARIES
from lookalike.errors import IndexFileError, InvalidInputError
from lookalike.index import HNSW, Annoy, Exact, Index, IvfRq, KDTree, KMeansTree, kdtree
from lookalike.index.contract import METRICS, StoredSearcher, check_vectors
from lookalike.index.kinds import KINDS, find_kind, kind_names, load_index
from lookalike.store import Store


@dataclass(frozen=True)
class Kind:
    """An index and which parts of the contract it keeps to the letter."""

    index: type[Index]
    is_exact: bool = True
    """Whether its answers are the right ones, not only near them."""


OURS = [Kind(Exact), Kind(KDTree), Kind(KMeansTree)]
ALL = [*OURS, Kind(Annoy, is_exact=False), Kind(HNSW, is_exact=False)]


def each(kinds):
    """Run a test for each kind, and skip those whose library is not installed."""
    marked = []
    for kind in kinds:
        name = kind.index.kind
        library = LIBRARIES.get(name)
        is_missing = library is not None and importlib.util.find_spec(library) is None
        mark = pytest.mark.skipif(is_missing, reason=f"{library} is not installed")
        marked.append(pytest.param(kind, id=name, marks=mark))
    return pytest.mark.parametrize("kind", marked)


class StoredIvfRq:
    """Builds the searcher of the store from vectors, by writing them to a table."""

    kind = "ivf-rq"

    def __init__(self, metric):
        self.metric = metric

    def build(self, vectors, ids=None):
        vectors = check_vectors(vectors, self.metric)
        store = Store(Path(tempfile.mkdtemp(dir=FOLDERS[-1])))
        table = store.vectors("m", vectors.shape[1])
        store.write_vectors(np.arange(len(vectors)) if ids is None else np.asarray(ids), vectors, table)
        return IvfRq(table, self.metric)


FOLDERS = []


@pytest.fixture(scope="module", autouse=True)
def _folder_of_stores(tmp_path_factory):
    FOLDERS.append(tmp_path_factory.mktemp("stores"))


each_searcher = each([*ALL, Kind(StoredIvfRq)])
each_exact_searcher = each([*OURS, Kind(StoredIvfRq)])
each_kind = each(ALL)
each_exact_kind = each(OURS)
each_metric = pytest.mark.parametrize("metric", METRICS)

RECALL_FLOOR = 0.9  # of kinds that are not exact, on the small sets of this file


def test_kinds_are_chosen_by_name():
    built = [row for row in KINDS if not row.is_of_store]
    assert {row.name: load_index(row.name) for row in built} == {kind.index.kind: kind.index for kind in ALL}
    assert [row.name for row in KINDS if row.is_of_store] == ["ivf-rq"]
    with pytest.raises(InvalidInputError, match="no index 'kd'; expected one of exact, kdtree, kmeans-tree"):
        find_kind("kd")
    with pytest.raises(InvalidInputError, match="the index ivf-rq is kept by the tables of a collection"):
        load_index("ivf-rq")


def test_rows_say_of_the_classes_what_is_so():
    for row in KINDS:
        kind = row.load()
        assert kind.kind == row.name
        assert issubclass(kind, StoredSearcher if row.is_of_store else Index)
        assert bool(row.modes) == ("mode" in inspect.signature(kind.search).parameters)
    assert find_kind("kdtree").modes == kdtree.MODES
    assert [row.name for row in KINDS if row.extra] == list(LIBRARIES)
    assert find_kind("exact").is_exact
    assert {row.name for row in KINDS if row.may_miss} == {
        kind.index.kind for kind in ALL if not kind.is_exact
    }


def test_kinds_are_listed_without_loading_any():
    code = """
import sys
import lookalike.index
from lookalike.index.kinds import AUTO, DEFAULT_RECALL, check_request, kind_names
check_request("kdtree", "leaf")
print(*kind_names(), *{name.partition(".")[0] for name in sys.modules} & {"numpy", "lance"})
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == list(kind_names())


def true_distances(queries, vectors, metric):
    """The distances in float64, (n_queries, n)."""
    queries, vectors = (np.asarray(rows, np.float32).astype(np.float64) for rows in (queries, vectors))
    if metric == "euclidean":
        return cdist(queries, vectors)
    unit_queries, unit_vectors = (
        rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (queries, vectors)
    )
    return cdist(unit_queries, unit_vectors, "sqeuclidean") / 2  # 1 - cosine, with all its digits


def check_neighbors(kind, found, truth, k):
    """Check what a search found against the true distances of rows 0..n-1, which are also the ids."""
    assert found.ids.shape == found.distances.shape == (len(truth), k)
    assert found.ids.dtype == np.int64
    assert found.distances.dtype == np.float32
    of_hits = np.take_along_axis(truth, found.ids, axis=1)
    np.testing.assert_allclose(found.distances, of_hits, rtol=3e-7, atol=1e-15)
    assert (np.diff(found.distances, axis=1) >= 0).all()
    assert all(len(set(row)) == k for row in found.ids.tolist())
    nearest = np.sort(truth, axis=1)[:, :k]
    # What float64 cannot tell apart may come in either order; by so much the k-th may differ.
    right = of_hits <= nearest[:, -1:] * (1 + 1e-12) + 1e-28
    if kind.is_exact:
        assert right.all()
        np.testing.assert_allclose(of_hits, nearest, rtol=1e-12, atol=1e-28)
    else:
        assert right.mean() >= RECALL_FLOOR


def vectors_of(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


@each_searcher
def test_euclidean_distance_of_three_and_four_is_five(kind):
    index = kind.index("euclidean").build([[0, 0], [3, 4], [6, 8]])
    found = index.search([[0, 0]], k=3)
    assert found.ids.tolist() == [[0, 1, 2]]
    assert found.distances.tolist() == [[0, 5, 10]]
    hits = index.radius([[0, 0]], 5)
    assert hits.indptr.tolist() == [0, 2]
    assert hits.ids.tolist() == [0, 1]
    assert hits.distances.tolist() == [0, 5]


@each_searcher
def test_cosine_distance_is_one_less_the_cosine_whatever_the_lengths(kind):
    index = kind.index("cosine").build([[1, 0], [0, 2], [-3, 0], [0.5, 0.5]])
    found = index.search([[7, 0]], k=4)
    assert found.ids.tolist() == [[0, 3, 1, 2]]
    np.testing.assert_allclose(found.distances, [[0, 1 - 2**-0.5, 1, 2]], rtol=1e-6)
    assert index.radius([[7, 0]], 1).ids.tolist() == [0, 3, 1]


@each_kind
def test_ids_are_row_numbers_unless_given(kind):
    vectors = vectors_of(6, 3)
    assert kind.index("euclidean").build(vectors).ids.tolist() == [0, 1, 2, 3, 4, 5]
    given_ids = [2**62, 7, 0, 2**63 - 1, 5, 1]
    index = kind.index("euclidean").build(vectors, given_ids)
    assert index.ids.tolist() == given_ids
    assert len(index) == 6
    assert index.search(vectors, k=1).ids[:, 0].tolist() == given_ids
    assert index.radius(vectors, 0).ids.tolist() == given_ids


@each_searcher
@each_metric
def test_one_query_may_come_without_its_row(kind, metric):
    vectors = vectors_of(9, 4)
    index = kind.index(metric).build(vectors)
    alone, row = index.search(vectors[3], k=4), index.search(vectors[3:4], k=4)
    assert alone.ids.shape == (1, 4)
    assert (alone.ids == row.ids).all()
    assert (alone.distances == row.distances).all()
    assert len(index.radius(vectors[3], 1)) == 1


@each_searcher
@each_metric
def test_every_k_up_to_the_number_of_vectors_is_answered(kind, metric):
    vectors, queries = vectors_of(20, 5), vectors_of(7, 5, seed=1)
    index = kind.index(metric).build(vectors)
    truth = true_distances(queries, vectors, metric)
    for k in range(1, 21):
        check_neighbors(kind, index.search(queries, k=k), truth, k)
    assert index.search(queries, k=np.int64(3)).ids.shape == (7, 3)


@each_searcher
@pytest.mark.parametrize("k", [0, -1, 4, True, 1.0, float("nan"), "1", None])
def test_k_out_of_range_is_an_error_that_names_the_range(kind, k):
    index = kind.index("euclidean").build(vectors_of(3, 2))
    with pytest.raises(InvalidInputError, match=r"k is .*; expected (1 to 3|a whole number)"):
        index.search([0, 0], k=k)


@each_searcher
@pytest.mark.parametrize("recall", [0, -0.5, 1.01, float("nan"), float("inf"), "high", None])
def test_recall_out_of_range_is_an_error(kind, recall):
    index = kind.index("euclidean").build(vectors_of(3, 2))
    with pytest.raises(InvalidInputError, match=r"recall is .*; expected (above 0 and at most 1|a number)"):
        index.search([0, 0], k=1, recall=recall)


@each_searcher
@pytest.mark.parametrize("r", [-1, -1e-9, float("nan"), float("inf"), "near", None, [1, 2]])
def test_radius_that_is_no_distance_is_an_error(kind, r):
    index = kind.index("euclidean").build(vectors_of(3, 2))
    with pytest.raises(InvalidInputError, match=r"r is .*; expected (a distance of 0 or more|a number)"):
        index.radius([0, 0], r)


@each_kind
def test_metric_that_does_not_exist_is_an_error(kind):
    with pytest.raises(InvalidInputError, match="expected one of cosine, euclidean"):
        kind.index("manhattan")


BAD_ROWS = {
    "NaN": ([[1, 2], [np.nan, 3]], "NaN or infinity .*row 1"),
    "infinity": ([[np.inf, 2]], "NaN or infinity"),
    "float64 beyond float32": (np.array([[1.0, 1e200]]), "NaN or infinity .*expected finite float32"),
    "float beyond float32": ([[1, -1e39]], "NaN or infinity"),
    "integer beyond any float": ([[1, 10**400]], "not numbers of one shape"),
    "ragged": ([[1, 2], [3]], "not numbers of one shape"),
    "words": ([["a", "b"]], "not numbers of one shape"),
    "words that spell numbers": ([["1", "2"]], "not numbers of one shape"),
    "complex": ([[1j, 2]], "not numbers of one shape"),
    "dates": (np.array([["2020-01-01", "2020-01-02"]], "datetime64[D]"), "not numbers of one shape"),
    "three axes": ([[[1, 2]]], "shape"),
    "wrong dimension": ([[1, 2, 3]], "have 3 dimensions; expected 2"),
    "no numbers at all": ([], "shape|dimensions"),
    "rows without numbers": ([[]], "shape|dimensions"),
    "None": (None, "shape|dimensions"),
}


@each_kind
@each_metric
@pytest.mark.parametrize(("rows", "words"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_rows_are_refused_with_what_was_expected(kind, metric, rows, words):
    index = kind.index(metric).build([[1, 2], [3, 4]])
    for ask in (lambda: index.search(rows, k=1), lambda: index.radius(rows, 1)):
        with pytest.raises(InvalidInputError, match=f"queries .*({words})"):
            ask()
    if "expected 2" not in words:
        with pytest.raises(InvalidInputError, match=f"vectors .*({words})"):
            kind.index(metric).build(rows)
    with pytest.raises(InvalidInputError, match=f"vectors .*({words})"):
        index.add(range(7, 9), rows)
    assert index.ids.tolist() == [0, 1]


@each_kind
def test_row_of_zeros_has_no_cosine_but_a_place(kind):
    with pytest.raises(InvalidInputError, match=r"row of zeros \(row 1\)"):
        kind.index("cosine").build([[1, 2], [0, 0]])
    with pytest.raises(InvalidInputError, match="row of zeros"):
        kind.index("cosine").build([[1, 2]]).search([0, 0], k=1)
    index = kind.index("euclidean").build([[0, 0], [0, 0], [3, 4]])
    found = index.search([0, 0], k=3)
    assert found.ids.tolist() == [[0, 1, 2]]
    assert found.distances.tolist() == [[0, 0, 5]]
    assert index.radius([0, 0], 0).ids.tolist() == [0, 1]


@each_kind
@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([4, 4], "repeat"),
        ([4, -1], "negative"),
        ([4], "expected .2,., one a vector"),
        ([4, 5, 6], "expected .2,., one a vector"),
        ([4.0, 5.0], "ids are not whole numbers .*float64"),
        (["a", "b"], "ids are not whole numbers .*<U1"),
        ([True, False], "ids are not whole numbers .*bool"),
        ([[4, 5]], "expected whole numbers, .n,."),
        ([], "one a vector"),
        (7, "expected whole numbers, .n,."),
        (np.array([4, 2**63], np.uint64), "more than 63 bits"),
        ([4, 2**70], "more than 63 bits"),
    ],
)
def test_bad_ids_are_refused(kind, ids, words):
    with pytest.raises(InvalidInputError, match=words):
        kind.index("euclidean").build([[1, 2], [3, 4]], ids)
    index = kind.index("euclidean").build([[0, 0]])
    with pytest.raises(InvalidInputError, match=words):
        index.add(ids, [[1, 2], [3, 4]])
    assert index.ids.tolist() == [0]


@each_exact_searcher
@each_metric
@pytest.mark.parametrize("d", [3, 784])
def test_equal_vectors_come_in_the_order_of_their_rows(kind, metric, d):
    vectors = np.tile(vectors_of(3, d), (20, 1))  # each three vectors, 20 times
    index = kind.index(metric).build(vectors)
    found = index.search(vectors[:3], k=7)
    assert found.ids.tolist() == [list(range(row, 60, 3))[:7] for row in range(3)]
    assert not found.distances.any()
    assert index.radius(vectors[1], 0).ids.tolist() == list(range(1, 60, 3))


@each_searcher
@each_metric
def test_one_vector_finds_itself(kind, metric):
    index = kind.index(metric).build([[1, 2, 3]], [9])
    found = index.search([1, 2, 3], k=1)
    assert found.ids.tolist() == [[9]]
    assert found.distances.tolist() == [[0]]
    assert index.radius([1, 2, 3], 0).ids.tolist() == [9]


@each_kind
def test_empty_index_says_that_it_is_empty(kind):
    empty = [kind.index("cosine"), kind.index("cosine").build(np.empty((0, 2)))]
    emptied = kind.index("cosine").build([[1, 2]])
    emptied.remove([0])
    empty.append(emptied)
    for index in empty:
        assert len(index) == 0
        assert index.ids.tolist() == []
        for ask in (lambda: index.search([1, 2], k=1), lambda: index.radius([1, 2], 1)):  # noqa: B023
            with pytest.raises(InvalidInputError, match="the index is empty"):
                ask()


@each_kind
def test_empty_index_is_saved_and_loaded(kind, tmp_path):
    for number, index in enumerate((kind.index("cosine"), kind.index("cosine").build(np.empty((0, 2))))):
        index.save(tmp_path / str(number))
        loaded = kind.index.load(tmp_path / str(number))
        assert len(loaded) == 0
        assert loaded.metric == "cosine"
        loaded.add([4], [[1, 2]])
        assert loaded.search([1, 2], k=1).ids.tolist() == [[4]]


@each_searcher
@each_metric
def test_no_queries_get_no_answers(kind, metric):
    index = kind.index(metric).build(vectors_of(5, 3))
    found = index.search(np.empty((0, 3)), k=2)
    assert found.ids.shape == found.distances.shape == (0, 2)
    hits = index.radius(np.empty((0, 3)), 1)
    assert len(hits) == 0
    assert hits.ids.dtype == np.int64
    assert hits.distances.dtype == np.float32


@each_searcher
@each_metric
def test_only_allowed_ids_are_found(kind, metric):
    vectors, queries = vectors_of(40, 4), vectors_of(5, 4, seed=1)
    index = kind.index(metric).build(vectors, np.arange(40) + 100)
    allowed = np.array([139, 104, 111, 111, 120, 7])  # one twice, one unknown
    truth = true_distances(queries, vectors[[4, 11, 20, 39]], metric)
    as_array = index.search(queries, k=3, allowed=allowed)
    rows = np.searchsorted([104, 111, 120, 139], as_array.ids)
    assert set(as_array.ids.ravel()) <= {104, 111, 120, 139}
    if kind.is_exact:
        assert (rows == np.argsort(truth, axis=1)[:, :3]).all()
    for same in (allowed.tolist(), set(allowed.tolist()), frozenset(allowed.tolist()), tuple(allowed)):
        found = index.search(queries, k=3, allowed=same)
        assert (found.ids == as_array.ids).all()
        assert (found.distances == as_array.distances).all()


@each_searcher
@each_metric
@pytest.mark.parametrize("recall", [0.9, 1.0])
def test_filter_that_keeps_one_percent_finds_the_true_nearest_of_them(kind, metric, recall):
    random = np.random.default_rng(0)
    centres = 5 * random.standard_normal((20, 16))
    vectors = (centres[np.arange(5_000) % 20] + random.standard_normal((5_000, 16))).astype(np.float32)
    far = np.flatnonzero(np.arange(5_000) % 20 == 0)[:50]  # all in one cluster, most queries in others
    queries = vectors_of(8, 16, seed=1) + centres[1:9].astype(np.float32)
    index = kind.index(metric).build(vectors)
    truth = true_distances(queries, vectors[far], metric)
    found = index.search(queries, k=10, recall=recall, allowed=far)
    assert (found.ids == far[np.argsort(truth, axis=1, kind="stable")[:, :10]]).all()


@each_searcher
def test_fewer_allowed_than_k_end_in_no_hit_at_infinity(kind):
    index = kind.index("euclidean").build([[0, 0], [3, 4], [6, 8], [9, 12]])
    found = index.search([[0, 0], [9, 12]], k=4, allowed=[1, 2, 99])
    assert found.ids.tolist() == [[1, 2, -1, -1], [2, 1, -1, -1]]
    assert found.distances.tolist() == [[5, 10, np.inf, np.inf], [5, 10, np.inf, np.inf]]
    for nobody in ([], set(), [99], np.empty(0, np.int64)):
        found = index.search([[0, 0]], k=2, allowed=nobody)
        assert found.ids.tolist() == [[-1, -1]]
        assert np.isinf(found.distances).all()


@each_searcher
@pytest.mark.parametrize("allowed", [[1.0], ["a"], [True, False, True], 1, [[1]]])
def test_allowed_that_are_no_ids_are_an_error(kind, allowed):
    index = kind.index("euclidean").build(vectors_of(3, 2))
    with pytest.raises(InvalidInputError, match=r"allowed ids are .*whole numbers"):
        index.search([0, 0], k=1, allowed=allowed)


@each_exact_searcher
@each_metric
def test_radius_holds_all_within_and_none_beyond(kind, metric):
    vectors, queries = vectors_of(300, 6), vectors_of(20, 6, seed=1)
    index = kind.index(metric).build(vectors)
    truth = true_distances(queries, vectors, metric)
    for r in (0, 1e-3, 0.3, 1.0, 2.5, 1e30, 1e300):
        hits = index.radius(queries, r)
        assert len(hits) == 20
        assert hits.indptr[0] == 0
        assert hits.indptr[-1] == len(hits.ids) == len(hits.distances)
        for query in range(20):
            ids, distances = hits[query]
            assert set(ids.tolist()) == set(np.flatnonzero(truth[query] <= r).tolist())
            assert (np.diff(distances) >= 0).all()
            np.testing.assert_allclose(distances, truth[query, ids], rtol=3e-7)


@each_exact_searcher
@each_metric
def test_what_a_search_finds_at_a_distance_lies_within_that_radius(kind, metric):
    vectors = vectors_of(200, 5)
    index = kind.index(metric).build(vectors)
    found = index.search(vectors, k=6)
    for query in range(200):
        ids, distances = index.radius(vectors[query], found.distances[query, -1])[0]
        assert ids[:6].tolist() == found.ids[query].tolist()
        assert (distances[:6] == found.distances[query]).all()


@each_kind
@each_metric
def test_added_vectors_are_found_as_if_built_in(kind, metric):
    vectors, queries = vectors_of(30, 4), vectors_of(9, 4, seed=1)
    whole = kind.index(metric).build(vectors)
    grown = kind.index(metric)
    grown.add(np.arange(10), vectors[:10])
    grown.add(range(10, 30), vectors[10:])
    grown.add([], np.empty((0, 4)))
    assert sorted(grown.ids.tolist()) == list(range(30))
    found = grown.search(queries, k=5)
    check_neighbors(kind, found, true_distances(queries, vectors, metric), 5)
    if kind.is_exact:
        assert (found.ids == whole.search(queries, k=5).ids).all()


@each_kind
def test_id_that_is_there_is_not_added_again(kind):
    index = kind.index("euclidean").build([[0, 0], [3, 4]], [5, 6])
    with pytest.raises(InvalidInputError, match="id 6 is in the index already"):
        index.add([7, 6], [[1, 1], [2, 2]])
    assert sorted(index.ids.tolist()) == [5, 6]


@each_kind
def test_removed_vectors_are_not_found_and_can_come_back(kind):
    vectors = vectors_of(30, 4)
    index = kind.index("euclidean").build(vectors)
    index.remove([*range(0, 30, 2), 0])
    assert sorted(index.ids.tolist()) == list(range(1, 30, 2))
    assert len(index) == 15
    assert (index.search(vectors, k=15).ids % 2 == 1).all()
    index.remove([])
    index.add([0], vectors[:1])
    assert index.search(vectors[0], k=1).ids.tolist() == [[0]]


@each(OURS)
def test_an_id_that_comes_back_has_the_vector_it_came_back_with(kind):
    vectors, others = vectors_of(600, 4), vectors_of(600, 4, seed=1)
    index = kind.index("euclidean").build(vectors)
    index.remove(range(0, 600, 2))
    assert index.vector_of(2) is None
    index.add(range(0, 600, 2), others[::2])
    for key in range(600):
        expected = others[key] if key % 2 == 0 else vectors[key]
        assert index.vector_of(key).tolist() == expected.tolist()
    index.remove([2])
    assert index.vector_of(2) is None


@each_kind
def test_removing_an_id_that_is_not_there_is_an_error_and_removes_nothing(kind):
    index = kind.index("euclidean").build([[0, 0], [3, 4]])
    with pytest.raises(InvalidInputError, match="id 7 is not in the index"):
        index.remove([0, 7])
    assert len(index) == 2


@each_kind
def test_all_removed_leaves_an_index_that_takes_any_dimension(kind):
    index = kind.index("euclidean").build([[0, 0], [3, 4]])
    index.remove(index.ids)
    assert len(index) == 0
    index.add([1], [[1, 2, 3]])
    assert index.search([1, 2, 3], k=1).distances.tolist() == [[0]]


@each_kind
@each_metric
def test_loaded_index_answers_as_the_saved_one(kind, metric, tmp_path):
    vectors, queries = vectors_of(200, 8), vectors_of(20, 8, seed=1)
    index = kind.index(metric).build(vectors, np.arange(200)[::-1] * 3)
    index.save(tmp_path / "deep" / "down" / "index")
    assert os.listdir(tmp_path / "deep" / "down") == ["index"]
    loaded = kind.index.load(tmp_path / "deep" / "down" / "index")
    assert loaded.metric == metric
    assert loaded.ids.tolist() == index.ids.tolist()
    for ask in (
        lambda it: it.search(queries, k=9),
        lambda it: it.search(queries, k=9, allowed=range(0, 300, 2)),
        lambda it: it.radius(queries, 0.8),
    ):
        before, after = ask(index), ask(loaded)
        assert (before.ids == after.ids).all()
        assert (before.distances == after.distances).all()


@each_kind
def test_loaded_index_can_be_changed_without_changing_the_file(kind, tmp_path):
    kind.index("euclidean").build([[0, 0], [3, 4]]).save(tmp_path / "index")
    loaded = kind.index.load(tmp_path / "index")
    loaded.remove([0])
    loaded.add([9], [[6, 8]])
    assert sorted(loaded.ids.tolist()) == [1, 9]
    assert kind.index.load(tmp_path / "index").ids.tolist() == [0, 1]
    loaded.save(tmp_path / "index")
    assert sorted(kind.index.load(tmp_path / "index").ids.tolist()) == [1, 9]


@each_kind
def test_reader_keeps_the_index_that_it_opened_when_another_is_saved_over_it(kind, tmp_path):
    old, new = vectors_of(50, 4), vectors_of(60, 4, seed=1)
    kind.index("euclidean").build(old).save(tmp_path / "index")
    reader = kind.index.load(tmp_path / "index")
    kind.index("euclidean").build(new).save(tmp_path / "index")
    assert reader.search(old, k=1).ids[:, 0].tolist() == list(range(50))
    assert kind.index.load(tmp_path / "index").search(new, k=1).ids[:, 0].tolist() == list(range(60))
    assert os.listdir(tmp_path) == ["index"]


@each_kind
def test_what_is_no_index_is_not_loaded(kind, tmp_path):
    with pytest.raises(IndexFileError, match="there is no index in"):
        kind.index.load(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(IndexFileError, match="there is no index in"):
        kind.index.load(tmp_path / "empty")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(IndexFileError, match="file"):
        kind.index.load(tmp_path / "file")


@each_kind
@pytest.mark.parametrize("content", ["{", "[]", "null", "7", '"exact"', "{}", '{"kind": "exact"}', "\0"])
def test_foreign_json_is_not_loaded(kind, content, tmp_path):
    kind.index("euclidean").build(vectors_of(5, 2)).save(tmp_path / "index")
    (tmp_path / "index" / "index.json").write_text(content)
    with pytest.raises(IndexFileError, match="cannot be read"):
        kind.index.load(tmp_path / "index")


@each_kind
@pytest.mark.parametrize(
    ("fact", "value"), [("kind", "other"), ("format", 99), ("format", None), ("metric", "manhattan")]
)
def test_index_of_another_kind_format_or_metric_is_not_loaded(kind, fact, value, tmp_path):
    kind.index("euclidean").build(vectors_of(5, 2)).save(tmp_path / "index")
    file = tmp_path / "index" / "index.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), fact: value}))
    with pytest.raises(IndexFileError, match=r"cannot be read.*build it again"):
        kind.index.load(tmp_path / "index")


@each_kind
def test_index_of_which_a_file_is_missing_or_cut_short_is_not_loaded(kind, tmp_path):
    folder = tmp_path / "index"
    kind.index("euclidean").build(vectors_of(50, 4)).save(folder)
    for file in folder.iterdir():
        whole = file.read_bytes()
        for size in (0, 1, 5, 60, len(whole) // 2, len(whole) - 1):
            file.write_bytes(whole[:size])
            with pytest.raises(IndexFileError, match="cannot be read"):
                kind.index.load(folder)
        file.write_bytes(b"\xff" * len(whole))
        with pytest.raises(IndexFileError, match="cannot be read"):
            kind.index.load(folder)
        file.unlink()
        with pytest.raises(IndexFileError, match=rf"{file.name} is missing"):
            kind.index.load(folder)
        file.write_bytes(whole)
    assert len(kind.index.load(folder)) == 50


@each_kind
@each_metric
def test_inputs_are_not_modified(kind, metric, tmp_path):
    vectors, queries, ids = vectors_of(50, 4), vectors_of(5, 4, seed=1) * 1e25, np.arange(50)
    copies = [array.copy() for array in (vectors, queries, ids)]
    for array in (vectors, queries, ids):
        array.setflags(write=False)
    index = kind.index(metric).build(vectors, ids)
    index.search(queries, k=3, allowed=ids)
    index.radius(queries, 1)
    index.save(tmp_path / "index")
    index.remove(ids[:10])
    index.add(ids[:10], vectors[:10])
    for array, copy in zip((vectors, queries, ids), copies, strict=True):
        assert (array == copy).all()


@each_searcher
@each_metric
def test_layout_and_type_of_the_input_do_not_matter(kind, metric):
    vectors = np.random.default_rng(0).integers(1, 100, (40, 6))
    expected = kind.index(metric).build(vectors.astype(np.float32)).search(vectors[:9], k=5)
    strided = np.zeros((40, 12), np.float32)
    strided[:, ::2] = vectors
    for same in (vectors, vectors.tolist(), np.asfortranarray(vectors), strided[:, ::2], vectors / 1.0):
        found = kind.index(metric).build(same).search(same[:9], k=5)
        assert (found.ids == expected.ids).all()
        assert (found.distances == expected.distances).all()


@each_searcher
@each_metric
@pytest.mark.parametrize("d", [33, 9001])
def test_query_has_the_same_answer_alone_and_among_300(kind, metric, d):
    vectors = vectors_of(600 if d < 100 else 8, d)
    queries = vectors_of(300, d, seed=1)
    index = kind.index(metric).build(vectors)
    together, within = index.search(queries, k=5), index.radius(queries, 0.9 if metric == "cosine" else 7)
    for row in range(0, 300, 1 if d < 100 else 20):
        alone = index.search(queries[row], k=5)
        assert alone.ids.tolist() == together.ids[[row]].tolist()
        assert alone.distances.tobytes() == together.distances[[row]].tobytes()
        alone = index.radius(queries[row], 0.9 if metric == "cosine" else 7)
        assert alone.ids.tobytes() == within[row][0].tobytes()
        assert alone.distances.tobytes() == within[row][1].tobytes()


@each_searcher
@each_metric
@pytest.mark.parametrize("d", [33, 9001])
def test_distance_of_a_pair_does_not_depend_on_what_else_is_found(kind, metric, d):
    vectors, query = vectors_of(12, d), vectors_of(1, d, seed=1)
    index = kind.index(metric).build(vectors)
    found = index.search(query, k=12)
    for row, distance in zip(found.ids[0], found.distances[0], strict=True):
        assert index.search(query, k=1, allowed=[row]).distances.item() == distance
    hits = index.radius(query, float(found.distances[0, -1]))
    assert hits.ids.tolist() == found.ids[0].tolist()
    assert hits.distances.tobytes() == found.distances[0].tobytes()


@each_searcher
@each_metric
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 40),
    d=st.integers(1, 9),
    offset=st.sampled_from([0, 0, 1, 1e4, -1e7]),
    step=st.sampled_from([1e-3, 1e-2, 1]),
    whole=st.booleans(),
    scale=st.sampled_from([1e-38, 1e-30, 1e-22, 1e-20, 1e-18, 1, 1e15, 1e18, 1e25, 1e30]),
)
def test_answers_agree_with_float64(kind, metric, seed, n, d, offset, step, whole, scale):
    """Ties, near ties, offsets that cancel, and squares that float32 cannot hold."""
    random = np.random.default_rng(seed)
    noise = random.integers(-2, 3, (n + 5, d)) if whole else random.standard_normal((n + 5, d))
    rows = ((offset + step * noise) * scale).astype(np.float32)
    rows[~rows.any(axis=1)] = scale
    vectors, queries = rows[:n], np.concatenate([rows[n:], rows[:2]])
    k = int(random.integers(1, n + 1))
    truth = true_distances(queries, vectors, metric)
    index = kind.index(metric).build(vectors)
    check_neighbors(kind, index.search(queries, k=k), truth, k)
    if kind.is_exact:
        r = float(np.sort(truth, axis=1)[0, k - 1])
        near, beyond = truth <= r * (1 - 3e-7) - 1e-28, truth <= r * (1 + 3e-7) + 1e-28
        hits = index.radius(queries, r)
        for query in range(len(queries)):
            ids = set(hits[query][0].tolist())
            assert set(np.flatnonzero(near[query])) <= ids <= set(np.flatnonzero(beyond[query]))


@each_exact_searcher
@each_metric
@pytest.mark.parametrize("scale", [3e-42, 1e-38, 1e-23, 1e-20, 1e-19, 1, 1e15, 1e19, 1e25, 1e36])
def test_nearly_equal_distances_are_told_apart_at_any_scale(kind, metric, scale):
    random = np.random.default_rng(0)
    base = random.standard_normal(16)
    vectors = (scale * (base + 1e-5 * random.standard_normal((400, 16)))).astype(np.float32)
    queries = (scale * (base + random.standard_normal((10, 16)))).astype(np.float32)
    index = kind.index(metric).build(vectors)
    check_neighbors(kind, index.search(queries, k=20), true_distances(queries, vectors, metric), 20)


@each_exact_searcher
def test_small_differences_of_large_vectors_are_told_apart(kind):
    """|q|² + |x|² - 2 q·x in float32 is off by hundreds here; the true squares are near 0.01."""
    vectors = (1e4 + 1e-2 * np.random.default_rng(0).standard_normal((500, 64))).astype(np.float32)
    index = kind.index("euclidean").build(vectors)
    check_neighbors(
        kind, index.search(vectors[:50], k=9), true_distances(vectors[:50], vectors, "euclidean"), 9
    )


@each_exact_searcher
def test_rows_of_very_different_lengths_are_compared_by_angle(kind):
    random = np.random.default_rng(0)
    lengths = 10.0 ** random.uniform(-35, 35, (300, 1))
    vectors = (random.standard_normal((300, 8)) * lengths).astype(np.float32)
    queries = (random.standard_normal((9, 8)) * lengths[:9]).astype(np.float32)
    index = kind.index("cosine").build(vectors)
    check_neighbors(kind, index.search(queries, k=20), true_distances(queries, vectors, "cosine"), 20)


@each_kind
def test_threads_that_ask_in_other_ways_each_get_the_answers_that_they_get_alone(kind, tmp_path):
    random = np.random.default_rng(0)
    centres = 3 * random.standard_normal((40, 24))
    vectors = (centres[random.integers(0, 40, 5_000)] + random.standard_normal((5_000, 24))).astype(
        np.float32
    )
    kind.index("euclidean").build(vectors).save(tmp_path / "index")
    queries, ways = vectors[:150] + np.float32(0.1), [(1, 0.5), (10, 0.9), (100, 0.99), (10, 1.0)]
    alone = [kind.index.load(tmp_path / "index").search(queries, *way).ids for way in ways]
    index, start = kind.index.load(tmp_path / "index"), threading.Barrier(len(ways))

    def ask(way):
        start.wait(30)  # so that what the first search makes is asked for by all at once
        found = [np.stack([index.search(query, *way).ids[0] for query in queries]) for _ in range(3)]
        return [*found, index.search(queries, *way).ids]

    with ThreadPoolExecutor(len(ways)) as pool:
        for found, expected in zip(pool.map(ask, ways), alone, strict=True):
            assert all((ids == expected).all() for ids in found)
