"""The kinds of query: what each takes and refuses, its JSON, and how a plain string becomes one."""

import copy
import io
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike import (
    Example,
    Hit,
    ImageFile,
    ImageId,
    ImageRef,
    InvalidInputError,
    LookalikeError,
    Pixels,
    Url,
    Vector,
    Words,
)
from lookalike.query.reading import is_bare_query, names_example, names_path, read_queries, read_query
from lookalike.query.terms import TERMS, Term

PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
REGION = (0.25, 0.0, 0.5, 1.0)
ONE_OF_EACH = [
    (ImageRef(255), {"id": "00000000000000ff", "weight": 1.0}),
    (Words("a red car", weight=2), {"words": "a red car", "weight": 2.0}),
    (
        Url("https://a.b/c.jpg", region=REGION),
        {"url": "https://a.b/c.jpg", "weight": 1.0, "region": [0.25, 0.0, 0.5, 1.0]},
    ),
    (Example("mnist:test/42"), {"example": "mnist:test/42", "weight": 1.0}),
    (Vector([1, 0.1]), {"vector": [1.0, float(np.float32(0.1))], "weight": 1.0}),
    (ImageFile("a.jpg", weight=0.5), {"file": "a.jpg", "weight": 0.5}),
]


@pytest.mark.parametrize(("term", "document"), ONE_OF_EACH, ids=lambda value: type(value).__name__)
def test_each_kind_has_its_document(term, document):
    assert term.to_dict() == document
    again = Term.from_dict(json.loads(json.dumps(document)))
    assert again == term
    assert hash(again) == hash(term)
    assert type(term).from_dict(document) == term


def test_the_kinds_are_these():
    assert list(TERMS) == ["id", "words", "url", "example", "vector", "file", "pixels"]
    assert [kind for kind, made in TERMS.items() if made.is_local] == ["file", "pixels"]
    assert [kind for kind, made in TERMS.items() if not made.has_region] == ["words", "vector"]


def test_pixels_are_a_png_in_their_document():
    term = Pixels(PIXELS, region=REGION)
    document = json.loads(json.dumps(term.to_dict()))
    assert Term.from_dict(document) == term
    assert (Term.from_dict(document).array == PIXELS).all()
    for nonsense in ("", "no base64!", "QUJD", 5, None, [[0]]):
        with pytest.raises(InvalidInputError, match="expected a PNG file in base64") as raised:
            Term.from_dict({"pixels": nonsense})
        assert raised.value.field == "pixels"


def test_pixels_and_vectors_are_copies_that_nobody_writes_to():
    pixels, vector = PIXELS.copy(), np.ones(3, np.float32)
    terms = Pixels(pixels), Vector(vector)
    pixels[:], vector[:] = 0, 0
    assert (terms[0].array == PIXELS).all()
    assert (terms[1].array == 1).all()
    for term in terms:
        with pytest.raises(ValueError, match="read-only"):
            term.array[0] = 0
        assert pickle.loads(pickle.dumps(term)) == copy.deepcopy(term) == term


def test_pixels_and_vectors_are_equal_by_what_they_hold():
    assert Pixels(PIXELS) == Pixels(PIXELS[:, ::-1][:, ::-1])
    assert Pixels(PIXELS) != Pixels(PIXELS[:, ::-1])
    assert Pixels(PIXELS) != Pixels(PIXELS, weight=2)
    assert Pixels(PIXELS) != Pixels(PIXELS, region=REGION)
    assert Pixels(PIXELS) != Pixels(PIXELS.reshape(4, 2, 3))
    assert Vector([1, 2]) == Vector(np.float64([1, 2]))
    assert Vector([1, 2]) not in (Vector([1, 3]), Vector([1, 2], weight=2), Words("[1, 2]"))
    assert len({Pixels(PIXELS), Pixels(PIXELS.copy()), Vector([1]), Vector([1.0])}) == 2


def test_an_image_of_pillows_becomes_upright_pixels():
    image = Image.fromarray(PIXELS)
    exif = image.getexif()
    exif[0x0112] = 3
    stream = io.BytesIO()
    image.save(stream, "PNG", exif=exif)
    with Image.open(stream) as opened:
        assert (Pixels(opened).array == PIXELS[::-1, ::-1]).all()


def test_an_id_is_a_number_or_16_digits():
    assert ImageRef("00000000000000FF") == ImageRef(255) == ImageRef(np.int64(255))
    assert ImageRef(2**63 - 1).to_dict()["id"] == "7fffffffffffffff"
    for nonsense in (-1, 2**63, "ff", "8000000000000000", "0x000000000000ff", "٠" * 16, True, 1.0, None):
        with pytest.raises(InvalidInputError, match="expected that of an image") as raised:
            ImageRef(nonsense)
        assert raised.value.field == "id"
    with pytest.raises(InvalidInputError, match="expected 16 hexadecimal digits"):
        Term.from_dict({"id": 255})


@pytest.mark.parametrize("weight", [0, -1, np.nan, np.inf, 1e-7, 1e7, True, "1", None])
def test_a_weight_is_a_number_above_0(weight):
    for make in (
        lambda: Words("red", weight=weight),
        lambda: Term.from_dict({"words": "a", "weight": weight}),
    ):
        with pytest.raises(InvalidInputError, match=r"the weight is .*; expected a number from") as raised:
            make()
        assert raised.value.field == "weight"


@pytest.mark.parametrize(
    "region",
    [
        *((0, 0, 1), (0, 0, 0, 1), (0, 0, 1, -1), (-0.1, 0, 1, 1), (0.5, 0, 0.6, 1), (0, 1, 1, 1e-9)),
        *((0, 0, np.nan, 1), (0, 0, 1, "1"), (0, 0, 1, True), "0011", 5, (0, 0, 1, 1, 1), (0, 0, np.inf, 1)),
    ],
)
def test_a_region_lies_in_the_picture(region):
    with pytest.raises(InvalidInputError, match="expected left, top, width and height") as raised:
        ImageRef(1, region=region)
    assert raised.value.field == "region"


def test_a_region_that_ends_at_the_edge_may_be_rounded():
    assert Url("http://a", region=np.array([0.7, 0.1, 0.3, 0.9])).region == (0.7, 0.1, 0.3, 0.9)
    assert ImageRef(1, region=[0, 0, 1, 1]).region == (0.0, 0.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("document", "message", "field"),
    [
        ({}, "nothing to start from; expected one of id, words", None),
        ({"weight": 1}, "nothing to start from", None),
        ({"id": "0" * 16, "words": "red"}, "a query has id and words; expected one of", "words"),
        ({"wrods": "red"}, "a query has no field 'wrods'; did you mean words?", "wrods"),
        ({"upload": "a.jpg"}, "a query has no field 'upload'", "upload"),
        ({"words": "red", "region": [0, 0, 1, 1]}, "a query by words has no region", "region"),
        ({"words": " "}, "expected a text that is not empty", "words"),
        ({"words": 5}, "expected a text that is not empty", "words"),
        ({"url": "example.org/a.jpg"}, "expected an address such as", "url"),
        ({"url": None}, "expected an address such as", "url"),
        ({"example": ""}, "expected an image of a data set", "example"),
        ({"file": ""}, "expected the path of an image file", "file"),
        ({"vector": []}, "expected finite numbers", "vector"),
        ({"vector": [[1, 2]]}, "expected finite numbers", "vector"),
        ({"vector": [1, None]}, "expected finite numbers", "vector"),
        ({"vector": [1e300]}, "expected finite numbers", "vector"),
        ({"vector": [True, False]}, "expected finite numbers", "vector"),
        ({"vector": "1 2"}, "not numbers", None),
        ("words", "a query is 'words'; expected an object", None),
        ([{"words": "red"}], "expected an object", None),
    ],
)
def test_a_document_that_is_none_is_refused_and_says_where(document, message, field):
    with pytest.raises(InvalidInputError, match=r".*") as raised:
        Term.from_dict(document)
    assert message in str(raised.value)
    assert raised.value.field == field


def test_files_and_pixels_are_only_for_those_at_the_machine():
    for term in (ImageFile("a.jpg"), Pixels(PIXELS)):
        with pytest.raises(InvalidInputError, match="is for the machine that the collection is on") as raised:
            Term.from_dict(term.to_dict(), is_local=False)
        assert raised.value.field == term.kind
    assert Term.from_dict({"words": "red"}, is_local=False) == Words("red")


def test_a_kind_reads_no_other_kind():
    with pytest.raises(InvalidInputError, match="a query has no field 'id'"):
        Words.from_dict({"id": "0" * 16})


def test_what_is_there_is_a_file_then_come_urls_examples_and_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits:test").mkdir()
    (tmp_path / "red").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    for query, expected in (
        ("red", ImageFile("red")),
        ("dangling", ImageFile("dangling")),
        ("digits:test", ImageFile("digits:test")),
        (Path("gone.jpg"), ImageFile("gone.jpg")),
        ("https://a.b/c", Url("https://a.b/c")),
        ("digits:test/1", Example("digits:test/1")),
        ("digits:nonsense", Example("digits:nonsense")),
        ("other-digits:test/1", Example("other-digits:test/1")),
        ("other:nonsense", Words("other:nonsense")),
        ("gone.jpg", Words("gone.jpg")),
        ("a red car", Words("a red car")),
        ("", Words("", is_guess=True)),
        (PIXELS, Pixels(PIXELS)),
        (Image.fromarray(PIXELS), Pixels(PIXELS)),
        (ImageRef(1), ImageRef(1)),
    ):
        assert read_query(query, ["digits"]) == expected
    assert read_query("gone.jpg").is_guess


def test_a_plain_string_is_understood_alike_at_every_door(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("there").touch()
    Path("folder").mkdir()
    words = ["there", "folder", "gone/a", "gone.jpg", "http://a/b.png", "digits:test/1", "red"]
    assert [word for word in words if names_path(word)] == ["there", "folder", "gone/a", "gone.jpg"]
    assert [word for word in words if is_bare_query(word)] == ["there", "http://a/b.png"]
    assert [word for word in words if names_example(word, ["digits"])] == ["digits:test/1"]
    assert not any(names_example(word, []) for word in words)


def test_hits_ids_and_vectors_are_queries():
    hit = Hit(1, ImageId(255), ("/a.png",), 0.5, 0.5, None)
    ids = np.array([255, 7])
    for query in (hit, 255, np.int64(255), ids[0]):
        assert read_query(query) == ImageRef(255)
    for query in ([0.25, 1], (0.25, 1.0), np.array([0.25, 1]), np.float16([0.25, 1]), Series([0.25, 1.0])):
        assert read_query(query) == Vector([0.25, 1])
        assert read_queries("without", query) == (Vector([0.25, 1]),)
    assert read_query("00000000000000ff") == Words("00000000000000ff")  # as a string it is none
    for several in (ids, ids.tolist(), [hit, ImageRef(7)], iter(ids), Series(ids)):
        assert read_queries("without", several) == (ImageRef(255), ImageRef(7))


class Series:
    """What another library calls an array."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return self.values

    def __iter__(self):
        return iter(self.values)


def test_queries_of_several_kinds_may_stand_in_one_list(tmp_path):
    file = tmp_path / "a.png"
    Image.fromarray(PIXELS).save(file)
    given = [file, PIXELS, Image.fromarray(PIXELS), [0.5, 1], 255, "red", file.read_bytes(), str(file)]
    assert read_queries("the query", given) == (
        ImageFile(file),
        Pixels(PIXELS),
        Pixels(PIXELS),
        Vector([0.5, 1]),
        ImageRef(255),
        Words("red"),
        Pixels(PIXELS),
        ImageFile(str(file)),
    )
    assert read_queries("the query", np.array(["red", "blue"])) == (Words("red"), Words("blue"))


@pytest.mark.parametrize(
    "nonsense",
    [
        *(
            None,
            1.5,
            True,
            [None],
            [[file] for file in "ab"],
            [True, False],
            {"id": 1},
            [{"id": 1}],
            object(),
        ),
        *(np.array(5), np.array([1j]), np.array([object()]), np.zeros(0), np.zeros(9, np.uint8), np.bool_(1)),
        *([np.nan, 1.0], np.array([1.0, np.inf]), -1, 2**70, [-1], np.datetime64("2020-01-01")),
    ],
    ids=lambda nonsense: re.sub(r" at 0x\w+", "", repr(nonsense)),  # the same in each process
)
def test_what_can_be_no_query_is_refused_by_an_error_of_ours(nonsense):
    with pytest.raises(LookalikeError):
        read_query(nonsense)
    if nonsense is not None:
        with pytest.raises(LookalikeError, match=r"without|query|vector|id"):
            read_queries("without", nonsense)


def test_one_several_or_no_queries_are_queries():
    assert read_queries("without", None) == read_queries("without", ()) == ()
    assert read_queries("without", "red") == read_queries("without", ["red"]) == (Words("red"),)
    assert read_queries("without", Words("red")) == (Words("red"),)
    assert read_queries("without", PIXELS) == read_queries("without", PIXELS[None]) == (Pixels(PIXELS),)
