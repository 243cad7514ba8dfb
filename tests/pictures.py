"""Pictures that the tests make."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.Image import Transpose

CORNERS = {"red": (220, 30, 30), "green": (30, 200, 40), "white": (240, 240, 240), "blue": (20, 40, 200)}
"""The colours of `corners`: top left, top right, bottom left, bottom right."""

STORED_AS = {
    1: None,
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_90,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_270,
}
"""How a camera stores an upright picture, by the orientation that it says (Exif 2.32, tag 0x0112)."""


def picture(seed: int, side: int = 80) -> Image.Image:
    """Return a picture of its own: a wave of some direction, length and colour."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    angle, length = random.uniform(0, np.pi), random.uniform(3, 20)
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * length * (x * np.cos(angle) + y * np.sin(angle)))
    colours = random.uniform(0, 255, (2, 3))
    pixels = wave[..., None] * colours[0] + (1 - wave[..., None]) * colours[1]
    return Image.fromarray(pixels.astype(np.uint8))


def shade(level: int, number: int) -> Image.Image:
    """Return a picture of nearly one grey: pixels put it next to those of the same level."""
    noise = np.random.default_rng(1000 * level + number).integers(-6, 7, (32, 32, 1))
    return Image.fromarray(np.repeat(np.clip(level + noise, 0, 255), 3, axis=2).astype(np.uint8))


def folders_of_shades(place: Path, folders: Mapping[str, tuple[int, int]]) -> Path:
    """Write pictures of a grey into folders: by name, which grey and how many; return `place`."""
    for name, (level, count) in folders.items():
        (place / name).mkdir(parents=True)
        for number in range(count):
            shade(level, number).save(place / name / f"{number}.png")
    return place


def corners(width: int = 60, height: int = 40) -> Image.Image:
    """Return four colours, one a corner: no turn or mirror image of it is the same."""
    pixels = np.empty((height, width, 3), np.uint8)
    y, x = height // 2, width // 2
    pixels[:y, :x], pixels[:y, x:], pixels[y:, :x], pixels[y:, x:] = CORNERS.values()
    return Image.fromarray(pixels)


def corner_names(image: Image.Image) -> list[str]:
    """Return the colours at the middle of each quarter: top left, top right, bottom left, bottom right."""
    found = []
    for y in (1, 3):
        for x in (1, 3):
            pixel = np.array(image.getpixel((image.width * x // 4, image.height * y // 4)), float)
            found.append(min(CORNERS, key=lambda name: np.abs(pixel - CORNERS[name]).sum()))
    return found


def stored(image: Image.Image, orientation: int) -> Image.Image:
    """Return the image as a camera stores it that says: turn it by `orientation`."""
    turn = STORED_AS[orientation]
    return image if turn is None else image.transpose(turn)


def scene(seed, width=240, height=160):
    """Return a picture of soft blobs, which has texture everywhere and no symmetry."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(float)
    pixels = np.full((height, width, 3), 90.0)
    for _ in range(60):
        size = random.uniform(4, 25)
        distance = (x - random.uniform(0, width)) ** 2 + (y - random.uniform(0, height)) ** 2
        pixels += np.exp(-distance / (2 * size**2))[..., None] * random.uniform(-90, 90, 3)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
