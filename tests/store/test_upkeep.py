"""Old versions that hold much go, where nobody reads them; the newest has one to fall back on."""

import multiprocessing
import os
import warnings

import numpy as np
import pytest

from lookalike.errors import DamageWarning
from lookalike.store import FOLDER_NAME, PinnedStore, Store, upkeep, versions
from lookalike.system import shared_lock

MODEL, D = "m", 1_024


def rows_of(ids):
    return np.random.default_rng(0).standard_normal((1_000, D)).astype(np.float32)[np.asarray(ids)]


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store whose table of vectors was written in eight steps."""
    monkeypatch.setattr(upkeep, "_LEAST_DROPPED", 100_000)
    folder = tmp_path / FOLDER_NAME
    folder.mkdir()
    store = Store(folder)
    for number in range(8):
        write(store, range(10 * number, 10 * number + 10))
    return store


def write(store, ids):
    store.write_vectors(np.asarray(ids, np.int64), rows_of(ids), store.vectors(MODEL, D))


def table_in(store):
    return store.vectors(MODEL, D)


def data_bytes(table):
    return sum(file.stat().st_size for file in (table.folder / "data").iterdir())


def live_bytes(table):
    return sum(size for _, size in versions.named_files(table._open()))


def test_after_files_were_joined_no_row_stands_twice(store):
    table = table_in(store)
    assert len(os.listdir(table.folder / "data")) == 8
    table.maintain()
    assert data_bytes(table) == live_bytes(table)
    assert len(table._open().get_fragments()) == 1
    ids, vectors = table.read_vectors()
    assert (vectors == rows_of(ids)).all() and sorted(ids) == list(range(80))
    # Nothing is left to be done.
    version = table.version()
    table.maintain()
    assert table.version() == version


def test_what_is_fallen_back_on_has_the_same_files(store):
    table = table_in(store)
    table.maintain()
    newest = versions.manifests(table.folder)[0]
    (table.folder / versions.VERSIONS / newest).write_bytes(b"rubbish")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DamageWarning)
        again = Store(store.folder)
        ids, vectors = table_in(again).read_vectors()
    assert (vectors == rows_of(ids)).all() and sorted(ids) == list(range(80))
    assert any("the last that is whole is taken" in str(each.message) for each in caught)


def test_what_this_process_reads_stays(store):
    pinned = PinnedStore.take(store.folder)
    for number in range(8, 12):
        write(store, range(10 * number, 10 * number + 10))
    table_in(store).maintain()
    assert sorted(pinned.vectors(MODEL, D).read_vectors()[0]) == list(range(80))
    names = {version["version"] for version in table_in(store)._open().versions()}
    assert pinned.vectors(MODEL, D).version() in names
    del pinned
    table_in(store).maintain()
    assert data_bytes(table_in(store)) == live_bytes(table_in(store))


def read_elsewhere(folder, began, go_on, found):
    pinned = PinnedStore.take(folder)
    began.set()
    go_on.wait(60)
    found.put(sorted(pinned.vectors(MODEL, D).read_vectors()[0].tolist()))


def test_what_another_process_reads_stays_until_it_ends(store):
    context = multiprocessing.get_context("spawn")
    began, go_on, found = context.Event(), context.Event(), context.Queue()
    process = context.Process(target=read_elsewhere, args=(store.folder, began, go_on, found))
    process.start()
    assert began.wait(60)
    table_in(store).maintain()
    assert data_bytes(table_in(store)) > live_bytes(table_in(store))
    go_on.set()
    assert found.get(timeout=60) == list(range(80))
    process.join()
    table_in(store).maintain()
    assert data_bytes(table_in(store)) == live_bytes(table_in(store))


@pytest.mark.parametrize("lacks", ["locks", "a whole file"])
def test_where_nobody_can_tell_or_a_file_is_not_what_was_written_all_stays(store, monkeypatch, lacks):
    table = table_in(store)
    if lacks == "locks":  # as on Windows
        monkeypatch.setattr(shared_lock, "_fcntl", None)
    else:
        monkeypatch.setattr("lookalike.store.checksums.Checksums.verify", lambda *_: "damaged")
    table.maintain()
    assert data_bytes(table) > live_bytes(table)
    assert len(table._open().get_fragments()) == 1
