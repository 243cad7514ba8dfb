import io

import numpy as np
import pytest
from PIL import Image

from lookalike.images.thumbnails import SIDE, encode_thumbnail, make_thumbnail


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1024, 512), (256, 128)),
        ((512, 1024), (128, 256)),
        ((321, 321), (256, 256)),
        ((1000, 333), (256, 85)),
        ((5000, 1), (256, 1)),
        ((1, 5000), (1, 256)),
    ],
)
def test_the_longest_side_becomes_256_and_proportions_stay(size, expected):
    assert make_thumbnail(Image.new("RGB", size)).size == expected


@pytest.mark.parametrize("size", [(1, 1), (256, 256), (256, 10), (100, 200), (320, 200)])
def test_small_images_stay_as_they_are(size):
    image = Image.new("RGB", size)
    assert make_thumbnail(image) is image


def test_a_thumbnail_looks_like_the_image():
    y, x = np.mgrid[:600, :800]
    image = Image.fromarray(np.stack([x * 255 // 799, y * 255 // 599, 0 * x], -1).astype(np.uint8))
    thumbnail = np.asarray(make_thumbnail(image), dtype=float)
    expected = np.asarray(image.resize((SIDE, 192), Image.Resampling.BOX), dtype=float)
    assert np.abs(thumbnail - expected).max() <= 3


def test_an_encoded_thumbnail_is_a_small_jpeg_of_the_same_picture():
    y, x = np.mgrid[:192, :256]
    image = Image.fromarray(np.stack([x, y, x // 2], -1).astype(np.uint8))
    data = encode_thumbnail(image)
    read = Image.open(io.BytesIO(data))
    assert (read.format, read.size, read.mode) == ("JPEG", (256, 192), "RGB")
    assert np.abs(np.asarray(read, dtype=float) - np.asarray(image, dtype=float)).mean() < 3
    assert len(data) < 20_000


def test_encoding_is_the_same_each_time():
    image = Image.effect_noise((100, 80), 50).convert("RGB")
    assert encode_thumbnail(image) == encode_thumbnail(image)
