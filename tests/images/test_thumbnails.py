import io

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import InvalidInputError
from lookalike.images.thumbnails import (
    check_thumbnail_side,
    encode_thumbnail,
    is_made_for,
    make_thumbnail,
    shorter_side_for,
)
from lookalike.system.limits import THUMBNAIL_SIDE


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
    expected = np.asarray(image.resize((THUMBNAIL_SIDE, 192), Image.Resampling.BOX), dtype=float)
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


@pytest.mark.parametrize(
    ("side", "size", "expected"),
    [
        (64, (1024, 512), (64, 32)),
        (64, (80, 10), (80, 10)),
        (64, (81, 10), (64, 8)),
        (512, (641, 9), (512, 7)),
    ],
)
def test_another_side_leaves_as_they_are_what_is_at_most_a_quarter_larger(side, size, expected):
    assert make_thumbnail(Image.new("RGB", size), side).size == expected


@pytest.mark.parametrize("size", [(4000, 3000), (3000, 4000), (1601, 999), (9000, 2), (700, 700), (300, 200)])
@pytest.mark.parametrize("side", [64, 256, 777, 1024])
def test_so_many_pixels_of_the_shorter_side_are_enough_for_the_longer_one(size, side):
    needed, scale = shorter_side_for(*size, side), min(side, max(size)) / max(size)
    assert needed - 1 < min(size) * scale <= needed


@pytest.mark.parametrize("side", [64, 1024])
def test_the_bounds_are_among_the_sides(side):
    assert check_thumbnail_side(side) == side


@pytest.mark.parametrize("side", [-64, 0, 63, 1025, 10**9])
def test_what_lies_beyond_is_none(side):
    with pytest.raises(InvalidInputError, match=f"thumbnails is {side} pixels; expected 64 to 1024"):
        check_thumbnail_side(side)


@pytest.mark.parametrize(
    ("made_for", "image", "wanted"),
    [
        (256, (1000, 500), {256}),
        (512, (1000, 500), {512}),
        (256, (310, 200), {256, 300, 512}),  # it is whole
        (256, (60, 50), {64, 128, 256, 300, 512}),
        (128, (150, 50), {128, 256, 300, 512}),
    ],
)
def test_a_thumbnail_tells_for_which_side_it_was_made_unless_it_is_the_whole_image(made_for, image, wanted):
    jpeg = encode_thumbnail(make_thumbnail(Image.new("RGB", image), made_for), made_for)
    assert {side for side in (64, 128, 256, 300, 512) if is_made_for(jpeg, side, *image)} == wanted


@pytest.mark.parametrize(
    "comment", [b"made with care", b"512", b"", b"lookalike thumbnail many", b"\xff" * 99]
)
def test_another_comment_is_no_side(comment):
    stream = io.BytesIO()
    Image.new("RGB", (256, 128)).save(stream, "JPEG", comment=comment)
    assert is_made_for(stream.getvalue(), THUMBNAIL_SIDE, 1000, 500)


def test_what_is_no_picture_is_made_for_no_side():
    jpeg = encode_thumbnail(Image.new("RGB", (256, 128)), 512)
    at = jpeg.index(b"\xff\xc0") + 5  # its height and width
    for damaged in (b"", b"no", jpeg[:30], jpeg[:at] + b"\xff\xff\xff\xff" + jpeg[at + 4 :]):
        assert not is_made_for(damaged, 512, 10, 10), damaged[:40]
