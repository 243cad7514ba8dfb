"""A plan is followed so that nothing is lost: every refusal, every way, and back."""

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from duplicate_scenes import Scene
from lookalike.collection.duplicates.acting import How, apply
from lookalike.collection.duplicates.undoing import undo
from lookalike.errors import (
    CollectionConflictError,
    CollectionNotFoundError,
    ConflictError,
    InvalidInputError,
    LockedError,
    NotFoundError,
)
from lookalike.store import writer_lock
from lookalike.system import trash
from permissions import as_nobody, folder_for_all

TRASH = How("trash")
LINK = How("hardlink")
GONE = {"copies/a.png", "copies/a-small.png", "copies/b.png"}


def ways(scene):
    return {"trash": TRASH, "move": How("move", scene.folder / "away"), "hardlink": LINK}


def reasons(report):
    return {Path(each.path).name: each.why for each in report.skipped}


@pytest.mark.parametrize("way", ["trash", "move"])
def test_what_goes_is_out_of_the_folder_and_lies_elsewhere_whole(scene, way):
    before, contents = scene.tree(), scene.contents()
    report = apply(scene.resources, scene.plan(), ways(scene)[way])
    assert (len(report.done), report.skipped) == (3, ())
    assert set(before) - set(scene.tree()) == GONE
    assert scene.contents() == contents
    assert all(Path(each.to).is_file() for each in report)


@pytest.mark.parametrize("way", ["trash", "move"])
def test_an_undo_puts_everything_back_as_it_was(scene, way):
    before = scene.tree()
    apply(scene.resources, scene.plan(), ways(scene)[way])
    report = undo(scene.resources)
    assert len(report.done) == 3
    assert scene.tree() == before
    assert not [each for each in scene.trash.rglob("*") if each.is_file()]


def test_a_hard_link_is_made_of_one_content_only_and_undone_as_a_file_of_its_own(scene):
    before = scene.tree()
    copy = scene.photos / "copies" / "a.png"
    os.utime(copy, ns=(10**18, 10**18))
    os.chmod(copy, 0o640)
    scene.sync()
    before = scene.tree()
    report = apply(scene.resources, scene.plan(), LINK)
    assert {Path(each.path).name for each in report.done} == {"a.png", "b.png"}
    assert "only files of one content become one" in reasons(report)["a-small.png"]
    assert copy.samefile(scene.photos / "a.png")
    undone = undo(scene.resources)
    assert len(undone.done) == 2
    assert not copy.samefile(scene.photos / "a.png")
    assert scene.tree() == before
    assert copy.stat().st_mode & 0o777 == 0o640


def test_a_second_plan_on_hard_links_says_that_they_are_one_file(scene):
    plan = scene.plan()
    apply(scene.resources, plan, LINK)
    for how in (LINK, TRASH):
        assert "already one file" in reasons(apply(scene.resources, plan, how))["b.png"]
    assert (scene.photos / "copies" / "b.png").exists()


def test_a_file_that_was_changed_since_the_plan_stays(scene):
    plan = scene.plan()
    small, kept = scene.photos / "copies" / "a-small.png", scene.photos / "b.png"
    small.write_bytes(small.read_bytes() + b" ")
    kept.write_bytes(kept.read_bytes() + b" ")
    report = apply(scene.resources, plan, TRASH)
    assert [Path(each.path).name for each in report.done] == ["a.png"]
    assert reasons(report)["a-small.png"] == "it has another content than the plan says"
    assert reasons(report)["b.png"].endswith("which is kept for it, has another content than the plan says")


def test_a_file_whose_kept_one_is_gone_stays(scene):
    plan = scene.plan()
    (scene.photos / "b.png").unlink()
    assert "is not there any more" in reasons(apply(scene.resources, plan, TRASH))["b.png"]
    assert (scene.photos / "copies" / "b.png").exists()


def test_a_file_that_is_gone_already_is_said_to_be(scene):
    plan = scene.plan()
    (scene.photos / "copies" / "b.png").unlink()
    assert reasons(apply(scene.resources, plan, TRASH))["b.png"] == "it is not there any more"


def test_what_is_kept_is_never_reached_through_a_link_to_what_goes(scene):
    plan = scene.plan()
    kept = scene.photos / "b.png"
    kept.unlink()
    kept.symlink_to("copies/b.png")
    assert "which goes" in reasons(apply(scene.resources, plan, TRASH))["b.png"]
    kept.unlink()
    shutil.copy(scene.photos / "copies" / "b.png", scene.folder / "elsewhere.png")
    kept.symlink_to(scene.folder / "elsewhere.png")
    assert "which is kept for it, is a symbolic link" in reasons(apply(scene.resources, plan, TRASH))["b.png"]


def test_a_link_in_the_place_of_what_goes_stays(scene):
    plan = scene.plan()
    (scene.photos / "copies" / "b.png").unlink()
    (scene.photos / "copies" / "b.png").symlink_to("../c.png")
    assert reasons(apply(scene.resources, plan, TRASH))["b.png"] == "it is a symbolic link"


def test_a_folder_that_became_a_link_to_that_of_what_is_kept_loses_nothing(scene):
    plan = scene.plan()
    shutil.rmtree(scene.photos / "copies")
    (scene.photos / "copies").symlink_to(".")
    contents = scene.contents()
    report = apply(scene.resources, plan, TRASH)
    assert not report.done
    assert scene.contents() == contents


def test_a_file_outside_the_collection_stays_whatever_a_plan_says(scene):
    outside = scene.folder / "outside.png"
    shutil.copy(scene.photos / "b.png", outside)
    document = scene.plan().to_dict()
    document["rows"] = document["rows"][-1:]
    document["rows"][0]["go"]["path"] = str(outside)
    made = type(scene.plan()).from_dict(document)
    assert "in no folder of the collection" in reasons(apply(scene.resources, made, TRASH))["outside.png"]
    assert outside.exists()


def test_an_own_trash_that_cannot_be_made_is_a_reason(scene, monkeypatch):
    (scene.folder / "home").mkdir()
    (scene.folder / "home" / "Trash").write_text("no folder")
    report = apply(scene.resources, scene.plan(), TRASH)
    assert not report.done
    assert "there is no trash for it" in reasons(report)["b.png"]


def test_names_that_are_taken_in_the_trash_are_not_written_over(scene):
    files = scene.trash / "files"
    files.mkdir(parents=True)
    (files / "b.png").write_text("another")
    (scene.trash / "info").mkdir()
    (scene.trash / "info" / "b.2.png.trashinfo").write_text("[Trash Info]\nPath=/elsewhere\n")
    before = scene.tree()
    report = apply(scene.resources, scene.plan(), TRASH)
    assert {Path(each.to).name for each in report if each.path.endswith("/b.png")} == {"b.3.png"}
    assert (files / "b.png").read_text() == "another"
    undo(scene.resources)
    assert scene.tree() == before


def test_a_place_in_the_trash_that_is_taken_in_between_is_left_to_whom_has_it(scene, monkeypatch):
    take, taken = trash.TrashPlace.take, []

    def taken_before(place):
        if not taken:
            taken.append(place)
            place.info.write_text("[Trash Info]\nPath=/elsewhere/x\n")
            place.file.write_text("another's")
        take(place)

    monkeypatch.setattr(trash.TrashPlace, "take", taken_before)
    report = apply(scene.resources, scene.plan(), TRASH)
    assert len(report.done) == 3
    assert taken[0].file.read_text() == "another's"
    assert len(undo(scene.resources).done) == 3
    assert taken[0].info.exists()


def test_the_tree_is_kept_in_a_folder_and_names_are_numbered(scene):
    to = scene.folder / "away"
    (to / "photos" / "copies").mkdir(parents=True)
    (to / "photos" / "copies" / "b.png").write_text("another")
    (scene.photos / "copies" / "b.png.xmp").write_text("<x/>")
    report = apply(scene.resources, scene.plan(), How("move", to))
    assert len(report.done) == 4
    names = sorted(each.name for each in (to / "photos" / "copies").iterdir())
    assert names == ["a-small.png", "a.png", "b-2.png", "b-2.png.xmp", "b.png"]
    assert (to / "photos" / "copies" / "b.png").read_text() == "another"


@pytest.mark.parametrize(
    ("place", "error"),
    [("photos/away", InvalidInputError), ("no/where", NotFoundError), ("photos/c.png", InvalidInputError)],
)
def test_a_folder_that_is_none_to_move_to_is_refused(scene, place, error):
    before = scene.tree()
    with pytest.raises(error):
        apply(scene.resources, scene.plan(), How("move", scene.folder / place))
    assert scene.tree() == before


def test_a_folder_of_a_collection_is_none_to_move_to(scene):
    with pytest.raises(ConflictError):
        apply(scene.resources, scene.plan(), How("move", scene.photos / ".lookalike" / "away"))


@pytest.mark.parametrize("how", [How("shred"), How("move"), How("trash", Path("x"))])
def test_a_way_that_is_none_is_refused(scene, how):
    with pytest.raises(InvalidInputError):
        apply(scene.resources, scene.plan(), how)


def test_a_plan_of_another_collection_is_refused(scene):
    document = scene.plan().to_dict() | {"collection": str(scene.folder / "x" / ".lookalike")}
    with pytest.raises(CollectionConflictError, match="is of the collection"):
        apply(scene.resources, type(scene.plan()).from_dict(document), TRASH)


def test_a_dry_run_says_what_would_be_and_does_nothing(scene):
    before = scene.tree()
    report = apply(scene.resources, scene.plan(), How("move", scene.folder / "away"), dry_run=True)
    assert report.is_dry_run
    assert len(report.done) == 3
    assert scene.tree() == before
    assert not (scene.folder / "away").exists()
    with pytest.raises(CollectionNotFoundError):
        undo(scene.resources)


def test_two_at_once_are_kept_apart_by_the_writers_lock(scene):
    plan = scene.plan()
    with writer_lock(scene.resources.store.folder), pytest.raises(LockedError):
        apply(scene.resources, plan, TRASH, wait=0.0)
    with writer_lock(scene.resources.store.folder), pytest.raises(LockedError):
        undo(scene.resources, wait=0.0)


def test_an_undo_never_writes_over_a_file_that_came_since(scene):
    apply(scene.resources, scene.plan(), TRASH)
    place = scene.photos / "copies" / "b.png"
    place.write_text("new")
    report = undo(scene.resources)
    assert len(report.done) == 2
    assert "another file is at" in report.skipped[0].why
    assert place.read_text() == "new"
    assert Path(report.skipped[0].path).is_file()
    place.unlink()
    assert len(undo(scene.resources).done) == 1
    assert place.is_file()


def test_what_was_changed_where_it_was_put_is_left_there(scene):
    report = apply(scene.resources, scene.plan(), How("move", scene.folder / "away"))
    moved = Path(report.done[-1].to)
    moved.write_bytes(b"edited")
    undone = undo(scene.resources)
    assert "has another content than what was put there" in undone.skipped[0].why
    assert moved.read_bytes() == b"edited"


def test_an_emptied_trash_is_said_and_the_undo_is_over(scene):
    apply(scene.resources, scene.plan(), TRASH)
    shutil.rmtree(scene.trash)
    report = undo(scene.resources)
    assert not report.done
    assert all("any more" in each.why for each in report.skipped)
    with pytest.raises(CollectionNotFoundError):
        undo(scene.resources)


def test_a_file_that_somebody_put_back_by_hand_counts_as_back(scene):
    report = apply(scene.resources, scene.plan(), TRASH)
    for each in report:
        shutil.move(each.to, each.path)
    assert len(undo(scene.resources).done) == 3


def test_an_undo_cannot_be_undone_and_is_not_done_twice(scene):
    number = apply(scene.resources, scene.plan(), TRASH).act
    undo(scene.resources)
    with pytest.raises(CollectionNotFoundError, match="nothing was done"):
        undo(scene.resources)
    with pytest.raises(CollectionConflictError, match="was undone already"):
        undo(scene.resources, number)
    with pytest.raises(CollectionNotFoundError, match="there is no act 7"):
        undo(scene.resources, 7)


def test_acts_are_undone_from_the_last_to_the_first(scene):
    before = scene.tree()
    plan = scene.plan()
    first = type(plan)(plan.collection, plan.made, plan.rows[:1])
    rest = type(plan)(plan.collection, plan.made, plan.rows[1:])
    apply(scene.resources, first, TRASH)
    apply(scene.resources, rest, How("move", scene.folder / "away"))
    assert undo(scene.resources).act == 2
    assert undo(scene.resources).act == 1
    assert scene.tree() == before


def test_an_edited_hard_link_is_not_parted(scene):
    apply(scene.resources, scene.plan(), LINK)
    (scene.photos / "b.png").write_bytes(b"edited")
    report = undo(scene.resources)
    assert "was changed since" in report.skipped[0].why
    assert (scene.photos / "copies" / "b.png").read_bytes() == b"edited"


def test_the_collection_is_up_to_date_afterwards_and_a_sync_finds_nothing(scene):
    apply(scene.resources, scene.plan(), TRASH)
    assert {Path(hit.path).name for hit in scene.collection.browse().hits} == {"a.png", "b.png", "c.png"}
    report = scene.sync()
    assert (report.added, report.removed, report.changed, report.unchanged) == (0, 0, 0, 3)
    undo(scene.resources)
    report = scene.sync()
    assert (report.added, report.removed, report.unchanged) == (3, 0, 3)


def test_a_sync_after_hard_links_finds_the_same_images(scene):
    ids = sorted(scene.collection.browse().ids.tolist())
    apply(scene.resources, scene.plan(), LINK)
    report = scene.sync()
    assert (report.added, report.removed, report.failed_before) == (0, 0, frozenset())
    assert sorted(scene.collection.browse().ids.tolist()) == ids


@pytest.mark.skipif(not hasattr(os, "fork"), reason="names of any bytes are of Unix")
def test_names_that_are_no_utf8_go_and_come_back(scene):
    name = os.fsdecode(b"copies/caf\xe9\\.png")
    Image.open(scene.photos / "c.png").resize((60, 60)).save(scene.photos / name)
    scene.sync()
    before = scene.tree()
    plan = scene.pair("c.png", name)
    file = scene.folder / "plan.json"
    plan.save(file)
    assert "caf\\\\xe9" in file.read_text(encoding="utf-8")
    read = type(plan).load(file)
    assert read == plan
    assert len(apply(scene.resources, read, TRASH).done) == 1
    assert len(undo(scene.resources).done) == 1
    assert scene.tree() == before


def test_a_trash_that_says_nothing_is_used_and_named_for_a_person(scene, monkeypatch):
    away = scene.folder / "somewhere"
    away.mkdir()
    monkeypatch.setattr("lookalike.collection.duplicates.acting.can_be_told", lambda: False)
    monkeypatch.setattr(
        "lookalike.collection.duplicates.acting.throw_away", lambda file: shutil.move(file, away / file.name)
    )
    plan = scene.plan()
    report = apply(scene.resources, type(plan)(plan.collection, plan.made, plan.rows[1:]), TRASH)
    assert [each.to for each in report.done] == [None, None]
    assert "does not say where" in report.notes[0]
    undone = undo(scene.resources)
    assert all("by hand" in each.why for each in undone.skipped)
    with pytest.raises(CollectionNotFoundError):
        undo(scene.resources)


@pytest.mark.skipif(os.name == "nt", reason="permissions of folders are of Unix")
@pytest.mark.parametrize("way", ["trash", "move", "hardlink"])
def test_a_folder_that_may_not_be_written_to_keeps_its_files(monkeypatch, way):
    with folder_for_all() as folder:
        monkeypatch.setenv("XDG_DATA_HOME", str(folder / "home"))
        scene = Scene(folder)
        (folder / "home").mkdir()
        (folder / "away").mkdir()
        plan, contents = scene.plan(), scene.contents()
        for place in (folder, *folder.rglob("*")):
            os.chmod(place, 0o777 if place.is_dir() else 0o666)
        os.chmod(scene.photos / "copies", 0o555)
        with as_nobody():
            assert {each.why.partition(" ")[0] for each in scene.plan().left_out} == {"its"}
            report = apply(scene.resources, plan, ways(scene)[way])
        os.chmod(scene.photos / "copies", 0o777)
        assert not report.done
        assert scene.contents() == contents
