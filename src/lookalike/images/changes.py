"""Of which files today's reader makes other pixels than an older one did, told from their headers.

It is enough to be right about files that were read before: what was a failure is tried again anyway. In
doubt a file is read again, which costs time and nothing else.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import IO

from lookalike.images.color.profiles import UNCALIBRATED
from lookalike.images.decoders.raw import tiff_kind
from lookalike.images.metadata import tags
from lookalike.images.metadata.containers import (
    Blocks,
    Part,
    boxes,
    content,
    find_box,
    gif_blocks,
    jpeg_segments,
    png_chunks,
    riff_chunks,
)
from lookalike.images.metadata.ifd import Value, first_number, numbers, open_tiff, read_at, read_directory


def is_read_differently(stream: IO[bytes], kind: str, blocks: Blocks, since: int) -> bool:
    """Tell whether the pixels of a file may come out otherwise than by a reader of version `since`.

    Parameters
    ----------
    stream : binary file
    kind : str
        Its format, a name of ``FORMATS``.
    blocks : Blocks
        Its metadata.
    since : int
        See `lookalike.images.reader.READER`.
    """
    if since >= 2:
        return False
    # 1 → 2: colours are managed, transparency is laid on what contrasts, more orientations are found.
    rule = _SINCE_1.get(kind)
    is_uncalibrated = first_number(blocks.exif.get(tags.COLOR_SPACE)) == UNCALIBRATED
    return rule is None or rule(stream) or is_uncalibrated or _is_turned_now(kind, blocks)


def _jpeg(stream: IO[bytes]) -> bool:
    for part in jpeg_segments(stream):
        if part.name == b"\xe2" and read_at(stream, part.offset, 12) == b"ICC_PROFILE\0":
            # The head of the profile, in the first segment, has its name.
            return not _is_srgb(content(stream, part)[14:])
    return False


def _png(stream: IO[bytes]) -> bool:
    says_srgb = says_otherwise = False
    for part in png_chunks(stream):
        if part.name == b"IHDR" and content(stream, part)[9:10] in (b"\4", b"\6"):
            return True
        if part.name == b"tRNS":
            return True
        if part.name == b"cICP" and content(stream, part)[:2] != b"\x01\x0d":
            return True
        if part.name == b"iCCP":
            return not _is_srgb(_inflate(content(stream, part).partition(b"\0")[2][1:]))
        if part.name == b"IDAT":
            break
        if part.name == b"sRGB":
            says_srgb = True
        elif part.name == b"gAMA":
            says_otherwise |= abs(int.from_bytes(content(stream, part)) - 45455) > 2000
        elif part.name == b"cHRM":
            says_otherwise |= not _is_close(content(stream, part), _SRGB_CORNERS, 500)
    return says_otherwise and not says_srgb


_SRGB_CORNERS = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def _webp(stream: IO[bytes]) -> bool:
    for part in riff_chunks(stream):
        head = read_at(stream, part.offset, 5)
        if part.name == b"VP8X" and head and head[0] & 0x10:
            return True
        if part.name == b"VP8L" and len(head) == 5 and head[4] & 0x10:  # bit 28 behind the signature: alpha
            return True
        if part.name == b"ICCP":
            return not _is_srgb(content(stream, part))
        if part.name in (b"VP8 ", b"VP8L", b"ANMF"):
            break
    return False


def _gif(stream: IO[bytes]) -> bool:
    """Look for a transparent colour in the extensions before the first frame."""
    control = next((part for part in gif_blocks(stream) if part.name == b"!\xf9"), None)
    flags = b"" if control is None else read_at(stream, control.offset, 1)
    return bool(flags and flags[0] & 1)


def _bmp(stream: IO[bytes]) -> bool:
    """32 bits may have an opacity among them."""
    head = read_at(stream, 0, 30)
    return int.from_bytes(head[28:30], "little") == 32


_BITS, _SAMPLES, _EXTRA_SAMPLES, _SAMPLE_FORMAT, _PROFILE = 258, 277, 338, 339, 34675
_TIFF_TAGS = frozenset({_BITS, tags.PHOTOMETRIC, _SAMPLES, _EXTRA_SAMPLES, _SAMPLE_FORMAT, _PROFILE})
_MIN_IS_WHITE, _LAB = 0, 8
_FLOAT = 3


def _tiff(stream: IO[bytes]) -> bool:
    tiff = open_tiff(stream)
    if tiff is None or tiff_kind(stream, "") != "TIFF":  # of a camera file the first picture is a small one
        return True
    found = read_directory(tiff, tiff.first, _TIFF_TAGS)
    depths, forms = numbers(found.get(_BITS)), numbers(found.get(_SAMPLE_FORMAT))
    is_float_grey = _FLOAT in forms and (first_number(found.get(_SAMPLES)) or 1) == 1
    return (
        _EXTRA_SAMPLES in found
        or first_number(found.get(tags.PHOTOMETRIC)) in (_MIN_IS_WHITE, _LAB)
        or (not is_float_grey and any(depth not in (1, 2, 4, 8, 16) for depth in depths))
        or (not is_float_grey and any(form != 1 for form in forms))
        or (_PROFILE in found and not _is_srgb(_bytes(found[_PROFILE])))
    )


def _heif(stream: IO[bytes]) -> bool:
    """Look at all properties, without asking whose they are: of the picture, or of one beside it."""
    found = find_box(stream, b"meta", b"iprp", b"ipco")
    if found is None:
        return False
    for part in boxes(stream, found.offset, found.offset + found.size):
        head = read_at(stream, part.offset, 64)
        if part.name == b"auxC" and (b":alpha\0" in head or b"hevc:2015:auxid:1\0" in head):
            return True
        if part.name == b"colr" and not _is_srgb_colr(stream, part, head):
            return True
    return False


def _is_srgb_colr(stream: IO[bytes], part: Part, head: bytes) -> bool:
    if head[:4] != b"nclx":
        return _is_srgb(content(stream, part)[4:])
    primaries, transfer = int.from_bytes(head[4:6]), int.from_bytes(head[6:8])
    # H.273: what is unspecified, and the camera curves of video, are read as sRGB.
    return primaries in (1, 2) and transfer in (1, 2, 6, 7, 11, 12, 13, 14, 15)


_SINCE_1: dict[str, Callable[[IO[bytes]], bool]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "GIF": _gif,
    "BMP": _bmp,
    "TIFF": _tiff,
    "AVIF": _heif,
    "HEIC": _heif,
}


# --- profiles


_SRGB = tuple(
    tuple(round(value * 65536) for value in primary)
    for primary in ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
)
"""Its primaries under D50 (IEC 61966-2-1, adapted by Bradford's matrix), in 65,536ths."""

_ROUNDED = 200  # what makers of profiles differ by


def _is_srgb(profile: bytes) -> bool:
    """Tell by name and primaries whether an ICC profile is of sRGB; in doubt it is not (ICC.1:2010, 7.3)."""
    name = _tag(profile, b"desc")
    if profile[16:20] != b"RGB " or not (b"sRGB" in name or "sRGB".encode("utf-16-be") in name):
        return False
    # Some that bear the name have other primaries; a table without any is what it is called.
    found = [_tag(profile, tag)[8:20] for tag in (b"rXYZ", b"gXYZ", b"bXYZ")]
    return not any(found) or all(map(_is_close, found, _SRGB, (_ROUNDED,) * 3))


def _tag(profile: bytes, name: bytes) -> bytes:
    """Return the content of a tag of an ICC profile, up to 1,000 bytes; none where it is not there."""
    for at in range(132, min(132 + 12 * int.from_bytes(profile[128:132]), 132 + 12 * 100, len(profile)), 12):
        if profile[at : at + 4] == name:
            start = int.from_bytes(profile[at + 4 : at + 8])
            return profile[start : start + min(int.from_bytes(profile[at + 8 : at + 12]), 1000)]
    return b""


def _inflate(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, 1 << 16)
    except zlib.error:
        return b""


def _is_close(data: bytes, wanted: tuple[int, ...], tolerance: int) -> bool:
    found = [int.from_bytes(data[at : at + 4]) for at in range(0, len(data), 4)]
    return len(found) == len(wanted) and all(
        abs(one - other) <= tolerance for one, other in zip(found, wanted, strict=True)
    )


def _bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""


# --- orientation


def _is_turned_now(kind: str, blocks: Blocks) -> bool:
    """Tell whether an orientation is found that Pillow, giving up at another broken entry, did not find."""
    orientation = first_number(blocks.image.get(tags.ORIENTATION))
    if kind not in ("JPEG", "PNG", "WEBP") or orientation not in range(2, 9):
        return False
    from PIL.Image import Exif

    found = Exif()
    try:
        found.load(blocks.exif_bytes)
        return found.get(tags.ORIENTATION) != orientation
    except Exception:  # whatever it stumbles over: so it did then
        return True
