"""Pictures changed in ways that leave what they show: so that few images teach as much as many.

Each image is changed anew in each epoch, by chance drawn from the seed, the epoch and its row.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lookalike.train.images import GREY
from lookalike.types import PixelArray

if TYPE_CHECKING:
    from PIL.Image import Image

_AREA = (0.35, 1.0)  # of a crop, as a share of the image
_RATIO = (3 / 4, 4 / 3)  # its width to its height
_COLOUR = 0.3  # how far brightness, contrast and saturation go from 1
_HUE = 0.03  # of the colour circle, either way
_BLUR, _BLUR_RADIUS = 0.15, (0.3, 1.2)  # how often, and of how many pixels at a side of 224
_ERASE, _ERASED_AREA = 0.25, (0.03, 0.2)  # how often, and which share of the picture


def augment(image: Image, side: int, random: np.random.Generator) -> PixelArray:
    """Crop, flip, recolour, blur and partly erase an RGB image.

    Parameters
    ----------
    image : PIL.Image.Image
    side : int
        Of the result, pixels.
    random : numpy.random.Generator
        Used up in the same way whatever the image.

    Returns
    -------
    (side, side, 3) uint8
    """
    from PIL import Image as Pillow
    from PIL import ImageFilter
    from PIL.Image import Resampling

    draws = random.random(13)
    picture = image.resize((side, side), Resampling.BICUBIC, _crop(image.size, draws[:4]), reducing_gap=2.0)
    if draws[4] < 0.5:
        picture = picture.transpose(Pillow.Transpose.FLIP_LEFT_RIGHT)
    picture = _recolour(picture, draws[5:9])
    if draws[9] < _BLUR:
        radius = _between(_BLUR_RADIUS, draws[9] / _BLUR) * side / 224
        picture = picture.filter(ImageFilter.GaussianBlur(radius))
    pixels = np.array(picture)
    if draws[10] < _ERASE:
        _erase(pixels, draws[10] / _ERASE, draws[11:13], random)
    return pixels


def _crop(size: tuple[int, int], draws: np.ndarray) -> tuple[float, float, float, float]:
    """Return the box of a random crop; the largest of its proportions where it would not fit."""
    width, height = size
    area = width * height * _between(_AREA, draws[0])
    ratio = math.exp(_between((math.log(_RATIO[0]), math.log(_RATIO[1])), draws[1]))
    wide, high = math.sqrt(area * ratio), math.sqrt(area / ratio)
    shrink = min(1.0, width / wide, height / high)
    # At least a pixel, and rounding must not reach over the edge.
    wide, high = min(max(1.0, wide * shrink), width), min(max(1.0, high * shrink), height)
    left, top = float(draws[2]) * (width - wide), float(draws[3]) * (height - high)
    return left, top, min(left + wide, width), min(top + high, height)


def _recolour(picture: Image, draws: np.ndarray) -> Image:
    """Change brightness, contrast, saturation and hue; in one pass over the pixels, as floats."""
    from PIL import Image as Pillow

    brightness, contrast, saturation = (1 + _COLOUR * (2 * draws[:3] - 1)).tolist()
    pixels = np.asarray(picture, np.float32) * brightness
    grey = pixels @ np.array(GREY, np.float32)
    pixels = (pixels - grey.mean()) * contrast + grey.mean()
    grey = ((grey - grey.mean()) * contrast + grey.mean())[..., None]
    pixels = (pixels - grey) @ _turn(float(2 * draws[3] - 1) * _HUE) * saturation + grey
    return Pillow.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def _turn(circle: float) -> np.ndarray:
    """Return the matrix that turns colours about the axis of greys, by a share of the circle (Rodrigues)."""
    angle = 2 * math.pi * circle
    third, root = (1 - math.cos(angle)) / 3, math.sin(angle) / math.sqrt(3)
    turn = np.full((3, 3), third) + math.cos(angle) * np.eye(3)
    turn += root * np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    return turn.T.astype(np.float32)


def _erase(pixels: PixelArray, draw: float, place: np.ndarray, random: np.random.Generator) -> None:
    """Put noise in place of a rectangle (Zhong et al., *Random Erasing Data Augmentation*, 2020)."""
    side = len(pixels)
    edge = max(1, round(side * math.sqrt(_between(_ERASED_AREA, draw))))
    top, left = (place * (side - edge + 1)).astype(int)
    pixels[top : top + edge, left : left + edge] = random.integers(0, 256, (edge, edge, 3), np.uint8)


def _between(ends: tuple[float, float], draw: float) -> float:
    return float(ends[0] + (ends[1] - ends[0]) * draw)
