"""Pictures that the tests make."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
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


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of 6 pictures in 2 class folders, and a text file."""
    folder = tmp_path / "photos"
    for number in range(6):
        place = folder / ("cats" if number < 3 else "dogs")
        place.mkdir(parents=True, exist_ok=True)
        picture(number).save(place / f"{number}.png")
    (folder / "notes.txt").write_text("not a picture")
    return folder
