"""Pictures that the tests make."""

import numpy as np
from PIL import Image


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
