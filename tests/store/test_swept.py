"""Word that all is swept up holds for the commits that it is about, and for no other."""

import json

import pytest

from lookalike import Collection, ImageRef
from lookalike.store import look_at_tables
from lookalike.store.swept import is_swept, note_swept, staying_swept
from pictures import picture


@pytest.fixture
def collection(photos):
    made = Collection.create(photos, model="pixels-8-grey")
    made.sync()
    return made


def now(collection):
    return is_swept(collection.folder, look_at_tables(collection.folder))


def test_after_a_sync_it_is_known_and_stays_so_while_writers_leave_nothing(collection, photos, tmp_path):
    assert now(collection)
    picture(70).save(tmp_path / "new.png")
    collection.add([(tmp_path / "new.png", "key")])
    collection.models.reduce(2)
    collection.add_vectors("ours", [photos / "cats/0.png"], [[1.0, 0.0]])
    assert now(collection)
    collection.remove(["key"])
    assert now(collection)
    assert len(collection) == 6
    result = collection.search(photos / "cats/0.png", k=9)
    assert (len(result.hits), result.total) == (5, 5)


def test_whatever_is_committed_beside_takes_it_away(collection, photos):
    store, table = collection._store, collection._store.vectors("pixels-8-grey", 64)
    _, vectors = table.read_vectors()
    store.write_vectors([7], vectors[:1], table)
    assert not now(collection)
    store.files.delete(store.files.read(["path"])["path"].to_pylist()[:1])
    assert not now(collection)
    there = [hit.id for hit in collection.browse().hits]
    result = collection.search(ImageRef(there[0]), k=9)
    assert (len(collection), len(result.hits), result.total) == (5, 4, 4)
    with staying_swept(collection.folder):
        pass
    assert not now(collection)
    collection.sync()
    assert now(collection)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "[" * 10_000, '{"files.lance": 1}'])
def test_what_cannot_be_read_says_nothing(collection, content):
    (collection.folder / "swept.json").write_text(content)
    assert not now(collection)
    assert len(collection) == 6
    note_swept(collection.folder)
    assert now(collection)
    noted = json.loads((collection.folder / "swept.json").read_text())
    assert sorted(noted) == ["files.lance", "images.lance", "vectors/pixels-8-grey.lance"]
