"""How many, in words."""

from __future__ import annotations


def count_images(count: int) -> str:
    """Say how many images.

    >>> count_images(1), count_images(8677)
    ('1 image', '8,677 images')
    """
    return "1 image" if count == 1 else f"{count:,} images"
