"""What is checked of numbers at the door of a collection."""

from __future__ import annotations

import numpy as np

from lookalike.errors import InvalidInputError


def check_count(name: str, value: int, least: int = 1) -> None:
    """Raise InvalidInputError unless a number of things is whole and at least so large."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InvalidInputError(f"{name} is {value!r}; expected a whole number, {least} or more", field=name)
