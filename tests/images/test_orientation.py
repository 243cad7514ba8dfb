import io
import struct
import warnings

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from lookalike.images.decode import decode, upright_rgb
from tiff_files import tiff

ORDERS = ["<", ">"]
WIDE = Image.new("RGB", (60, 40), "red")


def exif(entries, order):
    """EXIF data with one directory of entries, (tag, type, count, its 4 bytes)."""
    body = b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3] for entry in entries)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, len(entries))
    return b"Exif\0\0" + head + body + bytes(4)


def orientation(order, value=6):
    return (0x0112, 3, 1, struct.pack(order + "HH", value, 0))


def far(order):
    return struct.pack(order + "I", 0xFFFFF0)


BROKEN = {
    "a text behind the end": lambda order: (0x010E, 2, 5000, far(order)),
    "a text of 4 GB": lambda order: (0x010F, 2, 0xFFFFFFFF, b"abcd"),
    "an unknown type": lambda order: (0x010F, 77, 1, b"abcd"),
    "a fraction behind the end": lambda order: (0x011A, 5, 1, far(order)),
    "a directory behind the end": lambda order: (0x8769, 4, 1, far(order)),
    "a directory that is itself": lambda order: (0x8825, 4, 1, struct.pack(order + "I", 8)),
}


def encode(image, name, data):
    stream = io.BytesIO()
    if name == "HEIC":
        pillow_heif.from_pillow(image).save(stream, exif=data)
    else:
        image.save(stream, name, exif=data)
    return stream.getvalue()


@pytest.fixture(autouse=True)
def _readers_may_warn():
    """Of damaged EXIF data, as they do for users, whom the command line spares it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_the_orientation_is_found_beside_a_broken_entry(name, broken, is_first, order):
    entries = [BROKEN[broken](order), orientation(order)]
    data = encode(WIDE, name, exif(entries if is_first else entries[::-1], order))
    decoded = decode(data, "it")
    assert (decoded.width, decoded.height, decoded.image.size) == (40, 60, (40, 60))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("name", ["HEIC", "AVIF"])
def test_what_the_container_has_turned_is_not_turned_again(name, broken, order):
    data = encode(WIDE, name, exif([BROKEN[broken](order), orientation(order)], order))
    decoded = decode(data, "it")
    assert decoded.image.size == (decoded.width, decoded.height) == (40, 60)
    marked = np.array(WIDE)
    marked[:20] = 0, 0, 255
    once = decode(encode(Image.fromarray(marked), name, exif([orientation(order)], order)), "it").image
    again = decode(
        encode(Image.fromarray(marked), name, exif([BROKEN[broken](order), orientation(order)], order)), "it"
    ).image
    assert np.abs(np.asarray(once).astype(int) - np.asarray(again)).max() < 30


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("bits", [8, 16])
def test_a_tiff_is_read_and_turned_although_another_tag_is_broken(bits, order):
    samples = np.zeros((40, 60, 3), f"u{bits // 8}")
    whole = tiff(
        samples, 2, order=order, rows=7, tags={270: b"a description of the picture", 274: [6]}.items()
    )
    place = whole.index(struct.pack(order + "HHI", 270, 7, 28)) + 8
    broken = whole[:place] + far(order) + whole[place + 4 :]
    decoded = decode(broken, "it")
    assert (decoded.width, decoded.height, decoded.image.size) == (40, 60, (40, 60))


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_none(value):
    data = encode(WIDE, "JPEG", exif([BROKEN["an unknown type"]("<"), orientation("<", value)], "<"))
    assert decode(data, "it").width == 60


@pytest.mark.parametrize(
    "data", [b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0??"]
)
def test_exif_data_without_a_directory_say_nothing(data):
    assert decode(encode(WIDE, "PNG", data), "it").width == 60


def test_an_image_that_the_user_opened_is_turned_too():
    data = encode(WIDE, "JPEG", exif([BROKEN["a text behind the end"]("<"), orientation("<")], "<"))
    assert upright_rgb(Image.open(io.BytesIO(data))).size == (40, 60)
