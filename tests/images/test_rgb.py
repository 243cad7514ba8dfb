"""Deep greys in bands, and shrunk where they are many."""

import numpy as np
import pytest
from PIL import Image

from lookalike.images import rgb


def test_deep_greys_are_the_same_in_bands(monkeypatch):
    values = np.random.default_rng(0).integers(0, 1 << 16, (97, 53))
    for image in (
        Image.fromarray(values.astype(np.uint16)),
        Image.fromarray(values.astype(np.int32) - 1000),
        Image.fromarray((values / 70_000).astype(np.float32)),
    ):
        whole = np.asarray(rgb.to_rgb(image))
        monkeypatch.setattr(rgb, "_STRIP_PIXELS", 500)
        assert np.array_equal(np.asarray(rgb.to_rgb(image)), whole)
        monkeypatch.undo()


def test_many_deep_greys_are_shrunk_as_8_bits_are(monkeypatch):
    values = np.random.default_rng(0).integers(0, 256, (400, 300)).astype(np.uint8)
    deep, plain = Image.fromarray(values.astype(np.uint16) * 257), Image.fromarray(values)
    assert rgb.to_small_rgb(deep, 50).size == (300, 400)
    monkeypatch.setattr(rgb, "MANY_PIXELS", 1000)
    assert np.array_equal(np.asarray(rgb.to_small_rgb(deep, 50)), np.asarray(rgb.to_small_rgb(plain, 50)))


@pytest.mark.parametrize("size", [(60, 700_000), (700_000, 60)])
def test_of_a_long_and_narrow_picture_no_more_is_kept_than_of_others(size):
    strip = Image.new("1", size, 1)
    small = rgb.to_small_rgb(strip, 256)
    assert sorted(small.size) == [30, 350_000]
    assert small.getextrema() == 3 * ((255, 255),)
    assert rgb.to_small_rgb(strip, None).size == size
