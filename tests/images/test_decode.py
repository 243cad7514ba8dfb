import importlib
import io
import os
import struct
import sys
import tempfile
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401  for writing
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from camera_files import dng
from lookalike.errors import ImageError
from lookalike.images.decode import (
    MAX_FILE_BYTES,
    MAX_PIXELS,
    Decoded,
    decode,
    read_file,
    read_image,
    upright_rgb,
)
from lookalike.images.formats import FORMATS
from permissions import as_nobody, folder_for_all
from pictures import STORED_AS, corners, stored
from tiff_files import tiff

NAMES = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIC", "JXL"]  # no camera file can be written


def encode(image, name, **options):
    stream = io.BytesIO()
    if name == "HEIC":
        pillow_heif.from_pillow(image).save(stream, **options)
    else:
        image.save(stream, name, **options)
    return stream.getvalue()


def png(width, height, depth, colour_type, rows=(), chunks=()):
    """A PNG written by hand, for what Pillow does not write."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    middle = b"".join(chunk(kind, content) for kind, content in chunks)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + middle + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def orientation_tag(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif.tobytes()


def read(data, *arguments):
    """Decode, and hold what is always so."""
    decoded = decode(data, "it", *arguments)
    assert decoded.image.mode == "RGB"
    return decoded


def pixels(data):
    return np.asarray(read(data).image).astype(int)


def grey(data):
    values = pixels(data)
    assert (values == values[..., :1]).all()
    return values[..., 0].tolist()


def error_of(one, other):
    """Mean absolute difference, in grey levels."""
    assert one.size == other.size
    return np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean()


def reason(data, *arguments):
    with pytest.raises(ImageError) as caught:
        decode(data, "it", *arguments)
    assert caught.value.path == "it"
    return caught.value.reason


# --- every format


@pytest.mark.parametrize("name", NAMES)
def test_each_format_is_read_back_as_it_was_written(name):
    image = corners()
    decoded = read(encode(image, name))
    assert (decoded.format, decoded.width, decoded.height) == (name, 60, 40)
    assert error_of(decoded.image, image) < 5


@pytest.mark.parametrize("name", ["PNG", "BMP", "TIFF"])
def test_what_is_stored_without_loss_is_read_without_loss(name):
    assert error_of(read(encode(corners(), name)).image, corners()) == 0


@pytest.mark.parametrize("name", [name for name in NAMES if name != "GIF"])
def test_grey_images_are_read_as_grey_rgb(name):
    gradient = Image.linear_gradient("L").resize((32, 32))
    assert error_of(read(encode(gradient, name)).image, gradient.convert("RGB")) < 3


@pytest.mark.parametrize("size", [(1, 1), (1, 37), (37, 1)])
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_the_thinnest_images_are_read(name, size):
    assert read(encode(Image.new("RGB", size), name)).image.size == size


def test_a_png_called_jpg_is_read_as_what_it_is(tmp_path):
    file = tmp_path / "photo.jpg"
    file.write_bytes(encode(corners(), "PNG"))
    assert read_image(file).format == "PNG"


def test_the_common_brand_of_the_family_may_hold_avif():
    data = encode(corners(), "AVIF")
    assert data[8:12] == b"avif"
    decoded = read(data[:8] + b"mif1" + data[12:])
    assert decoded.format == "AVIF"
    assert error_of(decoded.image, corners()) < 5


@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"}])
def test_compressed_tiffs_are_read(options):
    assert error_of(read(encode(corners(), "TIFF", **options)).image, corners()) == 0


# --- orientation


def test_orientation_6_means_the_first_row_is_the_right_side():
    # By hand (Exif 2.32, tag 0x0112): stored red, green; held upright red on top, green beneath, in a column.
    row = Image.fromarray(np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8))
    decoded = read(encode(row, "PNG", exif=orientation_tag(6)))
    assert np.asarray(decoded.image).tolist() == [[[255, 0, 0]], [[0, 255, 0]]]
    decoded = read(encode(row, "PNG", exif=orientation_tag(8)))
    assert np.asarray(decoded.image).tolist() == [[[0, 255, 0]], [[255, 0, 0]]]


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "HEIC", "AVIF"])
def test_every_orientation_is_undone_once(name, orientation):
    data = encode(stored(corners(), orientation), name, exif=orientation_tag(orientation))
    decoded = read(data)
    assert (decoded.width, decoded.height) == (60, 40)
    assert error_of(decoded.image, corners()) < 5


@pytest.mark.parametrize("orientation", STORED_AS)
def test_compressed_tiffs_are_turned_too(orientation):
    turned = stored(corners(), orientation)
    decoded = read(encode(turned, "TIFF", exif=orientation_tag(orientation), compression="tiff_lzw"))
    assert (decoded.width, decoded.height) == (60, 40)
    assert error_of(decoded.image, corners()) == 0


def test_heic_is_turned_by_its_own_property_not_by_exif():
    # ISO/IEC 23008-12: the transformations of the item hold; Exif is only a copy of them.
    data = encode(corners(), "HEIC", exif=orientation_tag(1))
    stray = data.replace(orientation_tag(1)[6:], orientation_tag(6)[6:])
    assert stray != data
    assert error_of(read(stray).image, corners()) < 5


@pytest.mark.parametrize("value", [0, 9, 255, 65535])
def test_orientations_that_do_not_exist_are_ignored(value):
    assert error_of(read(encode(corners(), "PNG", exif=orientation_tag(value))).image, corners()) == 0


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"])
def test_damaged_exif_does_not_lose_the_picture(exif):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert error_of(read(encode(corners(), "JPEG", exif=exif)).image, corners()) < 5


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF"])
def test_an_image_that_the_user_opened_is_turned_once_too(name, orientation):
    data = encode(stored(corners(), orientation), name, exif=orientation_tag(orientation))
    assert error_of(upright_rgb(Image.open(io.BytesIO(data))), corners()) < 5
    loaded = Image.open(io.BytesIO(data))
    loaded.load()
    assert error_of(upright_rgb(loaded), corners()) < 5


# --- transparency, on white


HALF_RED = np.array([[[255, 0, 0, 255], [255, 0, 0, 128], [255, 0, 0, 0]]], np.uint8)
ON_WHITE = [[255, 0, 0], [255, 127, 127], [255, 255, 255]]


@pytest.mark.parametrize("name", ["PNG", "TIFF"])
def test_alpha_is_laid_on_white(name):
    assert pixels(encode(Image.fromarray(HALF_RED), name)).tolist() == [ON_WHITE]


def test_lossless_webp_alpha_is_laid_on_white():
    assert pixels(encode(Image.fromarray(HALF_RED), "WEBP", lossless=True)).tolist() == [ON_WHITE]


@pytest.mark.parametrize("name", ["WEBP", "AVIF", "HEIC"])
def test_lossy_alpha_is_laid_on_white(name):
    layer = corners().convert("RGBA")
    layer.putalpha(Image.linear_gradient("L").resize(layer.size))
    page = Image.new("RGBA", layer.size, "white")
    page.alpha_composite(layer)
    assert error_of(read(encode(layer, name)).image, page.convert("RGB")) < 5


def test_grey_with_alpha_is_laid_on_white():
    values = np.array([[[0, 255], [0, 128], [0, 0]]], np.uint8)
    assert grey(encode(Image.fromarray(values, "LA"), "PNG")) == [[0, 127, 255]]


def palette_image():
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.putdata([0, 1, 2])
    return image


@pytest.mark.parametrize(
    ("transparency", "expected"),
    [
        (None, [[255, 0, 0], [0, 255, 0], [0, 0, 255]]),
        (1, [[255, 0, 0], [255, 255, 255], [0, 0, 255]]),
        (b"\x00\xff\x80", [[255, 255, 255], [0, 255, 0], [127, 127, 255]]),
    ],
)
def test_a_palette_with_transparent_entries_is_laid_on_white(transparency, expected):
    options = {} if transparency is None else {"transparency": transparency}
    assert pixels(encode(palette_image(), "PNG", **options)).tolist() == [expected]


def test_a_transparent_gif_is_laid_on_white():
    assert pixels(encode(palette_image(), "GIF", transparency=0)).tolist()[0] == [
        [255, 255, 255],
        [0, 255, 0],
        [0, 0, 255],
    ]


def test_one_transparent_grey_is_white():
    image = Image.fromarray(np.array([[0, 100, 200]], np.uint8))
    assert grey(encode(image, "PNG", transparency=100)) == [[0, 255, 200]]


def test_one_transparent_colour_is_white():
    image = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
    assert pixels(encode(image, "PNG", transparency=(4, 5, 6))).tolist() == [[[1, 2, 3], [255, 255, 255]]]


# --- deep, and other modes


def test_a_16_bit_grey_png_keeps_its_high_byte():
    row = struct.pack(">4H", 0, 128 * 257, 200 * 257, 65535)
    assert grey(png(4, 1, 16, 0, [row])) == [[0, 128, 200, 255]]


def test_a_dark_16_bit_png_stays_dark():
    assert grey(png(2, 1, 16, 0, [struct.pack(">2H", 0, 257)])) == [[0, 1]]


def test_a_16_bit_rgb_png_keeps_its_high_byte():
    row = struct.pack(">6H", 255 << 8, 0, 7 << 8, 1 << 8, 2 << 8, 3 << 8)
    assert pixels(png(2, 1, 16, 2, [row])).tolist() == [[[255, 0, 7], [1, 2, 3]]]


def test_a_16_bit_png_with_alpha_is_laid_on_white():
    row = struct.pack(">8H", 255 << 8, 0, 0, 65535, 0, 0, 0, 0)
    assert pixels(png(2, 1, 16, 6, [row])).tolist() == [[[255, 0, 0], [255, 255, 255]]]


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_16_bit_grey_tiff_keeps_its_high_byte(order):
    values = np.array([[0, 128 * 257, 65535]], order + "u2")
    assert grey(encode(Image.fromarray(values), "TIFF")) == [[0, 128, 255]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 100, 255], [0, 100, 255]),  # 8 bits in a wide file
        ([0, 128 * 257, 65535], [0, 128, 255]),  # 16 bits in a wide file
        ([0, 400_000, 1_000_000], [0, 102, 255]),  # its own range
        ([-100, -20, 100], [0, 102, 255]),
        ([7, 7, 7], [7, 7, 7]),
        ([2**31 - 1] * 3, [0, 0, 0]),  # no range at all
    ],
)
def test_32_bit_integers_are_scaled_to_what_they_hold(values, expected):
    assert grey(encode(Image.fromarray(np.array([values], np.int32)), "TIFF")) == [expected]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 0.5, 1], [0, 128, 255]),
        ([0, 0.25, 0.5], [0, 64, 128]),
        ([0, 100, 255], [0, 100, 255]),
        ([-1, 0, 1], [0, 128, 255]),
        ([0, 0.8e6, 2e6], [0, 102, 255]),
        ([1e6, 1e6 + 1, 1e6 + 2], [0, 128, 255]),
        ([np.nan, 0, 1], [0, 0, 255]),
        ([np.nan, 2e6, 4e6, 2.8e6], [0, 0, 255, 102]),
        ([0, 0.5, 1, np.inf, -np.inf], [0, 128, 255, 255, 0]),
        ([-1, 1, np.inf, -np.inf, 0], [0, 255, 255, 0, 128]),
        ([-3e38, -0.6e38, 3e38], [0, 102, 255]),
        ([np.nan] * 3, [0, 0, 0]),
        ([np.inf, -np.inf, np.nan], [0, 0, 0]),
    ],
)
def test_float_tiffs_are_scaled_to_the_range_of_their_finite_values(values, expected):
    assert grey(encode(Image.fromarray(np.array([values], np.float32)), "TIFF")) == [expected]


@pytest.mark.parametrize("name", ["PNG", "GIF", "BMP", "TIFF"])
def test_one_bit_images_are_black_and_white(name):
    image = Image.new("1", (9, 1))
    image.putdata([255, 0, 0, 255, 255, 0, 255, 0, 255])
    assert grey(encode(image, name)) == [[255, 0, 0, 255, 255, 0, 255, 0, 255]]


@pytest.mark.parametrize("name", ["PNG", "GIF", "BMP", "TIFF"])
def test_palettes_are_looked_up(name):
    assert pixels(encode(palette_image(), name)).tolist() == [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]


@pytest.mark.parametrize("name", ["JPEG", "TIFF"])
def test_cmyk_is_not_inverted(name):
    # Photoshop's CMYK JPEGs (Adobe marker) are stored inverted; TIFFs are not.
    image = Image.new("CMYK", (32, 16), (0, 255, 255, 0))
    image.paste((255, 0, 255, 0), (16, 0, 32, 16))
    values = pixels(encode(image, name))
    assert np.abs(values[8, 4] - [255, 0, 0]).max() < 12
    assert np.abs(values[8, 28] - [0, 255, 0]).max() < 12


def test_ycbcr_tiffs_are_read():
    assert error_of(read(encode(corners().convert("YCbCr"), "TIFF")).image, corners()) < 2


def test_lab_tiffs_are_read():
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = ImageCms.applyTransform(corners(), to_lab)
    assert error_of(read(encode(lab, "TIFF")).image, corners()) < 5


# --- animations


@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_of_an_animation_the_first_frame_is_read(name):
    later = [Image.new("RGB", (60, 40), colour) for colour in ("black", "white")]
    data = encode(corners(), name, save_all=True, append_images=later)
    decoded = read(data)
    assert (decoded.format, decoded.image.size) == (name, (60, 40))
    assert error_of(decoded.image, corners()) < 5


# --- scaled decoding


def photo(width=1600, height=1200):
    y, x = np.mgrid[:height, :width]
    values = np.stack([x * 255 // width, y * 255 // height, (x // 40 + y // 40) % 2 * 200], -1)
    return Image.fromarray(values.astype(np.uint8))


@pytest.fixture(scope="module")
def photo_jpeg():
    return encode(photo(), "JPEG", quality=92)


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        (40, (200, 150)),
        (150, (200, 150)),
        (151, (400, 300)),
        (256, (400, 300)),
        (301, (800, 600)),
        (600, (800, 600)),
        (601, (1600, 1200)),
        (1200, (1600, 1200)),
        (9000, (1600, 1200)),
    ],
)
def test_a_jpeg_is_decoded_smaller_but_never_below_what_was_asked(photo_jpeg, asked, size):
    decoded = read(photo_jpeg, asked)
    assert decoded.image.size == size
    assert (decoded.width, decoded.height) == (1600, 1200)


@pytest.mark.parametrize("size", [(1601, 1203), (641, 480), (479, 2000)])
@pytest.mark.parametrize("asked", [60, 128, 239, 240])
def test_odd_sizes_keep_the_shorter_side_too(size, asked):
    assert min(read(encode(photo(*size), "JPEG"), asked).image.size) >= asked


def test_a_scaled_jpeg_looks_like_the_whole_one(photo_jpeg):
    whole = read(photo_jpeg).image.resize((400, 300), Image.Resampling.BOX)
    assert error_of(read(photo_jpeg, 256).image, whole) < 2


def test_a_scaled_jpeg_is_turned_and_its_whole_size_is_reported_upright():
    upright = photo(1200, 1600)
    data = encode(stored(upright, 6), "JPEG", exif=orientation_tag(6))
    decoded = read(data, 256)
    assert (decoded.width, decoded.height) == (1200, 1600)
    assert decoded.image.size == (300, 400)
    assert error_of(decoded.image, upright.resize((300, 400), Image.Resampling.BOX)) < 3


@pytest.mark.parametrize("name", [name for name in NAMES if name != "JPEG"])
def test_other_formats_keep_at_least_twice_the_shorter_side(name):
    whole = read(encode(corners(), name))
    small = read(encode(corners(), name), 8)
    assert (whole.image.size, small.image.size) == ((60, 40), (30, 20))
    assert (small.width, small.height) == (60, 40)
    assert error_of(small.image, whole.image.resize((30, 20), Image.Resampling.BOX)) < 2


def test_a_large_image_shrunk_in_strips_is_what_shrinking_the_whole_gives(monkeypatch):
    module = importlib.import_module("lookalike.images.rgb")
    monkeypatch.setattr(module, "_STRIP_PIXELS", 1000)
    noise = np.random.default_rng(0).integers(0, 256, (203, 301, 4), dtype=np.uint8)
    layered = Image.fromarray(noise)
    on_white = read(encode(layered, "PNG")).image
    small = np.asarray(read(encode(layered, "PNG"), 33).image, int)
    assert (
        np.abs(small - np.asarray(on_white.reduce(3), int)).max() <= 2
    )  # rounded twice: shrunk, then laid on white
    for mode in ("L", "P", "LA", "RGB"):
        whole = read(encode(layered.convert("RGB").convert(mode), "PNG")).image
        small = read(encode(layered.convert("RGB").convert(mode), "PNG"), 33).image
        assert small.tobytes() == whole.reduce(3).tobytes(), mode


# --- limits


def claiming(name, width, height):
    """A small file whose header says that the image is of that size."""
    if name == "PNG":
        return png(width, height, 8, 2)
    data = bytearray(encode(Image.new("RGB", (8, 8)), name))
    if name == "JPEG":
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = struct.pack(">HH", height, width)
    elif name == "GIF":
        data[6:10] = struct.pack("<HH", width, height)
    elif name == "BMP":
        data[18:26] = struct.pack("<ii", width, height)
    elif name == "TIFF":
        for tag, value in ((256, width), (257, height)):
            at = data.index(struct.pack("<HHI", tag, 4, 1)) + 8
            data[at : at + 4] = struct.pack("<I", value)
    return bytes(data)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "BMP", "TIFF"])
def test_absurd_sizes_are_refused_before_anything_is_decoded(name, monkeypatch):
    def load(image):
        raise AssertionError("decoding began")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    start = time.perf_counter()
    said = reason(claiming(name, 60_000, 60_000))
    assert "too large: 60000 × 60000 is 3,600 megapixels, at most 250 are decoded" in said
    assert time.perf_counter() - start < 0.5


def test_an_absurd_webp_is_refused():
    # libwebp finds no frame in it.
    head = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xfe\x3f\x00" * 2  # 16,383 × 16,383
    data = b"RIFF" + struct.pack("<I", 4 + len(head)) + b"WEBP" + head
    assert reason(data.ljust(64, b"\0")).startswith("too large: 16383 × 16383")


def test_what_pillow_finds_too_large_is_not_called_damaged(monkeypatch):
    def load(image):
        raise Image.DecompressionBombError(
            "Image size (9 pixels) exceeds limit of 8 pixels, could be an attack"
        )

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    assert reason(SAMPLES["PNG"]) == "too large: Image size (9 pixels) exceeds limit of 8 pixels"


# Pillow's own limit, a global of the process, which every user of Pillow may set: ours is `max_pixels`.


def gif(first_frame_reaches_beyond=False, **options):
    """A GIF of two frames; its screen may be smaller than these."""
    data = bytearray(encode(corners(), "GIF", save_all=True, append_images=[corners(30, 20)], **options))
    if first_frame_reaches_beyond:
        data[6:10] = struct.pack("<HH", 10, 10)
    return bytes(data)


LIMITED = {
    **{name: encode(corners(), name) for name in NAMES},
    "TIFF, LZW": encode(corners(), "TIFF", compression="tiff_lzw"),
    "WEBP, lossless": encode(corners(), "WEBP", lossless=True),
    "WEBP, frames": encode(corners(), "WEBP", save_all=True, append_images=[corners().rotate(180)]),
    "WEBP, alpha": encode(corners().convert("RGBA"), "WEBP", exif=b"Exif\0\0II*\0"),
    "GIF, kept": gif(disposal=1),
    "GIF, removed": gif(disposal=2),
    "GIF, put back": gif(disposal=3, transparency=0),
    "GIF, beyond its screen": gif(first_frame_reaches_beyond=True),
    "DNG": dng(corners(600, 400)),
}


@pytest.mark.parametrize("kind", LIMITED)
def test_the_limit_that_others_set_pillow_is_not_ours(monkeypatch, kind):
    expected = read(LIMITED[kind]).image
    for limit in (50, 1500, None):  # what is twice the limit is refused there, the rest is warned of
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert read(LIMITED[kind]).image.tobytes() == expected.tobytes()
        assert limit == Image.MAX_IMAGE_PIXELS


def test_a_frame_beyond_its_screen_is_read_whole_and_a_wide_screen_stays():
    assert read(LIMITED["GIF, beyond its screen"]).image.tobytes() == read(gif()).image.tobytes()
    wide = bytearray(gif())
    wide[6:10] = struct.pack("<HH", 70, 50)
    assert read(bytes(wide)).image.size == (70, 50)


def test_the_limit_is_in_pixels_and_inclusive():
    data = encode(corners(), "PNG")
    assert read(data, None, 2400).image.size == (60, 40)
    assert "60 × 40" in reason(data, None, 2399)


def test_scaled_decoding_does_not_get_around_the_limit(photo_jpeg):
    assert "too large" in reason(photo_jpeg, 64, 1_000_000)


def test_a_file_passes_its_limit_on(tmp_path):
    (tmp_path / "a.png").write_bytes(encode(corners(), "PNG"))
    with pytest.raises(ImageError, match="too large"):
        read_image(tmp_path / "a.png", max_pixels=10)


def test_the_default_limit_takes_the_largest_cameras():
    assert MAX_PIXELS >= 200e6


# --- bad bytes


@pytest.mark.parametrize("data", [b"", bytes(100), b"a diary, not a picture", b"<html>", b"%PDF-1.7"])
def test_what_is_no_image_is_said_to_be_none(data):
    assert reason(data) == "the file is empty" if not data else "not an image" in reason(data)


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_a_signature_alone_is_an_error(row):
    for offset, magic in row.signatures:
        said = reason((b"\0" * offset + magic).ljust(40, b"\0"))
        assert row.name in said


def gradients():
    y, x = np.mgrid[:40, :60]
    return Image.fromarray(np.stack([x * 4, y * 6, x * y % 256], -1).astype(np.uint8))


SAMPLES = {
    "JPEG": encode(gradients(), "JPEG", exif=orientation_tag(6)),
    "JPEG, progressive": encode(gradients(), "JPEG", progressive=True),
    "PNG": encode(gradients(), "PNG", exif=orientation_tag(6)),
    "PNG, palette": encode(gradients().quantize(16), "PNG", transparency=b"\0\x80\xff"),
    "PNG, animated": encode(gradients(), "PNG", save_all=True, append_images=[corners()]),
    "WEBP": encode(gradients(), "WEBP", exif=orientation_tag(6)),
    "WEBP, lossless": encode(gradients(), "WEBP", lossless=True),
    "GIF": encode(gradients(), "GIF", save_all=True, append_images=[corners()]),
    "BMP": encode(gradients(), "BMP"),
    "BMP, palette": encode(gradients().quantize(256), "BMP"),
    "TIFF": encode(gradients(), "TIFF", exif=orientation_tag(6)),
    "TIFF, LZW": encode(gradients(), "TIFF", compression="tiff_lzw"),
    "TIFF, JPEG": encode(gradients(), "TIFF", compression="jpeg"),
    "TIFF, float": encode(Image.fromarray(np.asarray(gradients())[..., 0].astype(np.float32)), "TIFF"),
    "TIFF, 12 bits": tiff(np.asarray(gradients()).astype("u2") * 16, 2, 12, ">", rows=7, compression=8),
    "TIFF, planes of floats": tiff(
        np.asarray(gradients()).astype("f4") / 255,
        2,
        is_planar=True,
        tile=(16, 32),
        compression=5,
        predictor=3,
    ),
    "AVIF": encode(gradients(), "AVIF", exif=orientation_tag(6)),
    "HEIC": encode(gradients(), "HEIC", exif=orientation_tag(6)),
    "JXL": encode(gradients(), "JXL"),
}


def outcome(data, shorter_side=None, max_pixels=1_000_000):
    """An image or an ImageError: whatever else happens is a failure of the test.

    Readers warn of some damage. That is silenced, so that they go on, as they do for users.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            decoded = decode(data, "it", shorter_side, max_pixels)
        except ImageError as error:
            assert error.reason
            assert error.reason.isprintable()
            return error
    assert decoded.image.mode == "RGB"
    assert min(decoded.image.size) > 0
    return decoded


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_file_cut_anywhere_is_an_error_or_an_image(sample):
    data = SAMPLES[sample]
    for tenths in range(10):
        outcome(data[: len(data) * tenths // 10])


@pytest.mark.parametrize("sample", [name for name in SAMPLES if name not in ("PNG, animated", "GIF")])
def test_a_file_cut_in_half_is_an_error(sample):
    data = SAMPLES[sample]
    assert isinstance(outcome(data[: len(data) // 2]), ImageError)


@pytest.mark.parametrize("sample", ["JPEG", "PNG", "BMP", "WEBP", "TIFF", "TIFF, LZW", "AVIF", "HEIC"])
def test_a_file_cut_short_is_said_to_be(sample):
    data = SAMPLES[sample]
    name = sample.partition(",")[0]
    assert outcome(data[: len(data) * 9 // 10]).reason == f"the {name} file is cut short"


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_file_with_bytes_behind_it_is_read(sample):
    assert isinstance(outcome(SAMPLES[sample] + b"\0and more"), Decoded)


edits = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),  # where; the square is taken, since headers are what matters
        st.integers(0, 8),  # how many bytes go
        st.binary(max_size=8),  # what comes instead
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("sample", SAMPLES)
@settings(max_examples=150, deadline=None)
@given(changes=edits, shorter_side=st.sampled_from([None, 8]))
def test_no_bytes_get_past_the_decoder(sample, changes, shorter_side):
    data = bytearray(SAMPLES[sample])
    for where, gone, instead in changes:
        at = int(where**2 * len(data))
        data[at : at + gone] = instead
    outcome(bytes(data), shorter_side)


def test_what_readers_quote_from_a_file_cannot_drive_the_terminal():
    data = SAMPLES["HEIC"].replace(b"irot", b"\x1b[2J")
    assert data != SAMPLES["HEIC"]
    assert outcome(data).reason.isprintable()


def test_running_out_of_memory_is_an_image_error(monkeypatch):
    def load(image):
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    assert reason(SAMPLES["PNG"]) == "not enough memory to decode it"


def test_running_out_of_memory_in_a_decoder_is_not_called_damage(monkeypatch):
    def load(image):
        raise OSError("out of memory error when reading image file")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(ImageError, match="not enough memory to decode it") as caught:
        decode(SAMPLES["JPEG"], "it")
    assert not caught.value.is_permanent


def test_running_out_of_memory_while_a_file_is_read_is_an_image_error(tmp_path, monkeypatch):
    def read(path):
        raise MemoryError

    (tmp_path / "a.jpg").write_bytes(b"content")
    monkeypatch.setattr(sys.modules["lookalike.images.decode"], "read_plain", read)
    with pytest.raises(ImageError, match="not enough memory to read it") as caught:
        read_file(tmp_path / "a.jpg")
    assert not caught.value.is_permanent


def test_an_interrupt_is_not_swallowed(monkeypatch):
    def load(image):
        raise KeyboardInterrupt

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(KeyboardInterrupt):
        decode(SAMPLES["PNG"], "it")


# --- bad files


def file_reason(path):
    with pytest.raises(ImageError) as caught:
        read_file(path)
    assert caught.value.path == str(path)
    return caught.value.reason


def test_a_file_is_read_whole(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"content")
    assert read_file(tmp_path / "a.jpg") == b"content"


def test_an_empty_file_is_an_error(tmp_path):
    (tmp_path / "a.jpg").touch()
    assert file_reason(tmp_path / "a.jpg") == "the file is empty"


def test_a_missing_file_is_an_error(tmp_path):
    assert file_reason(tmp_path / "a.jpg") == "no such file"
    (tmp_path / "link.jpg").symlink_to("gone.jpg")
    assert file_reason(tmp_path / "link.jpg") == "no such file"


def test_a_file_that_vanishes_while_it_is_looked_at_is_an_error(tmp_path, monkeypatch):
    file = tmp_path / "a.jpg"
    file.write_bytes(b"content")
    look = Path.stat

    def look_and_lose(path, **options):
        status = look(path, **options)
        path.unlink()
        return status

    monkeypatch.setattr(Path, "stat", look_and_lose)
    assert file_reason(file) == "no such file"


def test_a_folder_is_no_file(tmp_path):
    assert file_reason(tmp_path) == "not a regular file"


def test_a_named_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert file_reason(tmp_path / "pipe.jpg") == "not a regular file"


def test_a_device_is_refused():
    assert file_reason(Path("/dev/zero")) == "not a regular file"


def test_a_loop_of_links_is_an_error(tmp_path):
    (tmp_path / "one.jpg").symlink_to("two.jpg")
    (tmp_path / "two.jpg").symlink_to("one.jpg")
    assert file_reason(tmp_path / "one.jpg") == "a loop of symbolic links"


def test_a_file_in_a_file_is_an_error(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"content")
    assert file_reason(tmp_path / "a.jpg" / "b.jpg") == "Not a directory"


@pytest.fixture
def open_folder():
    with folder_for_all() as folder:
        yield folder


def test_a_file_without_permission_is_an_error(open_folder):
    file = open_folder / "a.jpg"
    file.write_bytes(b"content")
    file.chmod(0)
    with as_nobody():
        assert file_reason(file) == "permission denied"


def test_a_file_too_large_is_refused_before_it_is_read():
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.truncate(MAX_FILE_BYTES + 1)  # a hole: it takes no room
        assert file_reason(Path(file.name)) == "the file has 1.0 GiB; at most 1 GiB is read"
