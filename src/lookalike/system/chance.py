"""Where chance begins: the seeds that make what is drawn the same again."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from lookalike.errors import InvalidInputError

RANDOM_STATE = 0
"""The seed of all that is drawn by chance, where none is given."""


def check_seed(random_state: Any) -> int:
    """Return a whole number that chance can start from; raise InvalidInputError for anything else."""
    is_number = isinstance(random_state, Integral) and not isinstance(random_state, bool)
    if not is_number or not 0 <= random_state < 2**32:
        raise InvalidInputError(
            f"random_state is {random_state!r}; expected a whole number from 0 to 2^32 - 1",
            field="random_state",
        )
    return int(random_state)
