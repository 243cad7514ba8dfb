"""Which images pass a filter: by hand, at the edges, and with words that are hostile to SQL."""

import datetime

import numpy as np
import pytest
from snapshots_of import places_of

from lookalike import Filter
from lookalike.collection import snapshot
from lookalike.collection.selecting import pass_filter
from lookalike.errors import InvalidInputError, QueryError
from lookalike.images.metadata.metadata import NO_METADATA, Metadata
from lookalike.query.appearance import shape_of
from lookalike.store import Store
from lookalike.store.store import Changes, FileRow, ImageRow

HOSTILE = ["dog's", "'; DROP TABLE files; --", 'a "b"', "% _", "naïve\\", "' OR '1'='1"]


def image(key, width, height, sharpness=100.0, kind="JPEG", metadata=NO_METADATA):
    colours = np.array([[50, 0, 0, 1]], np.float32)
    return ImageRow(key, bytes(32), kind, width, height, 0, colours, sharpness, b"jpeg", metadata, 2)


@pytest.fixture(autouse=True, params=["kept", "once"])
def way(request, monkeypatch):
    """Whether columns are kept by id, or read for a command that asks once."""
    if request.param == "once":
        monkeypatch.setattr(snapshot, "_SOON_READ", -1)


@pytest.fixture
def store(tmp_path):
    """Images 1 to 5, and the label of each hostile word from 11 on."""
    made = Store(tmp_path)
    images = [
        image(1, 100, 100, 10),
        image(2, 200, 100, 20, "PNG"),
        image(3, 100, 200, 30, "GIF"),
        image(4, 4000, 3000, 0),
        image(5, 60000, 60000, 50),  # 3.6 · 10⁹ pixels: more than 32 bits
        *(image(11 + number, 1, 1) for number in range(len(HOSTILE))),
    ]
    files = [FileRow(f"a:{row.id}", row.id, 1, 1, "cat" if row.id < 3 else None) for row in images[:5]]
    files += [FileRow(f"a:{11 + number}", 11 + number, 1, 1, word) for number, word in enumerate(HOSTILE)]
    files += [FileRow("b:1", 1, 1, 1, "pet", "train"), FileRow("b:2", 2, 1, 1, "pet", "test")]
    made.write(Changes(images=images, files=files), made.vectors("lite0", 4))
    return made


def find_passing(store, where):
    return pass_filter(places_of(store.folder), where).ids


def passing(store, **conditions):
    found = find_passing(store, Filter(**conditions))
    return None if found is None else sorted(found[found < 11].tolist())


def test_no_condition_lets_all_pass(store):
    assert passing(store) is None
    assert passing(store, formats=(), labels=[]) is None


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"min_size": 100}, [1, 2, 3, 4, 5]),
        ({"min_size": 101}, [4, 5]),
        ({"max_size": 100}, [1, 2, 3]),
        ({"min_width": 200, "max_width": 4000}, [2, 4]),
        ({"min_height": 200, "max_height": 3000}, [3, 4]),
        ({"min_megapixels": 12}, [4, 5]),
        ({"min_megapixels": 12.001}, [5]),
        ({"max_megapixels": 0.01}, [1]),
        ({"min_aspect": 1.5}, [2]),
        ({"max_aspect": 0.5}, [3]),
        ({"shape": "landscape"}, [2, 4]),
        ({"shape": "portrait"}, [3]),
        ({"shape": "square"}, [1, 5]),
        ({"min_sharpness": 20}, [2, 3, 5]),
        ({"max_sharpness": 0}, [4]),
        ({"formats": ["png", ".GIF"]}, [2, 3]),
        ({"formats": "jpg", "max_size": 100}, [1]),
        ({"labels": "cat"}, [1, 2]),
        ({"labels": ["pet"], "split": "test"}, [2]),
        ({"split": "train"}, [1]),
        ({"labels": ["pet"], "shape": "landscape"}, [2]),
        ({"min_size": 10**6}, []),
        ({"min_size": 1e300}, []),
        ({"min_megapixels": 1e-9, "max_sharpness": 1e17}, [1, 2, 3, 4, 5]),
        ({"min_size": np.int64(101), "max_size": np.float32(3000)}, [4]),
    ],
)
def test_only_what_fulfils_every_condition_passes(store, conditions, expected):
    assert passing(store, **conditions) == expected


def test_an_image_that_lies_in_several_places_passes_once(store):
    assert find_passing(store, Filter(labels=["cat", "pet"])).tolist() == [1, 2]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_labels_hostile_to_sql_are_labels_like_others(store, number):
    assert find_passing(store, Filter(labels=[HOSTILE[number]])).tolist() == [11 + number]


@pytest.mark.parametrize(
    ("label", "hint"),
    [
        ("cta", "did you mean cat?"),
        ("zzzzzz", r"collection\.info\(\)\.labels lists"),
        ("no'body", r"collection\.info\(\)\.labels lists"),
    ],
)
def test_a_label_that_no_image_has_is_told(store, label, hint):
    with pytest.raises(QueryError, match=f"(?s)no image here is labelled .*{label}.*{hint}"):
        find_passing(store, Filter(labels=["cat", label]))


def test_a_label_of_the_other_split_is_no_mistake(store):
    assert passing(store, labels=["cat"], split="train") == []


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"min_size": -1}, r"the least size \(min_size\) is -1; expected a number, 0 or more"),
        ({"max_aspect": float("nan")}, r"the greatest aspect \(max_aspect\) is nan"),
        ({"max_size": float("inf")}, r"max_size\) is inf"),
        ({"min_width": "100"}, r"min_width\) is '100'"),
        ({"min_width": True}, r"min_width\) is True"),
        (
            {"min_size": 5, "max_size": 4},
            r"the least size \(min_size\) is 5 and the greatest \(max_size\) 4: no image can be both",
        ),
        ({"shape": "round"}, "shape is 'round'; expected landscape or portrait or square"),
        ({"split": "x' OR 1=1"}, "split is .*; expected train or test"),
        ({"formats": ["tga"]}, "there is no format 'tga'; expected one of jpeg, png"),
        ({"labels": [1]}, r"labels is \[1\]; expected a list of words"),
        ({"labels": 1}, "labels is 1; expected a list of words"),
    ],
)
def test_filters_that_make_no_sense_are_refused(conditions, message):
    with pytest.raises(InvalidInputError, match=message):
        Filter(**conditions)


def test_split_of_the_search_and_of_the_filter_merge():
    assert Filter(min_size=5).with_split("train") == Filter(min_size=5, split="train")
    assert Filter(split="test").with_split("test") == Filter(split="test").with_split(None)
    with pytest.raises(InvalidInputError, match="split is 'train', but the filter's is 'test'\nname one"):
        Filter(split="test").with_split("train")


@pytest.mark.parametrize("sides", [(21, 20), (20, 21), (22, 20), (20, 22), (1, 1), (7, 3), (3, 7)])
def test_shape_means_the_same_to_a_filter_and_to_info(tmp_path, sides):
    store = Store(tmp_path)
    store.write(Changes(images=[image(1, *sides)]), store.vectors("lite0", 4))
    shapes = ("landscape", "portrait", "square")
    assert [shape for shape in shapes if len(find_passing(store, Filter(shape=shape)))] == [shape_of(*sides)]


@pytest.fixture
def said(tmp_path):
    """Images 1 to 4, of which the last says nothing, in a table of several fragments."""
    made = Store(tmp_path)
    moment = datetime.datetime
    told = [
        Metadata(
            taken=moment(2019, 4, 30, 23, 59, 59, 999_999),
            camera="Canon EOS 5D Mark III",
            lens="EF24-70mm f/2.8L",
            keywords=("Beach", "Été"),
            rating=5,
            latitude=48.858,
            longitude=2.294,
        ),
        Metadata(
            taken=moment(2019, 5, 1),
            offset=120,
            camera="NIKON D90",
            keywords=("beach", "dog's"),
            rating=3,
            latitude=0.0,
            longitude=179.9,
        ),
        Metadata(
            taken=moment(2019, 12, 31, 23, 59, 59, 999_999),
            camera="Canon PowerShot",
            keywords=("beaches",),
            rating=-1,
            latitude=89.9,
            longitude=-90.0,
        ),
        NO_METADATA,
    ]
    for key, metadata in enumerate(told, start=1):
        rows = [image(key, 100, 100, metadata=metadata)]
        made.write(Changes(images=rows, files=[FileRow(f"a:{key}", key, 1, 1)]), made.vectors("lite0", 4))
    return made


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"min_date": "2019"}, [1, 2, 3]),
        ({"min_date": "2019-05"}, [2, 3]),
        ({"max_date": "2019-04"}, [1]),
        ({"max_date": "2019-04-30 23:59:59"}, [1]),
        ({"max_date": datetime.datetime(2019, 4, 30, 23, 59, 59)}, []),
        ({"min_date": datetime.date(2019, 5, 1), "max_date": datetime.date(2019, 5, 1)}, [2]),
        ({"min_date": datetime.datetime(2019, 5, 1, 0, 0, 0, 1)}, [3]),
        ({"max_date": "2019"}, [1, 2, 3]),
        ({"min_date": "2020"}, []),
        ({"min_date": "0001", "max_date": "9999"}, [1, 2, 3]),
        ({"cameras": "canon"}, [1, 3]),
        ({"cameras": ["eos 5d", "nikon"]}, [1, 2]),
        ({"cameras": ["CANON"], "max_rating": 0}, [3]),
        ({"lenses": ["24-70MM"]}, [1]),
        ({"keywords": "BEACH"}, [1, 2]),
        ({"keywords": ["beaches", "dog's"]}, [2, 3]),
        ({"keywords": "e\u0301te\u0301"}, [1]),
        ({"keywords": "beach", "cameras": "nikon"}, [2]),
        ({"min_rating": 3}, [1, 2]),
        ({"min_rating": 3, "max_rating": 4}, [2]),
        ({"max_rating": 3}, [2, 3]),
        ({"near": (48.9, 2.3, 5)}, [1]),
        ({"near": (48.9, 2.3, 4)}, []),
        ({"near": [0, -179.9, 23]}, [2]),
        ({"near": (0, -179.9, 22)}, []),
        ({"near": (90, 0, 12)}, [3]),
        ({"near": (89.9, 90, 23)}, [3]),
        ({"near": (89.9, 90, 22)}, []),
        ({"near": np.array([0.0, 0.0, 20_100.0])}, [1, 2, 3]),
        ({"min_size": 1, "min_date": "2019-05", "labels": ()}, [2, 3]),
    ],
)
def test_only_images_whose_files_say_so_pass(said, conditions, expected):
    assert passing(said, **conditions) == expected


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"cameras": ["canon", "nikno"]}, r"was taken with a camera called 'nikno'\ndid you mean NIKON\?"),
        ({"cameras": "canon eso"}, r"a camera called 'canon eso'\ndid you mean Canon EOS or"),
        (
            {"cameras": "zzzzzzzz"},
            r"a camera called 'zzzzzzzz'\ncollection\.info\(\)\.facts lists the cameras",
        ),
        ({"lenses": "EF24-80mm"}, r"a lens called 'EF24-80mm'\ndid you mean EF24-70mm\?"),
        ({"keywords": "baech"}, "has the keyword 'baech'\ndid you mean .*each"),
        ({"keywords": "each"}, "has the keyword 'each'"),  # not part of one
        ({"keywords": "'; DROP TABLE images; --"}, "facts lists the keywords"),
    ],
)
def test_a_camera_lens_or_keyword_that_no_image_has_is_told(said, conditions, message):
    with pytest.raises(QueryError, match=f"(?s)no image here .*{message}"):
        find_passing(said, Filter(**conditions))


def test_a_camera_of_other_images_is_no_mistake(said):
    assert passing(said, cameras="nikon", min_rating=5) == []
    assert passing(said, keywords="beaches", min_rating=5) == []


def test_where_no_image_has_a_keyword_that_is_told(store):
    with pytest.raises(QueryError, match="has the keyword 'beach': no image's file names any keywords"):
        find_passing(store, Filter(keywords=["beach"]))
    assert passing(store, min_date="0001") == passing(store, near=(0, 0, 30_000)) == []


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"min_date": "May"}, r"the earliest date \(min_date\) is 'May'; expected a year"),
        ({"max_date": 2019}, r"the latest date \(max_date\) is 2019; expected a year"),
        (
            {"min_date": "2020", "max_date": "2019"},
            r"min_date\) is 2020-01-01 00:00:00 and the latest .* 2019-12-31 23.*: no image can be of both",
        ),
        ({"min_rating": 6}, r"the least rating \(min_rating\) is 6; expected stars, 1 to 5, or -1"),
        ({"max_rating": float("nan")}, "rating .* is nan; expected stars"),
        ({"min_rating": "5"}, "rating .* is '5'; expected stars"),
        ({"min_rating": 4, "max_rating": 3}, "no image can be both"),
        ({"near": (48.8, 2.3)}, r"near is \(48.8, 2.3\); expected a latitude, a longitude and a distance"),
        ({"near": "48.8,2.3,5"}, "near is '48.8,2.3,5'; expected a latitude"),
        ({"near": (91, 0, 1)}, "the latitude of near is 91; expected degrees, -90 to 90"),
        ({"near": (0, -181, 1)}, "the longitude of near is -181; expected degrees, -180 to 180"),
        ({"near": (float("nan"), 0, 1)}, "the latitude of near is nan"),
        ({"near": (0, 0, -1)}, "the distance of near is -1; expected kilometres, 0 or more"),
        ({"near": (0, 0, float("inf"))}, "the distance of near is inf"),
        ({"cameras": [""]}, r"cameras is \[''\]; expected words that are not empty"),
        ({"keywords": " "}, "keywords is ' '; expected words that are not empty"),
        ({"lenses": 5}, "lenses is 5; expected a list of words"),
    ],
)
def test_filters_by_what_files_say_that_make_no_sense_are_refused(conditions, message):
    with pytest.raises(InvalidInputError, match=message):
        Filter(**conditions)


def test_a_filter_by_date_says_what_it_became_and_stays_so():
    made = Filter(min_date="2019-05", max_date=datetime.date(2019, 5, 31))
    assert made == Filter(min_date=datetime.datetime(2019, 5, 1), max_date="2019-05")
    assert made.with_split("train").max_date == made.max_date
    assert hash(made.with_split(None)) == hash(made)


@pytest.mark.parametrize(
    "conditions",
    [
        *({"min_date": "2019"}, {"max_date": "2019"}, {"cameras": "c"}, {"lenses": "c"}, {"keywords": "c"}),
        *({"min_rating": 1}, {"max_rating": 1}, {"near": (0, 0, 1)}),
    ],
)
def test_filters_know_whether_they_need_metadata(conditions):
    assert Filter(**conditions).needs_metadata
    assert not Filter(min_sharpness=1, labels=["c"], min_size=1).needs_metadata
