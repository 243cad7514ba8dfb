"""How much of a picture may be missing for it to be one still, and how that is said."""

from __future__ import annotations

import math

LEAST_SHARE = 0.95
"""Of its rows, for a picture that is cut short to be searchable."""


def missing_rows(share: float) -> str:
    """Say in a note that the last `share` (0 to 1) of the rows is missing.

    >>> missing_rows(0.03)
    'cut short: the last 3 % of its rows are missing'
    """
    if share < 0.01:
        return "cut short: less than 1 % of its rows are missing"
    # A hair below a whole number of percent is that number: 1 - 0.97 is 0.030000000000000027.
    return f"cut short: the last {math.ceil(round(share * 100, 6))} % of its rows are missing"
