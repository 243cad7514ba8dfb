"""From the bytes of an image file to RGB pixels, the right way up, whatever the file is.

One bad file must cost one row in ``failures`` and nothing else, so whatever a reader raises on hostile
bytes comes out as ImageError with a reason.

JPEG is decoded at a fraction of its size where that still covers what is wanted (libjpeg's scaled
decoding, 1/2 to 1/8): a 12-megapixel photo takes a tenth of the time.
"""

from __future__ import annotations

import errno
import io
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.errors import ImageDamagedError, ImageError, ImageExtraError, ImageResourceError
from lookalike.images import apart
from lookalike.images.cost import Cost, reckon
from lookalike.images.cut_short import is_cut_short
from lookalike.images.formats import FORMATS, ImageFormat, UnreadKindError, recognize_file
from lookalike.images.orientation import SWAPS_SIDES, orientation_of, turn
from lookalike.images.rgb import to_rgb, to_small_rgb
from lookalike.system.installing import install_command
from lookalike.system.limits import PICTURE_SECONDS
from lookalike.system.plain_files import read_plain
from lookalike.system.progress import UNWATCHED, Watch

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image

MAX_PIXELS = 250_000_000
"""Images of more pixels than this are refused before any is decoded: 250 megapixels take 1 GB."""

MAX_FILE_BYTES = 1 << 30
"""Files larger than this are refused before they are read."""

_SMALL_FILE = 4 << 20  # bytes
_IN_CHILD = "lookalike.images.decode:decode_in_child"


@dataclass(frozen=True, slots=True)
class Decoded:
    """An image ready for use.

    Attributes
    ----------
    image : PIL.Image.Image
        Mode RGB, in sRGB, upright, on one colour where it was transparent. Smaller than the file says where
        scaled decoding was asked for.
    format : str
        A name of ``FORMATS``.
    width, height : int
        Of the whole image, upright, in pixels.
    note : str
        What is missing of an image that could be read all the same, in a few words; empty if nothing is.
    """

    image: Image
    format: str
    width: int
    height: int
    note: str = ""


def read_file(path: Path) -> bytes:
    """Read the bytes of an image file.

    Raises
    ------
    ImageError
        If the file is missing, unreadable, empty, too large, or not a regular file.
    """
    try:
        # Not open() first: it would wait for ever on a named pipe.
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ImageDamagedError(str(path), "not a regular file")
        if status.st_size > MAX_FILE_BYTES:
            size = status.st_size / (1 << 30)
            raise ImageDamagedError(str(path), f"the file has {size:.1f} GiB; at most 1 GiB is read")
        data = read_plain(path)
    except OSError as error:
        raise ImageDamagedError(str(path), os_reason(error)) from error
    except ValueError as error:  # a zero byte in its name, or what no name is spelled with
        raise ImageDamagedError(str(path), "no file can have this name") from error
    except MemoryError as error:
        raise ImageResourceError(str(path), "not enough memory to read it", is_permanent=False) from error
    if not data:
        raise ImageDamagedError(str(path), "the file is empty")
    return data


def read_open_file(file: Any) -> Any:
    """Read an open file, from its beginning where it can go back: what was just written into it ends there.

    What it gives need not be bytes; of what is too large a byte more than `MAX_FILE_BYTES`. Whatever the file
    raises is let pass.
    """
    if callable(getattr(file, "seekable", None)) and file.seekable():
        file.seek(0)
    return file.read(MAX_FILE_BYTES + 1)


def os_reason(error: OSError) -> str:
    """Say in a few words why the operating system refused a file."""
    return {
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.ENOENT: "no such file",
        errno.ELOOP: "a loop of symbolic links",
        errno.EIO: "the disk cannot read it (input/output error)",
    }.get(error.errno or 0, error.strerror or str(error))


def read_image(path: Path, shorter_side: int | None = None, max_pixels: int = MAX_PIXELS) -> Decoded:
    """Read and decode an image file; see `read_file` and `decode`."""
    return decode(read_file(path), str(path), shorter_side, max_pixels)


def decode(
    data: bytes,
    name: str,
    shorter_side: int | None = None,
    max_pixels: int = MAX_PIXELS,
    *,
    seconds: float = PICTURE_SECONDS,
    watch: Watch = UNWATCHED,
) -> Decoded:
    """Decode an image, in a bounded time and memory; `lookalike.images.apart` says how.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What to call it in errors.
    shorter_side : int, optional
        The decoded image may be smaller than the file's, but its shorter side keeps at least this many
        pixels; or the image 40 megapixels in all, where it is long and narrow. The whole image by default.
    max_pixels : int
        Refuse images of more pixels (width × height), before decoding any.
    seconds : float
        It is stopped when it takes longer.
    watch : Watch
        May stop it.

    Returns
    -------
    Decoded
        The first frame of an animated image.

    Raises
    ------
    ImageError
        If the bytes are no image, damaged, cut short, too large, or sound but of a kind that is not read; if
        it takes too long; or, for the time being, more memory than there is.
    CancelledError
    """
    kind = recognize_file(data, name)
    if kind is None:
        raise ImageDamagedError(name, _not_an_image(data))
    cost = reckon(kind.name, data, shorter_side)
    if cost is None:  # its reader will say what is wrong with it, in little time
        cost = Cost(0, 0, 64_000_000, 1.0, is_apart=len(data) > _SMALL_FILE)
    _check_size(name, cost.width, cost.height, max_pixels)
    if cost.doubt:
        raise ImageDamagedError(name, f"damaged {kind.name} file ({cost.doubt})")
    if apart.is_far_too_slow(cost, seconds):
        raise ImageDamagedError(name, apart.far_too_slow(seconds))
    if apart.is_for_thread(cost):
        with apart.room_for(cost, name, len(data), watch):
            return decode_here(data, name, shorter_side, max_pixels)
    try:
        return _decode_apart(data, name, shorter_side, max_pixels, cost, seconds, watch)
    except apart.NoChildError as error:
        if not apart.can_do_without_child(cost):
            raise ImageResourceError(name, str(error), is_permanent=False) from error
    with apart.room_for(cost, name, len(data), watch):
        return decode_here(data, name, shorter_side, max_pixels)


def _decode_apart(
    data: bytes,
    name: str,
    shorter_side: int | None,
    max_pixels: int,
    cost: Cost,
    seconds: float,
    watch: Watch,
) -> Decoded:
    from PIL import Image as Pillow

    call = (data, name, shorter_side, max_pixels)
    cost = replace(cost, memory=cost.memory + apart.A_RETURNED_PIXEL * cost.result)
    try:
        try:
            with apart.room_for(cost, name, len(data), watch):
                answer, said = apart.decode_apart(_IN_CHILD, call, cost, seconds, watch)
        except MemoryError:
            if not cost.more_memory:
                raise
            cost = replace(cost, memory=cost.more_memory)
            with apart.room_for(cost, name, len(data), watch):
                answer, said = apart.decode_apart(_IN_CHILD, call, cost, seconds, watch)
        if isinstance(answer, ImageError):
            if isinstance(answer.__cause__, MemoryError) or not answer.is_permanent:
                raise answer
            raise apart.as_child_failed(answer, said)
        size, pixels, *facts = answer
        return Decoded(Pillow.frombytes("RGB", size, pixels), *facts)
    except MemoryError as error:
        raise ImageResourceError(name, "not enough memory to decode it", is_permanent=False) from error


def decode_in_child(data: bytes, name: str, shorter_side: int | None, max_pixels: int) -> Any:
    """Return what `decode_here` gives as something that can be sent, or the error that it raises.

    Raises
    ------
    MemoryError
    """
    try:
        found = decode_here(data, name, shorter_side, max_pixels)
    except ImageResourceError as error:
        if isinstance(error.__cause__, MemoryError) or "memory" in error.reason:
            raise MemoryError from None
        return error
    except ImageError as error:
        error.__cause__ = error.__context__ = None
        return error
    return found.image.size, found.image.tobytes(), found.format, found.width, found.height, found.note


def decode_here(
    data: bytes, name: str, shorter_side: int | None = None, max_pixels: int = MAX_PIXELS
) -> Decoded:
    """Decode an image in this thread, whatever it takes; see `decode`."""
    from lookalike.images.color.profiles import profiles

    kind = recognize_file(data, name)
    if kind is None:
        raise ImageDamagedError(name, _not_an_image(data))
    try:
        # The image keeps its own reference to the stream; nothing here needs closing.
        kind, image = _open(kind, data, name)
        width, height = image.size
        _check_size(name, width, height, max_pixels)
        if shorter_side is not None and kind.can_draft:
            image.draft(None, (min(width, shorter_side), min(height, shorter_side)))
        image.load()
        orientation = orientation_of(image)
        upright = turn(to_small_rgb(image, shorter_side, profiles(image, data)), orientation)
    except ImageError:
        raise
    except UnreadKindError as error:
        raise ImageDamagedError(name, str(error)) from error
    except MemoryError as error:
        raise ImageResourceError(name, "not enough memory to decode it", is_permanent=False) from error
    except Exception as error:  # image readers raise nearly anything on hostile bytes
        if "out of memory" in str(error):  # Pillow's decoders, as an OSError
            raise ImageResourceError(name, "not enough memory to decode it", is_permanent=False) from error
        cut_short = f"the {kind.name} file is cut short" if is_cut_short(data) else ""
        raise ImageDamagedError(name, cut_short or _reader_reason(kind.name, error)) from error
    if orientation in SWAPS_SIDES:
        width, height = height, width
    return Decoded(upright, kind.name, width, height, getattr(image, "note", ""))


def _check_size(name: str, width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ImageDamagedError(
            name,
            f"too large: {width} × {height} is {width * height / 1e6:,.0f} megapixels,"
            f" at most {max_pixels / 1e6:,.0f} are decoded",
        )


def from_pixels(pixels: npt.NDArray[np.uint8]) -> Decoded:
    """Turn pixels, (h, w) grey or (h, w, 3) RGB, into what `decode` gives; the format is called PIXELS."""
    from PIL import Image as Pillow

    height, width = pixels.shape[:2]
    return Decoded(Pillow.fromarray(pixels).convert("RGB"), "PIXELS", width, height)


def upright_rgb(image: Image) -> Image:
    """Turn an image that Pillow opened into what `decode` gives: sRGB, upright, not transparent."""
    from lookalike.images.color.profiles import profiles

    image.load()  # Pillow turns a TIFF as it loads it, and only then forgets its orientation
    orientation = orientation_of(image)
    return turn(to_rgb(image, profiles(image)), orientation)


def _open(kind: ImageFormat, data: bytes, name: str) -> tuple[ImageFormat, Image]:
    """Read the header of a file, as the kind that it is in the end."""
    try:
        return kind, kind.open(io.BytesIO(data))
    except ImportError as error:
        needed = install_command(kind.extra) if kind.extra else f"pip install {error.name}"
        reason = f"{kind.name} needs a reader that is not installed: {needed}"
        raise ImageExtraError(name, reason, is_permanent=False, extra=kind.extra) from error
    except UnreadKindError:
        plain = recognize_file(data, "")  # what only its name made a camera file is a TIFF all the same
        if plain is None or plain is kind:
            raise
        return plain, plain.open(io.BytesIO(data))


def _not_an_image(data: bytes) -> str:
    known = ", ".join(row.name for row in FORMATS)
    if not data:
        return "the file is empty"
    return f"not an image (its first bytes are of none of {known})"


def _reader_reason(kind: str, error: Exception) -> str:
    from PIL.Image import DecompressionBombError

    # Readers quote what they found, and what a hostile file holds may be a terminal's control codes.
    text = "".join(c if c.isprintable() else "?" for c in " ".join(str(error).split()))
    if isinstance(error, DecompressionBombError):  # some readers look at Pillow's own limit all the same
        return f"too large: {text.partition(',')[0]}"
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return f"the {kind} file is cut short"
    # Readers quote the stream object ("cannot identify <_io.BytesIO …>"): no help to anyone.
    return f"damaged {kind} file" + (f" ({text[:120]})" if text and "<_io" not in text else "")
