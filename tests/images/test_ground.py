import io
import itertools

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lookalike.images.decode import decode
from lookalike.images.ground import DARK, WHITE, choose_ground


def drawing(colour, outline=None, ground=(0, 0, 0, 0), size=(64, 64)):
    image = Image.new("RGBA", size, ground)
    ImageDraw.Draw(image).ellipse((10, 10, 53, 53), fill=colour, outline=outline)
    return image


@pytest.mark.parametrize("colour", ["white", (250, 250, 250, 255), (230, 230, 230, 255), (255, 255, 255, 60)])
def test_a_white_drawing_lies_on_dark(colour):
    assert choose_ground(drawing(colour)) == DARK


@pytest.mark.parametrize("colour", ["black", "red", "yellow", (128, 128, 128, 255), (0, 0, 0, 60), "lime"])
def test_what_white_does_not_swallow_lies_on_white(colour):
    assert choose_ground(drawing(colour)) == WHITE


def test_a_white_drawing_with_a_dark_outline_lies_on_white():
    assert choose_ground(drawing("white", outline="black")) == WHITE


def test_a_speck_in_a_white_drawing_does_not_show_it():
    image = drawing("white")
    image.putpixel((30, 30), (0, 0, 0, 255))
    assert choose_ground(image) == DARK


@pytest.mark.parametrize("hidden", [(0, 0, 0, 0), (255, 255, 255, 0), (255, 0, 0, 0)])
def test_what_cannot_be_seen_has_no_say(hidden):
    assert choose_ground(drawing("white", ground=hidden)) == DARK
    assert choose_ground(drawing("black", ground=hidden)) == WHITE
    assert choose_ground(Image.new("RGBA", (8, 8), hidden)) == WHITE


def test_pixels_count_by_their_opacity():
    # 40 black pixels of 64: hardly seen, they are less than a hundredth of what is.
    image = Image.new("RGBA", (8, 8), (255, 255, 255, 255))
    image.paste((0, 0, 0, 1), (0, 0, 8, 5))
    assert choose_ground(image) == DARK
    image.paste((0, 0, 0, 60), (0, 0, 8, 5))
    assert choose_ground(image) == WHITE


@pytest.mark.parametrize("size", [(64, 64), (1500, 1500), (1, 3), (3000, 2)])
def test_the_ground_is_chosen_over_the_whole_picture(size):
    image = Image.new("RGBA", size, (255, 255, 255, 255))
    assert choose_ground(image) == DARK
    width, height = size
    image.paste((0, 0, 0, 255), (0, height - max(1, height // 50), width, height))
    assert choose_ground(image) == WHITE


def encode(image, name, **options):
    stream = io.BytesIO()
    image.save(stream, name, **options)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["PNG", "WEBP", "TIFF", "GIF", "AVIF"])
def test_four_white_drawings_are_four_pictures_in_every_format(name):
    boxes = [(4, 4, 28, 60), (4, 4, 60, 28), (24, 24, 40, 40), (4, 40, 60, 60)]
    found = []
    for box in boxes:
        image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
        ImageDraw.Draw(image).rectangle(box, fill="white")
        options = {"lossless": True} if name == "WEBP" else {}
        found.append(np.asarray(decode(encode(image, name, **options), "it").image).astype(int))
        assert found[-1].max() > 240
        assert np.abs(found[-1][0, 0] - DARK).max() < 12
    assert all(np.abs(one - other).mean() > 20 for one, other in itertools.combinations(found, 2))


def test_greys_and_palettes_with_transparency_lie_on_a_ground_too():
    grey = Image.new("L", (16, 16), 7)
    grey.paste(255, (4, 4, 12, 12))
    for image in (grey, grey.convert("RGB"), grey.quantize(4)):
        found = decode(encode(image, "PNG", transparency=image.getpixel((0, 0))), "it").image
        assert (found.getpixel((0, 0)), found.getpixel((8, 8))) == (DARK, WHITE)


def test_a_large_drawing_shrunk_in_strips_has_one_ground(monkeypatch):
    monkeypatch.setattr("lookalike.images.rgb._STRIP_PIXELS", 1000)
    image = Image.new("RGBA", (300, 200), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (0, 0, 300, 150))
    image.paste((0, 0, 0, 255), (0, 190, 300, 195))
    found = decode(encode(image, "PNG"), "it", 30).image
    assert found.getpixel((50, found.height - 1)) == WHITE
    assert found.getpixel((50, int(found.height * 0.85))) == WHITE
