"""The image formats that lookalike reads, as a table.

A file is recognised by its first bytes, never by its name: a PNG called ``photo.jpg`` is read as the PNG
that it is. The name only decides which files a scan looks at. To add a format, add a row.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from lookalike.system.on_demand import load

if TYPE_CHECKING:
    from PIL.Image import Image


class UnreadKindError(Exception):
    """A file that may be as sound as any, but of a kind that no reader here takes; the message says which."""


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """One format: how to recognise it, and which reader opens it.

    Attributes
    ----------
    name : str
        As stored in the collection.
    extensions : tuple of str
        File name endings that a scan takes up; lower case, with the dot.
    signatures : tuple of (offset, bytes)
        The file is of this format if any of these stands at its offset.
    reader : str
        ``module:class`` of the Pillow image file class, or a function that gives one of its objects. It is
        called directly, not through ``Image.open``, because that one's pixel limit is a global of the whole
        process.
    can_draft : bool
        Whether the reader decodes at a fraction of the size where it is told that this suffices.
    extra : str
        What has to be installed for the reader, as in ``pip install 'lookalike[jxl]'``; empty if nothing.
    """

    name: str
    extensions: tuple[str, ...]
    signatures: tuple[tuple[int, bytes], ...]
    reader: str
    can_draft: bool = False
    extra: str = ""

    def matches(self, head: bytes) -> bool:
        """Tell whether a file that begins with `head` (32 bytes or more) is of this format."""
        return any(head[offset : offset + len(magic)] == magic for offset, magic in self.signatures)

    def open(self, stream: IO[bytes]) -> Image:
        """Read the header of a file of this format; the pixels are not decoded yet."""
        reader: Callable[[IO[bytes]], Image] = load(self.reader)
        return reader(stream)


def _brands(*brands: bytes) -> tuple[tuple[int, bytes], ...]:
    """ISO base media files state their brand behind ``ftyp`` (ISO/IEC 14496-12, section 4.3)."""
    return tuple((4, b"ftyp" + brand) for brand in brands)


def _raw(name: str, *signatures: tuple[int, bytes]) -> ImageFormat:
    """Give the row of a camera format; without signatures, its files begin like TIFF."""
    reader = "lookalike.images.decoders.raw:RawImageFile"
    return ImageFormat(name, (f".{name.lower()}",), signatures, reader, can_draft=True)


FORMATS: tuple[ImageFormat, ...] = (
    ImageFormat(
        "JPEG",
        (".jpg", ".jpeg", ".jpe", ".jfif"),
        ((0, b"\xff\xd8\xff"),),
        "lookalike.images.decoders.jpeg:JpegFile",
        can_draft=True,
    ),
    ImageFormat(
        "PNG", (".png", ".apng"), ((0, b"\x89PNG\r\n\x1a\n"),), "lookalike.images.decoders.png:open_png"
    ),
    ImageFormat("WEBP", (".webp",), ((8, b"WEBP"),), "lookalike.images.decoders.webp:WebPFile"),
    ImageFormat("GIF", (".gif",), ((0, b"GIF87a"), (0, b"GIF89a")), "lookalike.images.decoders.gif:GifFile"),
    ImageFormat("BMP", (".bmp", ".dib"), ((0, b"BM"),), "PIL.BmpImagePlugin:BmpImageFile"),
    _raw("CR2", (0, b"II*\x00\x10\x00\x00\x00CR\x02")),  # before TIFF, which it also is
    ImageFormat(
        "TIFF",
        (".tif", ".tiff"),
        ((0, b"II*\x00"), (0, b"MM\x00*"), (0, b"II+\x00"), (0, b"MM\x00+")),
        "lookalike.images.decoders.tiff:TiffFile",
    ),
    ImageFormat(
        "AVIF",
        (".avif",),
        # Under the common brand of the family, "mif1", the first brands of the compatible ones tell.
        (*_brands(b"avif", b"avis"), *((offset, b"avif") for offset in (16, 20, 24, 28))),
        "PIL.AvifImagePlugin:AvifImageFile",
    ),
    ImageFormat(
        "HEIC",
        (".heic", ".heif", ".hif"),
        _brands(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
        "pillow_heif.as_plugin:HeifImageFile",
    ),
    _raw("CR3", *_brands(b"crx ")),
    _raw("NEF"),
    _raw("ARW"),
    _raw("DNG"),
    _raw("ORF", (0, b"IIRO"), (0, b"IIRS"), (0, b"MMOR")),
    _raw("RAF", (0, b"FUJIFILMCCD-RAW")),
    _raw("RW2", (0, b"IIU\x00")),
    ImageFormat(
        "JXL",
        (".jxl",),
        ((0, b"\xff\x0a"), (0, b"\x00\x00\x00\x0cJXL \r\n\x87\n")),
        "lookalike.images.decoders.jxl:JxlImageFile",
        can_draft=True,
        extra="jxl",
    ),
)

EXTENSIONS: frozenset[str] = frozenset(ending for row in FORMATS for ending in row.extensions)


def ending_of(name: str) -> str:
    """Return what files of a format end in, as a rule; nothing for a name that is none.

    >>> ending_of("TIFF")
    '.tif'
    """
    return next((row.extensions[0] for row in FORMATS if row.name == name), "")


def recognize(head: bytes) -> ImageFormat | None:
    """Return the format of a file that begins with `head`, or None if it is no image that we read.

    >>> recognize(b"GIF89a" + bytes(26)).name
    'GIF'
    """
    return next((row for row in FORMATS if row.matches(head)), None)


def recognize_file(data: bytes, name: str) -> ImageFormat | None:
    """Return the format of a whole file; unlike `recognize`, this tells camera files from TIFF."""
    kind = recognize(data[:32])
    if kind is not None and kind.name == "TIFF":
        from lookalike.images.decoders.raw import tiff_kind

        found = tiff_kind(io.BytesIO(data), name)
        return next(row for row in FORMATS if row.name == found)
    return kind
