"""Rows of a table, found by their names."""

from dataclasses import dataclass

import pytest

from lookalike.errors import InvalidInputError
from lookalike.system.rows import find_row, names_of


@dataclass(frozen=True)
class Fruit:
    name: str
    color: str


FRUITS = (Fruit("plum", "blue"), Fruit("pear", "green"))


def test_a_row_is_found_by_its_name_and_the_names_keep_their_order():
    assert find_row(FRUITS, "pear", "no such fruit").color == "green"
    assert names_of(FRUITS) == ("plum", "pear")


def test_a_name_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(InvalidInputError, match=r"there is no fruit 'fig'; expected one of plum, pear$"):
        find_row(FRUITS, "fig", "there is no fruit 'fig'")
