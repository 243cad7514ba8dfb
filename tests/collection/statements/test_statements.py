"""What users say by the services of a collection, and what it says where labels and sets are asked for."""

import json
import os

import numpy as np
import pytest

from lookalike import Collection, Decision, Filter, Judgment, Pixels, Words
from lookalike.errors import (
    CollectionConflictError,
    CollectionNotFoundError,
    InvalidInputError,
    LookalikeError,
    NotFoundError,
    QueryError,
)
from lookalike.types import format_id

MODEL = "pixels-8-grey"


@pytest.fixture
def folder(photos):
    return photos


@pytest.fixture
def collection(folder):
    made = Collection.create(folder, model=MODEL)
    made.sync()
    return made


def ids(collection, *names):
    return [collection.image_info(collection.roots[0] / name).id for name in names]


def test_images_are_named_by_path_id_hit_and_result(collection, folder):
    cat, dog = ids(collection, "cats/0.png", "dogs/3.png")
    result = collection.search(folder / "cats/0.png", k=5)
    collection.sets.add("a", folder / "cats/0.png")
    collection.sets.add("b", [cat, format_id(dog), result.hits[0]])
    collection.sets.add("c", result)
    collection.sets.add("d", np.array([dog, cat, dog]))
    collection.sets.add("e", collection.browse(where=Filter(labels=["dogs"])))
    assert len(collection.sets.images("e")) == 3
    collection.sets.delete("e")
    assert collection.sets.images("a").tolist() == [cat]
    assert collection.sets.images("b").tolist() == list(dict.fromkeys([cat, dog, result.hits[0].id]))
    assert collection.sets.images("c").tolist() == result.ids.tolist()
    assert collection.sets.images("d").tolist() == [dog, cat]
    assert [hit.id for hit in collection.sets.hits("d")] == [dog, cat]
    assert collection.sets.names() == ["a", "b", "c", "d"]
    assert "d" in collection.sets
    assert len(collection.sets) == 4


def test_sets_are_made_filled_renamed_and_deleted_each_in_a_change(collection, folder):
    assert collection.sets.add("empty", []).words == "set empty made, of 0 images"
    assert collection.sets.add("empty", []) is None
    collection.sets.add("best", [folder / "cats/0.png", folder / "cats/1.png"])
    collection.sets.remove("best", folder / "cats/0.png")
    collection.sets.rename("best", "top")
    assert [(each.name, each.size) for each in collection.sets.list()] == [("empty", 0), ("top", 1)]
    collection.sets.delete("top")
    assert collection.sets.names() == ["empty"]
    assert [each.number for each in collection.changes.list(last=2)] == [5, 4]
    assert Collection.open(folder).changes.undo().undoes == 5
    assert collection.sets.names() == ["empty", "top"]


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda sets: sets.images("x"), CollectionNotFoundError, "no set 'x'; there are best"),
        (lambda sets: sets.remove("x", []), CollectionNotFoundError, "no set 'x'"),
        (lambda sets: sets.delete("x"), CollectionNotFoundError, "no set 'x'"),
        (lambda sets: sets.rename("x", "y"), CollectionNotFoundError, "no set 'x'"),
        (lambda sets: sets.rename("other", "best"), CollectionConflictError, "there is a set best already"),
        (lambda sets: sets.add("", []), InvalidInputError, r"expected a (line of )?text"),
        (lambda sets: sets.add("a\nb", []), InvalidInputError, r"expected a (line of )?text"),
        (lambda sets: sets.add(7, []), InvalidInputError, r"expected a (line of )?text"),
        (lambda sets: sets.add("a", 1.5), InvalidInputError, "expected ids, paths, hits, or a result"),
        (lambda sets: sets.add("a", [-1]), InvalidInputError, "id is -1"),
        (lambda sets: sets.add("a", [None]), InvalidInputError, "id is None"),
        (lambda sets: sets.add("a", np.zeros((2, 2), int)), InvalidInputError, "expected .n,. int64 ids"),
        (lambda sets: sets.add("a", "nowhere.png"), QueryError, "no such image"),
        (lambda sets: sets.add("a", "0123456789abcdef"), QueryError, "no image of this collection"),
    ],
)
def test_what_cannot_be_done_with_a_set_is_told_and_nothing_is_changed(collection, call, error, match):
    collection.sets.add("best", [])
    collection.sets.add("other", [])
    with pytest.raises(error, match=match):
        call(collection.sets)
    assert collection.sets.names() == ["best", "other"]
    assert len(collection.changes.list()) == 2


def test_an_id_that_is_not_there_is_kept_and_counted_as_missing(collection):
    collection.sets.add("best", [12345, *ids(collection, "cats/0.png")])
    (found,) = collection.sets.list()
    assert (found.size, found.missing) == (1, 1)
    assert len(collection.sets.hits("best")) == 1


def test_a_label_by_hand_goes_before_the_folders_wherever_there_is_a_label(collection, folder):
    image = folder / "cats/0.png"
    collection.labels.give(image, "kitten")
    (hit,) = [hit for hit in collection.search(image, k=6, include_self=True).hits if hit.distance == 0]
    assert (hit.label, hit.hand_label, hit.folder_label) == ("kitten", "kitten", "cats")
    found = collection.search(folder / "dogs/3.png", where=Filter(labels=["kitten"])).hits
    assert [each.path for each in found] == [str(image)]
    cats = collection.search(folder / "dogs/3.png", where=Filter(labels=["cats"])).hits
    assert sorted(os.path.basename(each.path) for each in cats) == ["1.png", "2.png"]
    assert collection.info().labels == {"dogs": 3, "cats": 2, "kitten": 1}
    assert collection.image_info(image).labels == ("kitten",)
    assert collection.labels.counts() == {"kitten": 1}
    assert collection.evaluation.retrieval().labels_from == "labels by hand and folders"
    collection.labels.remove(image)
    assert collection.image_info(image).labels == ("cats",)


def test_each_image_may_get_a_label_of_its_own_in_one_change(collection, folder):
    cat, dog = ids(collection, "cats/0.png", "dogs/3.png")
    collection.labels.give_each({cat: "a", str(folder / "dogs/3.png"): "b"})
    assert dict(collection.labels.by_image()) == {cat: "a", dog: "b"}
    collection.labels.give_each({cat: None, dog: "c"})
    assert dict(collection.labels.by_image()) == {dog: "c"}
    with pytest.raises(InvalidInputError, match="the same image is to be"):
        collection.labels.give_each({dog: "x", format_id(dog): "y"})
    with pytest.raises(InvalidInputError, match=r"expected a (label by image|mapping)"):
        collection.labels.give_each(["x"])
    assert len(collection.changes.list()) == 2


def test_a_set_is_searched_in(collection, folder):
    collection.sets.add("best", [folder / "cats/1.png", folder / "dogs/4.png"])
    found = collection.search(folder / "cats/0.png", where=Filter(sets=["best"])).hits
    assert sorted(os.path.basename(hit.path) for hit in found) == ["1.png", "4.png"]


def test_all_judgments_of_a_hit_are_kept_and_queries_are_told_apart(collection, folder):
    cat, dog = ids(collection, "cats/0.png", "dogs/3.png")
    feedback = collection.feedback
    feedback.judge(folder / "cats/0.png", dog, "no", models="m")
    feedback.judge(cat, format_id(dog), "yes", models=["m", "n"])
    feedback.judge(Words("a dog", weight=2), dog, "yes")
    given = feedback.judgments(cat)
    assert [(each.verdict, each.models) for each in given] == [("no", ("m",)), ("yes", ("m", "n"))]
    assert given[0].time < given[1].time
    (words,) = feedback.judgments(Words("a dog"))
    assert words.to_dict()["query"] == {"words": "a dog"}
    assert given[0].to_dict()["query"] == format_id(cat)
    assert feedback.judge_all(feedback.judgments()) is None
    feedback.withdraw(cat, dog)
    assert len(feedback.judgments()) == 1
    with pytest.raises(CollectionNotFoundError, match="was not judged"):
        feedback.withdraw(cat, dog)


@pytest.mark.parametrize(
    ("query", "verdict", "models", "match"),
    [
        (Pixels(np.zeros((4, 4, 3), np.uint8)), "yes", (), "query is given by pixels"),
        ("cats/0.png", "maybe", (), "expected yes, no, skip"),
        ("cats/0.png", "yes", [7], r"expected (names of models|a text)"),
    ],
)
def test_a_judgment_that_could_not_be_read_later_is_refused(
    collection, folder, monkeypatch, query, verdict, models, match
):
    monkeypatch.chdir(folder)
    with pytest.raises(InvalidInputError, match=match):
        collection.feedback.judge(query, "dogs/3.png", verdict, models)
    with pytest.raises(InvalidInputError, match=r"expected a (list of lookalike\.)?Judgment"):
        collection.feedback.judge_all(["yes"])


def test_pairs_are_decided_whichever_is_named_first(collection, folder):
    cat, dog = ids(collection, "cats/0.png", "dogs/3.png")
    collection.decisions.decide(cat, dog, "remove")
    assert collection.decisions.list() == (Decision(cat, dog, "remove"),)
    collection.decisions.decide(dog, folder / "cats/0.png", "remove")
    assert collection.decisions.list() == (Decision(dog, cat, "remove"),)
    collection.decisions.decide(dog, cat, "not_duplicate")
    assert collection.decisions.decide(cat, dog, "not_duplicate") is None
    collection.decisions.withdraw(cat, dog)
    assert collection.decisions.list() == ()
    with pytest.raises(CollectionNotFoundError, match="nothing was decided"):
        collection.decisions.withdraw(cat, dog)


def test_two_places_of_one_image_are_a_pair_that_follows_a_new_name(collection, folder):
    (folder / "copy.png").write_bytes((folder / "cats/0.png").read_bytes())
    collection.sync()
    collection.decisions.decide(folder / "copy.png", folder / "cats/0.png", "remove")
    assert collection.decisions.list() == (Decision("photos:copy.png", "photos:cats/0.png", "remove"),)
    (folder / "copy.png").rename(folder / "again.png")
    collection.sync()
    assert collection.decisions.list() == (Decision("photos:again.png", "photos:cats/0.png", "remove"),)


@pytest.mark.parametrize(
    ("a", "b", "decision", "match"),
    [
        ("cats/0.png", "cats/0.png", "remove", "are both"),
        ("cats/0.png", "dogs/3.png", "both", "expected keep, remove, not_duplicate, alternates"),
        ("cats/0.png", "nowhere.png", "keep", "no such image"),
    ],
)
def test_what_is_no_pair_is_not_decided(collection, folder, monkeypatch, a, b, decision, match):
    monkeypatch.chdir(folder)
    with pytest.raises(LookalikeError, match=match):
        collection.decisions.decide(a, b, decision)
    assert collection.changes.list() == ()


@pytest.mark.parametrize("number", [0, True, "1"])
def test_a_change_is_named_by_its_number(collection, number):
    with pytest.raises(InvalidInputError, match="number is"):
        collection.changes.undo(number)


def say_something_of_all_kinds(collection, folder):
    collection.labels.give(folder / "cats/0.png", "kitten")
    collection.sets.add("best", [folder / "dogs/3.png", folder / "cats/0.png"])
    collection.sets.add("empty", [])
    collection.feedback.judge(Words("a dog"), folder / "dogs/3.png", "yes", models=["m"])
    collection.feedback.judge(folder / "cats/0.png", folder / "dogs/3.png", "no")
    collection.decisions.decide(folder / "cats/0.png", folder / "cats/1.png", "remove")
    (folder / "copy.png").write_bytes((folder / "cats/0.png").read_bytes())
    collection.sync()
    collection.decisions.decide(folder / "copy.png", folder / "cats/0.png", "keep")


def state(collection):
    said = collection.snapshot().said
    return (
        dict(said.labels),
        {name: found.tolist() for name, found in said.sets.items()},
        dict(said.kept_judgments),
        dict(said.kept_decisions),
    )


def test_what_is_exported_is_imported_elsewhere_whole_and_once(collection, folder, tmp_path):
    say_something_of_all_kinds(collection, folder)
    n = collection.said.export(tmp_path / "said.jsonl")
    lines = (tmp_path / "said.jsonl").read_text().splitlines()
    assert len(lines) == n == 8
    assert json.loads(lines[0]) == {
        "kind": "label",
        "label": "kitten",
        "image": format_id(ids(collection, "cats/0.png")[0]),
        "path": "photos:cats/0.png",
    }
    assert collection.said.load(tmp_path / "said.jsonl").change is None

    empty = Collection.create(tmp_path / "empty", model=MODEL, with_root=False)
    found = empty.said.load(tmp_path / "said.jsonl")
    assert (found.statements, found.new, found.unknown, found.kept) == (8, 8, 6, 0)
    assert state(empty) == state(collection)
    again = empty.said.load(tmp_path / "said.jsonl")
    assert (again.change, again.new) == (None, 0)
    assert empty.changes.undo().undoes == 1
    assert state(empty) == ({}, {}, {}, {})


def test_what_is_here_already_stays_where_an_import_says_otherwise(collection, folder, tmp_path):
    say_something_of_all_kinds(collection, folder)
    collection.said.export(tmp_path / "said.jsonl")
    collection.labels.give(folder / "cats/0.png", "lion")
    collection.decisions.decide(folder / "cats/0.png", folder / "cats/1.png", "alternates")
    before = state(collection)
    found = collection.said.load(tmp_path / "said.jsonl")
    assert (found.change, found.kept) == (None, 2)
    assert state(collection) == before


def test_a_line_that_people_write_names_an_image_by_its_path(collection, folder, tmp_path):
    lines = [
        {"kind": "label", "label": "kitten", "path": "photos:cats/0.png"},
        {"kind": "label", "label": "pup", "path": str(folder / "dogs/3.png")},
        {"kind": "set", "set": "best", "path": "photos:nowhere.png"},
        {"query": {"words": "a dog"}, "path": "photos:dogs/3.png", "verdict": "yes"},
    ]
    (tmp_path / "said.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    found = collection.said.load(tmp_path / "said.jsonl")
    assert (found.statements, found.unmatched, found.unknown) == (4, 1, 0)
    assert collection.labels.counts() == {"kitten": 1, "pup": 1}
    assert collection.sets.names() == ["best"]
    assert len(collection.feedback.judgments(Words("a dog"))) == 1


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("nonsense", r"line 2: it is no JSON"),
        ("[1]", r"line 2: it is \[1\]; expected an object"),
        ('{"kind": "fact"}', "line 2: kind is 'fact'; expected label, set, judgment, decision"),
        ('{"kind": ["label"]}', "line 2: kind is"),
        ('{"kind": "label", "label": "x"}', "line 2: a label needs 'path'"),
        ('{"kind": "label", "label": 3, "image": "00000000000000ff"}', r"expected a (line of )?text"),
        ('{"kind": "label", "label": "x", "image": 255}', "expected 16 hexadecimal digits"),
        ('{"kind": "label", "label": "y", "image": "00000000000000ff"}', "is 'x' in a line above"),
        ('{"kind": "set", "image": "00000000000000ff"}', "a set needs 'set'"),
        ('{"kind": "judgment", "query": "00", "image": "00000000000000ff", "verdict": "yes"}', "id is '00'"),
        (
            '{"query": {"words": "x"}, "image": "00000000000000ff", "verdict": "yes", "time": "now"}',
            "time is 'now'",
        ),
        ('{"query": {"pixels": ""}, "image": "00000000000000ff", "verdict": "yes"}', "line 2"),
        ('{"kind": "decision", "a": "00000000000000ff", "b": "p:x", "decision": "keep"}', "expected two ids"),
        ('{"kind": "decision", "a": 1, "b": "p:x", "decision": "keep"}', "expected an id, or a stored path"),
    ],
)
def test_a_line_that_says_nothing_is_named_and_nothing_is_imported(collection, tmp_path, line, match):
    first = '{"kind": "label", "label": "x", "image": "00000000000000ff"}'
    (tmp_path / "said.jsonl").write_text(f"{first}\n{line}\n")
    with pytest.raises(LookalikeError, match=match):
        collection.said.load(tmp_path / "said.jsonl")
    assert collection.changes.list() == ()


def test_a_file_that_cannot_be_read_or_written_is_told(collection, tmp_path):
    with pytest.raises(InvalidInputError, match="cannot read"):
        collection.said.load(tmp_path / "nowhere.jsonl")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInputError, match="no text in UTF-8"):
        collection.said.load(tmp_path / "bytes")
    with pytest.raises(NotFoundError, match="there is no folder"):
        collection.said.export(tmp_path / "no/such/folder.jsonl")


def test_people_say_things_while_another_process_indexes(collection, folder):
    from lookalike.store import writer_lock

    with writer_lock(collection.folder):
        assert collection.labels.give(folder / "cats/0.png", "kitten").number == 1
    collection.sync()
    assert collection.labels.counts() == {"kitten": 1}


def test_what_is_said_outlives_the_image(collection, folder):
    collection.labels.give(folder / "cats/0.png", "kitten")
    content = (folder / "cats/0.png").read_bytes()
    (folder / "cats/0.png").unlink()
    collection.sync()
    (folder / "dogs/new.png").write_bytes(content)
    collection.sync()
    assert collection.image_info(folder / "dogs/new.png").labels == ("kitten",)


def test_a_judgment_is_what_it_says():
    import datetime

    time = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    document = Judgment(Words("x"), 255, "yes", ("m",), time).to_dict()
    assert document == {
        "query": {"words": "x"},
        "image": "00000000000000ff",
        "verdict": "yes",
        "models": ["m"],
        "time": "2026-01-02T03:04:05.000000Z",
    }
