"""Which of several files is kept: rule by rule, then in the order asked for."""

import numpy as np
import pytest

from lookalike.duplicates import keeping
from lookalike.duplicates.keeping import FileFacts, rank, read_preferences, why
from lookalike.errors import InvalidInputError

NAN = np.nan


def facts(*paths, **columns):
    n = len(paths)
    plain = {
        "pixels": np.full(n, 100.0),
        "formats": ["JPEG"] * n,
        "sharpness": np.full(n, 1.0),
        "taken": np.full(n, NAN),
        "written": np.full(n, 5.0),
        "sizes": np.full(n, 9.0),
        "ratings": np.full(n, NAN),
        "is_labeled": np.zeros(n, bool),
    }
    given = {name: np.array(values) if name != "formats" else values for name, values in columns.items()}
    return FileFacts(paths, **(plain | given))


def first(prefer, *paths, **columns):
    ranks = rank(facts(*paths, **columns), read_preferences(prefer))
    return paths[int(np.argmin(ranks))]


@pytest.mark.parametrize(
    ("rule", "columns"),
    [
        ("pixels", {"pixels": [50.0, 100.0]}),
        ("sharpness", {"sharpness": [NAN, 0.5]}),
        ("older", {"taken": [7.0, 6.0]}),
        ("older", {"taken": [NAN, 3.0]}),  # the file of the other is of second 5
        ("newer", {"taken": [6.0, 7.0]}),
        ("larger", {"sizes": [1.0, 2.0]}),
        ("smaller", {"sizes": [2.0, 1.0]}),
        ("rating", {"ratings": [NAN, 1.0]}),
        ("rating", {"ratings": [-1.0, NAN]}),  # what was rejected goes before what nobody has rated
        ("labeled", {"is_labeled": [False, True]}),
        ("format", {"formats": ["JPEG", "PNG"]}),
        ("format", {"formats": ["TIFF", "NEF"]}),
    ],
)
def test_each_rule_keeps_what_it_says(rule, columns):
    assert first(rule, "a", "b", **columns) == "b"


def test_there_is_a_test_of_each_rule():
    assert [each.name for each in keeping.RULES] == [
        *("pixels", "format", "sharpness", "older", "newer", "larger", "smaller", "folder", "name"),
        *("rating", "labeled"),
    ]


def test_a_folder_is_known_by_its_whole_name_or_by_the_way_to_it():
    assert first("folder=Originals", "p:Copies/a", "p:2019/Originals/a") == "p:2019/Originals/a"
    assert (
        first("folder=Originals", "p:Originals2/a", "p:b/a") == "p:Originals2/a"
    )  # by path, both are outside
    assert first("folder=2019/Originals", "p:Originals/a", "p:2019/Originals/a") == "p:2019/Originals/a"
    assert first("folder=2020,folder=2019", "p:2018/a", "p:2019/a") == "p:2019/a"


@pytest.mark.parametrize(
    "name",
    [
        *("beach copy.jpg", "beach (1).jpg", "Kopie von beach.jpg", "beach - Copy (2).jpg", "beach-copy.jpg"),
        *("Copy of beach.jpg", "copy_beach.jpg", "beach 2.jpg", "beach - Kopie.png", "beach のコピー.jpg"),
    ],
)
def test_names_that_say_copy_come_last(name):
    assert first("name", f"a:{name}", "a:zebra.jpg") == "a:zebra.jpg"


@pytest.mark.parametrize("name", ["copyright.jpg", "IMG_2041.jpg", "photocopy.jpg", "2019.jpg", "beach.jpg"])
def test_names_that_only_look_like_it_do_not(name):
    assert first("name", f"a:{name}", "a:zebra.jpg") == f"a:{name}"


def test_the_first_rule_that_tells_files_apart_decides_and_the_path_at_last():
    columns = {"pixels": [100.0, 100.0, 50.0], "sizes": [1.0, 2.0, 3.0]}
    assert first("pixels,larger", "a", "b", "c", **columns) == "b"
    assert first("larger,pixels", "a", "b", "c", **columns) == "c"
    assert first("rating", "b", "a", "c", **columns) == "a"
    here = facts("a", "b", "c", **columns)
    chosen = read_preferences("pixels,larger")
    assert why(here, chosen, 1, 0) == "the larger file"
    assert why(here, chosen, 1, 2) == "more pixels"
    assert why(here, read_preferences("rating"), 0, 1) == "first by path"


def test_rules_are_given_as_a_text_or_a_list_and_have_a_usual_order():
    assert read_preferences("Pixels, folder=My photos") == read_preferences(["pixels", "folder=My photos"])
    assert [each.rule.name for each in read_preferences(None)] == list(keeping.USUAL_ORDER)
    assert read_preferences([]) == ()


@pytest.mark.parametrize(
    "prefer", ["best", "pixels,", "folder", "folder=", "pixels=3", "pixels,pixels", ["pixels", 3]]
)
def test_what_is_no_rule_is_refused_with_the_list_of_those_there_are(prefer):
    with pytest.raises(InvalidInputError, match=r"^prefer has ") as raised:
        read_preferences(prefer)
    assert "twice" in str(raised.value) or "older, newer" in str(raised.value)
    assert raised.value.field == "prefer"
