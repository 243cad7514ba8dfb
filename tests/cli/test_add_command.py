"""``lookalike add``, ``remove`` and ``index --fields``, run as a person runs them."""

import json
import os
import subprocess
import sys

import pytest

from pictures import picture

MODEL = ("--model", "pixels-8-grey")


@pytest.fixture
def folder(photos):
    return photos


@pytest.fixture
def indexed(folder, call):
    """The folder, indexed; and two pictures beside it."""
    assert call("index", *MODEL)[0] == 0
    beside = folder.parent / "beside"
    beside.mkdir()
    for number in range(2):
        picture(90 + number).save(beside / f"{number}.png")
    return folder


def test_files_are_added_under_their_paths_or_a_key(indexed, call):
    assert call("add", "../beside/0.png", "../beside/1.png") == (0, "2 added\n", "")
    assert call("add", "../beside/0.png")[1] == "1 unchanged\n"
    words = ("--key", "a/b", "--label", "cam", "--field", "price=3")
    assert call("add", "../beside/0.png", *words)[1] == "1 added\n"
    code, out, _ = call("info", "added:a/b")
    assert code == 0
    assert "key         a/b\n" in out
    assert "field       price: 3\n" in out
    assert "labels      cam\n" in out
    out = call("info")[1]
    assert "added       3 by call\n" in out
    assert "fields      price (number)\n" in out
    _, out, _ = call("search", "added:a/b", "--in", "added:../beside", "--json")
    assert [hit["keys"] for hit in json.loads(out)["hits"]] == [["../beside/1.png"]]
    assert call("index")[1].startswith(".lookalike: 9 unchanged")


def test_json_says_what_became_of_each(indexed, call):
    code, out, _ = call("add", "../beside/0.png", "notes.txt", "--json")
    document = json.loads(out)
    assert code == 1
    assert (document["added"], document["failed"], document["embedded"]) == (1, 1, 1)
    assert [(row["key"], row["outcome"]) for row in document["images"]] == [
        ("../beside/0.png", "added"),
        ("notes.txt", "failed"),
    ]
    assert "not an image" in document["images"][1]["reason"]
    code, out, _ = call("add", "notes.txt")
    assert code == 1
    assert out.startswith("1 failed\n  notes.txt: not an image")


def test_a_key_of_nothing_is_none_and_no_path_stands_for_it(indexed, call):
    code, out, _ = call("add", "../beside/0.png", "--key", "")
    assert (code, "the key has 0 characters" in out) == (1, True)
    assert "added" not in call("info")[1]


def test_what_only_the_collection_keeps_is_shown_by_its_key(indexed, call):
    call("add", "../beside/0.png", "--key", "shoe/1")
    shown = "added:shoe/1"
    assert call("list", "--in", "added:")[1] == f"1\t\t\t{shown}\n"
    assert call("search", "added:shoe/1", "--include-self", "-k", 1)[1].endswith(f"\t{shown}\n")
    call("sets", "add", "best", shown)
    assert call("sets", "show", "best")[1].split("\t")[1] == shown
    path = call("list", "--in", "added:", "-f")[1].strip()  # of a file that other programs can open
    assert os.path.isfile(indexed / path)
    call("add", "cats/0.png", "--key", "again/1")  # it lies in a folder, too, whose name says more
    assert call("list", "-k", 2)[1].splitlines()[1] == "2\t\tcats\tcats/0.png  (also added:again/1)"


def test_one_comes_on_standard_input(indexed):
    command = [sys.executable, "-m", "lookalike", "add", "-", "--key", "now"]
    content = (indexed.parent / "beside" / "0.png").read_bytes()
    done = subprocess.run(command, input=content, capture_output=True, cwd=indexed, timeout=120)
    assert (done.returncode, done.stdout) == (0, b"1 added" + os.linesep.encode())


def test_removed_keys_are_gone(indexed, call):
    call("add", "../beside/0.png", "../beside/1.png")
    assert call("remove", "../beside/0.png", "nothing") == (0, "1 removed, 1 not there\n", "")
    code, _, complaint = call("remove", "nothing")
    assert (code, complaint) == (2, "lookalike: nothing was added under nothing\n")
    assert json.loads(call("remove", "../beside/1.png", "--json")[1]) == {"removed": 1, "missing": 0}
    assert call("search", "added:../beside/1.png")[0] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "a.png", "b.png", "--key", "k"), "--key is for one file"),
        (("add", "-"), "give it a --key"),
        (("add", "cats/0.png", "--field", "price"), "expected NAME=VALUE"),
        (("add", "cats/0.png", "--field", "price:number=dear"), "expected a number"),
        (
            ("add", "cats/0.png", "--field", "price:numbr=3"),
            "'numbr' is no kind; expected one of number, text",
        ),
        (("remove", " a"), "blank at its ends"),
        (("index", "--fields", "nothing.csv"), "no such file"),
        (("index", "--fields", "notes.txt"), "expected one of path, file, id, key"),
        (("index", "--fields", "notes.txt", "--dry-run"), "leave out --dry-run"),
    ],
)
def test_a_slip_is_told_in_a_line(indexed, call, words, said):
    code, _, complaint = call(*words)
    assert code == 2
    assert said in complaint
    assert complaint.count("\n") == 1


@pytest.mark.parametrize("words", ["a,b\n1,2\n", "file,price:number\ncats/0.png,dear\n"])
def test_a_table_of_fields_that_cannot_be_read_is_told_of_before_anything_is_indexed(folder, call, words):
    (folder / "table.csv").write_text(words, encoding="utf-8")
    code, out, complaint = call("index", *MODEL, "--fields", "table.csv")
    assert (code, out, complaint.count("\n")) == (2, "", 1)
    assert not (folder / ".lookalike").exists()
    call("index", *MODEL)
    picture(7).save(folder / "new.png")
    assert call("index", "--fields", "table.csv")[0] == 2
    assert "images      6\n" in call("info")[1]


def test_index_reads_a_table_of_fields_and_says_what_came_in(folder, call):
    (folder / "table.csv").write_text(
        "file,price,tags\ncats/0.png,3,red; blue\n5.png,,\nnowhere.png,1,\n", encoding="utf-8"
    )
    code, out, _ = call("index", *MODEL, "--fields", "table.csv")
    assert code == 0
    assert "table.csv: 2 files, 1 changed; fields: price (number), tags (tags)\n" in out
    assert "1 row about no file of the collection: nowhere.png\n" in out
    document = json.loads(call("index", "--fields", "table.csv", "--json")[1])
    assert document["fields"] == {
        "files": 2,
        "changed": 0,
        "unknown": ["nowhere.png"],
        "kinds": {"price": "number", "tags": "tags"},
    }
    shown = json.loads(call("info", "cats/0.png", "--json")[1])["images"][0]
    assert shown["fields"] == {"price": 3.0, "tags": ["red", "blue"]}
