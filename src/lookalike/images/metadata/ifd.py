"""TIFF's directories of tags, which Exif, and most camera files, are made of; found by walking the bytes.

A directory is a count and as many entries of 12 bytes (20 in BigTIFF): tag, type, number of values, and
the values or where they lie (TIFF 6.0, section 2). Each entry is read by itself, so that a broken one costs
nothing but itself; counts and sizes are bounded before anything is read, and nothing is raised on hostile
bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO

Value = bytes | tuple[int | float | None, ...]
"""Text and opaque bytes as they lie there; numbers as a tuple, None for a fraction over zero."""

MAX_BYTES = 1 << 20
"""Values of more bytes, as only pixels and previews have, are passed over."""

_MAX_ENTRIES = 1000
_MAX_NUMBERS = 4096

_TYPES = {  # TIFF 6.0, section 2; Technical Note 1 (13); BigTIFF (16 to 18)
    1: (1, "B"),
    2: (1, ""),
    3: (2, "H"),
    4: (4, "I"),
    5: (8, "II"),
    6: (1, "b"),
    7: (1, ""),
    8: (2, "h"),
    9: (4, "i"),
    10: (8, "ii"),
    11: (4, "f"),
    12: (8, "d"),
    13: (4, "I"),
    16: (8, "Q"),
    17: (8, "q"),
    18: (8, "Q"),
}

_ENTRIES = {
    (order, is_big): (8 if is_big else 2, struct.Struct(order + ("HHQ8s" if is_big else "HHI4s")))
    for order in "<>"
    for is_big in (False, True)
}
"""By byte order and width: the size of a directory's count, and the form of its entries."""

_MAGICS = {
    42,
    43,  # BigTIFF
    0x55,  # Panasonic
    0x4F52,  # Olympus, "RO"
    0x5352,  # Olympus, "RS"
}


@dataclass(frozen=True, slots=True)
class Tiff:
    """Where a structure of TIFF lies, and how it counts.

    Attributes
    ----------
    stream : binary file
    base : int
        Offsets in the structure count from here.
    order : str
        ``<`` or ``>``.
    is_big : bool
        BigTIFF: 64-bit offsets.
    first : int
        Offset of the first directory.
    """

    stream: IO[bytes]
    base: int
    order: str
    is_big: bool
    first: int


def open_tiff(stream: IO[bytes], base: int = 0) -> Tiff | None:
    """Read the header at `base`; None if there is none."""
    head = read_at(stream, base, 16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        return None
    (magic,) = struct.unpack_from(order + "H", head, 2)
    if magic not in _MAGICS:
        return None
    if magic != 43:
        return Tiff(stream, base, order, False, struct.unpack_from(order + "I", head, 4)[0])
    if len(head) < 16:
        return None
    return Tiff(stream, base, order, True, struct.unpack_from(order + "Q", head, 8)[0])


def read_at(stream: IO[bytes], offset: int, size: int) -> bytes:
    """Read at most `size` bytes at an offset; fewer at the end, none beyond it."""
    if offset < 0 or offset >= 1 << 62:
        return b""
    stream.seek(offset)
    return stream.read(size)


def read_directory(tiff: Tiff, offset: int, wanted: frozenset[int]) -> dict[int, Value]:
    """Return the values of those tags of the directory at `offset` that are `wanted` and sound."""
    found: dict[int, Value] = {}
    if offset <= 0:
        return found
    count_size, entry = _ENTRIES[tiff.order, tiff.is_big]
    head = read_at(tiff.stream, tiff.base + offset, count_size)
    count = min(int.from_bytes(head, "little" if tiff.order == "<" else "big"), _MAX_ENTRIES)
    table = read_at(tiff.stream, tiff.base + offset + count_size, count * entry.size)
    for tag, kind, values, field in entry.iter_unpack(table[: len(table) // entry.size * entry.size]):
        if tag in wanted and tag not in found:
            value = _value(tiff, kind, values, field)
            if value is not None:
                found[tag] = value
    return found


def claimed_bytes(tiff: Tiff, offset: int, most: int) -> int:
    """Return how many bytes the entries of a directory claim, but for those that claim more than `most`."""
    count_size, entry = _ENTRIES[tiff.order, tiff.is_big]
    head = read_at(tiff.stream, tiff.base + offset, count_size)
    count = min(int.from_bytes(head, "little" if tiff.order == "<" else "big"), 1 << 16)
    table = read_at(tiff.stream, tiff.base + offset + count_size, count * entry.size)
    claimed = 0
    for _, kind, values, _ in entry.iter_unpack(table[: len(table) // entry.size * entry.size]):
        size = _TYPES.get(kind, (0, ""))[0] * values
        claimed += size if size <= most else 0
    return claimed


def first_number(value: Value | None) -> int | None:
    """Return a tag's first value as an integer; None if it has none."""
    if not value:
        return None
    first = value[0]
    return first if isinstance(first, int) else None


def numbers(value: Value | None) -> tuple[int, ...]:
    """Return those of a tag's values that are integers."""
    return tuple(number for number in value or () if isinstance(number, int))


def _value(tiff: Tiff, kind: int, count: int, field: bytes) -> Value | None:
    width, form = _TYPES.get(kind, (0, ""))
    size = width * count
    if not 0 < size <= MAX_BYTES:
        return None
    if size <= len(field):
        data = field[:size]
    else:
        offset = int.from_bytes(field, "little" if tiff.order == "<" else "big")
        data = read_at(tiff.stream, tiff.base + offset, size)
    if not form or (kind == 1 and count > 4):
        return data  # a text whose end is missing still begins
    count = min(count, _MAX_NUMBERS, len(data) // width)
    if not count:
        return None
    plain = struct.unpack_from(f"{tiff.order}{count * len(form)}{form[0]}", data)
    if len(form) == 1:
        return plain
    pairs = zip(plain[::2], plain[1::2], strict=True)
    return tuple([above / below if below else None for above, below in pairs])
