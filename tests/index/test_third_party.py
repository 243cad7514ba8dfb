"""What the adapters add to other libraries' indexes."""

import contextlib
import copy
import importlib.util
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lookalike.errors import IndexFileError, InvalidInputError
from lookalike.index import HNSW, Annoy, Exact

KINDS = [
    pytest.param(
        kind,
        marks=pytest.mark.skipif(not importlib.util.find_spec(module), reason=f"{module} is not installed"),
        id=module,
    )
    for kind, module in ((Annoy, "annoy"), (HNSW, "hnswlib"))
]
each_kind = pytest.mark.parametrize("kind", KINDS)


def clusters_of(n, d, seed=0):
    random = np.random.default_rng(seed)
    centres = 3 * np.random.default_rng(9).standard_normal((40, d))
    return (centres[random.integers(0, 40, n)] + random.standard_normal((n, d))).astype(np.float32)


def recall_of(found, truth):
    return np.mean([np.isin(row, right).mean() for row, right in zip(found.ids, truth.ids, strict=True)])


@each_kind
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_recall_is_tuned_and_reached(kind, metric):
    vectors, queries = clusters_of(6000, 20), clusters_of(100, 20, seed=1)
    index = kind(metric).build(vectors)
    assert index.efforts.table[1, :8, 0].all()
    truth = Exact(metric).build(vectors).search(queries, k=10)
    assert recall_of(index.search(queries, k=10, recall=0.9), truth) > 0.88
    assert index.search(queries, k=10, recall=1.0).ids.tolist() == truth.ids.tolist()


@each_kind
@pytest.mark.parametrize("share", [0.01, 0.2, 0.7])
def test_filter_loses_no_hits(kind, share):
    vectors, queries = clusters_of(6000, 20), clusters_of(50, 20, seed=1)
    allowed = np.flatnonzero(np.random.default_rng(2).random(6000) < share)
    truth = Exact("euclidean").build(vectors).search(queries, k=10, allowed=allowed)
    found = kind("euclidean").build(vectors).search(queries, k=10, recall=0.95, allowed=allowed)
    assert np.isin(found.ids, allowed).all()
    assert recall_of(found, truth) > (0.999 if share < 0.05 else 0.9)


@each_kind
def test_filter_that_keeps_only_far_rows_is_answered_in_full(kind):
    vectors = clusters_of(5000, 8)
    far = np.argsort(-np.linalg.norm(vectors - vectors[0], axis=1))[:1000]
    found = kind("euclidean").build(vectors).search(vectors[0], k=50, recall=0.9, allowed=far)
    assert np.isin(found.ids, far).all()
    assert np.isfinite(found.distances).all()


@each_kind
def test_half_the_rows_removed_leaves_as_many_hits(kind):
    vectors = clusters_of(5000, 8)
    index = kind("euclidean").build(vectors)
    index.remove(np.arange(0, 5000, 2))
    truth = Exact("euclidean").build(vectors[1::2], np.arange(1, 5000, 2)).search(vectors[:50], k=10)
    found = index.search(vectors[:50], k=10, recall=0.95)
    assert (found.ids % 2 == 1).all()
    assert recall_of(found, truth) > 0.9


@each_kind
def test_library_file_that_holds_other_rows_is_not_loaded(kind, tmp_path):
    kind("euclidean").build(clusters_of(60, 4)).save(tmp_path / "index")
    kind("euclidean").build(clusters_of(50, 4)).save(tmp_path / "other")
    (tmp_path / "index/library.npy").write_bytes((tmp_path / "other/library.npy").read_bytes())
    with pytest.raises(IndexFileError, match="cannot be read"):
        kind.load(tmp_path / "index")


@pytest.mark.parametrize(("kind", "module", "extra"), [(Annoy, "annoy", "annoy"), (HNSW, "hnswlib", "hnsw")])
def test_missing_library_is_an_error_that_names_the_extra(kind, module, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        InvalidInputError, match=rf"{module}, which is not installed\n.*pip install .*\[{extra}\]"
    ):
        kind("euclidean").build([[1, 2], [3, 4]])


class Meeting:
    """hnswlib's index; who has set the effort waits for another who does, unless there can be none."""

    def __init__(self, own):
        self.own, self.both = own, threading.Barrier(2)

    def set_ef(self, effort):
        self.own.set_ef(effort)
        with contextlib.suppress(threading.BrokenBarrierError):
            self.both.wait(0.3)

    def knn_query(self, *arguments, **options):
        return self.own.knn_query(*arguments, **options)


@pytest.mark.skipif(not importlib.util.find_spec("hnswlib"), reason="hnswlib is not installed")
def test_effort_of_a_query_is_its_own_although_the_library_has_but_one():
    random = np.random.default_rng(0)
    vectors = random.standard_normal((4_000, 64)).astype(np.float32)  # hard: a small effort finds few
    index = HNSW("euclidean", n_links=4).build(vectors)
    queries = index._to_library(random.standard_normal((2, 64)).astype(np.float32))
    efforts = (10, 3_000)
    alone = [index._ask(query, 10, effort) for query, effort in zip(queries, efforts, strict=True)]
    assert (index._ask(queries[0], 10, efforts[1]) != alone[0]).any()
    index._own = Meeting(index._own)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(index._ask, queries, [10, 10], efforts))
    assert [rows.tolist() for rows in found] == [rows.tolist() for rows in alone]


@pytest.mark.skipif(not importlib.util.find_spec("hnswlib"), reason="hnswlib is not installed")
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda index: pickle.loads(pickle.dumps(index))])
def test_copy_of_an_index_answers_alike_and_waits_for_nobody_else(copied):
    vectors = clusters_of(200, 8)
    index = HNSW("euclidean").build(vectors)
    index._exact  # noqa: B018
    with index._lock, index._asking:
        found = copied(index).search(vectors[:5], k=3)
    assert found.ids.tolist() == index.search(vectors[:5], k=3).ids.tolist()
