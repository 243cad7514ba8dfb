"""A name that nothing has yet."""

from __future__ import annotations

import itertools
import os
from pathlib import Path


def free_name(place: Path) -> Path:
    """Return a path that is not taken: this one, or else with the first number behind it that is free.

    >>> free_name(Path(__file__)).name, free_name(Path("nothing.json")).name
    ('free_name.py-2', 'nothing.json')
    """
    if not os.path.lexists(place):
        return place
    numbered = (place.with_name(f"{place.name}-{number}") for number in itertools.count(2))
    return next(each for each in numbered if not os.path.lexists(each))
