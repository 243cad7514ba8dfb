"""One collection in a process with many threads: what is held is made once, and let go of by `close`."""

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lookalike import Collection, LookalikeError
from lookalike.embed import Compute, registry
from lookalike.errors import CollectionError, ModelError
from lookalike.index import Exact
from pictures import picture

SECONDS = 30  # that a thread waits for another before the test fails
MODEL, OTHER = "pixels-8-grey", "pixels-8-rgb"


@pytest.fixture
def collection(photos, tmp_path):
    """A collection that was just opened: nothing is loaded, and no index is there."""
    made = Collection.create(tmp_path / "home", model=MODEL, with_root=False)
    made.add_root(photos)
    made.sync()
    return Collection.open(tmp_path / "home")


@pytest.fixture
def stranger(tmp_path):
    """A picture that is in no collection, so that a model has to embed it."""
    picture(99).save(tmp_path / "stranger.png")
    return tmp_path / "stranger.png"


class Arrivals:
    """Counts who begins to do something; who waits for all goes on once so many have."""

    def __init__(self, n):
        self.n, self.begun, self.change = n, 0, threading.Condition()

    def arrive(self):
        with self.change:
            self.begun += 1
            self.change.notify_all()

    def wait_for_all(self):
        with self.change:
            assert self.change.wait_for(lambda: self.begun >= self.n, SECONDS)


def at_once(n, do):
    """Return what n threads get that begin at the same moment."""
    start = threading.Barrier(n)

    def begin(number):
        start.wait(SECONDS)
        return do(number)

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(begin, range(n)))


def counted(monkeypatch, target, name, arrivals, made):
    """Have something that makes things count them, and end no sooner than all have asked."""
    make = getattr(target, name)

    def make_slowly(*arguments, **options):
        made.append(arguments)
        arrivals.wait_for_all()
        return make(*arguments, **options)

    monkeypatch.setattr(target, name, make_slowly)


def counting_askers(monkeypatch, target, name, arrivals):
    ask = getattr(target, name)

    def arrive_and_ask(*arguments, **options):
        arrivals.arrive()
        return ask(*arguments, **options)

    monkeypatch.setattr(target, name, arrive_and_ask)


def test_six_first_searches_at_once_load_the_model_once(collection, stranger, monkeypatch):
    arrivals, loaded = Arrivals(6), []
    counting_askers(monkeypatch, registry.ModelRegistry, "load", arrivals)
    counted(monkeypatch, registry, "load_model", arrivals, loaded)
    found = at_once(6, lambda _: collection.search(stranger, k=3))
    assert len(loaded) == 1
    assert all(result.hits == found[0].hits for result in found)


@pytest.mark.parametrize("writable", [True, False])
def test_six_first_searches_at_once_build_the_index_once(collection, stranger, monkeypatch, writable):
    arrivals, built = Arrivals(6), []
    counting_askers(monkeypatch, type(collection._searchers), "open", arrivals)
    counted(monkeypatch, Exact, "build_of_parts", arrivals, built)
    if not writable:
        monkeypatch.setattr("os.access", lambda *_: False)
    found = at_once(6, lambda _: collection.search(stranger, k=3))
    assert len(built) == 1
    assert all(result.hits == found[0].hits for result in found)


def test_different_models_load_side_by_side(collection, monkeypatch):
    both, load = threading.Barrier(2), registry.load_model

    def load_with_another(*asked):
        both.wait(SECONDS)
        return load(*asked)

    monkeypatch.setattr(registry, "load_model", load_with_another)
    names = [MODEL, OTHER]
    found = at_once(2, lambda number: collection._models.load(names[number], Compute(), is_new=True))
    assert [embedder.model.name for embedder in found] == names


def test_a_reduced_model_and_its_base_load_at_once_and_the_base_once(collection, stranger, monkeypatch):
    reduced = collection.models.reduce(2)
    fresh, loaded, load = Collection.open(collection.folder), [], registry.load_model
    monkeypatch.setattr(registry, "load_model", lambda *asked: loaded.append(asked) or load(*asked))
    names = [reduced, None] * 3
    found = at_once(6, lambda number: fresh.search(stranger, k=2, model=names[number]).model)
    assert found == [reduced, MODEL] * 3
    assert len(loaded) == 1


def test_a_model_that_fails_to_load_is_tried_again(collection, stranger, monkeypatch):
    load, tries = registry.load_model, []

    def fail_once(*asked):
        tries.append(asked)
        if len(tries) == 1:
            raise ModelError("out of reach")
        return load(*asked)

    def search(_):
        try:
            return len(collection.search(stranger, k=3).hits)
        except ModelError as error:
            return str(error)

    monkeypatch.setattr(registry, "load_model", fail_once)
    assert sorted(map(str, at_once(6, search))) == ["3", "3", "3", "3", "3", "out of reach"]
    assert len(tries) == 2


def test_searches_in_several_threads_answer_as_alone(collection, stranger):
    kinds = ["exact", "kdtree", "kmeans-tree", "ivf-rq"] * 2
    expected = collection.search(stranger, k=4, index="exact", recall=1.0)
    found = at_once(8, lambda number: collection.search(stranger, k=4, index=kinds[number], recall=1.0))
    assert [result.index for result in found] == kinds
    assert all(result.hits == expected.hits for result in found)


ASKED = {
    "len": len,
    "roots": lambda it: it.roots,
    "datasets": lambda it: it.datasets,
    "model": lambda it: it.model,
    "search": lambda it: it.search("a.png"),
    "sync": lambda it: it.sync(),
    "add_root": lambda it: it.add_root("."),
    "list_roots": lambda it: it.list_roots(),
    "info": lambda it: it.info(),
    "image_info": lambda it: it.image_info("a.png"),
    "thumbnails": lambda it: it.thumbnails([1]),
    "vectors": lambda it: it.vectors(),
    "clusterings": lambda it: it.clusterings.names(),
    "maps": lambda it: it.maps.names(),
}


@pytest.mark.parametrize("asked", ASKED)
def test_whatever_is_asked_of_a_closed_collection_says_that_it_is_closed(collection, asked):
    collection.close()
    with pytest.raises(CollectionError, match=r"the collection in .*\.lookalike is closed$"):
        ASKED[asked](collection)


def test_closing_twice_is_fine_and_others_stay_open(collection, tmp_path):
    other = Collection.open(tmp_path / "home")
    collection.close()
    collection.close()
    assert len(other) == 6


def test_a_with_block_closes_also_what_fails_in_it(collection, tmp_path):
    with Collection.open(tmp_path / "home") as photos:
        assert len(photos) == 6
    with pytest.raises(LookalikeError, match="is closed"):
        len(photos)
    with pytest.raises(ZeroDivisionError), Collection.create(tmp_path / "new", with_root=False) as photos:
        raise ZeroDivisionError
    with pytest.raises(LookalikeError, match="is closed"):
        len(photos)


def test_closing_lets_go_of_models_and_indexes(collection, stranger):
    collection.search(stranger)
    held = [
        weakref.ref(collection._models.load(MODEL, Compute())),
        weakref.ref(
            collection._searchers.open(collection._store.vectors(MODEL, 64), MODEL, "euclidean", "exact")
        ),
    ]
    gc.collect()
    assert all(each() is not None for each in held)
    collection.close()
    gc.collect()
    assert [each() for each in held] == [None, None]


def test_a_collection_that_nobody_has_any_more_lets_go_at_once(collection, stranger):
    other = Collection.open(collection.folder)
    other.search(stranger)
    assert len(other.clusterings) == len(other.maps) == 0
    held = weakref.ref(other)
    gc.disable()  # it would find circles, too
    try:
        del other
        assert held() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("moment", ["before the model is loaded", "while the index is asked"])
def test_a_search_that_runs_while_another_thread_closes_ends_well(collection, stranger, monkeypatch, moment):
    expected = collection.search(stranger, k=3).hits
    fresh = Collection.open(collection.folder)
    is_running, is_closed = threading.Event(), threading.Event()
    target, name = (registry, "load_model") if moment == "before the model is loaded" else (Exact, "search")
    go_on = getattr(target, name)

    def wait_for_the_end(*arguments, **options):
        is_running.set()
        assert is_closed.wait(SECONDS)
        return go_on(*arguments, **options)

    monkeypatch.setattr(target, name, wait_for_the_end)
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(fresh.search, stranger, k=3)
        assert is_running.wait(SECONDS)
        fresh.close()
        is_closed.set()
        assert result.result().hits == expected


def test_a_sync_that_runs_while_the_collection_is_closed_ends_well(collection, photos):
    picture(50).save(photos / "new.png")
    found = collection.sync(report=lambda progress: collection.close())
    assert (found.added, found.embedded, found.failed) == (1, 1, 0)
    with pytest.raises(CollectionError, match="is closed"):
        len(collection)
    assert len(Collection.open(collection.folder)) == 7


def test_many_threads_search_until_one_closes(collection, stranger):
    start, errors = threading.Barrier(5), []

    def search_on():
        start.wait(SECONDS)
        for _ in range(500):
            try:
                assert len(collection.search(stranger, k=3).hits) == 3
            except CollectionError as error:
                return errors.append(str(error))
        pytest.fail("it was never closed")

    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(search_on) for _ in range(4)]
        start.wait(SECONDS)
        collection.close()
        for task in tasks:
            task.result()
    assert len(errors) == 4
    assert all("is closed" in error for error in errors)


def test_roots_that_several_threads_add_are_all_kept(collection, tmp_path):
    folders = [tmp_path / f"more-{number}" for number in range(6)]
    for folder in folders:
        folder.mkdir()
    at_once(6, lambda number: collection.add_root(folders[number]))
    assert set(folders) <= set(collection.roots)
    collection.sync()
    assert set(folders) <= set(Collection.open(collection.folder).roots)


def test_vectors_are_those_of_the_table_for_every_thread(collection):
    images, vectors = collection.vectors()
    for others, found in at_once(4, lambda _: collection.vectors()):
        assert [image.id for image in others] == [image.id for image in images]
        assert np.array_equal(found, vectors)
