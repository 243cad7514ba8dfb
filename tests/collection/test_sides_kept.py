"""What a model gives beside the vectors, from images to a snapshot."""

import numpy as np
import pytest

from lookalike import Collection
from lookalike.embed import load_model
from lookalike.embed.models import Model
from lookalike.embed.sides.classes import decode
from pictures import picture


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Four pictures in a collection of the packaged network, and its reduced model."""
    place = tmp_path_factory.mktemp("photos")
    for number in range(4):
        picture(number).save(place / f"{number}.png")
    found = Collection.create(place, model="lite0-int8")
    found.sync()
    found.models.reduce(2)
    return found


def image_of(collection, name):
    (found,) = (int(hit.id) for hit in collection if hit.path.endswith(name))
    return found


def test_snapshot_gives_the_row_of_each_image(photos):
    snapshot = photos.snapshot()
    ids, rows = snapshot.side("lite0-int8", "classes")
    assert ids.tolist() == sorted(snapshot.files.ids.tolist()) and rows.shape == (4, 60)
    embedder = load_model("lite0-int8")
    for number in range(4):
        prepared = embedder.prepare(picture(number))
        expected = embedder.embed_with_sides(prepared[None]).sides["classes"][0]
        row = ids.tolist().index(image_of(photos, f"{number}.png"))
        assert np.array_equal(rows[row], expected)
    assert decode(rows)[1].any(axis=1).all()


def test_reduced_model_has_what_its_base_gives(photos):
    snapshot = photos.snapshot()
    base, reduced = (snapshot.side(model, "classes") for model in ("lite0-int8", "lite0-int8+pca2"))
    assert len(base[0]) == 4
    assert all(np.array_equal(one, other) for one, other in zip(base, reduced, strict=True))


def test_models_without_them_and_names_that_are_none_give_no_rows(photos):
    snapshot = photos.snapshot()
    for model, name in (("lite0-int8", "cells"), ("lite1", "classes")):
        ids, rows = snapshot.side(model, name)
        assert ids.shape == (0,) and rows.shape == (0, 0)


def test_images_that_come_by_call_have_theirs(tmp_path):
    (tmp_path / "none").mkdir()
    found = Collection.create(tmp_path / "none", model="lite0-int8")
    found.add([(picture(1), "one")])
    ids, rows = found.snapshot().side("lite0-int8", "classes")
    assert len(ids) == 1 and rows.shape == (1, 60)


def test_collection_made_before_gets_them_with_what_is_embedded_anew(tmp_path, monkeypatch):
    picture(0).save(tmp_path / "0.png")
    with monkeypatch.context() as before:
        before.setattr(Model, "sides", property(lambda model: ()))
        found = Collection.create(tmp_path, model="lite0-int8")
        found.sync()
    assert len(found.snapshot().side("lite0-int8", "classes")[0]) == 0
    picture(1).save(tmp_path / "1.png")
    found.sync()
    snapshot = found.snapshot()
    assert snapshot.side("lite0-int8", "classes")[0].tolist() == [image_of(found, "1.png")]
    assert len(found.search(picture(0))) == 2
