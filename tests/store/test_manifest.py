"""``collection.json`` and how it is found."""

import json
import os
import sys

import pytest

from lookalike.errors import CollectionError
from lookalike.store import (
    FOLDER_NAME,
    LabelVerdict,
    Manifest,
    Root,
    find_collection,
    root_folder,
)
from lookalike.store.manifest import name_root, stored_root_path
from lookalike.store.schema import FORMAT_VERSION
from lookalike.system.file_names import escape


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "photos" / FOLDER_NAME
    folder.mkdir(parents=True)
    return folder


ROOT = {"name": "photos", "path": ".", "labels": "folders", "exclude": []}


def test_manifest_is_read_as_it_was_saved(place):
    saved = Manifest(
        "lite0",
        (
            Root("photos", ".", exclude=("*.tmp", "日本/*", "a\\b", "\udce9*")),
            Root("été", r"/mnt/caf\xe9", "none"),
        ),
    )
    saved.save(place)
    assert Manifest.load(place) == saved
    assert sorted(os.listdir(place)) == ["collection.json", "collection.json.copy"]
    text = (place / "collection.json").read_text(encoding="utf-8")  # strictly: no stray bytes
    assert "日本" in text
    assert json.loads(text)["format"] == FORMAT_VERSION


def test_root_takes_the_place_of_the_one_of_its_name(place):
    manifest = Manifest("lite0").with_root(Root("a", ".")).with_root(Root("b", "/b"))
    changed = manifest.with_root(Root("a", ".", labels="none"))
    assert {root.name: root.labels for root in changed.roots} == {"a": "none", "b": "folders"}
    assert manifest.roots[0].labels == "folders"


def test_what_is_known_of_labels_is_read_as_it_was_saved_and_passed_over_by_earlier_versions(place):
    verdict = LabelVerdict(100, 4, 0.5, 0.25, "folders 3 4")
    table = Root("photos", ".", verdict=verdict).with_labels("labels.csv")
    assert table.verdict is None  # of other labels
    roots = (Root("a", "a", verdict=verdict), table, Root("b", "b").with_labels("none"))
    Manifest("lite0", roots).save(place)
    assert Manifest.load(place).roots == roots
    rows = json.loads((place / "collection.json").read_text())["roots"]
    assert [row["labels"] for row in rows] == ["folders", "folders", "none"]
    assert {*rows[0]} == {"name", "path", "labels", "exclude", "dataset"}  # more would be damage to them


def test_the_side_of_thumbnails_is_kept_where_it_is_not_the_usual_one(place):
    Manifest("lite0").save(place)
    assert "thumbnail_side" not in json.loads((place / "collection.json").read_text())
    assert Manifest.load(place).thumbnail_side == 256
    changed = Manifest("lite0", thumbnail_side=512)
    changed.save(place)
    assert Manifest.load(place) == changed == Manifest.read(place, "collection.json.copy")[0]


@pytest.mark.parametrize("side", [0, 63, 1025, True, 256.0, "256", None, [256]])
def test_no_side_of_thumbnails_is_damage(place, side):
    document = {"format": FORMAT_VERSION, "model": "lite0", "roots": [], "thumbnail_side": side}
    (place / "collection.json").write_text(json.dumps(document))
    with pytest.raises(CollectionError, match="damaged: the longer side of thumbnails is"):
        Manifest.load(place)


def test_missing_manifest_says_how_to_make_one(place):
    with pytest.raises(
        CollectionError, match=r"there is no collection in .*\nmake one with Collection.create"
    ):
        Manifest.load(place)


def test_newer_format_asks_for_an_upgrade(place):
    (place / "collection.json").write_text(json.dumps({"format": FORMAT_VERSION + 1, "models": ["new"]}))
    with pytest.raises(
        CollectionError,
        match=rf"has format {FORMAT_VERSION + 1}; this lookalike reads up to {FORMAT_VERSION}\nupgrade",
    ):
        Manifest.load(place)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"format": "one"}',
        b'{"format": null}',
        *(
            json.dumps(content).encode()
            for content in (
                {"model": "lite0", "roots": []},
                {"format": 1, "roots": []},
                {"format": 1, "model": "lite0"},
                {"format": 1, "model": None, "roots": []},
                {"format": 1, "model": "lite0", "roots": 7},
                {"format": 1, "model": "lite0", "roots": ["photos"]},
                {"format": 1, "model": "lite0", "roots": [{**ROOT, "unknown": 1}]},
                {"format": 1, "model": "lite0", "roots": [{**ROOT, "name": 5}]},
                {"format": 1, "model": "lite0", "roots": [{**ROOT, "path": None}]},
                {"format": 1, "model": "lite0", "roots": [{**ROOT, "labels": "tags"}]},
                {"format": 1, "model": "lite0", "roots": [{**ROOT, "labels": []}]},
                {"format": 1, "model": "lite0", "roots": [{**ROOT, "exclude": "*.tmp"}]},
                {"format": 1, "model": "lite0", "roots": [{**ROOT, "exclude": [1]}]},
                {"format": 1, "model": "lite0", "roots": [{"name": "photos", "exclude": []}]},
                {"format": 1, "model": "lite0", "roots": [{"name": "photos", "path": "."}]},
            )
        ),
    ],
)
def test_damaged_manifest_is_an_error_that_names_the_file(place, content):
    (place / "collection.json").write_bytes(content)
    with pytest.raises(CollectionError, match=r"collection\.json is damaged"):
        Manifest.load(place)


def test_manifest_that_is_a_folder_is_an_error_that_names_it(place):
    (place / "collection.json").mkdir()
    with pytest.raises(CollectionError, match=r"cannot read .*collection\.json"):
        Manifest.load(place)


def test_root_below_the_collection_moves_with_it(place):
    home = place.parent
    for folder in (home, home / "cats", home / "cats" / "black ones"):
        root = Root("r", stored_root_path(place, folder))
        assert root_folder(place, root) == folder
        assert not os.path.isabs(root.path)
        moved = home.parent / "elsewhere" / FOLDER_NAME
        assert root_folder(moved, root) == moved.parent / folder.relative_to(home)


def test_root_elsewhere_stays_where_it_is(place, tmp_path):
    for folder in (tmp_path / "other", tmp_path, tmp_path / "photos-2"):
        root = Root("r", stored_root_path(place, folder))
        assert root.path == str(folder)
        assert root_folder(tmp_path / "moved" / FOLDER_NAME, root) == folder


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are text there")
@pytest.mark.parametrize("name", [b"caf\xe9", b"a\\xe9", b"new\nline", b"a:b", b"\xff\xfe"])
def test_any_folder_name_survives_the_manifest(place, name):
    for folder in (place.parent / os.fsdecode(name), place.parent.parent / os.fsdecode(name)):
        folder.mkdir()
        root = Root(name_root(folder, set()), stored_root_path(place, folder))
        Manifest("lite0", (root,)).save(place)
        (read,) = Manifest.load(place).roots
        assert read == root
        assert root_folder(place, read) == folder
        assert ":" not in read.name


def test_root_is_named_after_its_folder_with_a_number_if_need_be(tmp_path):
    assert name_root(tmp_path / "cats", set()) == "cats"
    assert name_root(tmp_path / "cats", {"cats"}) == "cats-2"
    assert name_root(tmp_path / "cats", {"cats", "cats-2"}) == "cats-3"
    assert name_root(tmp_path / "a:b", set()) == "a_b"
    assert name_root(tmp_path / os.fsdecode(b"\xe9"), set()) == escape(os.fsdecode(b"\xe9"))
    assert name_root(type(tmp_path)("/"), set()) == "root"


def test_collection_is_found_from_its_home_and_all_below(place, monkeypatch):
    Manifest("lite0").save(place)
    deep = place.parent / "a" / "b"
    deep.mkdir(parents=True)
    for start in (place.parent, deep, deep / "not-there", place):
        assert find_collection(start) == place
    monkeypatch.chdir(deep)
    assert find_collection(type(deep)(".")) == place
    assert find_collection(type(deep)("..") / "..") == place
    assert find_collection(place.parent.parent) is None


def test_collection_above_is_not_taken_where_it_must_be_here(place):
    Manifest("lite0").save(place)
    (place.parent / "a").mkdir()
    assert find_collection(place.parent, above=False) == place
    assert find_collection(place, above=False) == place
    assert find_collection(place.parent / "a", above=False) is None


def test_nearest_collection_is_taken(place):
    inner = place.parent / "a" / FOLDER_NAME
    inner.mkdir(parents=True)
    Manifest("lite0").save(place)
    assert find_collection(inner.parent) == place  # a folder of that name alone is no collection
    Manifest("lite0").save(inner)
    assert find_collection(inner.parent) == inner


def test_a_full_disk_leaves_the_manifest_that_was_there(tmp_path, monkeypatch):
    Manifest("lite0").save(tmp_path)

    def write_bytes(path, content):
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", write_bytes)
    with pytest.raises(OSError, match="No space left"):
        Manifest("lite1").save(tmp_path)
    assert Manifest.load(tmp_path).model == "lite0"
    assert sorted(os.listdir(tmp_path)) == ["collection.json", "collection.json.copy"]
