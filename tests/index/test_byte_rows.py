"""Rows as bytes: whatever the rows are, what they leave out is none of the nearest."""

import os
import pickle
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import IndexFileError
from lookalike.index import Exact, byte_rows
from lookalike.index.byte_rows import ByteRows

N, D = 700, 40


def rows_of(n=N, d=D, seed=0):
    """Rows in clusters, some of them twice."""
    random = np.random.default_rng(seed)
    centers = random.normal(size=(max(1, n // 20), d))
    rows = centers[random.integers(0, len(centers), n)] + 0.3 * random.normal(size=(n, d))
    rows[n // 2 : n // 2 + 5] = rows[:5]
    return rows.astype(np.float32)


def with_bytes(rows, metric, ids=None):
    """Return an index that has made its bytes, if it can."""
    index = Exact(metric).build(rows, ids)
    for _ in range(3):
        index.search(rows[0], k=1)
    return index


def assert_as_without(index, queries, k, allowed=None):
    """One by one, from bytes, the answers are those of all at once, which are made without."""
    expected = index.search(np.concatenate([queries, queries]), k, allowed=allowed)
    for i, query in enumerate(queries):
        found = index.search(query, k, allowed=allowed)
        assert found.ids[0].tolist() == expected.ids[i].tolist()
        assert found.distances[0].tobytes() == expected.distances[i].tobytes()


def outlier(rows):
    rows[7] *= 1e6
    return rows


def far_away(rows):
    return rows + np.float32(1e6)


def one_number_only(rows):
    rows[:, 1:] = 0.5
    return rows


def sparse(rows):
    return np.where(rows > 1.2, np.round(rows * 100), 0) + (np.arange(D) == 3)


def a_spike(rows):
    rows[::50, 3] = 900
    return rows


DATA = {
    "plain": lambda rows: rows,
    "an outlier": outlier,
    "far away": far_away,
    "one number only": one_number_only,
    "sparse": sparse,
    "spikes": a_spike,
    "tiny": lambda rows: rows * np.float32(1e-30),
    "huge": lambda rows: rows * np.float32(1e30),
    "all alike": lambda rows: np.ones_like(rows),
    "nearly alike": lambda rows: np.ones_like(rows) + np.float32(1e-6) * rows,
    "whole numbers": lambda rows: np.round(rows * 3),
    "on a sphere": lambda rows: rows / np.linalg.norm(rows, axis=1, keepdims=True),
}


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("data", DATA)
def test_answers_are_those_without_bytes(data, metric):
    rows = np.asarray(DATA[data](rows_of()), np.float32)
    index = with_bytes(rows, metric)
    random = np.random.default_rng(1)
    strangers = (rows[:4] + rows[4:8]) * random.normal(size=(4, 1)).astype(np.float32)
    for k in (1, 10, N // 8):
        assert_as_without(index, np.concatenate([rows[:12], rows[N // 2 : N // 2 + 2], strangers]), k)


@pytest.mark.parametrize("data", ["plain", "sparse", "on a sphere", "whole numbers", "tiny", "huge"])
def test_few_rows_are_measured(data, monkeypatch):
    rows = np.asarray(DATA[data](rows_of()), np.float32)
    index, n_measured = with_bytes(rows, "euclidean"), []
    measure = Exact._measure
    monkeypatch.setattr(
        Exact,
        "_measure",
        lambda self, query, some: n_measured.append(len(some)) or measure(self, query, some),
    )
    for query in rows[:50]:
        index.search(query, k=10)
    assert max(n_measured) <= 14  # there are copies


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["cosine", "euclidean"]),
    st.integers(1, 12),
    st.sampled_from([0.0, 1e-3, 1.0, 1e4]),
    st.sampled_from([1e-6, 1e-2, 1.0]),
    st.sampled_from([16, 33, 300]),
)
def test_whatever_the_rows_are_answers_are_those_without_bytes(seed, metric, k, offset, spread, d):
    random = np.random.default_rng(seed)
    rows = (offset + spread * random.standard_t(1.5, size=(150, d))).astype(np.float32)
    rows += np.float32(1e-9)
    rows[random.integers(0, 150, 20)] = rows[random.integers(0, 150, 20)]
    assert_as_without(with_bytes(rows, metric), rows[:8], k)


def test_bounds_hold_for_every_row():
    from lookalike.index import byte_rows_kernels as kernels

    rows = rows_of()
    made = ByteRows.make(rows, np.empty(0))
    query, codes = rows[3].astype(np.float64), np.empty(D, np.int16)
    unit, squared, lost, _ = kernels.encode_query(query, made.scale, made.center, made.steps, codes)
    nearest, farthest = np.empty(N, np.float32), np.empty(N)
    empty = np.empty(0, np.int64)
    n = kernels.scan(codes, unit, squared, lost, 0.0, made.codes, made.facts, empty, nearest, farthest)
    true = np.linalg.norm(rows.astype(np.float64) - query, axis=1) * made.scale
    assert n == N
    assert (nearest <= true + 1e-6).all()
    assert (np.sort(farthest) >= np.sort(true) - 1e-6).all()
    assert 0.001 < np.median(true - nearest) / np.median(true) < 0.05  # and they say something


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_filtered_answers_are_those_without_bytes(metric):
    rows = rows_of()
    ids = np.random.default_rng(0).permutation(N) + 1000
    index = with_bytes(rows, metric, ids)
    for allowed in (ids[::2], ids[5:40], [*ids[:20], 5, 99_999], set(ids[100:300].tolist()), ids[:1], [3]):
        assert_as_without(index, rows[:10], 2, allowed)
        assert_as_without(index, rows[:10], 20, allowed)
    assert set(index.search(rows[0], 10, allowed=ids[::2]).ids[0].tolist()) <= set(ids[::2].tolist())
    assert index.search(rows[0], 2, allowed=[]).ids.tolist() == [[-1, -1]]


def test_bytes_are_made_at_the_second_query_and_not_for_several_at_once():
    index = Exact("euclidean").build(rows_of())
    index.search(rows_of()[:3])
    index.search(rows_of()[0])
    assert index._bytes is None
    index.search(rows_of()[0])
    assert isinstance(index._bytes, ByteRows)


@pytest.mark.parametrize("shape", [(63, 40), (700, 15)])
def test_too_few_rows_or_numbers_are_not_worth_it(shape):
    index = with_bytes(rows_of(*shape), "euclidean")
    assert index._bytes is None
    assert_as_without(index, rows_of(*shape)[:5], 5)


def test_rows_that_do_not_fit_into_memory_twice_are_not_kept_as_bytes(monkeypatch):
    monkeypatch.setattr("lookalike.index.exact.free_memory", lambda: 1000)
    index = with_bytes(rows_of(), "euclidean")
    assert index._bytes is None
    assert_as_without(index, rows_of()[:5], 5)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_bytes_follow_what_is_added_and_removed(metric):
    rows = rows_of(900)
    index = with_bytes(rows[:700], metric)
    index.add(np.arange(700, 900), rows[700:])
    index.remove(np.arange(0, 300, 3))
    assert len(index._bytes.codes) == 800 == len(index)
    assert_as_without(index, np.concatenate([rows[:9], rows[700:709]]), 10)
    assert index.search(rows[0], 1).ids[0, 0] != 0
    assert index.search(rows[750], 1).ids[0, 0] == 750


def test_bytes_are_made_again_where_what_is_added_is_too_far_away():
    rows = rows_of()
    index = with_bytes(rows, "euclidean")
    scale = index._bytes.scale
    index.add([5000], 1000 * rows[:1])
    assert index._bytes is None
    assert_as_without(index, rows[:9], 10)
    assert index._bytes.scale < scale
    index.remove(index.ids)
    assert len(index) == 0
    index.add(np.arange(N), rows)
    assert_as_without(index, rows[:5], 10)


def test_saved_bytes_are_mapped_and_come_with_the_index(tmp_path):
    rows = rows_of()
    with_bytes(rows, "cosine").save(tmp_path / "index")
    loaded = Exact.load(tmp_path / "index")
    assert loaded._bytes is None  # who asks once does not need them
    assert_as_without(loaded, rows[:5], 10)
    base = loaded._bytes.codes
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


def test_saved_bytes_follow_what_is_added_to_a_loaded_index_and_removed(tmp_path):
    rows = rows_of(900)
    with_bytes(rows[:700], "cosine").save(tmp_path / "index")
    loaded = Exact.load(tmp_path / "index")
    loaded.add(np.arange(700, 900), rows[700:])
    loaded.remove(np.arange(0, 300, 3))
    loaded.save(tmp_path / "next")
    found = ByteRows.load(tmp_path / "next/bytes", loaded.ids, loaded.vectors)
    assert found.codes.shape == (800, D)
    assert_as_without(Exact.load(tmp_path / "next"), np.concatenate([rows[:5], rows[700:705]]), 10)


def test_bytes_that_are_made_are_left_beside_the_index(tmp_path):
    rows = rows_of()
    Exact("cosine").build(rows).save(tmp_path / "index")
    assert "bytes" not in os.listdir(tmp_path / "index")
    assert_as_without(Exact.load(tmp_path / "index"), rows[:5], 10)
    made = (tmp_path / "index/bytes/codes.npy").stat().st_mtime_ns
    assert_as_without(Exact.load(tmp_path / "index"), rows[:5], 10)
    assert (tmp_path / "index/bytes/codes.npy").stat().st_mtime_ns == made
    assert sorted(os.listdir(tmp_path / "index")) == [
        "bytes", "ids.npy", "index.json", "lengths.npy", "rows.npy"
    ]  # fmt: skip


def test_bytes_of_other_rows_are_not_taken(tmp_path):
    rows = rows_of()
    Exact("cosine").build(rows).save(tmp_path / "index")
    others = {
        "rows": Exact("cosine").build(rows[::-1].copy()),
        "ids": Exact("cosine").build(rows, np.arange(N)[::-1].copy()),
        "shape": Exact("cosine").build(rows[:-1]),
    }
    for index in others.values():
        ByteRows.make(index.vectors, index._lengths).save(
            tmp_path / "index/bytes", "cosine", index.ids, index.vectors
        )
        with pytest.raises(IndexFileError, match="of other rows"):
            ByteRows.load(tmp_path / "index/bytes", np.arange(N), rows)
        assert_as_without(Exact.load(tmp_path / "index"), rows[:5], 10)
    (tmp_path / "index/bytes/codes.npy").write_bytes(b"damaged")
    assert_as_without(Exact.load(tmp_path / "index"), rows[:5], 10)
    ByteRows.load(tmp_path / "index/bytes", np.arange(N), rows)


@pytest.mark.parametrize("name", ["codes", "facts", "steps", "center"])
def test_bytes_of_which_a_part_was_lost_are_not_taken(tmp_path, name):
    rows = rows_of()
    with_bytes(rows, "cosine").save(tmp_path / "index")
    file = tmp_path / f"index/bytes/{name}.npy"
    content = file.read_bytes()
    half = (len(content) + 128) // 2
    file.write_bytes(content[:half] + bytes(len(content) - half))  # as a power cut leaves it
    loaded = Exact.load(tmp_path / "index")
    assert_as_without(loaded, rows[::20], 10)
    assert file.read_bytes() == content  # made again


def test_a_folder_that_was_removed_does_not_come_back_for_bytes(tmp_path):
    rows = rows_of()
    Exact("cosine").build(rows).save(tmp_path / "index")
    loaded = Exact.load(tmp_path / "index")
    shutil.rmtree(tmp_path / "index")
    assert_as_without(loaded, rows[:5], 10)
    assert loaded._bytes is not None
    assert os.listdir(tmp_path) == []


def test_a_disk_that_cannot_be_written_to_does_not_matter(tmp_path, monkeypatch):
    rows = rows_of()
    Exact("cosine").build(rows).save(tmp_path / "index")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lookalike.index.folder.np.save", full)
    index = Exact.load(tmp_path / "index")
    assert_as_without(index, rows[:5], 10)
    assert index._bytes is not None
    assert "bytes" not in os.listdir(tmp_path / "index")


def test_two_threads_find_what_one_finds(monkeypatch):
    monkeypatch.setattr(byte_rows, "_SHARED_BYTES", 1)
    monkeypatch.setattr(byte_rows, "usable_cores", lambda: 2)
    for metric in ("cosine", "euclidean"):
        index = with_bytes(rows_of(), metric)
        assert_as_without(index, rows_of()[:20], 10)
        assert_as_without(index, rows_of()[:20], 5, np.arange(0, N, 3))


def test_many_threads_at_once_find_what_one_finds(monkeypatch):
    monkeypatch.setattr(byte_rows, "_SHARED_BYTES", 1)
    rows, made = rows_of(), []
    make = ByteRows.make
    monkeypatch.setattr(ByteRows, "make", lambda *given: made.append(1) or make(*given))
    index = Exact("cosine").build(rows)
    expected = index.search(rows[:64], 10).ids
    start = threading.Barrier(8)

    def search(number):
        start.wait(30)
        return all((index.search(rows[i], 10).ids[0] == expected[i]).all() for i in range(number, 64, 8))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(search, range(8)))
    assert len(made) == 1


def test_an_index_pickles_with_and_without_bytes():
    rows = rows_of()
    for index in (Exact("cosine").build(rows), with_bytes(rows, "cosine")):
        copy = pickle.loads(pickle.dumps(index))
        assert copy.ids.tolist() == index.ids.tolist()
        assert_as_without(copy, rows[:5], 10)


def test_the_order_of_ids_is_kept_where_distances_are_equal():
    rows = np.repeat(rows_of(70), 10, axis=0)
    index = with_bytes(rows, "euclidean", np.arange(N)[::-1].copy())
    assert index.search(rows[200], 4).ids.tolist() == index.search(rows[[200, 200]], 4).ids[:1].tolist()
    assert index.search(rows[200], 4).ids.tolist() == [[499, 498, 497, 496]]
