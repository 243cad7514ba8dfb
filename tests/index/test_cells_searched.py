import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.four_bits import decode, encode
from lookalike.index import cells
from lookalike.index.cells import nearest_cells


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def random_rows(n, n_cells, d, seed=0):
    return encode(unit(np.random.default_rng(seed).normal(size=(n * n_cells, d)))).reshape(n, -1)


def test_by_hand():
    # Codes 15 and 0 are 15 and -15: the cells are (1, 1), (1, -1), (-1, 1) and (-1, -1) over √2.
    rows = np.array([[0xFF, 0x0F], [0xF0, 0x00], [0xFF, 0xFF]], np.uint8)
    found = nearest_cells(unit(np.array([1.0, 0.0])), rows, 2)
    assert found.cosines == pytest.approx([0.5**0.5, -(0.5**0.5), 0.5**0.5], abs=1e-4)
    assert found.cells.tolist() == [0, 0, 0]  # the first of those that are as near
    found = nearest_cells(unit(np.array([1.0, -1.0])), rows, 2)
    assert found.cosines == pytest.approx([1, 0, 0], abs=1e-4)
    assert found.cells.tolist() == [1, 1, 0]


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 90), st.integers(0, 2**20))
def test_it_is_the_largest_product_of_what_the_codes_stand_for(n, n_cells, half, seed):
    rows = random_rows(n, n_cells, 2 * half, seed)
    query = unit(np.random.default_rng(seed + 1).normal(size=2 * half))
    products = (decode(rows.reshape(-1, half)) @ query).reshape(n, n_cells)
    found = nearest_cells(query, rows, n_cells)
    assert found.cosines == pytest.approx(products.max(axis=1), abs=1e-4)
    at = products[np.arange(n), found.cells]
    assert at == pytest.approx(products.max(axis=1), abs=1e-4)


def test_only_chosen_pictures_are_looked_at_in_their_order():
    rows = random_rows(50, 9, 160)
    query = unit(np.random.default_rng(1).normal(size=160))
    whole, some = nearest_cells(query, rows, 9), nearest_cells(query, rows, 9, np.array([7, 3, 3]))
    assert some.cosines.tolist() == whole.cosines[[7, 3, 3]].tolist()
    assert some.cells.tolist() == whole.cells[[7, 3, 3]].tolist()
    none = nearest_cells(query, rows, 9, np.empty(0, np.int64))
    assert len(none.cosines) == len(none.cells) == 0
    assert len(nearest_cells(query, rows[:0], 9).cosines) == 0


def test_threads_find_the_same(monkeypatch):
    rows = random_rows(101, 9, 160)
    query = unit(np.random.default_rng(1).normal(size=160))
    alone = nearest_cells(query, rows, 9), nearest_cells(query, rows, 9, np.arange(100, 0, -1))
    monkeypatch.setattr(cells, "_SHARED", 20)
    monkeypatch.setattr(cells, "usable_cores", lambda: 3)
    shared = nearest_cells(query, rows, 9), nearest_cells(query, rows, 9, np.arange(100, 0, -1))
    for one, other in zip(alone, shared, strict=True):
        assert np.array_equal(one.cosines, other.cosines) and np.array_equal(one.cells, other.cells)


def test_a_query_without_direction_is_like_nothing():
    found = nearest_cells(np.zeros(160, np.float32), random_rows(3, 9, 160), 9)
    assert not found.cosines.any()
