"""What was said of an image holds after an edit of its file, and not of another picture in its place."""

import shutil
import subprocess
import sys

import pytest
from PIL import Image

from lookalike import Collection, Decision, ImageRef, Words
from lookalike.collection.statements.carrying import is_same_picture
from lookalike.images.thumbnails import encode_thumbnail
from pictures import scene

MODEL = "pixels-8-grey"
ORIENTATION, COMMENT = 0x0112, 0x9286


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(6):
        scene(number).save(folder / f"{number}.jpg", quality=92)
    return folder


@pytest.fixture
def collection(folder):
    made = Collection.create(folder, model=MODEL)
    made.sync()
    return made


def identity(collection, name):
    return collection.image_info(collection.roots[0] / name).id


def exif(path, tag, value):
    """Write one entry of EXIF data, and leave the pixels as they are."""
    data = Image.Exif()
    data[tag] = value
    content = path.read_bytes()
    body = b"\xff\xe1" + (len(data.tobytes()) + 2).to_bytes(2, "big") + data.tobytes()
    path.write_bytes(content[:2] + body + content[2:])


EDITS = {
    "a comment in the EXIF data": lambda path: exif(path, COMMENT, "by the lake"),
    "another orientation": lambda path: exif(path, ORIENTATION, 6),
    "encoded anew": lambda path: Image.open(path).save(path, quality=40),
    "turned": lambda path: Image.open(path).transpose(Image.Transpose.ROTATE_90).save(path),
    "cropped": lambda path: Image.open(path).crop((8, 6, 232, 154)).save(path),
    "half the size": lambda path: Image.open(path).resize((120, 80)).save(path),
    "in grey": lambda path: Image.open(path).convert("L").save(path),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_all_that_was_said_holds_after_an_edit(collection, folder, edit):
    old, other, third = (identity(collection, f"{number}.jpg") for number in range(3))
    collection.labels.give([old], "lake")
    collection.sets.add("best", [other, old, third])
    collection.feedback.judge(Words("a lake"), old, "yes", models=["m"])
    collection.feedback.judge(ImageRef(old, region=(0, 0, 0.5, 0.5)), other, "no")
    collection.feedback.judge(ImageRef(old), third, "yes")
    collection.decisions.decide(old, other, "remove")
    edit(folder / "0.jpg")
    report = collection.sync()
    assert (report.changed, report.carried, report.replaced) == (1, 1, 0)
    new = identity(collection, "0.jpg")
    assert new != old
    assert collection.image_info(folder / "0.jpg").labels == ("lake",)
    assert collection.sets.images("best").tolist() == [other, new, third]
    assert [each.image for each in collection.feedback.judgments(Words("a lake"))] == [old, new]
    assert [each.image for each in collection.feedback.judgments(new)] == [third]
    (region,) = collection.feedback.judgments(ImageRef(new, region=(0, 0, 0.5, 0.5)))
    assert (region.image, region.verdict) == (other, "no")
    assert Decision(new, other, "remove") in collection.decisions.list()
    assert collection.changes.list(last=1)[0].kind == "carry"
    assert collection.sync().carried == 0
    collection.changes.undo()
    assert collection.image_info(folder / "0.jpg").labels == ()
    assert collection.sets.images("best").tolist() == [other, old, third]


def test_another_picture_under_the_old_name_inherits_nothing(collection, folder):
    old = identity(collection, "0.jpg")
    collection.labels.give([old], "lake")
    collection.sets.add("best", [old])
    kept = (folder / "0.jpg").read_bytes()
    scene(77).save(folder / "0.jpg")
    report = collection.sync()
    assert (report.changed, report.carried, report.replaced) == (1, 0, 1)
    assert collection.image_info(folder / "0.jpg").labels == ()
    assert collection.sets.images("best").tolist() == [old]
    (folder / "back.jpg").write_bytes(kept)
    collection.sync()
    assert collection.image_info(folder / "back.jpg").labels == ("lake",)


def test_what_another_file_still_holds_keeps_its_place_in_sets(collection, folder):
    old = identity(collection, "0.jpg")
    shutil.copy(folder / "0.jpg", folder / "copy.jpg")
    collection.sets.add("best", [old])
    Image.open(folder / "0.jpg").save(folder / "0.jpg", quality=40)
    collection.sync()  # which sees the copy in the same run
    assert collection.sets.images("best").tolist() == [old, identity(collection, "0.jpg")]


def test_many_edits_at_once_are_one_change_for_each_commit(collection, folder):
    collection.labels.give([folder / f"{number}.jpg" for number in range(5)], "lake")
    for number in range(4):
        Image.open(folder / f"{number}.jpg").save(folder / f"{number}.jpg", quality=40)
    scene(78).save(folder / "4.jpg")
    report = collection.sync()
    assert (report.changed, report.carried, report.replaced) == (5, 4, 1)
    assert collection.labels.counts() == {"lake": 9}
    assert collection.changes.list()[0].words == "4 images labelled lake"


def test_where_nothing_was_said_nothing_is_compared(collection, folder, monkeypatch):
    from lookalike.collection.statements import carrying

    collection.labels.give(folder / "5.jpg", "lake")
    monkeypatch.setattr(carrying, "is_same_picture", lambda *both: pytest.fail("it was compared"))
    Image.open(folder / "0.jpg").save(folder / "0.jpg", quality=40)
    assert collection.sync().carried == 0


def test_a_label_that_the_new_content_has_already_stays(collection, folder):
    collection.labels.give(folder / "0.jpg", "lake")
    collection.labels.give(folder / "1.jpg", "sea")
    shutil.copy(folder / "1.jpg", folder / "0.jpg")
    report = collection.sync()
    assert (report.carried, report.replaced) == (0, 1)
    assert collection.image_info(folder / "0.jpg").labels == ("sea",)


def test_a_run_that_is_killed_before_it_commits_loses_nothing(collection, folder):
    collection.labels.give(folder / "0.jpg", "lake")
    Image.open(folder / "0.jpg").save(folder / "0.jpg", quality=40)
    code = """
import os, sys
from lookalike import Collection
from lookalike.store import Store
Store.write_real, files = Store.write, []
def write(self, changes, vectors):
    if changes.files:
        os.kill(os.getpid(), 9)
    self.write_real(changes, vectors)
Store.write = write
Collection.open(sys.argv[1]).sync()
"""
    killed = subprocess.run([sys.executable, "-c", code, str(folder)], check=False)
    assert killed.returncode == -9
    collection.sync()
    assert collection.image_info(folder / "0.jpg").labels == ("lake",)


def test_clusters_keep_edited_pictures_and_no_others(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(6):
        scene(number).save(folder / f"{number}.jpg")
    collection = Collection.create(folder, model=MODEL, labels="none")
    collection.sync()
    found = collection.clusterings.make(k=2)
    for each in found.clusters:
        collection.clusterings.rename(found.name, each.number, "ab"[each.number] + " group")
    names = {name: collection.image_info(folder / name).labels for name in ("0.jpg", "1.jpg")}
    Image.open(folder / "0.jpg").save(folder / "0.jpg", quality=40)
    scene(79).save(folder / "1.jpg")
    collection.sync()
    assert collection.image_info(folder / "0.jpg").labels == names["0.jpg"]
    assert collection.image_info(folder / "1.jpg").labels == ()


def flat(color, size=(60, 40)):
    return encode_thumbnail(Image.new("RGB", size, color))


def test_pictures_without_texture_are_told_apart_by_their_color():
    assert is_same_picture(flat((200, 40, 40)), flat((201, 41, 40), (40, 60)))
    assert not is_same_picture(flat((200, 40, 40)), flat((40, 100, 200)))
    assert not is_same_picture(flat((100, 100, 100)), encode_thumbnail(scene(1)))


def test_a_damaged_thumbnail_is_no_picture():
    assert not is_same_picture(b"", flat((1, 2, 3)))
