"""One table: what is written is read, by whoever opens it, and what is damaged is said to be."""

import datetime
import itertools
import multiprocessing
import os

import numpy as np
import pyarrow as pa
import pytest

from lookalike.errors import StoreDamagedError, StoreError
from lookalike.store import Table, schema, table, upkeep

NAMES = [
    "it's",
    "''",
    "a\\b",
    "back\\'quote",
    "new\nline",
    "tab\t",
    "日本語",
    "😀",
    "",
    "%_*?",
    '"',
    "'; DROP --",
]


@pytest.fixture
def files(tmp_path):
    return Table(tmp_path / "files.lance", schema.files())


@pytest.fixture
def vectors(tmp_path):
    return Table(tmp_path / "vectors" / "model.lance", schema.vectors(4))


def file_rows(paths, label=None):
    n = len(paths)
    return {
        "path": list(paths),
        "id": list(range(n)),
        "size": [1] * n,
        "mtime_ns": [2] * n,
        "label": [label] * n,
        "split": [None] * n,
    }


def vector_rows(ids, dimension=4, shift=0.0):
    """Rows whose vectors can be told from their ids."""
    matrix = np.add.outer(np.asarray(ids, np.float32) + shift, np.arange(dimension, dtype=np.float32))
    array = pa.FixedSizeListArray.from_arrays(pa.array(matrix.astype(np.float32).ravel()), dimension)
    return {"id": list(ids), "embedding": array}


def read_by_id(vectors):
    ids, rows = vectors.read_vectors()
    assert ids.dtype == np.int64
    assert rows.dtype == np.float32
    assert len(set(ids.tolist())) == len(ids) == len(rows)
    return dict(zip(ids.tolist(), rows.tolist(), strict=True))


def test_upsert_replaces_what_is_there_and_adds_the_rest(files):
    files.upsert(file_rows(["a", "b"], label="old"))
    files.upsert(file_rows(["b", "c"], label="new"))
    rows = {row["path"]: row["label"] for row in files.read().to_pylist()}
    assert rows == {"a": "old", "b": "new", "c": "new"}
    assert files.count() == 3


def test_upsert_of_no_rows_makes_no_table(files):
    files.upsert(file_rows([]))
    assert not files.exists()


@pytest.mark.parametrize("exists", [False, True])
def test_key_that_comes_twice_in_one_batch_is_an_error_and_writes_nothing(files, exists):
    if exists:
        files.upsert(file_rows(["a"]))
    with pytest.raises(StoreError, match="path 'b' comes more than once"):
        files.upsert(file_rows(["a", "b", "b"]))
    assert files.count() == int(exists)


def test_deleted_rows_are_gone_and_missing_keys_are_passed_over(files):
    files.upsert(file_rows(["a", "b", "c"]))
    files.delete(["b", "nobody"])
    files.delete(["nobody"])
    files.delete([])
    assert sorted(files.read(["path"])["path"].to_pylist()) == ["a", "c"]


def test_table_that_was_never_written_is_empty(files, vectors):
    assert not files.exists()
    assert files.version() == 0
    assert files.count() == 0
    assert files.read().schema.names == schema.files().names
    assert files.read(["size", "path"], "size > 3").schema.names == ["size", "path"]
    assert len(files.read_where_in("path", ["a"], ["id"])) == 0
    ids, rows = vectors.read_vectors()
    assert ids.shape == (0,)
    assert rows.shape == (0, 4)
    files.delete(["a"])
    files.maintain()
    assert not files.folder.exists()


def test_first_write_that_was_killed_can_be_done_again(files):
    (files.folder / "_versions").mkdir(parents=True)
    assert not files.exists()
    assert files.count() == 0
    files.upsert(file_rows(["a"]))
    assert files.count() == 1


def test_columns_and_conditions_are_read(files):
    files.upsert({**file_rows("abcd"), "size": [10, 20, 30, 40], "label": ["x", None, "y", "x"]})
    assert files.read(["label", "path"]).schema.names == ["label", "path"]
    assert sorted(files.read(["path"], "size > 20 AND label = 'x'")["path"].to_pylist()) == ["d"]
    assert files.read(["path"], "label IS NULL")["path"].to_pylist() == ["b"]


@pytest.mark.parametrize("name", NAMES)
def test_any_text_is_a_key(files, name):
    others = [other for other in NAMES if other != name]
    files.upsert(file_rows(NAMES))
    assert files.read_where_in("path", [name], ["path"])["path"].to_pylist() == [name]
    files.upsert(file_rows([name], label="replaced"))
    assert files.count() == len(NAMES)
    files.delete([name])
    assert sorted(files.read(["path"])["path"].to_pylist()) == sorted(others)


def test_thousands_of_keys_are_read_and_deleted(files):
    names = [f"it's {number}" for number in range(5_000)]
    files.upsert(file_rows(names))
    wanted = [*names[1_000:], "nobody", *names[1_000:1_100]]  # some asked for twice
    assert sorted(files.read_where_in("path", wanted, ["path"])["path"].to_pylist()) == sorted(names[1_000:])
    assert len(files.read_where_in("id", range(4_500), ["id", "path"])) == 4_500
    assert len(files.read_where_in("id", [], ["id"])) == 0
    files.delete(names[500:])
    assert sorted(files.read(["id"])["id"].to_pylist()) == list(range(500))


def test_vectors_are_read_as_written_through_many_small_changes(vectors):
    random = np.random.default_rng(0)
    expected = {}

    def row(key, shift):
        return [key + shift + step for step in range(4)]

    for shift in range(20):
        ids = random.choice(200, 17, replace=False).tolist()
        vectors.upsert(vector_rows(ids, shift=shift))
        expected |= {key: row(key, shift) for key in ids}
        gone = random.choice(200, 5, replace=False).tolist()
        vectors.delete(gone)
        for key in gone:
            expected.pop(key, None)
    assert read_by_id(vectors) == expected
    assert vectors.count() == len(expected)


def test_vectors_of_many_batches_are_all_read(vectors):
    vectors.upsert(vector_rows(range(40_000)))
    vectors.delete(range(0, 40_000, 3))
    ids, rows = vectors.read_vectors()
    assert sorted(ids.tolist()) == [key for key in range(40_000) if key % 3]
    assert (rows == np.add.outer(ids, np.arange(4))).all()


def test_maintenance_joins_fragments_and_loses_nothing(vectors, monkeypatch):
    monkeypatch.setattr(upkeep, "_SMALL_FRAGMENTS", 5)
    monkeypatch.setattr(upkeep, "_KEPT_FOR_READERS", datetime.timedelta(0))
    monkeypatch.setattr(upkeep, "_VERSIONS_TO_CLEAN", 5)
    for number in range(8):
        vectors.upsert(vector_rows([number, number + 100]))
    vectors.delete([3, 105])
    before, fragments = read_by_id(vectors), len(vectors._open().get_fragments())
    vectors.maintain()
    assert len(vectors._open().get_fragments()) < fragments
    assert len(vectors._open().versions()) == 2  # the last may turn out not to be whole
    assert read_by_id(vectors) == before
    vectors.upsert(vector_rows([3]))
    assert read_by_id(vectors) == {**before, 3: [3, 4, 5, 6]}


def test_maintenance_leaves_a_tidy_table_alone(vectors):
    vectors.upsert(vector_rows([1]))
    version = vectors.version()
    vectors.maintain()
    assert vectors.version() == version


def test_reader_of_an_old_version_can_finish_after_maintenance(vectors, monkeypatch):
    monkeypatch.setattr(upkeep, "_LEAST_DROPPED", 1 << 30)  # this one does not say that it reads
    monkeypatch.setattr(upkeep, "_SMALL_FRAGMENTS", 2)
    for number in range(4):
        vectors.upsert(vector_rows([number]))
    reader = vectors._open()
    vectors.maintain()
    assert len(reader.to_table()) == 4


def test_what_was_the_newest_when_a_reader_began_is_kept_however_old_it_is(vectors, monkeypatch):
    monkeypatch.setattr(upkeep, "_SMALL_FRAGMENTS", 2)
    monkeypatch.setattr(upkeep, "_VERSIONS_TO_CLEAN", 2)
    monkeypatch.setattr(upkeep, "_KEPT_FOR_READERS", datetime.timedelta(seconds=20))
    monkeypatch.setattr(upkeep, "_LEAST_DROPPED", 1 << 30)  # these readers do not say that they read
    for number in range(4):
        vectors.upsert(vector_rows([number]))
    reader = vectors._open()
    since = datetime.datetime.now() + datetime.timedelta(seconds=20)  # as if that had been 20 seconds ago

    class Later(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return since

    vectors.upsert(vector_rows([4]))
    monkeypatch.setattr(datetime, "datetime", Later)
    vectors.maintain()
    monkeypatch.undo()
    assert vectors._open().versions()[0]["version"] == reader.version == 4
    assert len(reader.to_table()) == 4


def test_version_rises_with_every_change_and_only_then(files):
    versions = [files.version()]
    for change in (
        lambda: files.upsert(file_rows(["a", "b"])),
        lambda: files.upsert(file_rows(["a"], label="x")),
        lambda: files.delete(["b"]),
    ):
        change()
        versions.append(files.version())
        files.read()
        files.count()
        assert files.version() == versions[-1]
    assert all(earlier < later for earlier, later in itertools.pairwise(versions))


@pytest.mark.skipif(os.name != "posix", reason="folders cannot be flushed there")
def test_other_handles_see_every_commit(files):
    other = Table(files.folder, schema.files())
    assert other.count() == 0
    files.upsert(file_rows(["a"]))
    assert other.count() == 1
    other.upsert(file_rows(["b"]))
    assert files.count() == 2
    assert files.version() == other.version()


def test_vectors_of_another_dimension_are_neither_read_nor_written(vectors):
    vectors.upsert(vector_rows([1, 2]))
    wrong = Table(vectors.folder, schema.vectors(8))
    with pytest.raises(StoreError, match="holds vectors of 4 dimensions; expected 8"):
        wrong.read_vectors()
    with pytest.raises(StoreError, match="embedding"):
        wrong.upsert(vector_rows([3], dimension=8))
    with pytest.raises(StoreError, match="cannot write"):
        vectors.upsert(vector_rows([3], dimension=8))
    assert sorted(read_by_id(vectors)) == [1, 2]


def test_columns_of_different_length_are_an_error(vectors):
    with pytest.raises(StoreError, match="expected length 2"):
        vectors.upsert({**vector_rows([1]), "id": [1, 2]})
    assert not vectors.exists()


@pytest.mark.parametrize("part", ["_versions", "data"])
@pytest.mark.parametrize("damage", ["emptied", "cut", "scrambled"])
def test_damaged_table_is_an_error_of_ours_that_names_it(vectors, part, damage):
    vectors.upsert(vector_rows(range(100)))
    vectors.upsert(vector_rows([200]))
    for file in (vectors.folder / part).iterdir():
        content = file.read_bytes()
        damaged = {"emptied": b"", "cut": content[: len(content) // 2], "scrambled": b"\xa5" * len(content)}
        file.write_bytes(damaged[damage])
    for operation in (vectors.read, vectors.read_vectors, lambda: vectors.upsert(vector_rows([1]))):
        with pytest.raises(StoreError, match=r"cannot (read|write) .*model\.lance") as caught:
            operation()
        assert ".rs:" not in str(caught.value)


def test_table_whose_data_is_gone_is_an_error_of_ours(vectors):
    vectors.upsert(vector_rows([1]))
    for file in (vectors.folder / "data").iterdir():
        file.unlink()
    with pytest.raises(StoreError, match=r"cannot read .*model\.lance"):
        vectors.read_vectors()


def test_condition_that_is_no_sql_is_an_error_of_ours(files):
    files.upsert(file_rows(["a"]))
    with pytest.raises(StoreError, match="cannot read"):
        files.read(where="path ==== 3")


def test_full_disk_is_named_and_what_was_committed_is_promised(files, monkeypatch):
    def full():
        raise OSError(28, "LanceError(IO): No space left on device (os error 28)")

    files.upsert(file_rows(["a"]))
    monkeypatch.setattr(files, "_open_to_write", full)
    with pytest.raises(StoreError, match=r"the disk is full") as caught:
        files.upsert(file_rows(["b"]))
    assert "what was done before is kept" in str(caught.value.hint)


def upsert_often(folder, writer):
    vectors = Table(folder, schema.vectors(4))
    for start in range(0, 30, 10):
        vectors.upsert(vector_rows(range(start, start + 20), shift=writer / 4))


def test_concurrent_upserts_of_the_same_keys_do_not_double_them(vectors):
    vectors.upsert(vector_rows([0]))
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=upsert_often, args=(vectors.folder, writer)) for writer in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert sorted(read_by_id(vectors)) == list(range(40))


def test_an_opened_vector_table_stays_as_it_was(vectors, monkeypatch):
    monkeypatch.setattr(table, "_BYTES_AT_ONCE", 2 * 4 * 4)  # two rows
    assert len(vectors.open_vectors()[1]) == len(list(vectors.open_vectors()[0]())) == 0
    vectors.upsert(vector_rows([7, 3, 5, 1, 9]))
    read, ids = vectors.open_vectors()
    vectors.upsert(vector_rows([3, 4], shift=100))
    vectors.delete([9])
    for _ in range(2):
        blocks = list(read())
        assert [len(some) for some, _ in blocks] == [2, 2, 1]
        assert np.concatenate([some for some, _ in blocks]).tolist() == ids.tolist() == [7, 3, 5, 1, 9]
        assert np.concatenate([rows for _, rows in blocks])[:, 0].tolist() == ids.tolist()


def test_an_index_that_has_rotted_is_never_searched_and_is_made_anew(tmp_path):
    table = Table(tmp_path / "vectors.lance", schema.vectors(8))
    vectors = np.random.default_rng(0).normal(size=(600, 8)).astype(np.float32)
    table.upsert(
        {
            "id": list(range(600)),
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 8),
        }
    )
    table.make_vector_index(4)
    assert table.has_vector_index()
    found = table.nearest(vectors[0], 5, 4, 5)[0].tolist()
    for file in (table.folder / "_indices").glob("*/*"):
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    again = Table(table.folder, table.schema)
    assert not again.has_vector_index()
    with pytest.raises(StoreDamagedError, match=r"the index in .* is damaged") as caught:
        again.nearest(vectors[0], 5, 4, 5)
    assert caught.value.hint.kind == "repair"
    again.make_vector_index(4)
    assert again.has_vector_index()
    assert again.nearest(vectors[0], 5, 4, 5)[0].tolist() == found
