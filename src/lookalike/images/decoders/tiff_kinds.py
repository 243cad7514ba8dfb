"""What the tags of a TIFF say of its samples, and who reads such a kind: Pillow, lookalike itself, or nobody.

References
----------
Adobe, "TIFF Revision 6.0", 1992.
"""

from __future__ import annotations

from dataclasses import dataclass

from lookalike.images.decoders.tiff_samples import BY_LIBTIFF, DEFLATE, NONE, WITH_PREDICTOR, Layout
from lookalike.images.decoders.tiff_tags import Tags
from lookalike.images.formats import UnreadKindError

WHITE_IS_0, BLACK_IS_0, RGB, PALETTE, CMYK, YCBCR, LAB, ICC_LAB = 0, 1, 2, 3, 5, 6, 8, 9
"""PhotometricInterpretation: what the samples mean."""

COLORS = {WHITE_IS_0: 1, BLACK_IS_0: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3, LAB: 3, ICC_LAB: 3}
"""Samples of a pixel without extra ones."""

ASSOCIATED, UNASSOCIATED = 1, 2
"""Extra samples that are opacity; the colours are multiplied by it, or not."""

_NAMES = {
    WHITE_IS_0: "grey",
    BLACK_IS_0: "grey",
    RGB: "RGB",
    PALETTE: "palette",
    CMYK: "CMYK",
    YCBCR: "YCbCr",
    LAB: "L*a*b*",
    ICC_LAB: "L*a*b*",
    4: "mask of another image",
    10: "ITU L*a*b*",
    32803: "raw data of a camera's sensor",
    32844: "LogL",
    32845: "LogLuv",
    34892: "raw data of a camera's sensor",
}
_COMPRESSIONS = {
    1: "no",
    2: "CCITT",
    3: "CCITT",
    4: "CCITT",
    5: "LZW",
    6: "old-style JPEG",
    7: "JPEG",
    8: "deflate",
    9: "JBIG",
    10: "JBIG",
    32766: "NeXT",
    32771: "CCITT",
    32773: "PackBits",
    32809: "ThunderScan",
    32946: "deflate",
    33003: "JPEG 2000",
    33005: "JPEG 2000",
    34676: "SGI Log",
    34677: "SGI Log",
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "lossless JPEG",
    34925: "LZMA",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_FAX, _OLD_JPEG, _JPEG, _THUNDERSCAN, _WEBP = {2, 3, 4, 32771}, 6, 7, 32809, 50001
_OURS = NONE | DEFLATE | BY_LIBTIFF
_LARGEST_BLOCK = 1 << 32  # bytes, as 250 megapixels of four floats are 4 GB
_KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}  # SampleFormat; 4 is "undefined"; 5 and 6, complex, are not here
_BITS = {
    "u": frozenset(range(1, 33)) | {64},
    "i": frozenset(range(2, 33)) | {64},
    "f": frozenset({16, 32, 64}),
}
_PREDICTED = {1: _BITS["u"], 2: frozenset({8, 16, 32, 64}), 3: _BITS["f"]}

_PILLOWS = {  # (photometric, samples, extra samples): chunky, 8 bits, unsigned
    (WHITE_IS_0, 1, ()),
    (BLACK_IS_0, 1, ()),
    (RGB, 3, ()),
    (RGB, 4, (ASSOCIATED,)),
    (RGB, 4, (UNASSOCIATED,)),
    (PALETTE, 1, ()),
    (CMYK, 4, ()),
    (LAB, 3, ()),
}
"""What Pillow reads right and faster, of the compressions that could be read here, too."""

_CODECS = {5: "tiff_lzw", 7: "jpeg", 32773: "packbits", 34925: "lzma", 50000: "zstd", 50001: "webp"}
"""Pillow's names of compressions, to find out which of them its libtiff was built with."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What the tags say of the samples.

    Attributes
    ----------
    photometric : int
    bits, kinds : tuple of int, tuple of str
        Of each sample of a pixel; ``"u"``, ``"i"``, ``"f"``, or ``"?"`` for numbers that are none of these.
    extras : tuple of int
        What the last samples of a pixel are.
    subsampling : (int, int)
        Pixels that share their colours in YCbCr, across and down.
    layout : Layout
        How the samples lie in the file, in the terms of the first one.
    inks : int
        1 for CMYK.
    """

    photometric: int
    bits: tuple[int, ...]
    kinds: tuple[str, ...]
    extras: tuple[int, ...]
    subsampling: tuple[int, int]
    layout: Layout
    inks: int

    @classmethod
    def of(cls, tags: Tags) -> Kind:
        """Understand the tags; ValueError if one that has to be there is not, or cannot be."""
        width, height = tags.integer(256), tags.integer(257)
        compression = tags.integer(259, 1)
        samples = tags.integer(277, 3 if compression == _OLD_JPEG else 1)
        is_tiled = 324 in tags.values
        block_width = tags.integer(322) if is_tiled else width
        block_height = tags.integer(323) if is_tiled else min(tags.integer(278, height), height)
        if min(width, height, block_width, block_height, samples) < 1:
            raise ValueError("a size of 0")
        offsets = tags.integers(324 if is_tiled else 273, ())
        bits = _for_each(tags.integers(258, (1,)), samples)
        kinds = tuple(_KINDS.get(number, "?") for number in _for_each(tags.integers(339, (1,)), samples))
        across, down = tags.integers(530, (2, 2))[:2]
        layout = Layout(
            width=width,
            height=height,
            samples=samples,
            bits=bits[0],
            kind=kinds[0],
            is_big_endian=tags.is_big_endian,
            is_planar=tags.integer(284, 1) == 2 and samples > 1,
            is_reversed=tags.integer(266, 1) == 2,
            compression=compression,
            predictor=tags.integer(317, 1) if compression in WITH_PREDICTOR else 1,
            block_width=block_width,
            block_height=block_height,
            is_tiled=is_tiled,
            offsets=offsets,
            sizes=_for_each(tags.integers(325 if is_tiled else 279, (0,)), len(offsets)),
        )
        return cls(
            photometric=tags.integer(262, _usual_photometric(compression, samples)),
            bits=bits,
            kinds=kinds,
            extras=tags.integers(338, ()),
            subsampling=(across, down),
            layout=layout,
            inks=tags.integer(332, 1),
        )

    @property
    def is_pillows(self) -> bool:
        """Whether Pillow reads it."""
        layout = self.layout
        if layout.compression not in _OURS:
            return True
        if layout.is_planar or layout.is_reversed or set(self.kinds) != {"u"} or layout.predictor == 3:
            return False
        if set(self.bits) == {8}:
            return (self.photometric, layout.samples, self.extras) in _PILLOWS
        is_grey = self.photometric in (WHITE_IS_0, BLACK_IS_0, PALETTE)
        return is_grey and self.bits in {(1,), (2,), (4,)} and layout.predictor == 1

    @property
    def alpha(self) -> int | None:
        """Which sample of a pixel is its opacity.

        The first that is said to be; those that are not specified are masks. A fourth sample of RGB of which
        nothing is said is opacity, too.
        """
        n_colors = COLORS[self.photometric]
        if self.photometric == RGB and self.layout.samples == 4 and not self.extras:
            return 3
        found = (n_colors + at for at, extra in enumerate(self.extras) if extra in (ASSOCIATED, UNASSOCIATED))
        return next((at for at in found if at < self.layout.samples), None)

    @property
    def is_associated(self) -> bool:
        """Whether the colours are multiplied by the opacity."""
        alpha = self.alpha
        return alpha is not None and bool(self.extras) and self.extras[alpha - COLORS[self.photometric]] == 1

    @property
    def is_ours(self) -> bool:
        """Whether it could be read without Pillow, if it is not unread altogether."""
        return self.layout.compression in _OURS

    @property
    def is_unread(self) -> bool:
        """Whether it is known beforehand that nobody reads it."""
        layout, bits = self.layout, set(self.bits)
        compression = layout.compression
        if compression in _FAX:
            return self.bits != (1,) or self.photometric not in (WHITE_IS_0, BLACK_IS_0)
        if compression in (_JPEG, _OLD_JPEG, _WEBP):
            return bits != {8}
        if compression == _THUNDERSCAN:
            return self.bits != (4,)
        if layout.block_height * layout.row_bytes > _LARGEST_BLOCK and (compression != 1 or layout.is_tiled):
            return True
        if compression not in _OURS or layout.samples < COLORS.get(self.photometric, 1 << 16):
            return True
        if self.photometric in (LAB, ICC_LAB):
            return len(bits) > 1 or layout.bits not in (8, 16) or "f" in self.kinds or layout.predictor == 3
        if len(bits) > 1 or len(set(self.kinds)) > 1 or layout.bits not in _BITS.get(layout.kind, ()):
            return True
        if self.photometric == PALETTE and (layout.kind != "u" or layout.bits > 16):
            return True
        if self.photometric == CMYK and self.inks != 1:
            return True
        if self.is_subsampled and (layout.bits != 8 or layout.samples != 3 or layout.is_planar):
            return True
        if layout.predictor == 3 and layout.kind != "f":
            return True
        return layout.bits not in _PREDICTED.get(layout.predictor, ())

    @property
    def is_subsampled(self) -> bool:
        """Whether several pixels share their colours."""
        return self.photometric == YCBCR and self.subsampling != (1, 1)

    def unread(self) -> UnreadKindError:
        """Return the error that says what kind it is."""
        layout = self.layout
        kind = {"u": "", "i": "signed ", "f": "floating "}.get(layout.kind, "complex ")
        bits = "-".join(map(str, dict.fromkeys(self.bits)))
        what = _NAMES.get(self.photometric, f"photometric interpretation {self.photometric}")
        compression = layout.compression
        how = _COMPRESSIONS.get(compression, f"an unknown ({compression})")
        predictor = f", predictor {layout.predictor}" if layout.predictor > 1 else ""
        return UnreadKindError(
            f"a kind of TIFF that lookalike does not read ({what}, {layout.samples} ×"
            f" {kind}{bits} bits, {how} compression{predictor})"
        )


def is_codec_there(compression: int) -> bool:
    """Tell whether a failure to decompress speaks of the file, and not of the decoder."""
    import io

    from PIL import Image

    if compression in (_OLD_JPEG, _THUNDERSCAN):
        return False  # nothing writes them, so nobody can say
    name = _CODECS.get(compression)
    if name is None:
        return True
    try:
        Image.new("RGB", (16, 16)).save(io.BytesIO(), "TIFF", compression=name)
    except Exception:
        return False
    return True


def _usual_photometric(compression: int, samples: int) -> int:
    """What the samples are likely to mean where no tag says it, though one has to."""
    if compression in _FAX:
        return WHITE_IS_0
    if compression == _OLD_JPEG:
        return YCBCR
    return RGB if samples >= 3 else BLACK_IS_0


def _for_each(values: tuple[int, ...], count: int) -> tuple[int, ...]:
    """Return one value for each; where there are too few, the first stands for all."""
    return values[:count] if len(values) >= count else values[:1] * count
