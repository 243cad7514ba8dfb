"""How many, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def count_images(count: int) -> str:
    """Say how many images.

    >>> count_images(1), count_images(8677)
    ('1 image', '8,677 images')
    """
    return "1 image" if count == 1 else f"{count:,} images"


def frequencies(values: Iterable[str]) -> dict[str, int]:
    """Count values, most frequent first, ties by name.

    >>> frequencies(["b", "c", "a", "c"])
    {'c': 2, 'a': 1, 'b': 1}
    """
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))
