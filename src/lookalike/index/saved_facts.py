"""What ``index.json`` says in numbers, checked before anything is reckoned with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def read_number(facts: Mapping[str, Any], name: str, least: float = 0.0) -> float:
    """Return a number, finite and at least so large.

    Raises
    ------
    ValueError
        If it is none, which says that the file is damaged.

    Examples
    --------
    >>> read_number({"scale": 2}, "scale")
    2.0
    """
    value = facts[name]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value < 2.0**1023 or not math.isfinite(value):
        raise ValueError(f"its {name} is no number from {least:g}")
    return float(value)


def read_scale(facts: Mapping[str, Any]) -> float:
    """Return what vectors are scaled by: a power of two.

    Raises
    ------
    ValueError
        If it is none.
    """
    scale = read_number(facts, "scale")
    if math.frexp(scale)[0] != 0.5:
        raise ValueError(f"its scale is {scale!r}, which is no power of two")
    return scale


def read_count(facts: Mapping[str, Any], name: str, most: int) -> int:
    """Return a whole number, 0 to `most`.

    Raises
    ------
    ValueError
        If it is none.
    """
    value = facts[name]
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"its {name} is no whole number from 0 to {most}")
    return value
