"""Searches for what is of the same kind, and what is kept for them."""

import shutil

import numpy as np
import pytest

from lookalike import (
    CancelledError,
    CancelToken,
    Collection,
    Filter,
    ImageRef,
    InvalidInputError,
    SearchRequest,
    Vector,
    Words,
)
from lookalike.collection import same_kind
from lookalike.index.smoothing import Smoothing
from pictures import picture

MODEL = "pixels-8-grey"
N, D = 40, 12


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "photos"
    place.mkdir()
    for number in range(N):
        picture(number).save(place / f"{number:02}.png")
    return place


@pytest.fixture
def collection(folder):
    made = Collection.create(folder, model=MODEL)
    made.sync()
    return made


@pytest.fixture
def images(collection, folder):
    """The ids of the images, by name."""
    return np.array([int(collection.image_info(path).id) for path in sorted(folder.glob("*.png"))])


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.fixture
def vectors():
    return unit(np.random.default_rng(0).normal(size=(N + 4, D))).astype(np.float32)


@pytest.fixture
def ours(collection, images, vectors):
    collection.add_vectors("ours", images, vectors[:N])
    return collection


def drawn(question, rows, k=10, but=()):
    """What is drawn to its k nearest, by the formula, in float64."""
    near = rows @ question
    near[list(but)] = -np.inf
    nearest = np.argsort(-near)[:k]
    return unit(question + (np.maximum(near[nearest], 0) ** 3) @ rows[nearest])


def expected_scores(question, rows, but=()):
    """The scores of all rows."""
    rows = rows.astype(np.float64)
    smoothed = np.array([drawn(row, rows, but=[at]) for at, row in enumerate(rows)])
    return smoothed @ drawn(question.astype(np.float64), rows, but=but)


def kept(collection):
    return sorted((collection.folder / "indexes").glob("ours-same-kind/*/index.json"))


def test_hits_are_ranked_by_what_is_drawn_to_its_nearest(ours, images, vectors):
    found = ours.search(Vector(vectors[N]), model="ours", k=N, same_kind=True)
    scores = expected_scores(vectors[N], vectors[:N])
    order = np.argsort(-scores)
    assert [hit.id for hit in found.hits] == images[order].tolist()
    assert [hit.score for hit in found.hits] == pytest.approx(scores[order], abs=1e-5)
    assert found.request.same_kind and found.is_proved
    plain = [hit.id for hit in ours.search(Vector(vectors[N]), model="ours", k=N).hits]
    assert plain != [hit.id for hit in found.hits]


def test_an_image_of_the_collection_is_not_drawn_to_itself(ours, images, vectors):
    found = ours.search(ImageRef(int(images[5])), model="ours", k=N - 1, same_kind=True)
    scores = expected_scores(vectors[5], vectors[:N], but=[5])
    order = [row for row in np.argsort(-scores) if row != 5]
    assert [hit.id for hit in found.hits] == images[order].tolist()
    with_it = ours.search(ImageRef(int(images[5])), model="ours", k=N, same_kind=True, include_self=True)
    assert {hit.id for hit in with_it.hits} == set(images.tolist())


def test_filters_choose_among_hits_and_draw_nothing(ours, images, vectors):
    where = Filter(ids=[int(image) for image in images[10:13]])
    found = ours.search(Vector(vectors[N]), model="ours", k=10, same_kind=True, where=where)
    scores = expected_scores(vectors[N], vectors[:N])
    assert [hit.id for hit in found.hits] == [images[row] for row in np.argsort(-scores) if 10 <= row < 13]


def test_it_is_kept_and_used_again(ours, images, vectors, monkeypatch):
    first = ours.search(Vector(vectors[N]), model="ours", same_kind=True)
    assert len(kept(ours)) == 1
    monkeypatch.setattr(Smoothing, "of", None)  # whoever makes one anew fails
    again = Collection.open(ours.roots[0]).search(Vector(vectors[N]), model="ours", same_kind=True)
    assert [hit.id for hit in again.hits] == [hit.id for hit in first.hits]


def test_what_has_come_and_gone_is_mended_and_much_is_made_anew(ours, folder, images, vectors, monkeypatch):
    ours.search(Vector(vectors[N]), model="ours", same_kind=True)
    made = []
    of = Smoothing.of
    monkeypatch.setattr(Smoothing, "of", lambda *given: made.append(1) or of(*given))

    def check(names, rows, n_made):
        found = ours.search(Vector(vectors[N]), model="ours", k=len(rows), same_kind=True)
        scores = expected_scores(vectors[N], rows)
        order = np.argsort(-scores)
        assert [hit.path.split("/")[-1] for hit in found.hits] == [names[row] for row in order]
        assert [hit.score for hit in found.hits] == pytest.approx(scores[order], abs=1e-5)
        assert len(made) == n_made and len(kept(ours)) == 1

    (folder / "07.png").unlink()
    for number in (N, N + 1):
        picture(number).save(folder / f"{number:02}.png")
    ours.sync()
    ours.add_vectors("ours", [str(folder / f"{number:02}.png") for number in (N, N + 1)], vectors[N : N + 2])
    rows = [row for row in range(N + 2) if row != 7]
    check([f"{row:02}.png" for row in rows], vectors[rows], 0)
    for number in range(10, 20):
        (folder / f"{number}.png").unlink()
    ours.sync()
    rows = [row for row in rows if not 10 <= row < 20]
    check([f"{row:02}.png" for row in rows], vectors[rows], 1)


def test_vectors_that_are_written_anew_are_smoothed_anew(ours, images, vectors):
    ours.search(Vector(vectors[N]), model="ours", same_kind=True)
    changed = vectors[:N].copy()
    changed[3] = unit(vectors[N] + 0.01)
    ours.add_vectors("ours", images, changed)
    found = ours.search(Vector(vectors[N]), model="ours", k=N, same_kind=True)
    scores = expected_scores(vectors[N], changed)
    assert [hit.id for hit in found.hits] == images[np.argsort(-scores)].tolist()


def test_what_is_damaged_or_gone_is_made_again(ours, vectors):
    first = ours.search(Vector(vectors[N]), model="ours", same_kind=True)
    place = kept(ours)[0].parent
    (place / "neighbors.npy").write_bytes(b"no array")
    again = Collection.open(ours.roots[0])
    assert [hit.id for hit in again.search(Vector(vectors[N]), model="ours", same_kind=True).hits] == [
        hit.id for hit in first.hits
    ]
    shutil.rmtree(ours.folder / "indexes")
    third = Collection.open(ours.roots[0]).search(Vector(vectors[N]), model="ours", same_kind=True)
    assert [hit.id for hit in third.hits] == [hit.id for hit in first.hits]


def test_the_check_knows_what_is_kept(ours, vectors):
    ours.search(Vector(vectors[N]), model="ours", same_kind=True)
    assert not ours.check().damages
    (kept(ours)[0].parent / "lengths.npy").write_bytes(b"no array")
    (damage,) = ours.check().damages
    assert damage.part == "index" and "ours-same-kind" in damage.place


def test_a_tiny_collection_has_a_kind_too(tmp_path):
    place = tmp_path / "one"
    place.mkdir()
    picture(0).save(place / "0.png")
    one = Collection.create(place, model=MODEL)
    one.sync()
    one.add_vectors("ours", [place / "0.png"], [[3.0, 4.0]])
    hit = one.search(Vector([4.0, 3.0]), model="ours", same_kind=True).hits[0]
    assert hit.score == pytest.approx(expected_scores(np.array([0.8, 0.6]), np.array([[0.6, 0.8]]))[0])


def test_models_of_euclidean_distances_have_none(collection, folder):
    with pytest.raises(InvalidInputError, match="same_kind is for vectors that are compared by cosine"):
        collection.search(folder / "00.png", same_kind=True)


@pytest.mark.parametrize("how", [{"index": "kdtree"}, {"index": "kdtree", "mode": "leaf"}])
def test_no_index_is_named_beside_it(how):
    with pytest.raises(InvalidInputError, match="index is 'kdtree', but all images are looked at"):
        SearchRequest(like=[ImageRef(1)], same_kind=True, **how)


@pytest.mark.parametrize("name", ["same_kind", "verify"])
def test_a_colour_alone_is_of_no_kind_and_cannot_be_laid_on_images(collection, name):
    with pytest.raises(InvalidInputError, match=f"{name} is given, but a colour is all"):
        collection.search(color="red", **{name: True})


def test_a_colour_beside_a_query_is_a_filter(ours, images):
    hits = ours.search(ImageRef(int(images[0])), model="ours", color="red", same_kind=True, k=N).hits
    plain = ours.search(ImageRef(int(images[0])), model="ours", color="red", k=N).hits
    assert {hit.id for hit in hits} == {hit.id for hit in plain}


def test_it_stands_in_requests_and_query_strings():
    request = SearchRequest(like=[ImageRef(255)], same_kind=True)
    assert request.to_query_string() == "like=id:00000000000000ff&same_kind=true"
    assert SearchRequest.from_query_string(request.to_query_string()) == request
    assert SearchRequest.from_dict(request.to_dict()) == request


def test_it_can_be_stopped(ours, vectors):
    token = CancelToken()

    def report(progress):
        if progress.phase == "neighbors":
            token.cancel()

    with pytest.raises(CancelledError):
        ours.search(Vector(vectors[N]), model="ours", same_kind=True, report=report, cancel=token)
    assert not kept(ours)
    assert len(ours.search(Vector(vectors[N]), model="ours", same_kind=True).hits) == 10


def test_a_place_that_cannot_be_written_to_costs_only_time(ours, vectors, monkeypatch):
    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(same_kind, "put_index", full)
    assert len(ours.search(Vector(vectors[N]), model="ours", same_kind=True).hits) == 10
    assert not kept(ours)


def test_what_it_costs_is_timed_beside_the_indexes(ours):
    found = ours.evaluation.indexes("ours", kinds=["exact"], n_queries=4, same_kind=True)
    assert found.same_kind.size == N * (8 + 10 * 8 + 4) and found.same_kind.queries_per_second > 0
    assert found.to_dict()["same_kind"]["bytes"] == found.same_kind.size
    assert ours.evaluation.indexes("ours", kinds=["exact"], n_queries=4).to_dict()["same_kind"] is None
    with pytest.raises(InvalidInputError, match="compared by euclidean distance"):
        ours.evaluation.indexes(kinds=["exact"], n_queries=4, same_kind=True)


def test_the_commands_take_it(ours, folder, images, call):
    code, out, err = call("search", folder / "03.png", "--model", "ours", "--same-kind", "-k", 3, cwd=folder)
    assert code == 0, err
    assert len(out.splitlines()) == 3
    code, out, err = call("bench", "--model", "ours", "--index", "exact", "--same-kind", cwd=folder)
    assert code == 0, err
    assert "same kind: " in out and "one by one; the nearest of all found in" in out
    code, _, err = call("search", folder / "03.png", "--same-kind", cwd=folder)
    assert code == 2 and "same_kind is for vectors that are compared by cosine" in err


def test_words_that_classes_answer_are_of_no_kind(folder):
    (folder / "words").mkdir()
    made = Collection.create(folder / "words", model="lite0-deep-int8")
    with pytest.raises(
        InvalidInputError, match="same_kind is given, but lite0-deep-int8 has no vectors of words"
    ):
        made.search(Words("dog"), same_kind=True)
