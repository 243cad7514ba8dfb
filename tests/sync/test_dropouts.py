"""A disk that drops out takes no image with it: what was not seen to have changed stays, whatever is done."""

import contextlib
import errno
import os
import random
import threading
from pathlib import Path

import pytest

from lookalike import Collection
from lookalike.errors import ImageError, MissingImagesError
from lookalike.images.decode import read_file
from lookalike.store import Store
from pictures import picture

OWN, OTHER = "pixels-16-rgb", "pixels-8-grey"
NUMBER = 24


class Disk:
    """Reads files, until it drops out."""

    def __init__(self, monkeypatch):
        self.left = 1 << 30
        self.cut = False
        self._lock = threading.Lock()
        monkeypatch.setattr("lookalike.sync.reading.read_file", self.read)

    def read(self, path):
        with self._lock:
            self.left -= 1
            if self.left >= 0:
                return read_file(path)
        if self.cut:
            return read_file(path)[:50]
        try:
            raise OSError(errno.EIO, "Input/output error")
        except OSError as error:
            raise ImageError(str(path), "the disk cannot read it (input/output error)") from error


@pytest.fixture
def disk(monkeypatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def folder(tmp_path) -> Path:
    place = tmp_path / "photos"
    for number in range(NUMBER):
        (place / str(number % 3)).mkdir(parents=True, exist_ok=True)
        picture(number, 24).save(place / str(number % 3) / f"{number:02}.png")
    return place


@pytest.fixture
def collection(folder, disk) -> Collection:
    made = Collection.create(folder, OWN)
    assert made.sync().added == NUMBER
    return made


def rows(collection: Collection) -> dict[str, dict]:
    """Return what is kept of each image: by table and key, vectors byte for byte."""
    store = Store(collection.folder)
    tables = {"files": store.files, "images": store.images, "thumbnails": store.thumbnails}
    found = {}
    for name, table in {**tables, **store.vector_tables()}.items():
        columns = ["id", "embedding"] if name.startswith("pixels") else table.schema.names
        listed = table.read(columns).to_pylist()
        found[name] = {next(iter(each.values())): str(list(each.values())) for each in listed}
    return found


def test_another_model_does_not_cost_the_first_its_images(collection, disk):
    before = rows(collection)
    disk.left = 0
    with pytest.raises(MissingImagesError, match=rf"(?s)of {NUMBER} files could not be read.*run again"):
        collection.sync(model=OTHER)
    after = rows(collection)
    assert {name: after[name] for name in before} == before
    assert len(collection) == NUMBER
    disk.left = 1 << 30
    report = collection.sync(model=OTHER)
    assert (report.embedded, report.failed) == (NUMBER, 0)


def test_what_fails_is_listed_and_still_found(collection, folder, disk):
    before = rows(collection)
    disk.left = NUMBER - 3
    report = collection.sync(model=OTHER)
    assert (report.failed, report.embedded, report.removed) == (3, NUMBER - 3, 0)
    assert report.unchanged == NUMBER - 3
    after = rows(collection)
    assert {name: after[name] for name in before} == before
    failed = report.failures[0].path
    hits = collection.search(Path(failed), k=1, include_self=True).hits
    assert hits[0].path == failed


@pytest.mark.parametrize("cut", [False, True])
def test_a_file_that_changed_and_cannot_be_read_stays_until_it_can(collection, folder, disk, cut):
    before = rows(collection)
    picture(99, 24).save(folder / "0" / "00.png")
    disk.left, disk.cut = 0, cut
    report = collection.sync()
    assert (report.changed, report.removed, report.unchanged, report.failed) == (0, 0, NUMBER - 1, 1)
    assert rows(collection) == before
    disk.left = 1 << 30
    report = collection.sync()
    assert (report.changed, report.removed, report.failed) == (1, 0, 0)


def test_a_renamed_file_that_cannot_be_read_keeps_its_image(collection, folder, disk):
    vectors = rows(collection)[OWN]
    (folder / "0" / "00.png").rename(folder / "0" / "renamed.png")
    disk.left = 0
    report = collection.sync()
    assert (report.removed, report.moved, report.failed) == (0, 0, 1)
    assert rows(collection)[OWN] == vectors
    disk.left = 1 << 30
    assert collection.sync().moved == 1


def test_a_touched_file_that_cannot_be_compared_stays(collection, folder, disk):
    before = rows(collection)
    os.utime(folder / "0" / "00.png", (1, 1))
    disk.left = 0
    report = collection.sync()
    assert (report.unchanged, report.failed) == (NUMBER - 1, 1)
    assert rows(collection) == before


def test_what_is_no_image_any_more_leaves(collection, folder):
    (folder / "0" / "00.png").write_bytes(b"no image any more")
    (folder / "0" / "03.png").write_bytes(b"")
    report = collection.sync()
    assert (report.removed, report.failed, len(collection)) == (2, 2, NUMBER - 2)


def test_an_image_that_todays_reader_refuses_stays_as_it_is(collection, folder, monkeypatch):
    before = rows(collection)

    def refuse(data, name, side, **bounds):
        raise ImageError(name, "damaged PNG file")

    with monkeypatch.context() as patch:
        patch.setattr("lookalike.sync.execution.decode", refuse)
        report = collection.sync(reread=True)
    assert (report.removed, report.failed, report.refreshed) == (0, NUMBER, 0)
    assert rows(collection) == before


def test_a_link_to_a_disk_that_is_not_there_keeps_its_image(collection, folder, tmp_path):
    picture(50, 24).save(tmp_path / "target.png")
    (folder / "link.png").symlink_to(tmp_path / "target.png")
    assert collection.sync().added == 1
    (tmp_path / "target.png").rename(tmp_path / "away")
    report = collection.sync()
    assert (report.removed, report.failed, len(collection)) == (0, 1, NUMBER + 1)
    (tmp_path / "away").rename(tmp_path / "target.png")
    report = collection.sync()
    assert (report.unchanged, report.failed) == (NUMBER + 1, 0)


def test_the_run_that_follows_a_stopped_one_goes_on_without_what_fails(folder, disk):
    collection = Collection.create(folder, OWN)
    disk.left = 0
    with pytest.raises(MissingImagesError, match=r"13 of 24 files could not be read"):
        collection.sync(jobs=1)
    report = collection.sync(jobs=1)
    assert report.failed == NUMBER
    disk.left = 1 << 30
    assert collection.sync().added == NUMBER


def test_three_files_that_fail_stop_nothing(tmp_path, disk):
    for number in range(3):
        picture(number, 24).save(tmp_path / f"{number}.png")
    disk.left = 0
    assert Collection.create(tmp_path, OWN).sync().failed == 3


@pytest.mark.parametrize("seed", range(12))
def test_whenever_the_disk_drops_out_nothing_is_lost_and_a_later_run_makes_up_for_it(
    seed, folder, disk, tmp_path
):
    chance = random.Random(seed)
    home = tmp_path / "disturbed"
    collection = Collection.create(home, OWN, with_root=False)
    collection.add_root(folder)
    calls = [{}, {"model": OTHER}, {"reread": True}, {"model": OTHER, "reread": True}]
    for _ in range(4):
        touched = folder / "1" / f"{chance.choice(range(1, NUMBER, 3)):02}.png"
        os.utime(touched, (chance.randrange(10**9), 7))
        before = rows(collection)
        disk.left, disk.cut = chance.randrange(2 * NUMBER), chance.random() < 0.5
        with contextlib.suppress(MissingImagesError):
            collection.sync(**chance.choice(calls), jobs=2, commit_seconds=chance.choice([0.0, 10.0]))
        after = rows(collection)
        for name in ("images", "thumbnails", OWN, OTHER):
            for key, value in before.get(name, {}).items():
                assert after[name][key] == value, (name, key)
        assert before["files"].keys() <= after["files"].keys()
    disk.left = 1 << 30
    collection.sync()
    collection.sync(model=OTHER)
    report = collection.sync()
    assert (report.unchanged, report.failed) == (NUMBER, 0)

    undisturbed = Collection.create(tmp_path / "undisturbed", OWN, with_root=False)
    undisturbed.add_root(folder)
    undisturbed.sync()
    undisturbed.sync(model=OTHER)
    assert rows(collection) == rows(undisturbed)
