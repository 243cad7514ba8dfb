"""Where chance begins: the seeds that make what is drawn the same again."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

from lookalike.errors import InvalidInputError
from lookalike.system.checked_calls import shown

if TYPE_CHECKING:
    from numpy.random import RandomState

RANDOM_STATE = 0
"""The seed of all that is drawn by chance, where none is given."""


def check_seed(random_state: Any) -> int:
    """Return a whole number that chance can start from; raise InvalidInputError for anything else."""
    is_number = isinstance(random_state, Integral) and not isinstance(random_state, bool)
    if not is_number or not 0 <= random_state < 2**32:
        raise InvalidInputError(
            f"random_state is {shown(random_state)}; expected a whole number from 0 to 2^32 - 1",
            field="random_state",
        )
    return int(random_state)


def check_random(random_state: Any) -> RandomState:
    """Return where an estimator's chance comes from, as scikit-learn's do: a seed, a RandomState, or None.

    Raises
    ------
    InvalidInputError
        For anything else.
    """
    import numpy as np
    from sklearn.utils import check_random_state

    if random_state is None or random_state is np.random or isinstance(random_state, np.random.RandomState):
        found: RandomState = check_random_state(random_state)
    else:
        found = check_random_state(check_seed(random_state))
    return found
