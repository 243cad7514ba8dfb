"""What a sync says of images that were there already: byte for byte, and as near-duplicates."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from known_copies import say_found
from lookalike import Collection
from lookalike.collection import newcomers
from pictures import picture


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "photos"
    place.mkdir()
    for number in range(3):
        picture(number).save(place / f"{number}.png")
    shutil.copy(place / "0.png", place / "0 (copy).png")
    return place


@pytest.fixture
def photos(folder):
    return Collection.create(folder, model="pixels-8-grey")


def test_copies_are_counted_among_what_comes_and_beside_what_is_there(photos, folder):
    first = photos.sync()
    assert (first.added, first.copies) == (4, 1)
    assert first.to_dict()["copies"] == 1
    assert photos.sync().copies == 0
    shutil.copy(folder / "1.png", folder / "1 again.png")
    shutil.copy(folder / "1.png", folder / "1 once more.png")
    picture(7).save(folder / "new.png")
    picture(7).save(folder / "new too.png")
    second = photos.sync()
    assert (second.added, second.copies, second.alike) == (4, 3, None)


def test_moved_removed_and_edited_files_are_no_copies(photos, folder):
    photos.sync()
    (folder / "1.png").rename(folder / "moved.png")
    (folder / "0.png").unlink()
    picture(8).save(folder / "2.png")
    picture(9).save(folder / "new.png")
    done = photos.sync()
    assert (done.added, done.moved, done.removed, done.changed) == (1, 1, 1, 1)
    assert done.copies == 0


def test_files_that_fail_are_no_copies(photos, folder):
    (folder / "broken.png").write_bytes(b"no picture")
    assert photos.sync().copies == 1


def test_near_duplicates_of_what_was_there_are_counted(photos, folder, monkeypatch):
    photos.sync()
    calls = []

    def find(newest, watch):
        calls.append(newest())
        by_stem = {Path(path).stem: image.id for image in photos for path in image.paths}
        pairs = [("0", "0 smaller"), ("0", "0 greyer"), ("new", "new smaller"), ("1", "2")]
        say_found(monkeypatch, [(by_stem[a], by_stem[b], "same", 0.99) for a, b in pairs], n_compared=9)

    monkeypatch.setattr(newcomers, "find", find)
    say_found(monkeypatch, [], n_compared=3)
    with Image.open(folder / "0.png") as opened:
        opened.resize((40, 40)).save(folder / "0 smaller.png")
        opened.convert("L").save(folder / "0 greyer.png")
    picture(7).save(folder / "new.png")
    picture(7, side=40).save(folder / "new smaller.png")
    assert photos.sync(dry_run=True).alike is None and not calls
    done = photos.sync()
    assert (done.added, done.copies, done.alike) == (4, 0, 3)
    assert len(calls) == 1 and done.to_dict()["alike"] == 3


@pytest.mark.parametrize("n_compared, most, asked", [(0, 500, True), (3, 0, True), (3, 500, False)])
def test_nothing_is_compared_where_nobody_asked_or_much_came(
    photos, folder, monkeypatch, n_compared, most, asked
):
    photos.sync()
    monkeypatch.setattr(newcomers, "find", lambda *_: pytest.fail("it was compared"))
    monkeypatch.setattr(newcomers, "MOST", most)
    say_found(monkeypatch, [], n_compared=n_compared)
    picture(7).save(folder / "new.png")
    assert photos.sync(find_duplicates=asked).alike is None


def test_the_command_says_what_you_have_already_and_how_to_see_it(folder, call, monkeypatch):
    _, out, _ = call("index", folder, "--model", "pixels-8-grey")
    assert "1 file is there more than once: lookalike duplicates --kind identical" in out
    shutil.copy(folder / "1.png", folder / "1 again.png")
    picture(7).save(folder / "new.png")
    _, out, _ = call("index", cwd=folder)
    assert "1 of these you have already: lookalike duplicates --kind identical" in out
    _, out, _ = call("index", "--json", cwd=folder)
    document = json.loads(out)
    assert (document["copies"], document["alike"]) == (0, None)
    say_found(monkeypatch, [], n_compared=5)
    monkeypatch.setattr(newcomers, "find", lambda *_: None)
    monkeypatch.setattr(newcomers, "count_alike", lambda *_: 2)
    shutil.copy(folder / "2.png", folder / "2 again.png")
    _, out, _ = call("index", cwd=folder)
    assert (
        "3 of these you have already, 1 byte for byte, 2 as another picture of the same: lookalike duplicates"
        in out
    )
    shutil.copy(folder / "2.png", folder / "2 once more.png")
    _, out, _ = call("index", "--no-duplicates", cwd=folder)
    assert "1 of these you have already: lookalike duplicates --kind identical" in out


def test_a_comparison_that_takes_long_leaves_the_sync_done(photos, folder, monkeypatch):
    photos.sync()
    photos.duplicates.find()
    monkeypatch.setattr(newcomers, "SECONDS", 0.0)
    picture(7).save(folder / "new.png")
    done = photos.sync()
    assert (done.added, done.alike) == (1, None)
    monkeypatch.setattr(newcomers, "SECONDS", 30.0)
    picture(8).save(folder / "newer.png")
    assert photos.sync().alike == 0
