"""JPEG XL, by libjxl through the package ``pillow-jxl-plugin``.

That package decodes a picture as it opens it. Here its size is read first, from the codestream's header
(ISO/IEC 18181-1, Annex D), so that what is too large is refused before anything is decoded.

The decoder turns a picture by the orientation in its own header; Exif's, which is only a copy, is not
followed. A JPEG that was packed without loss comes out as that JPEG, and is turned by its Exif.
"""

from __future__ import annotations

import io
from typing import IO, Any

from PIL import Image as Pillow
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from lookalike.images.metadata.containers import boxes
from lookalike.images.metadata.ifd import read_at

_HDR = (b"\x10", b"\x12")  # H.273, table 3: PQ, HLG

_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


class JxlImageFile(ImageFile):
    """A JPEG XL as an image of Pillow's: opening reads its size, loading decodes it."""

    format = "JXL"
    format_description = "JPEG XL"

    def _open(self) -> None:
        import pillow_jxl  # noqa: F401  is it there?

        assert self.fp is not None
        self._size = read_size(self.fp)
        self._mode = "RGB"
        self._wanted: tuple[int, int] | None = None
        self._exif_of_jpeg: Pillow.Exif | None = None
        self._is_loaded = False

    def draft(self, mode: str | None, size: tuple[int, int] | None) -> None:
        """Say how small a packed JPEG may be decoded."""
        self._wanted = size

    def getexif(self) -> Pillow.Exif:
        """Return the Exif of a packed JPEG: the decoder has turned everything else by itself."""
        return self._exif_of_jpeg or Pillow.Exif()

    def load(self) -> Any:
        """Decode the picture."""
        if not self._is_loaded:
            assert self.fp is not None
            self.fp.seek(0)
            picture = self._decode(self.fp.read())
            picture.load()
            self._mode, self._size = picture.mode, picture.size
            self.im = picture.im
            self._is_loaded = True
        return super(ImageFile, self).load()

    def _decode(self, data: bytes) -> Pillow.Image:
        from pillow_jxl import Decoder

        try:
            is_jpeg, header, pixels, profile, _boxes = Decoder(num_threads=0)(data)
        except Exception as error:  # it says how to build libjxl, not what is wrong with the file
            raise OSError from error
        if is_jpeg:
            jpeg = JpegImageFile(io.BytesIO(pixels))
            if self._wanted is not None:
                jpeg.draft(None, self._wanted)
            self._exif_of_jpeg = jpeg.getexif()
            profile = jpeg.info.get("icc_profile") or profile
            picture: Pillow.Image = jpeg
        else:
            picture = Pillow.frombytes(header.mode, (header.width, header.height), pixels)
        numbers = hdr_numbers(bytes(profile or b""))
        if numbers is not None:  # libjxl writes a profile for these, too, but with a tone curve of its own
            self.info["nclx_profile"] = numbers
        elif profile:
            self.info["icc_profile"] = bytes(profile)
        return picture


def read_size(stream: IO[bytes]) -> tuple[int, int]:
    """Read the width and height of a JPEG XL: upright, but for a packed JPEG, which is turned later.

    Raises
    ------
    SyntaxError
        If it is none.
    """
    at, is_jpeg = 0, False
    if read_at(stream, 0, 2) != b"\xff\x0a":
        parts = list(boxes(stream))
        is_jpeg = any(part.name == b"jbrd" for part in parts)  # what makes the JPEG of it again
        first = next((part for part in parts if part.name in (b"jxlc", b"jxlp")), None)
        if first is not None:
            at = first.offset + (4 if first.name == b"jxlp" else 0)  # a number stands before each piece
    head = read_at(stream, at, 32)
    if head[:2] != b"\xff\x0a":
        raise SyntaxError("no codestream")
    bits = _Bits(head[2:])
    is_small = bits.take(1)
    height = (bits.take(5) + 1) * 8 if is_small else bits.side()
    ratio = bits.take(3)
    if ratio:
        across, down = _RATIOS[ratio - 1]
        width = height * across // down
    else:
        width = (bits.take(5) + 1) * 8 if is_small else bits.side()
    is_default = bits.take(1)
    has_more = not is_default and bits.take(1)
    orientation = bits.take(3) + 1 if has_more else 1
    return (height, width) if orientation > 4 and not is_jpeg else (width, height)


def hdr_numbers(profile: bytes) -> dict[str, int] | None:
    """Return what an ICC profile says in the numbers of H.273, if its curve is PQ or HLG (ICC.1:2022)."""
    for at in range(132, min(132 + 12 * int.from_bytes(profile[128:132]), len(profile), 2000), 12):
        if profile[at : at + 4] == b"cicp":
            start = int.from_bytes(profile[at + 4 : at + 8])
            primaries, transfer = profile[start + 8 : start + 9], profile[start + 9 : start + 10]
            if transfer in _HDR:
                return {"color_primaries": primaries[0], "transfer_characteristics": transfer[0]}
    return None


class _Bits:
    """Bits from the lowest of the first byte on."""

    def __init__(self, data: bytes) -> None:
        self._left = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._left & ((1 << count) - 1)
        self._left >>= count
        return value

    def side(self) -> int:
        return self.take((9, 13, 18, 30)[self.take(2)]) + 1
