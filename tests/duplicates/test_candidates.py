"""Candidates are the pairs of hashes and of nearest vectors, each once, the nearest of each picture."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.duplicates.candidates import find_candidates
from lookalike.errors import CancelledError
from lookalike.system.progress import CancelToken, Watch


def no_neighbors(rows):
    return np.full((len(rows), 2), -1, np.intp), np.zeros((len(rows), 2), np.float32)


def strangers(n, seed=0):
    hashes = np.random.default_rng(seed).integers(0, 2**64, (n, 2, 8), np.uint64)
    hashes[:, 1] = hashes[:, 0]
    return hashes


def neighbors_of(pairs):
    """What gives each row its neighbours of some pairs: {(row, other): cosine}."""

    def neighbors(rows):
        others, cosines = no_neighbors(rows)
        for place, row in enumerate(rows.tolist()):
            of_row = [(other, cosine) for (one, other), cosine in pairs.items() if one == row]
            for rank, (other, cosine) in enumerate(of_row):
                others[place, rank], cosines[place, rank] = other, cosine
        return others, cosines

    return neighbors


def named(candidates):
    return set(zip(candidates.a.tolist(), candidates.b.tolist(), strict=True))


def test_what_hashes_and_vectors_find_is_one_pair():
    hashes = strangers(6)
    hashes[4] = hashes[1] ^ np.uint64(0b111)
    found = find_candidates(hashes, np.ones(6, bool), neighbors_of({(1, 4): 0.95, (4, 1): 0.95, (5, 2): 0.6}))
    assert named(found) == {(1, 4), (2, 5)}
    closeness = dict(zip(found.a.tolist(), found.closeness.tolist(), strict=True))
    assert closeness[1] == pytest.approx(0.05, abs=1e-6)  # by the vectors, that are closer than 3 bits
    assert closeness[2] == pytest.approx(0.4, abs=1e-6)
    assert found.n_left_out == 0


def test_the_turn_is_of_the_hashes_also_where_vectors_found_the_pair():
    hashes = strangers(4)
    hashes[3, 0, 5] = hashes[0, 0, 0] ^ np.uint64(0xFFFF)  # 16 bits from it in turn 6: no pair by hash
    found = find_candidates(hashes, np.ones(4, bool), neighbors_of({(3, 0): 0.7, (1, 2): 0.7}))
    turns = dict(zip(zip(found.a.tolist(), found.b.tolist(), strict=True), found.turn.tolist(), strict=True))
    assert turns == {(0, 3): 6, (1, 2): turns[1, 2]}
    hashes[1, 0, 0] = hashes[2, 0, 0] ^ np.uint64(0xFFFFFF)
    found = find_candidates(hashes, np.ones(4, bool), neighbors_of({(1, 2): 0.7}))
    assert found.turn.tolist() == [1]


def test_only_neighbors_of_new_rows_are_asked_for():
    asked = []

    def neighbors(rows):
        asked.append(rows.tolist())
        return no_neighbors(rows)

    is_new = np.array([False, True, False, True])
    hashes = np.repeat(strangers(1), 4, axis=0)
    found = find_candidates(hashes, is_new, neighbors)
    assert asked == [[1, 3]]
    assert named(found) == {(0, 1), (0, 3), (1, 2), (1, 3), (2, 3)}


def test_each_picture_keeps_its_nearest_and_those_that_others_keep():
    hashes = strangers(5)
    pairs = {(0, other): 1 - other / 10 for other in (1, 2, 3, 4)}
    few = find_candidates(hashes, np.ones(5, bool), lambda rows: wide(rows, pairs), most=2)
    assert named(few) == {(0, 1), (0, 2), (0, 3), (0, 4)}, "they are the only ones of the others"
    assert few.n_left_out == 1
    pairs |= {(3, 1): 0.95, (3, 2): 0.95, (4, 1): 0.95, (4, 2): 0.96}
    few = find_candidates(hashes, np.ones(5, bool), lambda rows: wide(rows, pairs), most=2)
    assert (0, 4) not in named(few)
    assert few.n_left_out == 5


def wide(rows, pairs):
    others, cosines = np.full((len(rows), 8), -1, np.intp), np.zeros((len(rows), 8), np.float32)
    for place, row in enumerate(rows.tolist()):
        for rank, (other, cosine) in enumerate((o, c) for (one, o), c in pairs.items() if one == row):
            others[place, rank], cosines[place, rank] = other, cosine
    return others, cosines


@given(n=st.integers(2, 40), n_pairs=st.integers(0, 120), most=st.integers(1, 6), seed=st.integers(0, 1000))
def test_bounds_hold_for_any_pairs(n, n_pairs, most, seed):
    random = np.random.default_rng(seed)
    pairs = {
        (int(a), int(b)): float(random.choice([0.5, 0.7, 0.9]))
        for a, b in random.integers(0, n, (n_pairs, 2))
        if a < b
    }
    rows = [sum(one == row for one, _ in pairs) for row in range(n)]
    if max(rows, default=0) > 8:
        return
    found = find_candidates(strangers(n, seed), np.ones(n, bool), lambda r: wide(r, pairs), most=most)
    kept = named(found)
    assert len(kept) == len(found.a)
    expected, crowded = set(), 0
    for picture in range(n):
        own = sorted(
            (1 - cosine, sum(pair) - picture, pair) for pair, cosine in pairs.items() if picture in pair
        )
        expected.update(pair for _, _, pair in own[:most])
        crowded += len(own) > most
    assert kept == expected
    assert found.n_left_out == crowded


def test_pairs_of_a_family_come_together_that_with_the_first_of_it_first():
    hashes = strangers(40)
    for family in range(10):  # rows family, family + 10, …: four each
        for member in range(4):
            hashes[family + 10 * member] = hashes[family] ^ np.uint64((1 << member) - 1)
    found = find_candidates(hashes, np.ones(40, bool), no_neighbors)
    assert len(found.a) == 60
    families = (found.a % 10).tolist()
    assert (found.a % 10 == found.b % 10).all()
    assert sum(one != other for one, other in itertools.pairwise(families)) == 9


def test_without_pairs_there_are_none():
    for n in (0, 1, 5):
        found = find_candidates(strangers(n), np.ones(n, bool), no_neighbors)
        assert [len(column) for column in found[:4]] == [0, 0, 0, 0]


def test_the_same_is_found_each_time():
    hashes = np.repeat(strangers(60), 5, axis=0)
    one, again = (find_candidates(hashes, np.ones(300, bool), no_neighbors, most=3) for _ in range(2))
    for column, other in zip(one, again, strict=True):
        np.testing.assert_array_equal(column, other)


def test_there_is_an_end_to_it_when_it_is_cancelled():
    token = CancelToken()

    def neighbors(rows):
        token.cancel()
        return no_neighbors(rows)

    with pytest.raises(CancelledError):
        find_candidates(strangers(5), np.ones(5, bool), neighbors, watch=Watch(cancel=token))
