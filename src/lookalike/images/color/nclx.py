"""The colour that an AVIF or HEIC file names by numbers: the ``colr`` box of its primary item.

Such a file is a tree of boxes: length, type, content. The list of properties (``ipco``) has those of all
items, and ``ipma`` says which are whose: a gain map or a thumbnail has a ``colr`` box of its own. Nothing
here is believed: what does not fit ends the search, and only so many boxes and items are looked at.

References
----------
ISO/IEC 14496-12, sections 4.2 (boxes), 8.11.4 (pitm), 8.11.14 (ipco, ipma), 12.1.5 (colr).
"""

from __future__ import annotations

import io

from lookalike.images.metadata.containers import boxes, content, find_box

_MOST_ITEMS = 65_536


def read_nclx(data: bytes) -> tuple[int, int] | None:
    """Return the numbers of primaries and transfer characteristics (H.273) of the picture, if it has them."""
    stream = io.BytesIO(data)
    container = find_box(stream, b"meta", b"iprp", b"ipco")
    primary, owners = find_box(stream, b"meta", b"pitm"), find_box(stream, b"meta", b"iprp", b"ipma")
    if container is None:
        return None
    try:
        wanted = None
        if primary is not None and owners is not None:
            wanted = _owned(content(stream, owners), _item(content(stream, primary)))
        inside = boxes(stream, container.offset, container.offset + container.size)
        for number, part in enumerate(inside, 1):
            if part.name == b"colr" and (wanted is None or number in wanted):
                color = content(stream, part)
                if color[:4] == b"nclx" and len(color) >= 8:
                    return int.from_bytes(color[4:6]), int.from_bytes(color[6:8])
    except IndexError:
        return None
    return None


def _item(pitm: bytes) -> int:
    """Return the number of the item that is the picture."""
    return int.from_bytes(pitm[4 : 6 if pitm[0] == 0 else 8])


def _owned(ipma: bytes, item: int) -> set[int] | None:
    """Return the numbers, from 1, of the properties of an item; None if it is not in the list."""
    id_size, size = (2 if ipma[0] == 0 else 4), (2 if ipma[3] & 1 else 1)
    mask = 0x7FFF if size == 2 else 0x7F  # the highest bit says that the property is essential
    at = 8
    for _ in range(min(int.from_bytes(ipma[4:8]), _MOST_ITEMS)):
        owner, properties = int.from_bytes(ipma[at : at + id_size]), ipma[at + id_size]
        at += id_size + 1
        end = at + size * properties
        if owner == item:
            return {int.from_bytes(ipma[i : i + size]) & mask for i in range(at, end, size)}
        at = end
    return None
