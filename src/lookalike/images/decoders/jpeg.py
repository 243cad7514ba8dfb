"""JPEGs that lack their end: how much of the picture is there all the same.

libjpeg paints what is missing in a flat colour as soon as it meets an end marker, and does not say from
where on. So such a file is decoded twice, with the end marker behind it, and with noise before that marker:
as far as the two pictures agree, they come from the file (what is missing comes last). The rest is then
painted over with the last row that is there.

- Only the marker is missing: a picture like any other.
- At least 95 % of the picture is there: a picture with a note.
- A progressive JPEG brings all of its rows in every scan, the first bits of all frequencies first. With
  these it is a picture with a note, however many of the later bits are missing; without, it is none. (Of 40
  photos of Caltech-101 cut to half of their bytes, that leaves 14. With 60 % of them the mean cosine to the
  whole photo is 0.95, with 70 % 0.97. With 30 %, the coarsest scans, it would be 0.74.)

A tail of zeros, which broken downloads and recovered disks leave, counts as missing.

References
----------
ITU-T T.81 (JPEG), annex B (markers), annex G (progressive).
"""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from PIL import ImageChops
from PIL.Image import Image
from PIL.JpegImagePlugin import JpegImageFile

from lookalike.images.cost import skip_fill
from lookalike.images.cut_short import LEAST_SHARE, missing_rows

_END = b"\xff\xd9"
_BLANK = 64  # bytes; no picture ends with so many zeros
_SEQUENTIAL, _PROGRESSIVE = {0xC0, 0xC1, 0xC9}, {0xC2, 0xCA}  # frames: Huffman and arithmetic
_SCAN = 0xDA
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_BEHIND_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # the first marker that is not of the scan itself
_COARSE = "cut short: all of its rows are there, not all of their detail"
_UNSEEN = 99  # low bits of a coefficient that are still to come, before its first scan


class JpegFile(JpegImageFile):
    """Pillow's reader of JPEGs, which goes on where the end of the file is missing.

    Attributes
    ----------
    note : str
        What is missing, once the image is loaded; empty if nothing is.
    """

    note = ""
    _asked: tuple[str | None, tuple[int, int] | None] | None = None

    def _open(self) -> None:
        if self.fp is not None:
            self.fp = _without_padding(self.fp)
        super()._open()

    def _read_dpi_from_exif(self) -> None:
        """Leave Exif alone: nobody asks for the resolution, and a hostile one may claim any memory."""

    def draft(
        self, mode: str | None, size: tuple[int, int] | None
    ) -> tuple[str, tuple[int, int, float, float]] | None:
        """Ask for a scaled decoding."""
        self._asked = mode, size
        return super().draft(mode, size)

    def load(self) -> Any:
        """Decode the pixels, or what there is of them if it is enough."""
        if not self.tile or self.fp is None:
            return super().load()
        if not self._is_blank_at_end():
            try:
                return super().load()
            except OSError as error:
                if "truncated" not in str(error):
                    raise
        self.fp.seek(0)
        data = self.fp.read()
        kept = data.rstrip(b"\0")
        kept += b"\0" * kept.endswith(b"\xff")  # a stuffed one, which belongs to the code
        scans = _read_scans(kept if len(data) - len(kept) >= _BLANK else data)
        if scans.has_end:
            return super().load()
        found = self._without_end(scans)
        if found is None:
            raise OSError("image file is truncated")
        picture, self.note = found
        self.im, self.tile = picture.im, []
        return super().load()

    def _is_blank_at_end(self) -> bool:
        """Tell whether libjpeg would take a tail of zeros for a picture, and say nothing."""
        if self.fp is None or self.fp.seek(0, io.SEEK_END) < _BLANK:
            return False
        self.fp.seek(-_BLANK, io.SEEK_END)
        return not any(self.fp.read(_BLANK))

    def _without_end(self, scans: _Scans) -> tuple[Image, str] | None:
        """Return what there is of a picture, and the note on it; None if it is too little."""
        if not scans.has_all_components:
            return None
        # At their full size, whatever was asked for: the same is missing of the file.
        picture, other = _decode(scans.data + _END), _decode(scans.data + _noise() + _END)
        there = _agreement(picture, other, scans.lines)
        width, height = picture.size
        if self._asked is not None:
            picture = _decode(scans.data + _END, self._asked)
        if scans.is_progressive:
            is_whole = there is None and scans.has_all_detail
            return picture, "" if is_whole else _COARSE
        if there is None:
            return picture, ""
        left, top = there
        share = (top * width + left * min(scans.lines, height - top)) / (width * height)
        if share < LEAST_SHARE:
            return None
        scale = picture.decoderconfig[0] if picture.decoderconfig else 1
        _paint_over(picture, left // scale, top // scale, max(1, scans.lines // scale))
        return picture, missing_rows(1 - share)


_PADDING = 1 << 16  # bytes: more than any segment has


def _without_padding(stream: IO[bytes]) -> IO[bytes]:
    """Take out long runs of 0xFF, which may stand before any marker: readers look at each byte."""
    data = stream.getvalue() if isinstance(stream, io.BytesIO) else stream.read()
    # A run that long has two bytes that lie half of it apart: one look in 32,768 bytes rules out most files.
    at = data.find(b"\xff" * _PADDING) if b"\xff\xff" in data[:: _PADDING // 2] else -1
    if at < 0:
        stream.seek(0)
        return stream
    parts, begin = [], 0
    while at >= 0:
        parts.append(data[begin : at + 1])
        begin = skip_fill(data, at) + 1
        at = data.find(b"\xff" * _PADDING, begin)
    return io.BytesIO(b"".join([*parts, data[begin:]]))


def _decode(data: bytes, asked: tuple[str | None, tuple[int, int] | None] | None = None) -> JpegImageFile:
    image = JpegImageFile(io.BytesIO(data))
    if asked is not None:
        image.draft(*asked)
    image.load()
    return image


def _agreement(picture: Image, other: Image, lines: int) -> tuple[int, int] | None:
    """Return the left and top of the first MCU in which two pictures differ; None if they are one.

    The rows of an MCU are `lines`. Where colours are stored for every second row, an MCU colours the row
    above it, too.
    """
    box = ImageChops.difference(picture, other).getbbox()
    if box is None:
        return None
    above = int(lines > 8)
    top = (box[1] + above) // lines * lines
    band = (0, top, picture.width, min(picture.height, top + lines - above))
    box = ImageChops.difference(picture.crop(band), other.crop(band)).getbbox()
    return (0 if box is None else box[0]), top


def _paint_over(picture: Image, left: int, top: int, lines: int) -> None:
    """Repeat the row above `top` right of `left` in as many lines, and all along in those below."""
    width, height = picture.size
    bottom = min(height, top + lines)
    row = picture.crop((0, top - 1, width, top))
    if left < width and top < height:
        picture.paste(row.crop((left, 0, width, 1)).resize((width - left, bottom - top)), (left, top))
    if bottom < height:
        picture.paste(row.resize((width, height - bottom)), (0, bottom))


def _noise() -> bytes:
    """Bytes that no picture goes on with, no marker among them; the same every time."""
    return bytes(random.Random(0).choices(range(1, 255), k=8192))


@dataclass(slots=True)
class _Scans:
    """What the markers of a file say, as far as it goes.

    Attributes
    ----------
    data : bytes
        The file without an incomplete marker at its end.
    lines : int
        Rows of an MCU, in pixels.
    missing : dict of int to list of int
        For each component, how many low bits of each of its 64 coefficients are still to come.
    brought : dict of int to set of int
        For each component, the coefficients that a complete scan has brought at all.
    has_end : bool
        Whether the end marker is there.
    """

    data: bytes
    is_progressive: bool = False
    lines: int = 8
    missing: dict[int, list[int]] = field(default_factory=dict)
    brought: dict[int, set[int]] = field(default_factory=dict)
    has_end: bool = False

    @property
    def has_all_components(self) -> bool:
        """Whether each has begun, in a progressive file with all its frequencies."""
        if self.is_progressive:
            return bool(self.brought) and all(len(found) == 64 for found in self.brought.values())
        return bool(self.missing) and not any(bits[0] for bits in self.missing.values())

    @property
    def has_all_detail(self) -> bool:
        return not any(any(bits) for bits in self.missing.values())

    def take_frame(self, content: bytes, is_progressive: bool) -> None:
        parts = [content[at : at + 3] for at in range(6, 6 + 3 * content[5], 3)]
        self.is_progressive = is_progressive
        self.lines = 8 * max(part[1] & 15 for part in parts)
        self.missing = {part[0]: [_UNSEEN] * 64 for part in parts}
        self.brought = {part[0]: set() for part in parts}

    def take_scan(self, content: bytes, is_complete: bool) -> None:
        count = content[0]
        first, last, bits = content[1 + 2 * count : 4 + 2 * count]
        for component in content[1 : 1 + 2 * count : 2]:
            if component not in self.missing:
                continue
            for coefficient in range(first, min(last, 63) + 1):
                self.missing[component][coefficient] = bits & 15
                if is_complete:
                    self.brought[component].add(coefficient)


def _read_scans(data: bytes) -> _Scans:
    scans = _Scans(data)
    end = 2
    for marker, content, end, is_complete in _segments(data):  # noqa: B007
        scans.has_end = marker == _END[1]
        if marker in _SEQUENTIAL | _PROGRESSIVE and len(content) > 8:
            scans.take_frame(content, marker in _PROGRESSIVE)
        elif marker == _SCAN and len(content) >= 4 + 2 * content[0]:
            scans.take_scan(content, is_complete)
    scans.data = data[:end].rstrip(b"\xff")
    return scans


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int, bool]]:
    """Yield each marker, what stands behind it, where it ends, and whether the file goes on there."""
    at = 2
    while (start := data.find(b"\xff", at)) >= 0:
        at = skip_fill(data, start) + 1
        marker = data[at] if at < len(data) else 0
        if marker in (0x00, 0xFF) or marker in _WITHOUT_LENGTH:
            continue
        if marker == _END[1]:
            yield marker, b"", at + 1, True
            return
        length = int.from_bytes(data[at + 1 : at + 3])
        end = at + 1 + length
        if length < 2 or end > len(data):
            return
        content = data[at + 3 : end]
        if marker == _SCAN:
            behind = _BEHIND_SCAN.search(data, end)
            end = len(data) if behind is None else behind.start()
        yield marker, content, end, end < len(data)
        at = end
