"""Pairs are of a series where they differ in the cells in which other pairs of their pictures do."""

import numpy as np

from lookalike.duplicates.evidence import DETAILS, EVIDENCE
from lookalike.duplicates.series import in_series


def pair(a, b, cells, worst=0.1, score=0.9):
    """Evidence of a pair that differs in some cells of both pictures."""
    row = np.zeros(1, EVIDENCE)
    row["a"], row["b"], row["score"] = a, b, score
    bits = np.zeros(256, np.uint8)
    bits[list(cells)] = 1
    row["cells_a"] = row["cells_b"] = np.packbits(bits, bitorder="little")
    row["details"][:, DETAILS.index("worst_1")] = worst
    return row


def series(*rows):
    return in_series(np.concatenate(rows)).tolist()


def test_pairs_that_differ_in_the_same_cells_are_of_a_series():
    # Three letters on one paper, each against the first: it has three pairs that differ alike.
    assert series(*(pair(0, n, range(40, 60)) for n in (1, 2, 3))) == [True] * 3


def test_two_pairs_are_not_enough():
    assert series(*(pair(0, n, range(40, 60)) for n in (1, 2))) == [False] * 2


def test_pairs_that_differ_elsewhere_are_of_none():
    # Three edits of one picture: a logo in each of three corners.
    assert series(pair(0, 1, range(10)), pair(0, 2, range(20, 30)), pair(0, 3, range(40, 50))) == [False] * 3


def test_few_cells_within_many_do_not_coincide():
    # 4 of 20: all of the smaller, but a fifth of all.
    many = [pair(0, n, range(20)) for n in (1, 2, 3)]
    assert series(*many, pair(0, 4, range(4))) == [True] * 3 + [False]


def test_one_of_the_pictures_is_enough():
    # The second has three pairs; the third only this one.
    assert series(pair(1, 2, range(9)), pair(2, 5, range(9)), pair(2, 7, range(9)))[0]


def test_pairs_that_hardly_fit_or_hardly_differ_tell_nothing():
    rows = [pair(0, n, range(40, 60)) for n in (1, 2)]
    assert series(*rows, pair(0, 3, range(40, 60), worst=0.95)) == [False] * 3
    assert series(*rows, pair(0, 3, range(40, 60), score=0.5)) == [False] * 3


def test_pairs_that_differ_nowhere_do_not_coincide():
    assert series(*(pair(0, n, ()) for n in (1, 2, 3))) == [False] * 3


def test_no_evidence_is_no_series():
    assert in_series(np.empty(0, EVIDENCE)).tolist() == []
