"""A copy is one committed state of a collection, whole and verified, whatever others do meanwhile."""

import errno
import json
import os
import shutil
import threading
import warnings
from dataclasses import replace

import numpy as np
import pytest

from lookalike import CancelToken, Collection, ImageRef
from lookalike.collection import copied_files, copying
from lookalike.errors import (
    CancelledError,
    CollectionConflictError,
    DamageWarning,
    InvalidInputError,
    LockedError,
    StoreDamagedError,
    StoreResourceError,
)
from lookalike.store import Turn, writer_lock
from pictures import picture

MODEL = "pixels-8-grey"


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    """A folder of pictures, and a collection with all that can be kept of them."""
    folder = tmp_path_factory.mktemp("made")
    for number in range(6):
        place = folder / "photos" / ("cats" if number < 3 else "dogs")
        place.mkdir(parents=True, exist_ok=True)
        picture(number).save(place / f"{number}.png")
    with Collection.create(folder / "photos", model=MODEL) as made:
        made.sync()
        picture(60).save(folder / "kept.png")
        made.add([(folder / "kept.png", "key", {"price": 3})])
        made.models.reduce(2)
        made.clusterings.make(k=2, name="two")
        made.maps.make("pca", name="flat")
        image = made.browse().hits[0].id
        made.sets.add("some", [image])
        made.labels.give([image], "owl")
        for kind in ("exact", "kdtree", "ivf-rq"):
            made.search(ImageRef(image), index=kind)
    return folder / "photos"


@pytest.fixture
def photos(made_once, tmp_path):
    """The same, to be changed."""
    return shutil.copytree(made_once, tmp_path / "photos")


@pytest.fixture
def collection(photos):
    """The collection there, opened."""
    return Collection.open(photos)


def holds_the_same(one, other):
    """Whether two collections say the same of the same images."""
    for each in (one, other):
        assert each.check().is_whole
    first, second = one.browse(), other.browse()
    assert first.ids.tolist() == second.ids.tolist()
    assert [hit.path for hit in first.hits] == [
        hit.path.replace(str(other.folder), str(one.folder)) for hit in second.hits
    ]
    assert [hit.label for hit in first.hits] == [hit.label for hit in second.hits]
    assert one.info().models == other.info().models
    assert np.array_equal(one.vectors()[1], other.vectors()[1])
    assert list(one.clusterings) == list(other.clusterings)
    assert list(one.maps) == list(other.maps)
    return True


def test_a_copy_holds_all_that_the_collection_does(collection, tmp_path):
    done = collection.copy(tmp_path / "deep/backup")
    copy = Collection.open(tmp_path / "deep/backup")
    assert done.folder == copy.folder == tmp_path / "deep/backup/.lookalike"
    assert holds_the_same(collection, copy)
    assert copy.roots == collection.roots
    assert copy.sets.images("some").tolist() == collection.sets.images("some").tolist()
    assert copy.fields.of("added:key") == {"price": 3}
    kept = copy.image_info("added:key").paths[0]
    assert kept.startswith(str(copy.folder))
    assert os.path.isfile(kept)
    assert done.size == sum(
        file.stat().st_size
        for file in copy.folder.rglob("*")
        if file.is_file()
        and file.name not in ("checksums.txt", "collection.json", "collection.json.copy", "lock")
    )


def test_a_copy_goes_its_own_way(collection, photos, tmp_path):
    collection.copy(tmp_path / "backup")
    copy = Collection.open(tmp_path / "backup")
    picture(61).save(photos / "cats/new.png")
    assert copy.sync().added == 1
    copy.clusterings.rename("two", 0, "named there")
    copy.labels.give([copy.browse().hits[-1].id], "crow")
    assert (len(copy), len(collection)) == (8, 7)
    assert copy.check().is_whole
    assert collection.sync().added == 1


def test_indexes_of_these_vectors_come_along(collection, tmp_path):
    collection.copy(tmp_path / "backup")
    copy = Collection.open(tmp_path / "backup")
    there = {each.name for each in (copy.folder / "indexes").iterdir()}
    assert {f"{MODEL}-exact", f"{MODEL}-kdtree"} <= there
    before = sorted((copy.folder / "indexes").rglob("*/*"))
    image = copy.browse().hits[0].id
    for index in ("exact", "kdtree"):
        hits = copy.search(ImageRef(image), index=index).hits
        assert hits.ids.tolist() == collection.search(ImageRef(image), index=index).hits.ids.tolist()
    assert sorted((copy.folder / "indexes").rglob("*/*")) == before


def test_it_is_moved_with_its_folder_of_images(collection, photos, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(photos, moved, ignore=shutil.ignore_patterns(".lookalike"))
    collection.copy(moved, roots="relative")
    shutil.rmtree(photos)
    copy = Collection.open(moved)
    assert copy.roots == (moved,)
    assert copy.sync().unchanged == 7  # the one that was added is one of them
    assert os.path.isfile(copy.browse().hits[0].path)


@pytest.mark.parametrize("name", [".", ".lookalike", ".lookalike/inside", "cats/../"])
def test_it_is_not_copied_into_itself(collection, photos, name):
    with pytest.raises(CollectionConflictError, match="is the collection itself"):
        collection.copy(photos / name, force=True)
    assert collection.check().is_whole


def test_what_is_there_is_never_overwritten(collection, tmp_path):
    place = tmp_path / "backup"
    place.mkdir()
    (place / "a.txt").write_text("mine")
    collection.copy(place)
    assert (place / "a.txt").read_text() == "mine"
    with pytest.raises(CollectionConflictError, match=r"already, and it is not overwritten\n.*force=True"):
        collection.copy(place)
    (place / ".lookalike/diary.txt").write_text("mine")
    with pytest.raises(CollectionConflictError, match=r"holds diary.txt"):
        collection.copy(place, force=True)
    (place / ".lookalike/diary.txt").unlink()
    Collection.open(place).clusterings.delete("two")
    assert collection.copy(place, force=True).images == 7
    assert "two" in Collection.open(place).clusterings
    assert sorted(each.name for each in place.iterdir()) == [".lookalike", "a.txt"]


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_collection_is_not_replaced(collection, tmp_path, kind):
    place = tmp_path / "backup/.lookalike"
    place.parent.mkdir()
    if kind == "file":
        place.write_text("mine")
    elif kind == "folder":
        place.mkdir()
        (place / "mine.txt").write_text("mine")
    else:
        collection.copy(tmp_path / "other")
        place.symlink_to(tmp_path / "other/.lookalike")
    with pytest.raises(CollectionConflictError, match="is there already, and no collection"):
        collection.copy(tmp_path / "backup", force=True)
    assert [each.name for each in place.parent.iterdir()] == [".lookalike"]


def test_a_file_is_no_folder_to_copy_to(collection, tmp_path):
    (tmp_path / "notes.csv").write_text("mine")
    for place in ("notes.csv", "notes.csv/deeper"):
        with pytest.raises(CollectionConflictError, match=r"notes.csv is no folder; name one to copy to"):
            collection.copy(tmp_path / place)
    assert (tmp_path / "notes.csv").read_text() == "mine"


def test_what_a_cut_left_of_a_collection_that_was_replaced_stays_and_is_in_nobodys_way(collection, tmp_path):
    collection.copy(tmp_path / "backup")
    (tmp_path / "backup/.lookalike").rename(tmp_path / "backup/.lookalike.old")
    collection.copy(tmp_path / "backup")
    assert collection.copy(tmp_path / "backup", force=True).images == 7
    assert sorted(each.name for each in (tmp_path / "backup").iterdir()) == [".lookalike", ".lookalike.old"]


def test_one_that_somebody_writes_to_is_not_replaced(collection, tmp_path):
    collection.copy(tmp_path / "backup")
    place = tmp_path / "backup/.lookalike"
    with writer_lock(place, Turn()), pytest.raises(LockedError):
        collection.copy(tmp_path / "backup", force=True)
    assert Collection.open(tmp_path / "backup").check().is_whole


def test_roots_that_are_none_are_named(collection, tmp_path):
    with pytest.raises(InvalidInputError, match="roots is 'moved'; expected one of absolute, relative"):
        collection.copy(tmp_path / "backup", roots="moved")


def test_it_tells_how_far_it_is_and_stops_when_told(collection, tmp_path):
    seen = []
    done = collection.copy(tmp_path / "backup", report=seen.append)
    assert {each.phase for each in seen} == {"copying", "verifying"}
    assert all(each.total is None or each.done <= each.total for each in seen)
    assert seen[-1].done == done.size
    for phase in ("copying", "verifying"):
        token = CancelToken()

        def stop(progress, at=phase, token=token):
            if progress.phase == at:
                token.cancel()

        with pytest.raises(CancelledError):
            collection.copy(tmp_path / "a/b", cancel=token, report=stop)
        assert not (tmp_path / "a").exists()


def test_a_full_disk_is_one_line_and_leaves_nothing(collection, tmp_path, monkeypatch):
    def full(stream, block):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(copied_files, "_write_all", full)
        with pytest.raises(StoreResourceError, match=r"the disk is full; nothing of the copy is left there"):
            collection.copy(tmp_path / "backup")
    with monkeypatch.context() as patch:
        patch.setattr(copying.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
        with pytest.raises(StoreResourceError, match=r"the copy takes .* MB left"):
            collection.copy(tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_what_was_written_wrongly_is_found(collection, tmp_path, monkeypatch):
    def flip(stream, block):
        stream.write(bytes([block[0] ^ 1]) + block[1:])

    monkeypatch.setattr(copied_files, "_write_all", flip)
    with pytest.raises(StoreResourceError, match="does not hold what was written to it"):
        collection.copy(tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


PARTS = [
    "thumbnails.lance/data/*.lance",
    f"vectors/{MODEL}.lance/data/*.lance",
    "said/journal.lance/data/*.lance",
    "added/*/*.png",
    "clusterings/two/arrays-*.npz",
    "clusterings/two/clustering.json",
    "maps/flat/arrays-*.npz",
    f"models/{MODEL}+pca2.npz",
]


@pytest.mark.parametrize("part", PARTS)
def test_damage_is_found_and_nothing_is_left(collection, tmp_path, part):
    file = next(collection.folder.glob(part))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    before = os.stat(file)
    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    opened = Collection.open(collection.folder)
    with warnings.catch_warnings():  # an older version stands in for one that has rotted, with a word
        warnings.simplefilter("ignore", DamageWarning)
        for _ in range(2):
            with pytest.raises(StoreDamagedError, match=r"damaged.*\n.*check\(repair=True\)"):
                opened.copy(tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_a_file_that_is_missing_is_damage(collection, tmp_path):
    next(collection.folder.glob("added/*/*.png")).unlink()
    with pytest.raises(StoreDamagedError, match=r"is missing\n.*check\(repair=True\)"):
        collection.copy(tmp_path / "backup")


def test_what_a_killed_copy_left_is_no_collection_and_is_cleared_away(collection, tmp_path):
    left = tmp_path / "backup" / copying.PART
    shutil.copytree(collection.folder, left)
    (left / "collection.json").unlink()
    assert Collection.find(tmp_path / "backup", above=False) is None
    (left / "files.lance/data/foreign.lance").write_bytes(b"left")
    collection.copy(tmp_path / "backup")
    assert [each.name for each in (tmp_path / "backup").iterdir()] == [".lookalike"]
    assert not list((tmp_path / "backup").rglob("foreign.lance"))


def test_copies_made_while_others_write_are_each_one_state(collection, photos, tmp_path):
    """One syncs, adds and removes; one says things; and each copy is as a snapshot was."""
    ends, failed = threading.Event(), []

    def change():
        number = 100
        while not ends.is_set():
            picture(number).save(photos / f"cats/{number}.png")
            (photos / f"cats/{number - 3}.png").unlink(missing_ok=True)
            collection.sync(jobs=1, commit_seconds=0)
            picture(number).save(tmp_path / "added.png")
            collection.add([(tmp_path / "added.png", "other")], jobs=1)
            collection.remove(["other"])
            number += 1

    def judge():
        other = Collection.open(photos)
        while not ends.is_set():
            other.labels.give([other.browse().hits[0].id], "said")
            other.clusterings.make(k=2, name="passing", random_state=1)

    def run(work):
        try:
            work()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in (change, judge)]
    for thread in threads:
        thread.start()
    try:
        for number in range(4):
            collection.copy(tmp_path / f"backup {number}")
    finally:
        ends.set()
        for thread in threads:
            thread.join()
    assert failed == []
    for number in range(4):
        copy = Collection.open(tmp_path / f"backup {number}")
        assert copy.check().is_whole
        hits = copy.search(ImageRef(copy.browse().hits[0].id), k=100).hits
        assert len(hits) == len(copy) - 1
        assert len(copy.thumbnails(copy.browse().ids.tolist())) == len(copy)
        for hit in copy.browse().hits:
            assert hit.kept_key is None or os.path.isfile(hit.path)


def test_where_the_state_goes_meanwhile_the_next_is_taken(collection, tmp_path, monkeypatch):
    picture(62).save(tmp_path / "late.png")
    copy_state, calls = copying._copy_state, []

    def late(resources, files):
        calls.append(resources)
        if len(calls) == 1:
            collection.remove(["key"])
            collection.add([(tmp_path / "late.png", "late")])
        copy_state(resources, files)

    monkeypatch.setattr(copying, "_copy_state", late)
    assert collection.copy(tmp_path / "backup").images == 7
    assert len(calls) == 2
    assert Collection.open(tmp_path / "backup").check().is_whole
    with pytest.raises(Exception, match="key"):
        Collection.open(tmp_path / "backup").image_info("added:key")


def test_the_report_is_a_document(collection, tmp_path):
    done = collection.copy(tmp_path / "backup")
    assert json.loads(json.dumps(done.to_dict())) == {
        "folder": str(tmp_path / "backup/.lookalike"),
        "images": 7,
        "files": done.files,
        "bytes": done.size,
        "seconds": round(done.seconds, 3),
    }
    assert "7 images" in repr(replace(done))
    assert "<table" in done._repr_html_()
