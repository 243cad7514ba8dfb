"""What a picture looks like is small, and the same for all files of it."""

import io

import numpy as np
import pytest
from PIL import Image

from edited_pictures import encoded, scene
from lookalike.duplicates.looks import Look


def test_look_is_grey_at_256_and_colors_at_64():
    look = Look.of(scene(0, 400, 300))
    assert look.grey.shape == (192, 256)
    assert look.colors.shape == (2, 48, 64)
    assert look.n_bytes < 70_000


def test_file_and_image_look_alike():
    jpeg = encoded(scene(1, 256, 192))
    from_file, from_image = Look.of(jpeg), Look.of(Image.open(io.BytesIO(jpeg)).convert("RGB"))
    assert np.abs(from_file.grey.astype(int) - from_image.grey).mean() <= 1.5
    assert np.abs(from_file.colors.astype(int) - from_image.colors).mean() <= 1.5


def test_transparent_is_white():
    drawing = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    assert (Look.of(drawing).grey == 255).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_images_of_all_modes_have_a_look(mode):
    look = Look.of(Image.new(mode, (30, 20)))
    assert look.grey.dtype == look.colors.dtype == np.uint8


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3000, 2), (256, 1)])
def test_long_and_tiny_images_have_a_look(size):
    look = Look.of(Image.new("RGB", size, "red"))
    assert max(look.grey.shape) == 256
    assert min(look.grey.shape) >= 32


@pytest.mark.parametrize("held", [b"", b"no image", encoded(scene(0))[:300]])
def test_what_is_no_image_is_an_os_error(held):
    with pytest.raises(OSError):
        Look.of(held)
