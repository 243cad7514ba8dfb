"""Which classes nouns mean, and how plurals, joints and unknown words fare."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.vocabulary import class_name, find_noun, find_relative, name_classes
from lookalike.vocabulary.nouns import all_nouns


def names(word):
    noun = find_noun(word)
    return None if noun is None else name_classes(noun.classes)


@pytest.mark.parametrize(
    ("word", "classes"),
    [
        ("pizza", ("pizza",)),
        ("beach", ("beach",)),  # which WordNet calls seashore
        ("seashore", ("beach",)),
        ("lamp", ("table lamp",)),  # not what gives light
        ("plane", ("airliner",)),  # not the joiner's
        ("elephant", ("asian elephant", "african bush elephant")),
        ("sofa", ("couch",)),
        ("binocular", ("binoculars",)),  # which stand in the table in the plural only
    ],
)
def test_a_noun_means_the_classes_at_or_under_its_sense(word, classes):
    assert set(classes) <= set(names(word)) and len(names(word)) <= len(classes) + 1


def test_all_dogs_are_dogs():
    assert find_noun("dog").classes == tuple(range(151, 269))


@pytest.mark.parametrize(
    ("plural", "singular"),
    [("dogs", "dog"), ("beaches", "beach"), ("mice", "mouse"), ("wolves", "wolf"), ("berries", "berry"),
     ("buses", "bus"), ("foxes", "fox"), ("knives", "knife")],
)  # fmt: skip
def test_plurals_mean_what_the_singular_does(plural, singular):
    assert find_noun(plural).classes == find_noun(singular).classes


@pytest.mark.parametrize("written", ["Soccer Ball", "soccer-ball", "soccer_ball", "SOCCER BALLS"])
def test_joints_and_case_do_not_matter(written):
    assert find_noun(written).classes == find_noun("soccer ball").classes


@pytest.mark.parametrize("word", ["sunset", "baby", "material", "person", "head", "entity", "xyzzy", "", " "])
def test_what_the_classes_do_not_show_is_unknown(word):
    assert find_noun(word) is None


def test_a_relative_is_known_itself():
    assert find_relative("abbey") == "church"
    assert find_noun("church") is not None
    assert find_relative("xyzzy") is None


def test_all_rows_are_of_classes_that_there_are():
    nouns = all_nouns()
    assert len(nouns) > 3_000
    assert all(noun.classes and noun.classes[0] >= 0 and noun.classes[-1] < 1_000 for noun in nouns)
    assert all(list(noun.classes) == sorted(set(noun.classes)) for noun in nouns)


def test_every_class_is_found_by_its_name():
    unknown = [class_name(number) for number in range(1_000) if find_noun(class_name(number)) is None]
    assert unknown == []


@given(st.text(max_size=40))
def test_any_text_is_known_or_not(text):
    noun = find_noun(text)
    assert noun is None or noun.classes
    find_relative(text)
