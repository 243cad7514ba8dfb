import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from lookalike.errors import ImageError
from lookalike.images.decode import decode
from lookalike.images.decoders.png import open_png

WIDTH, HEIGHT = 120, 100
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))
BOMB = zlib.compress(bytes(2 << 20))


def encode(image, **options):
    stream = io.BytesIO()
    image.save(stream, "PNG", **options)
    return stream.getvalue()


def chunk(kind, content=b"", checksum=None):
    checksum = zlib.crc32(kind + content) if checksum is None else checksum
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def with_chunk(data, added, before=b"IDAT"):
    at = data.index(before) - 4
    return data[:at] + added + data[at:]


def pixels(data):
    decoded = decode(data, "it")
    assert decoded.note == ""
    return np.asarray(decoded.image).astype(int)


def reason(data):
    with pytest.raises(ImageError) as caught:
        decode(data, "it")
    return caught.value.reason


IMAGES = {
    "RGB": PICTURE,
    "palette": PICTURE.quantize(16),
    "grey": PICTURE.convert("L"),
    "grey with alpha": PICTURE.convert("LA"),
    "1 bit": PICTURE.convert("1"),
}
FAULTY = {
    "a text too long": chunk(b"zTXt", b"Comment\0\0" + BOMB),
    "an international text too long": chunk(b"iTXt", b"Comment\0\1\0\0\0" + BOMB),
    "a profile that is no profile, too long": chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(20 << 20))),
    "a profile packed in an unknown way": chunk(b"iCCP", b"p\0\7" + BOMB),
    "an empty profile": chunk(b"iCCP"),
    "a text with a wrong checksum": chunk(b"tEXt", b"a\0b", 0),
    "an unknown chunk with a wrong checksum": chunk(b"prVt", b"a", 0),
    "EXIF with a wrong checksum": chunk(b"eXIf", b"II*\0\x08\0\0\0\0\0", 0),
    "transparency with a wrong checksum": chunk(b"tRNS", b"\0" * 6, 0),
    "a short gamma": chunk(b"gAMA", b"a"),
    "short primaries": chunk(b"cHRM", b"a"),
    "a short resolution": chunk(b"pHYs", b"a"),
    "an empty rendering intent": chunk(b"sRGB"),
    "frame control too short": chunk(b"fcTL", b"\0"),
    "too many kinds": chunk(b"tIME", b"", 7) + chunk(b"bKGD", b"", 8) + chunk(b"tEXt", b"a\0b", 9),
}


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("fault", FAULTY)
def test_a_faulty_chunk_beside_the_picture_does_not_cost_it(fault, image):
    data = encode(IMAGES[image])
    assert np.array_equal(pixels(with_chunk(data, FAULTY[fault])), pixels(data))


@pytest.mark.parametrize("fault", FAULTY)
def test_nor_does_one_that_comes_behind_it(fault):
    data = encode(PICTURE)
    assert np.array_equal(pixels(with_chunk(data, FAULTY[fault], b"IEND")), pixels(data))


@pytest.mark.parametrize("length", [0, 1, 5, 7, 300])
@pytest.mark.parametrize("image", ["RGB", "palette", "grey", "1 bit", "grey with alpha"])
def test_transparency_of_a_wrong_length_does_not_cost_the_picture(image, length):
    found = pixels(with_chunk(encode(IMAGES[image]), chunk(b"tRNS", b"\xff" * length)))
    assert np.array_equal(found, pixels(encode(IMAGES[image])))


def test_chunks_between_the_pieces_of_the_picture_are_passed_over():
    data = encode(PICTURE)
    at = data.index(b"IDAT")
    (length,) = struct.unpack(">I", data[at - 4 : at])
    packed = data[at + 4 : at + 4 + length]
    pieces = [chunk(b"IDAT", packed[:999]), chunk(b"tEXt", b"a\0b"), chunk(b"IDAT", packed[999:])]
    torn = data[: at - 4] + b"".join(pieces) + chunk(b"IEND")
    assert np.array_equal(pixels(torn), pixels(data))


def test_what_says_how_the_picture_is_shown_survives():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(PICTURE, icc_profile=profile, exif=exif.tobytes(), transparency=(1, 2, 3))
    data = with_chunk(data, chunk(b"gAMA", struct.pack(">I", 45455)), b"IDAT")
    data = with_chunk(data, chunk(b"cICP", bytes([12, 13, 0, 1])), b"IDAT")
    image = open_png(io.BytesIO(with_chunk(data, FAULTY["a text with a wrong checksum"])))
    image.load()
    assert image.info["icc_profile"] == profile
    assert image.info["gamma"] == 0.45455
    assert image.info["transparency"] == (1, 2, 3)
    assert image.getexif()[0x0112] == 6
    assert decode(with_chunk(data, FAULTY["a text too long"]), "it").width == HEIGHT


def test_a_large_profile_survives_though_pillow_refuses_it():
    profile = np.random.default_rng(0).integers(0, 8, 3 << 19, dtype=np.uint8).tobytes()
    data = with_chunk(encode(PICTURE), chunk(b"iCCP", b"p\0\0" + zlib.compress(profile)))
    assert open_png(io.BytesIO(data)).info["icc_profile"] == profile


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE"])
def test_damage_of_the_picture_itself_stays_damage(kind):
    data = encode(IMAGES["palette"])
    at = data.index(kind)
    (length,) = struct.unpack(">I", data[at - 4 : at])
    end = at + 4 + length
    assert "damaged PNG file" in reason(data[:end] + b"0000" + data[end + 4 :])


def test_pixels_that_cannot_be_unpacked_are_damage():
    data = bytearray(encode(PICTURE))
    at = data.index(b"IDAT") + 4
    data[at : at + 200] = b"\xff" * 200
    assert "damaged PNG file" in reason(bytes(data))
    assert "damaged PNG file" in reason(with_chunk(bytes(data), FAULTY["a text with a wrong checksum"]))


def test_a_png_that_lacks_only_its_end_is_a_picture_like_any_other():
    data = encode(PICTURE)
    for missing in (1, 4, 12, 16, 18):
        assert np.array_equal(pixels(data[:-missing]), pixels(data))


@pytest.mark.parametrize("image", IMAGES)
def test_a_png_with_95_percent_of_its_rows_is_a_picture_with_a_note(image):
    data = encode(IMAGES[image])
    decoded = decode(data[: int(len(data) * 0.97)], "it")
    assert decoded.note in {f"cut short: the last {n} % of its rows are missing" for n in (2, 3, 4, 5)}
    found, whole = np.asarray(decoded.image).astype(int), pixels(data)
    assert np.array_equal(found[:95], whole[:95])
    assert np.array_equal(found[-1], found[-2])


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_png_with_fewer_rows_is_cut_short(kept):
    data = encode(PICTURE)
    assert reason(data[: int(len(data) * kept)]) == "the PNG file is cut short"
