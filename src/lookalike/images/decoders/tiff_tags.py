"""The tags of a TIFF, each read for itself: one that is broken does not take the others with it.

A file begins with its byte order and the place of a directory. Each entry of that has a tag, a type, a count,
and the values, or the place where they are. In a BigTIFF counts and places have 8 bytes.

`lookalike.images.metadata.ifd` reads such directories, too, but for metadata: only the tags that are wanted,
each by a read of its own from a file on the disk, half of a text rather than none, and nothing of a size that
metadata never have. Here all tags count, each whole or not at all, and the places of a million strips are not
too many. What the two have in common is the list of types.

References
----------
Adobe, "TIFF Revision 6.0", 1992, section 2. AWare Systems, "The BigTIFF File Format".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

Values = tuple[float, ...]

_BIG = 43  # the version in the header of a BigTIFF
_NUMBERS = {
    1: "B",
    3: "H",
    4: "I",
    6: "b",
    8: "h",
    9: "i",
    11: "f",
    12: "d",
    13: "I",
    16: "Q",
    17: "q",
    18: "Q",
}
_FRACTIONS = {5: "I", 10: "i"}
_BYTES = {2, 7}
_SIZES = {
    **{kind: struct.calcsize("=" + letter) for kind, letter in _NUMBERS.items()},
    **dict.fromkeys(_FRACTIONS, 8),
    **dict.fromkeys(_BYTES, 1),
}


_MOST_NUMBERS = 2_500_000  # the places and sizes of a million strips
_SHARED = 1 << 16  # bytes of values that several tags may have in common


class TagsTooLargeError(OSError):
    """The tags of a file claim more than it can hold, or than any sound file has."""


@dataclass(frozen=True, slots=True)
class Tags:
    """The first directory of a TIFF.

    Attributes
    ----------
    is_big_endian, is_big : bool
        Whether the highest byte of a number comes first; whether it is a BigTIFF.
    values : dict of int to tuple of numbers or to bytes
        What could be read, by tag.
    """

    is_big_endian: bool
    is_big: bool
    values: dict[int, Values | bytes]

    def integers(self, tag: int, default: tuple[int, ...] | None = None) -> tuple[int, ...]:
        """Return the values of a tag that are whole numbers; ValueError if they are not, or not there."""
        found = self.values.get(tag, default)
        if found is None:
            raise ValueError(f"tag {tag} is not there")
        if isinstance(found, bytes) or not all(isinstance(value, int) for value in found):
            raise ValueError(f"tag {tag} is no whole number")
        return tuple(int(value) for value in found)

    def integer(self, tag: int, default: int | None = None) -> int:
        """Return the first of them."""
        found = self.integers(tag, None if default is None else (default,))
        if not found:
            raise ValueError(f"tag {tag} is empty")
        return found[0]

    def numbers(self, tag: int, default: Values) -> Values:
        """Return as many numbers as `default` has, or that."""
        found = self.values.get(tag, default)
        return default if isinstance(found, bytes) or len(found) != len(default) else found


def read_tags(data: bytes | memoryview) -> Tags:
    """Read the tags of the first image; struct.error if it lies behind the end of the file.

    Raises
    ------
    TagsTooLargeError
        If the values together are larger than the file, or more than there is any use for.
    """
    order = ">" if bytes(data[:2]) == b"MM" else "<"
    is_big = struct.unpack_from(order + "H", data, 2)[0] == _BIG
    (at,) = struct.unpack_from(order + ("Q" if is_big else "I"), data, 8 if is_big else 4)
    (count,) = struct.unpack_from(order + ("Q" if is_big else "H"), data, at)
    at += 8 if is_big else 2
    values: dict[int, Values | bytes] = {}
    n_bytes, n_numbers = 0, 0
    step = 20 if is_big else 12
    for place in range(at, min(at + step * count, len(data) - step + 1), step):
        tag, kind, n_values = struct.unpack_from(order + ("HHQ" if is_big else "HHI"), data, place)
        size = n_values * _SIZES.get(kind, 0)
        if size > len(data):  # nothing is read of what reaches beyond the end
            continue
        n_bytes += size
        n_numbers += 0 if kind in _BYTES else n_values
        if n_bytes > len(data) + _SHARED or n_numbers > _MOST_NUMBERS:
            raise TagsTooLargeError("its tags claim more than the file has")
        found = _values(data, place + (12 if is_big else 8), kind, n_values, order, is_big)
        if found is not None and tag not in values:
            values[tag] = found
    return Tags(order == ">", is_big, values)


def _values(
    data: bytes | memoryview, at: int, kind: int, count: int, order: str, is_big: bool
) -> Values | bytes | None:
    """Return the values of an entry whose own bytes begin at `at`; None if it is broken."""
    letter = _NUMBERS.get(kind) or _FRACTIONS.get(kind) or ("s" if kind in _BYTES else None)
    if letter is None:
        return None
    count *= 2 if kind in _FRACTIONS else 1
    size = count * struct.calcsize("=" + letter)
    if size > (8 if is_big else 4):
        (at,) = struct.unpack_from(order + ("Q" if is_big else "I"), data, at)
    if at + size > len(data):
        return None
    if kind in _BYTES:
        return bytes(data[at : at + size])
    found = struct.unpack_from(f"{order}{count}{letter}", data, at)
    if kind in _FRACTIONS:
        return tuple(
            above / below if below else 0.0 for above, below in zip(found[::2], found[1::2], strict=True)
        )
    return found
