"""Whether a file that Lance has just written is all there.

Lance does not look whether its last write to a file succeeded (pylance 14): on a disk that refuses one write
and takes the next, a commit would name a file without its end, and nothing could be read. So files are looked
at before a commit names them, by the ends that their formats have.
"""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

_ENDS = {".lance": (b"", b"LANC"), ".arrow": (b"ARROW1", b"ARROW1"), ".manifest": (b"", b"LANC")}
"""How a file of each kind begins and ends."""

_WITH_RUNS, _WITHOUT_RUNS = 12347, 12346
_MOST_IN_ARRAY = 4_096  # numbers of a container; more are a bitmap
_BITMAP = 8_192  # bytes


def check_whole(file: Path) -> None:
    """Raise OSError if a file of a table lacks its end.

    Raises
    ------
    OSError
        EIO, if the disk did not take all of it; or if it cannot be read.
    """
    with file.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if file.suffix == ".bin":
            is_whole = size == _bitmap_size(stream.read())
        else:
            begin, end = _ENDS.get(file.suffix, (b"", b""))
            is_whole = stream.read(len(begin)) == begin
            stream.seek(max(0, size - len(end)) if end else size)
            is_whole &= stream.read() == end
    if not is_whole:
        raise OSError(errno.EIO, "the disk did not take all that was written", str(file))


def _bitmap_size(content: bytes) -> int:
    """Return how long a Roaring bitmap is, by its head (RoaringFormatSpec); -1 where that is not whole.

    >>> content = struct.pack("<IIHHIHH", 12346, 1, 0, 1, 16, 3, 5)  # 3 and 5
    >>> len(content), _bitmap_size(content), _bitmap_size(content[:10])
    (20, 20, -1)
    """
    try:
        (cookie,) = struct.unpack_from("<I", content)
        at, runs = 4, b""
        if cookie & 0xFFFF == _WITH_RUNS:
            n = (cookie >> 16) + 1
            runs = content[at : at + (n + 7) // 8]
            at += (n + 7) // 8
        elif cookie == _WITHOUT_RUNS:
            (n,) = struct.unpack_from("<I", content, at)
            at += 4
        else:
            return -1
        cards = [struct.unpack_from("<HH", content, at + 4 * i)[1] + 1 for i in range(n)]
        at += 4 * n
        if not runs or n >= 4:  # where each container begins
            at += 4 * n
        for number, card in enumerate(cards):
            if runs and runs[number // 8] >> number % 8 & 1:
                at += 2 + 4 * struct.unpack_from("<H", content, at)[0]
            else:
                at += 2 * card if card <= _MOST_IN_ARRAY else _BITMAP
    except struct.error:
        return -1
    return int(at)
