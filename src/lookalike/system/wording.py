"""How many, in words."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable

_EXACT = 1 << 53  # beyond, a float is no whole number that was meant


def count_of(count: int, one: str, many: str | None = None) -> str:
    """Say how many of something; several are called as one is, with an s, unless their name is given.

    >>> count_of(1, "cluster"), count_of(1200, "cluster"), count_of(0, "query", "queries")
    ('1 cluster', '1,200 clusters', '0 queries')
    """
    return f"1 {one}" if count == 1 else f"{count:,} {many or f'{one}s'}"


def count_images(count: int) -> str:
    """Say how many images.

    >>> count_images(1), count_images(8677)
    ('1 image', '8,677 images')
    """
    return count_of(count, "image")


def frequencies(values: Iterable[str]) -> dict[str, int]:
    """Count values, most frequent first, ties by name.

    >>> frequencies(["b", "c", "a", "c"])
    {'c': 2, 'a': 1, 'b': 1}
    """
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))


def field_words(value: object) -> str:
    """Say what stands in a column of the user's.

    >>> field_words(3.0), field_words(True), field_words(["a", "b"])
    ('3', 'yes', 'a; b')
    >>> field_words(datetime.datetime(2019, 5, 4))
    '2019-05-04'
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    return "; ".join(value) if isinstance(value, list) else str(value)
