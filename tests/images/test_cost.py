"""What a picture will cost, told from its header."""

import io
import struct

import numpy as np
import pillow_heif
import pytest
from faults.bomb_files import grid_heic
from PIL import Image

from lookalike.images.apart import ROOM, is_for_thread, with_said
from lookalike.images.cost import MUCH, reckon
from lookalike.images.decode import decode
from tiff_files import tiff

PHOTO = 1600, 1250  # 2 megapixels


def saved(form: str, size: tuple[int, int] = PHOTO, mode: str = "RGB", **options: object) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, form, **options)
    return stream.getvalue()


def resized(data: bytes, width: int, height: int) -> bytes:
    at = next(found for marker in (b"\xff\xc0", b"\xff\xc2") if (found := data.find(marker)) >= 0)
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_size_and_cost_of_a_photo_are_told_from_its_header(form):
    data = saved(form)
    cost = reckon(form, data, 224)
    assert (cost.width, cost.height, cost.doubt) == (*PHOTO, "")
    assert cost.memory < MUCH
    assert 0 < cost.seconds < 2
    assert cost.memory <= reckon(form, data, None).memory


def test_a_photo_is_decoded_in_the_thread():
    assert is_for_thread(reckon("JPEG", saved("JPEG"), 224))
    assert is_for_thread(reckon("JPEG", saved("JPEG", progressive=True), 224))


def test_coefficients_and_scans_of_a_progressive_jpeg_count():
    plain, progressive = (reckon("JPEG", saved("JPEG", progressive=each), 224) for each in (False, True))
    assert progressive.memory - plain.memory == pytest.approx(3 * 2e6, rel=0.01)  # 1.5 samples of 2 bytes
    data = saved("JPEG", progressive=True)
    at = data.rfind(b"\xff\xda")
    many = reckon("JPEG", data[:-2] + 30000 * data[at:-2] + data[-2:], 224)
    assert many.seconds > 100
    assert not is_for_thread(many)


def test_a_jpeg_without_its_end_is_decoded_whole():
    data = saved("JPEG")
    assert reckon("JPEG", data[:-9000], 224).memory > 2 * reckon("JPEG", data, 224).memory


def test_depth_and_channels_of_a_png_count():
    memories = [reckon("PNG", saved("PNG", mode=mode), 224).memory for mode in ("1", "L", "RGB", "RGBA")]
    assert memories == sorted(memories)
    assert reckon("PNG", saved("PNG", mode="I;16"), 224).memory > memories[1] + 9 * 2e6


def test_tables_of_strips_and_long_strips_count():
    samples = np.zeros((900, 900, 1), np.uint16)
    few, many = (tiff(samples, 1, compression=5, rows=rows) for rows in (300, 1))
    assert (
        reckon("TIFF", few, 224).memory > reckon("TIFF", tiff(samples, 1, compression=5, rows=16), 224).memory
    )
    assert reckon("TIFF", many, 224).seconds > reckon("TIFF", few, 224).seconds


def test_libtiff_prints_and_so_is_asked_in_a_child():
    samples = np.zeros((20, 20, 1), np.uint8)
    assert reckon("TIFF", tiff(samples, 1, compression=5), 224).is_apart
    assert not reckon("TIFF", tiff(samples, 1), 224).is_apart


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("PNG", {"mode": "1"}),
        ("PNG", {"mode": "L"}),
        ("GIF", {"mode": "P"}),
        ("TIFF", {"mode": "1", "compression": "group4"}),
        ("TIFF", {"mode": "L", "compression": "tiff_lzw"}),
        ("JPEG", {"mode": "L", "optimize": True, "quality": 20}),
    ],
)
def test_a_blank_page_of_64_megapixels_is_plausible(form, options):
    cost = reckon(form, saved(form, (8001, 8001), **options), 224)
    assert cost.doubt == ""
    assert cost.memory < ROOM


def test_blank_webps_are_plausible():
    # As libwebp writes 49 megapixels of one colour: 1,934 bytes.
    head = b"\x2f" + struct.pack("<I", 6999 | 6999 << 14)
    data = b"RIFF" + struct.pack("<I", 1926) + b"WEBPVP8L" + struct.pack("<I", 1914) + head + bytes(1909)
    assert len(data) == 1934
    assert reckon("WEBP", data, 224).doubt == ""
    assert "too few" in reckon("WEBP", data[:34], 224).doubt


@pytest.mark.parametrize("size", [(15_700, 15_700), (1, 65_535)])
def test_few_bytes_that_claim_many_pixels_are_doubted(size):
    doubt = reckon("JPEG", resized(saved("JPEG", (64, 48)), *size), 224).doubt
    assert ("too few" in doubt) == (size[0] * size[1] > 64e6)


def test_what_is_no_picture_by_its_sides_is_doubted():
    data = bytearray(saved("PNG", (3, 3)))
    data[16:24] = struct.pack(">II", 1, 249_000_000)
    assert reckon("PNG", bytes(data), None).doubt == "it claims 1 × 249,000,000 pixels, which is no picture"


def test_long_runs_of_fill_bytes_are_passed_over():
    data = saved("JPEG", (64, 48))
    padded = data[:2] + b"\xff" * 1_000_000 + data[2:-2] + b"\xff" * 1_000_000 + data[-2:]
    assert (reckon("JPEG", padded, 224).width, decode(padded, "it").width) == (64, 64)
    assert np.array_equal(np.asarray(decode(padded, "it").image), np.asarray(decode(data, "it").image))


def test_what_libraries_print_is_one_line_without_codes():
    assert with_said("damaged", "") == "damaged"
    assert with_said("damaged", "a:  bad\n\na: bad\n\x1b[31mb\n") == "damaged: a: bad; ?[31mb"
    assert len(with_said("damaged", "x" * 4000)) < 200


def test_planes_of_a_heic_and_of_an_avif_count():
    pillow_heif.register_heif_opener()
    plain, finer = (reckon("HEIC", saved("HEIF", chroma=chroma), 224).memory for chroma in (420, 444))
    assert finer - plain == pytest.approx(1.8 * 1.5 * 2e6, rel=0.01)
    plain, finer = (reckon("AVIF", saved("AVIF", subsampling=s), 224).memory for s in ("4:2:0", "4:4:4"))
    assert finer - plain == pytest.approx(1.8 * 1.5 * 2e6, rel=0.01)
    data = grid_heic(4, 3)
    assert (reckon("HEIC", data, 224).width, reckon("HEIC", data, 224).height) == (2048, 1536)
    assert decode(data, "phone.heic", 224).width == 2048
