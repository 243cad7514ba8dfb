"""Pictures in memory: arrays of every shape and type, every mode of Pillow's, files that are open."""

import io
import re
import tempfile

import numpy as np
import pytest
from PIL import Image, ImageCms

from lookalike import QueryError
from lookalike.query.pictures import as_pixels, is_picture, read_in_memory

RGB = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [51, 102, 204]]], np.uint8)
GREY = np.array([[0, 51], [102, 255]], np.uint8)
OPAQUE = np.full((2, 2, 1), 255, np.uint8)


def three(grey):
    return np.stack([grey] * 3, axis=-1)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (RGB, RGB),
        (RGB.astype(np.float32) / 255, RGB),
        (RGB.astype(np.float16) / 255, RGB),
        (RGB.astype(np.float64) / 255 + 1e-5, RGB),  # what a filter leaves
        (RGB[::-1, ::-1], RGB[::-1, ::-1]),
        (np.asfortranarray(RGB), RGB),
        (RGB.tolist(), None),
        (GREY, three(GREY)),
        (GREY[..., None], three(GREY)),
        (GREY / 255, three(GREY)),
        (GREY > 100, three(np.where(GREY > 100, 255, 0))),
        (np.dstack([GREY, OPAQUE]), three(GREY)),
        (np.dstack([RGB, OPAQUE]), RGB),
        (np.dstack([RGB, OPAQUE]) / 255, RGB),
        (np.dstack([RGB, 0 * OPAQUE]), np.full_like(RGB, 255)),
        (np.dstack([np.full_like(GREY, 255), GREY]), None),
    ],
    ids=lambda value: "" if value is None else f"{np.asarray(value).dtype}{np.shape(value)}",
)
def test_an_array_is_a_picture_by_its_shape_and_type(given, expected):
    if isinstance(given, list):
        with pytest.raises(QueryError, match="int64"):
            as_pixels(given)
        return
    pixels = as_pixels(given)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (2, 2, 3)
    assert not pixels.flags.writeable
    if expected is not None:
        assert np.array_equal(pixels, expected)


def test_what_white_would_swallow_lies_on_a_ground_as_in_files():
    drawing = np.zeros((20, 20, 4), np.uint8)
    drawing[..., :3] = 255
    drawing[5:15, 5:15, 3] = 255
    pixels = as_pixels(drawing)
    assert set(pixels[0, 0]) == {64}
    assert set(pixels[10, 10]) == {255}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (RGB.astype(int), r"give pixels\.astype\('uint8'\)"),
        (RGB.astype(float), "from 0 to 255"),
        (RGB / 255 - 0.5, "from -0.5 to 0.5"),
        (np.full((2, 2), np.inf), "inf"),
        (np.full((2, 2), np.nan), "nan"),
        (np.zeros((2, 2, 5)), r"shape \(2, 2, 5\)"),
        (np.zeros((3, 8, 8)), r"shape \(3, 8, 8\)"),
        (np.zeros((2, 0, 3)), r"shape \(2, 0, 3\)"),
        (np.zeros((2, 2), complex), "complex128"),
        (np.array([["a", "b"]]), "<U1"),
        (np.array([[None]]), "object"),
        (np.eye(4), "rows of length 1, as vectors are; .*list"),
        (np.ma.masked_equal(GREY, 0), "masked"),
        (Image.new("RGB", (0, 3)), "0 × 3 pixels"),
        (b"no picture", "not an image"),
        (b"\xff\xd8\xff no picture", "JPEG"),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_picture_is_refused_and_says_why(given, says):
    with pytest.raises(QueryError) as raised:
        as_pixels(given)
    assert re.search(says, f"{raised.value}; {raised.value.hint}")


def test_tensors_that_cannot_be_arrays_are_refused():
    class OnTheGraphicsCard:
        def __array__(self, *given, **named):
            raise RuntimeError("it lies elsewhere")

    with pytest.raises(QueryError, match="it lies elsewhere"):
        as_pixels(OnTheGraphicsCard())


def of_16_bits(rgb, mode, dtype):
    levels = np.asarray(rgb.convert("L")).astype(dtype) * 257
    return Image.frombytes(mode, rgb.size, levels.astype(dtype).tobytes())


MODES = {
    "LAB": lambda rgb: ImageCms.profileToProfile(
        rgb, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    ),
    "LA": lambda rgb: rgb.convert("L").convert("LA"),
    "PA": lambda rgb: rgb.convert("P").convert("PA"),
    "RGBa": lambda rgb: rgb.convert("RGBA").convert("RGBa"),
    "La": lambda rgb: rgb.convert("L").convert("LA").convert("La"),
    "I;16": lambda rgb: of_16_bits(rgb, "I;16", "<u2"),
    "I;16B": lambda rgb: of_16_bits(rgb, "I;16B", ">u2"),
    "I;16L": lambda rgb: of_16_bits(rgb, "I;16L", "<u2"),
}


@pytest.mark.parametrize(
    "mode",
    [
        *("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA", "PA", "RGBX", "RGBa"),
        *("La", "I;16", "I;16B", "I;16L"),
    ],
)
def test_an_image_of_pillows_is_a_picture_in_any_mode(mode):
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    rgb = Image.fromarray(np.dstack([np.tile(ramp, (64, 1))] * 3))
    image = MODES.get(mode, lambda rgb: rgb.convert(mode))(rgb)
    assert image.mode == mode
    assert is_picture(image)
    off = np.abs(as_pixels(image).astype(int) - np.asarray(rgb).astype(int))
    assert off.mean() < {"1": 90, "P": 20, "PA": 20}.get(mode, 3)  # those are of few colours, dithered


@pytest.mark.parametrize("transparent", [0, b"\x00\xff", "none"])
def test_a_palette_may_be_transparent(transparent):
    image = Image.fromarray(RGB).convert("P", palette=Image.Palette.ADAPTIVE)
    if transparent != "none":
        image.info["transparency"] = transparent
    assert as_pixels(image).shape == (2, 2, 3)


def png():
    stream = io.BytesIO()
    Image.fromarray(RGB).save(stream, "PNG")
    return stream.getvalue()


class Stream:
    """One that cannot go back, as of a network."""

    def __init__(self, data):
        self.data = data

    def read(self, most=-1):
        data, self.data = self.data[:most], b""
        return data


class Failing:
    def read(self, most=-1):
        raise KeyError("no such")


def test_open_files_are_read_from_their_beginning_where_they_have_one():
    with tempfile.TemporaryFile() as file:
        file.write(png())
        for given in (file, io.BytesIO(png()), Stream(png()), png(), bytearray(png()), memoryview(png())):
            assert is_picture(given)
            assert read_in_memory(given) == png()
        closed = io.BytesIO(png())
        closed.close()
    for given, says in (
        (closed, "cannot be read"),
        (file, "cannot be read"),
        (Failing(), "no such"),
        (io.StringIO("text"), "gives str; expected bytes"),
        (Stream(b""), "empty file"),
        (b"", "empty file"),
    ):
        with pytest.raises(QueryError, match=says):
            read_in_memory(given)


def test_paths_words_and_arrays_are_no_files_in_memory():
    assert not any(map(is_picture, ["a.png", RGB, None, 5, [b"a"]]))
