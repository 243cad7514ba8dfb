"""The order in which a commit reaches the disk, for each operation that commits."""

import contextlib
import errno
import os

import numpy as np
import pyarrow as pa
import pytest

from lookalike.errors import StoreError
from lookalike.store import schema
from lookalike.store.checksums import CHECKSUMS, Checksums
from lookalike.store.commits import Commits
from lookalike.store.fields import FieldTable
from lookalike.store.table import Table
from lookalike.store.versions import manifests

D = 8


class Recorder:
    """What was flushed, and which files a table had when its commit lock was entered and left."""

    def __init__(self, table, monkeypatch):
        self.table, self.flushed = table, []
        self.faults: list[str] = []
        self.n_commits = 0
        if not os.path.isdir("/proc/self/fd"):
            pytest.skip("the system does not tell what is flushed")
        flush, call = os.fsync, Commits.__call__

        def spy(handle):
            self.flushed.append(os.readlink(f"/proc/self/fd/{handle}"))
            flush(handle)

        @contextlib.contextmanager
        def committing(commits, version):
            there = set(self.files())
            names = len(manifests(self.table.folder))
            with call(commits, version):
                # Here Lance writes the manifest, which is not to be seen before.
                if len(manifests(self.table.folder)) != names:
                    self.faults.append("the manifest was there before")
                self.expect(self.files(), "data")
                yield
            new = set(self.files()) - there
            if not [name for name in new if name.startswith("_versions/")]:
                self.faults.append("there is no manifest")
            self.expect(new - {CHECKSUMS}, "all")
            self.n_commits += 1

        monkeypatch.setattr(os, "fsync", spy)
        monkeypatch.setattr(Commits, "__call__", committing)

    def files(self):
        kept = ("data", "_deletions", "_indices", "_versions", CHECKSUMS)
        return [
            path.relative_to(self.table.folder).as_posix()
            for path in self.table.folder.rglob("*")
            if path.is_file() and path.relative_to(self.table.folder).parts[0] in kept
            and path.name != "latest_version_hint.json"
        ]  # fmt: skip

    def expect(self, names, what):
        for name in names:
            path = self.table.folder / name
            if str(path) not in self.flushed:
                self.faults.append(f"{what}: {name} is not flushed")
            elif str(path.parent) not in self.flushed[self.flushed.index(str(path)) :]:
                self.faults.append(f"{what}: {name} is flushed, and its folder is not, after it")

    def check(self, operation, at_least=1):
        before = self.n_commits
        operation()
        assert self.faults == []
        assert self.n_commits - before >= at_least
        newest = manifests(self.table.folder)[0]
        noted = Checksums(self.table.folder).read()
        files = [name for name in self.files() if name not in (CHECKSUMS,)]
        assert f"_versions/{newest}" in noted
        assert set(files) <= set(noted)


def rows(ids, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(len(ids), D)).astype(np.float32)
    return {"id": ids, "embedding": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), D)}


def test_every_operation_flushes_data_before_the_manifest_and_the_manifest_before_it_returns(
    tmp_path, monkeypatch
):
    from lookalike.store import upkeep

    monkeypatch.setattr(upkeep, "_SMALL_FRAGMENTS", 1)
    table = Table(tmp_path / "vectors" / "model.lance", schema.vectors(D))
    recorder = Recorder(table, monkeypatch)
    recorder.check(lambda: table.upsert(rows(list(range(600)))))
    assert str(tmp_path / "vectors") in recorder.flushed
    assert str(tmp_path) in recorder.flushed
    recorder.check(lambda: table.upsert(rows(list(range(500, 700)))))
    recorder.check(lambda: table.delete([3, 4, 650]))
    recorder.check(table.maintain)
    recorder.check(lambda: table.make_vector_index(4))
    table.upsert(rows(list(range(700, 800))))
    recorder.check(table.extend_vector_index)


def test_tables_whose_columns_change_are_flushed_alike(tmp_path, monkeypatch):
    table = FieldTable(tmp_path / "fields.lance", schema.fields({"price": "number"}))
    recorder = Recorder(table, monkeypatch)
    recorder.check(lambda: table.write(["a:1", "a:2"], [1, 2], 5, {"price": [1.5, 2.5]}))
    recorder.check(lambda: table.add_kinds({"note": "text"}))
    recorder.check(lambda: table.rename("price", "cost"))
    recorder.check(lambda: table.drop("note"))
    recorder.check(lambda: table.forget(["a:1"]))


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("number", range(1, 8))
def test_a_disk_that_is_full_or_fails_as_it_is_flushed_is_named_and_nothing_before_is_lost(
    tmp_path, monkeypatch, number, is_first
):
    table = Table(tmp_path / "files.lance", schema.files())
    row = {"path": ["a:1"], "id": [1], "size": [1], "mtime_ns": [1]}
    if not is_first:
        table.upsert(row)
    calls = []

    def fail(handle):
        calls.append(handle)
        if len(calls) == number:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    try:
        table.upsert(row | {"label": ["new"]})
    except StoreError as error:
        assert "the disk is full" in str(error)
        assert "bug report" not in str(error)
    else:
        assert len(calls) < number
    monkeypatch.undo()
    assert table.count() in ((0, 1) if is_first else (1,))
    table.upsert(row | {"label": ["newer"]})
    assert table.read(["label"])["label"].to_pylist() == ["newer"]
