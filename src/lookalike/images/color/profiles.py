"""Which colour space an opened image says that it is in, as ICC profiles.

| what says it | where |
|---|---|
| an ICC profile | JPEG, PNG (iCCP), TIFF, WebP, HEIC, AVIF |
| two numbers of H.273 | PNG (cICP), HEIC and AVIF (nclx) |
| primaries and an exponent | PNG (cHRM, gAMA) |
| two tags of Exif: Adobe RGB | JPEG of cameras |
| the mode | TIFF in CIELAB |

An image may say it more than once, and what it says first may turn out to be unusable, so that all are given,
in the order in which they count: of a PNG cICP, iCCP, sRGB, gAMA with cHRM; of HEIC and AVIF the ICC profile,
then nclx. Nothing counts that comes after a word of sRGB.

References
----------
W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", sections 4.3 and 11.3.2.
ISO/IEC 23000-22 (MIAF), section 7.3.6.4 (ICC and nclx).
JEITA CP-3461 (DCF 2.0), section 3.4 (Adobe RGB: "R03"); Adobe RGB (1998) Color Image Encoding, section 4.3.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

    from lookalike.images.color.icc import Space

_GREY = {"1", "L", "LA", "La", "I", "F"}
_SAME_EXPONENT = 0.05  # libpng takes exponents whose quotient is within 5 % of 1 for the same
_SRGB_GAMMA = 0.45455  # what the specification has files in sRGB say
_EXPONENTS = (0.1, 10.0)

UNCALIBRATED = 0xFFFF
"""Exif's ColorSpace of all that is not sRGB."""


def profiles(image: Image, data: bytes = b"") -> list[bytes]:
    """Return the ICC profiles that an opened image may be read by, the one that counts most first.

    Parameters
    ----------
    image : PIL.Image.Image
        As Pillow opened it, so that its ``info`` has what the file says.
    data : bytes, optional
        The file itself, for what Pillow passes over.

    Returns
    -------
    list of bytes
        Unchecked, and none where the image is in sRGB or says nothing.
    """
    if image.mode == "LAB":
        from lookalike.images.color.icc import lab_profile

        return [lab_profile()]
    found: list[bytes] = []
    is_grey = image.mode in _GREY or image.mode.startswith("I;")
    for said in _said(image, data):
        profile = said if isinstance(said, bytes) else _profile(said, is_grey)
        if profile == _OF_SRGB:
            break
        if profile is not None:
            found.append(profile)
    return found


_OF_SRGB = b"sRGB"


def _profile(space: Space, is_grey: bool) -> bytes | None:
    """Return the ICC profile of a colour space, or ``_OF_SRGB``; None where there is none."""
    from lookalike.images.color.h273 import SRGB
    from lookalike.images.color.icc import profile

    return _OF_SRGB if space == SRGB else profile(space, is_grey)


def _said(image: Image, data: bytes) -> Iterator[Space | bytes]:
    if data.startswith(b"\x89PNG"):
        named = _cicp(data)
        if named is not None:
            yield named
    embedded = image.info.get("icc_profile")
    if isinstance(embedded, bytes) and embedded:
        yield embedded
    if image.info.get("srgb") is not None:
        yield _OF_SRGB
    named = _nclx(image.info.get("nclx_profile"), data)
    if named is not None:
        yield named
    measured = _measured(image.info.get("gamma"), image.info.get("chromaticity"))
    if measured is not None:
        yield measured
    exif = image.info.get("exif")
    if image.format in ("JPEG", "MPO") and isinstance(exif, bytes) and _is_adobe_rgb(exif):
        yield _adobe_rgb()


def _cicp(data: bytes) -> Space | None:
    """Return what the cICP chunk of a PNG says, which stands before the pixels."""
    from lookalike.images.color.h273 import VideoRange, space
    from lookalike.images.color.icc import Space
    from lookalike.images.metadata.containers import content, png_chunks

    stream = io.BytesIO(data)
    for part in png_chunks(stream):
        if part.name == b"IDAT":
            break
        numbers = content(stream, part) if part.name == b"cICP" else b""
        if len(numbers) == 4:
            primaries, transfer, matrix, is_full = numbers
            named = space(primaries, transfer) if matrix == 0 else None  # a PNG is RGB
            return named if named is None or is_full else Space(named.primaries, VideoRange(named.curve))
    return None


def _is_adobe_rgb(exif: bytes) -> bool:
    """Tell whether a camera, which writes no profile, says that it used Adobe RGB."""
    from lookalike.images.metadata import tags
    from lookalike.images.metadata.ifd import first_number, open_tiff, read_directory

    tiff = open_tiff(io.BytesIO(exif.removeprefix(b"Exif\0\0")))
    if tiff is None:
        return False
    image = read_directory(tiff, tiff.first, frozenset({tags.EXIF_IFD}))
    wanted = frozenset({tags.COLOR_SPACE, tags.INTEROP_IFD})
    camera = read_directory(tiff, first_number(image.get(tags.EXIF_IFD)) or 0, wanted)
    if first_number(camera.get(tags.COLOR_SPACE)) != UNCALIBRATED:
        return False
    wanted = frozenset({tags.INTEROP_INDEX})
    index = read_directory(tiff, first_number(camera.get(tags.INTEROP_IFD)) or 0, wanted)
    found = index.get(tags.INTEROP_INDEX)
    return isinstance(found, bytes) and found[:3] == b"R03"


def _adobe_rgb() -> Space:
    from dataclasses import replace

    from lookalike.images.color.h273 import SRGB, Power
    from lookalike.images.color.icc import Space

    return Space(replace(SRGB.primaries, green=(0.21, 0.71)), Power(563 / 256))


def _nclx(found: object, data: bytes) -> Space | None:
    """Return what HEIC and AVIF say by numbers: as pillow_heif found them, or in the file."""
    numbers = _numbers(found)
    if numbers is None and data[4:8] == b"ftyp":
        from lookalike.images.color.nclx import read_nclx

        numbers = read_nclx(data)
    if numbers is None:
        return None
    from lookalike.images.color.h273 import space

    return space(*numbers)


def _numbers(found: object) -> tuple[int, int] | None:
    """Return the numbers of primaries and curve of what pillow_heif found."""
    if not isinstance(found, dict):
        return None
    primaries, transfer = found.get("color_primaries"), found.get("transfer_characteristics")
    return (primaries, transfer) if isinstance(primaries, int) and isinstance(transfer, int) else None


def _measured(gamma: object, chromaticity: object) -> Space | None:
    """Return the colour space of a PNG's gAMA, and cHRM if there is one."""
    if not isinstance(gamma, float) or not _EXPONENTS[0] <= gamma <= _EXPONENTS[1]:
        return None
    from lookalike.images.color.h273 import SRGB, Power
    from lookalike.images.color.icc import Primaries, Space

    primaries = SRGB.primaries
    if isinstance(chromaticity, tuple) and len(chromaticity) == 8:
        white_x, white_y, *rest = chromaticity
        primaries = Primaries((rest[0], rest[1]), (rest[2], rest[3]), (rest[4], rest[5]), (white_x, white_y))
    is_srgb = abs(gamma / _SRGB_GAMMA - 1) <= _SAME_EXPONENT
    return Space(primaries, SRGB.curve if is_srgb else Power(1 / gamma))
