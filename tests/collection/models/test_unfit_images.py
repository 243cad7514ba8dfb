"""Images that a model gives no vector for: rows in `failures`, and nothing else is touched."""

import numpy as np
import pytest
from PIL import Image

import strange_models
from lookalike import Collection, QueryError
from lookalike.store import Store

DARK, BRIGHT = ("dark.png", "dark too.png"), ("red.png", "green.png", "grey.png")


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "photos"
    place.mkdir()
    for name, colour in {
        "red.png": (250, 90, 90),
        "green.png": (80, 250, 80),
        "grey.png": (150, 150, 150),
        "dark.png": (3, 4, 5),
        "dark too.png": (9, 1, 2),
    }.items():
        Image.new("RGB", (16, 16), colour).save(place / name)
    return place


def model(tmp_path, make):
    file = tmp_path / f"{make.__name__}.onnx"
    file.write_bytes(make())
    return str(file)


def stored(collection):
    """Return all vectors that are kept, by model."""
    return {
        name: np.array(table.read(["embedding"])["embedding"].to_pylist())
        for name, table in Store(collection.folder).vector_tables().items()
    }


KINDS = {
    strange_models.not_finite_for_dark: "gives numbers for it that are not finite",
    strange_models.zeros_for_dark: "gives only zeros for it",
    strange_models.fails_for_dark: "cannot embed images",
}


@pytest.mark.parametrize("make", KINDS)
def test_only_the_images_that_a_model_has_no_vector_for_are_failures(make, folder, tmp_path):
    collection = Collection.create(folder, model(tmp_path, make))
    report = collection.sync()
    assert {(each.path.rpartition("/")[2]) for each in report.failures} == set(DARK)
    assert all(KINDS[make] in each.reason and make.__name__ in each.reason for each in report.failures)
    assert (report.added, report.failed, len(collection)) == (3, 2, 3)
    [vectors] = stored(collection).values()
    assert vectors.shape == (3, 3) and np.isfinite(vectors).all()
    again = collection.sync()
    assert (again.failed, again.added, len(collection)) == (2, 0, 3)


@pytest.mark.parametrize("make", KINDS)
def test_a_second_model_costs_the_first_nothing(make, folder, tmp_path):
    collection = Collection.create(folder, "pixels-8-grey")
    collection.sync()
    before = stored(collection)["pixels-8-grey"]
    report = collection.sync(model=model(tmp_path, make))
    assert (report.failed, report.removed, len(collection)) == (2, 0, 5)
    assert np.array_equal(stored(collection)["pixels-8-grey"], before)
    assert {each.path.rpartition("/")[2] for each in collection.sync().failures} == set(DARK)
    hits = collection.search(folder / "dark.png", k=5, include_self=True).hits
    assert len(hits) == 5


@pytest.mark.parametrize("make", KINDS)
def test_what_the_first_model_has_no_vector_for_is_said_although_the_second_has(make, folder, tmp_path):
    collection = Collection.create(folder, model(tmp_path, make))
    collection.sync()
    collection.sync(model="pixels-8-grey")
    report = collection.sync()
    assert {each.path.rpartition("/")[2] for each in report.failures} == set(DARK)
    assert (
        len(collection.search(folder / "dark.png", k=5, model="pixels-8-grey", include_self=True).hits) == 5
    )


@pytest.mark.parametrize("make", KINDS)
def test_an_image_that_was_edited_into_one_without_a_vector_leaves(make, folder, tmp_path):
    collection = Collection.create(folder, model(tmp_path, make))
    collection.sync()
    Image.new("RGB", (17, 17), (2, 2, 2)).save(folder / "red.png")
    report = collection.sync()
    assert (report.removed, report.failed, len(collection)) == (1, 3, 2)
    Image.new("RGB", (16, 16), (250, 90, 90)).save(folder / "red.png")
    assert (collection.sync().added, len(collection)) == (1, 3)


@pytest.mark.parametrize("make", KINDS)
def test_a_query_without_a_vector_is_refused(make, folder, tmp_path):
    collection = Collection.create(folder, model(tmp_path, make))
    collection.sync()
    with pytest.raises((QueryError, ValueError), match=KINDS[make]):
        collection.search(folder / "dark.png")
