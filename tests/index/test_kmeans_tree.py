"""The k-means tree beyond the contract: its bounds, its recall, its cells."""

import copy
import json
import pickle

import numpy as np
import pytest

from lookalike.errors import IndexFileError, InvalidInputError
from lookalike.index import Exact, KMeansTree, kmeans_tree, principal_axes, tuning
from lookalike.index import tree as tree_module
from lookalike.index.contract import METRICS
from lookalike.system.sums import checked

each_metric = pytest.mark.parametrize("metric", METRICS)


def clustered(n, d, seed=0, n_clusters=200):
    """Rows around some centres, with variance that falls from axis to axis, as that of pictures does."""
    random = np.random.default_rng(seed)
    fall = 1 / np.sqrt(np.arange(1, d + 1))
    centres = np.random.default_rng(99).standard_normal((n_clusters, d)) * fall * 3
    rows = centres[random.integers(0, n_clusters, n)] + random.standard_normal((n, d)) * fall
    return rows.astype(np.float32)


@pytest.fixture(scope="module")
def tree():
    return KMeansTree().build(clustered(12_000, 160))


@pytest.fixture(scope="module")
def truth():
    return Exact("euclidean").build(clustered(12_000, 160))


HARD_ROWS = {
    "160 axes": clustered(6_000, 160),
    "300 axes": clustered(5_000, 300),
    "300 axes, far from 0": 1e3 + 1e-2 * clustered(5_000, 300),
    "8 axes": clustered(6_000, 8),
    "1 axis": clustered(6_000, 1),
    "10 axes among 200": clustered(5_000, 10)
    @ np.random.default_rng(0).standard_normal((10, 200)).astype("f4"),
    "all the same": np.ones((5_000, 20), np.float32),
    "few different": np.random.default_rng(0).integers(1, 5, (6_000, 3)).astype(np.float32),
    "bytes": np.random.default_rng(0).integers(0, 256, (5_000, 150)).astype(np.float32),
    "far from 0": 1e4 + 1e-2 * clustered(5_000, 150),
    "three far away": np.concatenate([clustered(5_000, 30), 1e6 * clustered(3, 30, seed=1)]),
    "axes from 1 to 1e-20": clustered(5_000, 20) * 10.0 ** -np.arange(20, dtype=np.float32),
    "tiny": 1e-30 * clustered(5_000, 20),
    "huge": 1e30 * clustered(5_000, 20),
}


@each_metric
@pytest.mark.parametrize("rows", HARD_ROWS.values(), ids=HARD_ROWS)
def test_answers_proved_by_bounds_are_those_of_exact(rows, metric):
    exact, index = Exact(metric).build(rows), KMeansTree(metric).build(rows)
    # By half of their distance to others away from rows, and rows themselves.
    queries = np.concatenate([rows[:20] / 2 + rows[-20:] / 2, rows[40:50]])
    for k in (1, 10, 150):
        expected, found = exact.search(queries, k=k), index.search(queries, k=k, recall=1.0)
        assert (found.ids == expected.ids).all()
        np.testing.assert_allclose(found.distances, expected.distances, rtol=2e-7)
        near = index.search(queries, k=k, recall=0.9)
        assert (near.ids >= 0).all()
        # Few, and halfway between rows: they are not what the recall was measured on.
        assert (near.distances <= expected.distances[:, -1:]).mean() >= 0.5
    for share in (0.004, 0.04, 0.5):
        allowed = np.random.default_rng(0).choice(len(rows), int(share * len(rows)), replace=False)
        expected = exact.search(queries, k=10, allowed=allowed)
        assert (index.search(queries, k=10, allowed=allowed, recall=0.5).ids == expected.ids).all()
    r = float(np.median(exact.search(queries, k=5).distances[:, -1]))
    expected, found = exact.radius(queries, r), index.radius(queries, r)
    assert found.indptr.tolist() == expected.indptr.tolist()
    assert (found.ids == expected.ids).all()


def test_bound_never_exceeds_the_distance(tree):
    """The lemma itself: lifted vectors, as the integers have them, less what they lost."""
    from lookalike.index import kmeans_tree_kernels as kernels

    rows, scale, lists = clustered(12_000, 160), tree._coding.scale, tree._lists
    cell_of = np.repeat(np.arange(tree.n_cells), np.diff(lists.starts))
    for query in clustered(20, 160, seed=1).astype(np.float64):
        codes = np.empty(128, np.int16)
        unit, squared, tail, lost = kernels.encode(tree._frame, query, codes)
        dots = lists.codes.astype(np.int64) @ codes.astype(np.int64)
        lifted = squared + lists.facts[:, 0] - 2 * (unit * dots + tail * lists.facts[:, 1])
        true = np.linalg.norm(rows[lists.order] - query, axis=1) * scale
        slack = lost + lists.cell_errors[cell_of]
        assert (np.sqrt(np.maximum(lifted, 0)) <= true + slack + 1e-6).all()
        # And it is of use: most of the true distance, or nothing could be left out.
        assert np.median(np.sqrt(np.maximum(lifted, 0)) / true) > 0.9


def test_bound_of_a_whole_row_never_exceeds_the_distance():
    from lookalike.index import kmeans_tree_kernels as kernels

    rows = clustered(6_000, 300)
    rows[7, 3] = 40  # cut, and its loss says so
    tree = KMeansTree().build(rows)
    frame, lists = tree._coding, tree._lists
    for query in clustered(20, 300, seed=1).astype(np.float64):
        codes = np.empty(300, np.int16)
        unit, squared, lost = kernels.encode_whole(query, frame.scale, frame.center, frame.row_steps, codes)
        dots = lists.row_codes.astype(np.int64) @ codes.astype(np.int64)
        bound = np.sqrt(np.maximum(squared + lists.row_facts[:, 0] - 2 * unit * dots, 0))
        true = np.linalg.norm(rows[lists.order] - query, axis=1) * frame.scale
        assert (bound <= true + lost + lists.row_facts[:, 1] + 1e-6).all()
        assert np.median(bound / true) > 0.98
        assert np.quantile(lists.row_facts[:, 1] / true, 0.99) < 0.05


def test_products_of_the_longest_codes_fit_into_32_bits():
    from lookalike.index import kmeans_tree_kernels as kernels

    d = 20_000
    codes = np.empty(d, np.int16)
    still = np.zeros((2, d))
    kernels.encode_whole(np.full(d, 0.3), 1.0, still, np.ones(d), codes)
    assert kernels.dot(codes, np.full(d, 127, np.int8)) == 127 * codes.astype(np.int64).sum() > 0


def test_rows_out_of_reach_are_left_out_without_a_change_of_the_answer(monkeypatch):
    rows, queries = clustered(6_000, 300), clustered(100, 300, seed=1)
    short = KMeansTree().build(rows)
    monkeypatch.setattr(kmeans_tree, "_LONG_ROW", 1_000)
    whole = KMeansTree().build(rows)
    assert short._lists.row_codes.shape == (6_000, 300) and whole._lists.row_codes.shape == (6_000, 0)
    assert short.efforts.find(10, 0.9) == whole.efforts.find(10, 0.9) != tuning.EXACT
    assert (short.search(queries, recall=0.9).ids == whole.search(queries, recall=0.9).ids).all()


@pytest.mark.parametrize("k", [1, 3, 10, 40, 100])
@pytest.mark.parametrize(("recall", "tolerance"), [(0.9, 0.01), (0.95, 0.01), (0.99, 0.003), (0.999, 0.001)])
def test_recall_that_is_asked_for_is_reached_on_unseen_queries(tree, truth, recall, tolerance, k):
    queries = clustered(1_000, 160, seed=7)
    nearest = truth.search(queries, k=k)
    found = tree.search(queries, k=k, recall=recall)
    assert tree.efforts.find(k, recall) != tuning.EXACT
    assert (found.distances <= nearest.distances[:, -1:]).mean() >= recall - tolerance


def test_more_recall_takes_more_effort(tree):
    for k in (1, 10, 100):
        work = [tree.efforts.find(k, recall) for recall in (0.5, 0.9, 0.99)]
        assert work[0].n_cells < work[1].n_cells < work[2].n_cells < tree.n_cells
    assert tree.efforts.find(10, 1.0) == tuning.EXACT


def test_same_random_state_gives_the_same_tree():
    rows = clustered(5_000, 40)
    one, same, other = (KMeansTree(random_state=seed).build(rows) for seed in (3, 3, 4))
    assert (one._lists.codes == same._lists.codes).all()
    assert (one._lists.order == same._lists.order).all()
    assert (one.efforts.table == same.efforts.table).all()
    assert not np.array_equal(one._lists.order, other._lists.order)


def test_many_queries_are_shared_by_threads_and_answered_alike(tree):
    queries = clustered(300, 160, seed=5)
    for recall in (0.9, 1.0):
        together = tree.search(queries, k=5, recall=recall)
        alone = [tree.search(query, k=5, recall=recall) for query in queries[::30]]
        assert (together.ids[::30] == np.concatenate([found.ids for found in alone])).all()
    single = KMeansTree(n_jobs=1).build(clustered(5_000, 40))
    assert single.search(clustered(300, 40), k=2).ids.shape == (300, 2)


@each_metric
def test_changed_index_stays_exact(metric, tmp_path):
    rows = clustered(6_000, 150)
    more = clustered(900, 150, seed=3)
    index = KMeansTree(metric).build(rows)
    gone = np.arange(0, 6_000, 7)
    index.remove(gone)
    index.add(np.arange(6_000, 6_900), more)
    index.remove([6_100])
    kept = np.setdiff1d(np.arange(6_900), [*gone, 6_100])
    expected = Exact(metric).build(np.concatenate([rows, more])[kept], kept)
    index.save(tmp_path / "index")
    for changed in (index, KMeansTree.load(tmp_path / "index")):
        assert changed.ids.tolist() == kept.tolist()
        queries = clustered(50, 150, seed=4)
        for allowed in (None, kept[::40]):
            found = changed.search(queries, k=10, recall=1.0, allowed=allowed)
            assert (found.ids == expected.search(queries, k=10, allowed=allowed).ids).all()
        nearest = expected.search(queries, k=10).distances[:, -1:]
        assert (changed.search(queries, k=10, recall=0.95).distances <= nearest).mean() >= 0.9
        assert (changed.search(more[101:], k=1).ids[:, 0] == np.arange(6_101, 6_900)).mean() >= 0.95


def test_row_far_beyond_the_others_can_be_added():
    index = KMeansTree().build(clustered(5_000, 10))
    index.add([9_999], np.full((1, 10), 1e4))
    assert index.search(np.full(10, 9e3), k=1).ids.tolist() == [[9_999]]


def test_whole_numbers_up_to_255_are_kept_as_bytes_until_others_come():
    rows = np.random.default_rng(0).integers(0, 256, (50, 9))
    index = KMeansTree().build(rows)
    assert index._rows.dtype == np.uint8
    index.add([50], rows[:1])
    assert index._rows.dtype == np.uint8
    index.add([51], rows[:1] + 0.5)
    assert index._rows.dtype == np.float32
    assert index.search(rows[0], k=3, recall=1.0).distances.tolist() == [[0, 0, 1.5]]
    rows[0, 0], rows[0, 1] = 0, 255
    for other in (rows - 1, rows + 1, rows + 0.5):
        assert KMeansTree().build(other)._rows.dtype == np.float32


def test_vectors_are_not_copied():
    rows = clustered(100, 5)
    assert np.shares_memory(KMeansTree().build(rows)._rows, rows)


def test_loaded_index_is_mapped_not_read(tree, tmp_path):
    tree.save(tmp_path / "index")
    loaded = KMeansTree.load(tmp_path / "index")
    for array in (loaded._rows, loaded._lists.codes, loaded._ids):
        assert isinstance(array.base, np.memmap) or isinstance(array.base.base, np.memmap)
    queries = clustered(5, 160, seed=2)
    for recall in (0.95, 1.0):
        assert (loaded.search(queries, recall=recall).ids == tree.search(queries, recall=recall).ids).all()


def test_files_of_two_indexes_are_not_loaded_together(tmp_path):
    KMeansTree().build(clustered(300, 6)).save(tmp_path / "index")
    KMeansTree().build(clustered(301, 7)).save(tmp_path / "other")
    with_sums = (tmp_path / "index/index.json").read_text()
    without_sums = checked(json.loads(with_sums))
    del without_sums["sums"]
    for file in ("rows", "ids", "codes", "order", "axes", "centre", "facts"):
        whole = (tmp_path / "index" / f"{file}.npy").read_bytes()
        foreign = (tmp_path / "other" / f"{file}.npy").read_bytes()
        (tmp_path / "index" / f"{file}.npy").write_bytes(foreign)
        with pytest.raises(IndexFileError, match=rf"{file}.npy is not what was written.*build it again"):
            KMeansTree.load(tmp_path / "index")
        # An index of an earlier version has no checksums.
        (tmp_path / "index/index.json").write_text(json.dumps(without_sums))
        with pytest.raises(IndexFileError, match=r"do not fit together.*build it again"):
            KMeansTree.load(tmp_path / "index")
        (tmp_path / "index/index.json").write_text(with_sums)
        (tmp_path / "index" / f"{file}.npy").write_bytes(whole)
    assert len(KMeansTree.load(tmp_path / "index")) == 300


@pytest.mark.parametrize("query", [np.full(160, np.nan, "f4"), np.full((20, 160), np.inf, "f4")])
@pytest.mark.parametrize("recall", [0.9, 1.0])
def test_float32_query_of_the_right_shape_is_still_checked(tree, query, recall):
    with pytest.raises(InvalidInputError, match="NaN or infinity"):
        tree.search(query, recall=recall)


def test_query_stays_writeable(tree):
    query = clustered(1, 160)[0]
    tree.search(query)
    tree.radius(query, 1)
    assert query.flags.writeable


@pytest.mark.parametrize("n_jobs", [0, -1, True, 1.5, "all"])
def test_number_of_threads_has_to_be_one(n_jobs):
    with pytest.raises(InvalidInputError, match="n_jobs is"):
        KMeansTree(n_jobs=n_jobs)


def test_size_of_the_blocks_does_not_change_the_answers(monkeypatch):
    rows, queries = clustered(5_000, 30), clustered(20, 30, seed=1)
    whole = KMeansTree().build(rows).search(queries, recall=1.0)
    for module in (principal_axes, kmeans_tree, tree_module):
        monkeypatch.setattr(module, "_BLOCK_ROWS", 333)
    assert (KMeansTree().build(rows).search(queries, recall=1.0).ids == whole.ids).all()


@each_metric
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda index: pickle.loads(pickle.dumps(index))])
def test_index_that_was_searched_is_copied(metric, copied):
    rows = clustered(5_000, 300)
    index = KMeansTree(metric).build(rows)
    expected = index.search(rows[:20])
    other = copied(index)
    index.remove(range(4_999))
    found = other.search(rows[:20])
    assert (found.ids == expected.ids).all() and (found.distances == expected.distances).all()
    other.add([9_000], rows[:1] + 1)  # its own arrays, wherever those of the first one went
    assert other.search(rows[0] + 1, k=1).ids == 9_000
