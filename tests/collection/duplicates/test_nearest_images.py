"""The nearest images of a collection are those of its vectors, by rows of the images that are asked about."""

import numpy as np
import pytest

from lookalike import Collection
from lookalike.collection.duplicates.neighbors import nearest_of
from lookalike.errors import CancelledError
from lookalike.system.progress import CancelToken, Watch
from pictures import picture

MODEL = "pixels-8-grey"


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    place = tmp_path_factory.mktemp("pictures")
    for number in range(30):
        picture(number % 25).resize((80 - number // 25, 80)).save(place / f"{number:02}.png")
    made = Collection.create(place, model=MODEL, labels="none")
    made.sync()
    return made


def vectors_of(resources, ids):
    rows = resources.embedded(resources.model(None)).take(ids).astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_nearest_images_are_those_of_the_vectors(collection):
    resources = collection._resources()
    model = resources.model(None)
    ids = resources.embedded(model).ids
    rows = np.array([0, 5, 29])
    others, cosines = nearest_of(resources, model, ids)(rows)
    unit = vectors_of(resources, ids)
    for row, found, near in zip(rows, others, cosines, strict=True):
        expected = unit @ unit[row]
        expected[row] = -1
        best = int(expected.argmax())
        assert expected[found[0]] == pytest.approx(expected[best], abs=1e-5)
        assert near[0] == pytest.approx(expected[best], abs=1e-5)


def test_rows_are_of_the_images_that_are_given(collection):
    resources = collection._resources()
    model = resources.model(None)
    every = resources.embedded(model).ids
    some = np.sort(np.append(every[::2], [every[1] + 1]))  # and one that is not there
    stranger = int(np.searchsorted(some, every[1] + 1))
    others, _ = nearest_of(resources, model, some)(np.arange(len(some)))
    assert others.max() < len(some)
    assert (others[stranger] == -1).all()
    assert not (others == stranger).any()
    unit = vectors_of(resources, np.delete(some, stranger))
    products = unit @ unit.T
    np.fill_diagonal(products, -1)
    best = np.delete(np.arange(len(some)), stranger)[products.argmax(axis=1)]
    known = np.delete(others, stranger, axis=0)
    assert (known[:, 0] == best).mean() > 0.9


def test_without_vectors_nothing_is_near(collection):
    resources = collection._resources()
    others, cosines = nearest_of(resources, resources.model(None), np.array([3, 4, 5]))(np.arange(3))
    assert (others == -1).all()
    assert (cosines == 0).all()


def test_there_is_an_end_to_it_when_it_is_cancelled(collection):
    resources = collection._resources()
    model = resources.model(None)
    ids = resources.embedded(model).ids
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        nearest_of(resources, model, ids, Watch(cancel=token))(np.arange(len(ids)))
