import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.four_bits import CodedRows, decode, encode, rounded


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def unit_rows(n, d, seed=0):
    return unit(np.random.default_rng(seed).normal(size=(n, d)))


def test_by_hand():
    # d = 4: a step is 2.7 / 2 / 7.5 = 0.18. 0.8 is in step 4, -0.6 in step -4, 0 in step 0.
    codes = encode(unit([[0.8, -0.6, 0, 0]]))
    assert codes.tolist() == [[(4 + 8) | (-4 + 8) << 4, (0 + 8) | (0 + 8) << 4]]
    odd = np.array([9, -7, 1, 1])  # twice 4.5, -3.5, 0.5, 0.5
    assert np.allclose(decode(codes), [odd / np.sqrt((odd**2).sum())])


def test_agrees_with_the_formula_written_plainly():
    vectors = unit_rows(20, 64)
    step = 2.7 / 64**0.5 / 7.5
    q = np.clip(np.floor(vectors.astype(np.float64) / step), -8, 7) + 0.5
    assert np.allclose(decode(encode(vectors)), q / np.linalg.norm(q, axis=1, keepdims=True), atol=1e-6)


def test_an_eighth_of_the_bytes_keeps_nearly_the_direction():
    vectors = unit_rows(100, 1536)
    codes = encode(vectors)
    assert (codes.dtype, codes.nbytes) == (np.uint8, vectors.nbytes // 8)
    kept = decode(codes)
    assert ((kept * vectors).sum(axis=1) > 0.992).all()  # measured: 0.9927
    assert np.allclose(np.linalg.norm(kept, axis=1), 1, atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([64, 130, 1536]), st.floats(0, 3))
def test_what_was_kept_is_kept_as_it_is(seed, d, tail):
    random = np.random.default_rng(seed)
    vectors = unit(
        random.normal(size=(3, d)) * np.exp(tail * random.normal(size=(3, d)))
    )  # also far from normal
    kept = rounded(vectors)
    assert np.array_equal(rounded(kept), kept)
    assert np.array_equal(decode(encode(kept)), kept)


def test_rows_that_cannot_be_compared_stay_so():
    vectors = unit_rows(4, 32)
    vectors[1, 3], vectors[2] = np.nan, 0
    found = rounded(vectors)
    assert np.isnan(found[1, 3]) and not found[2].any()
    assert np.array_equal(found[[0, 3]], decode(encode(vectors[[0, 3]])))
    assert rounded(np.empty((0, 8), np.float32)).shape == (0, 8)


@pytest.mark.parametrize(
    "rows", [slice(1, 4), np.array([4, 0, 0]), np.arange(5) % 2 == 0, slice(2, 2)], ids=str
)
def test_coded_rows_are_taken_as_those_of_an_array(rows):
    codes = encode(unit_rows(5, 16))
    coded = CodedRows(codes)
    assert (len(coded), coded.shape) == (5, (5, 16))
    assert np.array_equal(coded[rows], decode(codes)[rows])
    assert np.array_equal(coded[3], decode(codes)[3])
    assert np.array_equal(np.asarray(coded), decode(codes))
    assert np.asarray(coded, np.float64).dtype == np.float64
