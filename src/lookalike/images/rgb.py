"""From whatever mode an image was decoded in to 8-bit sRGB: shrinking, depth, colours, transparency."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

    from lookalike.images.levels import Samples

MANY_PIXELS = 64_000_000
"""Deep greys of so many are shrunk as all others are; smaller ones are left to a finer filter."""

MOST_KEPT = 40_000_000
"""Pixels that come out at most where not the whole of a picture is wanted: long, narrow ones have more."""

_STRIP_PIXELS = 4_000_000
_PLAIN = {"L", "LA", "RGB", "RGBA", "CMYK", "LAB"}
_WITH_ALPHA = {"PA", "RGBa", "La"}


def to_rgb(image: Image, profiles: Sequence[bytes] = ()) -> Image:
    """Turn any mode into 8-bit sRGB: deep greys scaled rather than clipped, what is transparent on a ground.

    Parameters
    ----------
    image : PIL.Image.Image
    profiles : sequence of bytes
        ICC profiles of its colours: the first that is usable, and fits its mode, counts. Without any, the
        colours are taken to be sRGB's.
    """
    from PIL import Image as Pillow

    plain = _plain(image)
    if plain.mode not in ("LA", "RGBA"):
        return _to_srgb(plain, profiles)
    from lookalike.images.ground import choose_ground

    alpha = plain.getchannel("A")
    layer = _to_srgb(plain.convert(plain.mode[:-1]), profiles)
    page = Pillow.new("RGB", layer.size, choose_ground(Pillow.merge("RGBA", (*layer.split(), alpha))))
    page.paste(layer, mask=alpha)
    return page


def shrunk_by(width: int, height: int, shorter_side: int | None) -> int:
    """Return how many pixels of a picture become one, in both directions, before it is converted.

    Twice the pixels asked for are kept, for a finer filter to work on; of a picture that is so long and
    narrow that `MOST_KEPT` pixels do not suffice for that, so many.

    Examples
    --------
    >>> shrunk_by(4096, 3072, 256), shrunk_by(640, 480, 256), shrunk_by(100, 2_490_000, 256)
    (6, 1, 3)
    """
    if shorter_side is None:
        return 1
    factor = max(1, min(width, height) // (2 * shorter_side))
    if width * height > MOST_KEPT * factor**2:
        factor = math.ceil(math.sqrt(width * height / MOST_KEPT))
    return factor


def to_small_rgb(image: Image, shorter_side: int | None, profiles: Sequence[bytes] = ()) -> Image:
    """Turn a large image into sRGB, shrunk first, strip by strip.

    Converting the whole of a 200-megapixel image takes two or three times the memory of decoding it. Here
    it takes next to none.
    """
    from PIL import Image as Pillow

    width, height = image.size
    factor = shrunk_by(width, height, shorter_side)
    is_deep = image.mode.startswith("I") or image.mode == "F"
    if factor < 2 or (is_deep and width * height < MANY_PIXELS):
        return to_rgb(image, profiles)
    if is_deep:
        image = _deep_grey(image)
    small: Image | None = None
    rows = factor * max(1, _STRIP_PIXELS // (factor * width))
    for top in range(0, height, rows):
        strip = _plain(image.crop((0, top, width, min(top + rows, height)))).reduce(factor)
        if small is None:
            small = Pillow.new(strip.mode, (strip.width, -(-height // factor)))
        small.paste(strip, (0, top // factor))
    return to_rgb(small or image, profiles)


def _plain(image: Image) -> Image:
    """Turn any mode into the nearest of L, LA, RGB, RGBA, CMYK and LAB: eight bits a channel."""
    if image.mode.startswith("I") or image.mode == "F":
        return _deep_grey(image)
    is_keyed = "transparency" in image.info and image.mode not in (
        "LA",
        "RGBA",
    )  # a colour, or a palette's entries
    if image.mode in _PLAIN and not is_keyed:
        return image
    without, with_alpha = ("L", "LA") if image.mode in ("1", "L", "La") else ("RGB", "RGBA")
    return image.convert(with_alpha if is_keyed or image.mode in _WITH_ALPHA else without)


def _to_srgb(image: Image, profiles: Sequence[bytes]) -> Image:
    converted = _by_profile(image, profiles) if profiles else None
    if converted is not None:
        return converted
    return image if image.mode == "RGB" else image.convert("RGB")


def _by_profile(image: Image, profiles: Sequence[bytes]) -> Image | None:
    from lookalike.images.color.srgb import conversion

    for profile in profiles:
        convert = conversion(profile, image.mode)
        if convert is not None:
            return convert(image)
        # WebP has no greys, and AVIF's are opened as RGB; the profile stays that of the greys.
        convert = conversion(profile, "L") if image.mode == "RGB" else None
        if convert is not None and _is_grey(image):
            return convert(image.getchannel("R"))
    return None


def _is_grey(image: Image) -> bool:
    from PIL import ImageChops

    red, green, blue = image.split()
    return all(ImageChops.difference(red, other).getbbox() is None for other in (green, blue))


def _deep_grey(image: Image) -> Image:
    """Scale 16-bit, 32-bit and float greys to 8 bits; see `lookalike.images.levels`."""
    import numpy as np
    from PIL import Image as Pillow

    from lookalike.images.levels import levels_of

    width, height = image.size
    rows = max(1, _STRIP_PIXELS // width)  # so that beside the picture little memory is taken

    def bands() -> Iterator[Samples]:
        for top in range(0, height, rows):
            yield np.asarray(image.crop((0, top, width, min(top + rows, height))))

    kind = np.asarray(image.crop((0, 0, 1, 1))).dtype
    levels = levels_of(8 * kind.itemsize, kind.kind, bands())
    grey = Pillow.new("L", image.size)
    for number, values in enumerate(bands()):
        grey.paste(Pillow.fromarray(levels.to_8_bits(values)), (0, number * rows))
    return grey
