"""What a picture will cost to decode, reckoned from its header before any of it is decoded.

Of each format a row says how many bytes of memory a pixel takes at most at the peak, and how long it takes;
both were measured with the libraries in use (`python -m benchmarks decoding_costs`), and rounded up. What a
format has besides, and what multiplies its cost, is looked for: the coefficients and the scans of a
progressive JPEG, the depth and the channels of a PNG, the strips of a TIFF and the tables of them.

A picture that needs more than `MUCH` has to be plausible, too: its data must have as many bytes as the
smallest that an encoder writes for so many pixels, a blank page. What is below costs little, whatever is true
of it. `MOST_PIXELS_A_BYTE` are the rows: blank pages of 49 megapixels have half as many, or fewer.

Nothing here loads a library, and every walk over a file ends after some thousand steps.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

from lookalike.images.metadata.containers import boxes, find_box, gif_blocks, png_chunks
from lookalike.images.metadata.ifd import read_at
from lookalike.images.rgb import shrunk_by

MUCH = 256_000_000
"""Bytes: a picture that needs more has to be plausible."""

_MOST_ELONGATED = 65_536  # one side over the other, of a picture that is not small
_MOST_STEPS = 10_000
_MOST_BEFORE = 64 << 20  # bytes before the pixels; depth maps and profiles have some ten
_FEW_BYTES = 4 << 20  # of what comes before the pixels; readers in Python take their time with more

MOST_PIXELS_A_BYTE = {"WEBP": 60_000, "GIF": 2_600, "HEIC": 50_000, "AVIF": 150_000, "JXL": 100_000}
_HUFFMAN, _ARITHMETIC = 600, 20_000  # pixels a byte of a JPEG: two bits a block, and a fraction of one
_DEFLATE = 1_040  # bytes a byte, the most there can be

MEMORY = {  # bytes a pixel at the peak: where it is shrunk as it is read, and whole
    "JPEG": (4.3, 9.0),
    "PNG": (5.6, 21.0),
    "WEBP": (18.5, 30.0),
    "GIF": (2.0, 18.0),
    "BMP": (5.0, 21.0),
    "AVIF": (8.5, 14.5),  # and its planes, see `_of_heif`
    "HEIC": (7.5, 13.5),
    "JXL": (24.0, 30.0),
}
_NANOSECONDS = {"JPEG": 12, "WEBP": 40, "GIF": 15, "BMP": 10, "AVIF": 80, "HEIC": 80, "JXL": 80}
_A_ROW = 24  # bytes: Pillow keeps a pointer to every row, and rows of four bytes at least
_SLACK = 16_000_000
_STRIP = 8, 4_000_000  # bytes a pixel of the strips that a picture is shrunk by, and the pixels of one
_A_PLANE_BYTE = 1.8  # bytes for each of a plane of HEIC and AVIF: decoded, and copied


@dataclass(frozen=True, slots=True)
class Cost:
    """What a picture will cost.

    Attributes
    ----------
    width, height : int
        What its header claims; 0 where that is not known before a library has opened it.
    memory : int
        Bytes at the peak, beside the file itself, at most.
    seconds : float
        About, on a slow core.
    is_apart : bool
        Whether its library prints, or may do what a header does not tell: it is to run in a child.
    more_memory : int
        What it may turn out to need where `memory` is not enough, bytes; 0 for no more.
    result : int
        Pixels that come out.
    doubt : str
        Why the data cannot hold what the header claims; empty where they may.
    """

    width: int
    height: int
    memory: int
    seconds: float
    is_apart: bool = False
    more_memory: int = 0
    result: int = 0
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a header says.

    Attributes
    ----------
    width, height : int
    small, whole : float
        Bytes a pixel at the peak, shrunk or not.
    nanoseconds : float
        A pixel.
    bytes_needed : float
        The fewest that the data have if they are what they claim to be.
    fixed : float
        Bytes of memory whatever is wanted of the picture.
    seconds : float
        Beside those of the pixels.
    is_apart : bool
    """

    width: int
    height: int
    small: float
    whole: float
    nanoseconds: float
    bytes_needed: float = 0
    fixed: float = 0
    seconds: float = 0
    is_apart: bool = False
    doubt: str = ""


def reckon(kind: str, data: bytes, shorter_side: int | None) -> Cost | None:
    """Return what a picture will cost; None where its header is none, which its reader will say.

    Parameters
    ----------
    kind : str
        A name of ``FORMATS``.
    data : bytes
        The whole file.
    shorter_side : int or None
        As of `lookalike.images.decode.decode`.
    """
    if kind not in _CLAIMS:
        return _of_camera_file(data)
    try:
        claim = _CLAIMS[kind](data, shorter_side)
    except (struct.error, IndexError, ValueError, SyntaxError, OSError):
        return None
    if claim is None or claim.width < 1 or claim.height < 1:
        return None
    pixels = claim.width * claim.height
    factor = shrunk_by(claim.width, claim.height, shorter_side)
    is_shrunk = factor > 1
    a_strip, strip = _STRIP
    shrunk = pixels * claim.small + a_strip * min(pixels, strip)
    of_pixels = min(shrunk, pixels * claim.whole) if is_shrunk else pixels * claim.whole
    rows = _A_ROW * claim.height * (1 if is_shrunk else 4)
    memory = int(of_pixels + rows + claim.fixed + _SLACK)
    is_much = memory > MUCH or 4 * pixels > MUCH
    doubt = claim.doubt or (_doubt(claim, len(data)) if is_much else "")
    seconds = pixels * claim.nanoseconds * 1e-9 + claim.height * 2e-7 + claim.seconds
    cost = Cost(claim.width, claim.height, memory, seconds, claim.is_apart)
    return replace(cost, result=pixels // factor**2, doubt=doubt)


def _doubt(claim: Claim, n_bytes: int) -> str:
    pixels = claim.width * claim.height
    size = f"{claim.width:,} × {claim.height:,} pixels"
    if max(claim.width, claim.height) > _MOST_ELONGATED * min(claim.width, claim.height):
        return f"it claims {size}, which is no picture"
    if n_bytes < claim.bytes_needed:
        return (
            f"it claims {size} ({pixels / 1e6:,.0f} megapixels), for which its {n_bytes:,} bytes are too few"
        )
    return ""


def _of_camera_file(data: bytes) -> Cost:
    """Camera files: mostly a preview is read, which is a JPEG; developing takes 22 bytes a pixel and more."""
    preview = 2 * len(data) + 320_000_000
    return Cost(0, 0, preview, 5, is_apart=True, more_memory=preview + 60 * len(data) + 500_000_000)


# --- JPEG

_SOF_HUFFMAN, _SOF_ARITHMETIC = {0xC0, 0xC1, 0xC2}, {0xC9, 0xCA}
_PROGRESSIVE = {0xC2, 0xCA}
_SOS = 0xDA
_NO_FILL = re.compile(rb"[^\xff]")


@dataclass(frozen=True, slots=True)
class _Frame:
    """What stands before the first scan of a JPEG; where, and how many segments there are."""

    marker: int
    width: int
    height: int
    samples: float  # of a pixel
    is_one_scan: bool
    at: int
    n_steps: int


def _jpeg_frame(data: bytes) -> _Frame | None:
    at, frame = 2, None
    for step in range(_MOST_STEPS):
        marker = data[at + 1] if data[at : at + 1] == b"\xff" else 0
        if marker == 0xFF:  # fill bytes, in their thousands
            at = skip_fill(data, at)
            continue
        if not 0xC0 <= marker <= 0xFE or 0xD0 <= marker <= 0xD9:
            at = data.find(b"\xff", at + 2)  # what stands between two segments, readers pass over
            if at < 0:
                return None
            continue
        size = int.from_bytes(data[at + 2 : at + 4])
        content = data[at + 4 : at + 2 + size]
        if marker in _SOF_HUFFMAN | _SOF_ARITHMETIC and len(content) >= 9:
            factors = [(content[7 + 3 * n] >> 4, content[7 + 3 * n] & 15) for n in range(content[5])]
            most = max(1, max(across for across, _ in factors)) * max(1, max(down for _, down in factors))
            height, width = struct.unpack_from(">HH", content, 1)
            samples = sum(across * down for across, down in factors) / most
            frame = frame or _Frame(marker, width, height, samples, True, at, step)
            n_components = content[5]
        elif marker == _SOS:
            if frame is None:
                return None
            return replace(frame, is_one_scan=content[:1] == bytes([n_components]), at=at, n_steps=step)
        at += 2 + max(size, 2)
    return replace(frame or _Frame(0, 0, 0, 0, False, at, 0), at=at, n_steps=_MOST_STEPS)


def skip_fill(data: bytes, at: int) -> int:
    """Return where the last byte of a run of 0xFF lies."""
    found = _NO_FILL.search(data, at)
    return (len(data) if found is None else found.start()) - 1


def _of_jpeg(data: bytes, shorter_side: int | None) -> Claim | None:
    frame = _jpeg_frame(data)
    if frame is None:
        return None
    if frame.n_steps >= _MOST_STEPS or frame.at > _MOST_BEFORE:
        doubt = f"its picture lies behind more than {_MOST_STEPS:,} segments, or {_MOST_BEFORE >> 20} MiB"
        return Claim(max(frame.width, 1), max(frame.height, 1), 0, 0, 0, doubt=doubt)
    pixels = frame.width * frame.height
    buffered = 2.0 * pixels * frame.samples if frame.marker in _PROGRESSIVE or not frame.is_one_scan else 0
    scans = data.count(b"\xff\xda", frame.at) if buffered else 1
    is_arithmetic = frame.marker in _SOF_ARITHMETIC
    small, whole = MEMORY["JPEG"]
    if shorter_side is not None:
        fits = [by for by in (8, 4, 2) if min(frame.width, frame.height) >= by * shorter_side]
        if fits:
            small, whole = small / fits[0] ** 2, whole / fits[0] ** 2
    # Without its end it is decoded three times, and not at a fraction of its size.
    if data.rfind(b"\xff\xd9", max(0, len(data) - 65536)) < 0:
        small, whole, buffered, scans = 17.0, 26.0, 3 * buffered, 3 * scans + 9
    seconds = 2e-9 * pixels * frame.samples * scans + len(data) * (1e-7 if is_arithmetic else 2e-8)
    is_odd = frame.at > _FEW_BYTES or frame.n_steps > _MOST_STEPS // 10
    return Claim(
        frame.width,
        frame.height,
        small,
        whole,
        _NANOSECONDS["JPEG"],
        bytes_needed=pixels / (_ARITHMETIC if is_arithmetic else _HUFFMAN),
        fixed=buffered,
        seconds=seconds,
        is_apart=is_odd,
    )


# --- PNG

_SHRUNK_IF_DEEP = 64_000_000  # pixels: as `lookalike.images.rgb` does
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by colour type


def _of_png(data: bytes, shorter_side: int | None) -> Claim | None:
    width, height, depth, colors = struct.unpack_from(">IIBB", data, 16)
    if colors not in _SAMPLES:
        return None
    raw = height * (1 + -(-width * _SAMPLES[colors] * depth // 8))
    n_chunks, before, packed = 0, 0, 0
    for part in png_chunks(io.BytesIO(data)):
        n_chunks += 1
        if part.name == b"IDAT":
            before = before or part.offset
            packed += part.size
    small, whole = MEMORY["PNG"]
    deep = 0
    if depth == 16 and colors == 0:
        small = 11.0
        deep = 10 * width * height if width * height < _SHRUNK_IF_DEEP else 0  # it comes out whole
    elif _SAMPLES[colors] == 1:
        small = 2.2
    is_odd = n_chunks >= _MOST_STEPS or before > _FEW_BYTES
    return Claim(
        width,
        height,
        small,
        whole,
        10 + 16 * raw / max(width * height, 1),
        bytes_needed=(raw if n_chunks < _MOST_STEPS else 0) / _DEFLATE,
        fixed=deep + 2 * raw + 3 * len(data),  # to put a damaged one together anew
        is_apart=is_odd,
        seconds=len(data) * 2e-8,
    )


# --- WebP, GIF, BMP


def _of_webp(data: bytes, shorter_side: int | None) -> Claim | None:
    kind, head = data[12:16], data[20:30]
    if kind == b"VP8X":
        width, height = 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    elif kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (int.from_bytes(head[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    else:
        return None
    return _plain("WEBP", width, height, seconds=len(data) * 1e-7)


def _of_gif(data: bytes, shorter_side: int | None) -> Claim | None:
    width, height = struct.unpack_from("<HH", data, 6)
    frame = next((part for part in gif_blocks(io.BytesIO(data)) if part.name == b","), None)
    if frame is not None:
        left, top, across, down = struct.unpack_from("<4H", data, frame.offset)
        width, height = max(width, left + across), max(height, top + down)
    is_odd = frame is None or frame.offset > _FEW_BYTES
    return replace(_plain("GIF", width, height, seconds=len(data) * 2e-8), is_apart=is_odd)


def _of_bmp(data: bytes, shorter_side: int | None) -> Claim | None:
    (size,) = struct.unpack_from("<I", data, 14)
    if size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    width, height = abs(width), abs(height)
    if compression in (1, 2):  # decoded in Python, pixel by pixel
        slow = Claim(width, height, 6.0, 22.0, 150, bytes_needed=width * height / 140)
        return replace(slow, seconds=len(data) * 1e-6)
    raw = -(-width * bits // 32) * 4 * height
    return replace(_plain("BMP", width, height), bytes_needed=raw * 0.9)


# --- HEIC, AVIF, JPEG XL


def _of_heif(data: bytes, kind: str) -> Claim | None:
    """Take the largest picture that any property tells of; a grid has one, too."""
    stream = io.BytesIO(data)
    found = find_box(stream, b"meta", b"iprp", b"ipco")
    if found is None:
        return None
    sides, planes, has_more = [], [], 0
    for part in boxes(stream, found.offset, found.offset + found.size):
        if part.name == b"ispe":
            sides.append(struct.unpack(">II", read_at(stream, part.offset + 4, 8)))
        elif part.name == b"hvcC":
            color, depth = read_at(stream, part.offset + 16, 2)
            planes.append((1.0, 1.5, 2.0, 3.0)[color & 3] * (2 if depth & 7 else 1))
        elif part.name == b"av1C":
            (flags,) = read_at(stream, part.offset + 2, 1)
            samples = 1.0 if flags & 16 else (3.0, 3.0, 2.0, 1.5)[flags >> 2 & 3]
            planes.append(samples * (2 if flags & 64 else 1))
        elif part.name == b"auxC":  # opacities, or depths
            has_more = 2
    width, height = max(sides, key=lambda each: each[0] * each[1], default=(0, 0))
    more = _A_PLANE_BYTE * (max(planes, default=6.0) + has_more)
    claim = _plain(kind, width, height, seconds=len(data) * 1e-7)
    return replace(claim, small=claim.small + more, whole=claim.whole + more, is_apart=True)


def _of_heic(data: bytes, shorter_side: int | None) -> Claim | None:
    return _of_heif(data, "HEIC")


def _of_avif(data: bytes, shorter_side: int | None) -> Claim | None:
    return _of_heif(data, "AVIF")


def _of_jxl(data: bytes, shorter_side: int | None) -> Claim | None:
    from lookalike.images.decoders.jxl import read_size

    width, height = read_size(io.BytesIO(data))
    return replace(_plain("JXL", width, height), is_apart=True, seconds=len(data) * 1e-7)


def _plain(kind: str, width: int, height: int, seconds: float = 0) -> Claim:
    small, whole = MEMORY[kind]
    needed = width * height / MOST_PIXELS_A_BYTE.get(kind, 1 << 30)
    return Claim(width, height, small, whole, _NANOSECONDS[kind], bytes_needed=needed, seconds=seconds)


def _of_tiff(data: bytes, shorter_side: int | None) -> Claim | None:
    from lookalike.images.decoders.tiff_cost import claim_of

    return claim_of(data)


_CLAIMS: dict[str, Callable[[bytes, int | None], Claim | None]] = {
    "JPEG": _of_jpeg,
    "PNG": _of_png,
    "WEBP": _of_webp,
    "GIF": _of_gif,
    "BMP": _of_bmp,
    "TIFF": _of_tiff,
    "AVIF": _of_avif,
    "HEIC": _of_heic,
    "JXL": _of_jxl,
}
