"""Where each kind of file keeps Exif, XMP and IPTC, and its other parts, by walking over its first bytes.

Each walk gives the parts of a file without their content, which the caller reads where it wants it. Walks
end at the first thing that cannot be, and after a number of steps that no sound file needs.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import IO, NamedTuple

from lookalike.images.metadata import tags
from lookalike.images.metadata.ifd import (
    MAX_BYTES,
    Tiff,
    Value,
    first_number,
    open_tiff,
    read_at,
    read_directory,
)

_MAX_STEPS = 10_000
_MAX_TEXTS = 32


class Part(NamedTuple):
    """One segment, chunk or box of a file: its name, and where its content lies.

    Attributes
    ----------
    name : bytes
    offset, size : int
        Of the content, in bytes; the size is what the file claims.
    """

    name: bytes
    offset: int
    size: int


@dataclass(slots=True)
class Blocks:
    """What was found of metadata.

    Attributes
    ----------
    image, exif, gps : dict of int to Value
        The tags of Exif's three directories.
    exif_bytes : bytes
        The whole block, where it is one of its own: not in TIFF.
    xmp : bytes
    iptc : bytes
        Records of IIM.
    iptc_digest : bytes
        The MD5 of `iptc` as it was when XMP was last written from it; empty if nobody said.
    """

    image: dict[int, Value] = field(default_factory=dict)
    exif: dict[int, Value] = field(default_factory=dict)
    gps: dict[int, Value] = field(default_factory=dict)
    exif_bytes: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    iptc_digest: bytes = b""


def find_blocks(stream: IO[bytes], kind: str) -> Blocks:
    """Find the metadata of a file of that format (a name of ``FORMATS``)."""
    blocks = Blocks()
    finder = _FINDERS.get(kind)
    if finder is not None:
        finder(stream, blocks)
    return blocks


# --- the parts of each kind of file


def jpeg_segments(stream: IO[bytes], start: int = 0) -> Iterator[Part]:
    """Walk over a JPEG's segments up to its pixels; the name is the marker's second byte."""
    at = start + 2
    for _ in range(_MAX_STEPS):
        stream.seek(at)
        head = stream.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return
        marker = head[1]
        if 0xC0 <= marker <= 0xFE and not 0xD0 <= marker <= 0xDA:
            size = head[2] << 8 | head[3]
            if size < 2:
                return
            yield Part(head[1:2], at + 4, size - 2)
            at += 2 + size
        elif marker == 0xFF:  # a fill byte
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # these have no content
            at += 2
        else:
            return


def png_chunks(stream: IO[bytes]) -> Iterator[Part]:
    """Walk over all chunks of a PNG."""
    at = 8
    for _ in range(_MAX_STEPS):
        head = read_at(stream, at, 8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        size = int.from_bytes(head[:4])
        yield Part(head[4:], at + 8, size)
        at += 12 + size


def riff_chunks(stream: IO[bytes]) -> Iterator[Part]:
    """Walk over the chunks of a WebP."""
    at = 12
    for _ in range(_MAX_STEPS):
        head = read_at(stream, at, 8)
        if len(head) < 8:
            return
        size = int.from_bytes(head[4:], "little")
        yield Part(head[:4], at + 8, size)
        at += 8 + size + size % 2


def gif_blocks(stream: IO[bytes]) -> Iterator[Part]:
    """Walk over a GIF's blocks up to the pixels of its first frame.

    An extension is called ``!`` and its label, and has its first sub-block for content; the frame, where it
    lies and how it is stored, is called ``,`` (GIF89a, sections 20 and 23 to 26).
    """
    head = read_at(stream, 0, 13)
    at = 13 + (3 * 2 ** ((head[10] & 7) + 1) if len(head) == 13 and head[10] & 0x80 else 0)
    steps = 0
    while steps < _MAX_STEPS:
        steps += 1
        block = read_at(stream, at, 3)
        if block[:1] == b",":
            yield Part(b",", at + 1, 9)
        if block[:1] != b"!" or len(block) < 3:
            return
        yield Part(block[:2], at + 3, block[2])
        at += 2
        while (size := int.from_bytes(read_at(stream, at, 1))) and steps < _MAX_STEPS:
            at += 1 + size
            steps += 1
        at += 1


def boxes(stream: IO[bytes], start: int = 0, end: int | None = None) -> Iterator[Part]:
    """Walk over the boxes of an ISO base media file (ISO/IEC 14496-12, section 4.2)."""
    at = start
    for _ in range(_MAX_STEPS):
        if end is not None and at + 8 > end:
            return
        head = read_at(stream, at, 16)
        if len(head) < 8:
            return
        size, name, header = int.from_bytes(head[:4]), head[4:8], 8
        if size == 1 and len(head) == 16:
            size, header = int.from_bytes(head[8:]), 16
        elif size == 0:  # to the end of the file
            yield Part(name, at + header, (end or 1 << 40) - at - header)
            return
        if size < header:
            return
        yield Part(name, at + header, size - header)
        at += size


def find_box(stream: IO[bytes], *path: bytes) -> Part | None:
    """Return the first box of a name, in the first of another name, and so on."""
    found = Part(b"", 0, 1 << 40)
    for name in path:
        inside = boxes(stream, found.offset, found.offset + found.size)
        part = next((part for part in inside if part.name == name), None)
        if part is None:
            return None
        skipped = 4 if name == b"meta" else 0  # version and flags
        found = Part(name, part.offset + skipped, part.size - skipped)
    return found


def content(stream: IO[bytes], part: Part) -> bytes:
    """Read a part; none of it if it is larger than metadata, or a profile, ever is."""
    return read_at(stream, part.offset, part.size) if 0 < part.size <= MAX_BYTES else b""


# --- what they hold


def _find_jpeg(stream: IO[bytes], blocks: Blocks, start: int = 0) -> None:
    photoshop = b""
    for part in jpeg_segments(stream, start):
        if part.name not in (b"\xe1", b"\xed"):
            continue
        data = content(stream, part)
        if data.startswith(b"Exif\0"):
            _add_exif(data[6:], blocks)
        elif data.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            blocks.xmp = blocks.xmp or data[29:]
        elif data.startswith(b"Photoshop 3.0\0") and len(photoshop) < MAX_BYTES:
            photoshop += data[14:]  # what does not fit one segment goes on in the next
    _add_photoshop(photoshop, blocks)


def _find_png(stream: IO[bytes], blocks: Blocks) -> None:
    texts = 0
    for part in png_chunks(stream):
        if part.name == b"eXIf":
            _add_exif(content(stream, part), blocks)
        elif part.name in (b"iTXt", b"zTXt", b"tEXt") and texts < _MAX_TEXTS:
            texts += 1
            keyword, _, rest = content(stream, part).partition(b"\0")
            if part.name == b"iTXt" and keyword == b"XML:com.adobe.xmp":
                is_compressed, fields = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
                text = fields[2] if len(fields) == 3 else b""
                blocks.xmp = blocks.xmp or (_inflate(text) if is_compressed else text)
            elif keyword.startswith(b"Raw profile type ") and part.name != b"iTXt":
                text = _inflate(rest[1:]) if part.name == b"zTXt" else rest
                _add_raw_profile(keyword[17:], _unhex(text), blocks)


def _find_webp(stream: IO[bytes], blocks: Blocks) -> None:
    for part in riff_chunks(stream):
        if part.name == b"EXIF":
            _add_exif(content(stream, part), blocks)
        elif part.name == b"XMP ":
            blocks.xmp = blocks.xmp or content(stream, part)


def _find_tiff(stream: IO[bytes], blocks: Blocks) -> None:
    tiff = open_tiff(stream)
    if tiff is not None:
        _add_tiff(tiff, blocks)


def _find_raf(stream: IO[bytes], blocks: Blocks) -> None:
    offset = int.from_bytes(read_at(stream, 84, 4))  # a whole JPEG, with what the camera says
    if offset and read_at(stream, offset, 2) == b"\xff\xd8":
        _find_jpeg(stream, blocks, offset)


_CANON_UUID = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def _find_cr3(stream: IO[bytes], blocks: Blocks) -> None:
    for part in boxes(stream):
        if part.name == b"uuid" and read_at(stream, part.offset, 16) == _XMP_UUID:
            blocks.xmp = blocks.xmp or content(stream, part)[16:]
        elif part.name == b"moov" and not blocks.image:
            inner = boxes(stream, part.offset, part.offset + part.size)
            canon = (box for box in inner if box.name == b"uuid")
            first = next((box for box in canon if read_at(stream, box.offset, 16) == _CANON_UUID), None)
            if first is not None:
                _add_canon(stream, first, blocks)


def _add_canon(stream: IO[bytes], holder: Part, blocks: Blocks) -> None:
    """Canon puts each of Exif's directories into a TIFF of its own."""
    for part in boxes(stream, holder.offset + 16, holder.offset + holder.size):
        known, wanted = {
            b"CMT1": (blocks.image, tags.OF_IMAGE),
            b"CMT2": (blocks.exif, tags.OF_EXIF),
            b"CMT4": (blocks.gps, tags.OF_GPS),
        }.get(part.name, (None, frozenset()))
        tiff = None if known is None else open_tiff(io.BytesIO(content(stream, part)))
        if known is not None and tiff is not None:
            known |= read_directory(tiff, tiff.first, wanted)


def _find_heif(stream: IO[bytes], blocks: Blocks) -> None:
    meta = next((part for part in boxes(stream) if part.name == b"meta"), None)
    if meta is None:
        return
    inner = {part.name: part for part in boxes(stream, meta.offset + 4, meta.offset + meta.size)}
    if not inner.keys() >= {b"iinf", b"iloc"}:
        return
    items = _item_kinds(stream, inner[b"iinf"])
    if not items:
        return
    idat = inner[b"idat"].offset if b"idat" in inner else 0
    extents = _item_extents(content(stream, inner[b"iloc"]), items.keys(), idat)
    for item, kind in items.items():
        data = b"".join(read_at(stream, at, size) for at, size in extents.get(item, ()))
        if kind == b"Exif" and len(data) > 4:
            _add_exif(data[4 + int.from_bytes(data[:4]) :], blocks)
        elif kind == b"mime":
            blocks.xmp = blocks.xmp or data


def _item_kinds(stream: IO[bytes], iinf: Part) -> dict[int, bytes]:
    """Return the ids of the items that hold Exif or XMP (ISO/IEC 14496-12, section 8.11.6)."""
    found = {}
    head = 6 if read_at(stream, iinf.offset, 1) == b"\0" else 8
    for part in boxes(stream, iinf.offset + head, iinf.offset + iinf.size):
        data = read_at(stream, part.offset, min(part.size, 100)) if part.name == b"infe" else b""
        version = data[0] if data else 0
        if version < 2:
            continue
        at = 6 if version == 2 else 8
        item, kind = int.from_bytes(data[4:at]), data[at + 2 : at + 6]
        if kind == b"Exif" or (kind == b"mime" and b"\0application/rdf+xml" in data[at + 6 :]):
            found[item] = kind
        if len(found) == 4:
            break
    return found


def _item_extents(iloc: bytes, wanted: Collection[int], idat: int) -> dict[int, list[tuple[int, int]]]:
    """Return where items lie, as (offset, size) (ISO/IEC 14496-12, section 8.11.3)."""
    found: dict[int, list[tuple[int, int]]] = {}
    reader = io.BytesIO(iloc)

    def number(size: int) -> int:
        return int.from_bytes(reader.read(size))

    version, sizes = number(1), (number(3), number(2))[1]
    offset_size, length_size = sizes >> 12, sizes >> 8 & 15
    base_size, index_size = sizes >> 4 & 15, sizes & 15 if version else 0
    if not length_size:
        return found
    for _ in range(min(number(2 if version < 2 else 4), _MAX_STEPS)):
        item = number(2 if version < 2 else 4)
        method = number(2) & 15 if version else 0
        number(2)  # data reference
        base = number(base_size) + (idat if method == 1 else 0)
        extents, total = [], 0
        for _ in range(number(2)):
            number(index_size)
            offset, size = number(offset_size), number(length_size)
            total += size
            extents.append((base + offset, size))
            if reader.tell() >= len(iloc):
                break
        if item in wanted and total <= MAX_BYTES and method < 2:
            found[item] = extents
    return found


def _find_jxl(stream: IO[bytes], blocks: Blocks) -> None:
    for part in boxes(stream) if read_at(stream, 4, 4) == b"JXL " else ():
        if part.name == b"Exif":
            data = content(stream, part)
            _add_exif(data[4 + int.from_bytes(data[:4]) :], blocks)
        elif part.name == b"xml ":
            blocks.xmp = blocks.xmp or content(stream, part)


_FINDERS: dict[str, Callable[[IO[bytes], Blocks], None]] = {
    "JPEG": _find_jpeg,
    "PNG": _find_png,
    "WEBP": _find_webp,
    "TIFF": _find_tiff,
    "HEIC": _find_heif,
    "AVIF": _find_heif,
    "JXL": _find_jxl,
    "CR2": _find_tiff,
    "CR3": _find_cr3,
    "NEF": _find_tiff,
    "ARW": _find_tiff,
    "DNG": _find_tiff,
    "ORF": _find_tiff,
    "RAF": _find_raf,
    "RW2": _find_tiff,
}


# --- what the blocks hold


def _add_exif(data: bytes, blocks: Blocks) -> None:
    if data.startswith(b"Exif\0"):  # not called for outside JPEG, but seen
        data = data[6:]
    tiff = open_tiff(io.BytesIO(data))
    if tiff is not None and not blocks.exif_bytes:
        blocks.exif_bytes = data
        _add_tiff(tiff, blocks)


def _add_tiff(tiff: Tiff, blocks: Blocks) -> None:
    blocks.image |= read_directory(tiff, tiff.first, tags.OF_IMAGE)
    blocks.exif |= read_directory(tiff, first_number(blocks.image.get(tags.EXIF_IFD)) or 0, tags.OF_EXIF)
    blocks.gps |= read_directory(tiff, first_number(blocks.image.get(tags.GPS_IFD)) or 0, tags.OF_GPS)
    blocks.xmp = blocks.xmp or _as_bytes(tiff, blocks.image.get(tags.XMP))
    _add_photoshop(_as_bytes(tiff, blocks.image.get(tags.PHOTOSHOP)), blocks)
    blocks.iptc = blocks.iptc or _as_bytes(tiff, blocks.image.get(tags.IPTC))


def _as_bytes(tiff: Tiff, value: Value | None) -> bytes:
    """Return a tag's bytes: some programs call those of IPTC 32-bit numbers."""
    if value is None or isinstance(value, bytes):
        return value or b""
    try:
        return struct.pack(f"{tiff.order}{len(value)}I", *value)
    except struct.error:
        return b""


def _add_photoshop(data: bytes, blocks: Blocks) -> None:
    """Walk over Photoshop's image resources ("Photoshop File Formats", Image Resource Blocks)."""
    at = 0
    while data[at : at + 4] == b"8BIM":
        kind = int.from_bytes(data[at + 4 : at + 6])
        at += 6
        at += (1 + data[at] + 1) // 2 * 2 if at < len(data) else 1  # a name, padded
        size = int.from_bytes(data[at : at + 4])
        inner = data[at + 4 : at + 4 + size]
        if kind == 0x0404:
            blocks.iptc = blocks.iptc or inner
        elif kind == 0x0425:
            blocks.iptc_digest = inner[:16]
        at += 4 + size + size % 2


def _add_raw_profile(kind: bytes, data: bytes, blocks: Blocks) -> None:
    """Take up what ImageMagick and exiftool wrote into PNG before it had places for it."""
    if kind in (b"exif", b"APP1"):
        if data.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            blocks.xmp = blocks.xmp or data[29:]
        else:
            _add_exif(data, blocks)
    elif kind == b"iptc":
        if data.startswith(b"8BIM"):
            _add_photoshop(data, blocks)
        else:
            blocks.iptc = blocks.iptc or data
    elif kind == b"xmp":
        blocks.xmp = blocks.xmp or data


def _unhex(text: bytes) -> bytes:
    """Undo a raw profile: a line with its kind, one with its size, and lines of hexadecimal digits."""
    lines = text.strip().split(b"\n", 2)
    try:
        return bytes.fromhex(lines[2].decode("ascii")) if len(lines) == 3 else b""
    except ValueError:
        return b""


def _inflate(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, 2 * MAX_BYTES)
    except zlib.error:
        return b""
