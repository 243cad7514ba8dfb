"""From the strips and tiles of a TIFF to its samples, whatever their depth.

A TIFF is cut into blocks, strips of whole rows or tiles, each compressed by itself. libtiff, which Pillow
brings, undoes the compressions, but hands over only few kinds of samples. So the bytes are taken from it,
by showing it the blocks as the strips of a grey 8-bit TIFF that is as wide as a row has bytes; all that
follows (predictor, byte order, unpacking of bits, planes) is done here. Deflate is Python's own.

Blocks are decoded some megabytes at a time, so that beside the finished picture little memory is taken.

References
----------
Adobe, "TIFF Revision 6.0", 1992: sections 2 (strips), 13 to 15 (LZW, predictor, tiles), 21 (YCbCr).
Adobe, "Photoshop TIFF Technical Note 3", 2005 (floating point predictor).
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.images.levels import Samples

Bytes = npt.NDArray[np.uint8]

NONE, DEFLATE = {1}, {8, 32946}
BY_LIBTIFF = {5, 32773, 34925, 50000}  # LZW, PackBits, LZMA, Zstandard: codes of bytes
WITH_PREDICTOR = DEFLATE | {5, 34925, 50000}
_HORIZONTAL, _FLOATING = 2, 3
_BYTES_AT_ONCE = 8_000_000
_SAMPLES_AT_ONCE = 2_000_000  # of which floats are made, or bits are taken apart
_REVERSED = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)[:, ::-1], axis=1)[:, 0]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the samples of a TIFF lie in its file.

    Attributes
    ----------
    width, height : int
        Of the image, pixels.
    samples : int
        Of a pixel.
    bits, kind : int, str
        Of a sample; ``"u"``, ``"i"`` or ``"f"``: unsigned, signed, floating.
    is_big_endian : bool
    is_planar : bool
        Whether each sample of the pixels has blocks of its own, one plane after the other.
    is_reversed : bool
        Whether the bits in each byte are stored the wrong way round (FillOrder 2).
    compression, predictor : int
        As in the tags.
    block_width, block_height : int
        Pixels. The last strip of a plane has the rows that are left, a tile is always whole.
    is_tiled : bool
    offsets, sizes : tuple of int
        Where the blocks begin in the file, and how many bytes each has there.
    """

    width: int
    height: int
    samples: int
    bits: int
    kind: str
    is_big_endian: bool
    is_planar: bool
    is_reversed: bool
    compression: int
    predictor: int
    block_width: int
    block_height: int
    is_tiled: bool
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def samples_in_block(self) -> int:
        """Of a pixel."""
        return 1 if self.is_planar else self.samples

    @property
    def row_bytes(self) -> int:
        """Of a block, decompressed."""
        return -(-self.block_width * self.samples_in_block * self.bits // 8)

    @property
    def across(self) -> int:
        """Blocks side by side."""
        return -(-self.width // self.block_width)

    @property
    def blocks(self) -> int:
        """Of a plane."""
        return self.across * -(-self.height // self.block_height)

    @property
    def reaches(self) -> int:
        """Bytes that the file has to have."""
        return max((at + size for at, size in zip(self.offsets, self.sizes, strict=True)), default=0)

    def rows_of(self, block: int) -> int:
        """Rows that a block has in the file."""
        top = block // self.across * self.block_height
        return self.block_height if self.is_tiled else min(self.block_height, self.height - top)


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the picture: its place, and its samples, (h, w, samples)."""

    left: int
    top: int
    samples: Samples


def read_blocks(data: bytes | memoryview, layout: Layout) -> Iterator[Block]:
    """Yield the picture piece by piece.

    Raises
    ------
    EOFError
        If the file ends before the data of a block do.
    OSError
        If a block cannot be decompressed.
    """
    n_planes = layout.samples if layout.is_planar else 1
    if len(layout.offsets) < n_planes * layout.blocks:
        raise OSError("some of its strips or tiles are not there")
    if _is_streamed(layout):
        yield from _stream(data, layout)
        return
    layout = _in_short_strips(layout)
    at_once = max(1, _BYTES_AT_ONCE // max(1, layout.block_height * layout.row_bytes * n_planes))
    for first in range(0, layout.blocks, at_once):
        numbers = range(first, min(first + at_once, layout.blocks))
        rows = [layout.rows_of(block) for block in numbers]
        planes = [
            _samples(_decompressed(data, layout, numbers, plane * layout.blocks, rows), layout)
            for plane in range(n_planes)
        ]
        values = planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)
        begin = 0
        for block, n_rows in zip(numbers, rows, strict=True):
            top = block // layout.across * layout.block_height
            left = block % layout.across * layout.block_width
            piece = values[begin : begin + min(n_rows, layout.height - top), : layout.width - left]
            step = max(1, _SAMPLES_AT_ONCE // max(1, piece[0].size))
            for row in range(0, len(piece), step):
                yield Block(left, top + row, piece[row : row + step])
            begin += n_rows


def _is_streamed(layout: Layout) -> bool:
    """Tell whether long strips are inflated row by row, so that they need not be held whole."""
    is_long = layout.block_height * layout.row_bytes > 2 * _BYTES_AT_ONCE
    return is_long and layout.compression in DEFLATE and not layout.is_tiled and not layout.is_planar


def _stream(data: bytes | memoryview, layout: Layout) -> Iterator[Block]:
    """Yield the pieces of long strips that deflate has packed."""
    at_once = max(1, _BYTES_AT_ONCE // layout.row_bytes)
    step = max(1, _SAMPLES_AT_ONCE // max(1, layout.block_width * layout.samples))
    for block in range(layout.blocks):
        rows, row = layout.rows_of(block), block * layout.block_height
        sizes = [min(at_once, rows - begin) for begin in range(0, rows, at_once)]
        if layout.offsets[block] == 0 == layout.sizes[block]:
            pieces: Iterator[bytes] = (bytes(n_rows * layout.row_bytes) for n_rows in sizes)
        else:
            chunk = _chunk(data, layout, block, rows * layout.row_bytes)
            if layout.is_reversed:
                chunk = _REVERSED[np.frombuffer(chunk, np.uint8)].tobytes()
            pieces = _inflate_pieces(chunk, [n_rows * layout.row_bytes for n_rows in sizes])
        for piece in pieces:
            values = _samples(np.frombuffer(piece, np.uint8).reshape(-1, layout.row_bytes), layout)
            for begin in range(0, len(values), step):
                yield Block(0, row + begin, values[begin : begin + step])
            row += len(values)


def _inflate_pieces(chunk: bytes | memoryview, sizes: list[int]) -> Iterator[bytes]:
    """Yield what is packed in pieces of so many bytes each."""
    unpacking = zlib.decompressobj()
    at = 0
    for size in sizes:
        parts: list[bytes] = []
        missing = size
        while missing:
            packed = unpacking.unconsumed_tail
            if not packed:
                packed = bytes(chunk[at : at + _BYTES_AT_ONCE // 8])
                at += len(packed)
            try:
                parts.append(unpacking.decompress(packed, missing))
            except zlib.error as error:
                raise OSError("a strip or tile cannot be decompressed") from error
            if not parts[-1] and (unpacking.eof or not packed):
                raise OSError("a strip or tile is too short")
            missing -= len(parts[-1])
        yield b"".join(parts)


def _in_short_strips(layout: Layout) -> Layout:
    """Cut a single strip that is not compressed into several, so that it need not be taken whole."""
    rows = max(1, _BYTES_AT_ONCE // layout.row_bytes)
    if layout.compression not in NONE or layout.is_tiled or layout.blocks > 1 or rows >= layout.height:
        return layout
    tops = range(0, layout.height, rows)
    offsets = tuple(begin + top * layout.row_bytes for begin in layout.offsets for top in tops)
    sizes = (1,) * len(offsets)  # not looked at
    return replace(layout, block_height=rows, offsets=offsets, sizes=sizes)


def decompress(
    data: bytes | memoryview,
    layout: Layout,
    blocks: list[int],
    rows: list[int],
    row_bytes: int,
) -> Bytes:
    """Return the bytes of some blocks, one below the other, (rows, row_bytes).

    All of them but the last have the same number of rows.
    """
    chunks = [
        _chunk(data, layout, block, n_rows * row_bytes) for block, n_rows in zip(blocks, rows, strict=True)
    ]
    if layout.is_reversed:
        chunks = [_REVERSED[np.frombuffer(chunk, np.uint8)].tobytes() for chunk in chunks]
    if layout.compression in NONE:
        whole = b"".join(chunks)
    elif layout.compression in DEFLATE:
        whole = b"".join(
            _inflate(chunk, n_rows * row_bytes) for chunk, n_rows in zip(chunks, rows, strict=True)
        )
    else:
        return _by_libtiff(chunks, layout.compression, rows, row_bytes)
    return np.frombuffer(whole, np.uint8).reshape(sum(rows), row_bytes)


def _decompressed(
    data: bytes | memoryview, layout: Layout, numbers: range, first: int, rows: list[int]
) -> Bytes:
    """As `decompress`, of some blocks of a plane, whose first is `first`; those that were left out are 0."""
    blocks = [first + number for number in numbers]
    left_out = [layout.offsets[block] == 0 == layout.sizes[block] for block in blocks]
    if not any(left_out):
        return decompress(data, layout, blocks, rows, layout.row_bytes)
    parts = [
        np.zeros((n_rows, layout.row_bytes), np.uint8)
        if is_left_out
        else decompress(data, layout, [block], [n_rows], layout.row_bytes)
        for block, n_rows, is_left_out in zip(blocks, rows, left_out, strict=True)
    ]
    return np.concatenate(parts)


def _chunk(data: bytes | memoryview, layout: Layout, block: int, n_bytes: int) -> bytes | memoryview:
    # Writers get the sizes of what is not compressed wrong, and it needs none.
    size = n_bytes if layout.compression in NONE else layout.sizes[block]
    begin = layout.offsets[block]
    if begin + size > len(data):
        raise EOFError
    return data[begin : begin + size]


def _inflate(chunk: bytes | memoryview, n_bytes: int) -> bytes:
    try:
        content = zlib.decompressobj().decompress(chunk, n_bytes)
    except zlib.error as error:
        raise OSError("a strip or tile cannot be decompressed") from error
    if len(content) < n_bytes:
        raise OSError("a strip or tile is too short")
    return content


def _by_libtiff(chunks: list[bytes | memoryview], compression: int, rows: list[int], row_bytes: int) -> Bytes:
    count = len(chunks)
    tags = 9
    arrays = 8 + 2 + 12 * tags + 4  # where what does not fit into an entry begins
    sizes = [len(chunk) for chunk in chunks]
    begin = arrays + (8 * count if count > 1 else 0)
    offsets = list(accumulate(sizes, initial=begin))[:-1]
    entries = [
        (256, row_bytes),
        (257, sum(rows)),
        (258, 8),
        (259, compression),
        (262, 1),  # black is 0
        (273, offsets[0] if count == 1 else arrays),
        (277, 1),
        (278, rows[0]),
        (279, sizes[0] if count == 1 else arrays + 4 * count),
    ]
    parts = [b"II*\0", struct.pack("<IH", 8, tags)]
    parts += [
        struct.pack("<HHII", tag, 4, count if tag in (273, 279) else 1, value) for tag, value in entries
    ]
    parts.append(bytes(4))
    if count > 1:
        parts += [np.array(values, "<u4").tobytes() for values in (offsets, sizes)]
    image = _grey_reader()(io.BytesIO(b"".join([*parts, *chunks])))
    image.load()
    return np.asarray(image)


@cache
def _grey_reader() -> Any:
    from PIL import Image as Pillow
    from PIL.TiffImagePlugin import TiffImageFile

    class GreyReader(TiffImageFile):
        def load_prepare(self) -> None:
            # Not Pillow's own, which minds its limit of pixels: these are bytes.
            if self._im is None:
                self.im = Pillow.new(self.mode, self.size).im

    return GreyReader


def _samples(rows: Bytes, layout: Layout) -> Samples:
    """Turn the bytes of some rows, (rows, row_bytes), into samples, (rows, block_width, samples)."""
    count, width = layout.samples_in_block, layout.block_width
    predictor = layout.predictor if layout.compression in WITH_PREDICTOR else 1
    shape = (len(rows), width, count)
    if predictor == _FLOATING:
        values = _undo_floating(rows, layout)
    elif layout.bits in (8, 16, 32, 64):
        order = ">" if layout.is_big_endian else "<"
        stored = np.ascontiguousarray(rows).view(f"{order}{layout.kind}{layout.bits // 8}")
        values = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    else:
        step = max(1, _SAMPLES_AT_ONCE // (width * count))
        parts = [rows[row : row + step] for row in range(0, len(rows), step)]
        values = np.concatenate([_unpack(part, width * count, layout) for part in parts])
    values = values.reshape(shape)
    if predictor == _HORIZONTAL:
        # Differences wrap around, in floats those of their bits.
        numbers = values.view(f"u{values.dtype.itemsize}")
        values = np.cumsum(numbers, axis=1, dtype=numbers.dtype).view(values.dtype)
    return values


def _undo_floating(rows: Bytes, layout: Layout) -> Samples:
    """Undo the predictor of floats: bytes by significance, the highest first, each less the one before."""
    count, n_bytes = layout.samples_in_block, layout.bits // 8
    summed = np.cumsum(rows.reshape(len(rows), -1, count), axis=1, dtype=np.uint8)
    by_value = summed.reshape(len(rows), n_bytes, -1).transpose(0, 2, 1)
    values = np.ascontiguousarray(by_value).view(f">f{n_bytes}")
    return values.astype(values.dtype.newbyteorder("="))


def _unpack(rows: Bytes, count: int, layout: Layout) -> Samples:
    """Return integers of any number of bits, `count` a row; they are packed from the highest bit on."""
    bits = layout.bits
    if bits % 8 == 0:
        n_bytes = bits // 8
        stored = rows[:, : count * n_bytes].reshape(len(rows), count, n_bytes)
        order = range(n_bytes) if layout.is_big_endian else range(n_bytes - 1, -1, -1)
        parts = [stored[..., number] for number in order]
    else:
        each = np.unpackbits(rows, axis=1, count=count * bits).reshape(len(rows), count, bits)
        parts = [each[..., number] for number in range(bits)]
    step = 8 if bits % 8 == 0 else 1
    width = next(size for size in (1, 2, 4, 8) if 8 * size >= bits)
    values = np.zeros((len(rows), count), f"u{width}")
    for part in parts:
        values = (values << values.dtype.type(step)) | part
    if layout.kind == "i":
        unused = values.dtype.type(8 * width - bits)
        signed: Samples = (values << unused).view(f"i{width}") >> unused.astype(f"i{width}")
        return signed
    return values
