"""Which images pass a filter: by hand, at the edges, and with words that are hostile to SQL."""

import numpy as np
import pytest

from lookalike import Filter
from lookalike.errors import InvalidInputError, QueryError
from lookalike.filters import find_passing
from lookalike.looks import shape_of
from lookalike.store import Store
from lookalike.store.store import Changes, FileRow, ImageRow

HOSTILE = ["dog's", "'; DROP TABLE files; --", 'a "b"', "% _", "naïve\\", "' OR '1'='1"]


def image(key, width, height, sharpness=100.0, kind="JPEG"):
    colours = np.array([[50, 0, 0, 1]], np.float32)
    return ImageRow(key, bytes(32), kind, width, height, 0, colours, sharpness, b"jpeg")


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
        ("zzzzzz", "`lookalike info` lists"),
        ("no'body", "`lookalike info` lists"),
    ],
)
def test_a_label_that_no_image_has_is_told(store, label, hint):
    with pytest.raises(QueryError, match=f"no image here is labelled .*{label}.*{hint}"):
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
    with pytest.raises(InvalidInputError, match="split is 'train', but the filter's is 'test'; name one"):
        Filter(split="test").with_split("train")


@pytest.mark.parametrize("sides", [(21, 20), (20, 21), (22, 20), (20, 22), (1, 1), (7, 3), (3, 7)])
def test_shape_means_the_same_to_a_filter_and_to_info(tmp_path, sides):
    store = Store(tmp_path)
    store.write(Changes(images=[image(1, *sides)]), store.vectors("lite0", 4))
    shapes = ("landscape", "portrait", "square")
    assert [shape for shape in shapes if len(find_passing(store, Filter(shape=shape)))] == [shape_of(*sides)]
