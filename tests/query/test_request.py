"""A search as one value, and the way to JSON and back."""

import dataclasses
import datetime
import json
import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lookalike import (
    ClusterRef,
    Example,
    Filter,
    ImageFile,
    ImageRef,
    InvalidInputError,
    MapPolygon,
    Pixels,
    SearchRequest,
    Url,
    Vector,
    Words,
)

TEXTS = st.text(min_size=1)
PATHS = TEXTS.filter(lambda text: "\0" not in text)
WORDS = TEXTS.filter(str.strip)
WEIGHTS = st.floats(1e-6, 1e6)
EDGES = st.integers(0, 98).flatmap(lambda start: st.tuples(st.just(start), st.integers(1, 99 - start)))
REGIONS = st.none() | st.tuples(EDGES, EDGES).map(
    lambda edges: tuple(edge[part] / 99 for part in (0, 1) for edge in edges)
)
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
TERMS = st.one_of(
    st.builds(ImageFile, PATHS, weight=WEIGHTS, region=REGIONS),
    st.builds(Url, TEXTS.map("https://{}".format), weight=WEIGHTS, region=REGIONS),
    st.builds(Words, WORDS, weight=WEIGHTS),
    st.builds(ImageRef, st.integers(0, 2**63 - 1), weight=WEIGHTS, region=REGIONS),
    st.builds(Example, TEXTS, weight=WEIGHTS, region=REGIONS),
    st.builds(
        Pixels,
        arrays.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3))),
        weight=WEIGHTS,
        region=REGIONS,
    ),
    st.builds(Vector, arrays.arrays(np.float32, st.integers(1, 6), elements=FINITE), weight=WEIGHTS),
)
CORNERS = st.tuples(FINITE, FINITE)
FIELDS = st.one_of(
    st.floats(-1e9, 1e9),
    TEXTS,
    st.booleans(),
    st.dates(),
    st.lists(TEXTS | st.integers(-9, 9), min_size=1, max_size=2),
    st.fixed_dictionaries({"min": st.floats(-9, 0)}, optional={"max": st.floats(0, 9)}),
)
BOUNDS = ("size", "width", "height", "megapixels", "aspect", "sharpness")


def ranges(values):
    """Give none, a least, a greatest, or both of some values."""
    return st.lists(st.none() | values, min_size=2, max_size=2).map(
        lambda ends: ends if None in ends else sorted(ends)
    )


@st.composite
def filters(draw, excluding=True):
    """Give filters with any of what a filter can ask for."""
    given_ = {}
    for name in BOUNDS:
        given_[f"min_{name}"], given_[f"max_{name}"] = draw(ranges(st.floats(0, 1e9)))
    given_["min_rating"], given_["max_rating"] = draw(ranges(st.floats(-1, 5)))
    given_["min_date"], given_["max_date"] = draw(ranges(st.datetimes()))
    shapes = st.sampled_from(["landscape", "portrait", "square"])
    given_["shape"] = draw(st.none() | shapes | st.lists(shapes, max_size=3))
    splits = st.sampled_from(["train", "test"])
    given_["split"] = draw(st.none() | splits | st.lists(splits, max_size=2))
    place = st.tuples(st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 1e5))
    given_["near"] = draw(st.none() | place)
    given_["formats"] = draw(st.lists(st.sampled_from(["jpeg", ".JPG", "png", "pixels"]), max_size=2))
    for name in ("cameras", "lenses", "keywords"):
        given_[name] = draw(st.lists(WORDS, max_size=2))
    for name in ("labels", "folders"):
        given_[name] = draw(st.lists(TEXTS, max_size=2))
    for name in ("sets", "tags"):
        given_[name] = draw(st.lists(WORDS, max_size=2))
    given_["fields"] = draw(st.dictionaries(WORDS, FIELDS, max_size=2))
    given_["ids"] = draw(st.lists(st.integers(0, 2**63 - 1) | st.just("00000000000000Ff"), max_size=2))
    given_["clusters"] = draw(st.lists(st.builds(ClusterRef, TEXTS, st.integers(-1, 99)), max_size=2))
    given_["polygon"] = draw(st.none() | st.builds(MapPolygon, TEXTS, st.lists(CORNERS, min_size=3)))
    if excluding:
        excluded = filters(excluding=False).filter(lambda where: where != Filter())
        given_["excluding"] = draw(excluded | st.lists(excluded, max_size=2))
    return Filter(**given_)


INDEXES = st.sampled_from([("auto", None), ("exact", None), ("kdtree", None), ("kdtree", "bbf")])
REQUESTS = st.builds(
    lambda kind, **options: SearchRequest(index=kind[0], mode=kind[1], **options),
    INDEXES,
    like=st.lists(TERMS, max_size=3),
    unlike=st.lists(TERMS, max_size=2),
    colors=st.lists(st.sampled_from(["#c33", "tomato", "#CC3333"]), max_size=2),
    where=filters(),
    same_cluster=st.none() | st.builds(ClusterRef, TEXTS, st.none() | st.integers(0, 99)),
    model=st.none() | TEXTS,
    recall=st.floats(0.01, 1),
    k=st.integers(1, 10**6),
    include_self=st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(REQUESTS)
def test_a_request_comes_back_from_json_as_it_was(request):
    document = request.to_dict()
    again = SearchRequest.from_dict(json.loads(json.dumps(document)))
    assert again == request
    assert hash(again.like) == hash(request.like)
    assert again.to_dict() == document


@settings(max_examples=150, deadline=None)
@given(REQUESTS)
def test_a_request_comes_back_from_a_query_string_as_it_was(request):
    text = request.to_query_string()
    assert SearchRequest.from_query_string(text) == SearchRequest.from_query_string(f"?{text}") == request
    assert text.isascii()
    assert not set(' \n#?"<>') & set(text)


def test_a_query_string_says_only_what_is_not_as_by_default():
    assert SearchRequest().to_query_string() == ""
    request = SearchRequest(
        like=[ImageRef(255, weight=2, region=(0, 0, 0.5, 1)), Words("fog: 50 %")],
        unlike=[Vector([0.1, 2])],
        colors=["#c33"],
        where=Filter(min_size=600, labels=["cats", "dogs"], min_date="2019", near=(54.4, 18.6, 30)),
        same_cluster=ClusterRef("a/b", 3),
        k=3,
        include_self=True,
    )
    assert request.to_query_string() == (
        "like=id*2@0,0,0.5,1:00000000000000ff&like=words:fog:%2050%20%25&unlike=vector:0.1,2.0&colors=%23cc3333"
        "&min_size=600&min_date=2019-01-01T00:00:00.000000&labels=cats&labels=dogs&near=54.4,18.6,30"
        "&same_cluster=a/b&same_cluster_number=3&k=3&include_self=true"
    )


@pytest.mark.parametrize(
    "text", ["model=3", "cameras=%ED%B3%A9.jpg", "like=file:%ED%B3%A9.jpg", "model=null"]
)
def test_what_looks_like_something_else_is_a_text_where_a_text_is_meant(text):
    assert SearchRequest.from_query_string(text).to_query_string() == text


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("like=sun", "like", "like is 'sun'; expected what it is, and which"),
        ("like=ids:00", "ids", "no field 'ids'"),
        ("like=id*two:00000000000000ff", "weight", "weight is 'two'; expected a number"),
        ("like=id@0,0,1:00000000000000ff", "region", "region is '0,0,1'; expected 4 numbers"),
        ("like=vector:1,x", "like", "expected numbers"),
        ("near=1,2", "near", "near is '1,2'; expected 3 numbers"),
        ("k=3&k=4", "k", "k is given twice"),
        ("k=three", "k", "k is 'three'"),
        ("k=0", "k", "expected a whole number"),
        ("colour=red", "colour", "no field 'colour'"),
        ("same_cluster_number=3", None, "same_cluster is None"),
        ("labels=%ff", None, "cannot be read"),
    ],
)
def test_a_query_string_that_is_none_is_refused(text, field, said):
    with pytest.raises(InvalidInputError, match=re.escape(said)) as caught:
        SearchRequest.from_query_string(text)
    assert field is None or caught.value.field == field


def test_a_query_string_from_elsewhere_names_no_files():
    with pytest.raises(InvalidInputError, match="a query by file is for the machine"):
        SearchRequest.from_query_string("like=file:/etc/passwd", is_local=False)


@settings(max_examples=100, deadline=None)
@given(filters())
def test_a_filter_comes_back_from_json_and_asks_for_the_same(where):
    again = Filter.from_dict(json.loads(json.dumps(where.to_dict())))
    assert again == where
    assert again.to_dict() == where.to_dict()
    assert hash(again) == hash(where)


def test_the_document_has_these_names():
    request = SearchRequest(
        like=[ImageRef(255, region=(0, 0, 0.5, 1))],
        unlike=[Words("fog", weight=0.5)],
        colors=["#c33"],
        where=Filter(labels=["cats"], shape="portrait", split="test", min_date="2019", near=(54.4, 18.6, 30)),
        same_cluster=ClusterRef("groups"),
    )
    assert request.to_dict() == {
        "like": [{"id": "00000000000000ff", "weight": 1.0, "region": [0.0, 0.0, 0.5, 1.0]}],
        "unlike": [{"words": "fog", "weight": 0.5}],
        "colors": ["#cc3333"],
        "where": {
            "labels": ["cats"],
            "shapes": ["portrait"],
            "splits": ["test"],
            "min_date": "2019-01-01T00:00:00.000000",
            "near": {"lat": 54.4, "lon": 18.6, "km": 30.0},
        },
        "same_cluster": {"clustering": "groups", "number": None},
        "model": None,
        "index": "auto",
        "recall": 0.99,
        "mode": None,
        "k": 10,
        "include_self": False,
        "fold": False,
        "same_kind": False,
        "verify": False,
        "min_probability": None,
        "min_score": None,
        "sort": None,
        "descending": False,
        "random_state": 0,
    }


def test_what_is_left_out_is_as_by_default():
    assert SearchRequest.from_dict({}) == SearchRequest()
    assert SearchRequest.from_dict({"where": {"shapes": [], "near": None}, "same_cluster": None}) == (
        SearchRequest()
    )
    assert SearchRequest.from_dict({"where": {"max_date": "2019"}}).where.max_date == datetime.datetime(
        2019, 12, 31, 23, 59, 59, 999_999
    )


@pytest.mark.parametrize(
    ("document", "message", "field"),
    [
        ({"sorted": "date"}, "a search has no field 'sorted'; did you mean sort?", "sorted"),
        ({"colours": []}, "a search has no field 'colours'; did you mean colors?", "colours"),
        ({"where": {"label": ["cats"]}}, "where has no field 'label'; did you mean labels?", "label"),
        ({"where": {"shapes": ["round"]}}, "the shape is 'round'; expected landscape or", None),
        ({"where": {"ids": ["xyz"]}}, "ids has 'xyz'; expected 16 hexadecimal digits", "ids"),
        ({"where": {"ids": [2**63]}}, "expected 16 hexadecimal digits", "ids"),
        ({"where": {"ids": 1.5}}, "ids is 1.5; expected a list of ids", "ids"),
        ({"where": {"sets": [""]}}, "sets is ['']; expected words that are not empty", "sets"),
        ({"where": {"tags": 5}}, "tags is 5; expected a list of words", "tags"),
        ({"where": {"clusters": [{"clustering": "a"}]}}, "expected the number of a cluster", "clusters"),
        (
            {"where": {"clusters": {"clustering": "a"}}},
            "clusters is {'clustering': 'a'}; expected a",
            "clusters",
        ),
        ({"where": {"clusters": [{"clustering": "a", "no": 1}]}}, "a cluster has no field 'no'", "no"),
        ({"where": {"fields": ["price"]}}, "fields is ['price']; expected an object", "fields"),
        ({"where": {"fields": {"price": {"least": 3}}}}, "the field price has no field 'least'", "least"),
        ({"where": {"fields": {"price": {}}}}, "nothing is asked of the field 'price'", "fields"),
        ({"where": {"fields": {"price": []}}}, "nothing is asked of the field 'price'", "fields"),
        ({"where": {"fields": {"price": None}}}, "the field 'price' is asked for None; expected a", "fields"),
        ({"where": {"fields": {"price": {"min": 5, "max": 4}}}}, "the least price is 5 and", "fields"),
        ({"where": {"fields": {"price": {"min": True}}}}, "expected numbers or dates", "fields"),
        ({"where": {"polygon": {"map": "pca", "points": [[0, 0]]}}}, "the polygon has 1 corners", "polygon"),
        (
            {"where": {"polygon": {"map": "pca", "points": [[0, 0, 1]] * 3}}},
            "expected two numbers",
            "polygon",
        ),
        ({"where": {"polygon": {"points": []}}}, "expected the name of a map", "polygon"),
        ({"where": {"not": {"label": ["a"]}}}, "not has no field 'label'; did you mean labels?", "label"),
        ({"where": {"not": {"not": {"labels": ["a"]}}}}, "not has no field 'not'", "not"),
        ({"where": {"not": [{}]}}, "lets all images pass: none would be left", "excluding"),
        ({"where": {"not": "cats"}}, "not is 'cats'; expected an object", None),
        ({"where": {"labels": 5}}, "labels is 5; expected a list of words", "labels"),
        ({"where": {"near": {"lat": 1, "lon": 2, "miles": 3}}}, "near has no field 'miles'", "miles"),
        ({"where": {"near": {"lat": 1, "lon": 2}}}, "expected a latitude, a longitude and a distance", None),
        ({"where": {"min_date": "yesterday"}}, "expected a year, a month, a day or a time", None),
        ({"where": []}, "where is []; expected an object", None),
        ({"where": None}, "where is None; expected an object", None),
        ({"like": {"words": "red"}}, "like is {'words': 'red'}; expected a list", "like"),
        ({"like": "red"}, "like is 'red'; expected a list", "like"),
        ({"like": ["red"]}, "a query is 'red'; expected an object", None),
        ({"colors": "red"}, "colors is 'red'; expected a list", "colors"),
        ({"colors": [5]}, "the colour is 5", None),
        ({"same_cluster": "groups"}, "same_cluster is 'groups'; expected an object", None),
        ({"same_cluster": {"number": 1}}, "expected the name of a clustering", "same_cluster"),
        ({"same_cluster": {"clustering": "a", "number": 1.5}}, "expected a whole number", None),
        ({"model": 5}, "model is 5; expected its name", "model"),
        ({"index": "nonsense"}, "there is no index 'nonsense'", None),
        ({"index": []}, "there is no index []", None),
        ({"mode": "bbf"}, "the index auto has no modes", "mode"),
        ({"recall": 0}, "recall is 0; expected above 0", "recall"),
        ({"recall": "0.9"}, "recall is '0.9'; expected above 0", "recall"),
        ({"k": 0}, "k is 0; expected a whole number, 1 or more", "k"),
        ({"k": True}, "k is True; expected a whole number", "k"),
        ({"include_self": "no"}, "include_self is 'no'; expected true or false", "include_self"),
        ([], "a search is []; expected an object", None),
    ],
)
def test_a_document_that_is_none_is_refused_and_says_where(document, message, field):
    with pytest.raises(InvalidInputError, match=r".*") as raised:
        SearchRequest.from_dict(document)
    assert message in str(raised.value)
    if field is not None:
        assert raised.value.field == field


def test_those_that_are_not_at_the_machine_name_no_files():
    for name, term in (("like", ImageFile("/etc/passwd")), ("unlike", Pixels(np.zeros((1, 1, 3), np.uint8)))):
        document = SearchRequest(**{name: [term]}).to_dict()
        assert SearchRequest.from_dict(document).to_dict() == document
        with pytest.raises(InvalidInputError) as raised:
            SearchRequest.from_dict(document, is_local=False)
        assert raised.value.field == term.kind


@pytest.mark.parametrize("model", ["/etc/net", "net.onnx", "../models/net"])
def test_those_that_are_not_at_the_machine_name_no_file_of_a_model(model):
    assert SearchRequest.from_dict({"model": model}).model == model
    with pytest.raises(InvalidInputError, match="expected the name of a model") as raised:
        SearchRequest.from_dict({"model": model}, is_local=False)
    assert raised.value.field == "model"
    assert SearchRequest.from_dict({"model": "lite0"}, is_local=False).model == "lite0"


def test_a_request_takes_typed_queries_alone_and_is_frozen():
    with pytest.raises(InvalidInputError, match="like has 'red'; expected one of the kinds of query"):
        SearchRequest(like=["red"])
    with pytest.raises(InvalidInputError, match=r"expected a lookalike\.Filter"):
        SearchRequest(where={"labels": ["cats"]})
    with pytest.raises(InvalidInputError, match=r"expected a lookalike\.ClusterRef"):
        SearchRequest(same_cluster="groups")
    request = SearchRequest(like=[Words("red")])
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.k = 3
    assert pickle.loads(pickle.dumps(request)) == request
    assert dataclasses.replace(request, k=3).like == (Words("red"),)
