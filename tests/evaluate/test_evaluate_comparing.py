"""Intervals and the paired test: by hand, against SciPy, and where there is nothing to tell apart."""

import itertools

import numpy as np
import pytest
from scipy import stats

from lookalike.errors import InvalidInputError
from lookalike.evaluate import bootstrap_means, compare_paired, comparing


def test_interval_is_that_of_scipy_but_for_the_draws():
    values = np.random.default_rng(0).random(400) ** 2
    found = bootstrap_means({"mAP": values}, n_resamples=20_000)["mAP"]
    other = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    width = other.high - other.low
    assert found.mean == pytest.approx(values.mean(), abs=1e-12)
    assert (found.low, found.high) == pytest.approx(tuple(other), abs=0.03 * width)


def test_intervals_hold_the_true_mean_about_as_often_as_they_say():
    random = np.random.default_rng(0)
    held = 0
    for number in range(200):
        found = bootstrap_means({"P@1": random.random(60) < 0.7}, 400, random_state=number)["P@1"]
        held += found.low <= 0.7 <= found.high
    assert 0.88 < held / 200 < 0.99


def test_larger_confidence_is_a_wider_interval_and_one_query_has_none():
    values = {"P@1": np.arange(50) % 3 / 2}
    narrow, wide = (bootstrap_means(values, confidence=share)["P@1"] for share in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high
    alone = bootstrap_means({"P@1": [0.25]})["P@1"]
    assert (alone.low, alone.mean, alone.high) == (0.25, 0.25, 0.25)


def test_same_random_state_gives_the_same_figures_and_blocks_do_not_show(monkeypatch):
    first, second = np.random.default_rng(0).random((2, 90))
    whole = compare_paired({"a": first}, {"a": second})
    assert compare_paired({"a": first}, {"a": second}) == whole
    assert compare_paired({"a": first}, {"a": second}, random_state=1) != whole
    monkeypatch.setattr(comparing, "_BLOCK", 90 * 128)
    parts = compare_paired({"a": first}, {"a": second})["a"]
    assert parts.difference.low == pytest.approx(whole["a"].difference.low, abs=0.02)
    assert parts.p == pytest.approx(whole["a"].p, abs=0.02)


def test_p_is_the_share_of_all_sign_flips_by_hand():
    """Of three differences 1, 1, -1 the 8 signs give sums 1 (3 times), -1 (3), 3 and -3: all as large as 1.

    Of 1, 1, 1 two of the 8, all plus and all minus, are as large as 3.
    """
    p = {name: compare_paired({"x": [0, 0, 0]}, {"x": after})["x"].p for name, after in
         {"mixed": [1, 1, -1], "alike": [1, 1, 1]}.items()}  # fmt: skip
    assert p["mixed"] == 1
    assert p["alike"] == pytest.approx(2 / 8, abs=0.02)


def test_p_is_that_of_every_sign_flip():
    differences = np.random.default_rng(3).normal(0.35, 1, 12)
    signs = np.array(list(itertools.product((1, -1), repeat=12)))
    exact = (np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12).mean()
    found = compare_paired({"x": np.zeros(12)}, {"x": differences}, n_flips=40_000)["x"]
    assert found.p == pytest.approx(exact, abs=0.01)


def test_no_difference_has_p_one_and_a_clear_one_the_least_there_is():
    same = np.random.default_rng(0).random(80)
    nothing = compare_paired({"x": same}, {"x": same})["x"]
    assert (nothing.p, nothing.difference.low, nothing.difference.high) == (1, 0, 0)
    clear = compare_paired({"x": same}, {"x": same + 1}, n_flips=999)["x"]
    assert clear.p == 1 / 1000
    assert clear.second.mean - clear.first.mean == pytest.approx(clear.difference.mean) == pytest.approx(1)


def test_pairs_tell_apart_what_intervals_of_each_cannot():
    hard = np.random.default_rng(0).random(200)
    found = compare_paired({"x": hard}, {"x": hard + 0.02})["x"]
    assert found.first.high > found.second.low
    assert found.difference.low > 0
    assert found.p < 0.001


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bootstrap_means({}), "of one query at least"),
        (lambda: bootstrap_means({"a": []}), "of one query at least"),
        (lambda: bootstrap_means({"a": [1, 2], "b": [1]}), r"a \(2,\), b \(1,\)"),
        (lambda: bootstrap_means({"a": [1, np.nan]}), "leave out queries"),
        (lambda: bootstrap_means({"a": [1]}, n_resamples=0), "expected 1 or more"),
        (lambda: bootstrap_means({"a": [1]}, confidence=1.0), "above 0 and below 1"),
        (lambda: compare_paired({"a": [1]}, {"b": [1]}), "expected some in common"),
        (lambda: compare_paired({"a": [1]}, {"a": [1, 2]}), "there are 1 and 2 queries"),
        (lambda: compare_paired({"a": [1]}, {"a": [1]}, n_flips=0), "expected 1 or more"),
    ],
)
def test_what_cannot_be_compared_is_an_error(call, words):
    with pytest.raises(InvalidInputError, match=words):
        call()
