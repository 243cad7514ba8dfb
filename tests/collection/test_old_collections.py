"""Collections that earlier versions made: they open, are brought up to date, and lose nothing.

``scripts/make_old_collection.py`` made them, with the version of their format.
"""

import datetime
import json
import os
import shutil
import tarfile
from pathlib import Path

import lance
import numpy as np
import pytest

from lookalike import Collection, CollectionConflictError, ImageRef
from lookalike.store import versions
from lookalike.store.checksums import CHECKSUMS
from lookalike.store.schema import FORMAT_VERSION

FOLDER = Path(__file__).parent / "collections"
FORMATS = sorted(FOLDER.glob("format-*.tar.gz"))


@pytest.fixture(params=FORMATS, ids=lambda file: file.name.removesuffix(".tar.gz"))
def photos(request, tmp_path):
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    (tmp_path / "format").write_text(str(format_of(tmp_path / "photos")))
    return tmp_path / "photos"


@pytest.fixture
def untouched(photos):
    """What nothing may be written to, but that its files were found whole where they lie now."""

    def files():
        found = (path for path in photos.rglob("*") if path.is_file() and path.name != CHECKSUMS)
        return sorted((path, path.stat().st_mtime_ns) for path in found)

    before = files()
    yield photos
    assert files() == before


def format_of(photos):
    return json.loads((photos / ".lookalike" / "collection.json").read_text())["format"]


def images_of(photos):
    """How many images it holds: from format 4 on, one that was added by call."""
    return 10 if format_of(photos) < 4 else 11


def check_what_was_kept(collection, photos, version):
    """Hold what hangs on the images to what the script made; `version` is that in which it was made."""
    if version > 1:
        assert "named by hand" in {cluster.name for cluster in collection.clusterings.get("two").clusters}
        assert len(collection.maps.get("pca").images) == 10
    if version >= 4:
        first, second, third = (collection.image_info(photos / f"waves/{n}.png").id for n in range(3))
        assert collection.fields.of("added:kept") == {"price": 3, "tags": ["one", "two"]}
        assert collection.fields.of(photos / "waves/0.png") == {"price": 4, "sold": True, "said": "a word"}
        assert collection.sets.images("chosen").tolist() == [first, second]
        assert dict(collection.labels.by_image()) == {third: "by hand"}
        (judged,) = collection.feedback.judgments()
        assert (judged.image, judged.verdict) == (second, "yes")
        (decided,) = collection.decisions.list()
        assert {decided.a, decided.b} == {second, third}
        assert next(iter(collection.changes.list())).kind == "undo"
        kept = collection.image_info("added:kept").paths[0]
        assert os.path.isfile(kept)


def vectors_of(collection, model):
    images, vectors = collection.vectors(model)
    return {os.path.basename(image.path): vector for image, vector in zip(images, vectors, strict=True)}


def test_it_is_searched_and_described_before_it_is_brought_up_to_date(untouched):
    collection, n = Collection.open(untouched), images_of(untouched)
    assert len(collection) == n
    found = collection.info()
    assert found.files == n
    assert len(found.failures) == 1
    image = collection.image_info(untouched / "waves" / "dated.jpg")
    assert (image.width, image.height) == (64, 64)
    check_what_was_kept(collection, untouched, format_of(untouched))
    # An index would be written, so each is looked for in the vectors themselves.
    for model in found.models:
        images, vectors = collection.snapshot().vectors([image.id], model)
        assert (images.tolist(), vectors.shape[0]) == ([image.id], 1)


def test_a_search_of_it_is_that_of_all_vectors(photos):
    collection = Collection.open(photos)
    for model in collection.info().models:
        images, vectors = collection.vectors(model)
        query = ImageRef(images[3].id)
        result = collection.search(query, k=5, model=model)
        distances = (
            1 - vectors @ vectors[3]
            if collection.models.get(model).metric == "cosine"
            else np.linalg.norm(vectors - vectors[3], axis=1)
        )
        order = np.argsort(distances, kind="stable")
        nearest = [images[row].id for row in order if row != 3][:5]
        assert [hit.id for hit in result.hits] == nearest
    assert format_of(photos) == int(photos.parent.joinpath("format").read_text())


def test_its_thumbnails_are_of_the_usual_side_until_another_is_asked_for(photos):
    collection, n = Collection.open(photos), images_of(photos)
    before = collection.thumbnails([hit.id for hit in collection.vectors()[0]])
    assert (collection.thumbnail_side, collection.info().thumbnail_side) == (256, 256)
    collection.set_thumbnail_side(64)
    assert (collection.sync().unchanged, Collection.open(photos).thumbnail_side) == (n, 64)
    assert collection.thumbnails(before).keys() == before.keys()


def test_a_copy_of_it_is_whole_and_holds_the_same(photos, tmp_path):
    version, n = format_of(photos), images_of(photos)
    collection = Collection.open(photos)
    assert collection.check().is_whole
    collection.copy(tmp_path / "backup")
    copy = Collection.open(tmp_path / "backup")
    assert copy.check().is_whole
    assert (len(copy), copy.info().models) == (n, collection.info().models)
    check_what_was_kept(copy, photos, version)
    report = copy.sync()
    assert (report.unchanged, report.failed) == (n, 1)
    check_what_was_kept(copy, photos, version)
    assert format_of(photos) == version
    assert copy.check().is_whole


def test_it_is_brought_up_to_date_and_loses_nothing(photos):
    # The first that read a picture by its profile made format 3.
    read_differently = {"profile.png"} if format_of(photos) < 3 else set()
    version, n = format_of(photos), images_of(photos)
    collection = Collection.open(photos)
    models = collection.info().models
    assert len(models) == 3
    before = {model: vectors_of(collection, model) for model in models}
    ids = {hit.path: hit.id for hit in collection.vectors()[0]}

    report = collection.sync()

    assert report.unchanged == n
    assert (report.added, report.changed, report.moved, report.removed, report.failed) == (0, 0, 0, 0, 1)
    assert {hit.path: hit.id for hit in collection.vectors()[0]} == ids
    check_what_was_kept(collection, photos, version)
    added = [hit.path for hit in collection.vectors()[0] if hit.keys]
    for model, old in before.items():
        new = vectors_of(collection, model)
        # What was added is embedded with the other models by the next sync.
        assert new.keys() - old.keys() <= {Path(kept).name for kept in added}
        assert old.keys() <= new.keys()
        changed = {name for name in old if not np.array_equal(old[name], new[name])}
        assert changed == read_differently, model
    dated = collection.image_info(photos / "waves" / "dated.jpg").metadata
    assert dated.taken == datetime.datetime(2019, 5, 4, 3, 2, 1)
    assert dated.camera == "Maker Model 1"
    assert dated.latitude == pytest.approx(52.52)
    assert dated.longitude == pytest.approx(13.405)

    again = collection.sync()
    assert (again.unchanged, again.embedded) == (n, 0)


def test_it_is_the_same_as_one_made_now(photos):
    collection, has_colors = Collection.open(photos), format_of(photos) > 1
    collection.sync()
    shutil.rmtree(photos / ".lookalike" / "indexes", ignore_errors=True)
    made_now = Collection.create(photos.parent / "new", model="lite0-int8", with_root=False)
    made_now.add_root(photos)
    made_now.sync()
    old, new = vectors_of(collection, "lite0-int8"), vectors_of(made_now, "lite0-int8")
    assert old.keys() - new.keys() <= {
        os.path.basename(hit.path) for hit in collection.vectors()[0] if hit.keys
    }
    for name in new:
        assert np.allclose(old[name], new[name], atol=1e-6), name
    for name in ("waves/dated.jpg", "others/profile.png"):
        one, other = (each.image_info(photos / name) for each in (collection, made_now))
        assert one.metadata == other.metadata
        if has_colors:  # else they are those of its thumbnail, which an earlier version made
            assert [color.hex for color in one.colors] == [color.hex for color in other.colors]


def test_it_takes_images_and_fields_by_call_without_being_read_again(photos, monkeypatch):
    n = images_of(photos)
    content = (photos / "waves" / "0.png").read_bytes()
    collection = Collection.open(photos)
    tables = [path.parent for path in (photos / ".lookalike").rglob("_versions")]
    rows = [
        table / name
        for table in tables
        for name, _ in versions.named_files(lance.dataset(str(table)))
        if name.startswith("data/")
    ]
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
    assert (report.unchanged, report.removed) == (n + 1, 0)
    assert len(collection) == n


def test_what_this_version_wrote_an_earlier_one_refuses(photos, monkeypatch):
    collection = Collection.open(photos)
    collection.add([((photos / "waves" / "0.png").read_bytes(), "again")])
    monkeypatch.setattr("lookalike.store.manifest.FORMAT_VERSION", FORMAT_VERSION - 1)
    with pytest.raises(CollectionConflictError, match=f"has format {FORMAT_VERSION}"):
        Collection.open(photos).sync()


def test_clusterings_and_maps_are_written_so_that_who_made_the_collection_can_read_them(photos):
    version = format_of(photos)
    collection = Collection.open(photos)
    if version == 1:
        return  # it has none of the columns that clusters are made of
    collection.clusterings.make("kmeans", 2, name="three")
    collection.maps.make("pca", name="other")
    facts = [
        photos / ".lookalike" / place
        for place in ("clusterings/three/clustering.json", "maps/other/map.json")
    ]
    assert ["sum" in json.loads(file.read_text()) for file in facts] == [version >= 5] * 2
    collection.sync()
    collection.clusterings.rename("three", 0, "a name")
    assert "sum" in json.loads(facts[0].read_text())
