"""What an earlier version has read is brought up to date: headers first, pixels only where they differ."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageOps

from lookalike import Collection
from lookalike.errors import ImageError, MissingImagesError
from lookalike.images import decode
from lookalike.images.decode import read_file
from lookalike.images.metadata.metadata import Metadata
from lookalike.images.reader import READER, Header
from pictures import picture

OWN, OTHER = "pixels-16-rgb", "pixels-8-grey"
NUMBER = 12
AFFECTED = {"03.png", "07.png"}


@pytest.fixture
def folder(tmp_path) -> Path:
    place = tmp_path / "photos"
    place.mkdir()
    for number in range(NUMBER):
        picture(number, 24).save(place / f"{number:02}.png")
    return place


@pytest.fixture
def collection(folder) -> Collection:
    """Images read by an earlier version, under two models and one that is reduced."""
    made = Collection.create(folder, OWN)
    made.sync()
    made.sync(model=OTHER)
    made.models.reduce(4)
    make_old(made)
    return made


def make_old(collection):
    images = collection._store.images
    columns = images.read().to_pydict()
    images.upsert(columns | {"reader": [None] * len(columns["id"])})


@pytest.fixture
def new_reader(monkeypatch):
    """A reader that sees some images inverted, and a camera in all; the files whose headers it read."""
    seen: list[str] = []

    def read_header(path, since):
        assert since is None
        seen.append(path.name)
        return Header(Metadata(camera="new"), is_changed=path.name in AFFECTED)

    def invert(data, name, side, **bounds):
        decoded = decode(data, name, side, **bounds)
        is_meant = os.path.basename(name.partition(":")[2]) in AFFECTED
        return replace(decoded, image=ImageOps.invert(decoded.image)) if is_meant else decoded

    monkeypatch.setattr("lookalike.sync.refreshing.read_header", read_header)
    monkeypatch.setattr("lookalike.sync.execution.decode", invert)
    monkeypatch.setattr("lookalike.sync.execution.read_metadata", lambda data: Metadata(camera="new"))
    return seen


def vectors(collection):
    found = {}
    for model in collection.info().models:
        images, rows = collection.vectors(model)
        found[model] = {Path(each.path).name: row for each, row in zip(images, rows, strict=True)}
    return found


def cameras_and_readers(collection):
    rows = collection._store.images.read(["camera", "reader"]).to_pylist()
    return {(row["camera"], row["reader"]) for row in rows}


def test_headers_are_read_once_and_only_what_differs_is_embedded_again_by_all_models(collection, new_reader):
    before = vectors(collection)
    assert len(before) == 3
    said = []
    report = collection.sync(say=said.append)
    assert (report.unchanged, report.refreshed, report.embedded) == (NUMBER, NUMBER, len(AFFECTED))
    assert (report.added, report.changed, report.removed, report.failed) == (0, 0, 0, 0)
    assert sorted(new_reader) == [f"{number:02}.png" for number in range(NUMBER)]
    assert said[0].startswith("bringing 12 images up to date: their headers are read once, ")
    assert said[1].startswith("2 of them look different")
    assert cameras_and_readers(collection) == {("new", READER)}
    after = vectors(collection)
    for model, old in before.items():
        differ = {name for name in old if not np.array_equal(old[name], after[model][name])}
        assert differ == AFFECTED, model
    del new_reader[:]
    report = collection.sync()
    assert (report.refreshed, new_reader) == (0, [])


def test_what_comes_of_it_is_what_a_new_collection_has(collection, folder, new_reader, tmp_path):
    collection.sync()
    fresh = Collection.create(tmp_path / "fresh", OWN, with_root=False)
    fresh.add_root(folder)
    fresh.sync()
    fresh.sync(model=OTHER)
    for model, rows in vectors(fresh).items():
        for name, vector in rows.items():
            assert np.array_equal(vector, vectors(collection)[model][name])
    one, other = collection._store, fresh._store
    for name in ("images", "thumbnails"):
        listed = [sorted(map(str, getattr(store, name).read().to_pylist())) for store in (one, other)]
        assert listed[0] == listed[1], name


def test_a_search_index_is_made_anew_although_the_ids_are_the_same(collection, folder, new_reader):
    query = ImageOps.invert(picture(3, 24))
    assert collection.search(query, k=1).hits[0].distance > 1
    collection.sync()
    hit = collection.search(query, k=1).hits[0]
    assert (Path(hit.path).name, hit.distance) == ("03.png", pytest.approx(0, abs=1e-3))


def test_a_dry_run_counts_them_and_reads_none(collection, new_reader):
    report = collection.sync(dry_run=True)
    assert (report.refreshed, report.embedded, new_reader) == (NUMBER, 0, [])


def test_one_model_alone_brings_nothing_up_to_date(collection, new_reader):
    assert collection.sync(model=OWN).refreshed == 0
    assert new_reader == []


def test_rereading_for_one_model_leaves_the_rest_to_do(collection, new_reader):
    assert collection.sync(model=OTHER, reread=True).refreshed == NUMBER
    assert {reader for _, reader in cameras_and_readers(collection)} == {None}
    before = vectors(collection)[OWN]
    collection.sync()
    after = vectors(collection)[OWN]
    assert {name for name in before if not np.array_equal(before[name], after[name])} == AFFECTED
    assert cameras_and_readers(collection) == {("new", READER)}


def test_rereading_does_it_all(collection, new_reader):
    report = collection.sync(reread=True)
    assert (report.refreshed, report.embedded, report.unchanged, new_reader) == (NUMBER, NUMBER, NUMBER, [])
    assert cameras_and_readers(collection) == {("new", READER)}
    assert collection.sync().refreshed == 0


def test_rereading_finds_what_changed_without_a_sign(folder, monkeypatch):
    collection = Collection.create(folder, OWN)
    collection.sync()
    one, other = folder / "00.png", folder / "01.png"
    size = max(one.stat().st_size, other.stat().st_size)
    for file in (one, other):  # what follows the end of a PNG is ignored by its readers
        file.write_bytes(file.read_bytes().ljust(size, b"\0"))
    collection.sync()
    monkeypatch.setattr(
        "lookalike.sync.reading.read_file", lambda path: read_file(other if path == one else path)
    )
    report = collection.sync(reread=True)
    assert (report.changed, report.unchanged, report.removed) == (1, NUMBER - 1, 0)


def test_headers_that_cannot_be_read_are_left_for_later(collection, folder, new_reader, monkeypatch):
    import lookalike.sync.refreshing as module

    real = module.read_header

    def fail(path, since):
        if path.name in {"00.png", "03.png"}:
            try:
                raise OSError(5, "Input/output error")
            except OSError as error:
                raise ImageError(str(path), "the disk cannot read it") from error
        return real(path, since)

    with monkeypatch.context() as patch:
        patch.setattr("lookalike.sync.refreshing.read_header", fail)
        report = collection.sync()
    assert (report.failed, report.refreshed, len(collection)) == (2, NUMBER - 2, NUMBER)
    assert cameras_and_readers(collection) == {("new", READER), (None, None)}
    report = collection.sync()
    assert (report.failed, report.refreshed, report.unchanged) == (0, 2, NUMBER)
    assert cameras_and_readers(collection) == {("new", READER)}


def test_a_disk_that_drops_out_stops_it_and_loses_nothing(collection, new_reader, monkeypatch):
    before = vectors(collection)

    def fail(path, since):
        try:
            raise OSError(5, "Input/output error")
        except OSError as error:
            raise ImageError(str(path), "the disk cannot read it") from error

    monkeypatch.setattr("lookalike.sync.refreshing.read_header", fail)
    with pytest.raises(MissingImagesError, match="7 of 12 files could not be read"):
        collection.sync()
    after = vectors(collection)
    assert all(np.array_equal(before[m][n], after[m][n]) for m in before for n in before[m])


def test_what_todays_reader_cannot_decode_stays_and_is_not_tried_each_time(
    collection, new_reader, monkeypatch
):
    def refuse(data, name, side, **bounds):
        raise ImageError(name, "damaged PNG file")

    monkeypatch.setattr("lookalike.sync.execution.decode", refuse)
    report = collection.sync()
    assert (report.failed, report.removed, len(collection)) == (2, 0, NUMBER)
    assert cameras_and_readers(collection) == {("new", READER)}
    del new_reader[:]
    report = collection.sync()
    assert (report.failed, report.unchanged, new_reader) == (2, NUMBER, [])


def test_what_was_done_before_an_interruption_is_not_done_again(collection, new_reader, monkeypatch):
    import lookalike.sync.refreshing as module

    real = module.read_header
    count = 0

    def interrupt(path, since):
        nonlocal count
        count += 1
        if count == 9:
            raise KeyboardInterrupt
        return real(path, since)

    with monkeypatch.context() as patch:
        patch.setattr("lookalike.sync.refreshing.read_header", interrupt)
        with pytest.raises(KeyboardInterrupt):
            collection.sync(jobs=1, commit_seconds=0)
    done = [row["reader"] for row in collection._store.images.read(["reader"]).to_pylist()].count(READER)
    del new_reader[:]
    report = collection.sync()
    assert report.refreshed == len(new_reader) == NUMBER - done
    assert cameras_and_readers(collection) == {("new", READER)}


def test_images_of_a_data_set_are_only_marked(monkeypatch, tmp_path):
    if "LOOKALIKE_DATA" not in os.environ:
        pytest.skip("needs a data set")
    collection = Collection.create(tmp_path, OWN, with_root=False)
    collection.add_dataset("digits")
    n = collection.sync().added
    make_old(collection)
    report = collection.sync()
    assert (report.refreshed, report.embedded, report.unchanged) == (n, 0, n)
    assert collection.sync().refreshed == 0


def test_the_command_line_announces_it(collection, folder):
    command = [sys.executable, "-m", "lookalike", "index", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "bringing 12 images up to date: their headers are read once, " in done.stderr
    assert "Read again: 12" in done.stdout
