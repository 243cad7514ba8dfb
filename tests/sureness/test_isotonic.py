"""Isotonic regression, by hand and beside scikit-learn's."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.sureness.calibration_error import expected_calibration_error
from lookalike.sureness.isotonic import Curve, fit_isotonic


def test_what_falls_is_pooled_by_weight():
    curve = fit_isotonic([1, 2, 3], [0.0, 1.0, 0.0], weights=[1, 1, 3])
    assert curve.values.tolist() == [0.0, 0.25]
    assert curve.knots.tolist() == [1.0, 2.75]


def test_between_knots_it_is_straight_and_beyond_them_level():
    curve = Curve(np.array([0.0, 2.0]), np.array([0.1, 0.5]))
    assert curve.at([[-9, 1], [2, 9]]).round(9).tolist() == [[0.1, 0.3], [0.5, 0.5]]


def test_one_observation_is_the_curve():
    assert fit_isotonic([3.0], [0.7]).at([0, 3, 9]).tolist() == [0.7] * 3


def test_equal_places_are_one_step():
    curve = fit_isotonic([2, 2, 2, 2], [0, 1, 1, 1])
    assert curve.values.tolist() == [0.75]


def test_it_agrees_with_scikit_learn_where_that_has_few_steps():
    from sklearn.isotonic import IsotonicRegression

    random = np.random.default_rng(0)
    x = random.normal(size=300)
    y = (random.random(300) < 1 / (1 + np.exp(-2 * x))).astype(float)
    weights = random.random(300) + 0.1
    ours = fit_isotonic(x, y, weights)
    theirs = IsotonicRegression().fit(x, y, sample_weight=weights).predict(x)
    # Ours is straight between the middles of steps: both have the same steps, and the same mean.
    assert set(np.round(ours.values, 9)) == set(np.round(theirs, 9))
    assert abs(ours.at(x).mean() - theirs.mean()) < 0.01


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-50, 50), st.booleans()), min_size=1, max_size=600))
def test_it_never_falls_and_stays_among_what_was_seen(pairs):
    x, y = np.array([pair[0] for pair in pairs], float), np.array([pair[1] for pair in pairs], float)
    curve = fit_isotonic(x, y)
    values = curve.at(np.linspace(-60, 60, 100))
    assert (np.diff(values) >= 0).all()
    assert values.min() >= y.min() and values.max() <= y.max()


def test_error_is_none_where_what_is_said_comes_true():
    said = np.repeat([0.1, 0.5, 0.9], 10)
    true = np.concatenate([np.arange(10) < n for n in (1, 5, 9)])
    assert expected_calibration_error(said, true) < 1e-9


def test_error_is_the_gap_by_hand():
    # In the bin of 0.2 half come true, in that of 0.8 none: (0.3 × 2 + 0.8 × 2) / 4
    assert expected_calibration_error([0.2, 0.2, 0.8, 0.8], [True, False, False, False]) == 0.55
