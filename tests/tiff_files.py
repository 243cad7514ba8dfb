"""TIFFs of any kind, written by hand; what decodes them shares no code with this."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

_FORMATS = {"u": 1, "i": 2, "f": 3, "c": 6}
_PILLOWS = {5: "tiff_lzw", 32773: "packbits", 34925: "lzma", 50000: "zstd"}


def tiff(
    samples,
    photometric,
    bits=None,
    order="<",
    is_planar=False,
    extras=None,
    compression=1,
    predictor=1,
    rows=None,
    tile=None,
    is_reversed=False,
    is_big=False,
    tags=(),
):
    """Write samples, (h, w, samples), in strips of `rows` rows or tiles of (height, width)."""
    height, width, count = samples.shape
    bits = bits or samples.dtype.itemsize * 8
    block_height, block_width = tile or (rows or height, width)
    planes = [samples[..., at : at + 1] for at in range(count)] if is_planar else [samples]
    blocks = [
        _block(plane, top, left, block_height, block_width, bits, order, predictor, tile)
        for plane in planes
        for top in range(0, height, block_height)
        for left in range(0, width, block_width)
    ]
    chunks = [_compress(block, compression) for block in blocks]
    if is_reversed:
        flip = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
        chunks = [chunk.translate(flip) for chunk in chunks]
    entries = {
        256: [width],
        257: [height],
        258: [bits] * count,
        259: [compression],
        262: [photometric],
        277: [count],
        284: [2 if is_planar else 1],
        339: [_FORMATS[samples.dtype.kind]] * count,
    }
    if predictor > 1:
        entries[317] = [predictor]
    if is_reversed:
        entries[266] = [2]
    if extras is not None:
        entries[338] = list(extras)
    if tile:
        entries |= {322: [block_width], 323: [block_height]}
    else:
        entries |= {278: [block_height]}
    entries |= dict(tags)
    return assemble(entries, chunks, order, is_big, 324 if tile else 273)


def assemble(entries, chunks, order="<", is_big=False, offsets_tag=273):
    """Put a file together of its tags, numbers or bytes, and its blocks."""
    size = 8 if is_big else 4
    number = "Q" if is_big else "I"
    sizes_tag = offsets_tag + 1 if offsets_tag == 324 else 279
    entries = dict(entries) | {offsets_tag: [0] * len(chunks), sizes_tag: [len(chunk) for chunk in chunks]}
    head = 16 if is_big else 8
    at = head + (8 if is_big else 2) + (12 + 2 * (size - 4)) * len(entries) + size

    def build(offsets):
        entries[offsets_tag] = offsets
        directory, heap = [], b""
        for tag, values in sorted(entries.items()):
            if isinstance(values, bytes):
                kind, count, content = 7, len(values), values
            elif all(value < 65536 for value in values) and tag not in (offsets_tag, sizes_tag):
                kind, count, content = 3, len(values), struct.pack(f"{order}{len(values)}H", *values)
            else:
                kind, count, content = 4, len(values), struct.pack(f"{order}{len(values)}I", *values)
            if len(content) > size:
                place = at + len(heap)
                heap += content + bytes(len(content) % 2)
                content = struct.pack(order + number, place)
            directory.append(struct.pack(f"{order}HH{number}", tag, kind, count) + content.ljust(size, b"\0"))
        return b"".join(directory), heap

    _, heap = build([0] * len(chunks))
    offsets, place = [], at + len(heap)
    for chunk in chunks:
        offsets.append(place)
        place += len(chunk)
    directory, heap = build(offsets)
    magic = (
        struct.pack(f"{order}2sHHHQ", b"", 43, 8, 0, 16)[2:] if is_big else struct.pack(f"{order}HI", 42, 8)
    )
    count = struct.pack(order + ("Q" if is_big else "H"), len(entries))
    mark = b"II" if order == "<" else b"MM"
    return mark + magic + count + directory + bytes(size) + heap + b"".join(chunks)


def _block(plane, top, left, height, width, bits, order, predictor, tile):
    piece = plane[top : top + height, left : left + width]
    if tile:
        piece = np.pad(
            piece, ((0, height - piece.shape[0]), (0, width - piece.shape[1]), (0, 0)), mode="edge"
        )
    if predictor == 2:
        values = piece.view(f"u{piece.dtype.itemsize}")
        values = np.concatenate([values[:, :1], values[:, 1:] - values[:, :-1]], axis=1)
        piece = values.view(piece.dtype)
    if predictor == 3:
        rows, count = piece.shape[0], piece.shape[2]
        raw = piece.astype(piece.dtype.newbyteorder(">")).reshape(rows, -1, 1).view(np.uint8)
        raw = raw.transpose(0, 2, 1).reshape(rows, -1, count)
        return np.concatenate([raw[:, :1], raw[:, 1:] - raw[:, :-1]], axis=1).reshape(rows, -1)
    flat = piece.reshape(piece.shape[0], -1)
    if bits in (8, 16, 32, 64):
        stored = np.ascontiguousarray(flat.astype(flat.dtype.newbyteorder(order)))
        return stored.view(np.uint8).reshape(len(flat), -1)
    if bits == 24:
        shifts = (16, 8, 0) if order == ">" else (0, 8, 16)
        return (
            np.stack([(flat >> shift) & 255 for shift in shifts], axis=-1)
            .astype(np.uint8)
            .reshape(len(flat), -1)
        )
    each = (flat[..., None].astype(np.int64) >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(each.astype(np.uint8).reshape(len(flat), -1), axis=1)


def _compress(block, compression):
    if compression == 1:
        return block.tobytes()
    if compression in (8, 32946):
        return zlib.compress(block.tobytes())
    stream = io.BytesIO()
    Image.fromarray(block).save(stream, "TIFF", compression=_PILLOWS[compression], tiffinfo={278: len(block)})
    image = Image.open(stream)
    (begin,), (size,) = image.tag_v2[273], image.tag_v2[279]
    return stream.getvalue()[begin : begin + size]
