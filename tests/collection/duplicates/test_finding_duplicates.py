"""What is compared, once; and what becomes of it after kills, with images that go, and with damage."""

import shutil
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from edited_pictures import blots
from lookalike import Collection
from lookalike.collection.duplicates import completing, finding
from lookalike.collection.stored.duplicates import FOLDER, StoredDuplicates
from lookalike.duplicates.evidence import nothing
from lookalike.duplicates.matching import Matching
from lookalike.errors import CancelledError
from lookalike.system.progress import CancelToken, Progress

FIND = "import sys; from lookalike import Collection; print(Collection.open(sys.argv[1]).duplicates.find())"


scene = partial(blots, side=256)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Twelve pictures; of the first one half the size, one turned, and one cropped."""
    place = tmp_path / "p"
    place.mkdir()
    for number in range(12):
        scene(number).save(place / f"{number:02}.jpg", quality=95)
    first = scene(0)
    first.resize((128, 128)).save(place / "half.jpg")
    first.rotate(90).save(place / "turned.png")
    first.crop((13, 13, 243, 243)).save(place / "crop.jpg")
    return place


@pytest.fixture
def photos(folder) -> Collection:
    made = Collection.create(folder, model="pixels-8-grey")
    made.sync()
    return made


def names(groups):
    return [sorted(Path(file.path).name for file in group.files) for group in groups]


def laid(monkeypatch) -> list[tuple[int, int]]:
    """Return a list that fills with the pairs that are laid on each other."""
    pairs: list[tuple[int, int]] = []
    real = Matching.match

    def noted(matching, ids, candidates, *more):
        pairs.extend((int(ids[a]), int(ids[b])) for a, b in zip(candidates.a, candidates.b, strict=True))
        real(matching, ids, candidates, *more)

    monkeypatch.setattr(Matching, "match", noted)
    return pairs


FAMILY = ["00.jpg", "crop.jpg", "half.jpg", "turned.png"]


def test_a_family_is_found_and_nothing_else(photos):
    report = photos.duplicates.find()
    assert (report.n_images, report.n_new, report.failures, report.anew) == (15, 15, (), ())
    assert report.n_pairs >= 3
    found = photos.duplicates.groups()
    assert names(found) == [FAMILY]
    assert (found.n_compared, found.n_new) == (15, 0)


def test_pairs_have_ids_in_order_kinds_and_turns(photos):
    photos.duplicates.find()
    pairs = photos.duplicates.pairs()
    assert (pairs.a < pairs.b).all()
    assert pairs.n_compared == 15
    assert set(pairs.turns.tolist()) & {6, 8}


def test_before_anything_was_compared_there_are_no_pairs_and_identical_files_all_the_same(photos, folder):
    shutil.copy(folder / "03.jpg", folder / "03 copy.jpg")
    photos.sync(find_duplicates=False)
    assert len(photos.duplicates.pairs().a) == 0
    found = photos.duplicates.groups()
    assert names(found) == [["03 copy.jpg", "03.jpg"]]
    assert (found.n_compared, found.n_new) == (0, 15)


def test_a_second_time_nothing_is_compared(photos, monkeypatch):
    photos.duplicates.find()
    pairs = laid(monkeypatch)
    before = photos.duplicates.groups().to_dict()
    monkeypatch.setattr(finding, "turned_hashes", lambda jpeg: pytest.fail("hashed again"))
    report = photos.duplicates.find()
    assert (report.n_new, report.n_pairs, pairs) == (0, 0, [])
    assert photos.duplicates.groups().to_dict() == before


def test_a_new_picture_is_compared_with_all_others_and_those_not_again(photos, folder, monkeypatch):
    photos.duplicates.find()
    scene(5).resize((200, 200)).save(folder / "five.jpg")
    photos.sync(find_duplicates=False)
    pairs = laid(monkeypatch)
    assert photos.duplicates.find().n_new == 1
    new = photos.snapshot().image_at("p:five.jpg")
    assert pairs
    assert all(new in pair for pair in pairs)
    assert ["05.jpg", "five.jpg"] in names(photos.duplicates.groups())


def test_a_third_copy_comes_up_again_after_the_first_two_were_decided(photos, folder):
    photos.duplicates.find()
    (group,) = photos.duplicates.groups()
    for image in group.images[1:]:
        photos.duplicates.decide(group.images[0].id, image.id, "keep")
    assert len(photos.duplicates.groups()) == 0
    scene(0).save(folder / "again.webp", quality=80)
    photos.sync(find_duplicates=False)
    photos.duplicates.find()
    (group,) = photos.duplicates.groups()
    assert "again.webp" in names([group])[0]


def test_renamed_files_are_not_compared_again(photos, folder):
    photos.duplicates.find()
    (folder / "half.jpg").rename(folder / "other.jpg")
    photos.sync(find_duplicates=False)
    assert photos.duplicates.find().n_new == 0
    assert "other.jpg" in names(photos.duplicates.groups())[0]


def test_pictures_that_are_gone_are_in_no_group_and_are_dropped(photos, folder):
    photos.duplicates.find()
    gone = photos.snapshot().image_at("p:half.jpg")
    (folder / "half.jpg").unlink()
    (folder / "11.jpg").unlink()
    scene(20).save(folder / "20.jpg")
    photos.sync(prune=True)
    assert "half.jpg" not in names(photos.duplicates.groups())[0]
    photos.duplicates.find()
    _, rows = StoredDuplicates(photos.folder).with_rows("hashes", "evidence", "compared")
    assert gone not in rows["hashes"]["id"]
    assert gone not in rows["compared"]["id"]
    assert gone not in rows["evidence"]["a"]
    assert gone not in rows["evidence"]["b"]


def test_one_that_comes_back_is_compared_with_those_that_came_meanwhile(photos, folder):
    photos.duplicates.find()
    content = (folder / "05.jpg").read_bytes()
    (folder / "05.jpg").unlink()
    scene(5).resize((200, 200)).save(folder / "five.jpg")
    photos.sync(prune=True)
    photos.duplicates.find()
    (folder / "05.jpg").write_bytes(content)
    photos.sync(find_duplicates=False)
    assert photos.duplicates.find().n_new == 1
    assert ["05.jpg", "five.jpg"] in names(photos.duplicates.groups())


def test_each_member_of_a_group_was_laid_on_its_keeper_whoever_that_is(photos):
    photos.duplicates.find()
    for prefer in (None, "smaller", "name", "folder=nothing"):
        (group,) = photos.duplicates.groups(prefer=prefer)
        evidence = StoredDuplicates(photos.folder).with_rows("evidence")[1]["evidence"]
        known = set(zip(evidence["a"].tolist(), evidence["b"].tolist(), strict=True))
        keeper = group.images[0].id
        assert all((min(keeper, each.id), max(keeper, each.id)) in known for each in group.images[1:])
        assert names([group]) == [FAMILY]


def test_pairs_that_came_to_nothing_are_not_tried_again(photos, monkeypatch):
    photos.duplicates.find()
    stored = StoredDuplicates(photos.folder)
    pairs = [(*sorted(photos.snapshot().images.ids[:2].tolist()), 1)]
    monkeypatch.setattr(completing, "verify", lambda a, b, turn, ids: nothing())
    with stored.lock():
        completing.lay(photos._resources(), stored, pairs, finding.Watch())
    assert [tuple(row) for row in stored.with_rows("unlike")[1]["unlike"].tolist()] == [pairs[0][:2]]
    assert completing._unlike(stored) == {pairs[0][:2]}


# Cut off ----------------------------------------------------------------------------------------------------


def test_who_is_cut_off_between_two_writings_goes_on_from_there(photos, monkeypatch):
    whole = photos.folder.parent.parent / "whole"
    shutil.copytree(photos.folder.parent, whole)
    undisturbed = Collection.open(whole)
    undisturbed.duplicates.find()
    expected = names(undisturbed.duplicates.groups())

    monkeypatch.setattr(finding, "_PAIRS_AT_ONCE", 4)
    pairs = laid(monkeypatch)
    noted = Matching.match
    calls = []

    def cut(*given):
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        noted(*given)

    monkeypatch.setattr(Matching, "match", cut)
    with pytest.raises(KeyboardInterrupt):
        photos.duplicates.find()
    done = list(pairs)
    run = StoredDuplicates(photos.folder).read().run
    assert (run.done, len(calls)) == (8, 3)
    assert photos.duplicates.groups().n_compared == 0
    report = photos.duplicates.find()
    assert report.n_new == 15
    assert not set(done) & set(pairs[len(done) :])
    assert names(photos.duplicates.groups()) == expected
    assert StoredDuplicates(photos.folder).read().run is None


def test_images_that_came_during_a_run_that_was_cut_off_are_compared_after_it(photos, folder, monkeypatch):
    monkeypatch.setattr(finding, "_PAIRS_AT_ONCE", 4)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(finding.Finding, "_lay", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
        photos.duplicates.find()
    scene(5).resize((200, 200)).save(folder / "five.jpg")
    (folder / "turned.png").unlink()
    photos.sync(prune=True)
    report = photos.duplicates.find()
    assert (report.n_images, report.n_new) == (15, 15)
    assert names(photos.duplicates.groups()) == [
        ["00.jpg", "crop.jpg", "half.jpg"],
        ["05.jpg", "five.jpg"],
    ] or (
        sorted(names(photos.duplicates.groups()))
        == [["00.jpg", "crop.jpg", "half.jpg"], ["05.jpg", "five.jpg"]]
    )


def test_who_cancels_stops_it_and_what_was_done_stays(photos):
    cancel = CancelToken()

    def stop(progress: Progress) -> None:
        if progress.phase == "comparing":
            cancel.cancel()

    with pytest.raises(CancelledError):
        photos.duplicates.find(report=stop, cancel=cancel)
    assert StoredDuplicates(photos.folder).read().count("hashes") == 15
    assert photos.duplicates.find().n_new == 15
    assert names(photos.duplicates.groups()) == [FAMILY]


def test_it_says_what_it_is_at(photos):
    phases = []
    photos.duplicates.find(report=lambda progress: phases.append(progress.phase))
    assert {"hashing", "comparing"} <= set(phases)


def test_killed_again_and_again_it_comes_to_the_same(photos, folder):
    whole = folder.parent / "whole"
    shutil.copytree(folder, whole)
    undisturbed = Collection.open(whole)
    undisturbed.duplicates.find()
    expected = names(undisturbed.duplicates.groups())
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", FIND, str(whole)], check=True, capture_output=True)
    usual = time.monotonic() - started
    for share in np.linspace(0.3, 1.1, 6):
        process = subprocess.Popen([sys.executable, "-c", FIND, str(folder)], stdout=subprocess.DEVNULL)
        time.sleep(share * usual)
        process.kill()
        process.wait()
        photos.duplicates.groups()  # whatever stands there is read
    photos.duplicates.find()
    assert names(photos.duplicates.groups()) == expected
    assert photos.check().is_whole


def test_two_at_once_compare_nothing_twice(photos, folder):
    words = [sys.executable, "-c", FIND, str(folder)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = sorted(process.communicate(timeout=120)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert [each.split()[1] for each in told] == ["0", "15"]
    assert names(photos.duplicates.groups()) == [FAMILY]


def test_a_reader_beside_a_writer_sees_one_state_or_the_next(photos, monkeypatch):
    monkeypatch.setattr(finding, "_PAIRS_AT_ONCE", 2)
    problems, is_over = [], threading.Event()

    def read():
        while not is_over.is_set():
            try:
                photos.duplicates.groups()
            except Exception as error:
                problems.append(error)

    monkeypatch.setattr(completing, "lay", lambda *given: None)
    reader = threading.Thread(target=read)
    reader.start()
    photos.duplicates.find()
    is_over.set()
    reader.join()
    assert problems == []


# What is not there ------------------------------------------------------------------------------------------


def test_without_vectors_hashes_alone_find_what_they_can(folder):
    photos = Collection.create(folder, model="pixels-8-grey")
    photos.sync(find_duplicates=False)
    shutil.rmtree(photos.folder / "vectors")
    photos = Collection.open(folder)
    report = photos.duplicates.find()
    assert (report.n_new, report.failures) == (15, ())
    assert {"00.jpg", "half.jpg", "turned.png"} <= set(names(photos.duplicates.groups())[0])


def test_images_that_were_compared_without_vectors_are_compared_once_more_when_they_have_some(folder):
    photos = Collection.create(folder, model="pixels-8-grey")
    photos.sync(find_duplicates=False)
    shutil.copytree(photos.folder / "vectors", folder.parent / "vectors")
    shutil.rmtree(photos.folder / "vectors")
    assert Collection.open(folder).duplicates.find().n_new == 15
    assert Collection.open(folder).duplicates.find().n_new == 0
    shutil.copytree(folder.parent / "vectors", photos.folder / "vectors")
    assert Collection.open(folder).duplicates.find().n_new == 15
    assert Collection.open(folder).duplicates.find().n_new == 0


def test_missing_and_damaged_thumbnails_are_said_and_the_others_compared(photos):
    store = photos._resources().live
    ids = [photos.snapshot().image_at(f"p:{name}.jpg") for name in ("03", "04")]
    store.thumbnails.delete([ids[0]])
    store.thumbnails.upsert({"id": [ids[1]], "jpeg": [b"no picture"]})
    report = photos.duplicates.find()
    assert [
        (Path(each.path).name, each.reason.split(":")[0])
        for each in sorted(report.failures, key=lambda each: each.path)
    ] == [
        ("03.jpg", "its thumbnail is missing"),
        ("04.jpg", "its thumbnail cannot be read"),
    ]
    assert (report.n_images, report.n_new) == (15, 13)
    assert names(photos.duplicates.groups()) == [FAMILY]
    assert photos.duplicates.groups().n_new == 2
    assert len(photos.duplicates.find().failures) == 2  # said each time
    assert photos.check(repair=True).is_repair
    photos.sync(reread=True)
    assert photos.duplicates.find().failures == ()


def test_an_empty_collection_has_none(tmp_path):
    photos = Collection.create(tmp_path, model="pixels-8-grey")
    assert photos.duplicates.find().n_images == 0
    assert len(photos.duplicates.groups()) == 0
    photos.sync(find_duplicates=False)
    assert photos.duplicates.find().n_new == 0


# Damage, copies, check --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["hashes", "evidence", "compared", "facts"])
def test_what_is_damaged_is_made_anew_and_said(photos, kind):
    photos.duplicates.find()
    stored = StoredDuplicates(photos.folder)
    file = stored.folder / (stored.read().parts[kind][0].file if kind != "facts" else "duplicates.json")
    file.write_bytes(file.read_bytes()[:-9])
    photos = Collection.open(photos.folder.parent)
    photos.duplicates.groups()  # as if what depends on it was not there
    report = photos.duplicates.find()
    assert [each.split(":")[0] for each in report.anew] == [file.name]
    assert photos.duplicates.find().anew == ()
    assert names(photos.duplicates.groups()) == [FAMILY]
    assert photos.check().is_whole


def test_it_may_be_deleted_at_any_time(photos):
    photos.duplicates.find()
    shutil.rmtree(photos.folder / FOLDER)
    assert len(photos.duplicates.pairs().a) == 0
    assert photos.duplicates.find().n_new == 15


def test_a_check_finds_damage_and_a_repair_clears_it_away(photos):
    photos.duplicates.find()
    assert photos.check().is_whole
    stored = StoredDuplicates(photos.folder)
    file = stored.folder / stored.read().parts["evidence"][0].file
    content = bytearray(file.read_bytes())
    content[200] ^= 4
    file.write_bytes(content)
    (damage,) = photos.check()
    assert (damage.part, damage.place) == ("duplicates", FOLDER)
    assert f"{file.name}: it is not what was written" in damage.reason
    report = photos.check(repair=True)
    assert report.is_whole
    assert list((photos.folder / "damaged" / FOLDER).glob("evidence-*.npy"))
    assert photos.check().is_whole
    photos.duplicates.find()
    assert names(photos.duplicates.groups()) == [FAMILY]


def test_damage_that_no_time_of_the_file_tells_of_is_found_by_a_check(photos):
    import os

    photos.duplicates.find()
    stored = StoredDuplicates(photos.folder)
    file = stored.folder / stored.read().parts["hashes"][0].file
    facts = file.stat()
    with file.open("r+b") as stream:
        stream.seek(150)
        stream.write(b"\x99\x98")
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert [damage.part for damage in photos.check()] == ["duplicates"]


def test_a_copy_takes_it_along(photos, tmp_path):
    photos.duplicates.find()
    photos.copy(tmp_path / "copy", roots="absolute")
    copy = Collection.open(tmp_path / "copy")
    assert copy.duplicates.find().n_new == 0
    assert names(copy.duplicates.groups()) == [FAMILY]
    assert copy.check().is_whole
    photos.copy(tmp_path / "copy", roots="absolute", force=True)  # over one that has it


def test_a_copy_leaves_behind_what_is_damaged(photos, tmp_path):
    photos.duplicates.find()
    (photos.folder / FOLDER / "duplicates.json").write_bytes(b"{")
    photos.copy(tmp_path / "copy", roots="absolute")
    assert Collection.open(tmp_path / "copy").check().is_whole


def test_pictures_taken_within_seconds_are_together(tmp_path):
    place = tmp_path / "burst"
    place.mkdir()
    for number in range(2):
        image = scene(1).filter(ImageFilter.GaussianBlur(number))
        exif = Image.Exif()
        exif[0x8769] = {0x9003: f"2020:05:04 12:00:0{number}"}
        image.save(place / f"{number}.jpg", exif=exif, quality=95)
    photos = Collection.create(place, model="pixels-8-grey")
    photos.sync(find_duplicates=False)
    photos.duplicates.find()
    (group,) = photos.duplicates.groups(min_probability=0.5)
    assert group.kind == "together"
    assert all(file.keep for file in group.files)
