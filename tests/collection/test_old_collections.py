"""Collections that earlier versions made: they open, are brought up to date, and lose nothing.

``scripts/make_old_collection.py`` made them, with the version of their format.
"""

import datetime
import json
import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from lookalike import Collection, CollectionConflictError
from lookalike.store.schema import FORMAT_VERSION

FOLDER = Path(__file__).parent / "collections"
FORMATS = sorted(FOLDER.glob("format-*.tar.gz"))


@pytest.fixture(params=FORMATS, ids=lambda file: file.name.removesuffix(".tar.gz"))
def photos(request, tmp_path):
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "photos"


@pytest.fixture
def untouched(photos):
    """What nothing may be written to."""
    before = sorted((path, path.stat().st_mtime_ns) for path in photos.rglob("*") if path.is_file())
    yield photos
    assert sorted((path, path.stat().st_mtime_ns) for path in photos.rglob("*") if path.is_file()) == before


def format_of(photos):
    return json.loads((photos / ".lookalike" / "collection.json").read_text())["format"]


def vectors_of(collection, model):
    images, vectors = collection.vectors(model)
    return {os.path.basename(image.path): vector for image, vector in zip(images, vectors, strict=True)}


def test_it_is_searched_and_described_before_it_is_brought_up_to_date(untouched):
    collection = Collection.open(untouched)
    assert len(collection) == 10
    found = collection.info()
    assert found.files == 10
    assert len(found.failures) == 1
    image = collection.image_info(untouched / "waves" / "dated.jpg")
    assert (image.width, image.height) == (64, 64)
    assert collection.clusterings.get("two").clusters
    assert len(collection.maps.get("pca").images) == 10


def test_it_is_brought_up_to_date_and_loses_nothing(photos):
    # The first that read a picture by its profile made format 3.
    read_differently = {"profile.png"} if format_of(photos) < 3 else set()
    collection = Collection.open(photos)
    models = collection.info().models
    assert len(models) == 3
    before = {model: vectors_of(collection, model) for model in models}
    named = {cluster.name for cluster in collection.clusterings.get("two").clusters}
    ids = {hit.path: hit.id for hit in collection.vectors()[0]}

    report = collection.sync()

    assert report.unchanged == 10
    assert (report.added, report.changed, report.moved, report.removed, report.failed) == (0, 0, 0, 0, 1)
    assert {hit.path: hit.id for hit in collection.vectors()[0]} == ids
    assert {cluster.name for cluster in collection.clusterings.get("two").clusters} == named
    assert "named by hand" in named
    assert len(collection.maps.get("pca").images) == 10
    for model, old in before.items():
        new = vectors_of(collection, model)
        assert new.keys() == old.keys()
        changed = {name for name in old if not np.array_equal(old[name], new[name])}
        assert changed == read_differently, model
    dated = collection.image_info(photos / "waves" / "dated.jpg").metadata
    assert dated.taken == datetime.datetime(2019, 5, 4, 3, 2, 1)
    assert dated.camera == "Maker Model 1"
    assert dated.latitude == pytest.approx(52.52)
    assert dated.longitude == pytest.approx(13.405)

    again = collection.sync()
    assert (again.unchanged, again.embedded) == (10, 0)


def test_it_is_the_same_as_one_made_now(photos):
    collection = Collection.open(photos)
    collection.sync()
    shutil.rmtree(photos / ".lookalike" / "indexes", ignore_errors=True)
    made_now = Collection.create(photos.parent / "new", model="lite0-int8", with_root=False)
    made_now.add_root(photos)
    made_now.sync()
    old, new = vectors_of(collection, "lite0-int8"), vectors_of(made_now, "lite0-int8")
    assert old.keys() == new.keys()
    for name in old:
        assert np.allclose(old[name], new[name], atol=1e-6), name
    for name in ("waves/dated.jpg", "others/profile.png"):
        one, other = (each.image_info(photos / name) for each in (collection, made_now))
        assert one.metadata == other.metadata
        assert [color.hex for color in one.colors] == [color.hex for color in other.colors]


def test_it_takes_images_and_fields_by_call_without_being_read_again(photos, monkeypatch):
    assert format_of(photos) < FORMAT_VERSION
    content = (photos / "waves" / "0.png").read_bytes()
    collection = Collection.open(photos)
    rows = [path for path in (photos / ".lookalike").rglob("*.lance") if path.parent.name == "data"]
    times = {path: path.stat().st_mtime_ns for path in rows}
    with monkeypatch.context() as patched:
        patched.setattr("lookalike.sync.reading.read_file", lambda *_: pytest.fail("a file was read"))
        assert collection.add([(content, "again", {"price": 3})]).embedded == 0
        assert collection.set_fields({photos / "waves" / "1.png": {"price": 4}}).changed == 1
    assert format_of(photos) == FORMAT_VERSION
    # Columns are added beside the rows, which stay where they are.
    assert times
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    assert collection.image_info("added:again").fields == {"price": 3}
    report = collection.sync()
    assert (report.unchanged, report.removed) == (11, 0)
    assert len(collection) == 10


def test_what_this_version_wrote_an_earlier_one_refuses(photos, monkeypatch):
    collection = Collection.open(photos)
    collection.add([((photos / "waves" / "0.png").read_bytes(), "again")])
    monkeypatch.setattr("lookalike.store.manifest.FORMAT_VERSION", FORMAT_VERSION - 1)
    with pytest.raises(CollectionConflictError, match=f"has format {FORMAT_VERSION}"):
        Collection.open(photos).sync()
