"""Long work of a collection stops where it is told to, leaves nothing half done, and goes on from there."""

import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lookalike import CancelledError, CancelToken, Collection, InvalidInputError, Progress
from lookalike.store import writer_lock
from pictures import picture

MODEL = "pixels-8-grey"
N = 48
TRIES = 8  # moments at which each kind of work is stopped


class StopsAt:
    """A report that cancels the work when it is told for the n-th time; by default never."""

    def __init__(self, n: int | None = None) -> None:
        self.n, self.n_told = n, 0
        self.cancel = CancelToken()
        self.phases: list[str] = []

    def __call__(self, progress: Progress) -> None:
        self.n_told += 1
        self.phases.append(progress.phase)
        if self.n_told == self.n:
            self.cancel.cancel()


class StopsEmbedding(StopsAt):
    """A report that cancels a sync once so many images are embedded."""

    def __call__(self, progress: Progress) -> None:
        self.n_told += 1
        if progress.phase == "embedding" and progress.done == self.n:
            self.cancel.cancel()


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / "photos"
    for number in range(N):
        place = folder / f"kind-{number % 3}"
        place.mkdir(parents=True, exist_ok=True)
        picture(number, 24).save(place / f"{number:02}.png")
    return folder


@pytest.fixture
def collection(photos) -> Collection:
    made = Collection.create(photos, MODEL)
    made.sync()
    return made


def content(collection: Collection) -> list[tuple[str, bytes]]:
    """Return what a collection holds: paths and vectors."""
    hits, vectors = collection.vectors()
    return sorted((hit.path, vector.tobytes()) for hit, vector in zip(hits, vectors, strict=True))


def left_over(collection: Collection) -> list[str]:
    """Return what was begun in the collection's folder and not ended."""
    found = [path for path in collection.folder.rglob("*") if path.suffix in (".part", ".tmp")]
    return [str(path.relative_to(collection.folder)) for path in found]


def assert_unlocked(collection: Collection) -> None:
    """Fail unless somebody else may write to the collection."""
    with writer_lock(collection.folder):
        pass


def moments(n_told: int) -> list[int]:
    """Return some of the reports, the first and the last among them."""
    drawn = random.Random(0).sample(range(1, n_told + 1), min(TRIES, n_told))
    return sorted({1, n_told, *drawn})


def test_a_sync_goes_on_from_wherever_it_was_stopped(photos, tmp_path):
    whole = Collection.create(photos, MODEL)
    told = StopsAt()
    whole.sync(report=told, jobs=2)
    assert {"scanning", "embedding", "sweeping"} <= set(told.phases)
    expected = content(whole)
    for n in moments(told.n_told):
        home = tmp_path / f"home-{n}"
        home.mkdir()
        collection = Collection.create(home, MODEL, with_root=False)
        collection.add_root(photos)
        stop = StopsAt(n)
        with pytest.raises(CancelledError):
            collection.sync(report=stop, cancel=stop.cancel, jobs=2, commit_seconds=0)
        assert_unlocked(collection)
        so_far = content(collection) if len(collection) else []
        assert set(so_far) <= set(expected)
        collection.sync()
        assert content(collection) == expected
        assert collection.sync().unchanged == N


def test_a_sync_that_is_stopped_by_another_thread_at_any_time_goes_on(photos, tmp_path):
    chance = random.Random(1)
    (tmp_path / "home").mkdir()
    collection = Collection.create(tmp_path / "home", MODEL, with_root=False)
    collection.add_root(photos)
    n_stopped = 0
    for _ in range(20):
        cancel = CancelToken()
        timer = threading.Timer(chance.uniform(0, 0.3), cancel.cancel)
        timer.start()
        try:
            collection.sync(cancel=cancel, jobs=2, commit_seconds=0.01)
        except CancelledError:
            n_stopped += 1
            assert_unlocked(collection)
        finally:
            timer.cancel()
    collection.sync()
    undisturbed = Collection.create(photos, MODEL)
    undisturbed.sync()
    assert content(collection) == content(undisturbed)
    assert n_stopped


def test_a_cancelled_token_stops_a_sync_before_it_changes_anything(collection, photos):
    (photos / "kind-0/00.png").unlink()
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(CancelledError):
        collection.sync(cancel=cancel)
    assert len(collection) == N


def test_images_that_were_edited_stay_in_their_clusters_also_where_a_sync_is_stopped(photos, tmp_path):
    sizes = []
    for is_stopped in (False, True):
        for number in range(0, N, 3):
            picture(number, 24).save(photos / "kind-0" / f"{number:02}.png")
        home = tmp_path / f"home-{is_stopped}"
        home.mkdir()
        collection = Collection.create(home, MODEL, with_root=False)
        collection.add_root(photos)
        collection.sync()
        collection.clusterings.make(k=3)
        collection.clusterings.rename("kmeans", 0, "first")
        for number in range(0, N, 3):
            file = photos / "kind-0" / f"{number:02}.png"
            picture(number, 96).resize((24, 24)).save(file)
            os.utime(file, (number, number))
        if is_stopped:
            stop = StopsEmbedding(5)
            with pytest.raises(CancelledError):
                collection.sync(report=stop, cancel=stop.cancel, jobs=1, commit_seconds=0)
        collection.sync()
        found = collection.clusterings.get("kmeans").clusters
        assert "first" in [cluster.name for cluster in found]
        sizes.append(sorted((cluster.name or "", cluster.size) for cluster in found))
    assert sizes[0] == sizes[1]


def same_clusters(found) -> Any:
    return found.ids.tolist(), found.numbers.tolist()


def labels_of(photos: Path) -> Path:
    table = photos.parent / "labels.csv"
    lines = [f"kind-{n % 3}/{n:02}.png,kind-{n % 3}" for n in range(N)]
    table.write_text("\n".join(["path,label", *lines]))
    return table


WORK: dict[str, Callable[..., Any]] = {
    **{
        algorithm: lambda of, algorithm=algorithm, **told: same_clusters(
            of.collection.clusterings.make(algorithm, **told)
        )
        for algorithm in ("kmeans", "hierarchical", "dbscan", "hdbscan", "spectral", "agglomerative")
    },
    "kmeans in batches": lambda of, **told: same_clusters(
        of.collection.clusterings.make("kmeans", 4, in_batches=True, **told)
    ),
    "try_ks": lambda of, **told: of.collection.clusterings.try_ks([2, 3, 5], **told).inertias,
    "try_distances": lambda of, **told: of.collection.clusterings.try_distances(**told).eps,
    **{
        method: lambda of, method=method, **told: of.collection.maps.make(method, **told).points.tolist()
        for method in ("tsne", "pca")
    },
    "map kept": lambda of, **told: of.collection.maps.make_or_place(
        "pca", method="pca", new=True, **told
    ).map.points.tolist(),
    "reduce": lambda of, **told: of.collection.models.reduce(4, **told)[: len(MODEL) + 5],
    "retrieval": lambda of, **told: (
        of.collection.evaluation.retrieval(labels=of.table, **told).scores["P@1"].mean
    ),
    "clusterings": lambda of, **told: (
        of.collection.evaluation.clusterings(labels=of.table, **told).clusterings[0].silhouette
    ),
    "indexes": lambda of, **told: [
        point.recall
        for figures in of.collection.evaluation.indexes(
            kinds=["exact", "kmeans-tree"], n_queries=4, **told
        ).indexes
        for point in figures.points
    ],
    "search by a new index": lambda of, **told: [
        hit.path for hit in of.fresh().search(of.query, k=5, index="kmeans-tree", **told).hits
    ],
}


@pytest.fixture
def of(collection, photos) -> SimpleNamespace:
    """What the work is about."""
    collection.clusterings.make(k=3, name="kept")

    def fresh() -> Collection:
        for index in (collection.folder / "indexes").glob("*-kmeans-tree/*/*"):
            index.unlink()
        return Collection.open(collection.folder)

    return SimpleNamespace(
        collection=collection, table=labels_of(photos), query=str(photos / "kind-0/00.png"), fresh=fresh
    )


@pytest.mark.parametrize("kind", WORK)
def test_work_that_is_stopped_at_any_report_leaves_nothing_and_can_be_done_again(of, kind):
    told = StopsAt()
    expected = WORK[kind](of, report=told)
    assert told.n_told, "it tells nobody how far it has come"
    names = (of.collection.clusterings.names(), of.collection.maps.names(), of.collection.models.names())
    for n in moments(told.n_told):
        stop = StopsAt(n)
        started = time.monotonic()
        try:
            WORK[kind](of, report=stop, cancel=stop.cancel)
        except CancelledError:
            assert stop.n_told == n
        else:  # it was the last report, after which there is nothing to stop
            assert n >= told.n_told - 1
        assert time.monotonic() - started < 30
        assert left_over(of.collection) == []
        assert_unlocked(of.collection)
        if kind != "reduce":  # each makes a model of its own
            assert of.collection.clusterings.names() == names[0]
            assert of.collection.models.names() == names[2]
    assert WORK[kind](of, report=told) == expected


def test_an_export_that_is_stopped_leaves_nothing(of, tmp_path):
    place = tmp_path / "exports"
    place.mkdir()
    for form in ("csv", "json", "copy", "symlink"):
        told = StopsAt()
        of.collection.clusterings.export("kept", place / f"whole-{form}", form, report=told)
        for n in range(1, told.n_told + 1):
            stop = StopsAt(n)
            with pytest.raises(CancelledError):
                of.collection.clusterings.export("kept", place / form, form, report=stop, cancel=stop.cancel)
        assert sorted(path.name for path in place.iterdir() if not path.name.startswith("whole-")) == []
        of.collection.clusterings.export("kept", place / f"again-{form}", form)
        for path in [*place.iterdir()]:
            path.rename(tmp_path / path.name)


def test_a_model_that_was_being_reduced_is_complete_after_the_next_sync(collection, monkeypatch):
    monkeypatch.setattr("lookalike.collection.models.reducing.COMMIT_IMAGES", 10)
    told = StopsAt()
    name = collection.models.reduce(4, report=told)
    n = told.phases.index("reducing") + 1
    stop = StopsAt(n)
    with pytest.raises(CancelledError):
        collection.models.reduce(5, report=stop, cancel=stop.cancel)
    collection.sync()
    for each in collection.models.names():
        assert len(collection.vectors(each)[0]) == N
    assert name in collection.models.names()


def test_images_are_placed_and_assigned_after_a_stop(collection, photos):
    collection.maps.make("tsne")
    collection.clusterings.make(k=3)
    for number in range(N, N + 6):
        picture(number, 24).save(photos / f"kind-0/{number}.png")
    collection.sync()
    for call in (
        lambda **told: collection.maps.place("tsne", **told)[1],
        lambda **told: collection.clusterings.assign("kmeans", **told)[1],
    ):
        stop = StopsAt(1)
        with pytest.raises(CancelledError):
            call(report=stop, cancel=stop.cancel)
        assert call() == 6


@pytest.mark.parametrize("kind", ["sync", "make", "search"])
def test_a_report_that_cannot_be_called_is_refused(collection, kind):
    call = {
        "sync": collection.sync,
        "make": collection.clusterings.make,
        "search": lambda **told: collection.search(np.zeros((8, 8, 3), np.uint8), **told),
    }[kind]
    with pytest.raises(InvalidInputError, match="report is 3; expected a function"):
        call(report=3)
    with pytest.raises(InvalidInputError, match=r"cancel is 3; expected a lookalike\.CancelToken"):
        call(cancel=3)


def test_what_a_report_raises_ends_the_work_in_order(photos):
    collection = Collection.create(photos, MODEL)

    def fail(progress):
        if progress.phase == "embedding" and progress.done > 10:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        collection.sync(report=fail)
    assert_unlocked(collection)
    assert 10 < len(collection) < N
    assert collection.sync().unchanged > 10
