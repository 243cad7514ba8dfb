"""A collection as it was at one moment: the same for all who ask, and what the tables say."""

import gc
import os
import shutil
import subprocess
import sys
import threading
import time
import weakref
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import lance
import numpy as np
import pytest

from lookalike import ClusterRef, Collection, Filter, ImageRef
from lookalike.collection import snapshot as module
from lookalike.collection.columns import FileColumns, read_files, read_images
from lookalike.collection.stored.cluster_names import ClusterLabels
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.embed import ModelRegistry
from lookalike.errors import (
    CollectionConflictError,
    CollectionError,
    CollectionNotFoundError,
    StoreDamagedError,
)
from lookalike.images.finding.spelling import composed
from lookalike.images.metadata.metadata import NO_METADATA
from lookalike.store import PinnedStore, Store, journal_table
from lookalike.store.fields import FieldTable
from lookalike.store.store import Changes, FileRow, ImageRow
from lookalike.types import ImageId
from pictures import picture

SECONDS = 30  # that a thread waits for another before the test fails
MODEL, DIMENSION = "pixels-8-grey", 64
NAMES = [
    "a.png",
    "A.png",
    "b:c.png",
    "é.png",
    "e\u0301.png",
    "\\xe9.png",
    "new\nline.png",
    "😀.png",
    "b",
    ".png",
]
FOLDERS = ["r:", "r:x/", "r:x!/", "r:x/y/", "r:a:b/", "other:", "other:x/", "mnist:test/", "r:日本/"]
LABELS = [None, "", "x", "caf\u00e9", "cafe\u0301", "y"]


@pytest.fixture
def collection(photos, tmp_path):
    """The pictures in the root `a`."""
    photos.rename(tmp_path / "a")
    made = Collection.create(tmp_path / "home", model=MODEL, with_root=False)
    made.add_root(tmp_path / "a")
    made.sync()
    return Collection.open(tmp_path / "home")


def in_another_process(collection, code):
    opened = "import sys; from lookalike import Collection; photos = Collection.open(sys.argv[1])\n"
    command = [sys.executable, "-c", opened + code, str(collection.folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.fixture(params=range(6))
def store(request, tmp_path):
    """Files at random: copies, names that look alike, rows written again and deleted."""
    random, store = np.random.default_rng(request.param), Store(tmp_path)
    paths = [f"{folder}{name}" for folder in FOLDERS for name in NAMES]
    for _ in range(4):
        chosen = random.choice(paths, random.integers(1, 60), replace=False).tolist()
        ids = random.integers(0, 40, len(chosen)).tolist()
        labels = [LABELS[number] for number in random.integers(0, len(LABELS), len(chosen))]
        rows = zip(chosen, ids, labels, strict=True)
        store.write_files([FileRow(path, ImageId(image), 1, 1, label) for path, image, label in rows])
        store.files.delete(random.choice(paths, 10).tolist())
    return store


def test_columns_of_files_say_what_the_table_says(store):
    columns = read_files(store.files)
    rows = sorted(store.files.read(["path", "id", "label"]).to_pylist(), key=lambda row: row["path"])
    assert columns.facts() == [
        (row["path"], row["id"], row["label"] and composed(row["label"])) for row in rows
    ]
    assert [columns.path(row) for row in columns.by_path.tolist()] == [row["path"] for row in rows]
    assert columns.paths() == [columns.path(row) for row in range(len(columns))]
    image_at = {row["path"]: row["id"] for row in rows}
    for folder in FOLDERS:
        for name in NAMES:
            assert columns.image_at(f"{folder}{name}") == image_at.get(f"{folder}{name}")
    assert [columns.image_at(path) for path in ("", "r:", "r:x", "\udce9", "zzz:z")] == [None] * 5
    paths_of = defaultdict(list)
    for row in rows:
        paths_of[row["id"]].append(row["path"])
    for image in range(-1, 41):
        assert [columns.path(row) for row in columns.rows_of([image])] == paths_of[image]
    asked = [3, 39, 3, 17, 1000]
    expected = [path for image in (3, 17, 39) for path in paths_of[image]]
    assert [columns.path(row) for row in columns.rows_of(asked)] == expected


def test_columns_without_rows(tmp_path):
    files, images = read_files(Store(tmp_path).files), read_images(Store(tmp_path).images)
    assert (len(files), files.facts(), files.image_at("a:b.png"), len(images)) == (0, [], None, 0)
    assert len(files.rows_of([1])) == 0


def test_columns_of_images_say_what_the_table_says(collection):
    rows = sorted(collection._store.images.read().to_pylist(), key=lambda row: row["id"])
    columns = collection.snapshot().images
    assert columns.ids.tolist() == [row["id"] for row in rows]
    assert columns.widths.tolist() == [row["width"] for row in rows]
    assert columns.heights.tolist() == [row["height"] for row in rows]
    assert [columns.formats[code] for code in columns.format_codes] == [row["format"] for row in rows]
    assert columns.phashes.tolist() == [row["phash"] for row in rows]
    assert columns.sharpness.tolist() == [row["sharpness"] for row in rows]
    assert columns.colors.tolist() == [row["colours"][:3] for row in rows]
    assert np.isnat(columns.taken).all()


def test_columns_cannot_be_changed(collection):
    snapshot = collection.snapshot()
    for values in (snapshot.files.ids, snapshot.files.by_id, snapshot.images.widths, snapshot.images.colors):
        with pytest.raises(ValueError, match="read-only"):
            values[:] = 0


def test_what_is_not_known_of_an_image_is_nan(collection):
    columns = collection._store.images.read().to_pydict()
    for name in ("colours", "sharpness"):
        columns[name] = [None, *columns[name][1:]]
    collection._store.images.upsert(columns)
    images = collection.snapshot().images
    is_first = images.ids == columns["id"][0]
    assert np.isnan(images.sharpness).tolist() == is_first.tolist()
    assert np.isnan(images.colors).all(axis=1).tolist() == is_first.tolist()


def test_a_million_images_take_at_most_150_megabytes(tmp_path):
    n, store = 20_000, Store(tmp_path)
    store.files.upsert(
        {
            "path": [f"photos:year-{i % 12}/folder-{i % 301:04}/IMG_{i:08}.jpg" for i in range(n)],
            "id": [7 * i for i in range(n)],
            "size": [1] * n,
            "mtime_ns": [1] * n,
            "label": [f"folder-{i % 301:04}" for i in range(n)],
        }
    )
    store.images.upsert(
        {
            "id": [7 * i for i in range(n)],
            "sha256": [bytes(32)] * n,
            "format": ["JPEG"] * n,
            "width": [1] * n,
            "height": [1] * n,
            "phash": [1] * n,
        }
    )
    n_bytes = read_files(store.files).n_bytes + read_images(store.images).n_bytes
    assert n_bytes / n <= 150


def test_the_snapshot_is_one_and_the_same_until_anything_is_committed(collection, tmp_path):
    first = collection.snapshot()
    collection.search(tmp_path / "a/cats/0.png", k=3)
    assert collection.snapshot() is first
    picture(50).save(tmp_path / "a/cats/new.png")
    assert collection.snapshot() is first
    in_another_process(collection, "photos.sync()")
    second = collection.snapshot()
    assert second is not first
    assert collection.snapshot() is second
    in_another_process(collection, "photos.clusterings.make(k=2, name='mine')")
    third = collection.snapshot()
    assert third is not second
    assert third.files is second.files  # which has not changed
    in_another_process(collection, "photos.clusterings.rename('mine', 0, 'first')")
    assert collection.snapshot().labels.names == {"first"}
    assert third.labels.names == set()


def test_who_holds_a_snapshot_keeps_it(collection, tmp_path):
    first = collection.snapshot()
    for number in range(3, 6):
        (tmp_path / f"a/dogs/{number}.png").unlink()
    picture(50).save(tmp_path / "a/cats/new.png")
    (tmp_path / "more").mkdir()
    picture(60).save(tmp_path / "more/more.png")
    words = repr(str(tmp_path / "more"))
    in_another_process(collection, f"photos.sync(prune=True); photos.add_root({words}); photos.sync()")
    second = collection.snapshot()
    assert (len(first), len(second)) == (6, 5)
    # Columns and rows of the first are only read now.
    assert sorted(map(os.path.basename, first.files.paths())) == [f"{number}.png" for number in range(6)]
    assert len(first.images) == first.store.vectors(MODEL, DIMENSION).count() == 6
    assert len(first.store.thumbnails.read_where_in("id", first.images.ids.tolist(), ["jpeg"])) == 6
    assert [root.path for root in first.manifest.roots] == [str(tmp_path / "a")]
    assert sorted(map(os.path.basename, second.files.paths())) == [
        "0.png",
        "1.png",
        "2.png",
        "more:more.png",
        "new.png",
    ]


def test_an_earlier_snapshot_has_its_thumbnails_and_vectors_while_others_change_the_collection(
    collection, tmp_path
):
    before = collection.snapshot()
    ids = before.files.ids.tolist()
    thumbnails, (found, vectors) = before.thumbnails(ids), before.vectors(ids)
    assert found.tolist() == ids
    assert vectors.shape == (len(ids), DIMENSION)
    (tmp_path / "a/cats/0.png").unlink()
    picture(50).save(tmp_path / "a/dogs/3.png")
    picture(51).save(tmp_path / "a/new.png")
    in_another_process(
        collection, "photos.sync()\nfrom lookalike.store import Store\nStore(photos.folder).maintain()"
    )
    after = collection.snapshot()
    left = set(ids) - set(after.files.ids.tolist())
    assert len(left) == 2
    assert before.thumbnails(ids) == thumbnails
    again, same = before.vectors(ids[::-1])
    assert again.tolist() == ids[::-1]
    assert (same == vectors[::-1]).all()
    assert not after.thumbnails(left)
    assert not len(after.vectors(left)[0])
    new = set(after.files.ids.tolist()) - set(ids)
    assert after.thumbnails(new).keys() == set(after.vectors(new)[0].tolist()) == new
    assert before.thumbnails(new) == {}


def test_vectors_of_a_snapshot_come_as_they_are_asked_for_and_once(collection):
    snapshot = collection.snapshot()
    first, second = snapshot.files.ids[:2].tolist()
    ids, vectors = snapshot.vectors([second, 7, first, second])
    assert ids.tolist() == [second, first]
    assert (vectors[1] == snapshot.vectors([first])[1][0]).all()
    assert snapshot.vectors([])[1].shape == (0, DIMENSION)
    with pytest.raises(CollectionError, match="is embedded with lite0 "):
        snapshot.vectors([first], "lite0")


def test_many_threads_make_one_snapshot_and_read_its_columns_once(collection, tmp_path, monkeypatch):
    before = collection.snapshot()
    picture(50).save(tmp_path / "a/cats/new.png")
    in_another_process(collection, "photos.sync()")
    made, start = [], threading.Barrier(8)
    for owner, name in ((PinnedStore, "take"), (module, "read_files")):
        make = getattr(owner, name)
        monkeypatch.setattr(
            owner, name, lambda *asked, make=make, name=name: made.append(name) or make(*asked)
        )

    def ask(_):
        start.wait(SECONDS)
        found = collection.snapshot()
        return found, found.files

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert len({id(each) for each, _ in found}) == len({id(files) for _, files in found}) == 1
    assert sorted(made) == ["read_files", "take"]
    assert (len(before), len(found[0][0])) == (6, 7)


def test_a_warm_search_opens_no_table_and_lists_what_tells_of_commits_only(collection, tmp_path, monkeypatch):
    asked = [{}, {"where": Filter(labels=["dogs"])}, {"where": Filter(min_size=10, folders=[tmp_path / "a"])}]
    for query in asked:
        collection.search(tmp_path / "a/cats/0.png", k=3, **query)
    listed, listdir = [], os.listdir
    monkeypatch.setattr(lance, "dataset", lambda *words, **_: pytest.fail(f"{words} was opened"))
    monkeypatch.setattr(os, "listdir", lambda path: listed.append(os.path.basename(path)) or listdir(path))
    for query in asked:
        listed.clear()
        assert len(collection.search(tmp_path / "a/cats/0.png", k=3, **query).hits) == 3
        assert sorted(listed) == ["_versions"] * 7 + ["clusterings", "vectors"]


def test_a_model_of_a_known_name_is_found_without_the_others_being_listed(tmp_path, monkeypatch):
    (tmp_path / "lite0+pca8.npz").touch()
    models = ModelRegistry(tmp_path)
    for listing in ((os, "listdir"), (os, "scandir"), (type(tmp_path), "glob")):
        monkeypatch.setattr(*listing, lambda *_: pytest.fail("the folder was listed"))
    assert models.get("lite0").name == "lite0"


def test_a_command_is_answered_from_the_tables_and_who_asks_again_from_columns(
    collection, tmp_path, monkeypatch
):
    (tmp_path / "a/dogs/copy.png").write_bytes((tmp_path / "a/cats/1.png").read_bytes())
    collection.sync()
    by_columns = collection.search(tmp_path / "a/cats/0.png", k=5).hits
    assert sorted(len(hit.paths) for hit in by_columns) == [1, 1, 1, 1, 2]
    monkeypatch.setattr(module, "_SOON_READ", 0)
    read = []
    monkeypatch.setattr(module, "read_files", lambda table, plain=read_files: read.append(1) or plain(table))
    fresh = Collection.open(collection.folder)
    assert fresh.search(tmp_path / "a/cats/0.png", k=5).hits == by_columns
    assert read == []
    for _ in range(6):
        assert fresh.search(tmp_path / "a/cats/0.png", k=5).hits == by_columns
        assert fresh.image_info(tmp_path / "a/cats/0.png").paths == (str(tmp_path / "a/cats/0.png"),)
    assert read == [1]


def test_columns_are_read_beside_while_the_tables_answer(collection, tmp_path, monkeypatch):
    first = tmp_path / "a/cats/0.png"
    image, paths = collection.image_info(first).hex_id, [str(first)]
    monkeypatch.setattr(module, "_SOON_READ", 0)
    may_go_on = threading.Event()
    parts = FileColumns._parts.fget
    monkeypatch.setattr(FileColumns, "_parts", property(lambda self: may_go_on.wait(SECONDS) and parts(self)))
    for name in ("copy.png", "dopy.png"):  # what has been read of one state is not said of the next
        may_go_on.clear()
        shutil.copy(first, tmp_path / "a/cats" / name)
        paths.append(str(tmp_path / "a/cats" / name))
        collection.sync()
        for _ in range(6):
            assert list(collection.image_info(first).paths) == paths
            assert len(collection.search(ImageRef(image), k=5).hits) == 5
        files = collection.snapshot().files
        assert not files.has_paths
        may_go_on.set()
        files._kept.peek("reader").join(SECONDS)
        assert files.has_paths
        assert collection.snapshot().files_if_soon() is files
        assert list(collection.image_info(first).paths) == paths


def test_columns_that_could_not_be_read_beside_are_read_by_who_asks(collection, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SOON_READ", 0)
    fresh = Collection.open(collection.folder)
    files, read = fresh.snapshot().files, []

    def fail(names):
        read.append(names)
        raise StoreDamagedError("it is damaged")

    monkeypatch.setattr(files, "_read", fail)
    files.read_beside()
    files._kept.peek("reader").join(SECONDS)
    assert len(read) == 1
    with pytest.raises(StoreDamagedError, match="it is damaged"):
        for _ in range(6):
            fresh.image_info(tmp_path / "a/cats/0.png")


def add_vectors_of_nothing(collection, n):
    """Write vectors and rows of images that no file holds, as one does who is killed: all nearest to all."""
    store = collection._store
    ids = [ImageId(number) for number in range(1, n + 1)]
    _, vectors = collection.vectors()
    near = np.repeat(vectors, -(-n // len(vectors)), axis=0)[:n]
    changes = Changes(
        images=[
            ImageRow(image, bytes(32), "PNG", 8, 8, 0, np.float32([[50, 60, 40, 1]]), 1.0, b"", NO_METADATA)
            for image in ids
        ]
    )
    store.write_vectors(ids, near, store.vectors(MODEL, DIMENSION))
    store.write(changes, store.vectors(MODEL, DIMENSION))


@pytest.mark.parametrize("kind", ["exact", "kmeans-tree", "ivf-rq"])
def test_there_are_k_hits_although_nearer_vectors_are_of_no_image(collection, tmp_path, kind):
    query = tmp_path / "a/cats/0.png"
    expected = {k: collection.search(query, k=k, index=kind).hits for k in (1, 3, 5, 100)}
    filtered = collection.search(query, k=2, index=kind, where=Filter(min_size=9, labels=["dogs"])).hits
    add_vectors_of_nothing(collection, 300)
    for k, hits in expected.items():
        assert collection.search(query, k=k, index=kind, recall=1.0).hits == hits
    where = Filter(min_size=9, labels=["dogs"])
    assert collection.search(query, k=2, index=kind, recall=1.0, where=where).hits == filtered


def test_there_are_k_hits_of_a_color_although_images_without_a_file_have_more_of_it(collection, tmp_path):
    for number in range(4):
        image = picture(number)
        image.paste((200, 60, 50), (0, 0, 80, 40))
        image.save(tmp_path / f"a/cats/red-{number}.png")
    collection.sync()
    expected = collection.search(color="#c83c32", k=4).hits
    assert len(expected) == 4
    add_vectors_of_nothing(collection, 100)
    assert [hit.path for hit in collection.search(color="#c83c32", k=4).hits] == [
        hit.path for hit in expected
    ]


def test_an_index_of_an_earlier_state_does_not_take_the_place_of_the_newest(collection, tmp_path):
    earlier = collection._resources()
    picture(50).save(tmp_path / "a/cats/new.png")
    collection.sync()
    assert len(collection.search(tmp_path / "a/cats/0.png", k=9).hits) == 6
    folder = collection.folder / "indexes" / f"{MODEL}-exact"
    newest = os.listdir(folder)
    table = earlier.store.vectors(MODEL, DIMENSION)
    assert len(earlier.searchers.open(table, MODEL, "euclidean", "exact")) == 6
    assert os.listdir(folder) == newest
    assert len(collection.search(tmp_path / "a/cats/0.png", k=9).hits) == 6


def test_answers_are_whole_while_another_process_adds_and_prunes(collection, tmp_path):
    for number in range(20, 50):
        picture(number, 16).save(tmp_path / f"a/cats/{number}.png")
    collection.sync()
    code = """
import pathlib, shutil, time
cats = pathlib.Path(sys.argv[1]).parents[1] / "a" / "cats"
for _ in range(6):
    for number in range(20, 44):
        (cats / f"{number}.png").rename(cats.parent / f"{number}.away")
    photos.sync(prune=True)
    for number in range(20, 44):
        (cats.parent / f"{number}.away").rename(cats / f"{number}.png")
    photos.sync()
    print("again", flush=True)
"""
    opened = "import sys; from lookalike import Collection; photos = Collection.open(sys.argv[1])\n"
    query, seen = tmp_path / "a/cats/0.png", set()
    command = [sys.executable, "-c", opened + code, str(collection.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:

        def search_on(_):
            while other.poll() is None:
                assert len(collection.search(query, k=9).hits) == 9
                everything = collection.search(query, k=100).hits
                assert len({hit.path for hit in everything}) == len(everything)
                seen.add(len(everything))

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(search_on, range(3)))
    assert other.returncode == 0
    assert {11, 35} <= seen
    assert len(collection.search(query, k=100).hits) == 35


def test_a_table_that_is_gone_is_noticed(collection, tmp_path):
    assert len(collection.search(tmp_path / "a/cats/0.png").hits) == 5
    (collection.folder / "files.lance").rename(tmp_path / "away")
    assert collection.snapshot().files.paths() == []
    (tmp_path / "away").rename(collection.folder / "files.lance")
    assert len(collection.snapshot().files) == 6


def test_what_was_said_stays_as_a_snapshot_read_it_however_much_is_said_since(collection, monkeypatch):
    monkeypatch.setattr(journal_table, "_CLEARED_EVERY", 4)
    monkeypatch.setattr(journal_table, "_VERSIONS_KEPT", 1)
    image = collection.snapshot().images.ids.tolist()[0]
    collection.labels.give([image], "first")
    before = collection.snapshot()
    assert before.said.labels == {image: "first"}
    for number in range(10):  # so that the commit of then is cleared away
        collection.labels.give([image], str(number))
    assert before.said.labels == {image: "first"}


def test_what_was_said_is_that_of_a_snapshot_although_it_is_read_after_its_commit_was_cleared_away(
    collection, monkeypatch
):
    monkeypatch.setattr(journal_table, "_CLEARED_EVERY", 4)
    monkeypatch.setattr(journal_table, "_VERSIONS_KEPT", 1)
    image = collection.snapshot().images.ids.tolist()[0]
    for name in ("first", "second"):
        collection.labels.give([image], name)
    before, elsewhere = collection.snapshot(), Collection.open(collection.folder).snapshot()
    for number in range(10):
        collection.labels.give([image], str(number))
    assert before.said.labels == elsewhere.said.labels == {image: "second"}
    assert before.said.last == elsewhere.said.last == 2
    assert collection.snapshot().said.last == 12


def test_a_snapshot_that_nobody_holds_is_let_go_of_at_once(collection):
    snapshot = weakref.ref(collection.snapshot())
    gc.collect()
    gc.disable()  # what holds itself would stay
    try:
        collection.count(Filter(labels=["cats"]))
        list(collection.browse(where=Filter(labels=["cats"], excluding=Filter(max_size=1))))
        collection.facets(Filter(labels=["cats"]))
        assert snapshot() is not None
        collection.labels.give(collection.snapshot().images.ids[:1].tolist(), "another")
        collection.snapshot()
        assert snapshot() is None
    finally:
        gc.enable()


def test_what_is_made_of_fields_and_clusters_stays_while_other_things_are_said(collection):
    stored, other = (path for path, _, _ in collection.snapshot().files.facts()[:2])
    collection.set_fields({stored: {"price": 3}})
    collection.clusterings.make(k=2, name="two")
    before = collection.snapshot()
    own, clusters = before.own, before.clustering("two")
    prices = before.own.numbers("price")
    collection.labels.give(before.images.ids[:1].tolist(), "by hand")
    after = collection.snapshot()
    assert after is not before
    assert after.own is own
    assert after.own.numbers("price") is prices
    assert after.clustering("two") is clusters
    collection.set_fields({other: {"price": 5}})
    assert np.nansum(collection.snapshot().own.numbers("price")) == 8
    collection.clusterings.make(k=3, name="two")
    assert len(collection.snapshot().clustering("two").coded.values) == 4
    assert np.nansum(own.numbers("price")) == 3
    assert len(before.clustering("two").coded.values) == 3


def test_who_asks_once_for_the_fields_of_many_hits_has_them_of_one_look_into_the_table(
    collection, monkeypatch
):
    files = [path for path, _, _ in collection.snapshot().files.facts()]
    collection.set_fields({path: {"name": path} for path in files})
    collection.search(collection.snapshot().absolute(files[0]))  # how sure answers are is learned
    monkeypatch.setattr(module, "_SOON_READ", 0)
    monkeypatch.setattr(module, "_ASKED_BY_COMMANDS", 100)
    looked = []
    look = FieldTable.rows_of
    monkeypatch.setattr(FieldTable, "rows_of", lambda *asked: looked.append(asked) or look(*asked))
    with Collection.open(collection.folder.parent) as opened:
        hits = opened.search(collection.snapshot().absolute(files[0]), k=len(files), include_self=True).hits
        assert not looked
        assert sorted(hit.fields["name"] for hit in hits) == sorted(files)
        assert len(looked) == 1
        assert not opened.snapshot()._files.has("")  # nor has it read where a million images lie


def test_a_snapshot_shows_no_clustering_of_a_later_state(collection):
    collection.clusterings.make(k=2, name="two")
    collection.clusterings.make(k=2, name="gone")
    before = collection.snapshot()
    collection.clusterings.make(k=3, name="two")
    collection.clusterings.make(k=2, name="new")
    collection.clusterings.delete("gone")
    for name in ("two", "new", "gone"):
        with pytest.raises(CollectionConflictError, match=f"clustering '{name}' has been changed since"):
            before.clustering(name)
    with pytest.raises(CollectionNotFoundError):
        before.clustering("never")
    assert len(collection.snapshot().clustering("two").coded.values) == 4


@pytest.fixture
def edited_meanwhile(collection, monkeypatch):
    """The collection, of which another edits a clustering just before its content is read, so many times."""
    collection.clusterings.make(k=2, name="two", random_state=0)
    collection.clusterings.edit("two", rename=[(0, "name 0"), (1, "other")])
    other, parse, n_edits = Collection.open(collection.folder), StoredClusterings._parse, [0]

    def edit_and_parse(self, folder):
        if self is collection._clusterings and n_edits[0]:
            n_edits[0] -= 1
            other.clusterings.edit("two", rename=[(0, f"name {n_edits[0] + 1}")])
        return parse(self, folder)

    monkeypatch.setattr(StoredClusterings, "_parse", edit_and_parse)

    def edited(n):
        collection.snapshot()
        n_edits[0] = n
        return collection

    return edited


@pytest.mark.parametrize("ask", ["search", "browse"])
def test_an_answer_shows_clusters_of_one_state_although_another_edits_them_while_it_is_made(
    edited_meanwhile, tmp_path, ask
):
    photos = edited_meanwhile(1)
    cluster = ClusterRef("two", 0)
    if ask == "search":
        result = photos.search(tmp_path / "a/cats/0.png", same_cluster=cluster, include_self=True)
        assert result.cluster.name == "name 1"
        hits = list(result.hits)
    else:
        hits = list(photos.browse(where=Filter(clusters=[cluster])))
    assert hits
    assert {hit.clusters["two"] for hit in hits} == {"name 1"}


def test_images_are_counted_by_cluster_although_another_edits_these(edited_meanwhile):
    photos = edited_meanwhile(2)
    found = photos.facets(Filter(clusters=[ClusterRef("two", 0), ClusterRef("two", 1)]), ["clusters"])
    assert sum(found["cluster:two"].counts.values()) == found.total == 6
    assert not found.warnings
    assert edited_meanwhile(1).count(Filter(clusters=[ClusterRef("two", 0), ClusterRef("two", 1)])) == 6


def test_who_asks_while_clusters_are_edited_all_the_time_hears_of_it(edited_meanwhile):
    photos = edited_meanwhile(1_000)
    with pytest.raises(CollectionConflictError, match="has been changed since"):
        photos.count(Filter(clusters=[ClusterRef("two", 0)]))


def test_the_names_of_clusters_are_those_of_the_clusterings_that_a_snapshot_has(collection, monkeypatch):
    collection.clusterings.make(k=2, name="two")
    other, read, is_edited = Collection.open(collection.folder), ClusterLabels.read, []

    def edit_and_read(clusterings):
        if not is_edited:
            is_edited.append(True)
            other.clusterings.edit("two", rename=[(0, "named meanwhile")])
        return read(clusterings)

    monkeypatch.setattr(ClusterLabels, "read", edit_and_read)
    taken = Collection.open(collection.folder).snapshot()
    assert taken.labels.names == {"named meanwhile"}
    assert taken.clustering("two").names == {0: "named meanwhile"}


def test_callers_that_ask_meanwhile_share_the_next_look_and_none_that_began_before(collection, monkeypatch):
    collection.snapshot()
    looks, may_look, look = [], threading.Event(), module.look_at_tables

    def slow_look(folder):
        looks.append(threading.current_thread())
        assert may_look.wait(SECONDS)
        return look(folder)

    monkeypatch.setattr(module, "look_at_tables", slow_look)
    threads = [threading.Thread(target=collection.snapshot) for _ in range(6)]
    threads[0].start()
    while not looks:
        time.sleep(0.001)
    for thread in threads[1:]:
        thread.start()
    time.sleep(0.2)  # so that they wait
    may_look.set()
    for thread in threads:
        thread.join()
    assert 2 <= len(looks) <= 3  # one of them may have come late
