"""The mark of pictures that lookalike draws, by which a scan knows them: they are no photos of anybody's."""

from __future__ import annotations

import importlib
import re

OWN = "a picture that lookalike drew"
"""Why such a file is not in the collection; the tables keep it as they keep why a file could not be read."""

_SOFTWARE = re.compile(rb"lookalike \d")
_IN_SVG = re.compile(rb"<dc:creator>\s*<cc:Agent>\s*<dc:title>lookalike \d")
_IN_PDF = re.compile(rb"/Creator \(lookalike \d")
_PNG = b"\x89PNG\r\n\x1a\n"
_STARTS_OF_SCAN = (0xDA, 0xD9)
_COMMENT = 0xFE
_MOST_STEPS = 1_000  # from one part of a file to the next


def own_mark() -> str:
    """Return what a drawn picture says of the program that made it."""
    return f"lookalike {importlib.import_module('lookalike').__version__}"


def is_own_picture(data: bytes) -> bool:
    """Tell whether lookalike drew the picture in a file: whether a PNG, JPEG, SVG or PDF bears its mark.

    Of the first two only what stands before the pixels is looked at: some hundred bytes. Of all the first and
    last 64 KiB suffice.
    """
    if data.startswith(b"<?xml"):
        return _IN_SVG.search(data) is not None
    if data.startswith(b"%PDF-"):
        return _IN_PDF.search(data) is not None
    if data.startswith(_PNG):
        return _is_own_png(data)
    return data.startswith(b"\xff\xd8\xff") and _is_own_jpeg(data)


def _is_own_png(data: bytes) -> bool:
    at, steps = len(_PNG), 0
    while (
        (steps := steps + 1) < _MOST_STEPS
        and at + 8 <= len(data)
        and (kind := data[at + 4 : at + 8]) != b"IDAT"
    ):
        length = int.from_bytes(data[at : at + 4])
        if kind == b"tEXt" and data.startswith(b"Software\0", at + 8):
            return _SOFTWARE.match(data, at + 8 + len(b"Software\0")) is not None
        at += 12 + length
    return False


def _is_own_jpeg(data: bytes) -> bool:
    at, steps = 2, 0
    while (
        (steps := steps + 1) < _MOST_STEPS
        and at + 4 <= len(data)
        and data[at] == 0xFF
        and data[at + 1] not in _STARTS_OF_SCAN
    ):
        if data[at + 1] == _COMMENT and _SOFTWARE.match(data, at + 4):
            return True
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return False
