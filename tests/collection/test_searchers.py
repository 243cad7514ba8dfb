"""The indexes of a collection follow its vectors, whoever is killed, and whoever else is at work."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from index_kinds import BUILT, each_usable_kind
from lookalike.collection.searchers import EXACT_BYTES, Searchers, choose_kind, forget_indexes, settle_indexes
from lookalike.errors import InvalidInputError
from lookalike.index import Exact, Index, KMeansTree
from lookalike.index.kinds import check_request
from lookalike.index.patched import Patched
from lookalike.store import Store, Table
from lookalike.system.progress import Watch

N, D = 400, 12
OPEN = """
import sys
from pathlib import Path
import numpy as np
from lookalike.collection.searchers import Searchers
from lookalike.store import Store

folder, kind = Path(sys.argv[1]), sys.argv[2]
table = Store(folder).vectors("m", 12)
if sys.argv[3:] == ["stall"]:
    saved, save = [], np.save
    def stall(*arguments):
        save(*arguments)
        saved.append(arguments)
        if len(saved) == 2:
            print("half", flush=True)
            sys.stdin.read()
    np.save = stall
index = Searchers(folder).open(table, "m", "cosine", kind)
print(index.search(table.vectors_of([7])[1], 3).ids[0].tolist())
"""


def rows_of(n: int, seed: int = 0):
    return np.random.default_rng(seed).standard_normal((n, D)).astype(np.float32)


def write(store: Store, ids, vectors) -> Table:
    table = store.vectors("m", D)
    store.write_vectors(np.asarray(ids, np.int64), vectors, table)
    return table


@pytest.fixture
def store(tmp_path) -> Store:
    """A store with N vectors of the model m, under the ids 0 to N - 1."""
    store = Store(tmp_path)
    write(store, range(N), rows_of(N))
    return store


@pytest.fixture
def table(store) -> Table:
    return store.vectors("m", D)


@pytest.fixture
def builds(monkeypatch) -> list[str]:
    """The kinds that were built since."""
    found = []
    for kind in BUILT.values():

        def build(self, *arguments, build=kind.build, **options):
            found.append(self.kind)
            return build(self, *arguments, **options)

        monkeypatch.setattr(kind, "build", build)
    return found


def open_index(store: Store, kind: str = "exact", **options) -> Index:
    return Searchers(store.folder).open(store.vectors("m", D), "m", "cosine", kind, **options)


def folders(store: Store, kind: str = "exact") -> list[str]:
    return os.listdir(store.folder / f"indexes/m-{kind}")


def check_answers(store: Store, index: Index) -> None:
    """The ids of the table, and its nearest."""
    ids, vectors = store.vectors("m", D).read_vectors()
    assert sorted(index.ids.tolist()) == sorted(ids.tolist())
    queries = rows_of(20, seed=9)
    expected = Exact("cosine").build(vectors, ids).search(queries, 5)
    found = index.search(queries, 5, recall=1.0)
    assert (found.ids == expected.ids).all()


@each_usable_kind
def test_an_index_is_built_once_and_then_opened(store, kind, builds):
    check_answers(store, open_index(store, kind))
    assert builds[0] == kind
    builds.clear()
    check_answers(store, open_index(store, kind))
    assert kind == "exact" or kind not in builds
    assert folders(store, kind) == [store.vectors("m", D).state()]


@each_usable_kind
def test_five_percent_of_change_is_added_and_removed(store, table, kind, monkeypatch):
    open_index(store, kind)
    write(store, range(1000, 1010), rows_of(10, seed=1))
    table.delete(range(10))
    monkeypatch.setattr(Table, "read_vectors", lambda _: pytest.fail("it was built again"))
    index = open_index(store, kind)
    monkeypatch.undo()
    check_answers(store, index)
    assert folders(store, kind) == [table.state()]
    check_answers(store, open_index(store, kind))


@each_usable_kind
def test_thirty_percent_of_change_is_built_again(store, table, kind, monkeypatch):
    open_index(store, kind)
    write(store, range(1000, 1080), rows_of(80, seed=1))
    table.delete(range(40))
    monkeypatch.setattr(BUILT[kind], "add", lambda *_: pytest.fail("it was added to"))
    monkeypatch.setattr(BUILT[kind], "remove", lambda *_: pytest.fail("it was removed from"))
    check_answers(store, open_index(store, kind))
    assert folders(store, kind) == [table.state()]


@each_usable_kind
def test_who_has_searched_before_takes_few_changes_beside_the_index_and_writes_nothing(
    store, table, kind, monkeypatch
):
    searchers = Searchers(store.folder)
    before = searchers.open(table, "m", "cosine", kind)
    there = folders(store, kind)
    monkeypatch.setattr(BUILT[kind], "add", lambda *_: pytest.fail("it was added to"))
    monkeypatch.setattr(BUILT[kind], "save", lambda *_: pytest.fail("it was written"))
    for number in range(3):
        write(store, range(1_000 + number, 1_200, 3), rows_of(200, seed=1)[number:200:3][:67])
        table.delete(range(60 * number, 60 * number + 50))
        searcher = searchers.open(table, "m", "cosine", kind)
        assert isinstance(searcher, Patched)
        assert searcher.index is before
        check_answers(store, searcher)
    assert folders(store, kind) == there
    # What comes back is taken in, and what came may go.
    write(store, range(50), rows_of(N)[:50])
    table.delete(range(1_000, 1_100))
    check_answers(store, searchers.open(table, "m", "cosine", kind))
    write(store, range(60, 170), rows_of(N)[60:170])
    table.delete(range(1_100, 1_200))
    back = searchers.open(table, "m", "cosine", kind)
    assert back is before


def test_many_changes_are_taken_into_the_index(store, table, monkeypatch):
    monkeypatch.setattr("lookalike.collection.searchers._MOST_PATCHED", 20)
    searchers = Searchers(store.folder)
    before = searchers.open(table, "m", "cosine", "exact")
    write(store, range(1_000, 1_020), rows_of(20, seed=1))
    assert isinstance(searchers.open(table, "m", "cosine", "exact"), Patched)
    write(store, range(1_020, 1_021), rows_of(1, seed=2))
    index = searchers.open(table, "m", "cosine", "exact")
    assert isinstance(index, Exact)
    assert len(index) == len(before) + 21
    assert folders(store) == [table.state()]
    check_answers(store, index)


def test_where_another_process_has_made_a_newer_index_that_is_taken(store, table, builds):
    searchers = Searchers(store.folder)
    searchers.open(table, "m", "cosine", "exact")
    write(store, range(1_000, 1_010), rows_of(10, seed=1))
    open_index(store)  # as another process would
    write(store, range(1_010, 1_015), rows_of(5, seed=2))
    builds.clear()
    searcher = searchers.open(table, "m", "cosine", "exact")
    assert isinstance(searcher, Patched)
    assert len(searcher.index) == N + 10
    check_answers(store, searcher)


def test_vectors_made_anew_under_the_same_ids_are_not_taken_for_the_old_ones(store, table):
    searchers = Searchers(store.folder)
    searchers.open(table, "m", "cosine", "exact")
    forget_indexes(store.folder, ["m"], is_done=False)
    write(store, range(N), rows_of(N, seed=5))
    forget_indexes(store.folder, ["m"], is_done=True)
    check_answers(store, searchers.open(table, "m", "cosine", "exact"))
    write(store, range(N), rows_of(N, seed=6))  # nobody has forgotten any, but all have changed
    check_answers(store, searchers.open(table, "m", "cosine", "exact"))


@pytest.mark.parametrize("late", ["before", "between", "after"])
def test_an_index_that_a_slow_reader_puts_in_its_place_is_not_taken_for_the_new_vectors(store, table, late):
    """Of a few vectors that are written anew none is marked; and nobody knows who is still at work."""
    searchers = Searchers(store.folder)
    few = [3, 5]  # which are none of those that are marked

    def kept_by_the_slow_reader():
        open_index(store)
        shutil.copytree(store.folder / "indexes/m-exact", store.folder / "slow")

    def put():
        shutil.rmtree(store.folder / "indexes/m-exact", ignore_errors=True)
        shutil.copytree(store.folder / "slow", store.folder / "indexes/m-exact")

    if late != "between":
        kept_by_the_slow_reader()
    forget_indexes(store.folder, ["m"], is_done=False)
    if late == "between":
        kept_by_the_slow_reader()
    if late == "before":
        put()
    write(store, few, rows_of(N, seed=7)[few])
    if late == "before":
        check_answers(store, searchers.open(table, "m", "cosine", "exact"))
        put()
    forget_indexes(store.folder, ["m"], is_done=True)
    put()
    check_answers(store, searchers.open(table, "m", "cosine", "exact"))
    write(store, [N], rows_of(1, seed=8))
    check_answers(store, searchers.open(table, "m", "cosine", "exact"))


def test_after_a_writer_that_was_killed_the_next_one_settles_what_it_began(store, table, builds):
    open_index(store, "kdtree")
    forget_indexes(store.folder, ["m"], is_done=False)
    write(store, [3], rows_of(1, seed=7))
    for number in range(2):  # each index is of its own state only
        check_answers(store, open_index(store, "kdtree"))
        write(store, [N + number], rows_of(1, seed=8 + number))
    assert len(builds) == 1 + 2 * 2  # the other two are those that answers are held to
    settle_indexes(store.folder)
    for number in range(2, 4):
        check_answers(store, open_index(store, "kdtree"))
        write(store, [N + number], rows_of(1, seed=8 + number))
    assert len(builds) == 5 + 1 + 2


def test_change_is_counted_from_the_build_on_not_from_the_last_update(store, table, builds):
    open_index(store, "kdtree")
    for step in range(4):  # 3 % each
        assert builds == ["kdtree"]
        table.delete(range(12 * step, 12 * step + 12))
        assert len(open_index(store, "kdtree")) == N - 12 * (step + 1)
    assert builds == ["kdtree", "kdtree"]


def test_a_commit_that_changes_no_vector_changes_no_index(store, table):
    before = open_index(store, "kdtree")
    (old,) = folders(store, "kdtree")
    write(store, range(5), rows_of(N)[:5])
    assert table.state() != old
    inode = (store.folder / "indexes/m-kdtree" / old / "rows.npy").stat().st_ino
    assert (open_index(store, "kdtree").ids == before.ids).all()
    (new,) = folders(store, "kdtree")
    assert new == table.state()
    assert (store.folder / "indexes/m-kdtree" / new / "rows.npy").stat().st_ino == inode


@each_usable_kind
def test_a_table_that_was_deleted_and_made_again_is_not_taken_for_the_old_one(store, table, kind):
    open_index(store, kind)
    shutil.rmtree(table.folder)
    write(store, range(N), rows_of(N, seed=5))
    check_answers(store, open_index(store, kind))
    # One version on, as if the same ids had been changed since.
    shutil.rmtree(table.folder)
    write(store, range(N // 2), rows_of(N, seed=6)[: N // 2])
    write(store, range(N // 2, N), rows_of(N, seed=6)[N // 2 :])
    check_answers(store, open_index(store, kind))


def cut_short(folder: Path):
    for file in folder.glob("*.npy"):
        file.write_bytes(file.read_bytes()[:-20])


def forget(folder: Path):
    (folder / "index.json").unlink()


def forge(folder: Path):
    facts = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps({**facts, "metric": "euclidean"}))


def replace_by_file(folder: Path):
    shutil.rmtree(folder)
    folder.write_text("")


def empty(folder: Path):
    shutil.rmtree(folder)
    folder.mkdir()


def add_rubbish(folder: Path):
    (folder.parent / "34").mkdir()
    (folder.parent / "99999999-f.part").mkdir()
    (folder.parent / "99999999-f").mkdir()
    shutil.rmtree(folder)


@each_usable_kind
@pytest.mark.parametrize("harm", [cut_short, forget, forge, replace_by_file, empty, add_rubbish])
def test_what_is_damaged_or_foreign_is_made_again(store, table, kind, harm):
    open_index(store, kind)
    harm(store.folder / f"indexes/m-{kind}" / table.state())
    check_answers(store, open_index(store, kind))
    assert folders(store, kind) == [table.state()]
    # The same where it is also stale.
    harm(store.folder / f"indexes/m-{kind}" / table.state())
    table.delete([3])
    check_answers(store, open_index(store, kind))
    assert folders(store, kind) == [table.state()]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"built": 400, "changed": 0, "marks": []}'])
def test_an_index_of_unknown_origin_is_used_while_it_fits_and_then_made_again(store, table, content, builds):
    open_index(store, "kdtree")
    (store.folder / "indexes/m-kdtree" / table.state() / "origin.json").write_text(content)
    builds.clear()
    open_index(store, "kdtree")
    assert builds == []
    table.delete([3])
    open_index(store, "kdtree")
    assert builds == ["kdtree"]


def test_who_has_the_old_index_open_keeps_it(store, table):
    old = open_index(store, "kmeans-tree")
    expected = old.search(rows_of(4, seed=2), 5)
    table.delete(range(200))
    open_index(store, "kmeans-tree")
    assert (old.search(rows_of(4, seed=2), 5).ids == expected.ids).all()


def test_on_a_read_only_disk_it_is_made_in_memory_once(store, monkeypatch, builds):
    monkeypatch.setattr(os, "access", lambda *_: False)
    indexes = Searchers(store.folder)
    for _ in range(2):
        index = indexes.open(store.vectors("m", D), "m", "cosine", "kdtree")
        assert len(index) == N
    assert builds == ["kdtree"]
    assert folders(store, "kdtree") == []


def test_where_no_folder_can_be_made_it_is_made_in_memory(store):
    (store.folder / "indexes").write_text("")
    check_answers(store, open_index(store))


def test_a_full_disk_is_searched_all_the_same(store, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", refuse)
    check_answers(store, open_index(store))
    assert folders(store) == []


@pytest.mark.parametrize("kind", ["exact", "kmeans-tree"])
def test_a_process_killed_while_it_saves_leaves_no_half_index(store, table, kind):
    command = [sys.executable, "-c", OPEN, str(store.folder), kind]
    child = subprocess.Popen([*command, "stall"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "half\n"
    assert any(".part" in name for name in folders(store, kind))
    child.kill()
    child.communicate()
    check_answers(store, open_index(store, kind))
    assert folders(store, kind) == [table.state()]


def test_processes_that_need_the_same_index_at_once_all_get_it(store, table):
    command = [sys.executable, "-c", OPEN, str(store.folder), "kmeans-tree"]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {child.communicate()[0] for child in children}
    assert [child.returncode for child in children] == [0, 0, 0]
    assert len(answers) == 1
    assert folders(store, "kmeans-tree") == [table.state()]


def test_what_takes_a_while_is_reported(store, table):
    said = []
    watch = Watch(lambda progress: said.append(progress.words))
    open_index(store, "kdtree", watch=watch)
    open_index(store, "kdtree", watch=watch)
    table.delete([1])
    write(store, [999], rows_of(1, seed=4))
    open_index(store, "kdtree", watch=watch)
    assert [words for words in said if not words.startswith("building")] == [
        "making the kdtree index of 400 images",
        "adding 1 images to the kdtree index, removing 1",
    ]


def wide_table(folder: Path, n: int, d: int = 64) -> tuple[Table, np.ndarray]:
    """A table whose vectors are wide enough for Lance to write them as they are."""
    rows = np.random.default_rng(3).standard_normal((n, d)).astype(np.float32)
    store = Store(folder)
    table = store.vectors("w", d)
    for start in range(0, n, 100):
        store.write_vectors(np.arange(start, min(start + 100, n)), rows[start : start + 100], table)
    return table, rows


def test_exact_search_reads_the_vectors_where_the_table_has_them(tmp_path):
    table, rows = wide_table(tmp_path, 300)
    table.delete([0, 17, 150])
    index = Searchers(tmp_path).open(table, "w", "cosine", "exact")
    kept = np.setdiff1d(np.arange(300), [0, 17, 150])
    assert sorted(index.ids) == kept.tolist()
    assert all(isinstance(piece, np.memmap) for piece in index.rows.pieces)
    assert {place.file.parent for place in index.rows.places} == {table.folder / "data"}
    plain = Exact().build(rows[kept], kept)
    allowed = np.arange(0, 300, 7)[1:]
    for k, among in ((5, None), (5, allowed)):
        for queries in (rows[200], rows[200], rows[20:30]):  # the second that comes alone asks the bytes
            found, expected = index.search(queries, k, allowed=among), plain.search(queries, k, allowed=among)
            assert (found.ids == expected.ids).all()
            assert (found.distances == expected.distances).all()
    written = sum(file.stat().st_size for file in (tmp_path / "indexes/w-exact").rglob("rows.npy"))
    assert written < 1_000


def test_bytes_of_an_exact_index_go_over_to_the_next(tmp_path, monkeypatch):
    table, rows = wide_table(tmp_path, 300)
    index = Searchers(tmp_path).open(table, "w", "cosine", "exact")
    for _ in range(2):
        index.search(rows[0], 3)
    Store(tmp_path).write_vectors(np.arange(300, 310), rows[:10] + 1, table)
    table.delete([5])
    monkeypatch.setattr("lookalike.index.byte_rows.ByteRows.make", lambda *_: pytest.fail("made again"))
    newer = Searchers(tmp_path).open(table, "w", "cosine", "exact")
    for number in (0, 4, 6, 250, 299):
        for _ in range(2):
            assert newer.search(rows[number], 1).ids[0, 0] == number
    assert newer.search(rows[4] + 1, 1).ids[0, 0] == 304


def test_vectors_that_lie_otherwise_than_lance_reads_them_are_copied(tmp_path, monkeypatch):
    table, rows = wide_table(tmp_path, 120)
    memmap = np.memmap

    def one_off(file, dtype, mode, offset, shape):
        return memmap(file, dtype, mode, offset - 4 if str(file).endswith(".lance") else offset, shape)

    monkeypatch.setattr(np, "memmap", one_off)
    index = Searchers(tmp_path).open(table, "w", "cosine", "exact")
    monkeypatch.undo()
    index = Searchers(tmp_path).open(table, "w", "cosine", "exact")
    assert (np.sort(index.search(rows, 1).ids.ravel()) == np.arange(120)).all()
    assert (index.vectors[np.argsort(index.ids)] == rows).all()
    assert [place for place in index.rows.places if place is not None] == []


def test_where_open_files_cannot_go_nothing_of_the_table_is_mapped(tmp_path, monkeypatch):
    monkeypatch.setattr("lookalike.system.this_system.WINDOWS", True)
    table, rows = wide_table(tmp_path, 120)
    index = Searchers(tmp_path).open(table, "w", "cosine", "exact")
    assert set(index.rows.places) == {None}
    assert (index.search(rows, 1).ids.ravel() == np.arange(120)).all()


def test_an_empty_table_has_an_empty_index(tmp_path):
    table = Store(tmp_path).vectors("m", D)
    assert len(Searchers(tmp_path).open(table, "m", "cosine", "auto")) == 0


def test_auto_is_exact_search_up_to_half_a_gigabyte(store, table, monkeypatch):
    assert choose_kind(table) == "exact"
    assert type(open_index(store, "auto")) is Exact
    monkeypatch.setattr("lookalike.collection.searchers.EXACT_BYTES", 4 * N * D - 1)
    assert choose_kind(table) == "kmeans-tree"
    assert type(open_index(store, "auto")) is KMeansTree
    ids, vectors = Searchers(store.folder).read_vectors(table, "m", "cosine")
    assert dict(zip(ids.tolist(), vectors[:, 0].tolist(), strict=True)) == dict(
        enumerate(rows_of(N)[:, 0].tolist())
    )
    assert EXACT_BYTES == 2**29


def test_requests_that_no_index_can_meet_are_refused():
    with pytest.raises(
        InvalidInputError, match=r"no index 'faiss'; expected one of auto, exact, .*kmeans-tree"
    ):
        check_request("faiss", None)
    for kind in ("auto", "exact", "kmeans-tree"):
        with pytest.raises(InvalidInputError, match=f"mode is 'leaf', but the index {kind} has no modes"):
            check_request(kind, "leaf")
    with pytest.raises(InvalidInputError, match="ivf-rq has no modes; name index kdtree"):
        check_request("ivf-rq", "leaf")
    check_request("kdtree", "leaf")
