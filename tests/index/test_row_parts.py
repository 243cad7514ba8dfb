"""Rows in pieces behave as one array."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import IndexFileError
from lookalike.index import Exact
from lookalike.index.row_parts import RowParts, Stretch

ROWS = np.random.default_rng(0).standard_normal((30, 4)).astype(np.float32)


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=5),
    st.integers(0, 30),
    st.integers(0, 30),
    st.lists(st.integers(0, 29)),
)
def test_they_are_taken_out_as_of_one_array(cuts, start, stop, numbers):
    edges = sorted({0, 30, *cuts})
    parts = RowParts([ROWS[a:b] for a, b in itertools.pairwise(edges)], [None] * (len(edges) - 1))
    assert len(parts) == 30 and parts.shape == ROWS.shape and parts.size == ROWS.size
    assert np.array_equal(parts[start:stop], ROWS[start:stop])
    assert np.array_equal(parts[np.array(numbers, int)], ROWS[np.array(numbers, int)])
    assert np.array_equal(parts[ROWS[:, 0] > 0], ROWS[ROWS[:, 0] > 0])
    assert np.array_equal(parts[3], ROWS[3])
    assert np.array_equal(np.array(parts), ROWS)
    blocks = list(parts.blocks(7))
    assert np.array_equal(np.concatenate([parts[block] for block in blocks]), ROWS)
    assert all(block.stop - block.start <= 7 for block in blocks)


def save_in_parts(tmp_path):
    place = tmp_path / "data" / "of.others"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"head" + ROWS[:20].tobytes())
    stretch = Stretch(place, 4, 20)
    rows = RowParts([stretch.map(4), ROWS[20:]], [stretch, None])
    index = Exact("euclidean").build_of_parts(rows, np.arange(30))
    index.save_parts(tmp_path / "indexes" / "index")
    return place


def test_an_index_is_saved_without_what_lies_elsewhere_and_moves_with_it(tmp_path):
    save_in_parts(tmp_path / "here")
    saved = np.load(tmp_path / "here/indexes/index/rows.npy")
    assert np.array_equal(saved, ROWS[20:])
    (tmp_path / "here").rename(tmp_path / "there")
    loaded = Exact.load(tmp_path / "there/indexes/index")
    assert np.array_equal(loaded.vectors, ROWS)
    expected = Exact("euclidean").build(ROWS).search(ROWS, 3)
    assert np.array_equal(loaded.search(ROWS, 3).ids, expected.ids)
    loaded.save(tmp_path / "whole")
    assert np.array_equal(np.load(tmp_path / "whole/rows.npy"), ROWS)
    loaded.add([99], [[9, 9, 9, 9]])
    loaded.remove([0])
    assert loaded.search([9, 9, 9, 9], 1).ids.tolist() == [[99]]


@pytest.mark.parametrize("harm", [lambda file: file.unlink(), lambda file: file.write_bytes(b"head")])
def test_an_index_whose_rows_are_gone_says_so(tmp_path, harm):
    place = save_in_parts(tmp_path)
    harm(place)
    with pytest.raises(IndexFileError, match="cannot be read"):
        Exact.load(tmp_path / "indexes" / "index")
