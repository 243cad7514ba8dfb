"""Hits: ranked at once, described when they are looked at, and otherwise as a tuple of them would be."""

import pickle
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.results.hits import PAGE, Hits
from lookalike.types import Hit

N = 2 * PAGE + 7


class Describing:
    """Describes hits, and remembers how many."""

    def __init__(self):
        self.described = []

    def __call__(self, ranks, ids, distances):
        self.described += list(ranks)
        rows = zip(ranks, ids.tolist(), distances.tolist(), strict=True)
        return [described(rank, image, distance) for rank, image, distance in rows]


def described(rank, image, distance):
    return Hit(rank, image, (f"/{image}.png",), distance, 1 - distance, None)


def make(n=N, describe=None):
    return Hits(10 * np.arange(n), np.arange(n) / 1000, describe or Describing())


def as_tuple(n=N):
    return tuple(described(1 + place, 10 * place, place / 1000) for place in range(n))


def test_nothing_is_described_before_it_is_looked_at():
    describe = Describing()
    hits = make(describe=describe)
    assert (len(hits), hits.ids[-1], hits.distances[1], hits[5:].scores[0]) == (N, 10 * (N - 1), 0.001, 0.995)
    assert bool(hits)
    assert describe.described == []


def test_a_page_is_described_once_and_no_other():
    describe = Describing()
    hits = make(describe=describe)
    first = hits[PAGE + 3]
    assert first is hits[PAGE + 3] is hits[PAGE:][3]
    assert [hit.rank for hit in hits[PAGE : PAGE + 60]] == list(range(PAGE + 1, PAGE + 61))
    assert describe.described == list(range(PAGE + 1, 2 * PAGE + 1))


def test_the_last_page_may_be_short_and_the_end_is_the_end():
    describe = Describing()
    hits = make(describe=describe)
    assert hits[-1].rank == N
    assert describe.described == list(range(2 * PAGE + 1, N + 1))
    for place in (N, -N - 1):
        with pytest.raises(IndexError):
            hits[place]


places = st.none() | st.integers(-N - 3, N + 3)
steps = st.none() | st.integers(-N - 3, N + 3).filter(bool)


@given(st.builds(slice, places, places, steps), st.builds(slice, places, places, steps))
def test_slices_are_those_of_a_tuple(first, second):
    hits, expected = make()[first][second], as_tuple()[first][second]
    assert tuple(hits) == expected
    assert hits == expected
    assert hits.ids.tolist() == [hit.id for hit in expected]
    assert hits.distances.tolist() == [hit.distance for hit in expected]
    assert hits.scores.tolist() == [hit.score for hit in expected]


def test_equal_hits_are_equal_and_others_are_not():
    hits = make()
    assert hits == make() == as_tuple()
    assert as_tuple() == hits
    assert hash(hits) == hash(as_tuple())
    assert hits[:3] == make()[:3]
    assert hits != make(N - 1)
    assert hits != as_tuple()[:-1]
    assert hits[1:3] != hits[:2]
    assert hits != list(as_tuple())
    other = Hits(hits.ids, hits.distances, lambda ranks, ids, _: [described(0, 0, 0.0)] * len(ids))
    assert hits != other  # they lie elsewhere
    assert make(0) == ()


def test_hits_can_be_counted_found_joined_and_turned_round_like_a_tuple():
    hits, expected = make(5), as_tuple(5)
    assert tuple(reversed(hits)) == expected[::-1]
    assert expected[2] in hits
    assert (hits.index(expected[2]), hits.count(expected[2])) == (2, 1)
    assert hits[:2] + hits[3:] == expected[:2] + expected[3:]
    assert expected[:2] + hits[3:] == expected[:2] + expected[3:]


@pytest.mark.parametrize("some", [slice(None), slice(5, None), slice(None, None, -3), slice(0)])
def test_pickled_hits_are_the_same_and_ask_nobody(some):
    describe = Describing()
    hits = make(describe=describe)[some]
    copy = pickle.loads(pickle.dumps(hits))
    n_described = len(describe.described)
    assert copy == hits
    assert (copy.ids.tolist(), copy.scores.tolist()) == (hits.ids.tolist(), hits.scores.tolist())
    assert pickle.loads(pickle.dumps(copy[1:3])) == hits[1:3]
    assert len(describe.described) == n_described


def test_hits_that_are_described_already():
    assert Hits.of(as_tuple()) == as_tuple() == make()
    assert Hits.of(as_tuple(3)).scores.tolist() == [1.0, 0.999, 0.998]
    unscored = [Hit(1, 7, ("/7.png",), 2.5, None, None)]
    assert Hits.of(unscored).scores is None
    assert Hits.of([]) == ()


def test_without_scores_there_are_none():
    assert Hits([1], [2.0], Describing(), has_scores=False)[:1].scores is None


def test_hits_cannot_be_changed():
    hits = make()
    for values in (hits.ids, hits.distances, hits[3:].ids):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1
    with pytest.raises(TypeError):
        hits[0] = hits[1]
    ids = np.arange(3)
    found = Hits(ids, np.zeros(3), Describing())
    ids[:] = 7
    assert found.ids.tolist() == [0, 1, 2]


def test_many_are_shown_by_the_first_few():
    assert repr(make(2)).startswith("Hits(Hit(rank=1, ")
    assert repr(make()).endswith(f", … {N - 3} more)")
    assert repr(make(0)) == "Hits()"


def test_several_threads_see_the_same():
    hits, wanted = make(), as_tuple()

    def look(seed):
        order = list(range(N))
        random.Random(seed).shuffle(order)
        return all(hits[place] == wanted[place] for place in order)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(look, range(8)))
