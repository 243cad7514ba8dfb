"""The 1,797 handwritten digits that come with scikit-learn, as picture files: always at hand.

References
----------
E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998.
https://doi.org/10.24432/C50P49
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lookalike.datasets import folder, locate
from lookalike.datasets.dataset import Dataset
from lookalike.datasets.imagefolder import ImageFolder
from lookalike.datasets.staging import build_folder
from lookalike.system.progress import UNWATCHED, Watch

LICENCE = "CC BY 4.0"

SIDE = 64
"""Pixels. The scans are 8 × 8; enlarged they can be seen. Smoothly: where pixels become large squares, the
default model finds a digit of the same kind first for 0.70 of them, so for 0.87."""


def load(*, download: bool = True, watch: Watch = UNWATCHED) -> Dataset:
    """List the digits' pictures, all of them train; `download` is for the sake of the other sources' form."""
    return replace(folder.read(fetch(watch=watch)), image_shape=(SIDE, SIDE, 3))


def find() -> ImageFolder | None:
    """Return the pictures if they were written before, else None."""
    root = locate.cached_data_folder() / "digits"
    return _describe(root) if root.is_dir() else None


def fetch(*, watch: Watch = UNWATCHED) -> ImageFolder:
    """Write the digits as PNG files in folders ``0`` to ``9`` of the cache, unless they are there.

    Parameters
    ----------
    watch : Watch
        For the sake of the other sources' form: this one takes a second, and tells nobody.

    Raises
    ------
    DatasetError
        If the cache cannot be written to.
    """
    root = locate.cached_data_folder() / "digits"
    build_folder(root, _write)
    return _describe(root)


def _describe(root: Path) -> ImageFolder:
    return ImageFolder(
        name="digits",
        title="Handwritten digits",
        root=root,
        licence=LICENCE,
        origin="the scanned digits inside scikit-learn",
        labels=True,
    )


def _write(staging: Path) -> None:
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()  # images: (1797, 8, 8) float64, 0 to 16; target: (1797,) int64
    grey = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    for number, (pixels, digit) in enumerate(zip(grey, digits.target, strict=True)):
        file = staging / str(digit) / f"{number:04}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(file)
