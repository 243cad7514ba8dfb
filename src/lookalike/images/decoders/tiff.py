"""TIFFs of every kind that says what it means.

Pillow reads the usual kinds, quickly. Others it refuses, or reads as what they are not: it takes no notice
of a white that is 0 in deep greys, nor of how many bits there are. Those are read here: greys, RGB,
palettes, CMYK, L*a*b* and YCbCr of 1 to 64 bits, integers and floats, with an alpha channel or without, in
any byte order, in strips or tiles, chunky or in planes; compressed by LZW, deflate, PackBits, LZMA,
Zstandard, or not. What comes out has 8 bits a sample; `lookalike.images.levels` says which numbers are
black and white.

What neither of the two reads is a kind that is not read, and is called so: only decoders that fail on a
kind that they do read speak of damage.

Pillow has no CMYK with alpha, so that is laid on its ground in ink, and stays CMYK for its profile.

References
----------
Adobe, "TIFF Revision 6.0", 1992: section 21 (YCbCr), 23 (L*a*b*).
"""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL.Image import Image
from PIL.ImageFile import ImageFile, _Tile
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from lookalike.images.decoders.tiff_kinds import (
    CMYK,
    COLORS,
    ICC_LAB,
    LAB,
    PALETTE,
    RGB,
    WHITE_IS_0,
    YCBCR,
    Kind,
    is_codec_there,
)
from lookalike.images.decoders.tiff_samples import Block, decompress, read_blocks
from lookalike.images.decoders.tiff_tags import Tags, read_tags
from lookalike.images.ground import DARK, choose_ground
from lookalike.images.levels import Samples, levels_of, opacity_levels

Bytes = npt.NDArray[np.uint8]

_ORIENTATION, _COLOR_MAP, _COEFFICIENTS, _REFERENCE, _ICC_PROFILE = 274, 320, 529, 532, 34675  # tags
_REC_601 = (0.299, 0.587, 0.114)  # how bright red, green and blue are where the file does not say
_FULL_RANGE = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)  # black and white of Y; grey and most of Cb, of Cr
_MODES = {RGB: "RGB", PALETTE: "RGB", YCBCR: "RGB", CMYK: "CMYK", LAB: "LAB", ICC_LAB: "LAB"}


class TiffFile(TiffImageFile):
    """A TIFF, read as it lies: its orientation is still to be undone."""

    _kind: Kind
    _tags: Tags

    def _open(self) -> None:
        assert self.fp is not None
        try:
            self._tags = read_tags(_bytes_of(self.fp))
        except struct.error as error:
            raise OSError("its tags are truncated") from error
        if not (self._tags.is_big and self._tags.is_big_endian):
            super()._open()
            return
        # Pillow takes no BigTIFF of this order: it sees one without tags.
        self.tag_v2 = ImageFileDirectory_v2(prefix=b"MM")
        self._setup()

    @property
    def stored_orientation(self) -> int | None:
        """The orientation, even where Pillow has given up at another tag before it."""
        found = self._tags.values.get(_ORIENTATION)
        return int(found[0]) if found else None

    def _setup(self) -> None:
        self._kind = kind = Kind.of(self._tags)
        if kind.is_unread:
            raise kind.unread()
        if self._is_pillows():
            try:
                super()._setup()
            except (KeyError, SyntaxError) as error:
                raise kind.unread() from error
            self._size = self._tile_size  # Pillow would turn it as it loads
            return
        if not kind.is_ours:
            raise kind.unread()
        self._mode = _MODES.get(kind.photometric, "L")
        self._size = self._tile_size = (kind.layout.width, kind.layout.height)
        self.tile = [_Tile("lookalike", (0, 0, *self.size))]  # what says that it is to be loaded
        profile = self._tags.values.get(_ICC_PROFILE)
        if isinstance(profile, bytes):
            self.info["icc_profile"] = profile

    def _is_pillows(self) -> bool:
        """Whether Pillow reads this kind, and has found all the tags: it gives up at a broken one."""
        return self._kind.is_pillows and all(tag in self.tag_v2 for tag in self._tags.values)

    def load(self) -> Any:
        """Decode the pixels."""
        if not self.tile or self.fp is None:
            return super().load()
        data = _bytes_of(self.fp)
        try:
            if self._is_pillows():
                return super().load()
            picture = _read(data, self._kind, self._tags)
        except OSError as error:
            if self._kind.layout.reaches > len(data):
                raise EOFError from error
            if not is_codec_there(self._kind.layout.compression):
                raise self._kind.unread() from error
            raise
        self.im, self._mode, self.tile = picture.im, picture.mode, []
        self.load_end()
        return super().load()

    def load_prepare(self) -> None:
        """Make room for the pixels; whether there may be so many has been looked at before."""
        if self._im is None:
            self.im = Pillow.new(self.mode, self.size).im
        ImageFile.load_prepare(self)

    def load_end(self) -> None:
        """Read the tags while the file is open; leave the directories below, and the turning, to others."""
        with contextlib.suppress(Exception):  # damaged metadata must not lose the picture
            self.getexif()


def _bytes_of(stream: IO[bytes]) -> memoryview:
    """Return all of a file; of one in memory without a copy."""
    if isinstance(stream, io.BytesIO):
        return stream.getbuffer()
    stream.seek(0)
    return memoryview(stream.read())


def _read(data: memoryview, kind: Kind, tags: Tags) -> Image:
    """Decode a kind that Pillow does not read: mode L, RGB, CMYK or LAB, or LA or RGBA."""
    size = kind.layout.width, kind.layout.height
    mode = _MODES.get(kind.photometric, "L")
    picture = Pillow.new(mode, size)
    mask = None if kind.alpha is None else Pillow.new("L", size)
    for block, colors, opacity in _pieces(data, kind, tags):
        place = block.left, block.top
        extent = colors.shape[1], colors.shape[0]
        picture.paste(Pillow.frombytes(mode, extent, colors.tobytes()), place)
        if mask is not None and opacity is not None:
            mask.paste(Pillow.frombytes("L", extent, opacity.tobytes()), place)
    if mask is None:
        return picture
    if mode == "CMYK":
        return _on_ground(picture, mask)
    if mode == "LAB":
        picture = picture.convert("RGB")
    picture.putalpha(mask)
    return picture


def _on_ground(inks: Image, mask: Image) -> Image:
    """Lay CMYK on paper, or on a dark ground if all of it is as white as paper."""
    layer = inks.convert("RGB")
    layer.putalpha(mask)
    ground = (0, 0, 0, 255 - DARK[0] if choose_ground(layer) == DARK else 0)
    return Pillow.composite(inks, Pillow.new("CMYK", inks.size, ground), mask)


def _pieces(data: memoryview, kind: Kind, tags: Tags) -> Iterator[tuple[Block, Bytes, Bytes | None]]:
    """Yield each block with its colours, (h, w, samples of the mode), and its opacity, (h, w)."""
    count, alpha = COLORS[kind.photometric], kind.alpha
    bits, number = kind.layout.bits, kind.layout.kind
    if kind.is_subsampled:
        for block in _read_subsampled(data, kind):
            yield block, _rgb_of_ycbcr(block.samples, tags), None
        return
    is_number = kind.photometric not in (PALETTE, LAB, ICC_LAB)
    color_blocks = (block.samples[..., :count] for block in read_blocks(data, kind.layout))
    levels = levels_of(bits, number, color_blocks) if is_number else None
    if alpha is not None:
        alpha_blocks = (block.samples[..., alpha] for block in read_blocks(data, kind.layout))
        opacities = opacity_levels(bits, number, alpha_blocks)
    palette = _palette(tags, bits) if kind.photometric == PALETTE else None
    for block in read_blocks(data, kind.layout):
        samples = block.samples[..., :count]
        if palette is not None:
            colors = palette[samples[..., 0]]
        elif levels is None:
            colors = _lab(samples, bits, kind.photometric)
        else:
            colors = levels.to_8_bits(samples)
        opacity = None
        if alpha is not None:
            opacity = opacities.to_8_bits(block.samples[..., alpha])
            if kind.is_associated and levels is not None:
                colors = _divide(colors, opacity)
        if kind.photometric == WHITE_IS_0:
            colors = 255 - colors
        elif kind.photometric == YCBCR:
            colors = _rgb_of_ycbcr(colors, tags)
        yield block, colors, opacity


def _divide(colors: Bytes, opacity: Bytes) -> Bytes:
    """Undo the multiplication of colours, (h, w, n), by their opacity, (h, w)."""
    by = np.maximum(opacity, 1)[..., None].astype(np.uint16)
    divided: Bytes = np.minimum((colors.astype(np.uint16) * 255 + by // 2) // by, 255).astype(np.uint8)
    return divided


def _palette(tags: Tags, bits: int) -> Bytes:
    """Return the colours of a palette, (2 ** bits, 3)."""
    values = np.array(tags.integers(_COLOR_MAP), np.int64).reshape(3, 2**bits).T
    # Its numbers have 16 bits, but some writers, as libtiff's authors found, write 8.
    return (values if values.max() < 256 else values >> 8).astype(np.uint8)


def _lab(samples: Samples, bits: int, photometric: int) -> Bytes:
    """Return L*, a*, b* as Pillow takes them: the high byte of each, a* and b* signed."""
    high = (samples.view(f"u{bits // 8}") >> (bits - 8)).astype(np.uint8)
    if photometric == ICC_LAB:  # a* and b* begin at 128 there
        high[..., 1:] ^= 0x80
    return high


def _read_subsampled(data: memoryview, kind: Kind) -> Iterator[Block]:
    """Yield the blocks of YCbCr whose pixels share their colours (TIFF 6.0, p. 93), 8 bits each."""
    layout = kind.layout
    across, down = kind.subsampling
    units = -(-layout.block_width // across)
    for number in range(layout.blocks):
        rows = layout.rows_of(number)
        n_units = -(-rows // down)
        found = decompress(data, layout, [number], [n_units], units * (across * down + 2))
        found = found.reshape(n_units, units, across * down + 2)
        bright = found[..., :-2].reshape(n_units, units, down, across).transpose(0, 2, 1, 3)
        planes = [bright.reshape(n_units * down, units * across)]
        planes += [found[..., at].repeat(down, axis=0).repeat(across, axis=1) for at in (-2, -1)]
        top = number // layout.across * layout.block_height
        left = number % layout.across * layout.block_width
        height, width = min(rows, layout.height - top), min(layout.block_width, layout.width - left)
        yield Block(left, top, np.dstack(planes)[:height, :width])


def _rgb_of_ycbcr(samples: Bytes, tags: Tags) -> Bytes:
    """Return RGB of 8-bit YCbCr, (h, w, 3), by the file's own coefficients and levels."""
    red, green, blue = tags.numbers(_COEFFICIENTS, _REC_601)
    reference = tags.numbers(_REFERENCE, _FULL_RANGE)
    values = samples.astype(np.float32)
    bright = (values[..., 0] - reference[0]) * (255 / (reference[1] - reference[0]))
    cb = (values[..., 1] - reference[2]) * (127 / (reference[3] - reference[2]))
    cr = (values[..., 2] - reference[4]) * (127 / (reference[5] - reference[4]))
    r = bright + (2 - 2 * red) * cr
    b = bright + (2 - 2 * blue) * cb
    g = (bright - red * r - blue * b) / green
    rgb: Bytes = np.clip(np.rint(np.stack([r, g, b], axis=-1)), 0, 255).astype(np.uint8)
    return rgb
