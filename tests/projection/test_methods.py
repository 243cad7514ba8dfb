"""The table of ways to make a map: light, whole, and all that a new one takes."""

import inspect
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import lookalike.projection
from lookalike.collection.embedded import Embedded
from lookalike.collection.maps.making import MapRequest, place_later, project_images
from lookalike.errors import InvalidInputError
from lookalike.projection import MAP_METHODS, Projection, methods, place, project
from lookalike.projection.methods import DEFAULT_METHOD, MapMethod, method_names
from lookalike.system.on_demand import load
from lookalike.system.progress import UNWATCHED

EVERY = pytest.mark.parametrize("row", MAP_METHODS, ids=lambda row: row.name)
MODEL = SimpleNamespace(name="test", metric="euclidean")


def embedded(rows, ids=None):
    ids = np.arange(len(rows)) if ids is None else ids
    return Embedded(ids, rows.shape[1], lambda: iter([(ids, rows)]))


def test_table_is_at_hand_without_numpy():
    code = "import lookalike.projection.methods, sys; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


@EVERY
def test_functions_take_what_the_contract_says(row):
    assert list(inspect.signature(load(row.project)).parameters) == ["rows", "request"]
    assert list(inspect.signature(load(row.place)).parameters) == [
        *("new_rows", "rows", "projection", "metric", "watch")
    ]


@EVERY
def test_perplexity_is_for_those_that_take_it(row):
    if row.takes_perplexity:
        assert MapRequest(method=row.name, perplexity=5).perplexity == 5
    else:
        with pytest.raises(InvalidInputError, match=f"but {row.name} has none; it is for tsne"):
            MapRequest(method=row.name, perplexity=5)


@EVERY
def test_those_that_place_alone_need_no_image_of_the_map(row):
    if row.extra:
        pytest.importorskip("umap")
    rows = np.random.default_rng(0).normal(0, 1, (12, 4)).astype(np.float32)
    made = project_images(MapRequest(method=row.name), MODEL, embedded(rows), UNWATCHED)
    later = embedded(rows[:2], np.array([50, 51]))
    if row.places_alone:
        placed, n = place_later(made, later, "euclidean", UNWATCHED)
        assert n == 2
        np.testing.assert_allclose(placed.points, made.points[:2], atol=1e-5)
    else:
        with pytest.raises(Exception, match="none of the images that the map"):
            place_later(made, later, "euclidean", UNWATCHED)


def test_usual_way_is_the_first_and_former_names_warn():
    assert method_names() == ("tsne", "pca", "umap")
    assert DEFAULT_METHOD == "tsne" == MapRequest().its_name
    with pytest.warns(DeprecationWarning, match=r"projection\.METHODS is .*method_names\(\) now"):
        assert method_names() == lookalike.projection.METHODS


def project_first_two(rows, request):
    return Projection(rows[:, :2].copy(), "first-two", {}, {}, {})


def place_first_two(new_rows, rows, projection, metric, watch):
    return new_rows[:, :2].copy()


def test_row_is_all_that_a_way_to_make_a_map_takes(monkeypatch):
    row = MapMethod(
        "first-two", "The first two", f"{__name__}:project_first_two", f"{__name__}:place_first_two"
    )
    monkeypatch.setattr(methods, "MAP_METHODS", (*MAP_METHODS, row))
    rows = np.random.default_rng(0).normal(0, 1, (6, 4)).astype(np.float32)
    found = project(rows, "first-two")
    assert (found.points == rows[:, :2]).all()
    assert (place(rows[:1], rows, found) == rows[:1, :2]).all()
    assert (
        project_images(MapRequest(method="first-two"), MODEL, embedded(rows), UNWATCHED).method == "first-two"
    )
    for ask in (lambda: project(rows, "last-two"), lambda: MapRequest(method="last-two")):
        with pytest.raises(InvalidInputError, match=r"expected one of tsne, .*, first-two"):
            ask()
