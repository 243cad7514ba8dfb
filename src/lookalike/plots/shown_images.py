"""Which images of a map to show, where there is no room for all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.plots.places import as_places

Rows = npt.NDArray[np.intp]

_COVERED = (0.0, 0.2, 0.4)  # the share of an image that others may cover: first none, then more


def choose_spread(points: npt.ArrayLike, n_chosen: int) -> Rows:
    """Choose points that stand for all: of each part of the map its share.

    The points are halved along their wider side into as many groups of one size as are wanted, and of each
    group the one nearest to its middle is taken.

    Parameters
    ----------
    points : (n, 2) array-like
    n_chosen : int
        At most n.

    Returns
    -------
    (n_chosen,) int
        Rows, rising.
    """
    places = as_places(points)
    chosen = []
    groups = [(np.arange(len(places)), n_chosen)] if n_chosen else []
    while groups:
        rows, n_wanted = groups.pop()
        here = places[rows]
        if n_wanted == 1:
            chosen.append(int(rows[((here - here.mean(axis=0)) ** 2).sum(axis=1).argmin()]))
            continue
        ordered = rows[np.argsort(here[:, int(np.ptp(here, axis=0).argmax())], kind="stable")]
        n_left = n_wanted // 2
        cut = min(max(round(len(rows) * n_left / n_wanted), n_left), len(rows) - (n_wanted - n_left))
        groups += [(ordered[:cut], n_left), (ordered[cut:], n_wanted - n_left)]
    return np.sort(np.asarray(chosen, np.intp))


def choose_uncovered(at: npt.NDArray[np.float64], side: float) -> Rows:
    """Choose squares of which the others cover no more than a part, and to which none can be added.

    Parameters
    ----------
    at : (n, 2)
        Their centres.
    side : float

    Returns
    -------
    (n_chosen,) int
        Rows, rising.
    """
    near: dict[tuple[int, int], list[int]] = {}  # the chosen, by their cell of a grid of this side
    covered: dict[int, float] = {}  # what others cover of each of the chosen
    cells = np.floor(at / side).astype(int).tolist()
    places = at.tolist()
    order = np.random.default_rng(0).permutation(len(at)).tolist()
    for share in _COVERED:
        left = []
        for row in order:
            (x, y), (column, line) = places[row], cells[row]
            around = [(column + dx, line + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
            shared = {
                other: max(side - abs(x - places[other][0]), 0) * max(side - abs(y - places[other][1]), 0)
                for cell in around
                for other in near.get(cell, ())
            }
            own = sum(shared.values())
            if max([own, *(covered[other] + more for other, more in shared.items())]) > share * side**2:
                left.append(row)
                continue
            near.setdefault((column, line), []).append(row)
            covered[row] = own
            for other, more in shared.items():
                covered[other] += more
        order = left
    return np.sort(np.asarray([*covered], np.intp))
