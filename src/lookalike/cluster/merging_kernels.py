"""The loops of Ward's tree; see `merging`, and native/merging.cpp."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.system.native import at, kernel
from lookalike.types import Ids

_chain = kernel("merging_chain", "aai aaa ii aa")


def chain(
    costs: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    state: tuple[npt.NDArray[np.bool_], Ids, Ids],
    merges: tuple[int, int],
    pairs: Ids,
    found: npt.NDArray[np.float64],
) -> None:
    """Write which clusters are merged, from one merge to another, each named by a cell, and at what cost.

    Used up: costs (m, m), infinite on the diagonal · weights (m,). Between two calls the state is kept in
    alive (m,), all of them at first · chain (m,) · place (2,), of zeros.
    """
    alive, chain, place = state
    m = len(weights)
    _chain(
        at(costs, np.float64), at(weights, np.float64), m,
        at(alive, np.bool_), at(chain, np.int64), at(place, np.int64),
        *merges, at(pairs, np.int64), at(found, np.float64),
    )  # fmt: skip
