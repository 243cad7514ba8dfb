"""Vectors that are brought along: searched, clustered, drawn, measured; and never embedded here."""

import io

import numpy as np
import pytest

from lookalike import (
    CancelledError,
    CancelToken,
    Collection,
    ImageRef,
    InvalidInputError,
    ModelConflictError,
    ModelInputError,
    QueryInputError,
    Vector,
    Words,
)
from lookalike.collection.adding import Addition
from pictures import picture

MODEL = "pixels-8-grey"


@pytest.fixture
def collection(photos):
    made = Collection.create(photos, model=MODEL)
    made.sync()
    return made


@pytest.fixture
def images(collection):
    """The ids of the six images, by path."""
    return [int(collection.image_info(path).id) for path in sorted(collection.roots[0].rglob("*.png"))]


@pytest.fixture
def vectors():
    return np.random.default_rng(0).normal(size=(6, 12)).astype(np.float32)


def test_they_are_searched_like_those_of_any_model(collection, images, vectors):
    report = collection.add_vectors("ours", images, vectors)
    assert (report.added, report.changed, report.unchanged, report.failed) == (6, 0, 0, 0)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    hits = collection.search(ImageRef(images[0]), model="ours", k=5).hits
    expected = sorted(range(1, 6), key=lambda row: -unit[row] @ unit[0])
    assert [hit.id for hit in hits] == [images[row] for row in expected]
    assert hits[0].score == pytest.approx(float(unit[expected[0]] @ unit[0]), abs=1e-5)
    assert collection.search(Vector(vectors[3]), model="ours", k=1).hits[0].id == images[3]
    row = collection.models.get("ours")
    assert (row.dimension, row.metric, row.can_embed, row.has_text) == (12, "cosine", False, False)
    assert "ours" in collection.models.names()
    assert collection.info().models["ours"] == 6


def test_they_are_clustered_drawn_measured_and_reduced(collection, images, vectors):
    collection.add_vectors("ours", images, vectors)
    assert collection.clusterings.make("kmeans", 2, model="ours").model == "ours"
    assert collection.maps.make("pca", model="ours").model == "ours"
    assert collection.evaluation.retrieval(model="ours").model == "ours"
    assert collection.models.reduce(3, model="ours") == "ours+pca3"
    vectors[0] = vectors[1]
    collection.add_vectors("ours", images, vectors)
    assert collection.search(ImageRef(images[0]), model="ours+pca3", k=1).hits[0].id == images[1]
    assert collection.search(ImageRef(images[0]), model="ours", k=1).hits[0].id == images[1]


def test_euclidean_ones_are_compared_as_they_are(collection, images):
    vectors = np.arange(6)[:, None] * np.array([[3.0, 4.0]])
    collection.add_vectors("ours", images, vectors, metric="euclidean")
    hits = collection.search(ImageRef(images[0]), model="ours", k=2).hits
    assert [hit.distance for hit in hits] == pytest.approx([5, 10])


def test_nothing_is_embedded_with_them(collection, images, vectors, photos, tmp_path):
    collection.add_vectors("ours", images, vectors)
    picture(50).save(photos / "new.png")
    assert collection.sync().embedded == 1
    assert collection.info().models == {MODEL: 7, "ours": 6}
    picture(51).save(tmp_path / "other.png")
    for query in (tmp_path / "other.png", picture(52)):
        with pytest.raises(ModelInputError, match="brought along"):
            collection.search(query, model="ours")
    with pytest.raises(QueryInputError, match="knows only images"):
        collection.search(Words("a lighthouse"), model="ours")
    with pytest.raises(ModelInputError, match="brought along"):
        collection.sync(model="ours")
    with pytest.raises(ModelInputError, match="brought along"):
        collection.sync(model="ours", dry_run=True)
    # A file of the collection is known by its content.
    assert collection.search(photos / "cats/0.png", model="ours").hits


def test_what_is_there_is_left_as_it_is(collection, images, vectors):
    collection.add_vectors("ours", images, vectors)
    table = collection.folder / "vectors/ours.lance/_versions"
    before = sorted(path.name for path in table.iterdir())
    again = collection.add_vectors("ours", images, vectors)
    assert (again.unchanged, again.added, again.changed) == (6, 0, 0)
    assert sorted(path.name for path in table.iterdir()) == before
    vectors[2] *= -1
    assert collection.add_vectors("ours", images, vectors).changed == 1


def test_images_are_named_by_id_path_or_key(collection, images, vectors, photos):
    stream = io.BytesIO()
    picture(60).save(stream, "PNG")
    collection.add([(stream.getvalue(), "k")])
    hex_id = collection.image_info(photos / "cats/1.png").hex_id
    named = ["cats/0.png", hex_id, "photos:cats/2.png", "added:k", photos / "dogs/3.png", np.int64(images[4])]
    assert collection.add_vectors("ours", named, vectors).added == 6
    assert collection.search("added:k", model="ours", k=9).hits[0]


def test_what_is_wrong_with_one_costs_the_others_nothing(collection, images, vectors):
    vectors[0, 3] = np.nan
    vectors[1] = 0
    vectors[2, 0] = np.inf
    named = [*images[:4], 12345, images[3]]
    report = collection.add_vectors("ours", named, vectors)
    assert report.added == 1
    reasons = [failure.reason for failure in report.failures]
    assert len(reasons) == 5
    assert "not finite" in reasons[0]
    assert "no direction" in reasons[1]
    assert "no image" in reasons[3]
    assert "second time" in reasons[4]


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (np.zeros(6), "shape"),
        (np.zeros((6, 0)), "shape"),
        (np.zeros((5, 3)), "6 images and 5 vectors"),
        ([["a"] * 3] * 6, "numbers"),
        (np.zeros((6, 3), bool), "bool"),
        ([[1, 2], [1]] * 3, "shape"),
        (None, "numbers"),
        (np.zeros((6, 3), complex), "numbers"),
    ],
)
def test_what_are_no_vectors_is_refused(collection, images, vectors, said):
    with pytest.raises(InvalidInputError, match=said):
        collection.add_vectors("ours", images, vectors)
    assert "ours" not in collection.models.names()


def test_dimension_and_metric_stay(collection, images, vectors):
    collection.add_vectors("ours", images, vectors)
    with pytest.raises(InvalidInputError, match="7 dimensions; those of ours have 12"):
        collection.add_vectors("ours", images, vectors[:, :7])
    with pytest.raises(ModelConflictError, match="cosine, not euclidean"):
        collection.add_vectors("ours", images, vectors, metric="euclidean")
    with pytest.raises(InvalidInputError, match="metric"):
        collection.add_vectors("other", images, vectors, metric="dot")


@pytest.mark.parametrize(
    "name", ["", "Ours", "a b", "../x", "x.onnx", "x+pca3", "-x", "x" * 65, 5, None, "ü"]
)
def test_a_name_is_one_that_a_file_can_have(collection, images, vectors, name):
    with pytest.raises(InvalidInputError, match="model is"):
        collection.add_vectors(name, images, vectors)


@pytest.mark.parametrize("name", [MODEL, "lite0", "pixels-16-grey"])
def test_a_model_that_embeds_itself_takes_none(collection, images, vectors, name):
    with pytest.raises(ModelConflictError, match="already"):
        collection.add_vectors(name, images, vectors)


def test_they_come_with_added_images_once_the_model_is_there(collection, images, vectors):
    collection.add_vectors("ours", images, vectors)
    streams = [io.BytesIO() for _ in range(3)]
    for number, stream in enumerate(streams):
        picture(70 + number).save(stream, "PNG")
    additions = [
        Addition(streams[0].getvalue(), "a", vectors={"ours": vectors[0]}),
        Addition(streams[1].getvalue(), "b", vectors={"ours": vectors[0][:5]}),
        Addition(streams[2].getvalue(), "c", vectors={MODEL: vectors[0]}),
    ]
    report = collection.add(additions)
    assert [image.outcome for image in report.images] == ["added", "failed", "failed"]
    assert collection.search("added:a", model="ours", k=1).hits[0].id == images[0]
    assert "brought along" in report.images[2].reason


def test_it_is_stopped_between_batches(collection, images, vectors, monkeypatch):
    monkeypatch.setattr("lookalike.collection.own_vectors._AT_ONCE", 2)
    token = CancelToken()
    with pytest.raises(CancelledError):
        collection.add_vectors("ours", images, vectors, report=lambda progress: token.cancel(), cancel=token)
    again = collection.add_vectors("ours", images, vectors)
    assert (again.unchanged, again.added) == (4, 2)
    assert len(collection.search(Vector(vectors[0]), model="ours", k=9).hits) == 6
