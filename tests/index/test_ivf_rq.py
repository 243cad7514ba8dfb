"""The store's own index: for vectors that are not to be held in memory."""

import shutil

import numpy as np
import pytest

from lookalike.collection.searchers import Searchers
from lookalike.errors import InvalidInputError
from lookalike.index import Exact, IvfRq
from lookalike.store import Store, Table, writer_lock

N, D = 6_000, 32


def clustered(n: int, seed: int):
    """Unit rows around 60 centres."""
    centres = np.random.default_rng(0).standard_normal((60, D))
    random = np.random.default_rng(seed)
    rows = centres[random.integers(0, 60, n)] + 0.7 * random.standard_normal((n, D))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def write(folder, ids, vectors) -> Table:
    store = Store(folder)
    table = store.vectors("m", vectors.shape[1])
    store.write_vectors(np.asarray(ids, np.int64), vectors, table)
    return table


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store of N vectors with an index."""
    return make(tmp_path_factory.mktemp("store"))


def make(folder):
    table = write(folder, np.arange(N) + 7, clustered(N, 1))
    assert Searchers(folder).open(table, "m", "cosine", "ivf-rq").efforts.table.any()
    return folder


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    monkeypatch.setattr("lookalike.index.ivf_rq._TUNED_ROWS", 40)
    return shutil.copytree(made, tmp_path / "copy")


def table_in(folder) -> Table:
    return Store(folder).vectors("m", D)


def open_index(folder) -> IvfRq:
    return Searchers(folder).open(table_in(folder), "m", "cosine", "ivf-rq")


def truth(folder, queries, k, **options):
    ids, vectors = table_in(folder).read_vectors()
    return Exact("cosine").build(vectors, ids).search(queries, k, **options)


def check_recall(folder, index, recall=0.95, below=0.06):
    """Cells are drawn by chance, and few rows are tried here: more than the rule may be missed."""
    queries = clustered(100, 2)
    right, found = truth(folder, queries, 10), index.search(queries, 10, recall=recall)
    hits = [np.isin(a, b).mean() for a, b in zip(found.ids, right.ids, strict=True)]
    assert np.mean(hits) >= recall - below
    exact = index.search(queries[:10], 10, recall=1.0)
    assert (exact.ids == right.ids[:10]).all()
    np.testing.assert_array_equal(exact.distances, right.distances[:10])


def test_recall_is_as_asked_and_one_is_proved(made, tmp_path):
    try:
        check_recalls(made)
    except AssertionError:  # once in a while cells are drawn so that the few rows tried mislead; not twice
        check_recalls(make(tmp_path))


def check_recalls(folder):
    index = open_index(folder)
    assert len(index) == N
    assert 0 < index.efforts.find(10, 0.95).n_cells < N**0.5  # not by looking everywhere
    for recall in (0.9, 0.95, 0.99):
        check_recall(folder, index, recall, below=0.02)


def test_distances_are_those_of_the_full_rows(made):
    index = open_index(made)
    ids, vectors = table_in(made).read_vectors()
    row_of = {image: row for row, image in enumerate(ids.tolist())}
    queries = clustered(20, 3)
    found = index.search(queries, 5, recall=0.9)
    rows = vectors[[[row_of[image] for image in row] for row in found.ids.tolist()]].astype(np.float64)
    cosines = np.einsum("qkd,qd->qk", rows, queries) / np.linalg.norm(rows, axis=2)
    np.testing.assert_allclose(
        found.distances, 1 - cosines / np.linalg.norm(queries, axis=1)[:, None], atol=1e-6
    )


@pytest.mark.parametrize("n_allowed", [1, 60, 5_500])
def test_filters_lose_nothing(made, n_allowed):
    index = open_index(made)
    allowed = np.random.default_rng(3).choice(table_in(made).read_vectors()[0], n_allowed, replace=False)
    queries = clustered(10, 4)
    right, found = truth(made, queries, 10, allowed=allowed), index.search(queries, 10, allowed=allowed)
    assert (found.ids == right.ids).all()
    assert (found.distances == right.distances).all()
    assert (index.search(queries, 3, allowed=[1, 2]).ids == -1).all()


def test_small_changes_extend_the_index_and_large_ones_make_it_again(folder, monkeypatch):
    table = table_in(folder)
    make = Table.make_vector_index
    monkeypatch.setattr(Table, "make_vector_index", lambda *_, **__: pytest.fail("it was made again"))
    write(folder, range(100_000, 100_200), clustered(200, 5))
    table.delete(range(107))
    index = open_index(folder)
    check_recall(folder, index)
    assert not np.isin(index.search(clustered(50, 6), 100).ids, range(107)).any()
    new = clustered(200, 5)[:20]
    assert (index.search(new, 1).ids[:, 0] == np.arange(100_000, 100_020)).all()
    state = table.state()
    open_index(folder)
    assert table.state() == state  # nothing is written where nothing has changed
    calls = []
    monkeypatch.setattr(
        Table, "make_vector_index", lambda self, n_cells: (calls.append(n_cells), make(self, n_cells))
    )
    write(folder, range(200_000, 201_800), clustered(1_800, 7))
    check_recall(folder, open_index(folder))
    assert len(calls) == 1


def test_a_table_made_again_gets_a_new_index(folder):
    shutil.rmtree(table_in(folder).folder)
    write(folder, np.arange(N) + 7, clustered(N, 8))
    check_recall(folder, open_index(folder))


def test_compaction_leaves_it_right(folder):
    table = table_in(folder)
    for part in range(8):
        write(folder, [300_000 + part], clustered(1, 20 + part))
    table.maintain()
    check_recall(folder, open_index(folder))
    table.maintain()
    check_recall(folder, open_index(folder))


@pytest.mark.parametrize("damage", ["ids.npy", "all", "rubbish"])
def test_what_is_known_of_it_is_made_again_where_it_is_lost(folder, damage):
    place = folder / "indexes/m-ivf-rq"
    if damage in ("all", "rubbish"):
        shutil.rmtree(place)
        if damage == "rubbish":
            place.mkdir()
            (place / "notes.txt").write_text("")
    else:
        (place / damage).write_bytes((place / damage).read_bytes()[:9])
    check_recall(folder, open_index(folder))
    assert sorted(file.name for file in place.iterdir()) == ["efforts.npy", "ids.npy", "index.json"]


def test_while_another_writes_it_answers_all_the_same(folder):
    write(folder, range(100_000, 102_000), clustered(2_000, 5))
    state = table_in(folder).state()
    with writer_lock(folder):
        check_recall(folder, open_index(folder))
        shutil.rmtree(folder / "indexes")
        check_recall(folder, open_index(folder))
    assert table_in(folder).state() == state


def test_a_full_disk_is_searched_all_the_same(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    shutil.rmtree(folder / "indexes")
    monkeypatch.setattr("lookalike.index.folder.np.save", full)
    check_recall(folder, open_index(folder))


def test_other_indexes_outlive_the_commits_it_makes(folder):
    indexes = Searchers(folder)
    exact = indexes.open(table_in(folder), "m", "cosine", "exact")
    write(folder, [400_000], clustered(1, 9))
    open_index(folder)
    again = Searchers(folder).open(table_in(folder), "m", "cosine", "exact")
    assert len(again) == len(exact) + 1


def test_few_vectors_need_no_index(tmp_path):
    table = write(tmp_path, range(500), clustered(500, 1))
    index = Searchers(tmp_path).open(table, "m", "cosine", "ivf-rq")
    assert (index.search(clustered(5, 2), 3).ids == truth(tmp_path, clustered(5, 2), 3).ids).all()
    assert not table.has_vector_index()


def test_euclidean_distances_are_of_the_rows_as_they_are(tmp_path):
    vectors = np.random.default_rng(0).integers(0, 255, (5_000, 16)).astype(np.float32)
    table = write(tmp_path, range(5_000), vectors)
    index = Searchers(tmp_path).open(table, "m", "euclidean", "ivf-rq")
    right = Exact("euclidean").build(vectors).search(vectors[:30] + 0.25, 5)
    found = index.search(vectors[:30] + 0.25, 5, recall=0.9)
    assert np.mean([np.isin(a, b).mean() for a, b in zip(found.ids, right.ids, strict=True)]) > 0.85
    assert (found.distances[:, 0] == right.distances[:, 0]).mean() > 0.85


def test_bad_requests_are_refused(made, tmp_path):
    index = open_index(made)
    for options, message in (
        ({"k": 0}, "k is 0"),
        ({"k": N + 1}, f"expected 1 to {N}"),
        ({"recall": 0}, "recall is 0"),
        ({"allowed": ["a"]}, "ids are"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            index.search(clustered(1, 1), **options)
    with pytest.raises(InvalidInputError, match="expected 32"):
        index.search(np.ones((1, 5), np.float32))
    with pytest.raises(InvalidInputError, match="index is empty"):
        IvfRq(Store(tmp_path).vectors("m", D), "cosine").search(clustered(1, 1))
    table = write(tmp_path, range(20), np.ones((20, 12), np.float32))
    with pytest.raises(InvalidInputError, match="multiple of 8 dimensions; these have 12"):
        Searchers(tmp_path).open(table, "m", "cosine", "ivf-rq")


def test_a_radius_holds_all_within_whatever_the_blocks_that_are_read(folder):
    for part in range(3):  # each a block of its own
        write(folder, range(part, 100_000, 500), clustered(200, 20 + part))
    ids, vectors = table_in(folder).read_vectors()
    index, exact = open_index(folder), Exact("cosine").build(vectors, ids)
    queries = clustered(10, 2)
    for r in (0.0, 0.1, 0.3, 2.0):
        found, right = index.radius(queries, r), exact.radius(queries, r)
        assert (found.indptr == right.indptr).all()
        assert (found.ids == right.ids).all()
        assert (found.distances == right.distances).all()


def test_equal_rows_within_a_radius_come_by_id(tmp_path):
    rows = np.tile(clustered(3, 1), (4, 1))
    given = np.array([90, 5, 30, 7, 80, 2, 50, 60, 1, 3, 4, 6])
    index = IvfRq(write(tmp_path, given, rows), "cosine")
    assert index.ids.tolist() == sorted(given.tolist())
    assert index.radius(rows[0], 1e-6).ids.tolist() == sorted(given[::3].tolist())
    assert index.search(rows[0], 4).ids.tolist() == [sorted(given[::3].tolist())]


def test_an_index_that_waits_for_another_writer_is_looked_for_again(folder):
    searchers, table = Searchers(folder), table_in(folder)
    write(folder, range(100_000, 102_000), clustered(2_000, 5))
    with writer_lock(folder):
        makeshift = searchers.open(table, "m", "cosine", "ivf-rq")
    made = searchers.open(table, "m", "cosine", "ivf-rq")
    assert made is not makeshift
    again = searchers.open(table, "m", "cosine", "ivf-rq")
    assert again is searchers.open(table, "m", "cosine", "ivf-rq")
    check_recall(folder, again)
