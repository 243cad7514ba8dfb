"""What was said of pictures that go stands for what stays, in one change, and comes back with them."""

import datetime

import pytest

from lookalike import ImageRef
from lookalike.collection.duplicates.acting import How, apply
from lookalike.collection.duplicates.undoing import undo

TRASH = How("trash")


@pytest.fixture
def spoken(scene):
    """The scene with something of everything said of the small copy of a, which goes."""
    small, kept, other = (scene.photos / each for each in ("copies/a-small.png", "a.png", "c.png"))
    collection = scene.collection
    collection.sets.add("best", [other, small])
    collection.labels.give([small], "wave")
    collection.feedback.judge(ImageRef(scene.id_of("copies/a-small.png")), other, "yes")
    collection.feedback.judge(ImageRef(scene.id_of("c.png")), small, "no")
    collection.decisions.decide(small, other, "not_duplicate")
    collection.fields.set({small: {"price": 3.0, "tags": ["x", "y"], "seen": datetime.datetime(2020, 5, 4)}})
    collection.fields.set({kept: {"tags": ["z"], "shop": "A"}})
    return scene


def said(scene):
    return sorted(
        str({**each, "time": 0, "path": 0, "paths": 0}) for each in scene.collection.said.documents()
    )


def fields(scene):
    return {
        name: scene.collection.fields.of(scene.photos / name)
        for name in ("a.png", "copies/a-small.png", "copies/a.png", "c.png")
    }


def test_what_was_said_stands_for_what_is_kept(spoken):
    kept, small = spoken.id_of("a.png"), spoken.id_of("copies/a-small.png")
    n_changes = len(spoken.collection.changes.list())
    report = apply(spoken.resources, spoken.plan(), TRASH)
    assert len(spoken.collection.changes.list()) == n_changes + 1
    assert spoken.collection.changes.list()[0].number == report.change
    now = spoken.collection.snapshot().said
    assert now.sets["best"].tolist() == [spoken.id_of("c.png"), kept]
    assert now.labels[kept] == "wave"
    assert {(query, image) for query, image in now.kept_judgments} >= {
        (f"{kept:016x}", spoken.id_of("c.png")),
        (f"{spoken.id_of('c.png'):016x}", kept),
    }
    pairs = {frozenset(pair) for pair in now.kept_decisions}
    assert frozenset((f"{kept:016x}", f"{spoken.id_of('c.png'):016x}")) in pairs
    assert spoken.collection.fields.of(spoken.photos / "a.png") == {
        "price": 3.0,
        "tags": ["z", "x", "y"],
        "seen": datetime.datetime(2020, 5, 4),
        "shop": "A",
    }
    assert small not in now.sets["best"]


def test_an_undo_takes_it_back(spoken):
    before = said(spoken), fields(spoken)
    report = apply(spoken.resources, spoken.plan(), TRASH)
    undone = undo(spoken.resources)
    assert undone.change == report.change + 1
    spoken.sync()
    assert (said(spoken), fields(spoken)) == before


def test_what_was_said_since_stays_and_the_undo_says_so(spoken):
    apply(spoken.resources, spoken.plan(), TRASH)
    spoken.collection.labels.give([spoken.photos / "a.png"], "other")
    spoken.collection.fields.set({spoken.photos / "a.png": {"price": 9.0}})
    report = undo(spoken.resources)
    assert any("came later" in note for note in report.notes)
    assert any("fields of photos:a.png were changed since" in note for note in report.notes)
    assert spoken.collection.fields.of(spoken.photos / "a.png")["price"] == 9.0


def test_a_label_of_what_is_kept_is_not_replaced(scene):
    scene.collection.labels.give([scene.photos / "a.png"], "mine")
    scene.collection.labels.give([scene.photos / "copies/a-small.png"], "theirs")
    apply(scene.resources, scene.plan(), TRASH)
    assert scene.collection.snapshot().said.labels[scene.id_of("a.png")] == "mine"


def test_nothing_passes_on_while_a_file_of_the_image_stays(scene):
    (scene.photos / "other").mkdir()
    (scene.photos / "other" / "small.png").write_bytes((scene.photos / "copies/a-small.png").read_bytes())
    scene.sync()
    scene.collection.labels.give([scene.photos / "copies/a-small.png"], "wave")
    plan = scene.plan()
    assert all(not row.passes_on for row in plan)
    assert apply(scene.resources, plan, TRASH).change is None
    assert scene.id_of("a.png") not in scene.collection.snapshot().said.labels


def test_hard_links_change_nothing_that_is_said(spoken):
    before = said(spoken), fields(spoken)
    assert apply(spoken.resources, spoken.plan(), How("hardlink")).change is None
    assert (said(spoken), fields(spoken)) == before


def test_a_place_in_an_edited_cluster_passes_on_where_what_is_kept_has_none(scene):
    scene.collection.clusterings.make("kmeans", 2, name="groups")
    scene.collection.clusterings.rename("groups", 0, "first")
    apply(scene.resources, scene.plan(), TRASH)
    shown = scene.collection.clusterings.get("groups")
    assert sum(cluster.size for cluster in shown.clusters) == 3
