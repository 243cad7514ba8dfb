"""Processes that come from one with an open collection: each gets an answer or an error, and none hangs."""

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor

import pytest

from lookalike import Collection, Filter, LookalikeError
from lookalike.errors import CollectionConflictError
from lookalike.system.memo import Memo

SECONDS = 60  # that a process may take
MODEL = "pixels-8-grey"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no forks")


@pytest.fixture
def home(photos, tmp_path):
    made = Collection.create(tmp_path / "home", model=MODEL, with_root=False)
    made.add_root(photos)
    made.sync()
    return tmp_path / "home"


def in_a_copy(do):
    """Return what a function says in a fork of this process, which is killed if it hangs."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python and Lance warn of forks
        child = os.fork()
        if child == 0:
            said = b"nothing"
            try:
                said = pickle.dumps(do())
            except LookalikeError as error:
                said = pickle.dumps(f"{type(error).__name__}: {error}")
            except BaseException as error:
                said = pickle.dumps(repr(error))
            finally:
                os.write(writing, said)
                os._exit(0)
    os.close(writing)
    ends = time.monotonic() + SECONDS
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > ends:
            os.kill(child, 9)
            os.waitpid(child, 0)
            pytest.fail("it hangs")
        time.sleep(0.02)
    with os.fdopen(reading, "rb") as stream:
        return pickle.loads(stream.read())


ASKED = {
    "len": len,
    "search": lambda it: it.search(color="red"),
    "browse": lambda it: it.snapshot(),
    "thumbnails": lambda it: it.thumbnails([1]),
    "clusterings": lambda it: it.clusterings.names(),
    "roots": lambda it: it.roots,
    "sync": lambda it: it.sync(),
    "pickle": pickle.dumps,
}


@pytest.mark.parametrize("asked", ASKED)
def test_a_collection_says_in_a_fork_that_it_was_opened_elsewhere(home, photos, asked):
    collection = Collection.open(home)
    collection.search(photos / "cats/0.png")
    said = in_a_copy(lambda: ASKED[asked](collection))
    assert said.startswith("CollectionConflictError: the collection in ")
    assert "was opened in another process, of which this one is a copy" in said
    assert len(collection.search(photos / "cats/0.png", k=3).hits) == 3  # the fork has not disturbed it


def test_what_hangs_on_a_collection_says_so_too(home):
    collection = Collection.open(home)
    clusterings = collection.clusterings
    assert "of which this one is a copy" in in_a_copy(clusterings.names)


def test_a_collection_cannot_be_opened_and_read_in_a_fork_of_a_process_that_has_read_one(home):
    len(Collection.open(home))
    said = in_a_copy(lambda: len(Collection.open(home)))
    assert said.startswith("CollectionConflictError: ")
    assert "cannot be read in a process that is a copy (fork)" in said


def test_a_snapshot_says_in_a_fork_what_it_had_read_and_refuses_the_rest(home):
    snapshot = Collection.open(home).snapshot()
    n = len(snapshot.files)
    assert in_a_copy(lambda: len(snapshot.files)) == n
    assert "cannot be read in a process that is a copy" in in_a_copy(lambda: len(snapshot.images.widths))


def test_hits_that_were_described_are_there_in_a_fork(home, photos):
    result = Collection.open(home).search(photos / "cats/0.png")
    paths = [hit.path for hit in result.hits]
    assert in_a_copy(lambda: [hit.path for hit in result.hits]) == paths


def test_a_fork_that_is_made_while_another_thread_holds_a_lock_does_not_hang(home):
    collection = Collection.open(home)
    len(collection)
    lock = collection._manifest._lock
    holds, may_end = threading.Event(), threading.Event()

    def hold():
        with lock:
            holds.set()
            may_end.wait(SECONDS)

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(SECONDS)
    try:
        assert "of which this one is a copy" in in_a_copy(lambda: len(collection))
    finally:
        may_end.set()
        thread.join()


def test_a_memo_makes_values_in_a_fork_although_another_thread_was_making_one():
    memo, is_making, may_end = Memo(), threading.Event(), threading.Event()

    def make():
        is_making.set()
        may_end.wait(SECONDS)
        return 1

    thread = threading.Thread(target=memo.get, args=("key", make))
    thread.start()
    assert is_making.wait(SECONDS)
    try:
        assert in_a_copy(lambda: memo.get("key", lambda: 2)) == 2
    finally:
        may_end.set()
        thread.join()
    assert memo.get("key", lambda: 3) == 1


def test_a_process_that_has_read_no_collection_may_be_forked_and_its_copies_read(home, tmp_path):
    code = (
        "import os, sys; from lookalike import Collection\n"
        "child = os.fork()\n"
        "if child: sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "found = Collection.open(sys.argv[1]).search(color='red', k=3).hits\n"
        "os._exit(0 if isinstance(list(found), list) else 1)\n"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(home)]
    assert subprocess.run(command, timeout=SECONDS, check=False).returncode == 0


def _search(collection, path):
    return collection.search(path, k=3, include_self=True)


def _search_often(collection, path):
    return [hit.id for _ in range(3) for hit in _search(collection, path).hits]


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_collections_go_to_other_processes_and_results_come_back(home, photos, method):
    collection = Collection.open(home)
    paths = [photos / f"cats/{number}.png" for number in range(3)]
    expected = [_search(collection, path) for path in paths]
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        futures = [pool.submit(_search, collection, path) for path in paths]
        assert [future.result(SECONDS) for future in futures] == expected
        many = pool.submit(_search_often, collection, paths[0])
        assert many.result(SECONDS) == expected[0].ids.tolist() * 3


def test_a_pickled_collection_is_opened_as_it_is_then(home, photos):
    collection = Collection.open(home)
    data = pickle.dumps(collection)
    n = len(collection)
    (photos / "cats/0.png").unlink()
    collection.sync()
    opened = pickle.loads(data)
    assert (opened.folder, len(opened)) == (collection.folder, n - 1)
    collection.close()
    assert len(opened) == n - 1
    with pytest.raises(CollectionConflictError, match="is closed"):
        pickle.dumps(collection)


def test_a_pickled_collection_that_is_gone_by_then_is_an_error_of_ours(home):
    data = pickle.dumps(Collection.open(home))
    (home / ".lookalike").rename(home / "gone")
    with pytest.raises(LookalikeError, match="no collection"):
        pickle.loads(data)


def test_a_snapshot_refuses_to_be_pickled(home):
    with pytest.raises(CollectionConflictError, match="a snapshot cannot be pickled") as caught:
        pickle.dumps(Collection.open(home).snapshot())
    assert "pickle the collection" in str(caught.value.hint)


def test_what_a_collection_answers_pickles_and_is_the_same(home, photos):
    collection = Collection.open(home)
    collection.clusterings.make("kmeans", k=2, name="two")
    collection.clusterings.rename("two", 0, "first")
    answers = [
        collection.search(photos / "cats/0.png", where=Filter(labels="cats")),
        collection.search(color="red"),
        collection.info(),
        collection.image_info(photos / "cats/0.png"),
        collection.list_roots(),
        collection.clusterings.get("two"),
        collection.maps.make("pca"),
        collection.sync(),
    ]
    for answer in answers:
        copy = pickle.loads(pickle.dumps(answer))
        assert type(copy) is type(answer)
        assert repr(copy) == repr(answer)
