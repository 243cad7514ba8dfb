"""The table of fields: columns that come and go, and rows of which one counts."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.store import schema
from lookalike.store.fields import FieldTable
from lookalike.store.schema import field_column, read_field_columns
from lookalike.types import FieldKind


@pytest.fixture
def table(tmp_path):
    return FieldTable(tmp_path / "fields.lance", schema.fields())


@given(st.text(min_size=1, max_size=64).filter(str.isprintable), st.sampled_from(get_args(FieldKind)))
def test_a_column_says_its_name_and_kind_in_letters_digits_and_lines(name, kind):
    column = field_column(name, kind)
    assert column.replace("_", "").isalnum()
    assert column.isascii()
    assert read_field_columns(["row", "path", "id", "set_us", column]) == {name: kind}


def test_columns_are_added_to_rows_that_are_there(table):
    assert table.kinds() == {}
    table.add_kinds({"a": "number"})
    table.write(["p:x", "p:y"], [1, 2], 5, {"a": [1.0, None]})
    table.add_kinds({"b c": "tags"})
    table.write(["p:x"], [1], 6, {"a": [2.0], "b c": [["t"]]})
    assert table.kinds() == {"a": "number", "b c": "tags"}
    # By another object, too, which has not written the columns itself.
    fresh = FieldTable(table.folder, schema.fields())
    assert fresh.rows_of(["p:x"], []) == table.rows_of(["p:x"], [])
    assert fresh.rows_of([], []) == []
    rows = {row["path"]: row["values"] for row in table.rows_of(["p:x", "p:y"], [])}
    assert rows == {"p:x": {"a": 2.0, "b c": ["t"]}, "p:y": {"a": None, "b c": None}}
    assert [row["path"] for row in table.rows_of([], [2])] == ["p:y"]


def test_a_sweep_deletes_rows_of_paths_that_are_gone_and_of_images_that_were_replaced(table):
    table.add_kinds({"a": "number"})
    rows = [("added:x", 1), ("added:x", 2), ("added:y", 3), ("added:z", 4), ("photos:added:x", 9)]
    table.write([path for path, _ in rows], [image for _, image in rows], 5, {"a": [1.0] * 5})
    table.sweep({"added:x": 2, "added:z": 7}, "added:")
    # What is said of a path by an older image alone is still said of it.
    assert sorted((row["path"], row["id"]) for row in table.read(["path", "id"]).to_pylist()) == [
        ("added:x", 2),
        ("added:z", 4),
        ("photos:added:x", 9),
    ]
    table.forget(["added:x", "nothing"])
    assert table.count() == 2


def test_many_rows_are_found_as_few_are(table, monkeypatch):
    table.add_kinds({"a": "number"})
    table.write([f"p:{n}" for n in range(20)], list(range(20)), 5, {"a": [float(n) for n in range(20)]})
    asked = [f"p:{n}" for n in range(0, 20, 3)], [1, 3, 5]
    few = sorted(table.rows_of(*asked), key=lambda row: row["id"])
    monkeypatch.setattr("lookalike.store.fields._SCANNED", 2)
    assert sorted(table.rows_of(*asked), key=lambda row: row["id"]) == few
    assert [row["id"] for row in few] == [0, 1, 3, 5, 6, 9, 12, 15, 18]
