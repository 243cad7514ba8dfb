"""Sets, labels, changes and undoing on the command line."""

import json

import pytest

from lookalike import Collection


@pytest.fixture
def folder(photos):
    Collection.create(photos, model="pixels-8-grey").sync()
    return photos


def test_a_set_is_filled_shown_renamed_and_deleted(call):
    assert call("sets", "list") == (0, "", "no sets; for example: lookalike sets add best beach.jpg\n")
    assert call("sets", "add", "best", "cats/0.png", "dogs/3.png")[1] == (
        "set best made, of 2 images (change 1)\n"
    )
    assert call("sets", "add", "best", "cats/0.png")[1] == "nothing to change\n"
    assert call("sets", "list")[1] == "best\t2 images\n"
    assert call("sets", "show", "best", "-f")[1] == "cats/0.png\ndogs/3.png\n"
    assert call("sets", "remove", "best", "dogs/3.png")[1] == "1 image taken out of best (change 2)\n"
    assert call("sets", "rename", "best", "top", "--quiet") == (0, "", "")
    document = json.loads(call("sets", "show", "top", "--json")[1])
    assert (document["set"], document["missing"]) == ("top", 0)
    assert [image["paths"] for image in document["images"]] == [["cats/0.png"]]
    assert json.loads(call("sets", "delete", "top", "--json")[1])["change"]["words"] == "set top deleted"


def test_the_collection_is_found_around_the_images_as_search_finds_it(call, folder):
    outside = folder.parent
    image = f"{folder.name}/cats/0.png"
    for words in ("sets add best", "labels give owl", "labels remove", "sets remove best"):
        assert call(*words.split(), image, cwd=outside)[0] == 0
    assert len(Collection.open(folder).changes.list()) == 4
    code, _, complaint = call("labels", "give", "owl", "nothing.png", cwd=outside)
    assert (code, complaint.count("\n")) == (2, 1)


def test_what_a_search_finds_goes_into_a_set_by_standard_input(call, monkeypatch):
    import io
    import sys

    _, found, _ = call("search", "cats/0.png", "-k", "3", "-f")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(found.encode())))
    assert call("sets", "add", "alike", "-")[1] == "set alike made, of 3 images (change 1)\n"
    assert call("sets", "show", "alike", "-f")[1] == found


def test_what_passes_filters_goes_into_a_set(call):
    assert call("sets", "add", "mine", "dogs/3.png", "--label", "cats")[1] == (
        "set mine made, of 4 images (change 1)\n"
    )
    assert call("sets", "show", "mine", "-f")[1] == "dogs/3.png\ncats/0.png\ncats/1.png\ncats/2.png\n"
    assert call("sets", "add", "none", "--label", "nothing")[0] == 2


def test_labels_are_given_listed_and_taken_away(call):
    assert call("labels", "give", "kitten", "cats/0.png", "cats/1.png")[1] == (
        "2 images labelled kitten (change 1)\n"
    )
    assert call("labels", "list")[1] == "kitten\t2 images\n"
    assert call("labels", "remove", "cats/1.png")[1] == "1 image not labelled any more (change 2)\n"
    assert json.loads(call("labels", "list", "--json")[1]) == {"labels": {"kitten": 1}}
    assert "kitten" in call("search", "cats/1.png", "-k", "5")[1]


def test_changes_are_listed_and_undone(call):
    assert call("changes")[2] == "nothing was said of any image yet\n"
    call("labels", "give", "kitten", "cats/0.png")
    assert call("undo")[1] == "1 image not labelled any more (change 2)\n"
    assert call("undo", "2")[1] == "1 image labelled kitten (change 3)\n"
    lines = call("changes")[1].splitlines()
    assert [line.split("\t")[0] for line in lines] == ["3", "2", "1"]
    assert lines[1].endswith("undid change 1: 1 image not labelled any more\t(undone by change 3)")
    (last,) = json.loads(call("changes", "--last", "1", "--json")[1])["changes"]
    assert (last["number"], last["undoes"], last["kind"]) == (3, 2, "undo")


def test_what_was_said_goes_to_a_file_and_back(call, folder):
    call("labels", "give", "kitten", "cats/0.png")
    assert call("said", "export", "said.jsonl")[1] == "1 line written\n"
    call("undo")
    code, out, _ = call("said", "import", "said.jsonl")
    assert (code, out) == (0, "1 line read, 1 of them new\nto take it back: lookalike undo 3\n")
    document = json.loads(call("said", "import", "said.jsonl", "--json")[1])
    assert (document["change"], document["statements"], document["new"]) == (None, 1, 0)
    (folder / "said.jsonl").write_text('{"kind": "label", "label": "x", "path": "no.png"}\n')
    assert "1 name a path alone" in call("said", "import", "said.jsonl")[1]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("sets", "show", "x"), "there is no set 'x'; there is none yet"),
        (("sets", "add", "x", "nowhere.png"), "there is no such image: nowhere.png"),
        (("sets", "add", "", "cats/0.png"), "name is ''; expected a line of text"),
        (("labels", "give", "x", "notes.txt"), "notes.txt is no image of this collection"),
        (("undo",), "there is no change that could be undone"),
        (("undo", "7"), "there is no change 7; there was none"),
        (("said", "import", "notes.txt"), "notes.txt, line 1: it is no JSON"),
        (("said", "export", "no/such/said.jsonl"), "no/such/said.jsonl: there is no folder"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(call, words, complaint):
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert complaint in err
    assert err.count("\n") == 1


def test_a_change_that_another_supersedes_says_which(call):
    call("labels", "give", "kitten", "cats/0.png")
    call("labels", "give", "lion", "cats/0.png")
    code, _, err = call("undo", "1")
    assert code == 2
    assert "undo change 2 first" in err


def test_index_says_what_was_carried_over_and_what_was_not(call, folder):
    from pictures import picture

    call("labels", "give", "kitten", "cats/0.png", "cats/1.png")
    picture(0).save(folder / "cats/0.png", compress_level=0)
    picture(40).save(folder / "cats/1.png")
    _, out, _ = call("index")
    assert "What was said of 1 image holds after the edit, too\n" in out
    assert "1 file holds another picture now, and what was said of the old one is not said of that\n" in out
    document = json.loads(call("index", "--json")[1])
    assert (document["carried"], document["replaced"]) == (0, 0)
