"""Answers are of images that lie somewhere, whatever a sync has left half done.

A sync writes vectors, then images, then files, and takes away in the other order. After each of its commits
the disk is looked at as it would be found after a kill, by plain reading of the tables.
"""

import io
import shutil

import lance
import pytest
from states_between import noting

from lookalike import Collection, Filter, ImageRef
from lookalike.errors import CollectionConflictError
from pictures import picture

MODEL, OTHER = "pixels-8-grey", "pixels-8-rgb"
KINDS = ("exact", "kmeans-tree", "kdtree", "ivf-rq")


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    """The states of a first index, a refresh, a second model, a prune, a reread, an addition, a removal."""
    folder = tmp_path_factory.mktemp("states")
    photos, places = folder / "photos", folder / "places"
    found = []

    def note(place, what):
        found.append((place, f"{doing}, {what}"))

    for number in range(9):
        (photos / f"c{number % 3}").mkdir(parents=True, exist_ok=True)
        picture(number).save(photos / f"c{number % 3}" / f"{number}.png")
    stream = io.BytesIO()
    picture(50).save(stream, "PNG")
    collection = Collection.create(photos, model=MODEL)
    with noting(places, note):
        doing = "the first index"
        collection.sync(commit_seconds=0, jobs=1)
        picture(20).save(photos / "c0/0.png")
        picture(21).save(photos / "c0/3.png")
        (photos / "c1/1.png").rename(photos / "c1/one.png")
        (photos / "c2/2.png").unlink()
        picture(22).save(photos / "c2/22.png")
        doing = "a refresh"
        collection.sync(jobs=1)
        doing = "a second model"
        collection.sync(model=OTHER, jobs=1)
        shutil.rmtree(photos / "c1")
        doing = "a prune"
        collection.sync(prune=True, jobs=1)
        doing = "a reread"
        collection.sync(reread=True, jobs=1)
        doing = "an addition"
        collection.add([(stream.getvalue(), "key")], jobs=1)
        doing = "a removal"
        collection.remove(["key"])
    return found


def ids_of(place, table):
    """Return the ids in a table, read without any of ours."""
    folder = place / ".lookalike" / table
    if not (folder / "_versions").is_dir():
        return set()
    return set(lance.dataset(str(folder)).to_table(columns=["id"])["id"].to_pylist())


def test_every_answer_is_of_images_that_lie_somewhere(states):
    assert len(states) > 60
    orphans = 0
    for number, (place, what) in enumerate(states):
        files, images = ids_of(place, "files.lance"), ids_of(place, "images.lance")
        if number % 6 and files == images | ids_of(place, f"vectors/{MODEL}.lance"):
            continue
        assert files <= images, what
        orphans += len(images - files)
        with Collection.open(place, above=False) as photos:
            assert (len(photos), photos.count(), photos.info().images) == (len(files),) * 3, what
            assert sum(photos.info().formats.values()) == len(files), what
            assert set(photos.browse().ids.tolist()) == files, what
            assert sum(photos.facets(names=["formats"])["formats"].counts.values()) == len(files), what
            for model in (MODEL, OTHER):
                there = files & ids_of(place, f"vectors/{model}.lance")
                assert photos.info().models.get(model, 0) == len(there), what
                if there:
                    hits, _ = photos.vectors(model)
                    assert {hit.id for hit in hits} == there, what
                    check_searches(photos, model, there, KINDS[number % len(KINDS)], what)
                    if number % 12 == 0:
                        check_what_is_made(photos, model, there, what)
    assert orphans > 15


def check_searches(photos, model, there, kind, what):
    """Ask for few, for all and for more, of all and of those that pass a filter."""
    query = ImageRef(min(there))
    n = len(there) - 1
    has_added = "addition" in what or "removal" in what  # which lie in no folder of the user's
    by_place = Filter(min_size=1) if has_added else Filter(folders=[photos.folder.parent])
    for k in (1, max(n, 1), 100):
        for where in (Filter(), Filter(min_size=1), by_place):
            result = photos.search(query, k=k, model=model, index=kind, where=where)
            assert (len(result.hits), result.total) == (min(k, n), n), (what, kind, k)
            assert set(result.hits.ids.tolist()) <= there, (what, kind, k)
    colored = photos.search(color="#808080", k=100)
    assert (set(colored.hits.ids.tolist()) <= there, len(colored.hits)) == (True, colored.total), what


def check_what_is_made(photos, model, there, what):
    """What is made of all vectors is made of those of images that lie somewhere."""
    if len(there) < 4:
        return
    made = photos.clusterings.make(k=2, model=model, name="two")
    assert sum(cluster.size for cluster in made.clusters) == len(there), what
    assert len(photos.maps.make("pca", model=model, name="flat").images) == len(there), what
    assert photos.evaluation.retrieval(model=model, index="exact").n_images <= len(there), what
    photos.export(None, photos.folder.parent / "all.csv", force=True)
    rows = (photos.folder.parent / "all.csv").read_text().splitlines()[1:]
    assert len(rows) >= len(there), what
    photos.models.reduce(2, model)
    compared = photos.evaluation.indexes(model=model, k=1, kinds=["exact"], n_queries=2)
    assert compared.n_vectors == len(there) - 2, what


def test_of_a_collection_without_files_it_is_said_that_it_holds_no_images(states):
    place, _ = next(each for each in states if not ids_of(each[0], "files.lance"))
    with Collection.open(place, above=False) as photos:
        with pytest.raises(CollectionConflictError, match="holds no images"):
            photos.clusterings.make()
        with pytest.raises(CollectionConflictError, match="holds no images"):
            photos.models.reduce(2)
