"""Records of IPTC's Information Interchange Model, as Photoshop and press agencies put them into files.

A record is 0x1C, a record and a data set number, a size, and text (IIM 4.2, section 1.6).
"""

from __future__ import annotations

from collections.abc import Iterator

_CHARSET, _KEYWORD, _DATE, _TIME, _CAPTION = (1, 90), (2, 25), (2, 55), (2, 60), (2, 120)
_UTF8 = b"\x1b%G"
_MAX_RECORDS = 5000


class Iptc:
    """What is kept of a block of records.

    Attributes
    ----------
    keywords : list of str
    caption : str
    created : str
        Date and time of creation, as ``20190501 123000+0200``; empty if there is no date.
    """

    def __init__(self, data: bytes) -> None:
        records = list(_records(data))
        is_utf8 = any(key == _CHARSET and value == _UTF8 for key, value in records)
        texts = [(key, _text(value, is_utf8)) for key, value in records]
        first = dict(reversed(texts))
        self.keywords = [text for key, text in texts if key == _KEYWORD]
        self.caption = first.get(_CAPTION, "")
        date = first.get(_DATE, "")
        self.created = f"{date} {first.get(_TIME, '')}".rstrip() if date else ""


def _records(data: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    at = 0
    for _ in range(_MAX_RECORDS):
        if at + 5 > len(data) or data[at] != 0x1C:
            return
        key = (data[at + 1], data[at + 2])
        size = int.from_bytes(data[at + 3 : at + 5])
        at += 5
        if size & 0x8000:  # a long one: so many bytes of size follow
            width = size & 0x7FFF
            if width > 4:
                return
            size = int.from_bytes(data[at : at + width])
            at += width
        yield key, data[at : at + size]
        at += size


def _text(data: bytes, is_utf8: bool) -> str:
    """Decode what may not say its character set: UTF-8 is recognised, else it is Western."""
    if is_utf8:
        return data.decode("utf-8", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
