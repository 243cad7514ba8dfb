"""What a disk did not take is noticed before a commit names it."""

import os

import numpy as np
import pyarrow as pa
import pytest

from lookalike.errors import StoreError
from lookalike.store import schema
from lookalike.store.checksums import Checksums
from lookalike.store.commits import Commits
from lookalike.store.table import Table
from lookalike.store.whole import check_whole


@pytest.fixture
def table(tmp_path) -> Table:
    made = Table(tmp_path / "vectors" / "a.lance", schema.vectors(4))
    write(made, range(3_000))
    return made


def write(table, ids):
    ids = list(ids)
    vectors = np.random.default_rng(0).normal(size=(len(ids), 4)).astype(np.float32)
    table.upsert({"id": ids, "embedding": pa.FixedSizeListArray.from_arrays(vectors.ravel(), 4)})


def files(table, *folders):
    return {path for folder in folders for path in (table.folder / folder).glob("*") if path.is_file()}


@pytest.mark.parametrize("gone", [range(3), range(0, 3_000, 2)])
def test_every_kind_of_file_is_whole_with_all_of_its_bytes_only(table, gone, tmp_path):
    table.delete(gone)
    write(table, range(2_900, 3_100))
    found = files(table, "data", "_deletions", "_versions")
    assert {path.suffix for path in found} >= {".lance", ".manifest"}
    assert {path.suffix for path in found} & {".arrow", ".bin"}
    for path in found - {path for path in found if path.suffix == ".json"}:
        check_whole(path)
        content = path.read_bytes()
        for n in (0, 1, len(content) // 2, len(content) - 1):
            (tmp_path / path.name).write_bytes(content[:n])
            with pytest.raises(OSError, match="did not take all"):
                check_whole(tmp_path / path.name)


@pytest.mark.parametrize("suffix", [".lance", ".arrow", ".bin"])
def test_a_commit_names_no_file_without_its_end(table, monkeypatch, suffix):
    if suffix == ".bin":  # of many rows that are gone
        write(table, range(12_000))
    entering = Commits.__call__
    cut = []

    def cut_off(commits, version):
        for path in files(table, "data", "_deletions") - there:
            if path.suffix == suffix and not cut:
                os.truncate(path, path.stat().st_size // 2)
                cut.append(path)
        return entering(commits, version)

    before = table.read().sort_by("id")
    there = files(table, "data", "_deletions")
    monkeypatch.setattr(Commits, "__call__", cut_off)
    with pytest.raises(StoreError, match="did not take all that was written"):
        write(table, range(9_000) if suffix == ".bin" else range(2))
    assert cut
    monkeypatch.undo()
    assert table.read().sort_by("id") == before
    assert files(table, "data", "_deletions") == there
    write(table, range(2))


def test_what_a_killed_writer_left_is_swept_by_the_next_and_nothing_else(table):
    table.delete(range(10))
    write(table, range(20, 30))
    left = [table.folder / "data" / "left.lance", table.folder / "_deletions" / "0-9-1.arrow"]
    there = files(table, "data", "_deletions")
    for path in left:
        path.write_bytes(b"half of i")
    Checksums(table.folder).note(["data/left.lance"])  # killed just before its commit
    again = Table(table.folder, schema.vectors(4))
    again.sweep_cut_off()
    write(again, range(5_000, 5_010))
    assert not any(path.exists() for path in left)
    assert there <= files(table, "data", "_deletions")
    assert table.count() == 3_000
    assert table.open_at(table.version() - 1).count_rows() == 2_990


def test_what_a_write_that_fails_has_written_is_gone(table, monkeypatch):
    def refuse(commits, folders):
        raise OSError(28, "No space left on device")

    there = files(table, "data", "_deletions")
    monkeypatch.setattr(Commits, "_flush_new", refuse)
    with pytest.raises(StoreError, match="the disk is full"):
        write(table, range(100))
    assert files(table, "data", "_deletions") == there
