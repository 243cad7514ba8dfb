"""Numbers in ``index.json`` that no index has written are damage."""

import json

import numpy as np
import pytest

from lookalike.errors import IndexFileError
from lookalike.index import KDTree, KMeansTree
from lookalike.index.saved_facts import read_count, read_number, read_scale

ROWS = np.random.default_rng(0).normal(size=(300, 6)).astype(np.float32)


@pytest.mark.parametrize("value", [None, "2", True, [1], {}, float("nan"), float("inf"), -1.0, 10**400, 3.0])
def test_what_is_no_power_of_two_is_no_scale(value):
    with pytest.raises(ValueError, match="scale"):
        read_scale({"scale": value})


def test_numbers_are_read_as_they_were_written():
    assert read_scale({"scale": 0.25}) == 0.25
    assert read_number({"longest": 1.5}, "longest") == 1.5
    assert read_count({"n": 3}, "n", 3) == 3
    for wrong in (4, -1, 1.0, True, "1"):
        with pytest.raises(ValueError, match="its n"):
            read_count({"n": wrong}, "n", 3)


@pytest.mark.parametrize("kind", [KDTree, KMeansTree])
@pytest.mark.parametrize("value", [None, "x", float("nan"), 1e999, -1, [2], {"a": 1}, 0.3, True])
@pytest.mark.parametrize("name", ["scale", "random_state"])
def test_index_with_a_number_of_another_kind_is_damaged(tmp_path, kind, name, value):
    kind().build(ROWS).save(tmp_path / "index")
    file = tmp_path / "index" / "index.json"
    facts = json.loads(file.read_text())
    file.write_text(json.dumps({**facts, name: value}))
    with pytest.raises(IndexFileError):
        kind.load(tmp_path / "index")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[]", "1", "null", '"x"', ""])
def test_index_whose_facts_are_nested_or_no_object_is_damaged(tmp_path, text):
    KDTree().build(ROWS).save(tmp_path / "index")
    (tmp_path / "index" / "index.json").write_text(text)
    with pytest.raises(IndexFileError):
        KDTree.load(tmp_path / "index")
