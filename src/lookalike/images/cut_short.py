"""Files that end before their picture does: how that is told, how much may be missing, and the words."""

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


def is_cut_short(data: bytes) -> bool:
    """Tell whether a file says of itself that it is longer, where its reader does not: WebP, HEIC, AVIF.

    A RIFF file begins with its size; ISO base media files are rows of boxes, each beginning with its own.
    """
    if data[:4] == b"RIFF":
        return 8 + int.from_bytes(data[4:8], "little") > len(data)
    if data[4:8] != b"ftyp":
        return False
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        if size == 0:  # up to the end
            return False
        at += max(size, 8)
    return at > len(data)
