"""Shares of a whole, checked."""

from __future__ import annotations

from lookalike.errors import InvalidInputError
from lookalike.system.checked_calls import shown


def check_share(name: str, value: float, or_none: bool = False) -> None:
    """Raise InvalidInputError unless some images can be such a share of all, and others be left."""
    if not is_number(value) or not (0 < value < 1 or (or_none and value == 0)):
        least = "0 or more" if or_none else "above 0"
        raise InvalidInputError(f"the {name} share is {shown(value)}; expected a number {least}, and below 1")


def is_number(value: object) -> bool:
    """Tell whether it is a number, as JSON knows them."""
    return isinstance(value, int | float) and not isinstance(value, bool)
