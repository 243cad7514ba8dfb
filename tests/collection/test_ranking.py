"""A search ranks; what it found is described when it is looked at, as it was then."""

import pickle

import numpy as np
import pytest

from lookalike import Collection, Filter, Hit, ImageRef
from lookalike.collection import searching
from lookalike.types import ImageId
from pictures import picture

MODEL = "pixels-8-grey"
N = 40


@pytest.fixture
def folder(tmp_path):
    """Pictures of which some are there twice."""
    folder = tmp_path / "photos"
    for number in range(N):
        place = folder / ("even" if number % 2 == 0 else "odd")
        place.mkdir(parents=True, exist_ok=True)
        picture(number).save(place / f"{number:02}.png")
    for number in range(5):
        picture(number).save(folder / f"copy-{number}.png")
    return folder


@pytest.fixture
def collection(folder):
    made = Collection.create(folder, model=MODEL)
    made.sync()
    return made


@pytest.fixture
def described(monkeypatch):
    """The ids of hits that have been described."""
    described, make_hit = [], searching.make_hit

    def remember(rank, image, *rest):
        described.append(image)
        return make_hit(rank, image, *rest)

    monkeypatch.setattr(searching, "make_hit", remember)
    return described


def test_a_search_describes_nothing_until_it_is_looked_at(collection, folder, described):
    result = collection.search(folder / "copy-0.png", k=20)
    assert (len(result.hits), result.ids.shape, result.distances.shape) == (20, (20,), (20,))
    assert described == []
    assert result.hits[4].rank == 5
    assert described == result.ids.tolist()
    assert [hit.id for hit in result.hits] == result.ids.tolist()
    assert [hit.distance for hit in result.hits] == result.distances.tolist()
    assert len(described) == 20


def test_arrays_of_a_result_are_what_its_hits_say(collection, folder):
    result = collection.search(folder / "copy-0.png", k=20, include_self=True)
    assert result.hits[0].paths == (str(folder / "copy-0.png"), str(folder / "even/00.png"))
    assert result.scores is None  # euclidean
    assert [hit.score for hit in result.hits] == [None] * 20
    red = collection.search(color="red", k=100)
    assert len(red.hits) > 0
    assert [hit.score for hit in red.hits] == red.scores.tolist()


def test_hits_are_described_as_they_were_found(collection, folder):
    result = collection.search(folder / "copy-0.png", k=100)
    wanted = collection.search(folder / "copy-0.png", k=100).hits[:]
    before = tuple(wanted)
    (folder / "even").rename(folder / "moved")
    for number in range(20, 24):
        (folder / "moved" / f"{number}.png").unlink(missing_ok=True)
    collection.sync()
    assert collection.search(folder / "copy-0.png", k=100).hits != before
    assert result.hits == before


@pytest.mark.parametrize("where", [None, Filter(labels="even"), Filter(min_size=1)])
@pytest.mark.parametrize("is_read_already", [False, True])
def test_an_answer_is_full_although_images_lie_nowhere(
    collection, folder, where, is_read_already, monkeypatch
):
    if is_read_already:
        collection.snapshot().files  # noqa: B018
    else:
        monkeypatch.setattr("lookalike.collection.snapshot._SOON_READ", 0)
    others = collection.search(ImageRef(_id(collection, folder / "copy-0.png")), k=100, where=where)
    nearest = [hit.id for hit in others.hits[:30:3]]
    rows = collection._store.files.read(["path", "id"]).to_pylist()
    collection._store.files.delete([row["path"] for row in rows if row["id"] in nearest])  # not swept yet
    left = [hit.id for hit in others.hits if hit.id not in nearest]
    for k in (1, 5, len(left), 100, 100_000):
        result = Collection.open(folder).search(folder / "copy-0.png", k=k, where=where)
        assert result.ids.tolist() == left[:k]
        assert [hit.id for hit in result.hits] == left[:k]
        assert [hit.rank for hit in result.hits] == list(range(1, min(k, len(left)) + 1))


def _id(collection, path):
    return collection.image_info(path).id


def test_a_result_pickles_and_is_equal(collection, folder):
    collection.clusterings.make("kmeans", k=3, name="three")
    collection.clusterings.rename("three", 0, "nice")
    result = collection.search(folder / "copy-0.png", k=100, where=Filter(labels=["even", "nice"]))
    copy = pickle.loads(pickle.dumps(result))
    assert (
        copy
        == result
        == collection.search(folder / "copy-0.png", k=100, where=Filter(labels=["even", "nice"]))
    )
    assert copy != collection.search(folder / "copy-1.png", k=100, where=Filter(labels=["even", "nice"]))
    assert np.array_equal(copy.ids, result.ids)
    assert {type(hit) for hit in copy.hits} == {Hit}
    hit = next(hit for hit in result.hits if hit.clusters)
    assert pickle.loads(pickle.dumps(hit)) == hit
    assert pickle.loads(pickle.dumps(Hit(1, ImageId(2), ("a",), 0.5, None, None))).clusters == {}


def test_pictures_as_queries_are_equal_by_what_was_asked(collection, folder):
    picture(99).save(folder.parent / "stranger.png")
    first, again = (collection.search(folder.parent / "stranger.png", k=3) for _ in range(2))
    assert first == again == pickle.loads(pickle.dumps(first))
    assert hash(first.queries[0]) == hash(again.queries[0])
