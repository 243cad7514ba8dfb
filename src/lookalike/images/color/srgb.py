"""From the colours of a profile to sRGB, by LittleCMS, and quickly where many images share the profile.

A conversion is built once for each profile and kept. Profiles that are sRGB but for rounding, which most
are, are found out by converting a grid of colours, and then cost nothing; greys go through 256 levels.

LittleCMS takes some 20 ns a pixel, which is a fifth of all that indexing a small photo takes. So the
conversion of a profile is written down as a table of 64 × 64 × 64 colours, one every four levels, which takes
some 60 ms: a pixel gets the entry of its cell, plus how far it lies from the cell's lowest corner, 0 to 3
levels in each channel. That takes a third of the time. It is off by half a level in the mean, and by more
than 3 levels only for some colours on the edge of what sRGB has. Where it would be off by more, as for Adobe
RGB, ProPhoto, PQ, HLG and linear light, it is LittleCMS all the way.

The intent is relative colorimetric, without black point compensation: the colours that sRGB has come out
as they were measured. With compensation, a printer's darks come out up to 6 (CIEDE2000) darker than they are.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.Image import Image

_MODES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}
"""Modes of Pillow's, and what a profile calls their colour space."""

_CLASSES = {"mntr", "scnr", "prtr", "spac", "abst"}  # no links of devices, no named colours
_LARGEST = 16 << 20  # bytes of a profile; the largest of printers have 2 or 3 MB
_KEPT = 256  # conversions
_TABLES_KEPT = 8  # of these; a table takes 1 MiB

_SAME = 2  # levels: a profile whose colours all come out this near is sRGB
_TABLE_OFF = ((256, 0.6), (64, 0.45))
"""How many levels a table may be off, in the mean of all colours, and of those of levels below 64.

Display P3 is off by 0.51 and 0.31, Adobe RGB by 0.49 and 0.52. With a table, the mean cosine of 72 photos to
their sRGB twins (JPEG of quality 95) went from 0.9954 to 0.9943 for the latter, from 0.9969 to 0.9967 for P3.
"""
_TABLE_MOST, _TABLE_RARE = 4, 0.02  # levels; one colour in fifty may be off by more

_AT_ONCE = 16_384  # pixels looked up: what is made on the way then stays in the processor's cache

_Codes = npt.NDArray[np.uint32]  # a pixel each: red + 256 green + 65536 blue, and no matter what above
_COLOR, _WITHIN = 0xFFFFFF, 0x030303
_RED_CELL, _GREEN_CELL, _BLUE_CELL = 0x3F, 0x3F << 6, 0x3F << 12  # of an index of the table


class Conversion(Protocol):
    """From an image of one colour space, in mode L, RGB, CMYK or LAB, to one of sRGB, in mode RGB.

    The image given is not changed, but may be the one that comes back. Many threads may call it at once.
    """

    def __call__(self, image: Image) -> Image:
        """Convert an image."""


class _Conversions:
    """Those used last, and those found impossible, by profile and mode."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[bytes, str], Conversion | None] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, profile: bytes, mode: str) -> Conversion | None:
        key = (hashlib.sha256(profile).digest(), mode)
        with self._lock:  # held while one is built: the other threads mostly wait for the same
            if key not in self._kept:
                self._kept[key] = _build(profile, mode)
            self._kept.move_to_end(key)
            tables = [each for each, found in self._kept.items() if isinstance(found, _Table)]
            for oldest in [*tables[:-_TABLES_KEPT], *list(self._kept)[:-_KEPT]]:
                self._kept.pop(oldest, None)
            return self._kept[key]


_conversions = _Conversions()


def conversion(profile: bytes, mode: str) -> Conversion | None:
    """Return what turns the colours of a profile into sRGB.

    Parameters
    ----------
    profile : bytes
        An ICC profile; may be anything.
    mode : str
        Of the images to convert: L, RGB, CMYK or LAB.

    Returns
    -------
    Conversion or None
        None if the profile is broken, or for images of other kinds.
    """
    return _conversions.find(profile, mode) if len(profile) <= _LARGEST else None


def _build(profile: bytes, mode: str) -> Conversion | None:
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        facts = source.profile
        if facts.xcolor_space.strip() != _MODES.get(mode) or facts.device_class not in _CLASSES:
            return None
        transform = ImageCms.ImageCmsTransform(
            source,
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            # What LittleCMS remembers of the last pixel must not be shared by threads.
            flags=ImageCms.Flags.NOCACHE,
        )
    except MemoryError:
        raise
    except Exception:  # whatever is wrong with it, the picture is there without
        return None
    exact = _Exact(transform)
    if mode == "L":
        return _of_greys(exact)
    return _of_colors(exact) if mode == "RGB" else exact


class _Exact:
    """LittleCMS itself."""

    def __init__(self, transform: Any) -> None:
        self._transform = transform.transform  # without the profile that Pillow's own would write each time

    def __call__(self, image: Image) -> Image:
        from PIL import Image as Pillow

        converted = Pillow.new("RGB", image.size)
        self._transform.apply(image.getim(), converted.getim())
        return converted


class _Levels:
    """What each of 256 greys becomes."""

    def __init__(self, levels: list[int]) -> None:
        self._levels = levels  # 256 for red, 256 for green, 256 for blue

    def __call__(self, image: Image) -> Image:
        return image.convert("RGB").point(self._levels)


class _Table:
    """What each cell of four levels a channel becomes."""

    def __init__(self, table: _Codes) -> None:
        self._table = table

    def __call__(self, image: Image) -> Image:
        return _image(_look_up(self._table, _codes(image)), image.size)


def _unchanged(image: Image) -> Image:
    return image.convert("RGB") if image.mode != "RGB" else image


def _of_greys(exact: _Exact) -> Conversion:
    from PIL import Image as Pillow

    ramp = Pillow.frombytes("L", (256, 1), bytes(range(256)))
    levels = np.asarray(exact(ramp))[0]  # (256, 3) uint8
    if np.abs(levels.astype(int) - np.arange(256)[:, None]).max() <= _SAME:
        return _unchanged
    return _Levels(levels.T.ravel().tolist())


def _of_colors(exact: _Exact) -> Conversion:
    steps = np.r_[0:256:17, 1:34:4].astype(np.uint32)  # more of the darks, where curves differ most
    grid = _pack(steps[:, None, None], steps[:, None], steps)
    if _distances(_exactly(exact, grid), grid).max() <= _SAME:
        return _unchanged
    table = _make_table(exact)
    return _Table(table) if _is_near(table, exact) else exact


def _make_table(exact: _Exact) -> _Codes:
    """Write down the conversion of every fourth level, (64³,), red changing fastest, then green.

    Without gaps: 1 MiB stays in a processor's cache beside the weights of a network.
    """
    each = np.arange(0, 256, 4, dtype=np.uint32)
    corners = _pack(each, each[:, None], each[:, None, None])
    # Of the middle of a cell, 1.5 levels from its corner: the mean of the colours on either side of it.
    below = _exactly(exact, corners + np.uint32(0x010101))
    above = _exactly(exact, corners + np.uint32(0x020202))
    table = np.zeros(corners.size, np.uint32)
    for shift in (0, 8, 16):
        middle = (below >> shift & 255).astype(np.int32) + (above >> shift & 255).astype(np.int32)
        table |= np.clip((middle - 2) >> 1, 0, 252).astype(np.uint32) << shift
    return table


def _look_up(table: _Codes, codes: _Codes) -> _Codes:
    found = np.empty(codes.size, np.uint32)
    for start in range(0, codes.size, _AT_ONCE):
        part, out = codes[start : start + _AT_ONCE], found[start : start + _AT_ONCE]
        cells = part >> 2
        cells &= _RED_CELL
        shifted = part >> 4
        shifted &= _GREEN_CELL
        cells |= shifted
        np.right_shift(part, 6, out=shifted)
        shifted &= _BLUE_CELL
        cells |= shifted
        table.take(cells, mode="wrap", out=out)  # nothing to wrap, but "raise" would take a copy
        out += np.bitwise_and(part, _WITHIN, out=cells)
    return found


def _is_near(table: _Codes, exact: _Exact) -> bool:
    """Tell whether a table is as good as it has to be, on colours drawn from all and from the dark ones."""
    random = np.random.default_rng(0)
    for most, mean in _TABLE_OFF:
        drawn = random.integers(0, most, (20_000, 3), np.uint32)
        codes = _pack(*drawn.T)
        off = _distances(_look_up(table, codes), _exactly(exact, codes))
        if off.mean() > mean or (off > _TABLE_MOST).mean() > _TABLE_RARE:
            return False
    return True


def _pack(red: _Codes, green: _Codes, blue: _Codes) -> _Codes:
    """Return what stands for these levels, all combinations of the axes, (n,)."""
    codes: _Codes = (red + green * np.uint32(1 << 8) + blue * np.uint32(1 << 16)).ravel()
    return codes


def _exactly(exact: _Exact, codes: _Codes) -> _Codes:
    return _codes(exact(_image(codes, (codes.size, 1)))) & np.uint32(_COLOR)


def _distances(one: _Codes, other: _Codes) -> npt.NDArray[np.int32]:
    """Return how many levels apart pixels are, (n, 3)."""
    channels = [(codes[:, None] >> np.array([0, 8, 16], np.uint32) & 255) for codes in (one, other)]
    return np.abs(channels[0].astype(np.int32) - channels[1].astype(np.int32))


def _codes(image: Image) -> _Codes:
    return np.frombuffer(image.tobytes("raw", "RGBX"), "<u4")


def _image(codes: _Codes, size: tuple[int, int]) -> Image:
    from PIL import Image as Pillow

    return Pillow.frombytes("RGB", size, codes.astype("<u4", copy=False).data, "raw", "RGBX")
