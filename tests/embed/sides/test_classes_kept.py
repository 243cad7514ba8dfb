import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lookalike.embed.sides.classes import KEPT, N_CLASSES, WIDTH, decode, encode


def logits_of(probabilities):
    """Log-odds whose softmax is these, by class; what is left is spread over the others."""
    left = (1 - sum(probabilities.values())) / (N_CLASSES - len(probabilities))
    row = np.full(N_CLASSES, np.log(max(left, 1e-30)))
    for number, p in probabilities.items():
        row[number] = np.log(p)
    return row[None].astype(np.float32)


def test_by_hand():
    rows = encode(logits_of({999: 0.5, 3: 0.25, 700: 0.125}))
    assert rows.shape == (1, WIDTH) and rows.dtype == np.uint8
    assert rows[0, :6].tolist() == [999 % 256, 999 // 256, 3, 0, 700 % 256, 700 // 256]
    assert rows[0, 40] == 128  # even odds: 1 + 127
    ids, probabilities = decode(rows)
    assert ids[0, :3].tolist() == [999, 3, 700]
    assert probabilities[0, :3] == pytest.approx([0.5, 0.25, 0.125], rel=0.04)
    assert probabilities[0, 3:] == pytest.approx(0.125 / 997, rel=0.04)


def test_a_sure_class_and_impossible_ones():
    logits = np.full((1, N_CLASSES), -np.float32(200))
    logits[0, 17] = 200
    ids, probabilities = decode(encode(logits))
    assert ids[0, 0] == 17 and probabilities[0, 0] == pytest.approx(0.9999, abs=1e-4)
    assert not probabilities[0, 1:].any()


def test_nothing_is_probable_in_a_row_that_is_not_finite():
    logits = logits_of({1: 0.9})
    _, probabilities = decode(encode(np.concatenate([logits, logits * np.nan, logits * np.inf])))
    assert probabilities[0].any() and not probabilities[1:].any()


def test_no_rows():
    rows = encode(np.empty((0, N_CLASSES), np.float32))
    assert rows.shape == (0, WIDTH)
    assert decode(rows)[0].shape == (0, KEPT)


@given(arrays(np.float32, (2, N_CLASSES), elements=st.floats(-30, 30, width=32)))
def test_likeliest_come_back_in_order_within_a_step(logits):
    ids, found = decode(encode(logits))
    exact = np.exp(logits.astype(np.float64))
    exact /= exact.sum(axis=1, keepdims=True)
    for row in range(2):
        assert np.allclose(exact[row, ids[row]], np.sort(exact[row])[::-1][:KEPT])
        assert len(set(ids[row].tolist())) == KEPT
        kept = exact[row, ids[row]]
        assert np.allclose(found[row], kept, rtol=0.037, atol=1.3e-4)
        assert (np.diff(found[row]) <= 0).all()
