"""Isotonic regression: the curve that never falls and lies nearest to what was observed.

Observations are brought together in some hundred groups of equal weight along x first, which takes nothing
from a curve of probabilities and bounds the cost; then neighbors that fall are pooled until none does
(pool adjacent violators). Between the middles of the steps the curve is straight. Cost: one sort.

References
----------
R. E. Barlow, D. J. Bartholomew, J. M. Bremner, H. D. Brunk, "Statistical Inference under Order Restrictions",
1972.
B. Zadrozny, C. Elkan, "Transforming classifier scores into accurate multiclass probability estimates", KDD
2002: of scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_GROUPS = 400

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A curve that never falls, straight between its knots and level beyond them.

    Attributes
    ----------
    knots, values : (m,) float64
        Both rising; m from 1.
    """

    knots: Doubles
    values: Doubles

    def at(self, x: npt.ArrayLike) -> Doubles:
        """Return the values at some places, in the shape of these.

        >>> Curve(np.array([0.0, 1.0]), np.array([0.2, 0.6])).at([-1, 0.5, 3]).round(2).tolist()
        [0.2, 0.4, 0.6]
        """
        found: Doubles = np.interp(np.asarray(x, np.float64), self.knots, self.values)
        return found


def fit_isotonic(x: npt.ArrayLike, y: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Curve:
    """Fit the curve to observations.

    Parameters
    ----------
    x, y : (n,) float
        Finite; n from 1.
    weights : (n,) float, optional
        Above 0; equal by default.

    Examples
    --------
    >>> fit_isotonic([1, 2, 3, 4], [0, 1, 0, 1]).values.tolist()
    [0.0, 0.5, 1.0]
    """
    places, observed = np.asarray(x, np.float64), np.asarray(y, np.float64)
    mass = np.ones(len(places)) if weights is None else np.asarray(weights, np.float64)
    order = np.argsort(places, kind="stable")
    places, observed, mass = places[order], observed[order], mass[order]
    starts = _groups(places, mass)
    sums = np.add.reduceat(mass, starts)
    steps: list[tuple[float, float, float]] = []  # x and y in the mean, and weight
    for group in zip(
        np.add.reduceat(mass * places, starts) / sums,
        np.add.reduceat(mass * observed, starts) / sums,
        sums,
        strict=True,
    ):
        steps.append(group)
        while len(steps) > 1 and steps[-2][1] >= steps[-1][1]:
            steps.append(_pooled(steps.pop(-2), steps.pop()))
    return Curve(np.array([step[0] for step in steps]), np.array([step[1] for step in steps]))


def _groups(places: Doubles, mass: Doubles) -> npt.NDArray[np.intp]:
    """Return where groups of about equal weight start; equal places stay together."""
    share = np.cumsum(mass) / mass.sum()
    group = np.minimum((share - mass / (2 * mass.sum())) * _GROUPS, _GROUPS - 1).astype(np.intp)
    is_new = np.ones(len(places), bool)
    is_new[1:] = (group[1:] != group[:-1]) & (places[1:] != places[:-1])
    return np.flatnonzero(is_new)


def _pooled(one: tuple[float, float, float], other: tuple[float, float, float]) -> tuple[float, float, float]:
    weight = one[2] + other[2]
    x, y = ((one[i] * one[2] + other[i] * other[2]) / weight for i in (0, 1))
    return x, y, weight
