"""A collection that stays open sees what other processes commit to it."""

import os
import subprocess
import sys

import pytest

from lookalike import Collection, Filter
from lookalike.collection.manifest_file import ManifestFile
from lookalike.errors import CollectionError
from lookalike.store import Manifest
from pictures import picture

MODEL = "pixels-8-grey"


def in_another_process(collection, code, *words):
    """Run code with the same collection, opened as `photos`, and these `words`."""
    opened = "import sys; from lookalike import Collection; photos = Collection.open(sys.argv[1])\n"
    command = [sys.executable, "-c", f"{opened}words = sys.argv[2:]\n{code}", str(collection.folder)]
    done = subprocess.run([*command, *map(str, words)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def collection(photos, tmp_path):
    """The pictures in the root `a`, searched once, so that everything is open and known."""
    photos.rename(tmp_path / "a")
    collection = Collection.create(tmp_path / "home", model=MODEL, with_root=False)
    collection.add_root(tmp_path / "a")
    collection.sync()
    assert len(collection.search(tmp_path / "a/cats/0.png").hits) == 5
    return collection


@pytest.fixture
def more(tmp_path):
    """A folder of two more pictures, which no collection has."""
    folder = tmp_path / "b"
    folder.mkdir()
    for number in range(2):
        picture(50 + number).save(folder / f"b{number}.png")
    return folder


def test_a_root_that_another_adds_is_a_root_like_any_other(collection, more, tmp_path):
    in_another_process(collection, "photos.add_root(words[0]); photos.sync()", more)
    assert collection.roots == (tmp_path / "a", more)
    assert len(collection) == 8
    assert [root.images for root in collection.list_roots()] == [6, 2]
    hit = collection.search(more / "b0.png", k=1, include_self=True).hits[0]
    assert hit.path == str(more / "b0.png")
    assert {hit.path for hit in collection.search(tmp_path / "a/cats/0.png", k=8).hits} > {
        str(more / "b0.png"),
        str(more / "b1.png"),
    }
    found = collection.search(tmp_path / "a/cats/0.png", where=Filter(folders=[more])).hits
    assert sorted(os.path.basename(hit.path) for hit in found) == ["b0.png", "b1.png"]
    assert collection.image_info(more / "b1.png").paths == (str(more / "b1.png"),)


def test_a_root_that_another_moves_lies_where_it_says(collection, tmp_path):
    (tmp_path / "a").rename(tmp_path / "moved")
    in_another_process(collection, "photos.move_root(*words)", tmp_path / "a", tmp_path / "moved")
    assert collection.roots == (tmp_path / "moved",)
    hits = collection.search(tmp_path / "moved/cats/0.png").hits
    assert all(hit.path.startswith(str(tmp_path / "moved")) for hit in hits)


def test_images_that_another_prunes_are_no_hits(collection, tmp_path):
    for number in range(3, 6):
        (tmp_path / f"a/dogs/{number}.png").unlink()
    (tmp_path / "a/cats/2.png").unlink()
    in_another_process(collection, "photos.sync(prune=True)")
    assert len(collection) == 2
    hits = collection.search(tmp_path / "a/cats/0.png").hits
    assert [hit.path for hit in hits] == [str(tmp_path / "a/cats/1.png")]


def test_clusters_that_another_names_are_labels(collection, tmp_path):
    in_another_process(collection, "photos.clusterings.make(k=1, name='mine')")
    assert collection.clusterings.names() == ["mine"]
    assert collection.search(tmp_path / "a/cats/0.png").hits[0].clusters == {}
    in_another_process(collection, "photos.clusterings.rename('mine', 0, 'first')")
    assert collection.search(tmp_path / "a/cats/0.png").hits[0].clusters == {"mine": "first"}
    in_another_process(collection, "photos.clusterings.rename('mine', 0, 'second')")
    assert collection.search(tmp_path / "a/cats/0.png").hits[0].clusters == {"mine": "second"}
    assert len(collection.search(tmp_path / "a/cats/0.png", where=Filter(labels=["second"])).hits) == 5
    in_another_process(collection, "photos.clusterings.delete('mine')")
    assert collection.clusterings.names() == []
    assert collection.search(tmp_path / "a/cats/0.png").hits[0].clusters == {}


def test_maps_and_models_that_another_makes_can_be_used(collection, tmp_path):
    in_another_process(collection, "photos.maps.make('pca', name='plane'); photos.models.reduce(3)")
    assert collection.maps.names() == ["plane"]
    assert len(collection.maps.get("plane").images) == 6
    found = collection.search(tmp_path / "a/cats/0.png", model=f"{MODEL}+pca3")
    assert (found.model, len(found.hits)) == (f"{MODEL}+pca3", 5)


def test_what_was_asked_of_this_one_stays_on_top_of_what_others_commit(collection, more, tmp_path):
    (tmp_path / "c").mkdir()
    collection.add_root(tmp_path / "c", labels="none")
    in_another_process(collection, "photos.add_root(words[0]); photos.sync()", more)
    assert collection.roots == (tmp_path / "a", more, tmp_path / "c")
    assert Collection.open(collection.folder).roots == (tmp_path / "a", more)
    collection.sync()
    assert Collection.open(collection.folder).roots == (tmp_path / "a", more, tmp_path / "c")


def test_a_root_that_can_no_longer_be_added_hinders_only_the_sync(collection, more, tmp_path):
    (more / "inside").mkdir()
    collection.add_root(more / "inside")
    in_another_process(collection, "photos.add_root(words[0]); photos.sync()", more)
    assert collection.roots == (tmp_path / "a", more)
    assert len(collection.search(more / "b0.png").hits) == 7
    with pytest.raises(CollectionError, match="overlap"):
        collection.sync()


def test_an_unchanged_manifest_is_not_read_again(collection, tmp_path, monkeypatch):
    assert collection.roots == (tmp_path / "a",)
    monkeypatch.setattr(Manifest, "read", lambda folder: pytest.fail("it was read again"))
    assert len(collection.search(tmp_path / "a/cats/0.png").hits) == 5
    assert (collection.roots, collection.model) == ((tmp_path / "a",), MODEL)


def test_a_manifest_is_never_seen_half_written(collection):
    """One process replaces it again and again, by a longer and a shorter one."""
    code = """
from lookalike.store import Manifest, Root
short = Manifest.load(photos.folder)
for number in range(300):
    roots = [Root(f"r{each}", f"/r{each}") for each in range(50 if number % 2 else 0)]
    Manifest(short.model, (*short.roots, *roots)).save(photos.folder)
    print(number, flush=True)
"""
    opened = "import sys; from lookalike import Collection; photos = Collection.open(sys.argv[1])\n"
    file, seen = ManifestFile.open(collection.folder), set()
    with subprocess.Popen(
        [sys.executable, "-c", opened + code, str(collection.folder)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "0\n"
        while other.poll() is None:
            seen.add(len(file.manifest.roots))
    assert other.returncode == 0
    assert seen == {1, 51}
    assert len(file.manifest.roots) == 51


def test_a_manifest_that_is_gone_or_damaged_is_an_error_until_it_is_there_again(collection, tmp_path):
    file = collection.folder / "collection.json"
    content = file.read_bytes()
    file.unlink()
    with pytest.raises(CollectionError, match=r"collection\.json is missing"):
        collection.search(tmp_path / "a/cats/0.png")
    file.write_bytes(content[:-9])
    with pytest.raises(CollectionError, match="is damaged"):
        _ = collection.roots
    file.write_bytes(content)
    assert len(collection.search(tmp_path / "a/cats/0.png").hits) == 5
