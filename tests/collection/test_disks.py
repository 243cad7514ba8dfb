"""Collections on disks that are not POSIX: no hard links, names that do not tell upper from lower case."""

import errno
import os

import lance
import numpy as np
import pytest
from kill_campaign import kill_often, rows

from lookalike import Collection
from lookalike.cli import main
from lookalike.errors import CollectionError, StoreError
from lookalike.store import Store, schema
from lookalike.store.table import Table
from loop_disks import KINDS, loop_disk
from pictures import picture


@pytest.fixture(scope="module", params=KINDS)
def disk(request, tmp_path_factory):
    """Nothing to do with hard links, and of two cases of a name only one."""
    with loop_disk(request.param, tmp_path_factory.mktemp(request.param)) as place:
        yield place


def make_photos(folder, count=24):
    folder.mkdir(parents=True)
    for number in range(count):
        picture(number, side=260).save(folder / f"{number:03}.jpg")
    return folder


def test_nothing_is_committed_by_a_hard_link(photos, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    locks = []
    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(lance, "dataset", lambda *words, _open=lance.dataset, **options: (
        locks.append(options.get("commit_lock")), _open(*words, **options))[1])  # fmt: skip
    collection = Collection.create(photos)
    assert collection.sync().added == 6
    (photos / "cats" / "0.png").unlink()
    before = len(list(filter(None, locks)))
    assert collection.sync().removed == 1
    assert len(list(filter(None, locks))) > before


def test_what_a_disk_refuses_names_the_way_out(tmp_path, monkeypatch):
    table = Table(tmp_path / "failures.lance", schema.failures())

    def refuse(*_, **__):
        raise OSError("Generic LocalFileSystem error: Unable to rename file: Operation not permitted")

    monkeypatch.setattr(lance, "write_dataset", refuse)
    with pytest.raises(StoreError, match=r"cannot write .*Operation not permitted\n.*another disk"):
        table.upsert({"path": ["a:b"], "reason": ["damaged"]})


def test_a_disk_without_locks_names_the_way_out(photos, monkeypatch):
    import filelock

    def refuse(*_, **__):
        raise NotImplementedError("FileSystem does not appear to support flock")

    collection = Collection.create(photos)
    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    with pytest.raises(StoreError, match=r"support flock\n.*another disk"):
        collection.sync()


def test_a_folder_that_cannot_be_flushed_is_no_error(tmp_path, monkeypatch):
    def fsync(handle, _fsync=os.fsync):
        if os.path.isdir(f"/proc/self/fd/{handle}"):
            raise OSError(errno.EINVAL, "Invalid argument")
        _fsync(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    table = Table(tmp_path / "failures.lance", schema.failures())
    table.upsert({"path": ["a:b"], "reason": ["damaged"]})
    assert table.count() == 1


@pytest.mark.disk
def test_everything_works_on_a_disk_without_hard_links(disk, capsys, monkeypatch):
    photos = make_photos(disk / "all")

    def call(*words):
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert not left.value.code, err
        return out

    monkeypatch.chdir(photos)
    call("index", ".", "-q")
    call("index", ".", "-q")
    (photos / "000.jpg").unlink()
    call("index", ".", "--model", "pixels-8-grey", "-q")
    for kind in ("exact", "kmeans-tree", "kdtree", "ivf-rq"):
        for _ in range(2):
            call("search", "001.jpg", "--index", kind)
        (photos / f"{kind}.jpg").write_bytes((photos / "002.jpg").read_bytes() + kind.encode())
        call("index", ".", "-q")
        assert f"{kind}.jpg" in call("search", "002.jpg", "--index", kind)
    call("cluster", "-k", "3", "--name", "k", "-q")
    call("cluster", "-k", "4", "--name", "k", "-q")
    call("cluster", "edit", "k", "--rename", "0=zero", "-q")
    assert "zero" in call("cluster", "show", "k")
    for _ in range(2):
        call("map", "make", "--method", "pca", "-o", "map.png")
    call("reduce", "4", "-q")
    call("evaluate", "--labels", "k", "--clustering", "k", "-q")
    call("index", ".", "--prune", "-q")
    call("cluster", "delete", "k")


@pytest.mark.disk
def test_a_root_in_another_case_is_the_same_root(disk, capsys, monkeypatch):
    photos = make_photos(disk / "Case" / "Sub", 3).parent
    collection = Collection.create(photos)
    assert collection.sync().added == 3
    collection.add_root(disk / "cASE", labels="none")
    assert collection.roots == (photos,)
    assert collection.holds(disk / "CASE" / "sub" / "000.JPG")
    assert collection._resources().places.stored(str(disk / "case" / "SUB" / "000.jpg")) == "Case:Sub/000.jpg"
    assert collection.sync([disk / "case" / "sub"]).unchanged == 3  # and nothing twice
    assert collection.sync().unchanged == 3
    with pytest.raises(CollectionError, match="overlap"):
        Collection.open(photos).add_root(disk / "CASE" / "sub")


@pytest.mark.disk
def test_the_stores_own_index_is_made_on_a_disk_without_hard_links(disk):
    table = Table(disk / "vectors.lance", schema.vectors(8))
    random_vectors = np.random.default_rng(0).normal(size=(600, 8)).astype(np.float32)
    import pyarrow as pa

    matrix = pa.FixedSizeListArray.from_arrays(pa.array(random_vectors.ravel()), 8)
    table.upsert({"id": list(range(600)), "embedding": matrix})
    table.make_vector_index(4)
    table.upsert({"id": [600], "embedding": matrix[:1]})
    table.extend_vector_index()
    assert set(table.nearest(random_vectors[0], 2, 4, 5)[0].tolist()) == {0, 600}


# Not on FAT32: fusefat now and then spins for ever when files of a killed writer are deleted.
@pytest.mark.disk
@pytest.mark.parametrize("disk", ["exfat"], indirect=True)
def test_twenty_kills_on_a_disk_without_hard_links_end_in_the_rows_of_an_undisturbed_run(disk):
    photos = make_photos(disk / "photos", 90)

    def make(home):
        collection = Collection.create(home, with_root=False)
        collection.add_root(photos)
        collection.sync(photos.glob("000.jpg"))

    make(disk / "undisturbed")
    Collection.open(disk / "undisturbed").sync()
    expected = rows(disk / "undisturbed")
    home = disk / "killed"
    kill_often(home, lambda: make(home), expected)
    Collection.open(home).sync()
    assert rows(home) == expected
    assert Store(home / ".lookalike").files.count() == 90
