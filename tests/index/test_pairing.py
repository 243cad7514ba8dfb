"""Rows are matched one to one by what is nearest where hubs do not count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import CancelledError, TooLittleMemoryError
from lookalike.index.pairing import pair, scaled_cosines
from lookalike.system import memory
from lookalike.system.progress import CancelToken, Watch


def rows_of(n, d=6, seed=0):
    rows = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_hub_does_not_take_the_place_of_the_right_one():
    # Cosines: the first column is near to all three, and for the second and third row nearer than their own.
    near = np.array([[0.9, 0.1, 0.1], [0.8, 0.75, 0.1], [0.8, 0.1, 0.7]])
    a = np.eye(3, dtype=np.float32)
    b = near.T / 1.0
    around_a, around_b = near.mean(axis=1), near.mean(axis=0)  # of three there are no ten nearest
    expected = near - (around_a[:, None] + around_b) / 2
    found = scaled_cosines(a, b.astype(np.float32))
    assert found == pytest.approx(expected, abs=1e-6)
    assert near.argmax(axis=1).tolist() == [0, 0, 0] and found.argmax(axis=1).tolist() == [0, 1, 2]
    pairing = pair(a, b.astype(np.float32))
    assert sorted(zip(pairing.a.tolist(), pairing.b.tolist(), strict=True)) == [(0, 0), (1, 1), (2, 2)]
    assert pairing.is_mutual.all()


def by_definition(scaled):
    """All pairs in order, each taken if both are still alone."""
    order = sorted(np.ndindex(*scaled.shape), key=lambda at: -scaled[at])
    rows, others, pairs = set(), set(), []
    for row, other in order:
        if row not in rows and other not in others:
            rows.add(row)
            others.add(other)
            pairs.append((row, other))
    return pairs


@given(n=st.integers(1, 30), m=st.integers(1, 30), seed=st.integers(0, 20))
@settings(max_examples=60)
def test_pairs_are_those_of_the_definition(n, m, seed):
    a, b = rows_of(n, seed=seed), rows_of(m, seed=seed + 50)
    scaled = scaled_cosines(a, b)
    found = pair(a, b)
    assert list(zip(found.a.tolist(), found.b.tolist(), strict=True)) == by_definition(scaled)
    assert found.scaled == pytest.approx(scaled[found.a, found.b])
    assert found.cosines == pytest.approx((a @ b.T)[found.a, found.b], abs=1e-6)
    for row, other, is_mutual in zip(found.a, found.b, found.is_mutual, strict=True):
        assert is_mutual == (scaled[row].argmax() == other and scaled[:, other].argmax() == row)


def test_scaling_takes_the_ten_nearest():
    a, b = rows_of(25), rows_of(40, seed=1)
    near = (a @ b.T).astype(np.float64)
    around_a = np.sort(near, axis=1)[:, -10:].mean(axis=1)
    around_b = np.sort(near, axis=0)[-10:].mean(axis=0)
    assert scaled_cosines(a, b) == pytest.approx(near - (around_a[:, None] + around_b) / 2, abs=1e-5)


def test_the_other_way_round_pairs_are_the_same():
    a, b = rows_of(30), rows_of(45, seed=2)
    one, other = pair(a, b), pair(b, a)
    assert set(zip(one.a, one.b, strict=True)) == set(zip(other.b, other.a, strict=True))


def test_nothing_matches_nothing():
    assert len(pair(rows_of(0), rows_of(5)).a) == 0 and len(pair(rows_of(5), rows_of(0)).a) == 0


def test_copies_are_matched_each_once():
    rows = np.repeat(rows_of(4), 3, axis=0)
    found = pair(rows, rows)
    assert sorted(found.b.tolist()) == list(range(12))
    assert (found.a // 3 == found.b // 3).all()


def test_too_many_pairs_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr(memory, "_most_memory", lambda: 1_000)
    monkeypatch.setattr(memory, "_ALWAYS", 0)
    with pytest.raises(TooLittleMemoryError, match="matching 40 with 30 images"):
        pair(rows_of(40), rows_of(30))


def test_it_can_be_stopped():
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        pair(rows_of(9), rows_of(9), Watch(lambda progress: None, token))
