"""Vectors that are kept in four bits a number."""

import numpy as np
import pytest

from lookalike.four_bits import CodedRows, decode, encode, rounded
from lookalike.index import ivf_rq
from lookalike.index.exact import Exact
from lookalike.index.row_parts import RowParts, Stretch
from lookalike.store import PinnedStore, Store

N, D = 300, 512  # Lance lays narrower rows otherwise


@pytest.fixture
def vectors():
    rows = np.random.default_rng(0).normal(size=(N, D)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / ".lookalike")


@pytest.fixture
def table(store, vectors):
    table = store.vectors("deep", D, bits=4)
    store.write_vectors(list(range(N)), vectors, table)
    return table


def by_id(ids, rows):
    return np.asarray(rows)[np.argsort(ids)]


def test_all_who_read_get_the_rows_that_the_codes_stand_for(table, store, vectors):
    kept = rounded(vectors)
    assert (table.dimension(), table.bits(), table.count()) == (D, 4, N)
    assert np.array_equal(by_id(*table.read_vectors()), kept)
    ids, rows = table.vectors_of([7, 3, 999])
    assert np.array_equal(by_id(ids, rows), kept[[3, 7]])
    assert table.vectors_of([999])[1].shape == (0, D)
    blocks = list(table.vector_blocks())
    assert np.array_equal(by_id(*(np.concatenate(each) for each in zip(*blocks, strict=True))), kept)
    read, ids = table.open_vectors()
    assert np.array_equal(by_id(ids, np.concatenate([some for _, some in read()])), kept)
    pinned = PinnedStore.take(store.folder).vectors("deep", D)  # who reads need not say the bits
    assert (pinned.dimension(), pinned.bits()) == (D, 4)
    assert np.array_equal(by_id(*pinned.read_vectors()), kept)
    again = Store(store.folder).vector_tables()["deep"]
    assert (again.dimension(), again.bits()) == (D, 4)


def test_what_was_read_is_written_as_it_was(table, store):
    ids, rows = table.read_vectors()
    store.write_vectors(ids, rows, table)
    assert np.array_equal(by_id(*table.read_vectors()), by_id(ids, rows))


def test_a_number_takes_half_a_byte_on_the_disk(table, store, vectors):
    def bytes_of(one):
        return sum(file.stat().st_size for file in (one.folder / "data").iterdir())

    floats = store.vectors("floats", D)
    store.write_vectors(list(range(N)), vectors, floats)
    assert bytes_of(table) < N * (D / 2 + 10) + 6_000
    assert bytes_of(floats) > N * D * 4


def test_they_are_mapped_where_they_lie(table, vectors):
    table.delete([5])
    (first, second) = table.lying_vectors()
    assert isinstance(first.vectors, CodedRows) and len(first.ids) == 5 and len(second.ids) == N - 6
    for some in (first, second):
        start = some.file.read_bytes()[some.offset :]
        codes = np.frombuffer(start[: len(some.ids) * D // 2], np.uint8).reshape(-1, D // 2)
        assert np.array_equal(codes, encode(vectors[some.ids]))
        assert np.array_equal(some.vectors[:], decode(codes))


def test_exact_search_in_the_codes_finds_what_it_finds_in_floats(table, vectors, tmp_path):
    table.delete([5])
    lying = table.lying_vectors()
    places = [Stretch(each.file, each.offset, len(each.ids), is_coded=True) for each in lying]
    ids = np.concatenate([each.ids for each in lying])
    index = Exact().build_of_parts(RowParts([each.vectors for each in lying], places), ids)
    plain = Exact().build(rounded(vectors)[ids], ids)
    index.save_parts(tmp_path / "index")
    loaded = Exact.load(tmp_path / "index")
    for one in (index, loaded):
        for query in (vectors[:1], vectors[:1], vectors[:9]):  # alone, by bytes from the second time on; many
            found, expected = one.search(query, 10), plain.search(query, 10)
            assert np.array_equal(found.ids, expected.ids)
            assert np.allclose(found.distances, expected.distances, atol=1e-6)
        within, expected = one.radius(vectors[:3], 0.7), plain.radius(vectors[:3], 0.7)
        assert np.array_equal(within.ids, expected.ids)
    assert np.array_equal(loaded.vector_of(7), rounded(vectors)[7])
    assert np.array_equal(loaded.vectors, rounded(vectors)[ids])
    assert loaded.search(rounded(vectors)[7], 1).distances[0, 0] < 1e-6


def test_the_stores_own_index_is_not_made_and_the_rows_are_read(table, vectors, tmp_path, monkeypatch):
    monkeypatch.setattr(ivf_rq, "_ALWAYS_EXACT", 10)
    index = ivf_rq.IvfRq.make(table, tmp_path / "index", "cosine", tmp_path)
    assert not table.has_vector_index()
    found = index.search(vectors[:2], 5, recall=0.9)
    expected = Exact().build(rounded(vectors)).search(vectors[:2], 5)
    assert np.array_equal(found.ids, expected.ids)
