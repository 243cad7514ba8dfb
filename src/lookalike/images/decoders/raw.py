"""Camera files: the preview that the camera put into them, turned as it says; else developed by LibRaw.

A camera's preview is the picture as the camera shows it, and costs what a JPEG costs; developing takes
seconds. So the preview is taken wherever it is large enough for what is asked.

The picture is turned by what the camera file says, never by what the preview says of itself: most previews
say nothing, some repeat the file, and LibRaw writes the file's word into those that say nothing. A preview
that stands upright where the sensor lies was turned by whoever wrote it, and is left as it is.

Which of the formats that are TIFF inside a file is, its first bytes do not tell: its first directory does.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from PIL import Image as Pillow
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from lookalike.images.formats import UnreadKindError, recognize_file
from lookalike.images.metadata import tags
from lookalike.images.metadata.containers import boxes
from lookalike.images.metadata.ifd import (
    Tiff,
    Value,
    first_number,
    numbers,
    open_tiff,
    read_at,
    read_directory,
)

if TYPE_CHECKING:
    from PIL.Image import Exif, Image

_SENSOR_COLORS = {32803, 34892}  # CFA (TIFF/EP), LinearRaw (DNG)
_MAKERS = ((b"NIKON", "NEF", ".nef"), (b"SONY", "ARW", ".arw"))

_ORIENTATIONS = {0: 1, 1: 2, 2: 4, 3: 3, 4: 5, 5: 8, 6: 6, 7: 7}
"""Exif's orientation for each of LibRaw's flips: 1 mirrors, 2 turns upside down, 4 transposes first."""
_BACK = {
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_90,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_270,
}
"""How a picture that was turned already lies down again."""

_SMALLEST = 100
"""A preview whose shorter side has fewer pixels is an icon, not a picture."""

_STRIP_OFFSETS, _STRIP_SIZES, _TILE_OFFSETS, _TILE_SIZES = 273, 279, 324, 325


def tiff_kind(stream: IO[bytes], name: str) -> str:
    """Tell which camera format a file that begins like TIFF is, by its content; ``TIFF`` if none.

    The name counts for a maker's old files only, whose sensor data is not marked.
    """
    tiff = open_tiff(stream)
    if tiff is None:
        return "TIFF"
    first, *others = _directories(tiff)
    is_sensor = any(
        first_number(directory.get(tags.PHOTOMETRIC)) in _SENSOR_COLORS for directory in (first, *others)
    )
    if tags.DNG_VERSION in first:
        return "DNG" if is_sensor else "TIFF"
    maker = first.get(tags.MAKE)
    for prefix, kind, ending in _MAKERS:
        if isinstance(maker, bytes) and maker.upper().startswith(prefix):
            return kind if is_sensor or name.lower().endswith(ending) else "TIFF"
    return "TIFF"


def _directories(tiff: Tiff) -> Iterator[dict[int, Value]]:
    """Give the first directory and those below it, of which there are three or four."""
    wanted = frozenset({tags.PHOTOMETRIC, tags.MAKE, tags.SUB_IFDS, tags.DNG_VERSION})
    places = frozenset({_STRIP_OFFSETS, _STRIP_SIZES, _TILE_OFFSETS, _TILE_SIZES})
    first = read_directory(tiff, tiff.first, wanted | places)
    yield first
    for offset in numbers(first.get(tags.SUB_IFDS))[:16]:
        yield read_directory(tiff, offset, wanted | places)


def is_cut_short(data: bytes) -> bool:
    """Tell whether a camera file ends before what its directories or boxes say that it holds."""
    stream = io.BytesIO(data)
    if data[4:8] == b"ftyp":
        return any(box.offset + box.size > len(data) for box in boxes(stream) if box.size < 1 << 40)
    if data.startswith(b"FUJIFILM"):
        places = struct.unpack(">6I", read_at(stream, 84, 24).ljust(24, b"\0"))
        return any(start + size > len(data) for start, size in zip(places[::2], places[1::2], strict=True))
    tiff = open_tiff(stream)
    for directory in () if tiff is None else _directories(tiff):
        for offsets, sizes in ((_STRIP_OFFSETS, _STRIP_SIZES), (_TILE_OFFSETS, _TILE_SIZES)):
            pairs = zip(numbers(directory.get(offsets)), numbers(directory.get(sizes)), strict=False)
            if any(offset + size > len(data) for offset, size in pairs):
                return True
    return False


class RawImageFile(ImageFile):
    """A camera file as an image of Pillow's: opening reads its header, loading takes what `draft` asks for.

    Attributes
    ----------
    note : str
        What is missing of the picture, once it is loaded.
    """

    format = "RAW"
    format_description = "camera file"
    note = ""

    def _open(self) -> None:
        import rawpy

        assert self.fp is not None
        self._data = self.fp.read()
        try:
            self._raw: Any = rawpy.imread(io.BytesIO(self._data))
        except rawpy.LibRawFileUnsupportedError as error:
            kind = recognize_file(self._data, "")
            name = "camera file" if kind is None else kind.name
            raise UnreadKindError(f"a kind of {name} that lookalike does not read") from error
        except rawpy.LibRawError as error:
            raise _plain(error) from error
        sizes = self._raw.sizes
        self._orientation = _ORIENTATIONS.get(sizes.flip, 1)
        self._window = _window(sizes)
        left, top, right, bottom = self._window
        self._size = (right - left, bottom - top)
        self._mode = "RGB"
        self._wanted: int | None = None
        self._is_loaded = False

    def draft(self, mode: str | None, size: tuple[int, int] | None) -> None:
        """Say how small the picture may be: each side keeps at least that of `size`."""
        self._wanted = None if size is None else max(size)

    def getexif(self) -> Exif:
        """Return nothing but the orientation."""
        exif = Pillow.Exif()
        exif[tags.ORIENTATION] = self._orientation
        return exif

    def load(self) -> Any:
        """Take the preview, or develop the picture."""
        if not self._is_loaded:
            picture = self._picture()
            picture.load()
            if "icc_profile" in picture.info:
                self.info["icc_profile"] = picture.info["icc_profile"]
            if self._orientation in _BACK and self.width > self.height and picture.height > picture.width:
                picture = picture.transpose(_BACK[self._orientation])
            self._mode, self._size = picture.mode, picture.size
            self.im = picture.im
            self._is_loaded = True
            self._raw.close()
        return super(ImageFile, self).load()

    def _picture(self) -> Image:
        whole = min(self._size)
        enough = whole // 2 if self._wanted is None else min(self._wanted, whole)
        preview = self._preview()
        is_cut = is_cut_short(self._data)
        if preview is not None and min(preview.size) >= enough:
            if is_cut:
                self.note = "cut short: only its preview is read"
            return preview
        try:
            if is_cut:
                raise OSError("the file is truncated")
            return self._develop()
        except MemoryError:
            raise
        except Exception:
            if preview is None:
                raise
            self.note = f"only its preview of {preview.width} × {preview.height} pixels could be read"
            return preview

    def _preview(self) -> Image | None:
        """Return the largest preview, JPEG or bitmap; None if there is none that can be read."""
        import rawpy

        try:
            thumb = self._raw.extract_thumb()
            is_jpeg = thumb.format == rawpy.ThumbFormat.JPEG
            preview: Image = (
                JpegImageFile(io.BytesIO(thumb.data)) if is_jpeg else Pillow.fromarray(thumb.data)
            )
            if min(preview.size) < _SMALLEST:
                return None
            if self._wanted is not None:
                preview.draft(None, (self._wanted, self._wanted))
            preview.load()
        except rawpy.LibRawUnsufficientMemoryError as error:
            raise MemoryError from error
        except (rawpy.LibRawError, rawpy.NotSupportedError, OSError, SyntaxError, ValueError, TypeError):
            return None
        return preview

    def _develop(self) -> Image:
        """Develop the picture: the camera's white balance, sRGB, and LibRaw's own brightness.

        LibRaw brightens until one pixel in a hundred is white, as cameras do in one way or another: sensor
        data as it is looks dark. Where half the size suffices, each cell of the sensor becomes one pixel.
        """
        import rawpy

        is_half = self._wanted is not None and min(self._size) // 2 >= self._wanted
        try:
            pixels = self._raw.postprocess(
                use_camera_wb=True,
                half_size=is_half,
                output_color=rawpy.ColorSpace.sRGB,
                output_bps=8,
                user_flip=0,
            )
        except rawpy.LibRawUnsufficientMemoryError as error:
            raise MemoryError from error
        except rawpy.LibRawError as error:
            raise _plain(error) from error
        picture = Pillow.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])
        sizes, scale = self._raw.sizes, 2 if is_half else 1
        if abs(picture.width * scale - sizes.iwidth) < scale and picture.height * scale >= sizes.iheight:
            left, top, right, bottom = (side // scale for side in self._window)
            # Not crop(): it looks at the limit of pixels that the process has set Pillow.
            window = Pillow.new(picture.mode, (right - left, bottom - top))
            window.paste(picture, (-left, -top))
            return window
        return picture


def _window(sizes: Any) -> tuple[int, int, int, int]:
    """Return the part of LibRaw's picture that the camera's own would show, as left, top, right, bottom."""
    left = sizes.crop_left_margin - sizes.left_margin
    top = sizes.crop_top_margin - sizes.top_margin
    right, bottom = left + sizes.crop_width, top + sizes.crop_height
    is_inside = 0 <= left < right <= sizes.iwidth and 0 <= top < bottom <= sizes.iheight
    return (left, top, right, bottom) if is_inside else (0, 0, sizes.iwidth, sizes.iheight)


def _plain(error: Exception) -> Exception:
    """Say LibRaw's error in words that are not about the disk."""
    import rawpy

    if isinstance(error, rawpy.LibRawUnsufficientMemoryError):
        return MemoryError()
    if isinstance(error, rawpy.LibRawIOError):  # a read beyond the end
        return OSError("the file is truncated")
    return OSError(str(error))
