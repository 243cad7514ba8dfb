"""The colour that an AVIF or HEIC file names by numbers: the ``colr`` box of its primary item.

Such a file is a tree of boxes: length, type, content. The list of properties (``ipco``) has those of all
items, and ``ipma`` says which are whose: a gain map or a thumbnail has a ``colr`` box of its own. Nothing
here is believed: what does not fit ends the search, and only so many boxes and items are looked at.

References
----------
ISO/IEC 14496-12, sections 4.2 (boxes), 8.11.4 (pitm), 8.11.14 (ipco, ipma), 12.1.5 (colr).
"""

from __future__ import annotations

from collections.abc import Iterator

_MOST_BOXES = 4096  # in one box
_MOST_ITEMS = 65_536


def nclx(data: bytes) -> tuple[int, int] | None:
    """Return the numbers of primaries and transfer characteristics (H.273) of the picture, if it has them."""
    try:
        meta = _first(data, 0, len(data), b"meta")
        if meta is None:
            return None
        start, end = meta[0] + 4, meta[1]  # behind version and flags
        primary = _primary(data, start, end)
        properties = _first(data, start, end, b"iprp")
        if properties is None:
            return None
        container = _first(data, *properties, b"ipco")
        owners = _first(data, *properties, b"ipma")
        if container is None:
            return None
        wanted = _owned(data, *owners, primary) if owners and primary is not None else None
        for number, (kind, at, stop) in enumerate(_boxes(data, *container), 1):
            is_wanted = wanted is None or number in wanted
            if is_wanted and kind == b"colr" and data[at : at + 4] == b"nclx" and stop - at >= 8:
                return int.from_bytes(data[at + 4 : at + 6]), int.from_bytes(data[at + 6 : at + 8])
    except IndexError:
        return None
    return None


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the type, start and end of the content of each box between two places."""
    for _ in range(_MOST_BOXES):
        if start + 8 > end:
            return
        size, kind, at = int.from_bytes(data[start : start + 4]), data[start + 4 : start + 8], start + 8
        if size == 1:
            size, at = int.from_bytes(data[at : at + 8]), at + 8
        elif size == 0:
            size = end - start
        if start + size > end or start + size < at:
            return
        yield kind, at, start + size
        start += size


def _first(data: bytes, start: int, end: int, wanted: bytes) -> tuple[int, int] | None:
    return next(((at, stop) for kind, at, stop in _boxes(data, start, end) if kind == wanted), None)


def _primary(data: bytes, start: int, end: int) -> int | None:
    """Return the number of the item that is the picture."""
    found = _first(data, start, end, b"pitm")
    if found is None:
        return None
    at = found[0]
    return int.from_bytes(data[at + 4 : at + (6 if data[at] == 0 else 8)])


def _owned(data: bytes, at: int, end: int, item: int) -> set[int] | None:
    """Return the numbers, from 1, of the properties of an item; None if it is not in the list."""
    id_size = 2 if data[at] == 0 else 4
    is_wide = data[at + 3] & 1
    count = int.from_bytes(data[at + 4 : at + 8])
    at += 8
    for _ in range(min(count, _MOST_ITEMS)):
        if at + id_size >= end:
            return None
        owner, properties = int.from_bytes(data[at : at + id_size]), data[at + id_size]
        at += id_size + 1
        size = 2 if is_wide else 1
        if owner == item:
            mask = 0x7FFF if is_wide else 0x7F  # the highest bit says that the property is essential
            return {
                int.from_bytes(data[i : i + size]) & mask for i in range(at, at + size * properties, size)
            }
        at += size * properties
    return None
