import io
import sys
import warnings

import pillow_jxl  # noqa: F401  for writing
import pytest
from PIL import Image

from lookalike.errors import ImageError
from lookalike.images.decode import decode, decode_here
from lookalike.images.decoders.jxl import JxlImageFile, hdr_numbers, read_size
from lookalike.system.installing import install_command
from pictures import corner_names, corners

UPRIGHT = ["red", "green", "white", "blue"]


def encode(picture, **options):
    stream = io.BytesIO()
    picture.save(stream, "JXL", **options)
    return stream.getvalue()


def packed_jpeg(tmp_path, orientation):
    """A JPEG that was packed without loss, so that its bytes can be had again."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = corners(1600, 1200)
    stored.save(tmp_path / "a.jpg", exif=exif, quality=95)
    with Image.open(tmp_path / "a.jpg") as jpeg, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return encode(jpeg)


@pytest.mark.parametrize(
    "size", [(1, 1), (8, 8), (16, 9), (256, 8), (300, 200), (600, 2), (1601, 1203), (4000, 3000), (200, 300)]
)
def test_the_size_is_read_from_the_header(size):
    data = encode(Image.new("RGB", size), effort=1)
    assert read_size(io.BytesIO(data)) == size
    assert read_size(io.BytesIO(data[:200])) == size


def test_a_picture_is_read():
    decoded = decode(encode(corners(600, 400)), "it")
    assert (decoded.format, decoded.width, decoded.height) == ("JXL", 600, 400)
    assert corner_names(decoded.image) == UPRIGHT


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "I;16", "F"])
def test_every_mode_is_read(mode):
    picture = Image.new(mode, (30, 20))
    assert decode(encode(picture), "it").image.size == (30, 20)


def test_a_bare_codestream_is_read():
    data = encode(corners(600, 400), use_container=False)
    start = data.index(b"\xff\x0a")
    assert decode(data[start:] if data[:2] != b"\xff\x0a" else data, "it").format == "JXL"


def test_exif_does_not_turn_what_the_decoder_has_turned():
    # ISO/IEC 18181-2: the orientation of the codestream holds; Exif is only a copy of it.
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode(encode(corners(600, 400), exif=exif.tobytes()), "it")
    assert (decoded.width, decoded.height) == (600, 400)
    assert corner_names(decoded.image) == UPRIGHT


@pytest.mark.parametrize(("orientation", "size"), [(1, (1600, 1200)), (6, (1200, 1600)), (3, (1600, 1200))])
@pytest.mark.parametrize("side", [None, 200])
def test_a_packed_jpeg_is_turned_once(tmp_path, orientation, size, side):
    decoded = decode(packed_jpeg(tmp_path, orientation), "it", side)
    expected = {1: UPRIGHT, 6: ["white", "red", "blue", "green"], 3: UPRIGHT[::-1]}[orientation]
    assert (decoded.width, decoded.height) == size
    assert corner_names(decoded.image) == expected
    if side is not None:
        assert min(decoded.image.size) < 1200


def test_without_its_extra_the_reason_names_it_and_the_file_is_not_called_damaged(monkeypatch):
    data = encode(corners(600, 400))
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    with pytest.raises(ImageError) as caught:
        decode_here(data, "it")
    assert install_command("jxl") in caught.value.reason
    assert "damaged" not in caught.value.reason
    assert not caught.value.is_permanent


def test_too_many_pixels_are_refused_before_anything_is_decoded(monkeypatch):
    monkeypatch.setattr(JxlImageFile, "load", lambda image: pytest.fail("loaded"))
    with pytest.raises(ImageError, match="too large: 600 × 400"):
        decode(encode(corners(600, 400)), "it", None, 1000)


@pytest.mark.parametrize("length", [2, 3, 10, 40])
def test_a_codestream_cut_short_is_an_error(length):
    data = encode(corners(600, 400), use_container=False)
    with pytest.raises(ImageError, match="JXL"):
        decode(data[data.index(b"\xff\x0a") :][:length], "it", None, 1_000_000)


@pytest.mark.parametrize(("transfer", "is_hdr"), [(16, True), (18, True), (13, False)])
def test_a_profile_of_pq_or_hlg_is_known_by_its_numbers(transfer, is_hdr):
    numbers = b"cicp" + bytes(4) + bytes([9, transfer, 0, 1])
    profile = bytes(128) + (1).to_bytes(4) + b"cicp" + (144).to_bytes(4) + (12).to_bytes(4) + numbers
    expected = {"color_primaries": 9, "transfer_characteristics": transfer} if is_hdr else None
    assert hdr_numbers(profile) == expected
    assert hdr_numbers(profile[:150]) is None
    assert hdr_numbers(b"") is None
