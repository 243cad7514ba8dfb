"""From what a file says of its picture, in up to three places, to what holds.

Programs do not always keep the three together. Which one holds is what the Metadata Working Group
recommends ("Guidelines for Handling Image Metadata" 2.0, section 5): Exif, then XMP, then IPTC; but IPTC
before XMP where a checksum tells that IPTC was changed by a program that knew nothing of XMP. Keywords are
those of all places.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterable
from typing import IO

from lookalike.images.formats import recognize
from lookalike.images.metadata import tags
from lookalike.images.metadata.containers import Blocks, find_blocks
from lookalike.images.metadata.ifd import Value, first_number, read_at
from lookalike.images.metadata.iptc import Iptc
from lookalike.images.metadata.metadata import NO_METADATA, Metadata
from lookalike.images.metadata.xmp import read_xmp

MAX_CAPTION = 2000
MAX_KEYWORDS = 200
MAX_WORD = 200
"""Longer texts are cut, and further keywords dropped: a row of a table is no place for a book."""


def read_metadata(data: bytes | IO[bytes]) -> Metadata:
    """Read what the bytes of a file, or of its first part, say of the picture.

    Parameters
    ----------
    data : bytes or binary file
        Of a file, only the places where metadata lie are read.

    Returns
    -------
    Metadata
        What cannot be parsed is as if it were not there: nothing is raised, whatever the bytes.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    kind = recognize(read_at(stream, 0, 32))
    return NO_METADATA if kind is None else from_blocks(find_blocks(stream, kind.name))


def from_blocks(blocks: Blocks) -> Metadata:
    """Read what the blocks of metadata of a file say, each by its own rules, and choose."""
    if not (blocks.image or blocks.exif or blocks.xmp or blocks.iptc):
        return NO_METADATA
    xmp = read_xmp(blocks.xmp) if blocks.xmp else {}
    iptc = Iptc(blocks.iptc) if blocks.iptc else _NO_IPTC
    taken, offset = _taken(blocks, xmp, iptc)
    latitude, longitude = _position(blocks, xmp)
    return Metadata(
        taken=taken,
        offset=offset,
        camera=_device(
            _exif_text(blocks.image.get(tags.MAKE)) or _first(xmp, "tiff:Make"),
            _exif_text(blocks.image.get(tags.MODEL)) or _first(xmp, "tiff:Model"),
        ),
        lens=_device(
            _exif_text(blocks.exif.get(tags.LENS_MAKE)) or _first(xmp, "exifEX:LensMake"),
            _exif_text(blocks.exif.get(tags.LENS_MODEL)) or _first(xmp, "exifEX:LensModel", "aux:Lens"),
        ),
        latitude=latitude,
        longitude=longitude,
        keywords=_keywords(blocks, xmp, iptc),
        rating=_rating(blocks, xmp),
        caption=_caption(blocks, xmp, iptc),
    )


_NO_IPTC = Iptc(b"")


# --- texts


def _clean(text: str, limit: int = MAX_WORD) -> str:
    """Make a text fit for a table and a terminal: one line of bounded length, no control characters."""
    if text.isascii() and text.isprintable() and len(text) <= limit and "  " not in text:
        return text.strip()  # most are
    text = " ".join(text[: 4 * limit].split())
    text = unicodedata.normalize("NFC", text)
    if not text.isprintable():
        text = "".join(c for c in text if c not in _DIRECTIONS and unicodedata.category(c) not in _CONTROLS)
    return text[:limit].strip()


_CONTROLS = {"Cc", "Cs"}
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # turn what follows around


def _exif_text(value: Value | None, limit: int = MAX_WORD) -> str:
    """Decode an ASCII value, which in truth is UTF-8 as often as anything else."""
    if not isinstance(value, bytes) or not value:
        return ""
    data = value.partition(b"\0")[0][: 4 * limit]
    try:
        return _clean(data.decode("utf-8"), limit)
    except UnicodeDecodeError:
        return _clean(data.decode("cp1252", "replace"), limit)


def _windows_text(value: Value | None) -> str:
    """Decode what Windows writes: UTF-16, little-endian, as single bytes."""
    data = bytes(number for number in value if isinstance(number, int) and number < 256) if value else b""
    return data.decode("utf-16-le", "ignore").partition("\0")[0]


def _first(xmp: dict[str, list[str]], *names: str) -> str:
    return next((text for name in names for text in map(_clean, xmp.get(name, ())[:1]) if text), "")


# --- when


_TIME = re.compile(
    r"\s*(\d{4})(?:[:/.-]?(\d\d?)(?:[:/.-]?(\d\d?))?)?"
    r"(?:[T\s]+(\d\d?):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?\s*(Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)


def _taken(
    blocks: Blocks, xmp: dict[str, list[str]], iptc: Iptc
) -> tuple[datetime.datetime | None, int | None]:
    exif = blocks.exif
    original = exif.get(tags.DATE_ORIGINAL), exif.get(tags.SUBSEC_ORIGINAL), exif.get(tags.OFFSET_ORIGINAL)
    scanned = exif.get(tags.DATE_DIGITIZED), exif.get(tags.SUBSEC_DIGITIZED), exif.get(tags.OFFSET_DIGITIZED)
    for said in (
        _exif_time(*original, exif),
        _first(xmp, "exif:DateTimeOriginal", "photoshop:DateCreated"),
        iptc.created,
        _exif_time(*scanned, exif),
        _first(xmp, "exif:DateTimeDigitized", "xmp:CreateDate"),
    ):
        found = _time(said) if said else (None, None)
        if found[0]:
            return found
    return None, None


def _exif_time(date: Value | None, fraction: Value | None, zone: Value | None, exif: dict[int, Value]) -> str:
    """Write a time as XMP does, from the three tags that Exif has for it."""
    digits = _exif_text(fraction)
    text = _exif_text(date) + (f".{digits}" if digits.isdigit() else "")
    return text + _exif_text(zone or exif.get(tags.OFFSET_TIME)) if text else ""


def _time(text: str) -> tuple[datetime.datetime | None, int | None]:
    """Read a time of Exif, XMP or IPTC; a date without a time is its midnight."""
    found = _TIME.match(text)
    if found is None or found[2] is None:
        return None, None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    micro = int((found[7] or "")[:6].ljust(6, "0"))
    try:
        time = datetime.datetime(year, month, day or 1, hour, minute, min(second, 59), micro)
    except ValueError:
        return None, None
    return time, _offset(found[8] or "")


def _offset(zone: str) -> int | None:
    if zone == "Z":
        return 0
    found = re.fullmatch(r"([+-])(\d\d):?(\d\d)", zone, re.ASCII)
    if found is None:
        return None
    minutes = int(found[2]) * 60 + int(found[3])
    if minutes > 15 * 60:
        return None
    return -minutes if found[1] == "-" else minutes


# --- with what


_COMPANY = re.compile(
    r"[\s,]+(corporation|corp\.?|company|co\.?,?\s*ltd\.?|co\.|ltd\.?|inc\.?|gmbh|ag|imaging|optical|electric)$",
    re.IGNORECASE,
)


def _device(maker: str, model: str) -> str | None:
    """Put maker and model together, the maker once, and without the form of its company.

    >>> _device("NIKON CORPORATION", "NIKON D850"), _device("OLYMPUS IMAGING CORP.", "E-M1")
    ('NIKON D850', 'OLYMPUS E-M1')
    """
    if not model:
        return None
    while (shorter := _COMPANY.sub("", maker)) != maker:
        maker = shorter
    names = {word.casefold() for word in maker.split()}
    if not maker or model.split()[0].casefold() in names or model.casefold().startswith(maker.casefold()):
        return model
    return _clean(f"{maker} {model}")


# --- where


def _position(blocks: Blocks, xmp: dict[str, list[str]]) -> tuple[float | None, float | None]:
    gps = blocks.gps
    latitude = _degrees(gps.get(tags.LATITUDE), gps.get(tags.LATITUDE_REF), b"NS", 90)
    longitude = _degrees(gps.get(tags.LONGITUDE), gps.get(tags.LONGITUDE_REF), b"EW", 180)
    if latitude is None or longitude is None:
        latitude = _xmp_degrees(_first(xmp, "exif:GPSLatitude"), "NS", 90)
        longitude = _xmp_degrees(_first(xmp, "exif:GPSLongitude"), "EW", 180)
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None, None  # zeros are what is written where nothing was known
    return latitude, longitude


def _degrees(value: Value | None, reference: Value | None, signs: bytes, limit: int) -> float | None:
    """Read degrees, minutes and seconds, of which the last may be left out."""
    if value is None or isinstance(value, bytes) or not isinstance(reference, bytes):
        return None
    sign = reference[:1].upper()
    parts = value[:3]
    if not sign or sign not in signs or None in parts:
        return None
    total: float = sum((part or 0) / 60.0**power for power, part in enumerate(parts))
    if not 0 <= total <= limit:  # nor NaN
        return None
    return -total if sign == signs[1:] else total


def _xmp_degrees(text: str, signs: str, limit: int) -> float | None:
    """Read ``48,51.5N`` or ``48,51,30N``."""
    found = re.fullmatch(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])", text, re.ASCII)
    if found is None or found[4] not in signs:
        return None
    total = int(found[1]) + float(found[2]) / 60 + float(found[3] or 0) / 3600
    if total > limit:
        return None
    return -total if found[4] == signs[1] else total


# --- what people said


def _keywords(blocks: Blocks, xmp: dict[str, list[str]], iptc: Iptc) -> tuple[str, ...]:
    windows = _windows_text(blocks.image.get(tags.XP_KEYWORDS)).split(";")
    return _each_once([*xmp.get("dc:subject", ()), *iptc.keywords, *windows])


def _each_once(words: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for word in words:
        clean = _clean(word)
        if clean:
            found.setdefault(clean.casefold(), clean)
        if len(found) == MAX_KEYWORDS:
            break
    return tuple(found.values())


def _rating(blocks: Blocks, xmp: dict[str, list[str]]) -> int | None:
    try:
        stars = round(float(_first(xmp, "xmp:Rating")))
    except (ValueError, OverflowError):
        stars = first_number(blocks.image.get(tags.RATING)) or 0
    return stars if stars == -1 or 1 <= stars <= 5 else None


def _caption(blocks: Blocks, xmp: dict[str, list[str]], iptc: Iptc) -> str | None:
    exif = _exif_text(blocks.image.get(tags.IMAGE_DESCRIPTION), MAX_CAPTION)
    of_xmp = _clean(next(iter(xmp.get("dc:description", ())), ""), MAX_CAPTION)
    of_iptc = _clean(iptc.caption, MAX_CAPTION)
    if blocks.iptc_digest and blocks.iptc_digest != _digest(blocks.iptc):
        of_xmp, of_iptc = of_iptc, of_xmp
    windows = _clean(_windows_text(blocks.image.get(tags.XP_COMMENT)), MAX_CAPTION)
    said = (exif, of_xmp, of_iptc, windows)
    return next((text for text in said if text and not _NOBODY_SAID.match(text)), None)


def _digest(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


_NOBODY_SAID = re.compile(
    r"(OLYMPUS|MINOLTA|KONICA MINOLTA|SAMSUNG|KODAK|SANYO|PENTAX|CASIO|VIVITAR|GE|SONY|RICOH|FUJIFILM)?\s*"
    r"(DIGITAL (STILL )?CAMERA|DSC)\s*$"
    r"|(SONY DSC|CASIO COMPUTER|SunplusIT|Exif[_ ]JPEG|DCIM[\\/])"
    r"|Created with |(DCF 1\.0|JPEG|default|untitled|image ?description)$"
    r"|(Digital ?StillCamera|<?Digimax|Maker:|charset=|binary comment|ImageJ=|\{\"shape\"|<\W?[a-z])"
    r"|(non|cof|dav|hdr|sdr|fbt|mde|btf|rhdr|oznor|ozedf|hdrpl)(_\w+)?$"
    r"|\W*$",
    re.IGNORECASE,
)
"""What cameras and programs write where a person's words should stand; the short ones are Huawei's modes."""
