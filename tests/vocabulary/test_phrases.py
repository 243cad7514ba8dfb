"""Words as people type them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.images.palette import parse_color
from lookalike.vocabulary import name_for, read_phrase
from lookalike.vocabulary.phrases import COLORS


def understood(text):
    phrase = read_phrase(text)
    return [noun.word for noun in phrase.nouns], list(phrase.colors), list(phrase.unknown)


@pytest.mark.parametrize(
    ("text", "nouns", "colors", "unknown"),
    [
        ("dog", ["dog"], [], []),
        ("two dogs on the beach", ["dog", "beach"], [], []),
        ("a red sports car", ["sports car"], ["red"], []),
        ("angry dog", ["dog"], [], ["angry"]),
        ("orange", ["orange"], [], []),  # the fruit
        ("orange car", ["car"], ["orange"], []),
        ("grey", [], ["gray"], []),
        ("photo of a soccer ball", ["soccer ball"], [], []),
        ("great white shark", ["great white shark"], [], []),
        ("", [], [], []),
        ("the", [], [], []),
    ],
)
def test_phrases(text, nouns, colors, unknown):
    assert understood(text) == (nouns, colors, unknown)


def test_all_colors_are_those_of_css():
    assert all(parse_color(color) for color in COLORS.values())


@given(st.text(max_size=60))
def test_any_text_is_taken_apart(text):
    phrase = read_phrase(text)
    assert len(phrase.nouns) + len(phrase.colors) + len(phrase.unknown) <= len(text)


def probabilities(**of):
    found = np.zeros(1_000)
    for number, p in of.items():
        found[int(number[1:])] = p
    return found


def test_the_narrowest_word_for_most():
    assert name_for(probabilities(c162=0.9)) == ("beagle", 0.9)
    assert name_for(probabilities(c386=0.3, c385=0.3)) == ("elephant", 0.6)
    assert name_for(probabilities(c162=0.2, c954=0.2)) is None
    assert name_for(np.zeros(1_000)) is None
