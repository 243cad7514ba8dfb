import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from camera_files import RATIONAL, SHORT, UNDEFINED, dng, text, tiff
from lookalike.errors import ImageError
from lookalike.images.reader import READER, read_header

PICTURE = Image.linear_gradient("L").resize((64, 48)).convert("RGB")
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def named(name):
    """A profile of RGB with that name, as Display P3 and Adobe RGB are."""
    wide = SRGB.replace("sRGB built-in".encode("utf-16-be"), name.ljust(13).encode("utf-16-be"))
    return wide.replace(b"sRGB built-in", name.ljust(13).encode())


def with_swapped(one, other):
    """A profile that is called sRGB, and is not: two of its primaries are exchanged."""
    at = [SRGB.index(one), SRGB.index(other)]
    swapped = bytearray(SRGB)
    swapped[at[0] : at[0] + 4], swapped[at[1] : at[1] + 4] = other, one
    return bytes(swapped)


P3 = named("Display P3")


def saved(kind, picture=PICTURE, **options):
    stream = io.BytesIO()
    if kind == "HEIC":
        pillow_heif.from_pillow(picture).save(stream, **options)
    else:
        picture.save(stream, kind, **options)
    return stream.getvalue()


def png_with(*chunks):
    data = saved("PNG")
    packed = b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    return data[:33] + packed + data[33:]


def layered(mode="RGBA"):
    picture = PICTURE.convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    return picture.convert(mode)


def palette():
    return PICTURE.quantize(16)


def array(kind, shape=(4, 6)):
    return Image.fromarray(np.arange(np.prod(shape)).reshape(shape).astype(kind))


def orientation(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif.tobytes()


def broken_exif():
    """An orientation behind an entry that Pillow stumbles over."""
    block = tiff({0x010E: text("x" * 100), 0x0112: (SHORT, [6]), 0x011A: (RATIONAL, [(72, 1)])})
    at = block.index(struct.pack("<HHI", 0x010E, 2, 101))
    return b"Exif\0\0" + block[: at + 8] + b"\xff\xff\xff\x7f" + block[at + 12 :]


def chrm(*corners):
    return struct.pack(">8I", *corners)


SRGB_CORNERS = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
WIDE_CORNERS = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)

UNCHANGED = {
    "JPEG": saved("JPEG"),
    "JPEG, sRGB": saved("JPEG", icc_profile=SRGB),
    "JPEG, turned": saved("JPEG", exif=orientation(6)),
    "JPEG, CMYK without a profile": saved("JPEG", PICTURE.convert("CMYK")),
    "PNG": saved("PNG"),
    "PNG, sRGB": saved("PNG", icc_profile=SRGB),
    "PNG, grey": saved("PNG", PICTURE.convert("L")),
    "PNG, 16 bits": saved("PNG", array("u2")),
    "PNG, turned": saved("PNG", exif=orientation(6)),
    "PNG, sRGB chunk": png_with((b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 45455))),
    "PNG, sRGB in numbers": png_with((b"gAMA", struct.pack(">I", 45455)), (b"cHRM", chrm(*SRGB_CORNERS))),
    "PNG, sRGB by code points": png_with((b"cICP", b"\x01\x0d\x00\x01")),
    "WEBP": saved("WEBP"),
    "WEBP, lossless": saved("WEBP", lossless=True),
    "WEBP, sRGB": saved("WEBP", icc_profile=SRGB),
    "GIF": saved("GIF", palette()),
    "GIF, animated": saved("GIF", palette(), save_all=True, append_images=[palette().rotate(180)]),
    "BMP": saved("BMP"),
    "TIFF": saved("TIFF"),
    "TIFF, LZW": saved("TIFF", compression="tiff_lzw"),
    "TIFF, sRGB": saved("TIFF", icc_profile=SRGB),
    "TIFF, 16 bits": saved("TIFF", array("u2")),
    "TIFF, float": saved("TIFF", array("f4")),
    "TIFF, bilevel": saved("TIFF", PICTURE.convert("1")),
    "TIFF, CMYK": saved("TIFF", PICTURE.convert("CMYK")),
    "HEIC": saved("HEIC"),
    "AVIF": saved("AVIF"),
}

CHANGED = {
    "JPEG, Display P3": saved("JPEG", icc_profile=P3),
    "JPEG, grey with a profile": saved(
        "JPEG", PICTURE.convert("L"), icc_profile=SRGB.replace(b"RGB ", b"GRAY", 1)
    ),
    "JPEG, CMYK with a profile": saved(
        "JPEG", PICTURE.convert("CMYK"), icc_profile=SRGB.replace(b"RGB ", b"CMYK", 1)
    ),
    "JPEG, an orientation that Pillow does not find": saved("JPEG", exif=broken_exif()),
    "PNG, Display P3": saved("PNG", icc_profile=P3),
    "PNG, sRGB by name only": saved("PNG", icc_profile=with_swapped(b"rXYZ", b"gXYZ")),
    "PNG, wide in numbers": png_with((b"gAMA", struct.pack(">I", 45455)), (b"cHRM", chrm(*WIDE_CORNERS))),
    "PNG, another exponent": png_with((b"gAMA", struct.pack(">I", 100000))),
    "PNG, HDR": png_with((b"cICP", b"\x09\x10\x00\x01")),
    "PNG, alpha": saved("PNG", layered()),
    "PNG, grey with alpha": saved("PNG", layered("LA")),
    "PNG, a transparent colour": saved("PNG", palette(), transparency=3),
    "WEBP, Display P3": saved("WEBP", icc_profile=P3),
    "WEBP, alpha": saved("WEBP", layered()),
    "WEBP, lossless with alpha": saved("WEBP", layered(), lossless=True),
    "GIF, a transparent colour": saved("GIF", palette(), transparency=3),
    "BMP, 32 bits": saved("BMP", layered()),
    "TIFF, Display P3": saved("TIFF", icc_profile=P3),
    "TIFF, white is zero": saved("TIFF", PICTURE.convert("L"), tiffinfo={262: 0}),
    "TIFF, 12 bits": tiff({256: (SHORT, [4]), 257: (SHORT, [4]), 258: (SHORT, [12]), 262: (SHORT, [1])}),
    "TIFF, 32 bits": saved("TIFF", array("i4")),
    "TIFF, RGB of floats": tiff(
        {258: (SHORT, [32] * 3), 262: (SHORT, [2]), 277: (SHORT, [3]), 339: (SHORT, [3] * 3)}
    ),
    "TIFF, alpha": saved("TIFF", layered()),
    "TIFF, CMYK with a profile": saved(
        "TIFF", PICTURE.convert("CMYK"), icc_profile=SRGB.replace(b"RGB ", b"CMYK", 1)
    ),
    "HEIC, Display P3": saved("HEIC", icc_profile=P3),
    "HEIC, alpha": saved("HEIC", layered()),
    "AVIF, Display P3": saved("AVIF", icc_profile=P3),
    "AVIF, alpha": saved("AVIF", layered()),
    "a camera file that was taken for a TIFF": dng(PICTURE),
    "CIELAB": tiff({258: (SHORT, [8] * 3), 262: (SHORT, [8]), 34675: (UNDEFINED, LAB)}),
}


def header(tmp_path, data, since):
    file = tmp_path / "file"
    file.write_bytes(data)
    return read_header(file, since)


@pytest.mark.parametrize("name", UNCHANGED)
def test_what_is_read_as_before_is_not_read_again(name, tmp_path):
    assert not header(tmp_path, UNCHANGED[name], 1).is_changed


@pytest.mark.parametrize("since", [None, 1])
@pytest.mark.parametrize("name", CHANGED)
def test_what_is_read_differently_by_now_is_read_again(name, since, tmp_path):
    assert header(tmp_path, CHANGED[name], since).is_changed


@pytest.mark.parametrize("name", CHANGED)
def test_what_todays_reader_read_is_never_read_again(name, tmp_path):
    assert not header(tmp_path, CHANGED[name], READER).is_changed


def test_a_header_has_the_metadata(tmp_path):
    data = saved("JPEG", exif=tiff({0x0110: text("Box")}).join((b"Exif\0\0", b"")))
    assert header(tmp_path, data, 1).metadata.camera == "Box"


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ImageError, match="no such file"):
        read_header(tmp_path / "gone.jpg", 1)


@pytest.mark.parametrize("name", [*UNCHANGED, *CHANGED])
def test_a_file_cut_anywhere_raises_nothing(name, tmp_path):
    data = (UNCHANGED | CHANGED)[name]
    for at in range(0, min(len(data), 600), 13):
        header(tmp_path, data[:at], 1)


def test_only_the_head_of_a_large_file_is_read(tmp_path):
    file = tmp_path / "large.jpg"
    data = saved("JPEG", icc_profile=P3)
    with file.open("wb") as stream:
        stream.write(data)
        stream.truncate(1 << 40)  # a hole: it takes no room
    assert read_header(file, 1).is_changed
