"""How sure a mean over queries is, and whether two searches differ by more than chance.

*Intervals* are percentile bootstrap: the queries are drawn again, with replacement, as many as there are, two
thousand times; the interval holds the middle 95 % of the means. It says what other queries of the same kind
would give against the same images, not what other images would.

*Two searches* are compared on the same queries, by the differences query by query: what is hard for one is
hard for both, and drops out. The interval of their mean difference is bootstrapped alike. p is that of a
sign-flip permutation test: were both alike, each difference could as well have the other sign; p is the share
of random signs for which the mean difference is at least as large, in absolute value, as the one found. That
one itself counts as one more, so p is never 0.

References
----------
B. Efron, R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 13 (percentile) and 15
(permutation).
M. Smucker, J. Allan, B. Carterette, "A Comparison of Statistical Significance Tests for Information Retrieval
Evaluation", 2007: this test, paired by query, among others.
B. Phipson, G. Smyth, "Permutation P-values Should Never Be Zero", 2010.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.as_numbers import as_numbers
from lookalike.errors import InvalidInputError
from lookalike.system.chance import RANDOM_STATE, check_seed
from lookalike.system.checked_calls import checked, shown

N_RESAMPLES = 2_000
N_FLIPS = 10_000
_BLOCK = 1 << 22  # of a resample and a query, drawn at once: 64 MB

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over queries, and the interval that it lies in."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure of two searches on the same queries.

    Attributes
    ----------
    first, second : Estimate
    difference : Estimate
        The second less the first.
    p : float
        Of the sign-flip permutation test, two-sided. Not corrected for how many are made.
    """

    first: Estimate
    second: Estimate
    difference: Estimate
    p: float


@checked
def bootstrap_means(
    values: Mapping[str, npt.ArrayLike],
    n_resamples: int = N_RESAMPLES,
    confidence: float = 0.95,
    random_state: int = RANDOM_STATE,
) -> dict[str, Estimate]:
    """Return the mean of each measure, with its percentile bootstrap interval.

    Parameters
    ----------
    values : mapping of str to (n_queries,) array-like
        Query by query, those without any relevant image left out. All measures are of the same draws.
    n_resamples : int
    confidence : float
        The share of the means that the interval holds.
    random_state : int

    Raises
    ------
    InvalidInputError
        If there are no queries, lengths differ, a value is not finite, or a number is out of range.

    Examples
    --------
    >>> bootstrap_means({"P@1": [1, 1, 1, 0]})["P@1"].mean
    0.75
    """
    names, table = _stack(values)
    _check(n_resamples, confidence)
    random_state = check_seed(random_state)
    n = len(table)
    random = np.random.default_rng(random_state)
    means = np.empty((n_resamples, len(names)))
    for block in _blocks(n_resamples, n):
        size = block.stop - block.start
        drawn = random.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        means[block] = counts.astype(np.float64) @ table / n
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return {
        name: Estimate(float(column.mean()), float(low[at]), float(high[at]))
        for at, (name, column) in enumerate(zip(names, table.T, strict=True))
    }


@checked
def compare_paired(
    first: Mapping[str, npt.ArrayLike],
    second: Mapping[str, npt.ArrayLike],
    n_resamples: int = N_RESAMPLES,
    n_flips: int = N_FLIPS,
    confidence: float = 0.95,
    random_state: int = RANDOM_STATE,
) -> dict[str, Comparison]:
    """Compare two searches on the same queries, by each measure that both have.

    Parameters
    ----------
    first, second : mapping of str to (n_queries,) array-like
        Value i of both is of the same query.
    n_resamples : int
        Of the bootstrap.
    n_flips : int
        Of the permutation test.
    confidence : float
    random_state : int

    Raises
    ------
    InvalidInputError
        As `bootstrap_means`; or if the two have no measure in common, or differ in the number of queries.

    Examples
    --------
    >>> found = compare_paired({"P@1": [0, 0, 1, 0, 1, 0]}, {"P@1": [1, 1, 1, 1, 1, 1]})["P@1"]
    >>> round(found.difference.mean, 3), 0.05 < found.p < 0.2
    (0.667, True)
    """
    names = [name for name in first if name in second]
    if not names:
        raise InvalidInputError(
            f"the measures are {', '.join(map(str, first))} and {', '.join(map(str, second))}; expected some"
            " in common"
        )
    before, after = (_stack({name: values[name] for name in names})[1] for values in (first, second))
    if len(before) != len(after):
        raise InvalidInputError(f"there are {len(before)} and {len(after)} queries; expected the same ones")
    _check(n_flips, confidence)
    random_state = check_seed(random_state)
    difference = after - before
    draws = {f"0 {name}": column for name, column in zip(names, before.T, strict=True)}
    draws |= {f"1 {name}": column for name, column in zip(names, after.T, strict=True)}
    draws |= {f"2 {name}": column for name, column in zip(names, difference.T, strict=True)}
    found = bootstrap_means(draws, n_resamples, confidence, random_state)
    ps = _flip_signs(difference, n_flips, np.random.default_rng([random_state, 1]))
    return {
        name: Comparison(found[f"0 {name}"], found[f"1 {name}"], found[f"2 {name}"], float(p))
        for name, p in zip(names, ps, strict=True)
    }


def _flip_signs(differences: Doubles, n_flips: int, random: np.random.Generator) -> Doubles:
    """Return p for each column of (n_queries, n_measures)."""
    n = len(differences)
    total = differences.sum(axis=0)
    # Sums that are equal but for rounding are at least as large, too.
    least = np.abs(total) - 1e-9 * np.abs(differences).sum(axis=0)
    as_large = np.zeros(len(total), np.int64)
    for block in _blocks(n_flips, n):
        size = block.stop - block.start
        bits = np.frombuffer(random.bytes(size * -(-n // 8)), np.uint8).reshape(size, -1)
        kept = np.unpackbits(bits, axis=1, count=n).astype(np.float64)
        as_large += (np.abs(2 * (kept @ differences) - total) >= least).sum(axis=0)
    return (as_large + 1) / (n_flips + 1)


def _blocks(n_rows: int, width: int) -> Iterator[slice]:
    step = max(1, _BLOCK // width)
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def _stack(values: Mapping[str, npt.ArrayLike]) -> tuple[list[str], Doubles]:
    """Return the names of the measures, and their values as (n_queries, n_measures)."""
    columns = {
        name: np.asarray(as_numbers(column, f"the values of {name}"), np.float64)
        for name, column in values.items()
    }
    shapes = {column.shape for column in columns.values()}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 1 or not shape[0]:
        raise InvalidInputError(
            "the values of each measure have to be (n_queries,), of one query at least; got "
            + ", ".join(f"{name} {column.shape}" for name, column in columns.items())
        )
    table = np.stack(list(columns.values()), axis=1)
    if not np.isfinite(table).all():
        raise InvalidInputError(
            "values hold NaN or infinity", hint="leave out queries without any relevant image"
        )
    return list(columns), table


def _check(n_resamples: int, confidence: float) -> None:
    if isinstance(n_resamples, bool) or not isinstance(n_resamples, int | np.integer) or n_resamples < 1:
        raise InvalidInputError(f"the number of resamples is {shown(n_resamples)}; expected 1 or more")
    if not 0 < confidence < 1:
        raise InvalidInputError(
            f"confidence is {shown(confidence)}; expected above 0 and below 1", field="confidence"
        )
