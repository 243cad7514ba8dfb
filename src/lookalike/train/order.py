"""The order in which an epoch shows the images: drawn from the seed and the epoch's number alone.

So a training that was cut off knows where it was from two numbers, the epoch and the batch.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.train.split import Rows


def shuffled(rows: Rows, random_state: int, epoch: int) -> Rows:
    """Return the rows in the order of an epoch, each once."""
    return np.random.default_rng((random_state, 1, epoch)).permutation(rows)


def balanced(
    rows: Rows,
    classes: npt.NDArray[np.int64],
    random_state: int,
    epoch: int,
    balance: float = 1.0,
    group: int = 1,
) -> Rows:
    """Return an order in which small classes come more often than they are large.

    An epoch has as many draws as there are rows. A class of c images gets a share of them in proportion to
    c ** (1 - balance), and its images come in turn: none twice as long as another has not come.

    Parameters
    ----------
    rows : (n,) int64
        What to draw from.
    classes : (n,) int64
        The class of each.
    random_state, epoch : int
    balance : float
        From 0, every image equally often, to 1, every class equally often.
    group : int
        So many of one class come one after the other: a loss that compares images of one class with each
        other needs some of them in a batch.

    Returns
    -------
    (n,) int64

    Examples
    --------
    >>> rows, classes = np.arange(6), np.array([0, 0, 0, 0, 0, 1])
    >>> np.bincount(classes[balanced(rows, classes, random_state=0, epoch=0)]).tolist()
    [3, 3]
    """
    random = np.random.default_rng((random_state, 1, epoch))
    counts = np.bincount(classes)
    weights = np.where(counts > 0, counts.astype(float) ** (1 - balance), 0)
    shares = len(rows) * weights / weights.sum()
    # Whole numbers that add up: what is left goes by chance, in proportion to what was cut off.
    draws = np.floor(shares).astype(np.int64)
    rest = shares - draws
    left = len(rows) - int(draws.sum())
    if left:
        draws[random.choice(len(rest), left, replace=False, p=rest / rest.sum())] += 1
    groups: list[Rows] = []
    for number in np.flatnonzero(draws):
        own = rows[classes == number]
        turns = -(-draws[number] // len(own))
        drawn = np.concatenate([random.permutation(own) for _ in range(turns)])[: draws[number]]
        groups.extend(np.split(drawn, range(group, len(drawn), group)))
    return np.concatenate([groups[i] for i in random.permutation(len(groups))])
