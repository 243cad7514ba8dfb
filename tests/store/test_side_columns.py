"""Columns beside the embeddings."""

import numpy as np
import pytest

from lookalike.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def vectors_of(ids):
    return np.repeat(np.array(ids, np.float32)[:, None], 4, axis=1)


def side_of(ids, width=3):
    return np.repeat(np.array(ids, np.uint8)[:, None], width, axis=1)


def read(table, name="classes"):
    ids, rows = table.read_side(name)
    return dict(zip(ids.tolist(), rows.tolist(), strict=True))


def test_rows_are_read_as_written(store):
    table = store.vectors("lite0", 4)
    store.write_vectors([1, 2], vectors_of([1, 2]), table, {"classes": side_of([1, 2])})
    both = {"classes": side_of([9, 3])[:, ::-1], "cells": side_of([7, 8], 5)}
    store.write_vectors(np.array([2, 3]), vectors_of([2, 3]), table, both)
    assert read(table) == {1: [1] * 3, 2: [9] * 3, 3: [3] * 3}
    assert read(table, "cells") == {2: [7] * 5, 3: [8] * 5}
    ids, vectors = table.read_vectors()
    assert dict(zip(ids.tolist(), vectors[:, 0].tolist(), strict=True)) == {1: 1, 2: 2, 3: 3}


def test_table_made_before_gets_the_column_with_the_next_rows(store):
    table = store.vectors("lite0", 4)
    store.write_vectors([1, 2], vectors_of([1, 2]), table)
    assert table.read_side("classes")[0].tolist() == []
    store.write_vectors([2, 3], vectors_of([2, 3]), table, {"classes": side_of([2, 3])})
    assert read(table) == {2: [2] * 3, 3: [3] * 3}
    assert table.dimension() == 4 and sorted(table.read_vectors()[0].tolist()) == [1, 2, 3]


def test_no_table_has_none(store):
    ids, rows = store.vectors("lite0", 4).read_side("classes")
    assert ids.shape == (0,) and rows.shape == (0, 0)


def test_vectors_are_still_mapped_where_they_lie(store):
    table, vectors = store.vectors("lite0", 256), np.random.default_rng(0).random((50, 256), np.float32)
    store.write_vectors(np.arange(50), vectors, table, {"classes": np.ones((50, 60), np.uint8)})
    (lying,) = table.lying_vectors()
    assert lying.file is not None
    assert np.array_equal(lying.vectors, vectors[lying.ids])


def test_deleted_rows_are_gone_and_joined_files_are_whole(store):
    table = store.vectors("lite0", 4)
    for key in range(1, 9):
        store.write_vectors([key], vectors_of([key]), table, {"classes": side_of([key])})
    table.delete([3])
    table.maintain()
    assert read(table) == {key: [key] * 3 for key in range(1, 9) if key != 3}
