"""The order of writing, which stands in for a transaction, and the sweep that it makes possible."""

from dataclasses import replace

import lance
import numpy as np
import pytest
from PIL import Image

from lookalike.images import encode_thumbnail
from lookalike.store import Store
from lookalike.store.store import Changes, FailureRow, FileRow, ImageRow


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def image(key):
    colours = np.array([[50, 10, -20, 0.75], [100, 0, 0, 0.25]], np.float32)
    return ImageRow(key, bytes(32), "PNG", 8, 8, 2**64 - 1, colours, 12.5, b"jpeg")


def changes_of(keys, *rest, dimension=4, **more):
    """Images with their vectors, and what else there is."""
    vectors = {key: np.full(dimension, key, np.float32) for key in keys}
    return Changes(vectors, [image(key) for key in keys], *rest, **more)


def file(path, key):
    return FileRow(path, key, size=1, mtime_ns=2, label="cat", split="train")


def ids(table):
    return sorted(table.read(["id"])["id"].to_pylist())


def test_rows_are_read_as_written(store):
    vectors = store.vectors("lite0", 4)
    store.write(
        changes_of(
            [5, 6],
            files=[file("a:1", 5), file("a:2", 6)],
            failures=[FailureRow("a:3", None, None, "cut short")],
        ),
        vectors,
    )
    assert store.files.read(where="path = 'a:1'").to_pylist() == [
        {
            "path": "a:1",
            "id": 5,
            "size": 1,
            "mtime_ns": 2,
            "label": "cat",
            "split": "train",
            "ctime_ns": None,
            "inode": None,
            "note": None,
        }
    ]
    assert store.images.read(where="id = 6").to_pylist() == [
        {
            "id": 6,
            "sha256": bytes(32),
            "format": "PNG",
            "width": 8,
            "height": 8,
            "phash": 2**64 - 1,
            "colours": [50, 10, -20, 0.75, 100, 0, 0, 0.25] + [0] * 12,
            "sharpness": 12.5,
            "taken": None,
            "taken_offset": None,
            "camera": None,
            "lens": None,
            "latitude": None,
            "longitude": None,
            "keywords": None,
            "rating": None,
            "caption": None,
            "reader": None,
        }
    ]
    assert store.failures.read().to_pylist() == [
        {"path": "a:3", "size": None, "mtime_ns": None, "reason": "cut short", "reader": None}
    ]
    assert store.thumbnails.read(["jpeg"])["jpeg"].to_pylist() == [b"jpeg"] * 2
    found, rows = vectors.read_vectors()
    assert dict(zip(found.tolist(), rows.tolist(), strict=True)) == {5: [5] * 4, 6: [6] * 4}


def test_what_a_file_promises_is_written_before_it(store, monkeypatch):
    vectors = store.vectors("lite0", 4)
    tables = {
        "vectors": vectors,
        "thumbnails": store.thumbnails,
        "images": store.images,
        "files": store.files,
        "failures": store.failures,
    }
    order = []
    for name, table in tables.items():
        for action in ("upsert", "delete"):
            monkeypatch.setattr(
                table, action, lambda rows, name=name, action=action: order.append(f"{action} {name}")
            )
    store.write(changes_of([1], [file("a:1", 1)], [FailureRow("a:2", 1, 1, "x")], ["a:3"], ["a:4"]), vectors)
    assert sorted(order[:2]) == ["upsert thumbnails", "upsert vectors"]
    assert order[2:4] == ["upsert images", "upsert files"]
    assert set(order[4:]) == {"delete files", "upsert failures", "delete failures"}


@pytest.mark.parametrize("killed", ["thumbnails", "images", "files"])
def test_write_that_is_cut_short_leaves_no_file_without_its_image(store, monkeypatch, killed):
    vectors = store.vectors("lite0", 4)
    store.write(changes_of([1], [file("a:1", 1)]), vectors)

    def kill(rows):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(getattr(store, killed), "upsert", kill)
        with pytest.raises(KeyboardInterrupt):
            store.write(changes_of([2], [file("a:2", 2)]), vectors)
    assert ids(store.files) == [1]
    store.write(changes_of([2], [file("a:2", 2)]), vectors)
    for table in (store.files, store.images, store.thumbnails, vectors):
        assert ids(table) == [1, 2]


def test_no_changes_write_nothing(store):
    assert len(Changes()) == 0
    store.write(Changes(), store.vectors("lite0", 4))
    assert not any(table.exists() for table in (store.files, store.images, store.thumbnails, store.failures))
    assert store.vector_tables() == {}


def test_gone_files_and_cleared_failures_are_deleted(store):
    vectors = store.vectors("lite0", 4)
    failures = [FailureRow("a:3", 1, 1, "x"), FailureRow("a:4", 1, 1, "x")]
    store.write(changes_of([1], [file("a:1", 1), file("a:2", 1)], failures), vectors)
    changes = Changes(gone=["a:1"], cleared=["a:3"])
    assert len(changes) == 2
    store.write(changes, vectors)
    assert store.files.read(["path"])["path"].to_pylist() == ["a:2"]
    assert store.failures.read(["path"])["path"].to_pylist() == ["a:4"]


def test_sweep_removes_what_no_file_holds_from_every_table_and_nothing_else(store):
    for model, dimension in (("lite0", 4), ("lite0-int8+pca2", 2)):
        files = [file("a:1", 1), file("b:1", 1), file("a:2", 2)]
        store.write(changes_of([1, 2, 3, 4], files, dimension=dimension), store.vectors(model, dimension))
    store.write(Changes(failures=[FailureRow("a:9", 1, 1, "x")]), store.vectors("lite0", 4))
    tables = store.vector_tables()
    assert sorted(tables) == ["lite0", "lite0-int8+pca2"]
    files = store.files.version()
    assert store.sweep() == 2
    for table in (store.images, store.thumbnails, *tables.values()):
        assert ids(table) == [1, 2]
    assert store.files.version() == files
    assert store.failures.count() == 1
    assert store.vectors("lite0-int8+pca2", 2).read_vectors()[1].tolist() == [[1, 1], [2, 2]]
    versions = [table.version() for table in (store.images, store.thumbnails, *tables.values())]
    assert store.sweep() == 0
    assert [table.version() for table in (store.images, store.thumbnails, *tables.values())] == versions


def test_sweep_of_orphans_that_only_one_table_has_counts_each_once(store):
    store.write(changes_of([1], [file("a:1", 1)]), store.vectors("lite0", 4))
    store.write(changes_of([8, 9]), store.vectors("other", 4))
    store.images.delete([9])
    assert store.sweep() == 2
    assert ids(store.images) == [1]
    assert store.vector_tables()["other"].count() == 0


def test_sweep_and_maintenance_of_an_empty_store_do_nothing(store):
    assert store.sweep() == 0
    store.maintain()


def as_format_1(store):
    """Take from the table of images what format 1 did not have."""
    lance.dataset(str(store.images.folder)).drop_columns(["colours", "sharpness"])


def halves(one, other):
    """Return a thumbnail whose left half is of one colour and the right of another."""
    picture = Image.new("RGB", (64, 64), one)
    picture.paste(other, (32, 0, 64, 64))
    return encode_thumbnail(picture)


def test_tables_of_format_1_are_upgraded_from_the_thumbnails(store):
    vectors = store.vectors("lite0", 4)
    rows = [replace(image(key), thumbnail=halves("red", "white")) for key in (1, 2, 3)]
    store.write(Changes(images=rows, files=[file(f"a:{row.id}", row.id) for row in rows]), vectors)
    assert not store.needs_upgrade()
    as_format_1(store)
    assert store.needs_upgrade()
    store.upgrade()
    assert not store.needs_upgrade()
    upgraded = store.images.read().to_pylist()
    assert [row["phash"] for row in upgraded] == [2**64 - 1] * 3
    for row in upgraded:
        assert sorted(row["colours"][3:8:4]) == pytest.approx([0.5, 0.5], abs=0.04)
        assert row["sharpness"] > 0
    version = store.images.version()
    store.upgrade()
    assert store.images.version() == version


def test_upgrade_that_was_killed_goes_on(store, monkeypatch):
    monkeypatch.setattr("lookalike.store.store._UPGRADED_AT_ONCE", 1)
    rows = [replace(image(key), thumbnail=halves("red", "white")) for key in (1, 2, 3)]
    store.write(Changes(images=rows), store.vectors("lite0", 4))
    as_format_1(store)
    upsert, calls = store.images.upsert, []

    def killed_at_the_second(columns):
        calls.append(columns)
        if len(calls) == 2:
            raise KeyboardInterrupt
        upsert(columns)

    monkeypatch.setattr(store.images, "upsert", killed_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        store.upgrade()
    assert len(store.images.read(where="sharpness IS NULL")) == 2
    assert store.needs_upgrade()
    store.upgrade()
    assert len(calls) == 4
    assert not store.needs_upgrade()


def test_upgrade_drops_images_whose_thumbnail_is_damaged_so_that_they_are_read_again(store):
    rows = [replace(image(1), thumbnail=halves("red", "white")), replace(image(2), thumbnail=b"no")]
    store.write(Changes(images=rows), store.vectors("lite0", 4))
    store.write(Changes(images=[image(3)]), store.vectors("lite0", 4))
    store.thumbnails.delete([3])
    as_format_1(store)
    store.upgrade()
    assert ids(store.images) == [1]


def test_upgrade_of_an_empty_store_does_nothing(store):
    assert not store.needs_upgrade()
    store.upgrade()
    assert not store.images.exists()
