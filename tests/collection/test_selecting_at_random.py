"""Filters, facets and orders of a collection at random, against plain Python."""

import datetime
import os
from collections import Counter
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_filter import image_meets, passes, place_meets
from random_collection import CAMERAS, CLUSTER_NAMES, FOLDERS, LABELS, SETS, Image, N, random_collection

from lookalike import ClusterRef, Filter, MapPolygon
from lookalike.collection.browsing import count, facets
from lookalike.collection.facets import FACETS
from lookalike.collection.places import Places
from lookalike.collection.selecting import pass_filter, select

BOUNDS = {
    "size": st.sampled_from([10.0, 30.0, 55.5, 90.0]),
    "width": st.sampled_from([10.0, 60.0, 90.0]),
    "megapixels": st.sampled_from([0.001, 0.0042, 0.009]),
    "aspect": st.sampled_from([0.5, 1.0, 1.4]),
    "sharpness": st.sampled_from([0.0, 1.5, 300.25, 300.3]),
    "rating": st.sampled_from([-1.0, 1.0, 3.0, 4.0]),
    "date": st.datetimes(datetime.datetime(2018, 1, 1), datetime.datetime(2021, 1, 1)),
}
NUMBERS = st.sampled_from([0.0, 1.5, 20.0])
FIELDS = {
    "price": NUMBERS | st.lists(NUMBERS, min_size=1) | st.just({"min": 1, "max": 19}) | st.just({"max": 1.5}),
    "shop": st.sampled_from(["BERLIN", "oslo", 3]) | st.just(["Oslo", "berlin"]),
    "sold": st.sampled_from(
        ["2020", 2020, "2020-02", "2020-03-01", {"min": "2020-03"}, {"max": "2020-02-29"}]
    ),
    "good": st.booleans(),
    "tags": st.sampled_from(["Red", "old"]) | st.just(["NEW", "old"]),
}
CORNERS = st.tuples(st.floats(-1.2, 1.2), st.floats(-1.2, 1.2))


def lists(values):
    return st.lists(st.sampled_from(values), min_size=1, max_size=2)


def conditions():
    """Give one condition of a filter, of any kind; folders below the root, and images by their numbers."""
    bounds = [values.map(lambda v, k=name: {f"min_{k}": v}) for name, values in BOUNDS.items()]
    tops = [values.map(lambda v, k=name: {f"max_{k}": v}) for name, values in BOUNDS.items()]
    words = {
        "shape": ["landscape", "portrait", "square"],
        "split": ["train", "test"],
        "formats": ["jpeg", "png"],
        "cameras": ["canon", "D90", CAMERAS[0]],
        "keywords": ["BEACH", "dog's"],
        "labels": [*LABELS, "by hand", *CLUSTER_NAMES.values()],
        "folders": FOLDERS,
        "sets": [*SETS],
        "tags": ["Old", "red"],
        "ids": list(range(N)),
        "clusters": [ClusterRef("groups", number) for number in (-1, 0, 1, 2)],
    }
    listed = [lists(values).map(lambda v, k=name: {k: v}) for name, values in words.items()]
    fields = [values.map(lambda v, k=name: {"fields": {k: v}}) for name, values in FIELDS.items()]
    places = st.tuples(st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 12_000))
    near = places.map(lambda place: {"near": place})
    outline = st.lists(CORNERS, min_size=3, max_size=6).map(
        lambda corners: {"polygon": MapPolygon("plane", corners)}
    )
    return st.one_of(*listed, st.one_of(bounds), st.one_of(tops), *fields, near, outline)


OPTIONS = (
    st.lists(conditions(), max_size=3)
    .map(lambda parts: {key: value for part in parts for key, value in part.items()})
    .filter(lambda options: is_possible(options))
)
FILTERS = st.tuples(OPTIONS, st.lists(OPTIONS.filter(bool), max_size=2))


def make_filter(drawn, root, images):
    options, excluded = drawn
    excluding = [make_filter((each, ()), root, images) for each in excluded]
    options = dict(options)
    if "folders" in options:
        options["folders"] = [f"{root}/{folder}".removesuffix("/") for folder in options["folders"]]
    if "ids" in options:
        options["ids"] = [images[number].id for number in options["ids"]]
    return Filter(**options, excluding=excluding)


def is_possible(options):
    ends = ((options.get(f"min_{name}"), options.get(f"max_{name}")) for name in BOUNDS)
    return all(low is None or high is None or low <= high for low, high in ends)


class Made(NamedTuple):
    """A collection at random; too long to be printed."""

    places: Places
    images: list[Image]
    root: str

    def __repr__(self):
        return "a collection at random"


@pytest.fixture(scope="module", params=range(3))
def made(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("collection") / ".lookalike"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        places, images = random_collection(folder, request.param, patch)
        yield Made(places, images, str(folder / "photos"))


@settings(max_examples=200, deadline=None)
@given(drawn=FILTERS)
def test_a_filter_means_what_it_means_in_plain_python(made, drawn):
    places, images, root = made
    where = make_filter(drawn, root, images)
    expected = sorted(image.id for image in images if passes(image, where, root))
    selection = select(places, where)
    assert places.snapshot.images.ids[selection.rows()].tolist() == expected
    assert count(places, where) == len(expected)
    # A search takes images that lie nowhere, too, where nothing is asked of places: it passes them over.
    there = {image.id for image in images if image.files}
    ids = pass_filter(places, where).ids
    assert ids is None or [image for image in ids.tolist() if image in there] == expected
    assert ids is None or (np.diff(ids) > 0).all()


@settings(max_examples=60, deadline=None)
@given(drawn=FILTERS)
def test_who_takes_a_value_of_a_facet_into_the_filter_finds_as_many(made, drawn):
    places, images, root = made
    where = make_filter(drawn, root, images)
    found = facets(places, where, FACETS)
    passing = [image for image in images if image.files and passes(image, where, root)]
    assert found.total == len(passing)

    by_filter = {
        "labels": lambda value: Filter(labels=[value]),
        "folders": lambda value: Filter(folders=[value]),
        "splits": lambda value: Filter(split=value),
        "formats": lambda value: Filter(formats=[value]),
        "shapes": lambda value: Filter(shape=value),
        "keywords": lambda value: Filter(keywords=[value]),
        "ratings": lambda value: Filter(min_rating=value, max_rating=value),
        "sets": lambda value: Filter(sets=[value]),
        "tags": lambda value: Filter(tags=[value]),
        "cluster:groups": lambda value: Filter(clusters=[ClusterRef("groups", value)]),
        "field:shop": lambda value: Filter(fields={"shop": [value]}),
        "field:good": lambda value: Filter(fields={"good": [value == "true"]}),
        "field:tags": lambda value: Filter(fields={"tags": [value]}),
    }
    for name, narrow in by_filter.items():
        for value, n in found[name].counts.items():
            asked = narrow(value)
            both = [image for image in passing if meets_in_one_place(image, where, asked, root)]
            assert n == len(both) > 0, (name, value)


def meets_in_one_place(image, where, asked, root):
    """Tell whether an image meets a filter and what is asked beside it, in one and the same place."""
    return image_meets(image, asked) and any(
        place_meets(image, file, where, root) and place_meets(image, file, asked, root)
        for file in image.files
    )


def test_facets_say_how_many_have_nothing_and_histograms_count_all(made):
    places, images, root = made
    there = [image for image in images if image.files]
    found = facets(places, Filter(), FACETS)
    assert found["cameras"].counts == dict(
        sorted(
            Counter(image.said.camera for image in there if image.said.camera).items(),
            key=lambda it: (-it[1], it[0]),
        )
    )
    assert found["cameras"].missing == sum(image.said.camera is None for image in there)
    assert found["keywords"].missing == sum(not image.said.keywords for image in there)
    assert found["tags"].missing == sum(not any(file.tags for file in image.files) for image in there)
    assert found["field:price"].missing == sum(
        all(file.price is None for file in image.files) for image in there
    )
    taken = [image.said.taken for image in there if image.said.taken is not None]
    assert found["dates"].unit == "year"
    assert found["dates"].counts == dict(sorted(Counter(f"{each.year}" for each in taken).items()))
    assert found["dates"].missing == len(there) - len(taken)
    for name in ("sizes", "sharpness"):
        facet = found[name]
        assert sum(facet.counts.values()) + facet.missing == len(there)
        values = [min(each.width, each.height) if name == "sizes" else each.sharpness for each in there]
        expected, _ = np.histogram(values, facet.ends)
        assert list(facet.counts.values()) == expected.tolist()
    assert sum(found["colors"].counts.values()) == len(there)
    named = {CLUSTER_NAMES.get(image.cluster) for image in there}
    assert named - {None} <= found["labels"].counts.keys()
    unlabelled = [
        image
        for image in there
        if image.label_by_hand is None
        and CLUSTER_NAMES.get(image.cluster) is None
        and all(file.label is None for file in image.files)
    ]
    assert found["labels"].missing == len(unlabelled)
    assert os.path.join(root, "a", "b") in found["folders"].counts
