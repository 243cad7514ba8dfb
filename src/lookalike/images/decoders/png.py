"""PNGs whose picture is sound, whatever is wrong with the rest of the file.

A PNG is a row of chunks. Those with a capital letter first are the picture; the others (texts, profiles,
times, further frames) can be done without. Pillow refuses the whole file for a text that is too long, a
wrong checksum of a comment, or a chunk that lies between two pieces of the picture. Only when it has
refused is the file put together anew, of the picture and of those other chunks that are sound and say how
it is to be shown.

Damage of the picture itself stays an error, but for one case: a file that is cut short and has 95 % of its
rows is a picture with a note. The last row that is there is repeated.

References
----------
W3C, "Portable Network Graphics (PNG) Specification (Third Edition)": 5 (chunks), 11.3.2 (transparency).
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from PIL.PngImagePlugin import PngImageFile

from lookalike.images.cut_short import LEAST_SHARE, missing_rows

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PICTURE = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_LENGTHS = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4, b"pHYs": 9, b"sBIT": None, b"eXIf": None}
"""Chunks that say how the picture is to be shown, and how long each has to be."""

_TRANSPARENT = {0: 2, 2: 6, 3: 1}  # colour type: the least length of tRNS; for palettes an entry a byte
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by colour type
_LARGEST_PROFILE = 16 << 20  # bytes; Pillow takes 1 MiB
_UP = b"\x02"  # the filter of a row that is stored as its difference from the one above


class PngFile(PngImageFile):
    """Pillow's reader of PNGs, which does without what is wrong beside the picture.

    Attributes
    ----------
    note : str
        What is missing, once the image is loaded; empty if nothing is.
    """

    note = ""
    _is_mended = False

    def load(self) -> Any:
        """Decode the pixels; from what is sound of the file if Pillow takes exception to the rest."""
        stream = self.fp
        try:
            super().load()
        except MemoryError:
            raise
        except Exception:
            if stream is None or self._is_mended:
                raise
            stream.seek(0)
            mended = _load_mended(stream.read())
            if mended is None:
                raise
            self.__dict__.update(mended.__dict__)
        opacities = self.info.get("transparency")
        if isinstance(opacities, bytes):  # of more colours than there can be
            self.info["transparency"] = opacities[:256]
        return super().load()


def open_png(stream: IO[bytes]) -> PngImageFile:
    """Read the header of a PNG."""
    try:
        return PngFile(stream)
    except MemoryError:
        raise
    except Exception:
        stream.seek(0)
        mended = _open(_sound_chunks(stream.read()))
        if mended is None:
            raise
        return mended


def _load_mended(data: bytes) -> PngFile | None:
    """Return the picture of a file that Pillow refuses, loaded; None if the picture is damaged itself."""
    chunks = _sound_chunks(data)
    note = ""
    image = _open(chunks)
    if image is None or not _is_loaded(image):
        filled = _fill_up(chunks)
        if filled is None:
            return None
        chunks, note = filled
        image = _open(chunks)
        if image is None or not _is_loaded(image):
            return None
    image.note = note
    return image


def _is_loaded(image: PngFile) -> bool:
    try:
        PngImageFile.load(image)
    except MemoryError:
        raise
    except Exception:
        return False
    return True


def _open(chunks: list[_Chunk]) -> PngFile | None:
    """Open a file that is made of these chunks; None if Pillow refuses it still."""
    parts = [chunk.encoded for chunk in chunks if chunk.kind != b"iCCP"]
    try:
        image = PngFile(io.BytesIO(_SIGNATURE + b"".join(parts)))
    except MemoryError:
        raise
    except Exception:
        return None
    if not image.tile:
        return None
    image._is_mended = True
    for chunk in chunks:
        if chunk.kind == b"iCCP":
            image.info["icc_profile"] = _profile(chunk.content)
    return image


@dataclass(frozen=True, slots=True)
class _Chunk:
    kind: bytes
    content: bytes
    checksum: bytes

    @classmethod
    def of(cls, kind: bytes, content: bytes) -> _Chunk:
        return cls(kind, content, zlib.crc32(content, zlib.crc32(kind)).to_bytes(4))

    @property
    def encoded(self) -> bytes:
        return len(self.content).to_bytes(4) + self.kind + self.content + self.checksum


def _sound_chunks(data: bytes) -> list[_Chunk]:
    """Return the chunks of the picture as they are, and the first of each other kind that is sound."""
    chunks: list[_Chunk] = []
    kinds = set[bytes]()
    for chunk in _chunks(data):
        if chunk.kind in _PICTURE or (chunk.kind not in kinds and _is_sound(chunk, chunks)):
            chunks.append(chunk)
            kinds.add(chunk.kind)
    first = next((at for at, chunk in enumerate(chunks) if chunk.kind == b"IDAT"), len(chunks))
    head = [chunk for chunk in chunks[:first] if chunk.kind != b"IEND"]
    # The pieces of the picture have to follow each other; of what comes behind only eXIf means anything.
    pixels = [chunk for chunk in chunks[first:] if chunk.kind == b"IDAT"]
    late = [chunk for chunk in chunks[first:] if chunk.kind == b"eXIf"]
    return [*head, *late, *pixels, _Chunk.of(b"IEND", b"")]


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield the chunks up to the end of the image, or of the file; of its pixels also a beginning."""
    at = len(_SIGNATURE)
    while at + 8 <= len(data):
        kind = data[at + 4 : at + 8]
        end = at + 8 + int.from_bytes(data[at : at + 4])
        content = data[at + 8 : end]
        if kind == b"IEND" or not kind.isalpha():
            return
        if end + 4 <= len(data):
            yield _Chunk(kind, content, data[end : end + 4])
        elif kind == b"IDAT":
            yield _Chunk.of(kind, content)
        at = end + 4


def _is_sound(chunk: _Chunk, before: list[_Chunk]) -> bool:
    """Tell whether a chunk that is not the picture says, without a fault, how the picture is to be shown."""
    if chunk != _Chunk.of(chunk.kind, chunk.content):
        return False
    if chunk.kind == b"tRNS":
        colors = before[0].content[9] if before and len(before[0].content) == 13 else None
        return colors in _TRANSPARENT and _TRANSPARENT[colors] <= len(chunk.content) <= 256
    if chunk.kind == b"iCCP":
        return _profile(chunk.content) is not None
    return chunk.kind in _LENGTHS and _LENGTHS[chunk.kind] in (None, len(chunk.content))


def _profile(content: bytes) -> bytes | None:
    """Return the profile in an iCCP chunk; None if it cannot be unpacked, or is absurdly large."""
    _, _, rest = content.partition(b"\0")
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(rest[1:], _LARGEST_PROFILE)
    except zlib.error:
        return None
    return profile if unpacking.eof and rest[:1] == b"\0" else None


def _fill_up(chunks: list[_Chunk]) -> tuple[list[_Chunk], str] | None:
    """Repeat the last row of a picture that is cut short, and say so; None where that is no help."""
    header = chunks[0].content
    if chunks[0].kind != b"IHDR" or len(header) != 13:
        return None
    width, height = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
    depth, colors, is_interlaced = header[8], header[9], header[12]
    if is_interlaced or colors not in _SAMPLES:
        return None
    line = 1 + -(-width * _SAMPLES[colors] * depth // 8)  # bytes; the first names the filter
    unpacking = zlib.decompressobj()
    try:
        packed = b"".join(chunk.content for chunk in chunks if chunk.kind == b"IDAT")
        pixels = unpacking.decompress(packed, line * height)
    except zlib.error:
        return None
    rows = len(pixels) // line
    if not height * LEAST_SHARE <= rows < height:
        return None
    repeated = (_UP + bytes(line - 1)) * (height - rows)
    packed = zlib.compress(pixels[: rows * line] + repeated, 1)
    filled = [chunk for chunk in chunks if chunk.kind not in (b"IDAT", b"IEND")]
    return [*filled, _Chunk.of(b"IDAT", packed), chunks[-1]], missing_rows(1 - rows / height)
