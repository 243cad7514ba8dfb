"""Tables that are held open as they were, and the look that tells whether they still are the newest."""

import os
import shutil

import numpy as np
import pytest

from lookalike.errors import StoreError
from lookalike.store import PinnedStore, Store, look_at_tables
from lookalike.store import pinned as module
from lookalike.store.pinned import newest_commit
from lookalike.store.store import FileRow
from lookalike.types import ImageId

MODEL, DIMENSION = "a-model", 4


@pytest.fixture
def store(tmp_path):
    """30 files in three commits, of which a few rows are deleted, and as many vectors."""
    store = Store(tmp_path)
    vectors = store.vectors(MODEL, DIMENSION)
    for start in (0, 10, 20):
        ids = [ImageId(7 * number) for number in range(start, start + 10)]
        store.write_files([FileRow(f"a:{image}.png", image, 1, 1, "x") for image in ids])
        store.write_vectors(ids, np.float32(ids)[:, None] * np.ones(DIMENSION, np.float32), vectors)
    gone = [0, 7 * 4, 7 * 15, 7 * 29]
    vectors.delete(gone)
    store.files.delete([f"a:{image}.png" for image in gone])
    return store


def rows_of(table):
    return sorted(table.to_pylist(), key=str)


def test_what_is_pinned_stays_as_it_was(store):
    pinned = PinnedStore.take(store.folder)
    paths = sorted(pinned.files.read(["path"])["path"].to_pylist())
    facts = (pinned.files.count(), pinned.files.version(), pinned.files.state())
    assert facts == (store.files.count(), store.files.version(), store.files.state())
    store.files.delete(paths[:20])
    store.write_files([FileRow("b:new.png", ImageId(1), 1, 1)])
    store.files.maintain()
    assert sorted(pinned.files.read(["path"])["path"].to_pylist()) == paths
    assert (pinned.files.count(), pinned.files.version(), pinned.files.state()) == facts
    assert PinnedStore.take(store.folder).files.count() == len(paths) - 19


@pytest.mark.parametrize("asked", [[7], [0, 7, 28, 35], range(300), [35, 7, 35, 7], [-1, 10**9], []])
def test_rows_that_are_taken_by_their_ids_are_those_that_a_scan_finds(store, asked):
    live, pinned = store.vectors(MODEL, DIMENSION), PinnedStore.take(store.folder).vectors(MODEL, DIMENSION)
    for columns in (["id"], ["embedding", "id"]):
        found, expected = (table.read_where_in("id", asked, columns) for table in (pinned, live))
        assert found.column_names == expected.column_names
        assert rows_of(found) == rows_of(expected)
    ids, vectors = pinned.vectors_of(asked)
    assert vectors.shape == (len(ids), DIMENSION)
    assert (vectors == ids[:, None]).all()


def test_the_first_rows_of_a_large_table_are_scanned_for(store, monkeypatch):
    monkeypatch.setattr(module, "_SOON_SORTED", 0)
    vectors, found = PinnedStore.take(store.folder).vectors(MODEL, DIMENSION), []
    rows_of = module.Pin.rows_of
    monkeypatch.setattr(module.Pin, "rows_of", lambda self, ids: found.append(ids) or rows_of(self, ids))
    answers = [vectors.vectors_of([7, 8, 14])[0].tolist() for _ in range(3)]
    assert [sorted(each) for each in answers] == [[7, 14]] * 3
    assert len(found) == 2


def test_a_look_tells_every_commit_from_the_one_before(store):
    seen = [look_at_tables(store.folder)]
    assert set(seen[0]) == {"files.lance", f"vectors/{MODEL}.lance"}

    def note():
        seen.append(look_at_tables(store.folder))
        assert seen[-1] not in seen[:-1]
        assert seen[-1] == look_at_tables(store.folder)

    store.write_files([FileRow("b:new.png", ImageId(1), 1, 1)])
    note()
    store.files.delete(["b:new.png"])
    note()
    store.vectors(MODEL, DIMENSION).delete([7])
    note()
    store.write_vectors([ImageId(7)], np.ones((1, 3), np.float32), store.vectors("another", 3))
    note()
    for number in range(7):
        store.write_files([FileRow(f"b:{number}.png", ImageId(1), 1, 1)])
    note()
    store.files.maintain()
    note()


def test_a_table_that_is_made_again_is_another_one_although_its_numbers_are_the_same(tmp_path):
    store = Store(tmp_path)
    seen = []
    for _ in range(3):
        store.write_files([FileRow("a:1.png", ImageId(1), 1, 1)])
        seen.append(newest_commit(store.files.folder))
        store.files.folder.rename(tmp_path / f"away-{len(seen)}")
    assert {commit.version for commit in seen} == {1}
    assert len(set(seen)) == 3


def test_what_has_not_changed_is_not_opened_again(store, monkeypatch):
    before = PinnedStore.take(store.folder)
    assert (before.files.count(), before.vectors(MODEL, DIMENSION).count()) == (26, 26)
    store.write_files([FileRow("b:new.png", ImageId(1), 1, 1)])
    opened = []
    open_at = type(store.files).open_at
    monkeypatch.setattr(
        type(store.files),
        "open_at",
        lambda self, version: opened.append(self.folder.name) or open_at(self, version),
    )
    after = PinnedStore.take(store.folder, before)
    assert (after.files.count(), after.vectors(MODEL, DIMENSION).count()) == (27, 26)
    assert opened == ["files.lance"]


def test_without_tables_there_are_no_rows(tmp_path):
    pinned = PinnedStore.take(tmp_path)
    assert pinned.state == {}
    assert (pinned.files.count(), pinned.files.version(), pinned.files.state()) == (0, 0, "0")
    assert len(pinned.files.read(["path"])) == len(pinned.images.read_where_in("id", [1], ["id"])) == 0
    assert pinned.vectors(MODEL, DIMENSION).dimension() is None
    assert pinned.vector_tables() == {}


def test_a_damaged_table_hinders_only_who_asks_it(store):
    for file in (store.folder / "vectors" / f"{MODEL}.lance" / "_versions").iterdir():
        file.write_bytes(b"damaged")
    pinned = PinnedStore.take(store.folder)
    assert pinned.files.count() == 26
    with pytest.raises(StoreError):
        pinned.vectors(MODEL, DIMENSION).count()


def test_what_is_pinned_is_not_written(store, tmp_path):
    pinned = PinnedStore.take(store.folder)
    with pytest.raises((TypeError, StoreError)):
        pinned.write_files([FileRow("b:new.png", ImageId(1), 1, 1)])
    with pytest.raises((TypeError, StoreError)):
        pinned.files.delete(["a:7.png"])
    (tmp_path / "empty").mkdir()
    with pytest.raises((TypeError, StoreError)):
        PinnedStore.take(tmp_path / "empty").write_files([FileRow("b:new.png", ImageId(1), 1, 1)])
    assert os.listdir(tmp_path / "empty") == []
    assert store.files.count() == 26


def test_what_was_removed_is_not_there(store):
    shutil.rmtree(store.folder / "vectors")
    assert set(look_at_tables(store.folder)) == {"files.lance"}
