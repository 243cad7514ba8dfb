"""How far probabilities are from what came true."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def expected_calibration_error(
    probabilities: npt.ArrayLike, outcomes: npt.ArrayLike, n_bins: int = 15
) -> float:
    """Return the mean distance of probabilities from the share that came true, in bins of equal width.

    Each bin counts by how many probabilities lie in it (C. Guo et al., "On Calibration of Modern Neural
    Networks", ICML 2017). Of few predictions it is never 0, as shares are of few.

    Parameters
    ----------
    probabilities : (n,) float
    outcomes : (n,) bool

    Examples
    --------
    >>> expected_calibration_error([0.5, 0.5, 0.9, 0.9], [True, False, True, True])
    0.05
    """
    said, true = np.asarray(probabilities, np.float64), np.asarray(outcomes, np.float64)
    bins = np.minimum((said * n_bins).astype(np.intp), n_bins - 1)
    gaps = np.bincount(bins, said - true, n_bins)
    return round(float(np.abs(gaps).sum()) / len(said), 12)
