"""``lookalike check`` on the command line."""

import json

import pytest

from lookalike import Collection


@pytest.fixture
def folder(photos):
    with Collection.create(photos, model="pixels-8-grey") as made:
        made.sync()
        made.clusterings.make(k=2)
    return photos


def test_what_is_whole_is_said_in_one_line(call, folder):
    code, out, err = call("check")
    assert (code, out.startswith("whole: "), out.count("\n"), err) == (0, True, 1, "")
    assert call("check", "--quiet") == (0, "", "")


def test_damage_is_told_with_what_it_costs_and_mended(call, folder):
    (folder / ".lookalike/collection.json").write_bytes(b"{}")
    code, out, err = call("info")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "`lookalike check --repair`" in err
    code, out, err = call("check")
    assert (code, err) == (1, "")
    assert out.startswith("collection.json: ")
    assert "  costs: nothing can be asked" in out
    assert "  repair: it is made again of its copy" in out
    document = json.loads(call("check", "--repair", "--json")[1])
    assert (document["whole"], document["repaired"]) == (True, True)
    assert [(each["place"], each["mended"]) for each in document["damages"]] == [("collection.json", True)]
    assert call("check")[0] == 0
    assert call("info")[0] == 0


def test_what_cannot_be_brought_back_is_said_with_what_makes_it_again(call, folder):
    (arrays,) = (folder / ".lookalike/clusterings/kmeans").glob("arrays-*")
    arrays.write_bytes(arrays.read_bytes()[:-20])
    code, out, _ = call("check", "--repair")
    assert code == 1
    assert "not mended: it was moved aside, and is lost; make it with `lookalike cluster make" in out
    assert call("check")[0] == 0


def test_where_there_is_no_collection_that_is_said(call, tmp_path):
    (tmp_path / "empty").mkdir()
    code, out, err = call("check", "-c", tmp_path / "empty")
    assert (code, out, err.count("\n")) == (2, "", 1)
