"""Files in doubt are told by their content."""

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from lookalike import Collection
from lookalike.images import FileStat
from lookalike.images.decode import read_file
from lookalike.images.finding.mounts import weak_devices
from pictures import picture

MODEL = "pixels-16-rgb"
THEN = (1577836800, 1577836800)

posix_only = pytest.mark.skipif(os.name != "posix", reason="elsewhere ctimes and inodes say nothing")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A red, a blue and a green image, whose files have one size and time."""
    if tmp_path.stat().st_dev in weak_devices():
        pytest.skip("the tests lie on a disk whose ctimes and inodes say nothing")
    for name in ("red", "blue", "green"):
        Image.new("RGB", (40, 30), name).save(tmp_path / f"{name}.bmp")
        os.utime(tmp_path / f"{name}.bmp", THEN)
    return tmp_path


@pytest.fixture
def collection(folder) -> Collection:
    made = Collection.create(folder, MODEL)
    assert made.sync().added == 3
    return made


@pytest.fixture
def read(monkeypatch):
    """The names of the files that are read from now on."""
    seen: list[str] = []

    def note(path):
        seen.append(path.name)
        return read_file(path)

    monkeypatch.setattr("lookalike.sync.reading.read_file", note)
    return seen


def colour(collection, name):
    image = collection.image_info(collection.folder.parent / name)
    return image.colors[0].hex


@posix_only
def test_two_files_of_one_size_and_time_that_change_places_are_noticed(collection, folder, read):
    (folder / "red.bmp").rename(folder / "aside")
    (folder / "blue.bmp").rename(folder / "red.bmp")
    (folder / "aside").rename(folder / "blue.bmp")
    report = collection.sync()
    assert (report.changed, report.unchanged, report.embedded) == (2, 1, 0)
    assert (colour(collection, "red.bmp"), colour(collection, "blue.bmp")) == ("#0000ff", "#ff0000")
    assert "green.bmp" not in read
    del read[:]
    assert (collection.sync().unchanged, read) == (3, [])


@posix_only
def test_content_written_in_place_with_its_time_set_back_is_noticed(collection, folder):
    content = (folder / "blue.bmp").read_bytes()
    (folder / "red.bmp").write_bytes(content)
    os.utime(folder / "red.bmp", THEN)
    assert collection.sync().changed == 1
    assert colour(collection, "red.bmp") == "#0000ff"


@posix_only
def test_another_link_to_a_file_costs_one_comparison(collection, folder, tmp_path_factory, read):
    os.link(folder / "red.bmp", tmp_path_factory.mktemp("elsewhere") / "link.bmp")
    assert (collection.sync().unchanged, read) == (3, ["red.bmp"])
    assert (collection.sync().unchanged, read) == (3, ["red.bmp"])


@posix_only
def test_a_whole_library_that_was_copied_is_not_read(tmp_path, read, monkeypatch):
    monkeypatch.setattr("lookalike.sync.evidence.FEW_FILES", 5)
    for number in range(12):
        picture(number, 16).save(tmp_path / f"{number}.png")
    collection = Collection.create(tmp_path, MODEL)
    collection.sync()
    del read[:]
    for file in tmp_path.glob("*.png"):
        shutil.copy2(file, tmp_path / "copy")
        (tmp_path / "copy").replace(file)
    assert (collection.sync().unchanged, read) == (12, [])
    # The new ctimes and inodes are what counts from now on.
    (tmp_path / "1.png").chmod(0o600)
    assert (collection.sync().unchanged, read) == (12, ["1.png"])


def test_on_a_disk_without_evidence_size_and_time_alone_count(folder, read, monkeypatch):
    of = FileStat.of
    device = frozenset({folder.stat().st_dev})
    monkeypatch.setattr(FileStat, "of", lambda status, weak: of(status, device))
    collection = Collection.create(folder, MODEL)
    collection.sync()
    del read[:]
    (folder / "red.bmp").chmod(0o600)
    assert (collection.sync().unchanged, read) == (3, [])


def test_a_dry_run_opens_no_file_and_says_how_many_are_in_doubt(collection, folder, read):
    os.utime(folder / "red.bmp", (1, 1))
    (folder / "blue.bmp").rename(folder / "azure.bmp")
    report = collection.sync(dry_run=True)
    assert read == []
    assert (report.unchanged, report.moved, report.doubtful) == (2, 1, 2)
    report = collection.sync()
    assert (report.unchanged, report.moved, report.doubtful) == (2, 1, 0)


def test_comparing_is_reported(collection, folder):
    seen = []
    os.utime(folder / "red.bmp", (1, 1))
    (folder / "blue.bmp").rename(folder / "azure.bmp")
    collection.sync(report=seen.append)
    comparing = [(each.done, each.total) for each in seen if each.phase == "comparing"]
    assert comparing == [(1, 2), (2, 2)]


def test_a_file_that_moved_keeps_its_note_and_gives_it_to_its_copies(tmp_path, monkeypatch):
    picture(0, 32).save(tmp_path / "a.png")
    note_all(monkeypatch)
    collection = Collection.create(tmp_path, MODEL)
    collection.sync()
    (tmp_path / "a.png").rename(tmp_path / "b.png")
    assert collection.sync().moved == 1
    shutil.copy(tmp_path / "b.png", tmp_path / "c.png")
    assert collection.sync().embedded == 0
    os.utime(tmp_path / "b.png", (1, 1))
    collection.sync()
    rows = collection._store.files.read(["path", "note"]).to_pylist()
    assert {each["path"].partition(":")[2]: each["note"] for each in rows} == {
        "b.png": "cut short",
        "c.png": "cut short",
    }


def note_all(monkeypatch):
    from dataclasses import replace

    from lookalike.images import decode

    monkeypatch.setattr(
        "lookalike.sync.execution.decode",
        lambda *given, **more: replace(decode(*given, **more), note="cut short"),
    )


def test_copies_that_come_together_all_have_the_note(tmp_path, monkeypatch):
    note_all(monkeypatch)
    picture(0, 32).save(tmp_path / "a.png")
    for name in "bcd":
        shutil.copy(tmp_path / "a.png", tmp_path / f"{name}.png")
    collection = Collection.create(tmp_path, MODEL)
    collection.sync(jobs=4)
    assert collection._store.files.read(["note"])["note"].to_pylist() == ["cut short"] * 4
