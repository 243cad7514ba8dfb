"""Hashes in all turns are those of the turned pictures, and margins do not change those of the trimmed."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from lookalike.duplicates.hashing import PLAIN, TRIMMED, turned_hashes
from lookalike.images.hashing import perceptual_hash
from lookalike.images.thumbnails import encode_thumbnail, make_thumbnail
from lookalike.registration.registering import turned
from pictures import picture, scene


def bits_between(a, b):
    return (int(a) ^ int(b)).bit_count()


def as_it_is_after(turn, image):
    return Image.fromarray(np.ascontiguousarray(turned(np.asarray(image), turn)))


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_turned_hash_is_that_of_the_turned_picture(seed, turn):
    image = scene(seed).convert("L")
    of_all = turned_hashes(image)
    of_one = turned_hashes(as_it_is_after(turn, image))
    assert bits_between(of_all[PLAIN, turn - 1], of_one[PLAIN, 0]) <= 4
    assert bits_between(of_all[TRIMMED, turn - 1], of_one[TRIMMED, 0]) <= 4


def test_of_a_square_of_32_pixels_turned_hashes_are_equal():
    """Nothing is scaled, so that nothing is rounded."""
    image = picture(7, 32).convert("L")
    of_all = turned_hashes(image)
    for turn in range(1, 9):
        assert of_all[PLAIN, turn - 1] == turned_hashes(as_it_is_after(turn, image))[PLAIN, 0]


def test_the_upright_plain_hash_is_the_perceptual_hash():
    image = scene(5)
    assert int(turned_hashes(image)[PLAIN, 0]) == perceptual_hash(image)


def test_a_picture_without_margins_has_the_same_hashes_twice():
    hashes = turned_hashes(scene(6))
    assert hashes.shape == (2, 8)
    assert hashes.dtype == np.uint64
    assert (hashes[PLAIN] == hashes[TRIMMED]).all()


@pytest.mark.parametrize("color", ["white", "black", (90, 130, 40)])
def test_margins_are_trimmed(color):
    image = scene(8)
    framed = ImageOps.expand(image, border=30, fill=color)
    hashes = turned_hashes(encode_thumbnail(make_thumbnail(framed)))
    of_image = turned_hashes(encode_thumbnail(make_thumbnail(image)))
    assert bits_between(hashes[TRIMMED, 0], of_image[TRIMMED, 0]) <= 8
    assert bits_between(hashes[PLAIN, 0], of_image[PLAIN, 0]) > 8


def test_a_frame_in_a_letterbox_is_trimmed():
    image = scene(9)
    framed = ImageOps.expand(image, border=16, fill="white")
    boxed = Image.new("RGB", (framed.width, framed.height + 120), "black")
    boxed.paste(framed, (0, 60))
    assert bits_between(turned_hashes(boxed)[TRIMMED, 0], turned_hashes(image)[TRIMMED, 0]) <= 6


def test_what_is_flat_all_over_stays_whole():
    white = turned_hashes(Image.new("RGB", (200, 150), "white"))
    assert (white == white[0, 0]).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2)])
def test_tiny_pictures_have_hashes(size):
    assert turned_hashes(Image.new("L", size, 77)).shape == (2, 8)


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\xff\xd8\xff\xe0 cut short"])
def test_what_cannot_be_read_is_an_error_of_the_system(content):
    with pytest.raises(OSError):
        turned_hashes(content)


def test_a_picture_that_is_cut_short_is_an_error_of_the_system():
    stream = io.BytesIO()
    scene(3).save(stream, "PNG")
    with pytest.raises(OSError):
        turned_hashes(stream.getvalue()[:400])
