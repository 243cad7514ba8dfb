"""The images that a network learns from: which they are, and how one is opened.

Only ids, labels and paths are held; pixels are read when they are wanted, and forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.images import decode, from_pixels
from lookalike.types import Ids, PixelArray

if TYPE_CHECKING:
    from PIL.Image import Image


GREY = (0.299, 0.587, 0.114)
"""How bright red, green and blue are: ITU-R BT.601, as Pillow has it."""


@dataclass(frozen=True, slots=True)
class TrainingImages:
    """Images to learn from.

    Attributes
    ----------
    ids : (n,) int64
        Of the collection; rising.
    read : callable
        Gives, for an id, the name of the image in errors, and its file's bytes or its pixels. It raises
        ImageError where it cannot, and is called by many threads.
    labels : sequence of str, or None
        One an image, where they are known.
    is_test : (n,) bool or None
        Which of them are of a data set's own test split.
    labels_from : str
        Where the labels are from, in words; empty without.
    asked_labels : str or None
        What was asked for as labels: a run is gone on with for the same only.
    """

    ids: Ids
    read: Callable[[int], tuple[str, bytes | PixelArray]]
    labels: Sequence[str] | None = None
    is_test: npt.NDArray[np.bool_] | None = None
    labels_from: str = ""
    asked_labels: str | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def only(self, ids: Ids) -> TrainingImages:
        """Return the images of these ids, without what else is known of them."""
        return TrainingImages(ids, self.read)

    def open(self, row: int, shorter_side: int | None = None) -> Image:
        """Read and decode the image of a row, RGB and upright.

        Parameters
        ----------
        row : int
        shorter_side : int, optional
            How many pixels the shorter side needs at least; see `images.decode`.

        Raises
        ------
        ImageError
            If it is gone, or cannot be decoded.
        """
        name, content = self.read(int(self.ids[row]))
        if isinstance(content, bytes):
            return decode(content, name, shorter_side).image
        return from_pixels(content).image
