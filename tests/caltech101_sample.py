"""A part of Caltech-101, for claims about real photographs that are to be checked in a moment."""

import random
from pathlib import Path

import pytest

from lookalike.datasets import caltech101
from lookalike.images import scan


def classes_by_lot(n_classes: int, n_images: int) -> list[tuple[Path, str]]:
    """Return pairs of file and class: of some classes, by lot, the first images of each."""
    data = caltech101.find()
    if data is None:
        pytest.skip("needs Caltech-101 under LOOKALIKE_DATA")
    classes: dict[str, list[Path]] = {}
    for path in scan(data.root, exclude=data.exclude).files:
        classes.setdefault(path.partition("/")[0], []).append(data.root / path)
    large = sorted(name for name, paths in classes.items() if len(paths) >= n_images)
    chosen = random.Random(0).sample(large, n_classes)
    return [(path, name) for name in chosen for path in classes[name][:n_images]]
