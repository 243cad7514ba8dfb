"""What a TIFF will cost to decode, from its tags: see `lookalike.images.cost`.

Beside the pixels count the blocks (strips or tiles), which are decompressed whole, but for deflate, and the
tables of them, of which the libraries keep copies.
"""

from __future__ import annotations

import struct

from lookalike.images.cost import Claim
from lookalike.images.decoders.tiff_kinds import PALETTE, Kind
from lookalike.images.decoders.tiff_samples import DEFLATE, NONE
from lookalike.images.decoders.tiff_tags import TagsTooLargeError, read_tags
from lookalike.images.formats import UnreadKindError

_BYTES_A_BYTE = {
    1: 1.0,
    5: 1_400,
    8: 1_040,
    32773: 64,
    32946: 1_040,
    34925: 8_000,
    50000: 33_000,
}
"""How much a byte can hold at most, decompressed: none, LZW, deflate, PackBits, deflate, LZMA, Zstandard."""

_FAX, _JPEGS, _WEBP = {2, 3, 4, 32771}, {6, 7}, 50001
_JPEG_PIXELS, _WEBP_PIXELS = 600, 60_000  # a byte
_A_BLOCK = 600  # bytes of memory, in tables
_WORKING = 64_000_000  # bytes, for what is taken apart some megabytes at a time


def claim_of(data: bytes) -> Claim | None:
    """Return what a TIFF claims; None where its reader will say what is wrong."""
    try:
        tags = read_tags(data)
        kind = Kind.of(tags)
        if kind.is_unread:
            return None
    except TagsTooLargeError as error:
        return Claim(1, 1, 0, 0, 0, doubt=str(error))
    except (struct.error, ValueError, UnreadKindError):
        return None
    layout = kind.layout
    pixels = layout.width * layout.height
    n_planes = layout.samples if layout.is_planar else 1
    n_blocks = layout.blocks * n_planes
    block = layout.block_height * layout.row_bytes
    compression = layout.compression
    is_pillows = kind.is_pillows
    unpacked = n_planes * layout.blocks * block
    if compression in _FAX:
        needed = layout.height / 8
    elif compression in _JPEGS:
        needed = pixels / _JPEG_PIXELS
    elif compression == _WEBP:
        needed = pixels / _WEBP_PIXELS
    else:
        needed = min(unpacked, 1.1 * pixels * layout.samples * layout.bits / 8) / _BYTES_A_BYTE.get(
            compression, 1e5
        )
    if compression in NONE and not layout.is_tiled:
        held = 0.0
    elif is_pillows:
        held = 2.0 * block
    else:
        held = 5.0 * n_planes * block
    is_plain = is_pillows and kind.layout.samples == 1
    small = 2.5 if is_plain else 5.6
    whole = small + (5.0 if kind.alpha is None and kind.photometric != PALETTE else 16.0)
    if not is_pillows and compression in DEFLATE and not layout.is_tiled and n_planes == 1:
        held = min(held, 64_000_000.0)
    return Claim(
        layout.width,
        layout.height,
        small,
        whole,
        20 + 12 * layout.samples * layout.bits / 8,
        bytes_needed=needed,
        fixed=held + 2 * len(data) + _A_BLOCK * n_blocks + (0 if is_pillows else _WORKING),
        seconds=n_blocks * 1e-5,
        # libtiff prints what it finds wrong; without compression it is not asked.
        is_apart=compression not in NONE and (is_pillows or compression not in DEFLATE),
    )
